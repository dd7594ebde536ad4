//! What identifies pipelines and executions.

use crate::{
    services::key::ResourceKey,
    world::{ApiError, Call},
};

/// Where a pipeline is and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct PipelineId {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}

impl PipelineId {
    /// The pipeline of this name in the caller's own account and Region.
    pub(super) fn own(call: &Call, name: &str) -> Self {
        Self {
            account: call.caller.account.clone(),
            region: call.region.clone(),
            name: name.to_owned(),
        }
    }

    /// The pipeline that an ARN means; none if the ARN is not one of a pipeline.
    pub(super) fn parse(arn: &str) -> Option<Self> {
        let (scope, name) = arn.split_once(":pipeline/")?;
        let mut parts = scope.split(':');
        let ("arn", "aws", "sagemaker") = (parts.next()?, parts.next()?, parts.next()?) else {
            return None;
        };
        let (region, account) = (parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && !name.is_empty() && !name.contains('/');
        whole.then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The ARN, with the name in the case in which it was asked for.
    pub(super) fn arn(&self) -> String {
        let Self {
            account,
            region,
            name,
        } = self;
        format!("arn:aws:sagemaker:{region}:{account}:pipeline/{name}")
    }

    /// The identity under which the pipeline is kept.
    ///
    /// ASSUMED: names that differ only in case are one pipeline, since older
    /// ARNs carry the name in lower case.
    pub(super) fn key(&self) -> ResourceKey {
        ResourceKey::new(&self.account, &self.region, &self.name.to_ascii_lowercase())
    }

    /// The answer if this pipeline is not there.
    ///
    /// ASSUMED: the wording.
    pub(super) fn not_found(&self) -> ApiError {
        let message = format!("Pipeline '{}' does not exist.", self.arn());
        ApiError::new("ResourceNotFound", message)
    }
}

/// A pipeline and the last part of the ARN of one of its executions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct ExecutionId {
    pub(super) pipeline: PipelineId,
    pub(super) id: String,
}

impl ExecutionId {
    /// The execution that an ARN means; none if the ARN is not one of an execution.
    pub(super) fn parse(arn: &str) -> Option<Self> {
        let (pipeline, id) = arn.split_once("/execution/")?;
        let pipeline = PipelineId::parse(pipeline)?;
        let whole = !id.is_empty() && !id.contains('/');
        whole.then(|| Self {
            pipeline,
            id: id.to_owned(),
        })
    }

    /// The answer if this execution is not there.
    ///
    /// ASSUMED: the wording.
    pub(super) fn not_found(&self) -> ApiError {
        let pipeline = self.pipeline.arn();
        let message = format!(
            "Pipeline execution '{pipeline}/execution/{}' does not exist.",
            self.id
        );
        ApiError::new("ResourceNotFound", message)
    }
}
