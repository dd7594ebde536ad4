//! Which operation a method, a path and a query mean.

use serde_json::{Map, Value};

use super::Target;
use crate::world::ApiError;

/// An operation, and whether its body is a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: &'static str,
    pub(super) has_document: bool,
}

/// Everything in a query that names no part of an operation's input.
///
/// What is not here and not a member either is an operation that the sandbox does not have.
const SELECTORS: &[&str] = &[
    "delete",
    "list-type",
    "location",
    "uploads",
    "versioning",
    "versions",
];

/// Finds the operation.
pub(super) fn find(
    method: &str,
    target: &Target,
    query: &[(String, String)],
    input: &Map<String, Value>,
) -> Result<Route, ApiError> {
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    let unknown = query
        .iter()
        .find(|(name, _)| !SELECTORS.contains(&name.as_str()) && !super::members::is_known(name));
    let operation = match unknown {
        Some(_) => None,
        None if target.bucket.is_empty() => (method == "GET").then_some("ListBuckets"),
        None if target.key.is_empty() => of_bucket(method, has),
        None => of_object(method, has, input.contains_key("CopySource")),
    };
    let operation = operation.ok_or_else(|| {
        let what = if let Some((name, _)) = unknown {
            format!("?{name}")
        } else {
            let names: Vec<_> = query.iter().map(|(name, _)| format!("?{name}")).collect();
            names.concat()
        };
        let level = match (target.bucket.is_empty(), target.key.is_empty()) {
            (true, _) => "the service",
            (_, true) => "a bucket",
            _ => "an object",
        };
        ApiError::with_status(
            501,
            "NotImplemented",
            format!("s3: {method} {what} of {level} is not implemented in the sandbox"),
        )
    })?;
    let documents = [
        "CompleteMultipartUpload",
        "CreateBucket",
        "DeleteObjects",
        "PutBucketVersioning",
    ];
    Ok(Route {
        operation,
        has_document: documents.contains(&operation),
    })
}

fn of_bucket(method: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    Some(match method {
        "GET" if has("location") => "GetBucketLocation",
        "GET" if has("versioning") => "GetBucketVersioning",
        "GET" if has("versions") => "ListObjectVersions",
        "GET" if has("uploads") => "ListMultipartUploads",
        "GET" if has("list-type") => "ListObjectsV2",
        "GET" => "ListObjects",
        "PUT" if has("versioning") => "PutBucketVersioning",
        "PUT" => "CreateBucket",
        "HEAD" => "HeadBucket",
        "DELETE" => "DeleteBucket",
        "POST" if has("delete") => "DeleteObjects",
        _ => return None,
    })
}

fn of_object(method: &str, has: impl Fn(&str) -> bool, copies: bool) -> Option<&'static str> {
    Some(match method {
        "GET" if has("uploadId") => "ListParts",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has("uploadId") && copies => "UploadPartCopy",
        "PUT" if has("uploadId") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => return None,
    })
}
