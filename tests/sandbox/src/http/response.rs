//! From an outcome to an HTTP response.

use std::io;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use futures::stream;
use serde_json::Value;

use super::{query, request::Protocol, s3};
use crate::world::ApiError;

/// The answer of an operation.
pub(super) fn success(
    protocol: Protocol,
    operation: &str,
    output: &Value,
    request_id: &str,
) -> Response {
    let body = match protocol {
        Protocol::AwsQuery { namespace } => query::encode(namespace, operation, output, request_id),
        _ if output.is_null() => "{}".to_owned(),
        _ => output.to_string(),
    };
    response(StatusCode::OK, protocol, body, request_id)
}

/// An error of an operation.
pub(super) fn failure(protocol: Protocol, error: &ApiError, request_id: &str) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let xml = match protocol {
        Protocol::RestXml => return s3::failure(error, request_id),
        Protocol::AwsQuery { namespace } => Some(namespace),
        Protocol::Unknown { xml: true } => Some(""),
        _ => None,
    };
    if let Some(namespace) = xml {
        let body = query::encode_error(namespace, error, request_id);
        return response(status, protocol, body, request_id);
    }
    let mut body = error.members.clone();
    body.insert("__type".to_owned(), error.code.as_str().into());
    body.insert("message".to_owned(), error.message.as_str().into());
    let body = Value::Object(body).to_string();
    let mut response = response(status, protocol, body, request_id);
    add_header(&mut response, "x-amzn-errortype", &error.code);
    if protocol != Protocol::RestJson
        && let Some(code) = query_code(&error.code)
    {
        add_header(
            &mut response,
            "x-amzn-query-error",
            &format!("{code};Sender"),
        );
    }
    response
}

/// SQS once spoke awsQuery, and SDKs still show the codes of that time.
fn query_code(code: &str) -> Option<&'static str> {
    match code {
        "QueueDoesNotExist" => Some("AWS.SimpleQueueService.NonExistentQueue"),
        "QueueNameExists" => Some("QueueAlreadyExists"),
        "BatchEntryIdsNotDistinct" => Some("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        "EmptyBatchRequest" => Some("AWS.SimpleQueueService.EmptyBatchRequest"),
        "TooManyEntriesInBatchRequest" => {
            Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        }
        "UnsupportedOperation" => Some("AWS.SimpleQueueService.UnsupportedOperation"),
        "InvalidParameterValueException" => Some("InvalidParameterValue"),
        "MissingRequiredParameterException" => Some("MissingParameter"),
        _ => None,
    }
}

/// Ends the connection before the first byte of an answer.
///
/// A body that fails at once does that: the head of a response is not on the
/// wire before the first part of its body is known.
pub(super) fn cut_connection() -> Response {
    let failure = io::Error::other("the sandbox was asked to lose this answer");
    Response::new(Body::from_stream(stream::iter([Err::<Vec<u8>, _>(
        failure,
    )])))
}

/// A response with the headers that every service sends.
pub(super) fn response(
    status: StatusCode,
    protocol: Protocol,
    body: impl Into<Body>,
    request_id: &str,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let content_type = match protocol {
        Protocol::AwsJson { version: "1.0" } => "application/x-amz-json-1.0",
        Protocol::AwsJson { .. } => "application/x-amz-json-1.1",
        Protocol::AwsQuery { .. } | Protocol::Unknown { xml: true } => "text/xml",
        Protocol::RestXml => "application/xml",
        Protocol::RestJson | Protocol::Unknown { xml: false } => "application/json",
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    add_header(&mut response, "x-amzn-requestid", request_id);
    response
}

/// Adds a header, unless its value cannot be one.
pub(super) fn add_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
