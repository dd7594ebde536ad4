//! A bucket: its objects in all their versions, and uploads under way.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{access_denied, invalid_argument, multipart::Upload, object::Object};
use crate::world::{ApiError, Call, World};

/// The id of a version that was made without versioning.
pub(super) const NULL: &str = "null";

/// A bucket.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Bucket {
    pub(super) owner: String,
    pub(super) region: String,
    pub(super) created: Timestamp,
    pub(super) versioning: Versioning,
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

/// Whether new objects leave the older versions alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Versioning {
    Never,
    Enabled,
    Suspended,
}

/// One version of an object; the last one of a key is the current one.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) modified: Timestamp,
    /// Nothing, if it is a delete marker.
    pub(super) object: Option<Object>,
}

impl Bucket {
    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        let versions = self.objects.values().flatten();
        let objects = versions.filter_map(|version| version.object.as_ref());
        let objects: usize = objects.map(|object| object.bytes.len()).sum();
        let uploads: usize = self.uploads.values().map(Upload::size).sum();
        objects + uploads
    }

    /// The current version of an object, if it is no delete marker.
    pub(super) fn current(&self, key: &str) -> Option<(&Version, &Object)> {
        let version = self.objects.get(key)?.last()?;
        Some((version, version.object.as_ref()?))
    }

    /// The version that is meant, and its object.
    pub(super) fn version(
        &self,
        key: &str,
        id: Option<&str>,
    ) -> Result<(&Version, &Object), ApiError> {
        let Some(id) = id else {
            return self.current(key).ok_or_else(|| no_such_key(key));
        };
        let mut versions = self.objects.get(key).into_iter().flatten();
        let version = versions
            .find(|version| version.id == id)
            .ok_or_else(|| no_such_version(key, id))?;
        match &version.object {
            Some(object) => Ok((version, object)),
            None => Err(ApiError::with_status(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )),
        }
    }

    /// Adds a version; without versioning, it takes the place of the one that was so made before.
    pub(super) fn add(&mut self, key: &str, version: Version) {
        let versions = self.objects.entry(key.to_owned()).or_default();
        if version.id == NULL {
            versions.retain(|version| version.id != NULL);
        }
        versions.push(version);
    }

    /// Takes one version away for good.
    pub(super) fn remove(&mut self, key: &str, id: &str) -> Option<Version> {
        let versions = self.objects.get_mut(key)?;
        let position = versions.iter().position(|version| version.id == id)?;
        let version = versions.remove(position);
        if versions.is_empty() {
            self.objects.remove(key);
        }
        Some(version)
    }

    /// The id as answers have it: none where there never was versioning.
    pub(super) fn shown_id(&self, id: &str) -> Map<String, Value> {
        let mut members = Map::new();
        if self.versioning != Versioning::Never {
            members.insert("VersionId".to_owned(), id.into());
        }
        members
    }
}

/// The id that the next version gets.
pub(super) fn next_id(world: &mut World, bucket: &str) -> String {
    let versioning = world.s3.buckets.get(bucket).map(|it| it.versioning);
    if versioning == Some(Versioning::Enabled) {
        world.hex(&format!("S3 version in {bucket}"))[..32].to_owned()
    } else {
        NULL.to_owned()
    }
}

/// The bucket that the call is about, if it is there and the caller's.
pub(super) fn own<'a>(world: &'a World, call: &Call) -> Result<&'a Bucket, ApiError> {
    let name = call.text("Bucket").unwrap_or_default();
    let expected = call.text("ExpectedBucketOwner");
    accessible(world, call, name, expected)
}

/// The bucket that the call is about, to change it.
pub(super) fn own_mut<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Bucket, ApiError> {
    own(world, call)?;
    let name = call.text("Bucket").unwrap_or_default();
    let bucket = world.s3.buckets.get_mut(name);
    bucket.ok_or_else(|| no_such_bucket(name))
}

/// A bucket, if the caller may do anything with it at all.
pub(super) fn accessible<'a>(
    world: &'a World,
    call: &Call,
    name: &str,
    expected_owner: Option<&str>,
) -> Result<&'a Bucket, ApiError> {
    let bucket = world.s3.buckets.get(name);
    let bucket = bucket.ok_or_else(|| no_such_bucket(name))?;
    if let Some(owner) = expected_owner {
        let is_account = owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account {
            return Err(invalid_argument(
                "The value of the expected bucket owner parameter must be an AWS account ID",
                "x-amz-expected-bucket-owner",
                owner,
            ));
        }
        if owner != bucket.owner {
            return Err(access_denied());
        }
    }
    if bucket.owner != call.caller.account {
        return Err(access_denied());
    }
    if bucket.region != call.region && call.operation != "GetBucketLocation" {
        return Err(wrong_region(&call.region, &bucket.region));
    }
    Ok(bucket)
}

/// Tells where the bucket is, which makes clients go there.
fn wrong_region(called: &str, region: &str) -> ApiError {
    let message = format!(
        "The authorization header is malformed; the region '{called}' is wrong; expecting '{region}'"
    );
    ApiError::new("AuthorizationHeaderMalformed", message).with_member("Region", region)
}

fn no_such_bucket(name: &str) -> ApiError {
    let message = "The specified bucket does not exist";
    ApiError::with_status(404, "NoSuchBucket", message).with_member("BucketName", name)
}

pub(super) fn no_such_key(key: &str) -> ApiError {
    let message = "The specified key does not exist.";
    ApiError::with_status(404, "NoSuchKey", message).with_member("Key", key)
}

fn no_such_version(key: &str, id: &str) -> ApiError {
    ApiError::with_status(
        404,
        "NoSuchVersion",
        "The specified version does not exist.",
    )
    .with_member("Key", key)
    .with_member("VersionId", id)
}
