//! Lists of objects and of their versions.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    bucket::{self, Bucket, Version},
    buckets::owner,
    invalid_argument,
    object::{Object, hex, iso_date},
    unsupported,
};
use crate::world::{ApiError, Call, World};

/// The most items of a page, and the default.
const PAGE: usize = 1000;

/// What is not encoded in the keys of lists.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/');

/// One line of a list.
#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Object(&'a str, &'a Version, &'a Object),
    /// What keys have in common up to the delimiter.
    Prefix(&'a str),
}

impl<'a> Item<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Object(text, ..) | Self::Prefix(text) => text,
        }
    }
}

/// Where a list goes on.
#[derive(Debug, Default)]
struct Start {
    after: String,
    /// A group of keys that was shown before, and everything in it with it.
    group: bool,
}

/// `ListObjects` and `ListObjectsV2`.
pub(super) fn objects(world: &World, call: &Call) -> Result<Value, ApiError> {
    let bucket = bucket::own(world, call)?;
    check_encoding(call)?;
    unsupported(call, &["OptionalObjectAttributes"])?;
    let second = call.operation == "ListObjectsV2";
    let most = page_size(call, "MaxKeys", "max-keys")?;
    let start = start(call, second)?;
    let mut items = items(bucket, call, &start);
    // Nothing is a page of its own, and there is no second one.
    let more = most > 0 && items.len() > most;
    items.truncate(most);
    let mut result = json!({
        "Name": call.text("Bucket"),
        "Prefix": encoded(call, call.text("Prefix").unwrap_or_default()),
        "MaxKeys": most,
        "IsTruncated": more,
    });
    copy(call, &mut result, "EncodingType", false);
    copy(call, &mut result, "Delimiter", true);
    let shows_owner = !second || call.text("FetchOwner") == Some("true");
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for item in &items {
        match item {
            Item::Prefix(prefix) => prefixes.push(json!({ "Prefix": encoded(call, prefix) })),
            Item::Object(key, version, object) => {
                let mut shown = object.listed(&encoded(call, key), version.modified);
                if shows_owner {
                    shown["Owner"] = owner(&bucket.owner);
                }
                contents.push(shown);
            }
        }
    }
    result["Contents"] = contents.into();
    result["CommonPrefixes"] = prefixes.into();
    let next = items.last().filter(|_| more);
    if second {
        result["KeyCount"] = json!(items.len());
        copy(call, &mut result, "StartAfter", true);
        copy(call, &mut result, "ContinuationToken", false);
        if let Some(next) = next {
            result["NextContinuationToken"] = json!(token(*next));
        }
    } else {
        let marker = call.text("Marker").unwrap_or_default();
        result["Marker"] = json!(encoded(call, marker));
        // Without a delimiter, clients go on from the last key.
        if let (Some(next), true) = (next, call.text("Delimiter").is_some()) {
            result["NextMarker"] = json!(encoded(call, next.text()));
        }
    }
    Ok(json!({ "ListBucketResult": result }))
}

fn copy(call: &Call, result: &mut Value, member: &str, encode: bool) {
    if let Some(text) = call.text(member) {
        result[member] = if encode {
            json!(encoded(call, text))
        } else {
            json!(text)
        };
    }
}

/// How many items a page has: no more than a thousand, whatever is asked for.
pub(super) fn page_size(call: &Call, member: &str, name: &str) -> Result<usize, ApiError> {
    let Some(text) = call.text(member) else {
        return Ok(PAGE);
    };
    match text.parse::<i32>().map(usize::try_from) {
        Ok(Ok(size)) => Ok(size.min(PAGE)),
        Ok(Err(_)) => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(invalid_argument(message, name, text))
        }
        Err(_) => {
            let message = format!("Provided {name} not an integer or within integer range");
            Err(invalid_argument(message, name, text))
        }
    }
}

fn start(call: &Call, second: bool) -> Result<Start, ApiError> {
    if !second {
        let marker = call.text("Marker").unwrap_or_default();
        let delimiter = call.text("Delimiter").unwrap_or_default();
        return Ok(Start {
            after: marker.to_owned(),
            group: !delimiter.is_empty() && marker.ends_with(delimiter),
        });
    }
    match call.text("ContinuationToken") {
        Some(token) => read_token(token).ok_or_else(|| {
            let message = "The continuation token provided is incorrect";
            invalid_argument(message, "continuation-token", token)
        }),
        None => Ok(Start {
            after: call.text("StartAfter").unwrap_or_default().to_owned(),
            group: false,
        }),
    }
}

/// A token is the last item of the page before: a key or what keys have in common.
fn token(item: Item<'_>) -> String {
    let kind = match item {
        Item::Object(..) => '1',
        Item::Prefix(_) => '2',
    };
    format!("{kind}{}", hex(item.text().as_bytes()))
}

fn read_token(token: &str) -> Option<Start> {
    let (kind, text) = token.split_at_checked(1)?;
    let digits = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(Start {
        after: String::from_utf8(bytes?).ok()?,
        group: match kind {
            "1" => false,
            "2" => true,
            _ => return None,
        },
    })
}

/// Everything that the list would show after its start.
fn items<'a>(bucket: &'a Bucket, call: &Call, start: &Start) -> Vec<Item<'a>> {
    let prefix = call.text("Prefix").unwrap_or_default();
    let delimiter = call.text("Delimiter").filter(|text| !text.is_empty());
    let mut items: Vec<Item<'a>> = Vec::new();
    for key in bucket.objects.keys() {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        let seen = start.group && key.starts_with(&start.after);
        let (false, Some((version, object))) = (seen, bucket.current(key)) else {
            continue;
        };
        if !start.after.is_empty() && *key <= start.after {
            continue;
        }
        let end = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let Some(end) = end else {
            items.push(Item::Object(key, version, object));
            continue;
        };
        let group = &key[..prefix.len() + end];
        let last = items.last();
        if !matches!(last, Some(Item::Prefix(last)) if *last == group) {
            items.push(Item::Prefix(group));
        }
    }
    items
}

fn check_encoding(call: &Call) -> Result<(), ApiError> {
    match call.text("EncodingType") {
        None | Some("url") => Ok(()),
        Some(other) => {
            let message = "Invalid Encoding Method specified in Request";
            Err(invalid_argument(message, "encoding-type", other))
        }
    }
}

/// A text as the list shall show it: XML has no words for every character of keys.
pub(super) fn encoded(call: &Call, text: &str) -> String {
    if call.text("EncodingType") == Some("url") {
        utf8_percent_encode(text, PLAIN).to_string()
    } else {
        text.to_owned()
    }
}

/// `ListObjectVersions`: the newest first of each key.
pub(super) fn versions(world: &World, call: &Call) -> Result<Value, ApiError> {
    unsupported(call, &["Delimiter", "OptionalObjectAttributes"])?;
    check_encoding(call)?;
    let bucket = bucket::own(world, call)?;
    let most = page_size(call, "MaxKeys", "max-keys")?;
    let prefix = call.text("Prefix").unwrap_or_default();
    let (key_marker, id_marker) = (
        call.text("KeyMarker").unwrap_or_default(),
        call.text("VersionIdMarker"),
    );
    let all = bucket
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix));
    let all = all.flat_map(|(key, versions)| {
        let versions = versions.iter().rev().enumerate();
        versions.map(move |(age, version)| (key.as_str(), version, age == 0))
    });
    let mut passed = id_marker.is_none();
    let mut found: Vec<_> = all
        .filter(|(key, version, ..)| {
            if *key != key_marker {
                return *key > key_marker;
            }
            // After the marker, the older versions of its key follow.
            let shown = passed && id_marker.is_some();
            passed |= id_marker == Some(version.id.as_str());
            shown
        })
        .collect();
    let more = most > 0 && found.len() > most;
    found.truncate(most);
    let (mut objects, mut markers) = (Vec::new(), Vec::new());
    for (key, version, latest) in &found {
        let key = encoded(call, key);
        let mut shown = match &version.object {
            Some(object) => object.listed(&key, version.modified),
            None => json!({ "Key": key, "LastModified": iso_date(version.modified) }),
        };
        shown["VersionId"] = json!(version.id);
        shown["IsLatest"] = json!(latest);
        shown["Owner"] = owner(&bucket.owner);
        match version.object {
            Some(_) => objects.push(shown),
            None => markers.push(shown),
        }
    }
    let mut result = json!({
        "Name": call.text("Bucket"),
        "Prefix": encoded(call, prefix),
        "KeyMarker": encoded(call, key_marker),
        "VersionIdMarker": id_marker.unwrap_or_default(),
        "MaxKeys": most,
        "IsTruncated": more,
        "Version": objects,
        "DeleteMarker": markers,
    });
    copy(call, &mut result, "EncodingType", false);
    if let (true, Some((key, version, ..))) = (more, found.last()) {
        result["NextKeyMarker"] = json!(encoded(call, key));
        result["NextVersionIdMarker"] = json!(version.id);
    }
    Ok(json!({ "ListVersionsResult": result }))
}
