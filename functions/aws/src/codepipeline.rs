//! CodePipeline: answering its jobs.

use aws_config::SdkConfig;
use aws_sdk_codepipeline::{
    Client,
    types::{ExecutionDetails, FailureDetails, FailureType},
};
use domain::{
    hook::{Failure, FailureKind},
    text::flat,
};

use crate::error::{Error, Service};

/// The longest message of a failure, in characters.
const MAX_MESSAGE: usize = 5_000;

/// The longest summary of an action, in characters.
const MAX_SUMMARY: usize = 2_048;

/// The answer to a job that is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Success {
    /// What people see of it.
    pub summary: String,
    /// The execution that the job was about.
    pub execution: Option<String>,
    /// The variables that later actions can use, by name.
    pub variables: Vec<(String, String)>,
}

/// What CodePipeline itself says about a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The user parameters of its action.
    pub parameters: Option<String>,
    /// The token that the job before it went on with.
    pub token: Option<String>,
}

/// What became of an answer to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobAck {
    /// CodePipeline took it, or the job is over and needs none.
    Yes,
    /// CodePipeline does not wait for it: it knows no such job.
    No,
}

/// Jobs of the function's own account.
#[derive(Debug, Clone)]
pub struct CodePipeline {
    client: Client,
    service: Service,
}

impl CodePipeline {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("codepipeline", None),
        }
    }

    /// What a job is about; none if CodePipeline knows no such job.
    ///
    /// Whoever may invoke the function can name a job, so what the job asks for
    /// is CodePipeline's to say. The credentials in its answer are not read.
    ///
    /// ASSUMED: the operation serves the jobs of Lambda actions. It is documented
    /// for custom actions, as are the operations that answer jobs.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        let answer = self
            .client
            .get_job_details()
            .job_id(id)
            .send()
            .await
            .map_err(self.service.failed("GetJobDetails"));
        let answer = match answer {
            Err(error) if error.is("JobNotFoundException") => return Ok(None),
            answer => answer?,
        };
        let data = answer.job_details().and_then(|details| details.data());
        let configuration = data
            .and_then(|data| data.action_configuration())
            .and_then(|action| action.configuration());
        let parameters = configuration.and_then(|texts| texts.get("UserParameters"));
        Ok(Some(Job {
            parameters: parameters.cloned(),
            token: data
                .and_then(|data| data.continuation_token())
                .map(str::to_owned),
        }))
    }

    /// Says that a job is done; saying it of a job that is over is no failure.
    pub async fn succeed(&self, job: &str, success: &Success) -> Result<JobAck, Error> {
        let variables = success.variables.iter().cloned().collect();
        let answer = self
            .client
            .put_job_success_result()
            .job_id(job)
            .execution_details(details(&success.summary, success.execution.clone()))
            .set_output_variables(Some(variables))
            .send()
            .await
            .map_err(self.service.failed("PutJobSuccessResult"));
        heard(answer.map(drop))
    }

    /// Says that a job goes on, so that the function is invoked again with this token.
    pub async fn go_on(
        &self,
        job: &str,
        token: &str,
        summary: &str,
        execution: Option<String>,
    ) -> Result<JobAck, Error> {
        let answer = self
            .client
            .put_job_success_result()
            .job_id(job)
            .continuation_token(token)
            .execution_details(details(summary, execution))
            .send()
            .await
            .map_err(self.service.failed("PutJobSuccessResult"));
        heard(answer.map(drop))
    }

    /// Says that a job has failed; saying it of a job that is over is no failure.
    pub async fn fail(
        &self,
        job: &str,
        failure: &Failure,
        execution: Option<String>,
    ) -> Result<JobAck, Error> {
        let details = FailureDetails::builder()
            .r#type(failure_type(failure.kind))
            .message(legal(&failure.message, MAX_MESSAGE))
            .set_external_execution_id(execution)
            .build()
            .map_err(|error| {
                self.service
                    .refused("PutJobFailureResult", None, error.to_string())
            })?;
        let answer = self
            .client
            .put_job_failure_result()
            .job_id(job)
            .failure_details(details)
            .send()
            .await
            .map_err(self.service.failed("PutJobFailureResult"));
        heard(answer.map(drop))
    }
}

/// A job is over when it was answered before, or when somebody stopped the pipeline.
///
/// ASSUMED: `InvalidJobStateException` is the error for it; its description speaks of a format.
fn heard(answer: Result<(), Error>) -> Result<JobAck, Error> {
    match answer {
        Ok(()) => Ok(JobAck::Yes),
        Err(error) if error.is("InvalidJobStateException") => {
            tracing::warn!("the job is over already: {error}");
            Ok(JobAck::Yes)
        }
        Err(error) if error.is("JobNotFoundException") => {
            tracing::warn!("nobody waits for the job: {error}");
            Ok(JobAck::No)
        }
        Err(error) => Err(error),
    }
}

fn details(summary: &str, execution: Option<String>) -> ExecutionDetails {
    ExecutionDetails::builder()
        .summary(legal(summary, MAX_SUMMARY))
        .set_external_execution_id(execution)
        .build()
}

fn failure_type(kind: FailureKind) -> FailureType {
    match kind {
        FailureKind::JobFailed => FailureType::JobFailed,
        FailureKind::ConfigurationError => FailureType::ConfigurationError,
        FailureKind::PermissionError => FailureType::PermissionError,
        FailureKind::SystemUnavailable => FailureType::SystemUnavailable,
    }
}

/// A text of one line that is neither empty nor longer than so many characters.
fn legal(text: &str, longest: usize) -> String {
    let line = flat(text, longest);
    if line.is_empty() {
        return "no reason given".to_owned();
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Class,
        replay::{Replay, ok, refusal},
    };

    const JOB: &str = "11111111-2222-3333-4444-555555555555";

    async fn codepipeline(replay: &Replay) -> CodePipeline {
        CodePipeline::new(&replay.config().await)
    }

    #[tokio::test]
    async fn what_a_job_asks_for_is_what_codepipeline_says() {
        let details = json!({ "jobDetails": { "id": JOB, "data": {
            "actionConfiguration": { "configuration": { "UserParameters": "{}" } },
            "artifactCredentials": { "accessKeyId": "a", "secretAccessKey": "hush", "sessionToken": "t" },
            "continuationToken": "go on",
        }}});
        let replay = Replay::of([ok(&details), refusal(400, "JobNotFoundException", "what?")]);
        let codepipeline = codepipeline(&replay).await;
        let job = codepipeline.job(JOB).await.unwrap();
        assert!(!format!("{job:?}").contains("hush"));
        let expected = Job {
            parameters: Some("{}".to_owned()),
            token: Some("go on".to_owned()),
        };
        assert_eq!(job, Some(expected));
        assert_eq!(codepipeline.job(JOB).await.unwrap(), None);
    }

    #[tokio::test]
    async fn success_has_variables_and_going_on_has_a_token_and_none() {
        let replay = Replay::of([ok(&json!({})), ok(&json!({}))]);
        let codepipeline = codepipeline(&replay).await;
        let success = Success {
            summary: "shared".to_owned(),
            execution: Some("arn".to_owned()),
            variables: vec![("pipelineArn".to_owned(), "arn:p".to_owned())],
        };
        codepipeline.succeed(JOB, &success).await.unwrap();
        codepipeline.go_on(JOB, "token", "", None).await.unwrap();
        let requests = replay.requests();
        assert_eq!(
            requests[0].json(),
            json!({
                "jobId": JOB,
                "executionDetails": { "summary": "shared", "externalExecutionId": "arn" },
                "outputVariables": { "pipelineArn": "arn:p" },
            })
        );
        assert_eq!(
            requests[1].json(),
            json!({
                "jobId": JOB, "continuationToken": "token",
                "executionDetails": { "summary": "no reason given" },
            })
        );
    }

    #[tokio::test]
    async fn a_job_that_is_over_needs_no_answer_and_any_other_refusal_is_a_failure() {
        let replay = Replay::of([
            refusal(400, "InvalidJobStateException", ""),
            refusal(400, "JobNotFoundException", ""),
            refusal(400, "AccessDeniedException", ""),
        ]);
        let codepipeline = codepipeline(&replay).await;
        let failure = Failure::new(FailureKind::PermissionError, "é".repeat(6_000));
        let over = codepipeline.fail(JOB, &failure, None).await;
        assert_eq!(over.unwrap(), JobAck::Yes);
        let unknown = codepipeline.go_on(JOB, "token", "…", None).await;
        assert_eq!(unknown.unwrap(), JobAck::No);
        let refused = codepipeline.fail(JOB, &failure, None).await.unwrap_err();
        assert_eq!(refused.class(), Class::Permanent);
        let sent = replay.requests()[0].json();
        assert_eq!(sent["failureDetails"]["type"], "PermissionError");
        let message = sent["failureDetails"]["message"].as_str().unwrap();
        assert_eq!(message.chars().count(), MAX_MESSAGE);
        assert!(message.ends_with("é…"));
    }
}
