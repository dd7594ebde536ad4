//! The requests of S3: whoever may read, write or list has actions that are named otherwise than
//! most operations.

use super::{Wanted, action};
use crate::{
    services::s3::{self, copies::Source},
    world::{Call, World},
};

/// What a call of S3 needs.
///
/// `DeleteObjects` is asked object by object while it is done, as each has an
/// outcome of its own.
pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    let name = call.text("Bucket").unwrap_or_default();
    let key = call.text("Key").unwrap_or_default();
    let version = call.text("VersionId");
    let object = |action: &str| on_object(world, action, name, key);
    let bucket = |action: &str| vec![owned(world, Wanted::new(action, arn(name)), name)];
    match call.operation.as_str() {
        "ListBuckets" => vec![Wanted::new("s3:ListAllMyBuckets", "*")],
        "HeadBucket" => bucket("s3:ListBucket"),
        "ListObjects" | "ListObjectsV2" => vec![listing(world, call, "s3:ListBucket", name)],
        "ListObjectVersions" => vec![listing(world, call, "s3:ListBucketVersions", name)],
        "ListMultipartUploads" => bucket("s3:ListBucketMultipartUploads"),
        "GetObject" | "HeadObject" => vec![reading(world, name, key, version)],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            vec![object("s3:PutObject")]
        }
        "CopyObject" | "UploadPartCopy" => {
            let source = Source::of(call).map(|source| {
                reading(
                    world,
                    &source.bucket,
                    &source.key,
                    source.version.as_deref(),
                )
            });
            source.into_iter().chain([object("s3:PutObject")]).collect()
        }
        "AbortMultipartUpload" => vec![object("s3:AbortMultipartUpload")],
        "ListParts" => vec![object("s3:ListMultipartUploadParts")],
        "DeleteObject" => vec![deletion(world, name, key, version)],
        "DeleteObjects" => Vec::new(),
        _ => bucket(&action(call)),
    }
}

/// What deleting an object needs, or one of its versions.
pub fn deletion(world: &World, bucket: &str, key: &str, version: Option<&str>) -> Wanted {
    of_version(world, "s3:DeleteObject", bucket, key, version)
}

/// What reading an object needs, or one of its versions.
pub fn reading(world: &World, bucket: &str, key: &str, version: Option<&str>) -> Wanted {
    of_version(world, "s3:GetObject", bucket, key, version)
}

fn of_version(
    world: &World,
    action: &str,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Wanted {
    match version {
        None => on_object(world, action, bucket, key),
        Some(version) => {
            on_object(world, &format!("{action}Version"), bucket, key).with("s3:VersionId", version)
        }
    }
}

fn on_object(world: &World, action: &str, bucket: &str, key: &str) -> Wanted {
    owned(
        world,
        Wanted::new(action, format!("{}/{key}", arn(bucket))),
        bucket,
    )
}

fn listing(world: &World, call: &Call, action: &str, bucket: &str) -> Wanted {
    let mut wanted = owned(world, Wanted::new(action, arn(bucket)), bucket);
    for (key, member) in [
        ("s3:prefix", "Prefix"),
        ("s3:delimiter", "Delimiter"),
        ("s3:max-keys", "MaxKeys"),
    ] {
        if let Some(value) = call.text(member) {
            wanted = wanted.with(key, value);
        }
    }
    wanted
}

/// The ARNs of S3 do not say whose a bucket is.
fn owned(world: &World, wanted: Wanted, bucket: &str) -> Wanted {
    match s3::owner(world, bucket) {
        Some(owner) => wanted.with("aws:ResourceAccount", owner),
        None => wanted,
    }
}

fn arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}
