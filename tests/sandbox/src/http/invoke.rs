//! `lambda:Invoke`, the one operation whose answer takes a process to compute.

use axum::{
    http::{StatusCode, request::Parts},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    SharedWorld, lock,
    request::{self, Protocol},
    response::{add_header, failure, response},
};
use crate::{
    services::lambda,
    world::{ApiError, Call},
};

const FUNCTIONS: &str = "/2015-03-31/functions";

const MAPPINGS: &str = "/2015-03-31/event-source-mappings";

/// The members of `Invoke` that are headers.
const HEADERS: &[(&str, &str)] = &[
    ("x-amz-client-context", "ClientContext"),
    ("x-amz-durable-execution-name", "DurableExecutionName"),
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-tenant-id", "TenantId"),
];

/// The operation of a path of Lambda's.
pub(super) fn decode(head: &Parts) -> Option<(String, Value)> {
    if head.method == "GET" && head.uri.path().trim_end_matches('/') == MAPPINGS {
        let input = request::query_members(head.uri.query().unwrap_or_default());
        return Some(("ListEventSourceMappings".to_owned(), Value::Object(input)));
    }
    let rest = head.uri.path().strip_prefix(FUNCTIONS)?.trim_matches('/');
    let (name, action) = match rest.split_once('/') {
        Some((name, action)) => (name, action),
        None => (rest, ""),
    };
    let operation = match (head.method.as_str(), name, action) {
        ("GET", "", "") => "ListFunctions",
        ("GET", _, "") => "GetFunction",
        ("GET", _, "configuration") => "GetFunctionConfiguration",
        ("POST", _, "invocations") => "Invoke",
        _ => return None,
    };
    let name: String = form_urlencoded::parse(name.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let mut input = request::query_members(head.uri.query().unwrap_or_default());
    input.insert("FunctionName".to_owned(), name.into());
    for (header, member) in HEADERS {
        let value = head.headers.get(*header);
        if let Some(value) = value.and_then(|value| value.to_str().ok()) {
            input.insert((*member).to_owned(), value.into());
        }
    }
    Some((operation.to_owned(), Value::Object(input)))
}

/// Whether the call asks for a function to run.
pub(super) fn is_invocation(call: &Call) -> bool {
    call.service == "lambda" && call.operation == "Invoke"
}

/// Runs the function and answers with what it returns, once the driver gets to it.
pub(super) async fn run(
    world: &SharedWorld,
    call: &Call,
    payload: &[u8],
    request_id: &str,
) -> Response {
    let refuse = |error: &ApiError| failure(Protocol::RestJson, error, request_id);
    let done = |status| response(status, Protocol::RestJson, "", request_id);
    match call.text("InvocationType") {
        None | Some("RequestResponse" | "Event") => {}
        Some("DryRun") => return done(StatusCode::NO_CONTENT),
        Some(other) => {
            let message = format!("Value '{other}' at 'invocationType' is not an invocation type.");
            return refuse(&ApiError::new("InvalidParameterValueException", message));
        }
    }
    let payload = if payload.is_empty() { b"{}" } else { payload };
    let Ok(payload) = serde_json::from_slice(payload) else {
        let message = "Could not parse request body into json";
        return refuse(&ApiError::new("InvalidRequestContentException", message));
    };
    let name = call.text("FunctionName").unwrap_or_default();
    let account = &call.caller.account;
    if call.text("InvocationType") == Some("Event") {
        let region = &call.region;
        let taken = lambda::invoke_asynchronously(&mut lock(world), account, region, name, payload);
        return match taken {
            Ok(()) => done(StatusCode::ACCEPTED),
            Err(error) => refuse(&error),
        };
    }
    let waiting = lambda::invoke(&mut lock(world), account, &call.region, name, payload);
    let invocation = match waiting {
        Ok(invocation) => invocation,
        Err(error) => return refuse(&error),
    };
    match invocation.await {
        Ok(lambda::Invocation { outcome, .. }) => answer(outcome, request_id),
        Err(_) => refuse(&ApiError::with_status(
            500,
            "ServiceException",
            "The sandbox stopped",
        )),
    }
}

/// An invocation that fails is a success of `Invoke`, with a header that says so.
fn answer(outcome: Result<Value, lambda::FunctionError>, request_id: &str) -> Response {
    let (payload, failed) = match outcome {
        Ok(value) => (value, false),
        Err(error) => (
            json!({ "errorType": error.error_type, "errorMessage": error.message }),
            true,
        ),
    };
    let body = payload.to_string();
    let mut response = response(StatusCode::OK, Protocol::RestJson, body, request_id);
    add_header(&mut response, "x-amz-executed-version", "$LATEST");
    if failed {
        add_header(&mut response, "x-amz-function-error", "Unhandled");
    }
    response
}
