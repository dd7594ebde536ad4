//! An object: its bytes and what S3 keeps with them.

use axum::body::Bytes;
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{checksums::Sum, unsupported};
use crate::world::{ApiError, Call};

/// The members of a request that are kept and shown as they were given.
const KEPT: &[&str] = &[
    "BucketKeyEnabled",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "WebsiteRedirectLocation",
];

/// The members of a request that the sandbox has nothing for.
const UNSUPPORTED: &[&str] = &[
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWriteACP",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "SSECustomerAlgorithm",
    "SSEKMSEncryptionContext",
    "Tagging",
    "WriteOffsetBytes",
];

/// The most bytes of an object's own metadata.
const LARGEST_METADATA: usize = 2048;

/// Everything about an object but its key and its bytes.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Properties {
    /// The members that were given with it, in the names of the service model.
    pub(super) members: Map<String, Value>,
}

impl Properties {
    /// The properties that a request gives a new object.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        unsupported(call, UNSUPPORTED)?;
        accept_acl(call)?;
        let mut members = Map::new();
        let given = |member: &str| call.input.get(member).cloned();
        for member in KEPT {
            if let Some(value) = given(member) {
                members.insert((*member).to_owned(), value);
            }
        }
        if let Some(metadata) = given("Metadata") {
            check_metadata(&metadata)?;
            members.insert("Metadata".to_owned(), metadata);
        }
        let mut default = |member: &str, value: &str| {
            let member = members.entry(member.to_owned());
            member.or_insert_with(|| value.into());
        };
        default("ContentType", "binary/octet-stream");
        default("ServerSideEncryption", "AES256");
        Ok(Self { members })
    }

    /// The members that answers show to whoever writes the object.
    pub(super) fn encryption(&self) -> Map<String, Value> {
        let shown = ["BucketKeyEnabled", "SSEKMSKeyId", "ServerSideEncryption"];
        let members = shown.iter().filter_map(|member| {
            let value = self.members.get(*member)?.clone();
            Some(((*member).to_owned(), value))
        });
        members.collect()
    }
}

/// New buckets have their owner enforced, and then take no other lists than this one.
fn accept_acl(call: &Call) -> Result<(), ApiError> {
    match call.text("ACL") {
        None | Some("bucket-owner-full-control") => Ok(()),
        Some(_) => Err(ApiError::new(
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        )),
    }
}

fn check_metadata(metadata: &Value) -> Result<(), ApiError> {
    let entries = metadata.as_object().into_iter().flatten();
    let size = |value: &Value| value.as_str().map_or(0, str::len);
    let size: usize = entries.map(|(name, value)| name.len() + size(value)).sum();
    if size > LARGEST_METADATA {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        let error = ApiError::new("MetadataTooLarge", message);
        return Err(error
            .with_member("Size", size)
            .with_member("MaxSizeAllowed", LARGEST_METADATA));
    }
    Ok(())
}

/// An object as it is stored.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Object {
    #[serde(with = "crate::state::bytes")]
    pub(super) bytes: Bytes,
    /// In quotes.
    pub(super) etag: String,
    pub(super) sum: Sum,
    pub(super) properties: Properties,
}

impl Object {
    /// An object that came in one piece.
    pub(super) fn new(bytes: Bytes, sum: Sum, properties: Properties) -> Self {
        Self {
            etag: etag(&bytes),
            bytes,
            sum,
            properties,
        }
    }

    /// The members that the heads of `GetObject` and `HeadObject` have.
    pub(super) fn shown(&self, modified: Timestamp) -> Map<String, Value> {
        let mut shown = self.properties.members.clone();
        // Objects of the default class have no header for it.
        if shown.get("StorageClass").is_some_and(|it| it == "STANDARD") {
            shown.remove("StorageClass");
        }
        shown.insert("AcceptRanges".to_owned(), "bytes".into());
        shown.insert("ContentLength".to_owned(), self.bytes.len().into());
        shown.insert("ETag".to_owned(), self.etag.as_str().into());
        shown.insert("LastModified".to_owned(), http_date(modified));
        shown
    }

    /// The members that lists show.
    pub(super) fn listed(&self, key: &str, modified: Timestamp) -> Value {
        let class = self.properties.members.get("StorageClass");
        json!({
            "Key": key,
            "LastModified": iso_date(modified),
            "ETag": self.etag,
            "ChecksumAlgorithm": self.sum.algorithm.name(),
            "ChecksumType": self.sum.kind(),
            "Size": self.bytes.len(),
            "StorageClass": class.cloned().unwrap_or_else(|| "STANDARD".into()),
        })
    }
}

/// The entity tag of bytes that came in one piece.
pub(super) fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::digest(bytes)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A time as headers have it.
pub(super) fn http_date(time: Timestamp) -> Value {
    let date = time.strftime("%a, %d %b %Y %H:%M:%S GMT");
    Value::from(date.to_string())
}

/// A time as documents have it.
pub(super) fn iso_date(time: Timestamp) -> Value {
    let date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z");
    Value::from(date.to_string())
}
