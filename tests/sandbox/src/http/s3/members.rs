//! The members of inputs and outputs that are headers or stand in the query.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};
use serde_json::{Map, Value};

use crate::world::ApiError;

/// Headers of requests and answers, and how the service model calls them.
const HEADERS: &[(&str, &str)] = &[
    ("accept-ranges", "AcceptRanges"),
    ("cache-control", "CacheControl"),
    ("content-disposition", "ContentDisposition"),
    ("content-encoding", "ContentEncoding"),
    ("content-language", "ContentLanguage"),
    ("content-md5", "ContentMD5"),
    ("content-range", "ContentRange"),
    ("content-type", "ContentType"),
    ("etag", "ETag"),
    ("expires", "Expires"),
    ("if-match", "IfMatch"),
    ("if-modified-since", "IfModifiedSince"),
    ("if-none-match", "IfNoneMatch"),
    ("if-unmodified-since", "IfUnmodifiedSince"),
    ("last-modified", "LastModified"),
    ("location", "Location"),
    ("range", "Range"),
    ("x-amz-access-point-alias", "AccessPointAlias"),
    ("x-amz-acl", "ACL"),
    (
        "x-amz-bucket-object-lock-enabled",
        "ObjectLockEnabledForBucket",
    ),
    ("x-amz-bucket-region", "BucketRegion"),
    ("x-amz-checksum-algorithm", "ChecksumAlgorithm"),
    ("x-amz-checksum-crc32", "ChecksumCRC32"),
    ("x-amz-checksum-crc32c", "ChecksumCRC32C"),
    ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME"),
    ("x-amz-checksum-mode", "ChecksumMode"),
    ("x-amz-checksum-sha1", "ChecksumSHA1"),
    ("x-amz-checksum-sha256", "ChecksumSHA256"),
    ("x-amz-checksum-type", "ChecksumType"),
    ("x-amz-copy-source", "CopySource"),
    ("x-amz-copy-source-if-match", "CopySourceIfMatch"),
    (
        "x-amz-copy-source-if-modified-since",
        "CopySourceIfModifiedSince",
    ),
    ("x-amz-copy-source-if-none-match", "CopySourceIfNoneMatch"),
    (
        "x-amz-copy-source-if-unmodified-since",
        "CopySourceIfUnmodifiedSince",
    ),
    ("x-amz-copy-source-range", "CopySourceRange"),
    (
        "x-amz-copy-source-server-side-encryption-customer-algorithm",
        "CopySourceSSECustomerAlgorithm",
    ),
    ("x-amz-copy-source-version-id", "CopySourceVersionId"),
    ("x-amz-delete-marker", "DeleteMarker"),
    ("x-amz-expected-bucket-owner", "ExpectedBucketOwner"),
    ("x-amz-grant-full-control", "GrantFullControl"),
    ("x-amz-grant-read", "GrantRead"),
    ("x-amz-grant-read-acp", "GrantReadACP"),
    ("x-amz-grant-write", "GrantWrite"),
    ("x-amz-grant-write-acp", "GrantWriteACP"),
    ("x-amz-metadata-directive", "MetadataDirective"),
    ("x-amz-mfa", "MFA"),
    ("x-amz-mp-object-size", "MpuObjectSize"),
    ("x-amz-object-lock-legal-hold", "ObjectLockLegalHoldStatus"),
    ("x-amz-object-lock-mode", "ObjectLockMode"),
    (
        "x-amz-object-lock-retain-until-date",
        "ObjectLockRetainUntilDate",
    ),
    ("x-amz-object-ownership", "ObjectOwnership"),
    (
        "x-amz-optional-object-attributes",
        "OptionalObjectAttributes",
    ),
    ("x-amz-server-side-encryption", "ServerSideEncryption"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "SSEKMSKeyId"),
    (
        "x-amz-server-side-encryption-bucket-key-enabled",
        "BucketKeyEnabled",
    ),
    (
        "x-amz-server-side-encryption-context",
        "SSEKMSEncryptionContext",
    ),
    (
        "x-amz-server-side-encryption-customer-algorithm",
        "SSECustomerAlgorithm",
    ),
    (
        "x-amz-source-expected-bucket-owner",
        "ExpectedSourceBucketOwner",
    ),
    ("x-amz-storage-class", "StorageClass"),
    ("x-amz-tagging", "Tagging"),
    ("x-amz-version-id", "VersionId"),
    ("x-amz-website-redirect-location", "WebsiteRedirectLocation"),
    ("x-amz-write-offset-bytes", "WriteOffsetBytes"),
];

/// Headers that carry the request itself, or change nothing about what it does.
const IGNORED: &[&str] = &[
    "x-amz-content-sha256",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    // Tags are refused where they are given; no object has any to copy.
    "x-amz-tagging-directive",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// Members that stand in the query.
const QUERY: &[(&str, &str)] = &[
    ("bucket-region", "BucketRegion"),
    ("continuation-token", "ContinuationToken"),
    ("delimiter", "Delimiter"),
    ("encoding-type", "EncodingType"),
    ("fetch-owner", "FetchOwner"),
    ("key-marker", "KeyMarker"),
    ("marker", "Marker"),
    ("max-buckets", "MaxBuckets"),
    ("max-keys", "MaxKeys"),
    ("max-parts", "MaxParts"),
    ("max-uploads", "MaxUploads"),
    ("part-number-marker", "PartNumberMarker"),
    ("partNumber", "PartNumber"),
    ("prefix", "Prefix"),
    ("response-cache-control", "ResponseCacheControl"),
    ("response-content-disposition", "ResponseContentDisposition"),
    ("response-content-encoding", "ResponseContentEncoding"),
    ("response-content-language", "ResponseContentLanguage"),
    ("response-content-type", "ResponseContentType"),
    ("response-expires", "ResponseExpires"),
    ("start-after", "StartAfter"),
    ("upload-id-marker", "UploadIdMarker"),
    ("uploadId", "UploadId"),
    ("version-id-marker", "VersionIdMarker"),
    ("versionId", "VersionId"),
    // SDKs name the operation once more.
    ("x-id", ""),
];

const METADATA: &str = "x-amz-meta-";

/// Whether a name in a query is that of a member.
pub(super) fn is_known(name: &str) -> bool {
    QUERY.iter().any(|(known, _)| *known == name)
}

/// Reads the members that stand in the query.
pub(super) fn of_query(
    query: &[(String, String)],
    input: &mut Map<String, Value>,
) -> Result<(), ApiError> {
    for (name, value) in query {
        let known = QUERY.iter().find(|(known, _)| known == name);
        let Some((_, member)) = known.filter(|(_, member)| !member.is_empty()) else {
            continue;
        };
        let value = Value::from(value.as_str());
        if input.insert((*member).to_owned(), value).is_some() {
            let message = format!("The parameter {name} is given twice");
            return Err(ApiError::new("InvalidArgument", message));
        }
    }
    Ok(())
}

/// Reads the members that are headers; one that S3 might know and the sandbox does not is refused.
pub(super) fn of_headers(
    headers: &HeaderMap,
    input: &mut Map<String, Value>,
) -> Result<(), ApiError> {
    let mut metadata = Map::new();
    for (name, value) in headers {
        let name = name.as_str();
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if let Some(own) = name.strip_prefix(METADATA) {
            metadata.insert(own.to_owned(), value.into());
        } else if let Some((_, member)) = HEADERS.iter().find(|(known, _)| *known == name) {
            if let Some(value) = meant(name, value) {
                input.insert((*member).to_owned(), value.into());
            }
        } else if name.starts_with("x-amz-") && !IGNORED.contains(&name) {
            let message = format!("s3: the header {name} is not implemented in the sandbox");
            return Err(ApiError::with_status(501, "NotImplemented", message));
        }
    }
    if !metadata.is_empty() {
        input.insert("Metadata".to_owned(), metadata.into());
    }
    Ok(())
}

/// The value of a header without what is only about the way of the body.
fn meant(name: &str, value: String) -> Option<String> {
    if name != "content-encoding" {
        return Some(value);
    }
    let encodings = value.split(',').map(str::trim);
    let kept: Vec<&str> = encodings
        .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// Reads the checksums that follow a body.
pub(super) fn of_trailers(trailers: &[(String, String)], input: &mut Map<String, Value>) {
    for (name, value) in trailers {
        if let Some((_, member)) = HEADERS.iter().find(|(known, _)| known == name) {
            input.insert((*member).to_owned(), value.as_str().into());
        }
    }
}

/// Writes the members of an answer that are headers.
pub(super) fn write_headers(output: &Map<String, Value>, response: &mut Response) {
    let mut add = |name: &str, value: &str| {
        let name = HeaderName::try_from(name);
        // Values come from requests as bytes, and go back as they came.
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    };
    for (member, value) in output {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => continue,
        };
        if member == "ContentLength" {
            add("content-length", &text);
        } else if let Some((name, _)) = HEADERS.iter().find(|(_, known)| known == member) {
            add(name, &text);
        }
    }
    for (name, value) in output
        .get("Metadata")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        add(
            &format!("{METADATA}{name}"),
            value.as_str().unwrap_or_default(),
        );
    }
}
