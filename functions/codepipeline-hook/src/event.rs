//! Reads what the function is invoked with: a job of `CodePipeline`, or a request in so many words.
//!
//! Nothing of a job is ever repeated, in a message or in the log, but what its
//! author wrote into the user parameters.

use domain::hook::{Failure, FailureKind, Progress, Request};
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
    /// What is asked for and how far it is, or why that makes no sense.
    pub(crate) asked: Result<(Request, Progress), Failure>,
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
        return read_job(job);
    }
    match payload.as_object() {
        Some(members) if members.get("action").is_some_and(|action| action == "hook") => {
            Ok(Event {
                caller: Caller::Direct,
                asked: read_direct(members, request_id),
            })
        }
        _ => Err(BadEvent::Unknown),
    }
}

fn read_job(job: &Value) -> Result<Event, BadEvent> {
    let id = job["id"].as_str().filter(|id| !id.is_empty());
    let id = id.ok_or(BadEvent::NoJobId)?;
    let data = &job["data"];
    let parameters = data["actionConfiguration"]["configuration"]["UserParameters"].as_str();
    let request = Request::parse(parameters.unwrap_or("{}")).map_err(Failure::from);
    let asked = request.and_then(|request| {
        let progress = progress(&data["continuationToken"], id)?;
        Ok((request, progress))
    });
    Ok(Event {
        caller: Caller::Job(id.to_owned()),
        asked,
    })
}

fn read_direct(
    members: &Map<String, Value>,
    request_id: &str,
) -> Result<(Request, Progress), Failure> {
    let mut members = members.clone();
    members.remove("action");
    let token = members.remove("continuationToken").unwrap_or_default();
    let request = Request::read("the request", &members)?;
    Ok((request, progress(&token, request_id)?))
}

/// How far the work is; it begins with whoever asks first.
fn progress(token: &Value, first: &str) -> Result<Progress, Failure> {
    let parsed = match token {
        Value::Null => Ok(Progress::new(first)),
        token => Progress::parse(token.as_str().unwrap_or_default()),
    };
    parsed.map_err(|error| Failure::new(FailureKind::ConfigurationError, error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(parameters: &Value, token: &Value) -> Value {
        json!({ "CodePipeline.job": { "id": "job", "data": {
            "actionConfiguration": { "configuration": { "UserParameters": parameters.to_string() } },
            "continuationToken": token,
        }}})
    }

    #[test]
    fn a_job_begins_or_goes_on_where_its_token_says() {
        let parameters = json!({ "pipeline": "churn", "owner": "test" });
        let (_, begun) = read(&job(&parameters, &Value::Null), "r")
            .unwrap()
            .asked
            .unwrap();
        assert_eq!(begun, Progress::new("job"));
        let token = json!(Progress::new("first").token());
        let event = read(&job(&parameters, &token), "r").unwrap();
        assert_eq!(event.caller, Caller::Job("job".to_owned()));
        assert_eq!(event.asked.unwrap().1.attempt, "first");
        let strange = read(&job(&parameters, &json!("strange")), "r").unwrap();
        assert_eq!(
            strange.asked.unwrap_err().kind,
            FailureKind::ConfigurationError
        );
    }

    #[test]
    fn a_job_without_user_parameters_is_told_what_it_lacks() {
        let event = read(&json!({ "CodePipeline.job": { "id": "job" } }), "r").unwrap();
        let failure = event.asked.unwrap_err();
        assert!(
            failure.message.contains("\"pipeline\": it is missing"),
            "{failure}"
        );
    }

    #[test]
    fn a_request_in_so_many_words_is_returned_to_its_caller() {
        let request = json!({ "action": "hook", "pipeline": "churn", "owner": "test" });
        let event = read(&request, "r").unwrap();
        assert_eq!(event.caller, Caller::Direct);
        assert_eq!(event.asked.unwrap().1, Progress::new("r"));
    }

    #[test]
    fn what_nobody_can_be_answered_for_is_refused_without_quoting_it() {
        let secret = json!({ "CodePipeline.job": { "id": 7, "data": "hush" } });
        assert_eq!(read(&secret, "r"), Err(BadEvent::NoJobId));
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
