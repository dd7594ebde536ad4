//! From an HTTP request to an operation and its input.

use axum::{
    body::Bytes,
    http::{HeaderMap, request::Parts},
};
use serde_json::{Map, Value};

use super::{invoke, query, s3};
use crate::{services::ram, world::ApiError};

/// The credential scope of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) access_key: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// How a service writes its operations, inputs, outputs and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// JSON, with the operation in a header.
    AwsJson { version: &'static str },
    /// JSON, with the operation in method and path.
    RestJson,
    /// A form in and XML out.
    AwsQuery { namespace: &'static str },
    /// Members in path, query and headers, bytes or XML in bodies.
    RestXml,
    /// Of a service that the sandbox does not have, whose clients read JSON or XML.
    Unknown { xml: bool },
}

impl Protocol {
    /// The protocol of a service by its signing name.
    pub(super) fn of(service: &str) -> Self {
        match service {
            "codepipeline" | "events" | "logs" | "sagemaker" | "ssm" => {
                Self::AwsJson { version: "1.1" }
            }
            "dynamodb" | "sqs" => Self::AwsJson { version: "1.0" },
            "lambda" | "ram" => Self::RestJson,
            "iam" => Self::AwsQuery {
                namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
            },
            "s3" => Self::RestXml,
            "sns" => Self::AwsQuery {
                namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
            },
            "sts" => Self::AwsQuery {
                namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
            },
            "autoscaling"
            | "cloudformation"
            | "cloudfront"
            | "ec2"
            | "elasticloadbalancing"
            | "monitoring"
            | "rds"
            | "route53" => Self::Unknown { xml: true },
            _ => Self::Unknown { xml: false },
        }
    }

    /// The protocol of the service that a request was signed for.
    pub(super) fn of_credential(credential: Option<&Credential>) -> Self {
        credential.map_or(Self::Unknown { xml: false }, |credential| {
            Self::of(&credential.service)
        })
    }

    /// Invalid credentials have another name and status in each protocol.
    pub(super) fn name_error(self, error: ApiError) -> ApiError {
        match self {
            Self::AwsQuery { .. } | Self::Unknown { .. } => error,
            Self::RestXml => ApiError {
                code: "InvalidAccessKeyId".to_owned(),
                message: "The AWS Access Key Id you provided does not exist in our records."
                    .to_owned(),
                ..error
            },
            Self::RestJson => ApiError {
                code: "UnrecognizedClientException".to_owned(),
                ..error
            },
            Self::AwsJson { .. } => ApiError {
                code: "UnrecognizedClientException".to_owned(),
                status: 400,
                ..error
            },
        }
    }
}

/// Who signed the request, for which Region and service.
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential> {
    let authorization = headers.get("authorization")?.to_str().ok()?;
    let (_, scope) = authorization.split_once("Credential=")?;
    let scope = scope.split([',', ' ']).next()?;
    let mut parts = scope.split('/');
    let access_key = parts.next()?.to_owned();
    let region = parts.nth(1)?.to_owned();
    let service = parts.next()?.to_owned();
    Some(Credential {
        access_key,
        region,
        service,
    })
}

/// The trace header of the request.
pub(super) fn trace(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amzn-trace-id")?.to_str().ok()
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) operation: String,
    pub(super) input: Value,
    /// The body, free of what carried it.
    pub(super) payload: Bytes,
}

/// The operation and its input.
pub(super) fn decode(service: &str, head: &Parts, body: Bytes) -> Result<Decoded, ApiError> {
    let (operation, input) = match Protocol::of(service) {
        Protocol::AwsJson { .. } => decode_json(&head.headers, &body)?,
        Protocol::AwsQuery { .. } => query::decode(&body)?,
        Protocol::RestJson => decode_rest(head, &body)?,
        Protocol::RestXml => return s3::decode(head, body),
        Protocol::Unknown { .. } => {
            return Err(ApiError::with_status(
                501,
                "NotImplemented",
                format!("The sandbox does not have the service {service}"),
            ));
        }
    };
    Ok(Decoded {
        operation,
        input,
        payload: body,
    })
}

fn decode_json(headers: &HeaderMap, body: &[u8]) -> Result<(String, Value), ApiError> {
    let target = headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.rsplit_once('.')) {
        Some((_, operation)) => Ok((operation.to_owned(), Value::Object(json_body(body)?))),
        None => Err(ApiError::with_status(
            404,
            "UnknownOperationException",
            "The header X-Amz-Target names no operation",
        )),
    }
}

fn decode_rest(head: &Parts, body: &[u8]) -> Result<(String, Value), ApiError> {
    let path = head.uri.path();
    if let Some(decoded) = invoke::decode(head) {
        return Ok(decoded);
    }
    let route = ram::ROUTES
        .iter()
        .find(|(method, route, _)| *method == head.method.as_str() && *route == path);
    let Some((_, _, operation)) = route else {
        return Err(ApiError::with_status(
            404,
            "UnknownOperationException",
            format!("The sandbox has no operation for {} {path}", head.method),
        ));
    };
    // Some operations put members into the query, not all of them with DELETE.
    let mut input = query_members(head.uri.query().unwrap_or_default());
    input.extend(json_body(body)?);
    Ok(((*operation).to_owned(), Value::Object(input)))
}

pub(super) fn query_members(query: &str) -> Map<String, Value> {
    let members = form_urlencoded::parse(query.as_bytes());
    members
        .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
        .collect()
}

fn json_body(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(input)) => Ok(input),
        _ => Err(ApiError::new(
            "SerializationException",
            "The body is not a JSON object",
        )),
    }
}
