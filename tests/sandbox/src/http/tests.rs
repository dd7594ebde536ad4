use std::{future::poll_fn, task::Poll, time::Duration};

use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    faults::{CallEffect, CallFault, Deed},
    services::{lambda, sns},
};

const ACCOUNT: &str = "111111111111";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

fn world() -> SharedWorld {
    Arc::new(Mutex::new(World::new(Timestamp::UNIX_EPOCH)))
}

fn authorization(access_key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    )
}

async fn send(world: &SharedWorld, request: Request<Body>) -> Answer {
    let response = handle(State(Arc::clone(world)), request).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn json_call(
    world: &SharedWorld,
    key: &str,
    service: &str,
    target: &str,
    input: Value,
) -> Answer {
    let request = Request::post("/")
        .header("authorization", authorization(key, service))
        .header("x-amz-target", target)
        .body(Body::from(input.to_string()))
        .unwrap();
    send(world, request).await
}

async fn form_call(world: &SharedWorld, service: &str, form: &str) -> Answer {
    let request = Request::post("/")
        .header("authorization", authorization(ACCOUNT, service))
        .body(Body::from(form.to_owned()))
        .unwrap();
    send(world, request).await
}

fn put_parameter() -> Value {
    json!({ "Name": "/p", "Value": "hidden", "Type": "String" })
}

fn fail_next(world: &SharedWorld, effect: CallEffect) {
    lock(world).faults.calls.push(CallFault {
        service: "ssm".to_owned(),
        operation: "PutParameter".to_owned(),
        account: None,
        effect,
    });
}

/// What a client reads from the wire before the connection ends.
async fn bytes_of_put_parameter(world: &SharedWorld) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, router(Arc::clone(world))).into_future());
    let body = put_parameter().to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\
         X-Amz-Target: AmazonSSM.PutParameter\r\nContent-Length: {}\r\n\r\n{body}",
        authorization(ACCOUNT, "ssm"),
        body.len()
    );
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = client.read_to_end(&mut bytes).await;
    server.abort();
    bytes
}

#[tokio::test]
async fn json_goes_in_and_out_by_the_target_header() {
    let world = world();
    let put = json_call(
        &world,
        ACCOUNT,
        "ssm",
        "AmazonSSM.PutParameter",
        put_parameter(),
    )
    .await;
    assert_eq!(put.status, StatusCode::OK);
    assert_eq!(put.json()["Version"], 1);
    assert_eq!(put.header("content-type"), "application/x-amz-json-1.1");
    assert!(!put.header("x-amzn-requestid").is_empty());

    let input = json!({ "Name": "/p" });
    let get = json_call(
        &world,
        ACCOUNT,
        "ssm",
        "AmazonSSM.GetParameter",
        input.clone(),
    )
    .await;
    assert_eq!(get.json()["Parameter"]["Value"], "hidden");
    let other = json_call(
        &world,
        "222222222222",
        "ssm",
        "AmazonSSM.GetParameter",
        input,
    )
    .await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert_eq!(other.json()["__type"], "ParameterNotFound");
    assert_eq!(other.header("x-amzn-errortype"), "ParameterNotFound");
}

#[tokio::test]
async fn sqs_errors_carry_the_code_of_the_query_protocol_too() {
    let input = json!({ "QueueName": "none" });
    let answer = json_call(&world(), ACCOUNT, "sqs", "AmazonSQS.GetQueueUrl", input).await;
    assert_eq!(answer.json()["__type"], "QueueDoesNotExist");
    assert_eq!(
        answer.header("x-amzn-query-error"),
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    );
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.0");
}

#[tokio::test]
async fn sts_answers_in_xml() {
    let world = world();
    let answer = form_call(&world, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(answer.header("content-type"), "text/xml");
    assert!(answer.text.starts_with(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Account>111111111111</Account>"
    ));
    let form = "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fr&RoleSessionName=me";
    let answer = form_call(&world, "sts", form).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer
            .text
            .contains("<Type>Sender</Type><Code>AccessDenied</Code><Message>User: ")
    );
}

#[tokio::test]
async fn lists_and_maps_of_a_form_are_read() {
    let world = world();
    sns::create_topic(&mut lock(&world), ACCOUNT, "eu-west-1", "t", &json!({})).unwrap();
    let form = "Action=PublishBatch&TopicArn=arn:aws:sns:eu-west-1:111111111111:t\
                &PublishBatchRequestEntries.member.1.Id=a\
                &PublishBatchRequestEntries.member.1.Message=one+%26+two\
                &PublishBatchRequestEntries.member.2.Id=b\
                &PublishBatchRequestEntries.member.2.Message=three\
                &PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Name=kind\
                &PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.DataType=String\
                &PublishBatchRequestEntries.member.2.MessageAttributes.entry.1.Value.StringValue=x";
    let answer = form_call(&world, "sns", form).await;
    assert!(
        answer.text.contains("<Successful><member><Id>a</Id>"),
        "{}",
        answer.text
    );
    let world = lock(&world);
    let published = &world.sns.published;
    assert_eq!(published[0].message, "one & two");
    assert_eq!(published[1].attributes["kind"]["StringValue"], "x");
}

#[tokio::test]
async fn maps_are_written_as_entries_and_texts_are_escaped() {
    let world = world();
    let properties = json!({ "DisplayName": "a < b & \"c\"" });
    sns::create_topic(&mut lock(&world), ACCOUNT, "eu-west-1", "t", &properties).unwrap();
    let form = "Action=GetTopicAttributes&TopicArn=arn:aws:sns:eu-west-1:111111111111:t";
    let answer = form_call(&world, "sns", form).await;
    assert!(answer.text.contains(
        "<entry><key>DisplayName</key><value>a &lt; b &amp; &quot;c&quot;</value></entry>"
    ));
}

#[tokio::test]
async fn nobody_is_let_in_without_known_credentials() {
    let world = world();
    let anonymous = send(&world, Request::post("/").body(Body::empty()).unwrap()).await;
    assert_eq!(anonymous.json()["__type"], "MissingAuthenticationToken");
    let unknown = json_call(&world, "AKIAX", "ssm", "AmazonSSM.GetParameter", json!({})).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert_eq!(unknown.json()["__type"], "UnrecognizedClientException");
}

#[tokio::test]
async fn what_the_sandbox_does_not_have_is_not_implemented() {
    let world = world();
    let service = json_call(&world, ACCOUNT, "kinesis", "Kinesis.ListStreams", json!({})).await;
    assert_eq!(service.status, StatusCode::NOT_IMPLEMENTED);
    assert!(service.text.contains("kinesis"));
    let operation = json_call(&world, ACCOUNT, "ssm", "AmazonSSM.SendCommand", json!({})).await;
    assert_eq!(operation.status, StatusCode::NOT_IMPLEMENTED);
    let path = Request::post("/nosuchoperation")
        .header("authorization", authorization(ACCOUNT, "ram"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        send(&world, path).await.json()["__type"],
        "UnknownOperationException"
    );
    let broken = Request::post("/")
        .header("authorization", authorization(ACCOUNT, "ssm"))
        .header("x-amz-target", "AmazonSSM.GetParameter")
        .body(Body::from("{"))
        .unwrap();
    assert_eq!(
        send(&world, broken).await.json()["__type"],
        "SerializationException"
    );
}

#[tokio::test]
async fn what_the_sandbox_does_not_have_is_told_in_the_language_of_its_clients() {
    let world = world();
    let form = "Action=DescribeStacks&Version=2010-05-15";
    let answer = form_call(&world, "cloudformation", form).await;
    assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
    let said = "<Message>The sandbox does not have the service cloudformation</Message>";
    assert!(answer.text.contains(said), "{}", answer.text);
}

#[test]
fn every_service_that_the_sandbox_has_is_reached() {
    for service in crate::services::SERVICES {
        let protocol = request::Protocol::of(service.name);
        let is_known = !matches!(protocol, request::Protocol::Unknown { .. });
        assert!(is_known, "{}", service.title);
    }
}

#[tokio::test]
async fn calls_are_remembered_with_their_outcome_but_without_the_value() {
    let world = world();
    for _ in 0..2 {
        json_call(
            &world,
            ACCOUNT,
            "ssm",
            "AmazonSSM.PutParameter",
            put_parameter(),
        )
        .await;
    }
    let world = lock(&world);
    let calls = &world.calls;
    assert_eq!(calls[0].operation, "PutParameter");
    assert_eq!(calls[0].caller.account, ACCOUNT);
    assert_eq!(calls[0].error, None);
    assert_eq!(calls[1].error.as_deref(), Some("ParameterAlreadyExists"));
    assert_eq!(calls[0].input, json!({ "Name": "/p", "Type": "String" }));
}

#[tokio::test]
async fn a_refused_call_does_nothing() {
    let world = world();
    fail_next(
        &world,
        CallEffect::Refuse(ApiError::new("ThrottlingException", "Rate exceeded")),
    );
    let put = || {
        json_call(
            &world,
            ACCOUNT,
            "ssm",
            "AmazonSSM.PutParameter",
            put_parameter(),
        )
    };
    assert_eq!(put().await.json()["__type"], "ThrottlingException");
    assert_eq!(put().await.json()["Version"], 1);
    assert_eq!(
        lock(&world).calls[0].error.as_deref(),
        Some("ThrottlingException")
    );
}

#[tokio::test]
async fn a_late_answer_keeps_nobody_else_waiting() {
    let world = world();
    fail_next(&world, CallEffect::AnswerLate(Duration::from_hours(1)));
    tokio::time::pause();
    let begin = tokio::time::Instant::now();
    let target = "AmazonSSM.PutParameter";
    let late = json_call(&world, ACCOUNT, "ssm", target, put_parameter());
    let mut late = std::pin::pin!(late);
    assert!(futures::poll!(&mut late).is_pending());
    let read = json!({ "Name": "/p" });
    let read = json_call(&world, ACCOUNT, "ssm", "AmazonSSM.GetParameter", read).await;
    assert_eq!(read.json()["Parameter"]["Version"], 1, "the work is done");
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(late.await.json()["Version"], 1);
    assert!(begin.elapsed() >= Duration::from_hours(1));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_work_done_and_no_byte_on_the_wire() {
    let world = world();
    fail_next(&world, CallEffect::LoseAnswer);
    assert_eq!(bytes_of_put_parameter(&world).await, b"");
    let again = json_call(
        &world,
        ACCOUNT,
        "ssm",
        "AmazonSSM.PutParameter",
        put_parameter(),
    )
    .await;
    assert_eq!(again.json()["__type"], "ParameterAlreadyExists");
}

#[tokio::test]
async fn what_somebody_does_meanwhile_is_done_before_the_work_or_after_it() {
    let theirs = Call::by_administrator(
        ACCOUNT,
        "eu-west-1",
        "ssm",
        "PutParameter",
        json!({ "Name": "/p", "Value": "theirs", "Type": "String", "Overwrite": true }),
    );
    for (after, code, version) in [(false, Some("ParameterAlreadyExists"), 1), (true, None, 2)] {
        let world = world();
        let deed = Deed::calls(vec![theirs.clone()]);
        fail_next(&world, CallEffect::Meanwhile { deed, after });
        let target = "AmazonSSM.PutParameter";
        let ours = json_call(&world, ACCOUNT, "ssm", target, put_parameter()).await;
        assert_eq!(ours.json()["__type"].as_str(), code, "after: {after}");
        assert_eq!(lock(&world).calls.len(), 2);
        let read = json!({ "Name": "/p" });
        let read = json_call(&world, ACCOUNT, "ssm", "AmazonSSM.GetParameter", read).await;
        assert_eq!(read.json()["Parameter"]["Value"], "theirs");
        assert_eq!(read.json()["Parameter"]["Version"], version);
    }
}

#[tokio::test]
async fn killing_a_caller_that_is_no_function_cuts_the_connection() {
    for (after, calls) in [(false, 0), (true, 1)] {
        let world = world();
        fail_next(&world, CallEffect::KillCaller { after });
        assert_eq!(bytes_of_put_parameter(&world).await, b"");
        assert_eq!(lock(&world).calls.len(), calls);
    }
}

#[tokio::test]
async fn an_invocation_that_nobody_waits_for_is_accepted_at_once() {
    let world = world();
    lambda::tests::with_environment(&mut lock(&world));
    let invoke = |name: &str, kind: &str| {
        Request::post(format!("/2015-03-31/functions/{name}/invocations"))
            .header("authorization", authorization(ACCOUNT, "lambda"))
            .header("x-amz-invocation-type", kind)
            .body(Body::empty())
            .unwrap()
    };
    let accepted = send(&world, invoke("work", "Event")).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let started = lambda::start_due(&mut lock(&world), 10);
    assert_eq!(started.len(), 1);
    let tried = send(&world, invoke("work", "DryRun")).await;
    assert_eq!(tried.status, StatusCode::NO_CONTENT);
    let unknown = send(&world, invoke("none", "Event")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[test]
fn a_killed_function_gets_no_answer_through_any_of_its_roles() {
    let world = world();
    let mut world = lock(&world);
    let (world, key) = lambda::tests::with_environment(&mut world);
    lambda::kill(world, &key);
    let derived = sts::session(world, "222222222222", "reader", "s");
    sts::set_origin(world, &derived, &key);
    let call = Call {
        caller: sts::caller(world, &derived).unwrap(),
        region: "eu-west-1".to_owned(),
        service: "ssm".to_owned(),
        operation: "PutParameter".to_owned(),
        input: put_parameter(),
    };
    assert_eq!(dispatch(world, &call, &derived), Err(Failure::CallerKilled));
    assert!(world.calls.is_empty());
}

#[test]
fn members_of_rest_operations_come_from_the_query_too() {
    let share = "resourceShareArn=arn%3Aaws%3Aram";
    let delete = Request::delete(format!("/deleteresourceshare?{share}&clientToken=t"));
    // The model has this one's only member in the query although it is a POST.
    let promote = Request::post(format!("/promoteresourcesharecreatedfrompolicy?{share}"));
    for (request, operation, input) in [
        (
            delete,
            "DeleteResourceShare",
            json!({ "resourceShareArn": "arn:aws:ram", "clientToken": "t" }),
        ),
        (
            promote,
            "PromoteResourceShareCreatedFromPolicy",
            json!({ "resourceShareArn": "arn:aws:ram" }),
        ),
    ] {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let decoded = request::decode("ram", &head, Bytes::new()).unwrap();
        assert_eq!(
            (decoded.operation.as_str(), decoded.input),
            (operation, input)
        );
    }
}

#[tokio::test]
async fn a_form_with_an_endless_name_is_refused_like_any_other_mistake() {
    let world = world();
    let name = "a.".repeat(1 << 20);
    let form = format!("Action=GetCallerIdentity&Version=2011-06-15&{name}=x");
    let refused = form_call(&world, "sts", &form).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(refused.text.contains("<Code>MalformedQueryString</Code>"));
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(form_call(&world, "sts", form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_defect_costs_one_request_and_not_the_sandbox() {
    let world = world();
    let broken = poll_fn(|_| -> Poll<Response> {
        let _held = lock(&world);
        panic!("a defect")
    });
    let answer = survive(&world, Protocol::RestJson, broken).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.headers()["x-amzn-errortype"], "InternalFailure");
    let put = json_call(
        &world,
        ACCOUNT,
        "ssm",
        "AmazonSSM.PutParameter",
        put_parameter(),
    );
    assert_eq!(put.await.json()["Version"], 1);
}

#[tokio::test]
async fn an_error_has_all_members_of_its_shape() {
    let error = ApiError::with_status(429, "TooManyRequestsException", "Rate Exceeded.")
        .with_member("Reason", "CallerRateLimitExceeded");
    let answer = failure(Protocol::RestJson, &error, "id");
    let body = to_bytes(answer.into_body(), MAX_BODY).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["Reason"], "CallerRateLimitExceeded");
    assert_eq!(body["message"], "Rate Exceeded.");
}
