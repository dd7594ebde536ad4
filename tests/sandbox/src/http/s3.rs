//! The protocol of S3: members in paths, queries and headers, XML and bytes in bodies.

mod chunked;
mod members;
mod routes;
mod xml;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::Response,
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{request::Decoded, response::add_header};
use crate::{services::s3::LARGEST_REQUEST, world::ApiError};

/// Refuses a body by the length that its head tells, before any of it is read.
pub(super) fn check_length(headers: &HeaderMap) -> Result<(), ApiError> {
    let length = headers.get("content-length");
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > LARGEST_REQUEST as u64 => {
            Err(crate::services::s3::objects::too_large(length))
        }
        _ => Ok(()),
    }
}

/// The operation, its input and what it brings.
pub(super) fn decode(head: &Parts, body: Bytes) -> Result<Decoded, ApiError> {
    let target = Target::of(head)?;
    let query: Vec<(String, String)> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
    let mut input = Map::new();
    if !target.bucket.is_empty() {
        input.insert("Bucket".to_owned(), target.bucket.as_str().into());
    }
    if !target.key.is_empty() {
        input.insert("Key".to_owned(), target.key.as_str().into());
    }
    let (payload, trailers) = chunked::decode(&head.headers, body)?;
    members::of_headers(&head.headers, &mut input)?;
    members::of_trailers(&trailers, &mut input);
    let route = routes::find(head.method.as_str(), &target, &query, &input)?;
    members::of_query(&query, &mut input)?;
    if route.has_document && !payload.is_empty() {
        let (root, document) = xml::read(&payload)?;
        input.insert(root, document);
    }
    Ok(Decoded {
        operation: route.operation.to_owned(),
        input: Value::Object(input),
        payload,
    })
}

/// What a request is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    bucket: String,
    key: String,
}

impl Target {
    /// The bucket and the key, from the path or, for names below `localhost`, from the host.
    fn of(head: &Parts) -> Result<Self, ApiError> {
        let path = head.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = match virtual_host(head) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let decode = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| ApiError::new("InvalidURI", "Couldn't parse the specified URI."))
        };
        Ok(Self {
            bucket: decode(bucket)?,
            key: decode(key)?,
        })
    }
}

/// The bucket that stands in the name of the host.
///
/// Clients put it there unless the endpoint is an address.
fn virtual_host(head: &Parts) -> Option<&str> {
    let host = head.headers.get("host")?.to_str().ok()?;
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host.strip_suffix(".localhost")
}

/// The answer of an operation.
pub(super) fn success(
    method: &Method,
    operation: &str,
    output: &Value,
    payload: Bytes,
    request_id: &str,
) -> Response {
    let nothing = Map::new();
    let output = output.as_object().unwrap_or(&nothing);
    let document = output
        .iter()
        .find(|(name, value)| value.is_object() && *name != "Metadata");
    let (body, is_xml) = match document {
        Some((root, document)) => (Bytes::from(xml::write(root, document)), true),
        None => (payload, false),
    };
    let status = match operation {
        "DeleteBucket" | "DeleteObject" | "AbortMultipartUpload" => StatusCode::NO_CONTENT,
        _ if output.contains_key("ContentRange") => StatusCode::PARTIAL_CONTENT,
        _ => StatusCode::OK,
    };
    let mut response = Response::new(if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(body)
    });
    *response.status_mut() = status;
    members::write_headers(output, &mut response);
    finish(response, is_xml, request_id)
}

/// An error of an operation. The answer to HEAD has no body, and neither has the status 304.
pub(super) fn failure(error: &ApiError, request_id: &str) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut document = error.members.clone();
    document.insert("Code".to_owned(), error.code.as_str().into());
    document.insert("Message".to_owned(), error.message.as_str().into());
    document.insert("RequestId".to_owned(), request_id.into());
    let body = xml::write_error(&Value::Object(document));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(region) = error.members.get("Region").and_then(Value::as_str) {
        add_header(&mut response, "x-amz-bucket-region", region);
    }
    finish(response, true, request_id)
}

fn finish(mut response: Response, is_xml: bool, request_id: &str) -> Response {
    if is_xml {
        let xml = HeaderValue::from_static("application/xml");
        response.headers_mut().insert(CONTENT_TYPE, xml);
    }
    add_header(&mut response, "x-amz-request-id", request_id);
    response
}

#[cfg(test)]
mod tests;
