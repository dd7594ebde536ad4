//! Running the pipelines of an account.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::Parameter;
use domain::{
    execution::Details,
    hook::{PipelineRef, Started},
    id::{ExecutionArn, PipelineArn},
    sharing::Pipeline,
    status::ExecutionStatus,
};

use super::{PAGE, SageMaker, details, timestamp};
use crate::error::Error;

/// A run that is to be started.
#[derive(Debug, Clone, Copy)]
pub struct Start<'s> {
    /// The pipeline.
    pub pipeline: &'s PipelineArn,
    /// The name of the run, for people.
    pub display_name: &'s str,
    /// What people read about it.
    pub description: &'s str,
    /// The parameters.
    pub parameters: &'s BTreeMap<String, String>,
    /// The version of the pipeline; the newest if absent.
    pub version: Option<i64>,
    /// The client request token, which nobody else has.
    pub token: &'s str,
}

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
            last_run: None,
        })
    }

    /// How a run goes, and if it went wrong, why; none if there is no such run.
    pub async fn run(&self, execution: &ExecutionArn) -> Result<Option<Details>, Error> {
        let answer = match self.describe_execution(execution).await {
            Err(error) if error.is("ResourceNotFound") => return Ok(None),
            answer => answer?,
        };
        let mut run = details(&answer);
        if run.status.is_terminal() && run.status != ExecutionStatus::Succeeded {
            run.failed_steps = self.failed_steps(execution).await?;
        }
        Ok(Some(run))
    }

    /// Starts a run, or returns the one that was started with this token.
    ///
    /// ASSUMED: with the same token and the same request, SageMaker returns the
    /// same execution for hours; how long is not documented, only that an
    /// operation completes no more than once.
    pub async fn start(&self, start: &Start<'_>) -> Result<ExecutionArn, Error> {
        let parameters = start
            .parameters
            .iter()
            .map(|(name, value)| Parameter::builder().name(name).value(value).build());
        let answer = self
            .client
            .start_pipeline_execution()
            .pipeline_name(start.pipeline.as_str())
            .pipeline_execution_display_name(start.display_name)
            .pipeline_execution_description(start.description)
            .set_pipeline_parameters(Some(parameters.collect()))
            .set_pipeline_version_id(start.version)
            .client_request_token(start.token)
            .send()
            .await
            .map_err(self.service.failed("StartPipelineExecution"))?;
        self.parsed("StartPipelineExecution", answer.pipeline_execution_arn())
    }

    /// What SageMaker says that a run was started with; none if there is no such run (yet).
    pub async fn started(&self, execution: &ExecutionArn) -> Result<Option<Started>, Error> {
        let asked = futures::try_join!(
            self.describe_execution(execution),
            self.parameters(execution)
        );
        let (answer, parameters) = match asked {
            Err(error) if error.is("ResourceNotFound") => return Ok(None),
            asked => asked?,
        };
        let pipeline = answer.pipeline_arn().and_then(|arn| arn.parse().ok());
        Ok(Some(Started {
            pipeline,
            created: answer.creation_time().and_then(timestamp),
            version: answer.pipeline_version_id(),
            parameters,
        }))
    }

    async fn parameters(
        &self,
        execution: &ExecutionArn,
    ) -> Result<BTreeMap<String, String>, Error> {
        let asking = self
            .client
            .list_pipeline_parameters_for_execution()
            .pipeline_execution_arn(execution.as_str())
            .max_results(PAGE);
        let mut parameters = asking.into_paginator().items().send();
        let mut found = BTreeMap::new();
        while let Some(parameter) = parameters.next().await {
            let failed = self.service.failed("ListPipelineParametersForExecution");
            let parameter = parameter.map_err(failed)?;
            let name = parameter.name().unwrap_or_default().to_owned();
            found.insert(name, parameter.value().unwrap_or_default().to_owned());
        }
        Ok(found)
    }

    /// Runs the steps again that did not succeed; with the same token once more, it does nothing.
    ///
    /// ASSUMED: a retry keeps the parameters and the definition of its run; the
    /// request takes neither, and nothing more is said of them.
    pub async fn retry(&self, execution: &ExecutionArn, token: &str) -> Result<(), Error> {
        self.client
            .retry_pipeline_execution()
            .pipeline_execution_arn(execution.as_str())
            .client_request_token(token)
            .send()
            .await
            .map_err(self.service.failed("RetryPipelineExecution"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replay::{Replay, ok, refusal};

    const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";

    async fn sagemaker(replay: &Replay) -> SageMaker {
        SageMaker::new(
            aws_sdk_sagemaker::Client::new(&replay.config().await),
            "222222222222".parse().unwrap(),
        )
    }

    fn pipeline() -> PipelineArn {
        PIPELINE.parse().unwrap()
    }

    fn execution() -> ExecutionArn {
        format!("{PIPELINE}/execution/abc").parse().unwrap()
    }

    #[tokio::test]
    async fn a_run_is_started_as_it_is_asked_for_and_says_what_it_was_started_with() {
        let started = json!({
            "PipelineArn": PIPELINE, "PipelineExecutionArn": execution(),
            "PipelineExecutionStatus": "Executing", "PipelineVersionId": 3,
            "CreationTime": 1_767_603_600.5,
        });
        let rows = json!({ "PipelineParameters": [{ "Name": "Rows", "Value": "7" }] });
        let replay = Replay::of([
            ok(&json!({ "PipelineExecutionArn": execution() })),
            ok(&started),
            ok(&rows),
            refusal(400, "ResourceNotFound", "gone"),
            ok(&rows),
        ]);
        let sagemaker = sagemaker(&replay).await;
        let parameters = BTreeMap::from([("Rows".to_owned(), "7".to_owned())]);
        let start = Start {
            pipeline: &pipeline(),
            display_name: "pipeshare-e1",
            description: "Started",
            parameters: &parameters,
            version: Some(3),
            token: "token",
        };
        assert_eq!(sagemaker.start(&start).await.unwrap(), execution());
        let sent = replay.requests()[0].json();
        assert_eq!(sent["PipelineExecutionDisplayName"], "pipeshare-e1");
        assert_eq!(sent["ClientRequestToken"], "token");
        assert_eq!(sent["PipelineVersionId"], 3);
        let expected = json!([{ "Name": "Rows", "Value": "7" }]);
        assert_eq!(sent["PipelineParameters"], expected);

        let found = sagemaker.started(&execution()).await.unwrap().unwrap();
        assert_eq!(found.pipeline, Some(pipeline()));
        assert_eq!(found.version, Some(3));
        assert_eq!(found.parameters, parameters);
        assert_eq!(found.created.unwrap().as_millisecond(), 1_767_603_600_500);
        assert_eq!(sagemaker.started(&execution()).await.unwrap(), None);
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
