//! Copies of objects, whole or as parts of others.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    bucket,
    checksums::Sum,
    conditions, invalid_argument, multipart, names,
    object::{Object, Properties, iso_date},
    objects, unsupported,
};
use crate::world::{ApiError, Call, World};

/// The most bytes that one copy may have.
const LARGEST: usize = 5 << 30;

/// The object that is copied, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl Source {
    /// What the header of a copy says, with or without a slash before the bucket.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let text = call.text("CopySource")?;
        let (path, version) = match text.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let (bucket, key) = path.trim_start_matches('/').split_once('/')?;
        (!key.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version,
        })
    }
}

/// The object that the call copies from, once its conditions hold.
fn source(world: &mut World, call: &Call) -> Result<(Object, Option<String>), ApiError> {
    unsupported(
        call,
        &["CopySourceSSECustomerAlgorithm", "SSECustomerAlgorithm"],
    )?;
    let source = Source::of(call).ok_or_else(|| {
        let value = call.text("CopySource").unwrap_or_default();
        let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
        invalid_argument(message, "x-amz-copy-source", value)
    })?;
    let expected = call.text("ExpectedSourceBucketOwner");
    let bucket = bucket::accessible(world, call, &source.bucket, expected)?;
    let (version, object) = match bucket.version(&source.key, source.version.as_deref()) {
        Ok((version, object)) => (version, object.clone()),
        Err(error) => {
            let mut call = call.clone();
            call.input["Bucket"] = json!(source.bucket);
            return Err(objects::hide(world, &call, error));
        }
    };
    conditions::check_read(call, &conditions::OF_SOURCE, &object, version.modified)?;
    let id = bucket.shown_id(&version.id).remove("VersionId");
    Ok((object, id.and_then(|id| id.as_str().map(str::to_owned))))
}

/// `CopyObject`.
pub(super) fn object(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let key = names::key(call)?.to_owned();
    bucket::own(world, call)?;
    let (source, source_version) = source(world, call)?;
    let properties = match call.text("MetadataDirective") {
        None | Some("COPY") => {
            forbid_no_change(call)?;
            copied_properties(call, &source)?
        }
        Some("REPLACE") => Properties::of(call)?,
        Some(other) => {
            let message = "Unknown metadata directive.";
            return Err(invalid_argument(message, "x-amz-metadata-directive", other));
        }
    };
    let algorithm = objects::algorithm_of_copy(call, &source)?;
    let sum = Sum::of(algorithm, &source.bytes);
    let members = sum.members();
    let copy = Object::new(source.bytes, sum, properties);
    let etag = copy.etag.clone();
    let mut answer = objects::store(world, call, &key, copy)?;
    let mut result = json!({ "ETag": etag, "LastModified": iso_date(world.now) });
    if let (Some(head), Some(result)) = (answer.as_object_mut(), result.as_object_mut()) {
        // In a copy's answer, these are in the document.
        head.retain(|member, _| member != "ETag" && !members.contains_key(member));
        result.extend(members);
        if let Some(id) = source_version {
            head.insert("CopySourceVersionId".to_owned(), id.into());
        }
    }
    answer["CopyObjectResult"] = result;
    Ok(answer)
}

/// A copy keeps what describes the object, and is stored as the request says.
fn copied_properties(call: &Call, source: &Object) -> Result<Properties, ApiError> {
    let mut properties = Properties::of(call)?;
    let stored = [
        "BucketKeyEnabled",
        "SSEKMSKeyId",
        "ServerSideEncryption",
        "StorageClass",
    ];
    properties
        .members
        .retain(|member, _| stored.contains(&member.as_str()));
    for (member, value) in &source.properties.members {
        if !stored.contains(&member.as_str()) {
            properties.members.insert(member.clone(), value.clone());
        }
    }
    Ok(properties)
}

/// An object can be copied to itself only to change something about it.
fn forbid_no_change(call: &Call) -> Result<(), ApiError> {
    let same = Source::of(call).is_some_and(|source| {
        Some(source.bucket.as_str()) == call.text("Bucket")
            && Some(source.key.as_str()) == call.text("Key")
            && source.version.is_none()
    });
    let changes = [
        "ServerSideEncryption",
        "StorageClass",
        "WebsiteRedirectLocation",
    ];
    if same && !changes.iter().any(|member| call.text(member).is_some()) {
        let message = "This copy request is illegal because it is trying to copy an object to \
                       itself without changing the object's metadata, storage class, website \
                       redirect location or encryption attributes.";
        return Err(ApiError::new("InvalidRequest", message));
    }
    Ok(())
}

/// `UploadPartCopy`.
pub(super) fn part(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    bucket::own(world, call)?;
    let (source, source_version) = source(world, call)?;
    let range = conditions::source_range(call, source.bytes.len())?;
    if range.len() > LARGEST {
        return Err(objects::too_large(range.len() as u64));
    }
    let part = multipart::add(world, call, source.bytes.slice(range), None)?;
    let mut result = json!({ "ETag": part.etag, "LastModified": iso_date(part.modified) });
    let (member, sum) = part.sum.member();
    result[member] = sum;
    let mut answer = json!({ "CopyPartResult": result });
    if let Some(id) = source_version {
        answer["CopySourceVersionId"] = json!(id);
    }
    Ok(answer)
}
