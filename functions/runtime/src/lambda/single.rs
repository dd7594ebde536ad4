//! The edge of a function that is invoked for one thing at a time.

use std::{fmt, time::Duration};

use futures::future::FutureExt;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use domain::text::flat;

use super::{StartError, log_summary};
use crate::{clock, metrics::Metrics, ports::Host};

/// The longest message of a failure, in characters.
const LONGEST_MESSAGE: usize = 5_000;

/// The member of a job of `CodePipeline` whose value are live credentials.
const CREDENTIALS: &str = "artifactCredentials";

/// What Lambda says about an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The id, the same when Lambda tries again.
    pub request_id: String,
    /// How long the function may take.
    pub time_left: Duration,
    /// The ARN that the function was invoked by, with its qualifier if there was one.
    pub function_arn: String,
}

/// What becomes of an invocation.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result, or why there is none.
    pub result: Result<Value, Failed>,
    /// What was found and done; logged.
    pub summary: Value,
}

/// An invocation that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What kind of failure it is, for machines.
    pub kind: String,
    /// What happened, for people.
    pub message: String,
}

/// What one Lambda function does with one payload.
pub trait Handler {
    /// Serves an invocation.
    fn serve(
        &self,
        payload: Value,
        invocation: &Invocation,
        metrics: &Metrics,
    ) -> impl Future<Output = Answer>;
}

/// Runs a function until Lambda ends the process.
pub async fn serve_each(host: &impl Host, handler: impl Handler) -> Result<(), StartError> {
    let handler = &handler;
    let serve = async |event: LambdaEvent<Payload>| invoke(host, handler, event).await;
    lambda_runtime::run(service_fn(serve)).await
}

async fn invoke(
    host: &impl Host,
    handler: &impl Handler,
    event: LambdaEvent<Payload>,
) -> Result<Value, Diagnostic> {
    let LambdaEvent { payload, context } = event;
    let metrics = Metrics::default();
    host.begin_invocation();
    let invocation = Invocation {
        time_left: clock::time_until(context.deadline()),
        request_id: context.request_id,
        function_arn: context.invoked_function_arn,
    };
    // Boxed, since what all calls to AWS in one function add up to is a
    // future too deep for the compiler.
    let serving = handler.serve(payload.0, &invocation, &metrics);
    let answer = serving.boxed_local().await;
    log_summary(&invocation.request_id, 1, &answer.summary);
    super::write(&metrics, host.function());
    answer.result.map_err(|failed| Diagnostic {
        error_type: format!("Pipeshare.{}", failed.kind),
        error_message: flat(&failed.message, LONGEST_MESSAGE),
    })
}

/// A payload of any shape, of which credentials are never read.
///
/// Whatever it is, it is taken: the runtime would log what it could not take.
struct Payload(Value);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PayloadVisitor).map(Self)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Payload(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == CREDENTIALS {
                members.next_value::<IgnoredAny>()?;
            } else {
                read.insert(name, members.next_value::<Payload>()?.0);
            }
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_is_read_as_it_is_but_for_credentials_wherever_they_are() {
        let text = r#"{"CodePipeline.job": {"id": "j", "data": {
            "artifactCredentials": {"secretAccessKey": "hush"}, "list": [1, -2, 2.5, true, null, "x",
            {"artifactCredentials": "hush"}]}}}"#;
        let Payload(read) = serde_json::from_str(text).unwrap();
        let list = json!([1, -2, 2.5, true, null, "x", {}]);
        let expected = json!({ "CodePipeline.job": { "id": "j", "data": { "list": list } } });
        assert_eq!(read, expected);
        let Payload(text) = serde_json::from_str("\"anything\"").unwrap();
        assert_eq!(text, "anything");
    }
}
