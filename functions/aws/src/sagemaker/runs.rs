//! Running the pipelines of an account.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::{Parameter, SortOrder, SortPipelineExecutionsBy};
use domain::{
    hook::{Identity, PipelineRef, Run},
    id::{ExecutionArn, PipelineArn},
    sharing::Pipeline,
    status::ExecutionStatus,
};

use super::{PAGE, SageMaker, status, timestamp};
use crate::error::Error;

impl SageMaker {
    /// The pipeline of this name or ARN, as it is now.
    pub async fn pipeline_named(&self, pipeline: &PipelineRef) -> Result<Pipeline, Error> {
        let answer = self
            .client
            .describe_pipeline()
            .pipeline_name(pipeline.as_str())
            .send()
            .await
            .map_err(self.service.failed("DescribePipeline"))?;
        let created = answer.creation_time().and_then(timestamp);
        Ok(Pipeline {
            arn: self.parsed("DescribePipeline", answer.pipeline_arn())?,
            created: self.known("DescribePipeline", created)?,
        })
    }

    /// The newest run of the deployment, if it is among the pipeline's newest hundred.
    ///
    /// An older one is known by its client request token yet, for as long as
    /// `SageMaker` remembers those.
    pub async fn find_run(
        &self,
        pipeline: &PipelineArn,
        identity: &Identity,
    ) -> Result<Option<Run>, Error> {
        let answer = self
            .client
            .list_pipeline_executions()
            .pipeline_name(pipeline.as_str())
            .max_results(PAGE)
            .sort_by(SortPipelineExecutionsBy::CreationTime)
            .sort_order(SortOrder::Descending)
            .send()
            .await
            .map_err(self.service.failed("ListPipelineExecutions"))?;
        let found = answer.pipeline_execution_summaries().iter().find_map(|it| {
            let name = it.pipeline_execution_display_name()?;
            identity.is_of_deployment(name).then_some((it, name))
        });
        let Some((found, name)) = found else {
            return Ok(None);
        };
        let arn = found.pipeline_execution_arn();
        let arn = self.parsed("ListPipelineExecutions", arn)?;
        if name == identity.display_name() {
            return self.run(&arn).await;
        }
        Ok(Some(Run {
            status: status(found.pipeline_execution_status()),
            own: false,
            ..Run::started(arn)
        }))
    }

    /// How a run goes, and if it went wrong, why; none if there is no such run.
    pub async fn run(&self, execution: &ExecutionArn) -> Result<Option<Run>, Error> {
        let answer = match self.describe_execution(execution).await {
            Err(error) if error.is("ResourceNotFound") => return Ok(None),
            answer => answer?,
        };
        let mut run = Run {
            status: status(answer.pipeline_execution_status()),
            reason: answer.failure_reason().map(str::to_owned),
            ..Run::started(execution.clone())
        };
        if run.status.is_terminal() && run.status != ExecutionStatus::Succeeded {
            run.failed_steps = self.failed_steps(execution).await?;
        }
        Ok(Some(run))
    }

    /// Starts a run, or finds the one that was started with this token.
    pub async fn start(
        &self,
        pipeline: &PipelineArn,
        identity: &Identity,
        token: &str,
        parameters: &BTreeMap<String, String>,
        description: &str,
    ) -> Result<ExecutionArn, Error> {
        let parameters = parameters
            .iter()
            .map(|(name, value)| Parameter::builder().name(name).value(value).build());
        let answer = self
            .client
            .start_pipeline_execution()
            .pipeline_name(pipeline.as_str())
            .pipeline_execution_display_name(identity.display_name())
            .pipeline_execution_description(description)
            .set_pipeline_parameters(Some(parameters.collect()))
            .client_request_token(token)
            .send()
            .await
            .map_err(self.service.failed("StartPipelineExecution"))?;
        self.parsed("StartPipelineExecution", answer.pipeline_execution_arn())
    }

    /// Runs the steps again that did not succeed; asked once more by the same attempt, it does nothing.
    pub async fn retry(&self, execution: &ExecutionArn, identity: &Identity) -> Result<(), Error> {
        self.client
            .retry_pipeline_execution()
            .pipeline_execution_arn(execution.as_str())
            .client_request_token(identity.retry_token())
            .send()
            .await
            .map_err(self.service.failed("RetryPipelineExecution"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::hook::Request;
    use serde_json::{Value, json};

    use super::*;
    use crate::replay::{Replay, ok, refusal};

    const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";

    async fn sagemaker(replay: &Replay) -> SageMaker {
        SageMaker::new(&replay.config().await, "222222222222".parse().unwrap())
    }

    fn pipeline() -> PipelineArn {
        PIPELINE.parse().unwrap()
    }

    fn execution() -> ExecutionArn {
        format!("{PIPELINE}/execution/abc").parse().unwrap()
    }

    fn identity(attempt: &str) -> Identity {
        let text = r#"{"pipeline":"churn","owner":"test","execution":"e1"}"#;
        Identity::of(&Request::parse(text).unwrap(), &pipeline(), attempt)
    }

    #[tokio::test]
    async fn a_run_is_found_by_the_name_that_it_was_started_with() {
        let summary = |name: &str, id: &str| {
            json!({
                "PipelineExecutionArn": format!("{PIPELINE}/execution/{id}"),
                "PipelineExecutionDisplayName": name,
                "PipelineExecutionStatus": "Stopping",
            })
        };
        let page = |items: Vec<Value>| ok(&json!({ "PipelineExecutionSummaries": items }));
        let replay = Replay::of([
            ok(&json!({ "PipelineExecutionArn": execution() })),
            page(vec![
                summary("by-hand", "other"),
                summary(&identity("job2").display_name(), "abc"),
                summary(&identity("job1").display_name(), "old"),
            ]),
            page(vec![summary(&identity("job1").display_name(), "abc")]),
            ok(&json!({ "PipelineExecutionStatus": "Stopped", "FailureReason": "by hand" })),
            ok(&json!({ "PipelineExecutionSteps": [] })),
            page(vec![summary("by-hand", "other")]),
        ]);
        let sagemaker = sagemaker(&replay).await;
        let parameters = BTreeMap::from([("Rows".to_owned(), "7".to_owned())]);
        let identity = identity("job1");
        let started = sagemaker
            .start(&pipeline(), &identity, "token", &parameters, "Started")
            .await;
        assert_eq!(started.unwrap(), execution());
        let sent = replay.requests()[0].json();
        assert_eq!(
            sent["PipelineExecutionDisplayName"],
            identity.display_name()
        );
        assert_eq!(sent["ClientRequestToken"], "token");
        let expected = json!([{ "Name": "Rows", "Value": "7" }]);
        assert_eq!(sent["PipelineParameters"], expected);

        let found = sagemaker.find_run(&pipeline(), &identity).await.unwrap();
        let found = found.unwrap();
        assert_eq!(found.arn, execution());
        assert_eq!(found.status, ExecutionStatus::Stopping);
        assert!(!found.own, "another attempt started it");
        let own = sagemaker.find_run(&pipeline(), &identity).await.unwrap();
        let own = own.unwrap();
        assert!(own.own);
        assert_eq!(own.reason.as_deref(), Some("by hand"));
        let none = sagemaker.find_run(&pipeline(), &identity).await.unwrap();
        assert_eq!(none, None);
    }

    #[tokio::test]
    async fn only_a_run_that_went_wrong_is_asked_for_its_steps() {
        let described = |status: &str| {
            ok(&json!({ "PipelineExecutionStatus": status, "FailureReason": "Step failure" }))
        };
        let steps = json!({ "PipelineExecutionSteps": [
            { "StepName": "Prepare", "StepStatus": "Succeeded" },
            { "StepName": "Train", "StepStatus": "Failed", "FailureReason": "no data" },
        ]});
        let replay = Replay::of([
            described("Executing"),
            described("Succeeded"),
            described("Failed"),
            ok(&steps),
            refusal(400, "ResourceNotFound", "gone"),
            refusal(400, "AccessDeniedException", "no"),
        ]);
        let sagemaker = sagemaker(&replay).await;
        for _ in 0..2 {
            let run = sagemaker.run(&execution()).await.unwrap().unwrap();
            assert!(run.failed_steps.is_empty());
        }
        let failed = sagemaker.run(&execution()).await.unwrap().unwrap();
        assert_eq!(failed.status, ExecutionStatus::Failed);
        assert_eq!(failed.failed_steps.len(), 1);
        assert_eq!(failed.failed_steps[0].reason, Some("no data".into()));
        assert_eq!(sagemaker.run(&execution()).await.unwrap(), None);
        assert!(sagemaker.run(&execution()).await.is_err());
    }
}
