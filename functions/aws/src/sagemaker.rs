//! SageMaker Pipelines: what there is and how its executions went.

mod runs;

use std::str::FromStr;

use aws_sdk_sagemaker::{
    Client,
    operation::{
        describe_pipeline_execution::DescribePipelineExecutionOutput,
        list_pipeline_executions::builders::ListPipelineExecutionsFluentBuilder,
        list_pipelines::builders::ListPipelinesFluentBuilder,
    },
    types::{
        Filter, IamIdentity, Operator, PipelineExecution, PipelineExecutionStep, PipelineSummary,
        ResourceType, SearchExpression, SearchSortOrder, SortOrder, SortPipelineExecutionsBy,
        StepStatus, UserContext,
    },
};
use domain::{
    execution::{Details, Execution, ExecutionChange, FailedStep, Parameter, differing},
    id::{ExecutionArn, InvalidId, PipelineArn, PipelineOwner},
    sharing::Pipeline,
    status::ExecutionStatus,
    text::Untrusted,
    time::before,
};
use jiff::{SignedDuration, Timestamp};

pub use runs::Start;

use crate::{
    clients::Session,
    error::{Error, Service},
    time::{date_time, timestamp},
};

/// The largest page that SageMaker's lists have.
const PAGE: i32 = 100;

/// Whether a pipeline has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// An execution has.
    Yes,
    /// None has, and some may yet, since they have not ended.
    NotYet,
    /// None has, and all have ended.
    No,
}

/// Pipelines, seen from one account.
#[derive(Debug, Clone)]
pub struct SageMaker {
    client: Client,
    service: Service,
}

impl SageMaker {
    pub(crate) fn new(client: Client, session: Session) -> Self {
        Self {
            client,
            service: Service::new("sagemaker", Some(session)),
        }
    }

    /// All pipelines that are the account's own.
    ///
    /// `SageMaker` lists those that AWS manages only if it is asked to: so says
    /// its service model of `ManagedBy`, a member that the SDK does not have yet,
    /// while its guide can be read in another way. They are nobody's to share,
    /// and left out in silence.
    ///
    /// One that cannot be read must not hide the others; it cannot have been shared either.
    pub async fn pipelines(&self) -> Result<Vec<Pipeline>, Error> {
        self.listed(self.client.list_pipelines()).await
    }

    /// The pipelines that were created at this time or later.
    pub async fn pipelines_since(&self, time: Timestamp) -> Result<Vec<Pipeline>, Error> {
        // Whether the bound itself is included is not documented.
        let before = time.checked_sub(SignedDuration::from_secs(1));
        let before = date_time(before.unwrap_or(time));
        let request = self.client.list_pipelines().created_after(before);
        let mut pipelines = self.listed(request).await?;
        pipelines.retain(|pipeline| pipeline.created >= time);
        Ok(pipelines)
    }

    async fn listed(&self, request: ListPipelinesFluentBuilder) -> Result<Vec<Pipeline>, Error> {
        let mut items = request
            .max_results(PAGE)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        let mut pipelines = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(self.service.failed("ListPipelines"))?;
            if is_managed_by_aws(&item) {
                continue;
            }
            match self.pipeline(&item) {
                Ok(pipeline) => pipelines.push(pipeline),
                Err(reason) => tracing::warn!("a pipeline is left out: {reason}"),
            }
        }
        Ok(pipelines)
    }

    fn pipeline(&self, summary: &PipelineSummary) -> Result<Pipeline, Error> {
        let created = summary.creation_time().and_then(timestamp);
        Ok(Pipeline {
            arn: self.parsed("ListPipelines", summary.pipeline_arn())?,
            created: self.known("ListPipelines", created)?,
            last_run: summary.last_execution_time().and_then(timestamp),
        })
    }

    /// Describes a pipeline, also one of another account.
    ///
    /// For an account that the pipeline is shared with, an answer is the proof
    /// of access.
    pub async fn describe(&self, pipeline: &PipelineArn) -> Result<(), Error> {
        self.client
            .describe_pipeline()
            .pipeline_name(pipeline.as_str())
            .send()
            .await
            .map_err(self.service.failed("DescribePipeline"))?;
        Ok(())
    }

    /// Whether an execution that was created since then has succeeded.
    ///
    /// Reads from the newest back and stops at the first success.
    pub async fn success(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
    ) -> Result<Success, Error> {
        let mut success = Success::No;
        let mut items = self
            .executions_since(pipeline, since)
            .max_results(PAGE)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item.map_err(self.service.failed("ListPipelineExecutions"))?;
            let started = item.start_time().and_then(timestamp);
            let is_of_namesake = started.is_some_and(|started| started < since);
            let status = status(item.pipeline_execution_status());
            if status == ExecutionStatus::Succeeded && !is_of_namesake {
                return Ok(Success::Yes);
            }
            if !status.is_terminal() {
                success = Success::NotYet;
            }
        }
        Ok(success)
    }

    /// The newest executions of a pipeline that were created since then, newest first,
    /// and no more than `most` of them.
    pub async fn newest_executions(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
        most: u8,
    ) -> Result<Vec<Execution>, Error> {
        let answer = self
            .executions_since(pipeline, since)
            .max_results(i32::from(most))
            .send()
            .await
            .map_err(self.service.failed("ListPipelineExecutions"))?;
        let of_this = answer.pipeline_execution_summaries().iter();
        let executions = of_this.map(|summary| {
            let name = summary.pipeline_execution_display_name();
            Ok(Execution {
                arn: self.parsed("ListPipelineExecutions", summary.pipeline_execution_arn())?,
                pipeline: pipeline.clone(),
                status: status(summary.pipeline_execution_status()),
                display_name: name.map(Untrusted::from),
                started: summary.start_time().and_then(timestamp),
            })
        });
        let executions: Result<Vec<_>, Error> = executions.collect();
        let mut executions = executions?;
        executions.retain(|it| it.started.is_none_or(|started| started >= since));
        Ok(executions)
    }

    fn executions_since(
        &self,
        pipeline: &PipelineArn,
        since: Timestamp,
    ) -> ListPipelineExecutionsFluentBuilder {
        self.client
            .list_pipeline_executions()
            .pipeline_name(pipeline.as_str())
            // Whether the bound itself is included is not documented.
            .created_after(date_time(before(since, SignedDuration::from_secs(1))))
            .sort_by(SortPipelineExecutionsBy::CreationTime)
            .sort_order(SortOrder::Descending)
    }

    /// How an execution goes, without its steps.
    pub async fn described(&self, execution: &ExecutionArn) -> Result<Details, Error> {
        let answer = self.describe_execution(execution).await?;
        Ok(details(&answer))
    }

    /// Asks about an execution as it is now, whatever an event said.
    pub async fn details(&self, execution: &ExecutionArn) -> Result<Details, Error> {
        let asked = futures::try_join!(self.describe_execution(execution), self.steps(execution));
        let (answer, steps) = asked?;
        Ok(Details {
            last_step: last_end(&steps),
            failed_steps: failed(&steps),
            ..details(&answer)
        })
    }

    /// The parameters of an execution that are not what its definition says by default.
    pub async fn differing_parameters(
        &self,
        execution: &ExecutionArn,
    ) -> Result<Vec<Parameter>, Error> {
        let definition = self
            .client
            .describe_pipeline_definition_for_execution()
            .pipeline_execution_arn(execution.as_str())
            .send();
        let parameters = self
            .client
            .list_pipeline_parameters_for_execution()
            .pipeline_execution_arn(execution.as_str())
            .max_results(PAGE)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        let (definition, parameters) = futures::join!(definition, parameters);
        let definition = definition.map_err(
            self.service
                .failed("DescribePipelineDefinitionForExecution"),
        )?;
        let parameters =
            parameters.map_err(self.service.failed("ListPipelineParametersForExecution"))?;
        let of_run = parameters
            .iter()
            .filter_map(|it| Some((it.name()?, it.value()?)));
        let definition = definition.pipeline_definition().unwrap_or_default();
        Ok(differing(definition, of_run))
    }

    async fn describe_execution(
        &self,
        execution: &ExecutionArn,
    ) -> Result<DescribePipelineExecutionOutput, Error> {
        self.client
            .describe_pipeline_execution()
            .pipeline_execution_arn(execution.as_str())
            .send()
            .await
            .map_err(self.service.failed("DescribePipelineExecution"))
    }

    /// The steps that failed, in the order that they started.
    async fn failed_steps(&self, execution: &ExecutionArn) -> Result<Vec<FailedStep>, Error> {
        Ok(failed(&self.steps(execution).await?))
    }

    /// When the last step of an execution ended; none if none has.
    pub async fn last_step_end(
        &self,
        execution: &ExecutionArn,
    ) -> Result<Option<Timestamp>, Error> {
        Ok(last_end(&self.steps(execution).await?))
    }

    async fn steps(&self, execution: &ExecutionArn) -> Result<Vec<PipelineExecutionStep>, Error> {
        let mut items = self
            .client
            .list_pipeline_execution_steps()
            .pipeline_execution_arn(execution.as_str())
            .max_results(PAGE)
            .sort_order(SortOrder::Ascending)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        let mut steps = Vec::new();
        while let Some(step) = items.next().await {
            steps.push(step.map_err(self.service.failed("ListPipelineExecutionSteps"))?);
        }
        Ok(steps)
    }

    /// The executions of all pipelines of the account that changed after a time, oldest change first.
    ///
    /// Only the search finds an old execution that was retried: lists filter by
    /// the time of creation alone.
    ///
    /// No more than `most` are read; the second part of the answer is whether these are all.
    pub async fn executions_changed_since(
        &self,
        time: Timestamp,
        most: usize,
    ) -> Result<(Vec<ExecutionChange>, bool), Error> {
        let changed = Filter::builder()
            .name("LastModifiedTime")
            .operator(Operator::GreaterThan)
            .value(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .build();
        let mut items = self
            .client
            .search()
            .resource(ResourceType::PipelineExecution)
            .max_results(PAGE)
            .search_expression(SearchExpression::builder().filters(changed).build())
            .sort_by("LastModifiedTime")
            .sort_order(SearchSortOrder::Ascending)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .items()
            .send();
        let mut executions = Vec::new();
        while let Some(record) = items.next().await {
            let record = record.map_err(self.service.failed("Search"))?;
            if executions.len() == most {
                return Ok((executions, false));
            }
            match record.pipeline_execution().map(|found| self.changed(found)) {
                Some(Ok(execution)) => executions.push(execution),
                Some(Err(reason)) => tracing::warn!("an execution is left out: {reason}"),
                None => {}
            }
        }
        Ok((executions, true))
    }

    fn changed(&self, found: &PipelineExecution) -> Result<ExecutionChange, Error> {
        let modified = found.last_modified_time().and_then(timestamp);
        let execution = Execution {
            arn: self.parsed("Search", found.pipeline_execution_arn())?,
            pipeline: self.parsed("Search", found.pipeline_arn())?,
            status: status(found.pipeline_execution_status()),
            display_name: found.pipeline_execution_display_name().map(Untrusted::from),
            started: found.creation_time().and_then(timestamp),
        };
        let modified = self.known("Search", modified)?;
        Ok(ExecutionChange::found(execution, modified))
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

    fn known(&self, operation: &'static str, time: Option<Timestamp>) -> Result<Timestamp, Error> {
        time.ok_or_else(|| self.service.odd_answer(operation, "a time that is missing"))
    }
}

fn is_managed_by_aws(pipeline: &PipelineSummary) -> bool {
    let arn = pipeline.pipeline_arn().map(str::parse::<PipelineArn>);
    arn.is_some_and(|arn| arn.is_ok_and(|arn| *arn.owner() == PipelineOwner::Aws))
}

fn status(status: Option<&aws_sdk_sagemaker::types::PipelineExecutionStatus>) -> ExecutionStatus {
    status.map_or("", |status| status.as_str()).into()
}

/// What the description of an execution says; its steps are another question.
fn details(answer: &DescribePipelineExecutionOutput) -> Details {
    let display_name = answer.pipeline_execution_display_name();
    Details {
        display_name: display_name.map(Untrusted::from),
        started: answer.creation_time().and_then(timestamp),
        modified: answer.last_modified_time().and_then(timestamp),
        pipeline_version: answer.pipeline_version_id(),
        started_by: answer.created_by().and_then(who),
        changed_by: answer.last_modified_by().and_then(who),
        failure_reason: answer.failure_reason().map(Untrusted::from),
        ..Details::of(status(answer.pipeline_execution_status()))
    }
}

/// Somebody, by the profile of Studio that people know, or else by the ARN of the identity.
fn who(context: &UserContext) -> Option<Untrusted> {
    let identity = context.iam_identity().and_then(IamIdentity::arn);
    let name = context.user_profile_name().or(identity);
    name.map(Untrusted::from)
}

fn failed(steps: &[PipelineExecutionStep]) -> Vec<FailedStep> {
    let failed = |step: &&PipelineExecutionStep| step.step_status() == Some(&StepStatus::Failed);
    steps.iter().filter(failed).map(failed_step).collect()
}

fn last_end(steps: &[PipelineExecutionStep]) -> Option<Timestamp> {
    let ends = steps.iter().filter_map(PipelineExecutionStep::end_time);
    ends.filter_map(timestamp).max()
}

fn failed_step(step: &PipelineExecutionStep) -> FailedStep {
    FailedStep {
        name: step.step_name().unwrap_or_default().into(),
        reason: step.failure_reason().map(Untrusted::from),
    }
}

#[cfg(test)]
mod tests;
