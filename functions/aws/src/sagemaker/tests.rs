use domain::{id::PipelineArn, status::ExecutionStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{SageMaker, Success};
use crate::replay::{Answer, Replay, ok, refusal};

const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";
const SINCE: i64 = 1_800_000_000;

async fn sagemaker(replay: &Replay) -> SageMaker {
    SageMaker::new(
        aws_sdk_sagemaker::Client::new(&replay.config().await),
        "222222222222".parse().unwrap(),
    )
}

fn pipeline() -> PipelineArn {
    PIPELINE.parse().unwrap()
}

fn since() -> Timestamp {
    Timestamp::from_second(SINCE).unwrap()
}

fn execution(id: &str, status: &str) -> Value {
    json!({
        "PipelineExecutionArn": format!("{PIPELINE}/execution/{id}"),
        "PipelineExecutionStatus": status,
        "StartTime": SINCE + 60,
    })
}

fn page(executions: &[Value], token: Option<&str>) -> Answer {
    ok(&json!({ "PipelineExecutionSummaries": executions, "NextToken": token }))
}

#[tokio::test]
async fn pipelines_of_all_pages_are_listed_but_for_those_that_aws_manages() {
    let summary = |arn: &str| json!({ "PipelineArn": arn, "PipelineName": "Churn", "CreationTime": SINCE, "LastExecutionTime": SINCE + 1 });
    let managed = "arn:aws:sagemaker:eu-west-1:aws:pipeline/managed";
    // One of them has no times, which would be worth a warning otherwise.
    let bare = json!({ "PipelineArn": managed });
    let replay = Replay::of([
        ok(&json!({ "PipelineSummaries": [], "NextToken": "more" })),
        ok(&json!({ "PipelineSummaries": [bare, summary(PIPELINE)], "NextToken": "more2" })),
        ok(&json!({ "PipelineSummaries": [summary(managed)] })),
    ]);
    let pipelines = sagemaker(&replay).await.pipelines().await.unwrap();
    assert_eq!(pipelines.len(), 1);
    assert_eq!(pipelines[0].arn, pipeline());
    assert_eq!(pipelines[0].created, since());
    let last_run = pipelines[0].last_run.unwrap();
    assert_eq!(last_run.as_second(), SINCE + 1);
    assert_eq!(replay.requests()[0].target, "SageMaker.ListPipelines");
}

#[tokio::test]
async fn the_search_for_a_success_ends_at_the_first_one() {
    let replay = Replay::of([
        page(&[execution("a", "Failed")], Some("more")),
        page(&[], Some("more2")),
        page(&[execution("b", "Succeeded")], Some("more3")),
    ]);
    let found = sagemaker(&replay).await.success(&pipeline(), since()).await;
    assert_eq!(found.unwrap(), Success::Yes);
    let requests = replay.requests();
    assert_eq!(requests.len(), 3);
    let body = requests[0].json();
    assert_eq!(body["PipelineName"], PIPELINE);
    assert_eq!(body["CreatedAfter"].as_f64(), Some(1_799_999_999.0));
    assert_eq!(
        (&body["SortBy"], &body["SortOrder"]),
        (&json!("CreationTime"), &json!("Descending"))
    );
}

#[tokio::test]
async fn completed_with_failures_is_no_success() {
    let all = [
        execution("a", "CompletedWithFailures"),
        execution("b", "BrandNew"),
    ];
    let replay = Replay::of([page(&all[..1], None), page(&all, None), page(&[], None)]);
    let sagemaker = sagemaker(&replay).await;
    for expected in [Success::No, Success::NotYet, Success::No] {
        let found = sagemaker.success(&pipeline(), since()).await;
        assert_eq!(found.unwrap(), expected, "a status that is new may go on");
    }
}

#[tokio::test]
async fn executions_that_changed_are_searched_with_statuses_that_are_new_to_us() {
    let record = |id: &str, status: &str| {
        json!({ "PipelineExecution": {
            "PipelineArn": PIPELINE, "PipelineExecutionArn": format!("{PIPELINE}/execution/{id}"),
            "PipelineExecutionStatus": status, "LastModifiedTime": SINCE + 60,
        } })
    };
    let answers = || {
        Replay::of([
            ok(&json!({ "Results": [], "NextToken": "more" })),
            ok(&json!({ "Results": [record("a", "Executing")], "NextToken": "more2" })),
            ok(&json!({ "Results": [record("b", "BrandNew")] })),
        ])
    };
    let first = sagemaker(&answers()).await;
    let (found, is_all) = first.executions_changed_since(since(), 1).await.unwrap();
    assert_eq!((found.len(), is_all), (1, false), "there may be thousands");

    let replay = answers();
    let (found, is_all) = sagemaker(&replay)
        .await
        .executions_changed_since(since(), 2)
        .await
        .unwrap();
    assert!(is_all);
    let statuses: Vec<_> = found
        .iter()
        .map(|found| found.execution.status.as_str())
        .collect();
    assert_eq!(statuses, ["Executing", "BrandNew"]);
    let body = replay.requests()[0].json();
    assert_eq!(body["Resource"], "PipelineExecution");
    assert_eq!(
        body["SearchExpression"]["Filters"],
        json!([{ "Name": "LastModifiedTime", "Operator": "GreaterThan", "Value": "2027-01-15T08:00:00Z" }])
    );
}

#[tokio::test]
async fn an_execution_is_described_with_what_its_event_lacks() {
    let arn = format!("{PIPELINE}/execution/a");
    let replay = Replay::of([
        ok(&json!({
            "PipelineArn": PIPELINE, "PipelineExecutionArn": arn, "PipelineExecutionStatus": "Failed",
            "PipelineExecutionDisplayName": "nightly", "FailureReason": "a step failed",
            "CreationTime": SINCE, "LastModifiedTime": SINCE + 60, "PipelineVersionId": 3,
        })),
        ok(
            &json!({ "PipelineExecutionSteps": [{ "StepName": "prepare", "StepStatus": "Succeeded" }], "NextToken": "more" }),
        ),
        ok(&json!({ "PipelineExecutionSteps": [
            { "StepName": "train", "StepStatus": "Failed", "FailureReason": "out of memory", "EndTime": SINCE },
        ] })),
    ]);
    let details = sagemaker(&replay)
        .await
        .details(&arn.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(details.status, ExecutionStatus::Failed);
    assert_eq!(details.display_name, Some("nightly".into()));
    assert_eq!(details.failure_reason, Some("a step failed".into()));
    assert_eq!(details.started, Some(since()));
    assert_eq!(details.pipeline_version, Some(3));
    assert_eq!(details.failed_steps.len(), 1);
    assert_eq!(details.failed_steps[0].name.raw(), "train");
    assert_eq!(details.failed_steps[0].reason, Some("out of memory".into()));
}

#[tokio::test]
async fn the_last_step_tells_when_an_execution_ended() {
    let step = |end: Option<i64>| json!({ "StepName": "s", "EndTime": end });
    let replay = Replay::of([ok(
        &json!({ "PipelineExecutionSteps": [step(Some(SINCE)), step(Some(SINCE - 5)), step(None)] }),
    )]);
    let arn = format!("{PIPELINE}/execution/a");
    let sagemaker = sagemaker(&replay).await;
    let end = sagemaker.last_step_end(&arn.parse().unwrap()).await;
    assert_eq!(end.unwrap(), Some(since()));
}

#[tokio::test]
async fn a_shared_pipeline_is_described_by_its_arn() {
    let replay = Replay::of([
        ok(&json!({ "PipelineArn": PIPELINE, "PipelineName": "churn", "CreationTime": SINCE })),
        refusal(400, "ResourceNotFound", "no such pipeline"),
    ]);
    let sagemaker = sagemaker(&replay).await;
    sagemaker.describe(&pipeline()).await.unwrap();
    assert_eq!(
        replay.requests()[0].json(),
        json!({ "PipelineName": PIPELINE })
    );
    assert!(
        sagemaker
            .describe(&pipeline())
            .await
            .unwrap_err()
            .is("ResourceNotFound")
    );
}

#[tokio::test]
async fn the_newest_executions_are_one_bounded_question_and_leave_out_those_of_a_namesake() {
    let mut earlier = execution("a", "Succeeded");
    earlier["StartTime"] = (SINCE - 60).into();
    let mut named = execution("b", "Failed");
    named["PipelineExecutionDisplayName"] = "nightly".into();
    let replay = Replay::of([
        page(&[named, earlier], Some("more")),
        ok(&json!({ "PipelineExecutionStatus": "Failed", "LastModifiedTime": SINCE + 90 })),
    ]);
    let sagemaker = sagemaker(&replay).await;
    let newest = sagemaker.newest_executions(&pipeline(), since(), 8).await;
    let newest = newest.unwrap();
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0].status, ExecutionStatus::Failed);
    assert_eq!(newest[0].display_name, Some("nightly".into()));
    assert_eq!(newest[0].pipeline, pipeline());
    let sent = replay.requests()[0].json();
    assert_eq!(sent["MaxResults"], 8);
    assert_eq!(sent["SortOrder"], "Descending");
    assert_eq!(sent["PipelineName"], PIPELINE);

    let described = sagemaker.described(&newest[0].arn).await.unwrap();
    let modified = described.modified.unwrap();
    assert_eq!(modified.as_second(), SINCE + 90);
    assert!(described.failed_steps.is_empty());
    assert_eq!(replay.requests().len(), 2);
}
