use domain::{
    id::{PipelineArn, PipelineOwner},
    status::ExecutionStatus,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::SageMaker;
use crate::replay::{Answer, Replay, ok, refusal};

const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";
const SINCE: i64 = 1_800_000_000;

async fn sagemaker(replay: &Replay) -> SageMaker {
    SageMaker::new(&replay.config().await, "222222222222".parse().unwrap())
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
async fn pipelines_of_all_pages_are_listed_those_of_aws_included() {
    let summary = |arn: &str| json!({ "PipelineArn": arn, "PipelineName": "Churn", "CreationTime": SINCE, "LastExecutionTime": SINCE + 1 });
    let replay = Replay::of([
        ok(&json!({ "PipelineSummaries": [], "NextToken": "more" })),
        ok(&json!({ "PipelineSummaries": [summary(PIPELINE)], "NextToken": "more2" })),
        ok(
            &json!({ "PipelineSummaries": [summary("arn:aws:sagemaker:eu-west-1:aws:pipeline/managed")] }),
        ),
    ]);
    let pipelines = sagemaker(&replay).await.pipelines().await.unwrap();
    assert_eq!(pipelines.len(), 2);
    assert_eq!(pipelines[0].arn, pipeline());
    assert_eq!(pipelines[0].name, "Churn");
    assert_eq!(pipelines[0].created, since());
    assert_eq!(pipelines[0].last_run.unwrap().as_second(), SINCE + 1);
    assert_eq!(pipelines[1].arn.owner(), &PipelineOwner::Aws);
    assert_eq!(replay.requests()[0].target, "SageMaker.ListPipelines");
}

#[tokio::test]
async fn the_search_for_a_success_ends_at_the_first_one() {
    let replay = Replay::of([
        page(&[execution("a", "Failed")], Some("more")),
        page(&[], Some("more2")),
        page(&[execution("b", "Succeeded")], Some("more3")),
    ]);
    let found = sagemaker(&replay)
        .await
        .has_succeeded_execution(&pipeline(), since())
        .await;
    assert!(found.unwrap());
    let requests = replay.requests();
    assert_eq!(requests.len(), 3);
    let body = requests[0].json();
    assert_eq!(body["PipelineName"], PIPELINE);
    assert_eq!(body["CreatedAfter"].as_f64(), Some(1_800_000_000.0));
    assert_eq!(
        (&body["SortBy"], &body["SortOrder"]),
        (&json!("CreationTime"), &json!("Descending"))
    );
}

#[tokio::test]
async fn completed_with_failures_is_no_success() {
    let replay = Replay::of([page(
        &[
            execution("a", "CompletedWithFailures"),
            execution("b", "BrandNew"),
        ],
        None,
    )]);
    let found = sagemaker(&replay)
        .await
        .has_succeeded_execution(&pipeline(), since())
        .await;
    assert!(!found.unwrap());
}

#[tokio::test]
async fn executions_are_listed_with_statuses_that_are_new_to_us() {
    let replay = Replay::of([
        page(&[execution("a", "Executing")], Some("more")),
        page(&[execution("b", "BrandNew")], None),
    ]);
    let found = sagemaker(&replay)
        .await
        .executions_since(&pipeline(), since())
        .await
        .unwrap();
    let statuses: Vec<_> = found
        .iter()
        .map(|execution| execution.status.as_str())
        .collect();
    assert_eq!(statuses, ["Executing", "BrandNew"]);
}

#[tokio::test]
async fn an_execution_is_described_with_what_its_event_lacks() {
    let arn = format!("{PIPELINE}/execution/a");
    let replay = Replay::of([ok(&json!({
        "PipelineArn": PIPELINE, "PipelineExecutionArn": arn, "PipelineExecutionStatus": "Failed",
        "PipelineExecutionDisplayName": "nightly", "FailureReason": "out of memory",
        "CreationTime": SINCE, "LastModifiedTime": SINCE + 60, "CreatedBy": { "UserProfileName": "ana" },
    }))]);
    let execution = sagemaker(&replay)
        .await
        .execution(&arn.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(execution.status, ExecutionStatus::Failed);
    assert_eq!(execution.display_name.as_deref(), Some("nightly"));
    assert_eq!(execution.failure_reason.as_deref(), Some("out of memory"));
    assert_eq!(execution.created_by.as_deref(), Some("ana"));
    assert_eq!(execution.last_modified.unwrap().as_second(), SINCE + 60);
}

#[tokio::test]
async fn failed_steps_are_told_apart_from_the_others() {
    let arn = format!("{PIPELINE}/execution/a");
    let replay = Replay::of([
        ok(
            &json!({ "PipelineExecutionSteps": [{ "StepName": "prepare", "StepStatus": "Succeeded" }], "NextToken": "more" }),
        ),
        ok(&json!({ "PipelineExecutionSteps": [
            { "StepName": "train", "StepStatus": "Failed", "FailureReason": "out of memory", "EndTime": SINCE },
        ] })),
    ]);
    let steps = sagemaker(&replay)
        .await
        .failed_steps(&arn.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].name, "train");
    assert_eq!(steps[0].reason.as_deref(), Some("out of memory"));
    assert_eq!(steps[0].ended, Some(since()));
}

#[tokio::test]
async fn a_shared_pipeline_is_described_by_its_arn() {
    let replay = Replay::of([
        ok(&json!({ "PipelineArn": PIPELINE, "PipelineName": "churn", "CreationTime": SINCE })),
        refusal(400, "ResourceNotFound", "no such pipeline"),
    ]);
    let sagemaker = sagemaker(&replay).await;
    assert_eq!(
        sagemaker.describe(&pipeline()).await.unwrap().arn,
        pipeline()
    );
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
