//! What buckets and keys may be called.

use crate::world::{ApiError, Call};

/// The longest key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// Whether a bucket may have this name.
///
/// Source: S3 user guide, "General purpose bucket naming rules".
pub(super) fn is_bucket(name: &str) -> bool {
    let inner = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    let outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| inner(*byte))
        && outer(bytes.first())
        && outer(bytes.last())
        && !name.contains("..")
        && !is_address(name)
        && !["xn--", "sthree-", "amzn-s3-demo-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The key that a call is about.
pub(super) fn key(call: &Call) -> Result<&str, ApiError> {
    let key = call.text("Key").unwrap_or_default();
    if key.len() > LONGEST_KEY {
        let error = ApiError::new("KeyTooLongError", "Your key is too long");
        return Err(error
            .with_member("Size", key.len())
            .with_member("MaxSizeAllowed", LONGEST_KEY));
    }
    Ok(key)
}
