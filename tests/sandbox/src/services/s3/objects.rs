//! Operations on objects.

use serde_json::{Map, Value, json};

use super::{
    LARGEST_REQUEST, bucket,
    bucket::{Bucket, NULL, Version, Versioning},
    checksums::{Algorithm, Sum},
    conditions, names,
    object::{Object, Properties},
    unsupported,
};
use crate::{
    services::iam::{self, requests::Wanted},
    world::{ApiError, Call, World},
};

/// The most objects that one request may delete.
const MOST_DELETED: usize = 1000;

/// `PutObject`.
pub(super) fn put(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let key = names::key(call)?.to_owned();
    let bytes = world.s3.brought();
    let sum = Sum::given(call, &bytes)?;
    let object = Object::new(bytes, sum, Properties::of(call)?);
    store(world, call, &key, object)
}

/// Stores an object, and answers for it.
pub(super) fn store(
    world: &mut World,
    call: &Call,
    key: &str,
    object: Object,
) -> Result<Value, ApiError> {
    let bucket = bucket::own(world, call)?;
    let current = bucket.current(key).map(|(_, object)| object);
    conditions::check_write(call, key, current)?;
    make_room(world, object.bytes.len())?;
    let name = call.text("Bucket").unwrap_or_default();
    let id = bucket::next_id(world, name);
    let mut answer = object.properties.encryption();
    answer.insert("ETag".to_owned(), object.etag.as_str().into());
    answer.extend(object.sum.members());
    let modified = world.now;
    let bucket = bucket::own_mut(world, call)?;
    answer.extend(bucket.shown_id(&id));
    let object = Some(object);
    bucket.add(
        key,
        Version {
            id,
            modified,
            object,
        },
    );
    Ok(Value::Object(answer))
}

/// Refuses what would take more memory than all objects together may.
pub(super) fn make_room(world: &World, bytes: usize) -> Result<(), ApiError> {
    let used: usize = world.s3.buckets.values().map(Bucket::size).sum();
    let capacity = world.s3.capacity;
    if used.saturating_add(bytes) <= capacity {
        return Ok(());
    }
    let message = format!(
        "The sandbox keeps objects in memory, at most {capacity} bytes in all buckets together. \
         {used} are in use, and this takes {bytes} more: delete something first."
    );
    Err(ApiError::with_status(507, "InsufficientStorage", message))
}

/// What is said about a request whose body is too large.
#[must_use]
pub fn too_large(bytes: u64) -> ApiError {
    let message = format!(
        "Your proposed upload exceeds the maximum allowed size: the sandbox takes \
         {LARGEST_REQUEST} bytes at once. Upload it in parts."
    );
    ApiError::new("EntityTooLarge", message)
        .with_member("ProposedSize", bytes)
        .with_member("MaxSizeAllowed", LARGEST_REQUEST)
}

/// `GetObject`.
pub(super) fn get(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (object, head) = look_up(world, call)?;
    let range = conditions::range(call, object.bytes.len())?;
    let mut answer = head;
    world.s3.given = match range {
        None => object.bytes.clone(),
        Some(range) => {
            let length = object.bytes.len();
            let shown = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            answer.insert("ContentRange".to_owned(), shown.into());
            answer.insert("ContentLength".to_owned(), range.len().into());
            // The sum is of the whole, and clients would hold it against the range.
            if range.len() < length {
                answer.retain(|member, _| !member.starts_with("Checksum"));
            }
            object.bytes.slice(range)
        }
    };
    Ok(Value::Object(answer))
}

/// `HeadObject`.
pub(super) fn head(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (object, mut head) = look_up(world, call)?;
    if let Some(range) = conditions::range(call, object.bytes.len())? {
        head.insert("ContentLength".to_owned(), range.len().into());
    }
    Ok(Value::Object(head))
}

/// The object that the call asks for, and what its head shows.
fn look_up(world: &mut World, call: &Call) -> Result<(Object, Map<String, Value>), ApiError> {
    let overrides = [
        "PartNumber",
        "ResponseCacheControl",
        "ResponseContentDisposition",
        "ResponseContentEncoding",
        "ResponseContentLanguage",
        "ResponseContentType",
        "ResponseExpires",
        "SSECustomerAlgorithm",
    ];
    unsupported(call, &overrides)?;
    let key = names::key(call)?;
    let bucket = bucket::own(world, call)?;
    let found = bucket.version(key, call.text("VersionId"));
    let (version, object) = match found {
        Ok((version, object)) => (version, object.clone()),
        Err(error) => return Err(hide(world, call, error)),
    };
    conditions::check_read(call, &conditions::OF_READER, &object, version.modified)?;
    let mut head = object.shown(version.modified);
    head.extend(bucket.shown_id(&version.id));
    if call.text("ChecksumMode") == Some("ENABLED") {
        head.extend(object.sum.members());
    }
    Ok((object, head))
}

/// Who may not list a bucket is not told either that something is not in it.
pub(super) fn hide(world: &mut World, call: &Call, error: ApiError) -> ApiError {
    if error.code != "NoSuchKey" || call.caller.role.is_none() {
        return error;
    }
    let bucket = call.text("Bucket").unwrap_or_default();
    let list = Wanted::new("s3:ListBucket", format!("arn:aws:s3:::{bucket}"));
    match iam::identity::check(world, &call.caller, &list) {
        Ok(()) => error,
        Err(denied) => denied,
    }
}

/// `DeleteObject`; what is not there is deleted as well.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    unsupported(call, &["MFA"])?;
    let key = names::key(call)?.to_owned();
    let bucket = bucket::own(world, call)?;
    let current = bucket.current(&key).map(|(_, object)| object);
    conditions::check_write(call, &key, current)?;
    let deleted = delete_one(world, call, &key, call.text("VersionId"))?;
    Ok(Value::Object(deleted))
}

/// Deletes an object, or one version of it for good; tells the version and whether it is a marker.
fn delete_one(
    world: &mut World,
    call: &Call,
    key: &str,
    id: Option<&str>,
) -> Result<Map<String, Value>, ApiError> {
    let mut answer = Map::new();
    if let Some(id) = id {
        let bucket = bucket::own_mut(world, call)?;
        answer.insert("VersionId".to_owned(), id.into());
        let removed = bucket.remove(key, id);
        if removed.is_some_and(|version| version.object.is_none()) {
            answer.insert("DeleteMarker".to_owned(), true.into());
        }
        return Ok(answer);
    }
    let name = call.text("Bucket").unwrap_or_default();
    let id = bucket::next_id(world, name);
    let modified = world.now;
    let bucket = bucket::own_mut(world, call)?;
    if bucket.versioning == Versioning::Never {
        bucket.remove(key, NULL);
        return Ok(answer);
    }
    answer.insert("VersionId".to_owned(), id.as_str().into());
    answer.insert("DeleteMarker".to_owned(), true.into());
    let object = None;
    bucket.add(
        key,
        Version {
            id,
            modified,
            object,
        },
    );
    Ok(answer)
}

/// `DeleteObjects`: each object has an outcome of its own.
pub(super) fn delete_many(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let body = world.s3.brought();
    Sum::given(call, &body)?;
    bucket::own(world, call)?;
    let wanted = call.input["Delete"]["Object"].as_array();
    let wanted = wanted.map(Vec::as_slice).unwrap_or_default();
    if wanted.is_empty() || wanted.len() > MOST_DELETED {
        return Err(malformed_xml());
    }
    let quiet = call.input["Delete"]["Quiet"] == "true";
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in wanted {
        let key = object["Key"].as_str().unwrap_or_default();
        let id = object["VersionId"].as_str();
        match delete_if_allowed(world, call, key, id) {
            Ok(_) if quiet => {}
            Ok(outcome) => deleted.push(told(key, id, outcome)),
            Err(error) => errors.push(json!({
                "Key": key,
                "VersionId": id,
                "Code": error.code,
                "Message": error.message,
            })),
        }
    }
    Ok(json!({ "DeleteResult": { "Deleted": deleted, "Error": errors } }))
}

fn delete_if_allowed(
    world: &mut World,
    call: &Call,
    key: &str,
    id: Option<&str>,
) -> Result<Map<String, Value>, ApiError> {
    let bucket = call.text("Bucket").unwrap_or_default();
    let wanted = iam::requests::s3::deletion(world, bucket, key, id);
    iam::identity::check(world, &call.caller, &wanted)?;
    delete_one(world, call, key, id)
}

/// A deletion as the list of them shows it.
fn told(key: &str, id: Option<&str>, mut outcome: Map<String, Value>) -> Value {
    let is_marker = outcome.contains_key("DeleteMarker");
    // Of a marker that was just made, the version is the marker's and not the object's.
    if let (true, Some(version)) = (is_marker, outcome.get("VersionId").cloned()) {
        outcome.insert("DeleteMarkerVersionId".to_owned(), version);
        if id.is_none() {
            outcome.remove("VersionId");
        }
    }
    outcome.insert("Key".to_owned(), key.into());
    Value::Object(outcome)
}

pub(super) fn malformed_xml() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our \
                   published schema";
    ApiError::new("MalformedXML", message)
}

/// The algorithm that a copy shall be summed up with: that of the source, unless it says otherwise.
pub(super) fn algorithm_of_copy(call: &Call, source: &Object) -> Result<Algorithm, ApiError> {
    Ok(Algorithm::named(call)?.unwrap_or(source.sum.algorithm))
}
