//! S3: buckets, objects and their versions, in memory.
//!
//! Just enough for what stands beside pipelines in S3: code, definitions, data
//! and templates. A bucket is its account's own. There are no bucket policies
//! and access points, so other accounts are denied whatever they ask for.
//!
//! The protocol is our own and not that of a crate such as `s3s`, which must
//! know the secret keys to check signatures (here any secret will do), answers
//! past the one lock, the faults and the policies of roles that every other
//! service goes through, and brings 60,000 lines of generated code.

mod bucket;
mod buckets;
mod checksums;
mod conditions;
pub(crate) mod copies;
mod listing;
mod multipart;
mod names;
mod object;
pub mod objects;

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Map, Value};

use self::bucket::Bucket;
use crate::world::{ApiError, Call, World};

/// The most bytes that one request may bring.
///
/// S3 takes 5 GB. What is larger than this can still come in parts.
pub const LARGEST_REQUEST: usize = 128 << 20;

/// The most bytes that all objects may have together.
const CAPACITY: usize = 1 << 30;

/// All buckets by their names, which are unique across accounts.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The most bytes that all objects and parts of all accounts may have together.
    pub capacity: usize,
    buckets: BTreeMap<String, Bucket>,
    /// The bytes that come with the call being answered; calls themselves are JSON.
    #[serde(skip)]
    brought: Bytes,
    /// The bytes that go with its answer.
    #[serde(skip)]
    given: Bytes,
}

impl Default for State {
    fn default() -> Self {
        Self {
            capacity: CAPACITY,
            buckets: BTreeMap::new(),
            brought: Bytes::new(),
            given: Bytes::new(),
        }
    }
}

impl State {
    /// Hands over the body of the request that is answered next, under the same lock.
    pub(crate) fn bring(&mut self, body: Bytes) {
        self.brought = body;
        self.given = Bytes::new();
    }

    /// Takes the body of the answer to the last call.
    pub(crate) fn take(&mut self) -> Bytes {
        self.brought = Bytes::new();
        std::mem::take(&mut self.given)
    }

    /// Takes the body of the request.
    fn brought(&mut self) -> Bytes {
        std::mem::take(&mut self.brought)
    }
}

operations! {
    /// Answers an API call.
    ///
    /// Of the answer's members, those of the head are called as in the service
    /// model, and the document of the body is one object, named like its root.
    pub fn call(world, call) {
        "ListBuckets" => buckets::list(world, call),
        "CreateBucket" => buckets::create(world, call),
        "HeadBucket" => buckets::head(world, call),
        "DeleteBucket" => buckets::delete(world, call),
        "GetBucketLocation" => buckets::location(world, call),
        "GetBucketVersioning" => buckets::versioning(world, call),
        "PutBucketVersioning" => buckets::set_versioning(world, call),
        "ListObjects" | "ListObjectsV2" => listing::objects(world, call),
        "ListObjectVersions" => listing::versions(world, call),
        "PutObject" => objects::put(world, call),
        "GetObject" => objects::get(world, call),
        "HeadObject" => objects::head(world, call),
        "DeleteObject" => objects::delete(world, call),
        "DeleteObjects" => objects::delete_many(world, call),
        "CopyObject" => copies::object(world, call),
        "CreateMultipartUpload" => multipart::create(world, call),
        "UploadPart" => multipart::upload(world, call),
        "UploadPartCopy" => copies::part(world, call),
        "CompleteMultipartUpload" => multipart::complete(world, call),
        "AbortMultipartUpload" => multipart::abort(world, call),
        "ListParts" => multipart::list_parts(world, call),
        "ListMultipartUploads" => multipart::list(world, call),
    }
}

/// Reads an object for another service, which does so with the permissions of its caller.
pub(crate) fn read(
    world: &mut World,
    call: &Call,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Bytes, ApiError> {
    let mut input = Map::new();
    input.insert("Bucket".to_owned(), bucket.into());
    input.insert("Key".to_owned(), key.into());
    if let Some(version) = version {
        input.insert("VersionId".to_owned(), version.into());
    }
    let call = Call {
        service: "s3".to_owned(),
        operation: "GetObject".to_owned(),
        input: Value::Object(input),
        ..call.clone()
    };
    for wanted in super::iam::requests::of(world, &call)? {
        super::iam::identity::check(world, &call.caller, &wanted)?;
    }
    objects::get(world, &call)?;
    Ok(world.s3.take())
}

/// The account that owns a bucket, if there is one of this name.
pub(crate) fn owner<'a>(world: &'a World, bucket: &str) -> Option<&'a str> {
    let bucket = world.s3.buckets.get(bucket)?;
    Some(&bucket.owner)
}

fn invalid_argument(message: impl Into<String>, name: &str, value: &str) -> ApiError {
    ApiError::new("InvalidArgument", message)
        .with_member("ArgumentName", name)
        .with_member("ArgumentValue", value)
}

fn access_denied() -> ApiError {
    ApiError::with_status(403, "AccessDenied", "Access Denied")
}

/// Refuses what the sandbox would have to ignore.
fn unsupported(call: &Call, members: &[&str]) -> Result<(), ApiError> {
    match members
        .iter()
        .find(|member| call.input.get(**member).is_some())
    {
        None => Ok(()),
        Some(member) => {
            let mut error = ApiError::not_implemented(call);
            error.message = format!("{member}: {}", error.message);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
