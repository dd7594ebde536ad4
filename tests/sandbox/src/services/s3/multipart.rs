//! Objects that come in parts.

use std::collections::BTreeMap;

use axum::body::Bytes;
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{
    bucket,
    buckets::owner,
    checksums::{self, Algorithm, Sum},
    invalid_argument,
    listing::{self, page_size},
    names,
    object::{Object, Properties, etag, hex, iso_date},
    objects::{self, malformed_xml},
};
use crate::world::{ApiError, Call, World};

/// The least bytes of every part but the last.
const SMALLEST_PART: usize = 5 << 20;

/// The highest number of a part.
const MOST_PARTS: u64 = 10_000;

/// An object whose parts are being uploaded.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Upload {
    key: String,
    started: Timestamp,
    properties: Properties,
    /// How it is summed up; nothing, if the request that began it did not say.
    algorithm: Option<Algorithm>,
    composite: bool,
    parts: BTreeMap<u64, Part>,
}

/// A part of an object.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Part {
    #[serde(with = "crate::state::bytes")]
    bytes: Bytes,
    pub(super) etag: String,
    pub(super) sum: Sum,
    pub(super) modified: Timestamp,
}

impl Upload {
    /// The bytes of its parts.
    pub(super) fn size(&self) -> usize {
        self.parts.values().map(|part| part.bytes.len()).sum()
    }
}

/// `CreateMultipartUpload`.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let key = names::key(call)?.to_owned();
    let name = call.text("Bucket").unwrap_or_default();
    bucket::own(world, call)?;
    let algorithm = Algorithm::named(call)?;
    let composite = match algorithm {
        None => false,
        Some(algorithm) => checksums::is_composite(call, algorithm)?,
    };
    let upload = Upload {
        key: key.clone(),
        started: world.now,
        properties: Properties::of(call)?,
        algorithm,
        composite,
        parts: BTreeMap::new(),
    };
    let mut answer = upload.properties.encryption();
    if let Some(algorithm) = algorithm {
        let kind = if composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        };
        answer.insert("ChecksumAlgorithm".to_owned(), algorithm.name().into());
        answer.insert("ChecksumType".to_owned(), kind.into());
    }
    let id = world.hex(&format!("S3 upload to {name}"));
    let document = json!({ "Bucket": name, "Key": key, "UploadId": id });
    answer.insert("InitiateMultipartUploadResult".to_owned(), document);
    let bucket = bucket::own_mut(world, call)?;
    bucket.uploads.insert(id, upload);
    Ok(Value::Object(answer))
}

/// `UploadPart`.
pub(super) fn upload(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let bytes = world.s3.brought();
    let sum = Sum::given(call, &bytes)?;
    let given = checksums::given(&call.input)?.map(|_| sum);
    let part = add(world, call, bytes, given)?;
    let mut answer = find(world, call)?.properties.encryption();
    answer.insert("ETag".to_owned(), part.etag.into());
    answer.extend([part.sum.member()]);
    Ok(Value::Object(answer))
}

/// Adds a part to an upload, with the checksum that came with it.
pub(super) fn add(
    world: &mut World,
    call: &Call,
    bytes: Bytes,
    given: Option<Sum>,
) -> Result<Part, ApiError> {
    let number = part_number(call)?;
    let upload = find(world, call)?;
    let sum = match (upload.algorithm, given) {
        (Some(wanted), Some(given)) if wanted != given.algorithm => {
            let name = |algorithm: Algorithm| algorithm.name().to_lowercase();
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum \
                 Type: {}",
                name(wanted),
                name(given.algorithm)
            );
            return Err(ApiError::new("InvalidRequest", message));
        }
        (_, Some(given)) => given,
        (wanted, None) => Sum::of(wanted.unwrap_or(Algorithm::Crc64), &bytes),
    };
    objects::make_room(world, bytes.len())?;
    let part = Part {
        etag: etag(&bytes),
        bytes,
        sum,
        modified: world.now,
    };
    let upload = find_mut(world, call)?;
    upload.parts.insert(number, part.clone());
    Ok(part)
}

fn part_number(call: &Call) -> Result<u64, ApiError> {
    let text = call.text("PartNumber").unwrap_or_default();
    let number = text.parse().ok();
    let number = number.filter(|number| (1..=MOST_PARTS).contains(number));
    number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        invalid_argument(message, "partNumber", text)
    })
}

/// The upload that the call is about; its key must be named, too.
fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Upload, ApiError> {
    let id = call.text("UploadId").unwrap_or_default();
    let upload = bucket::own(world, call)?.uploads.get(id);
    let upload = upload.filter(|upload| Some(upload.key.as_str()) == call.text("Key"));
    upload.ok_or_else(|| no_such_upload(id))
}

fn find_mut<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Upload, ApiError> {
    find(world, call)?;
    let id = call.text("UploadId").unwrap_or_default();
    let upload = bucket::own_mut(world, call)?.uploads.get_mut(id);
    upload.ok_or_else(|| no_such_upload(id))
}

fn no_such_upload(id: &str) -> ApiError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the \
                   upload may have been aborted or completed.";
    ApiError::with_status(404, "NoSuchUpload", message).with_member("UploadId", id)
}

/// `CompleteMultipartUpload`.
///
/// ASSUMED: an upload is gone once it is completed, so completing it again finds none.
pub(super) fn complete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let upload = find(world, call)?;
    let parts = chosen(call, upload)?;
    let object = assemble(upload, &parts);
    check_whole(call, &object)?;
    let (name, key) = (call.text("Bucket").unwrap_or_default(), upload.key.clone());
    let id = call.text("UploadId").unwrap_or_default();
    // The parts become the object, which then takes no more memory than they did.
    let kept = bucket::own_mut(world, call)?.uploads.remove(id);
    let (etag, sum) = (object.etag.clone(), object.sum.members());
    let stored = objects::store(world, call, &key, object);
    let mut answer = match (stored, kept) {
        (Ok(answer), _) => answer,
        (Err(error), Some(upload)) => {
            let bucket = bucket::own_mut(world, call)?;
            bucket.uploads.insert(id.to_owned(), upload);
            return Err(error);
        }
        (Err(error), None) => return Err(error),
    };
    let mut result = json!({
        "Location": format!("/{name}/{key}"),
        "Bucket": name,
        "Key": key,
        "ETag": etag,
    });
    if let (Some(head), Some(result)) = (answer.as_object_mut(), result.as_object_mut()) {
        head.retain(|member, _| member != "ETag" && !sum.contains_key(member));
        result.extend(sum);
    }
    answer["CompleteMultipartUploadResult"] = result;
    Ok(answer)
}

/// The parts that make up the object, which the request lists in order.
fn chosen<'a>(call: &Call, upload: &'a Upload) -> Result<Vec<&'a Part>, ApiError> {
    let listed = call.input["CompleteMultipartUpload"]["Part"].as_array();
    let listed = listed.filter(|parts| !parts.is_empty());
    let listed = listed.ok_or_else(malformed_xml)?;
    let mut parts: Vec<(u64, &Part)> = Vec::new();
    for wanted in listed {
        let number = wanted["PartNumber"].as_str().and_then(|it| it.parse().ok());
        let number: u64 = number.ok_or_else(malformed_xml)?;
        if parts.last().is_some_and(|(last, _)| number <= *last) {
            let message = "The list of parts was not in ascending order. Parts must be ordered by \
                           part number.";
            return Err(ApiError::new("InvalidPartOrder", message));
        }
        let part = upload.parts.get(&number);
        let part = part.filter(|part| is_meant(part, wanted));
        let part = part.ok_or_else(|| invalid_part(number))?;
        require_sum(upload, wanted, number)?;
        parts.push((number, part));
    }
    let mut all_but_last = parts.iter().take(parts.len() - 1);
    match all_but_last.find(|(_, part)| part.bytes.len() < SMALLEST_PART) {
        Some((number, part)) => Err(too_small(*number, part)),
        None => Ok(parts.into_iter().map(|(_, part)| part).collect()),
    }
}

fn is_meant(part: &Part, wanted: &Value) -> bool {
    let bare = |tag: &str| tag.trim_matches('"').to_owned();
    let tag = wanted["ETag"].as_str().map(bare);
    let (member, sum) = part.sum.member();
    tag.as_deref() == Some(part.etag.trim_matches('"'))
        && wanted.get(member).is_none_or(|given| *given == sum)
}

/// If the sums of the parts make up that of the object, whoever completes it must know them.
fn require_sum(upload: &Upload, wanted: &Value, number: u64) -> Result<(), ApiError> {
    let Some(algorithm) = upload.algorithm.filter(|_| upload.composite) else {
        return Ok(());
    };
    if wanted.get(algorithm.member()).is_some() {
        return Ok(());
    }
    let message = format!(
        "The upload was created using a {} checksum. The complete request must include the \
         checksum for each part. It was missing for part {number} in the request.",
        algorithm.name().to_lowercase()
    );
    Err(ApiError::new("InvalidRequest", message))
}

fn invalid_part(number: u64) -> ApiError {
    let message = "One or more of the specified parts could not be found.  The part may not have \
                   been uploaded, or the specified entity tag may not match the part's entity tag.";
    ApiError::new("InvalidPart", message).with_member("PartNumber", number)
}

fn too_small(number: u64, part: &Part) -> ApiError {
    let message = "Your proposed upload is smaller than the minimum allowed size";
    ApiError::new("EntityTooSmall", message)
        .with_member("ProposedSize", part.bytes.len())
        .with_member("MinSizeAllowed", SMALLEST_PART)
        .with_member("PartNumber", number)
        .with_member("ETag", part.etag.trim_matches('"'))
}

fn assemble(upload: &Upload, parts: &[&Part]) -> Object {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.bytes.len()).sum());
    let (mut tags, mut sums) = (Md5::new(), Vec::new());
    for part in parts {
        bytes.extend_from_slice(&part.bytes);
        tags.update(Md5::digest(&part.bytes));
        sums.extend_from_slice(&part.sum.value);
    }
    let algorithm = upload.algorithm.unwrap_or(Algorithm::Crc64);
    let sum = if upload.composite {
        Sum {
            parts: Some(parts.len()),
            ..Sum::of(algorithm, &sums)
        }
    } else {
        Sum::of(algorithm, &bytes)
    };
    Object {
        bytes: bytes.into(),
        etag: format!("\"{}-{}\"", hex(&tags.finalize()), parts.len()),
        sum,
        properties: upload.properties.clone(),
    }
}

/// What the request says about the whole must be true.
fn check_whole(call: &Call, object: &Object) -> Result<(), ApiError> {
    let size = call.text("MpuObjectSize").map(str::parse);
    if size.is_some_and(|size| size != Ok(object.bytes.len())) {
        let message = "The provided 'x-amz-mp-object-size' header value does not match what was \
                       computed.";
        return Err(ApiError::new("InvalidRequest", message));
    }
    let Some((algorithm, text)) = checksums::given(&call.input)? else {
        return Ok(());
    };
    // The composite form may be given with or without the number of parts.
    let sum = object.sum.text();
    let bare = sum.split('-').next().unwrap_or_default();
    if algorithm != object.sum.algorithm || (text != sum && text != bare) {
        let message = format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        );
        return Err(ApiError::new("BadDigest", message));
    }
    Ok(())
}

/// `AbortMultipartUpload`.
pub(super) fn abort(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    find(world, call)?;
    let id = call.text("UploadId").unwrap_or_default();
    bucket::own_mut(world, call)?.uploads.remove(id);
    Ok(Value::Null)
}

/// `ListParts`.
pub(super) fn list_parts(world: &World, call: &Call) -> Result<Value, ApiError> {
    let most = page_size(call, "MaxParts", "max-parts")?;
    let after = call.text("PartNumberMarker").unwrap_or("0");
    let after: u64 = after
        .parse()
        .map_err(|_| invalid_argument("Invalid marker", "part-number-marker", after))?;
    let upload = find(world, call)?;
    let mut parts = upload.parts.range(after + 1..);
    let shown: Vec<(&u64, &Part)> = parts.by_ref().take(most).collect();
    let mut result = json!({
        "Bucket": call.text("Bucket"),
        "Key": upload.key,
        "UploadId": call.text("UploadId"),
        "Owner": owner(&call.caller.account),
        "Initiator": owner(&call.caller.account),
        "StorageClass": "STANDARD",
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown.last().map_or(after, |(number, _)| **number),
        "MaxParts": most,
        "IsTruncated": parts.next().is_some(),
        "Part": shown.iter().map(|(number, part)| listed(**number, part)).collect::<Vec<_>>(),
    });
    if let Some(algorithm) = upload.algorithm {
        let kind = if upload.composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        };
        result["ChecksumAlgorithm"] = json!(algorithm.name());
        result["ChecksumType"] = json!(kind);
    }
    Ok(json!({ "ListPartsResult": result }))
}

fn listed(number: u64, part: &Part) -> Value {
    let mut shown = Map::from_iter([part.sum.member()]);
    shown.insert("PartNumber".to_owned(), number.into());
    shown.insert("LastModified".to_owned(), iso_date(part.modified));
    shown.insert("ETag".to_owned(), part.etag.as_str().into());
    shown.insert("Size".to_owned(), part.bytes.len().into());
    Value::Object(shown)
}

/// `ListMultipartUploads`, by key and age.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    super::unsupported(call, &["Delimiter"])?;
    let most = page_size(call, "MaxUploads", "max-uploads")?;
    let prefix = call.text("Prefix").unwrap_or_default();
    let key_marker = call.text("KeyMarker").unwrap_or_default();
    let id_marker = call.text("UploadIdMarker").unwrap_or_default();
    let bucket = bucket::own(world, call)?;
    let mut uploads: Vec<(&String, &Upload)> = bucket.uploads.iter().collect();
    uploads.sort_by_key(|(id, upload)| (&upload.key, upload.started, *id));
    let marked = uploads
        .iter()
        .position(|(id, upload)| upload.key == key_marker && *id == id_marker);
    let start = marked.map_or(0, |position| position + 1);
    let mut found: Vec<_> = uploads
        .into_iter()
        .skip(start)
        .filter(|(_, upload)| {
            upload.key.starts_with(prefix) && (marked.is_some() || upload.key.as_str() > key_marker)
        })
        .collect();
    let more = found.len() > most;
    found.truncate(most);
    let encoded = |text: &str| listing::encoded(call, text);
    let shown: Vec<Value> = found
        .iter()
        .map(|(id, upload)| {
            json!({
                "Key": encoded(&upload.key),
                "UploadId": id,
                "Owner": owner(&call.caller.account),
                "Initiator": owner(&call.caller.account),
                "StorageClass": "STANDARD",
                "Initiated": iso_date(upload.started),
            })
        })
        .collect();
    let mut result = json!({
        "Bucket": call.text("Bucket"),
        "KeyMarker": encoded(key_marker),
        "UploadIdMarker": id_marker,
        "MaxUploads": most,
        "IsTruncated": more,
        "EncodingType": call.text("EncodingType"),
        "Prefix": encoded(prefix),
        "Upload": shown,
    });
    if let (true, Some((id, upload))) = (more, found.last()) {
        result["NextKeyMarker"] = json!(encoded(&upload.key));
        result["NextUploadIdMarker"] = json!(id);
    }
    Ok(json!({ "ListMultipartUploadsResult": result }))
}
