//! SageMaker Pipelines: what there is and how its executions went.

use std::str::FromStr;

use aws_config::SdkConfig;
use aws_sdk_sagemaker::{
    Client,
    types::{
        PipelineExecutionStep, PipelineExecutionSummary, PipelineSummary, SortOrder,
        SortPipelineExecutionsBy, StepStatus,
    },
};
use domain::{
    id::{AccountId, ExecutionArn, InvalidId, PipelineArn},
    status::ExecutionStatus,
};
use jiff::Timestamp;

use crate::{
    error::{Error, Service},
    time::{date_time, timestamp},
};

/// A pipeline, as far as sharing it depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The ARN, which a pipeline that is deleted and made again has again.
    pub arn: PipelineArn,
    /// The name in the case that it was created with.
    pub name: String,
    /// When it was created; tells a pipeline from its namesake before it.
    pub created: Timestamp,
    /// When it last ran; none for one that never did.
    pub last_run: Option<Timestamp>,
}

/// One line of the list of a pipeline's executions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// The execution.
    pub arn: ExecutionArn,
    /// How it goes.
    pub status: ExecutionStatus,
    /// When it was started; a retry does not change it.
    pub started: Option<Timestamp>,
}

/// One execution, as SageMaker describes it when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The execution.
    pub arn: ExecutionArn,
    /// How it goes.
    pub status: ExecutionStatus,
    /// The name that its starter gave it.
    pub display_name: Option<String>,
    /// Why it failed; absent for some failures of steps.
    pub failure_reason: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it last changed; for one that has ended, when it ended.
    pub last_modified: Option<Timestamp>,
    /// The user profile that started it, if a person in Studio did.
    pub created_by: Option<String>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStep {
    /// The name in the pipeline's definition.
    pub name: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Pipelines, seen from one account.
#[derive(Debug, Clone)]
pub struct SageMaker {
    client: Client,
    service: Service,
}

impl SageMaker {
    pub(crate) fn new(config: &SdkConfig, account: AccountId) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("sagemaker", Some(account)),
        }
    }

    /// All pipelines that the account lists, those that AWS manages included.
    pub async fn pipelines(&self) -> Result<Vec<Pipeline>, Error> {
        let mut items = self
            .client
            .list_pipelines()
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        let mut pipelines = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(self.service.failed("ListPipelines"))?;
            pipelines.push(self.pipeline(&item)?);
        }
        Ok(pipelines)
    }

    fn pipeline(&self, summary: &PipelineSummary) -> Result<Pipeline, Error> {
        let created = summary.creation_time().and_then(timestamp);
        Ok(Pipeline {
            arn: self.parsed("ListPipelines", summary.pipeline_arn())?,
            name: summary.pipeline_name().unwrap_or_default().to_owned(),
            created: self.known("ListPipelines", created)?,
            last_run: summary.last_execution_time().and_then(timestamp),
        })
    }

    /// Describes a pipeline, also one of another account.
    ///
    /// For an account that the pipeline is shared with, an answer is the proof
    /// of access.
    pub async fn describe(&self, pipeline: &PipelineArn) -> Result<Pipeline, Error> {
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
            name: answer.pipeline_name().unwrap_or_default().to_owned(),
            created: self.known("DescribePipeline", created)?,
            last_run: answer.last_run_time().and_then(timestamp),
        })
    }

    /// Whether an execution that started since then has succeeded.
    ///
    /// Reads from the newest back and stops at the first success.
    pub async fn has_succeeded_execution(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
    ) -> Result<bool, Error> {
        let succeeded = |execution: &ExecutionSummary| {
            (execution.status == ExecutionStatus::Succeeded).then_some(())
        };
        let found = self.find_execution(pipeline, since, succeeded).await?;
        Ok(found.is_some())
    }

    /// The executions that were created since then, newest first.
    pub async fn executions_since(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
    ) -> Result<Vec<ExecutionSummary>, Error> {
        let mut executions = Vec::new();
        let collect = |execution: &ExecutionSummary| {
            executions.push(execution.clone());
            None::<()>
        };
        self.find_execution(pipeline, since, collect).await?;
        Ok(executions)
    }

    /// Walks through executions, newest first, until `pick` picks something.
    async fn find_execution<T>(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
        mut pick: impl FnMut(&ExecutionSummary) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut items = self
            .client
            .list_pipeline_executions()
            .pipeline_name(pipeline.as_str())
            .created_after(date_time(since))
            .sort_by(SortPipelineExecutionsBy::CreationTime)
            .sort_order(SortOrder::Descending)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(self.service.failed("ListPipelineExecutions"))?;
            if let Some(picked) = pick(&self.summary(&item)?) {
                return Ok(Some(picked));
            }
        }
        Ok(None)
    }

    fn summary(&self, summary: &PipelineExecutionSummary) -> Result<ExecutionSummary, Error> {
        let arn = summary.pipeline_execution_arn();
        Ok(ExecutionSummary {
            arn: self.parsed("ListPipelineExecutions", arn)?,
            status: summary
                .pipeline_execution_status()
                .map_or("", |status| status.as_str())
                .into(),
            started: summary.start_time().and_then(timestamp),
        })
    }

    /// Describes an execution as it is now, whatever an event said.
    pub async fn execution(&self, execution: &ExecutionArn) -> Result<Execution, Error> {
        let answer = self
            .client
            .describe_pipeline_execution()
            .pipeline_execution_arn(execution.as_str())
            .send()
            .await
            .map_err(self.service.failed("DescribePipelineExecution"))?;
        Ok(Execution {
            arn: execution.clone(),
            status: answer
                .pipeline_execution_status()
                .map_or("", |status| status.as_str())
                .into(),
            display_name: answer.pipeline_execution_display_name().map(str::to_owned),
            failure_reason: answer.failure_reason().map(str::to_owned),
            created: answer.creation_time().and_then(timestamp),
            last_modified: answer.last_modified_time().and_then(timestamp),
            created_by: answer
                .created_by()
                .and_then(|user| user.user_profile_name())
                .map(str::to_owned),
        })
    }

    /// The steps of an execution that failed, in the order that they started.
    pub async fn failed_steps(&self, execution: &ExecutionArn) -> Result<Vec<FailedStep>, Error> {
        let mut items = self
            .client
            .list_pipeline_execution_steps()
            .pipeline_execution_arn(execution.as_str())
            .sort_order(SortOrder::Ascending)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        let mut failed = Vec::new();
        while let Some(step) = items.next().await {
            let step = step.map_err(self.service.failed("ListPipelineExecutionSteps"))?;
            if step.step_status() == Some(&StepStatus::Failed) {
                failed.push(failed_step(&step));
            }
        }
        Ok(failed)
    }

    fn parsed<T: FromStr<Err = InvalidId>>(
        &self,
        operation: &'static str,
        text: Option<&str>,
    ) -> Result<T, Error> {
        text.unwrap_or_default().parse().map_err(|invalid| {
            self.service
                .odd_answer(operation, &format!("an odd value: {invalid}"))
        })
    }

    fn known(
        &self,
        operation: &'static str,
        created: Option<Timestamp>,
    ) -> Result<Timestamp, Error> {
        created.ok_or_else(|| self.service.odd_answer(operation, "no creation time"))
    }
}

fn failed_step(step: &PipelineExecutionStep) -> FailedStep {
    FailedStep {
        name: step.step_name().unwrap_or_default().to_owned(),
        reason: step.failure_reason().map(str::to_owned),
        ended: step.end_time().and_then(timestamp),
    }
}

#[cfg(test)]
mod tests;
