use super::*;
use crate::services::sqs;

const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:reviews";
const QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/111111111111/reviews";

/// A review by people, and a job that uses what they say.
fn reviewed() -> Value {
    definition(
        json!([{ "Name": "Stage", "Type": "String", "DefaultValue": "test" }]),
        json!([
            {
                "Name": "Review",
                "Type": "Callback",
                "SqsQueueUrl": QUEUE_URL,
                "OutputParameters": [{ "OutputName": "verdict", "OutputType": "String" }],
                "Arguments": { "stage": { "Get": "Parameters.Stage" } },
            },
            { "Name": "Refuse", "Type": "Fail", "Arguments": { "ErrorMessage": {
                "Get": "Steps.Review.OutputParameters['verdict']",
            } } },
        ]),
    )
}

fn begin() -> (World, String) {
    let mut world = world();
    sqs::create_queue(&mut world, OWNER, REGION, "reviews", &json!({})).unwrap();
    create(&mut world, "Churn", &reviewed());
    let arn = start(&mut world, "start");
    pass(&mut world, 6);
    (world, arn)
}

/// The bodies of the messages in the queue.
fn messages(world: &World) -> Vec<Value> {
    let messages = sqs::messages(world, QUEUE);
    let bodies = messages.iter().map(|message| &message.body);
    bodies
        .map(|body| serde_json::from_str(body).unwrap())
        .collect()
}

fn callback_token(world: &World) -> Value {
    messages(world)[0]["token"].clone()
}

fn approval(token: &Value) -> Value {
    json!({
        "CallbackToken": token,
        "OutputParameters": [{ "Name": "verdict", "Value": "Too bold." }],
        "ClientRequestToken": super::token("approval"),
    })
}

#[test]
fn a_callback_step_sends_its_token_and_arguments_and_waits() {
    let (mut world, arn) = begin();
    let token = callback_token(&world);
    assert_eq!(token.as_str().unwrap().len(), 10);
    assert_eq!(
        messages(&world),
        [json!({
            "token": token,
            "pipelineExecutionArn": arn,
            "arguments": { "stage": "test" },
            "status": "Executing",
        })]
    );
    pass(&mut world, 6 * 24 * 3600);
    assert_eq!(steps(&mut world, &arn), ["Review Executing"]);
}

#[test]
fn output_parameters_of_an_answer_show_and_are_read_by_later_steps() {
    let (mut world, arn) = begin();
    let approval = approval(&callback_token(&world));
    // A repeated request is the same request.
    for _ in 0..2 {
        let answer = ask(
            &mut world,
            "SendPipelineExecutionStepSuccess",
            approval.clone(),
        );
        assert_eq!(answer, json!({ "PipelineExecutionArn": arn }));
    }
    let review = step(&mut world, &arn, "Review");
    assert_eq!(review["StepStatus"], "Succeeded");
    assert_eq!(
        review["Metadata"]["Callback"]["OutputParameters"],
        approval["OutputParameters"]
    );
    pass(&mut world, 60);
    assert_eq!(
        step(&mut world, &arn, "Refuse")["FailureReason"],
        "Too bold."
    );
}

#[test]
fn a_failure_that_is_told_fails_the_step_with_its_reason() {
    let (mut world, arn) = begin();
    let input = json!({ "CallbackToken": callback_token(&world), "FailureReason": "No." });
    ask(&mut world, "SendPipelineExecutionStepFailure", input);
    assert_eq!(step(&mut world, &arn, "Review")["FailureReason"], "No.");
    assert_eq!(status(&mut world, &arn), "Failed");
}

#[test]
fn tokens_that_are_malformed_unknown_or_used_are_refused() {
    let (mut world, _) = begin();
    let used = callback_token(&world);
    let input = json!({ "CallbackToken": used });
    ask(
        &mut world,
        "SendPipelineExecutionStepSuccess",
        input.clone(),
    );
    for (token, code) in [
        (used, "ConflictException"),
        (json!("abcdefghij"), "ResourceNotFound"),
        (json!("abcdefghi"), "ValidationException"),
        (json!("abcdefghi!"), "ValidationException"),
        (Value::Null, "ValidationException"),
    ] {
        let input = json!({ "CallbackToken": token });
        let error = refuse(&mut world, "SendPipelineExecutionStepFailure", input);
        assert_eq!(error.code, code, "{token}");
    }
}

#[test]
fn nobody_of_another_account_answers() {
    let (mut world, _) = begin();
    let approval = approval(&callback_token(&world));
    let request = consumer("SendPipelineExecutionStepSuccess", approval);
    assert_eq!(
        call(&mut world, &request).unwrap_err().code,
        "ResourceNotFound"
    );
}

#[test]
fn a_callback_that_is_never_answered_fails_after_seven_days() {
    let (mut world, arn) = begin();
    pass(&mut world, 7 * 24 * 3600 - 1);
    assert_eq!(status(&mut world, &arn), "Executing");
    pass(&mut world, 1);
    assert_eq!(steps(&mut world, &arn), ["Review Failed"]);
}

#[test]
fn a_stopped_callback_is_told_so_and_stops_only_when_that_is_answered() {
    let (mut world, arn) = begin();
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    pass(&mut world, 3600);
    assert_eq!(steps(&mut world, &arn), ["Review Stopping"]);
    let messages = messages(&world);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["status"], "Stopping");
    let input = json!({ "CallbackToken": messages[1]["token"] });
    ask(&mut world, "SendPipelineExecutionStepSuccess", input);
    assert_eq!(steps(&mut world, &arn), ["Review Stopped"]);
    assert_eq!(status(&mut world, &arn), "Stopped");
}

#[test]
fn a_callback_without_a_queue_fails() {
    let mut world = world();
    create(&mut world, "Churn", &reviewed());
    let arn = start(&mut world, "start");
    pass(&mut world, 60);
    assert_eq!(steps(&mut world, &arn), ["Review Failed"]);
}
