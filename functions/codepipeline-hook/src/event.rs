//! Reads what the function is invoked with: a job of `CodePipeline`, or a direct request.
//!
//! Nothing of a job is ever repeated, in a message or in the log, but what its
//! author wrote into the user parameters.

use aws::codepipeline::Job;
use domain::hook::{Failure, Request, Token, ValidationErrors};
use serde_json::{Map, Value};

/// Who waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// `CodePipeline`, for a job of this id.
    Job(String),
    /// Whoever invoked the function, for its result.
    Direct,
}

/// One invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) caller: Caller,
    /// What is asked for, or why that makes no sense.
    pub(crate) request: Result<Request, ValidationErrors>,
    /// Which attempt it is.
    pub(crate) token: Result<Token, Failure>,
}

/// A payload that nobody can be answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEvent {
    /// It has the member of a job, but not its id.
    #[error("CodePipeline.job has no id, so it cannot be answered")]
    NoJobId,
    /// It is nothing that the function knows.
    #[error("the payload is neither a job of CodePipeline nor {{\"action\": \"hook\", …}}")]
    Unknown,
}

/// Reads a payload.
pub(crate) fn read(payload: &Value, request_id: &str) -> Result<Event, BadEvent> {
    if let Some(job) = payload.get("CodePipeline.job") {
        let id = job["id"].as_str().filter(|id| is_job_id(id));
        let id = id.ok_or(BadEvent::NoJobId)?;
        let data = &job["data"];
        let parameters = data["actionConfiguration"]["configuration"]["UserParameters"].as_str();
        return Ok(Event::of_job(id, parameters, &data["continuationToken"]));
    }
    match payload.as_object() {
        Some(members) if members.get("action").is_some_and(|action| action == "hook") => {
            Ok(Event::direct(members, request_id))
        }
        _ => Err(BadEvent::Unknown),
    }
}

impl Event {
    /// What `CodePipeline` itself says about a job that somebody has named.
    pub(crate) fn known(id: &str, job: Job) -> Self {
        let token = job.token.map_or(Value::Null, Value::from);
        Self::of_job(id, job.parameters.as_deref(), &token)
    }

    fn of_job(id: &str, parameters: Option<&str>, token: &Value) -> Self {
        Self {
            caller: Caller::Job(id.to_owned()),
            request: Request::parse(parameters.unwrap_or("{}")),
            token: read_token(token, id),
        }
    }

    fn direct(members: &Map<String, Value>, request_id: &str) -> Self {
        let mut members = members.clone();
        members.remove("action");
        let token = members.remove("continuationToken").unwrap_or_default();
        Self {
            caller: Caller::Direct,
            request: Request::read("the request", &members),
            token: read_token(&token, request_id),
        }
    }
}

/// Whether `CodePipeline` gives ids of this form.
fn is_job_id(id: &str) -> bool {
    let is_hex = |part: &str| {
        let mut bytes = part.bytes();
        bytes.all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && id.split('-').all(is_hex)
}

/// Which attempt it is; one begins with whoever asks first.
fn read_token(token: &Value, first: &str) -> Result<Token, Failure> {
    let parsed = match token {
        Value::Null => Ok(Token::new(first)),
        token => Token::parse(token.as_str().unwrap_or_default()),
    };
    parsed.map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use domain::hook::FailureKind;
    use serde_json::json;

    use super::*;

    const JOB: &str = "11111111-2222-3333-4444-555555555555";

    fn job(parameters: &Value, token: &Value) -> Value {
        json!({ "CodePipeline.job": { "id": JOB, "data": {
            "actionConfiguration": { "configuration": { "UserParameters": parameters.to_string() } },
            "continuationToken": token,
        }}})
    }

    #[test]
    fn a_job_begins_or_goes_on_where_its_token_says() {
        let parameters = json!({ "pipeline": "churn", "owner": "test" });
        let begun = read(&job(&parameters, &Value::Null), "r").unwrap();
        assert_eq!(begun.token, Ok(Token::new(JOB)));
        let token = json!(Token::new("first").text());
        let event = read(&job(&parameters, &token), "r").unwrap();
        assert_eq!(event.caller, Caller::Job(JOB.to_owned()));
        assert_eq!(event.token.unwrap().attempt, "first");
        let strange = read(&job(&parameters, &json!("strange")), "r").unwrap();
        assert_eq!(
            strange.token.unwrap_err().kind,
            FailureKind::ConfigurationError
        );
    }

    #[test]
    fn a_job_without_user_parameters_is_told_what_it_lacks() {
        let event = read(&json!({ "CodePipeline.job": { "id": JOB } }), "r").unwrap();
        let mistakes = event.request.unwrap_err().to_string();
        assert!(
            mistakes.contains("\"pipeline\": it is missing"),
            "{mistakes}"
        );
    }

    #[test]
    fn a_request_in_so_many_words_is_returned_to_its_caller() {
        let request = json!({ "action": "hook", "pipeline": "churn", "owner": "test" });
        let event = read(&request, "r").unwrap();
        assert_eq!(event.caller, Caller::Direct);
        assert!(event.request.is_ok());
        assert_eq!(event.token, Ok(Token::new("r")));
    }

    #[test]
    fn what_codepipeline_says_of_a_job_counts_and_not_what_the_payload_says() {
        let known = Job {
            parameters: Some(json!({ "pipeline": "churn", "owner": "test" }).to_string()),
            token: Some(Token::new("first").text()),
        };
        let event = Event::known(JOB, known);
        assert_eq!(event.caller, Caller::Job(JOB.to_owned()));
        assert!(event.request.is_ok());
        assert_eq!(event.token.unwrap().attempt, "first");
    }

    #[test]
    fn what_nobody_can_be_answered_for_is_refused_without_quoting_it() {
        for id in [
            json!(7),
            json!(""),
            json!("job"),
            json!(JOB.replace('1', "G")),
        ] {
            let secret = json!({ "CodePipeline.job": { "id": id, "data": "hush" } });
            assert_eq!(read(&secret, "r"), Err(BadEvent::NoJobId), "{id}");
        }
        for other in [
            json!(null),
            json!([]),
            json!({ "action": "share" }),
            json!("hush"),
        ] {
            assert_eq!(read(&other, "r"), Err(BadEvent::Unknown));
        }
    }
}
