//! The checksums that clients send, and those that S3 keeps.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use md5::Md5;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::invalid_argument;
use crate::world::{ApiError, Call};

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The name that the service model has for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64 => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The member that carries a checksum of this kind.
    pub(super) fn member(self) -> String {
        format!("Checksum{}", self.name())
    }

    /// The one that a request names.
    pub(super) fn named(call: &Call) -> Result<Option<Self>, ApiError> {
        let Some(name) = call.text("ChecksumAlgorithm") else {
            return Ok(None);
        };
        let known = Self::ALL.into_iter().find(|it| it.name() == name);
        known.map(Some).ok_or_else(|| {
            let message = "Checksum algorithm provided is unsupported. Please try again with any \
                           of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
            ApiError::new("InvalidRequest", message)
        })
    }

    /// The checksum of these bytes.
    pub(super) fn sum(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 => CRC32.checksum(bytes).to_be_bytes().to_vec(),
            Self::Crc32c => CRC32C.checksum(bytes).to_be_bytes().to_vec(),
            Self::Crc64 => CRC64.checksum(bytes).to_be_bytes().to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }
}

/// The checksum of an object or a part.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Sum {
    pub(super) algorithm: Algorithm,
    pub(super) value: Vec<u8>,
    /// The number of parts, if the sum is one of the sums of the parts.
    pub(super) parts: Option<usize>,
}

impl Sum {
    /// The checksum of something whole.
    pub(super) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self {
            algorithm,
            value: algorithm.sum(bytes),
            parts: None,
        }
    }

    /// The checksum that a request gives for its body, once it was found to be true.
    ///
    /// Without one, S3 makes its own.
    pub(super) fn given(call: &Call, bytes: &[u8]) -> Result<Self, ApiError> {
        check_md5(call, bytes)?;
        let sum = match given(&call.input)? {
            None => return Ok(Self::of(Algorithm::Crc64, bytes)),
            Some((algorithm, text)) => {
                let sum = Self::of(algorithm, bytes);
                if sum.text() != text {
                    return Err(bad_digest(algorithm.name()));
                }
                sum
            }
        };
        Ok(sum)
    }

    /// The checksum as text.
    pub(super) fn text(&self) -> String {
        let text = BASE64.encode(&self.value);
        match self.parts {
            None => text,
            Some(parts) => format!("{text}-{parts}"),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.parts {
            None => "FULL_OBJECT",
            Some(_) => "COMPOSITE",
        }
    }

    /// The members that show it.
    pub(super) fn members(&self) -> Map<String, Value> {
        [
            (self.algorithm.member(), Value::from(self.text())),
            ("ChecksumType".to_owned(), self.kind().into()),
        ]
        .into_iter()
        .collect()
    }

    /// The only member of a part's answer.
    pub(super) fn member(&self) -> (String, Value) {
        (self.algorithm.member(), self.text().into())
    }
}

/// The checksum that an object of JSON has, if it has one.
pub(super) fn given(input: &Value) -> Result<Option<(Algorithm, &str)>, ApiError> {
    let mut sums = Algorithm::ALL.into_iter().filter_map(|algorithm| {
        let text = input.get(algorithm.member())?.as_str()?;
        Some((algorithm, text))
    });
    let Some((algorithm, text)) = sums.next() else {
        return Ok(None);
    };
    if sums.next().is_some() {
        let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not \
                       allowed.";
        return Err(ApiError::new("InvalidRequest", message));
    }
    let length = algorithm.sum(b"").len();
    let decoded = BASE64.decode(text.split('-').next().unwrap_or_default());
    if decoded.is_ok_and(|value| value.len() == length) {
        return Ok(Some((algorithm, text)));
    }
    let name = algorithm.name().to_lowercase();
    let message = format!("Value for x-amz-checksum-{name} header is invalid.");
    Err(ApiError::new("InvalidRequest", message))
}

/// The header of old; `DeleteObjects` and old clients still have it.
fn check_md5(call: &Call, bytes: &[u8]) -> Result<(), ApiError> {
    let Some(text) = call.text("ContentMD5") else {
        return Ok(());
    };
    match BASE64.decode(text) {
        Ok(value) if value.len() == 16 => {}
        _ => {
            let message = "The Content-MD5 you specified was invalid.";
            return Err(ApiError::new("InvalidDigest", message).with_member("Content-MD5", text));
        }
    }
    if BASE64.encode(Md5::digest(bytes)) == text {
        Ok(())
    } else {
        Err(bad_digest("Content-MD5"))
    }
}

fn bad_digest(name: &str) -> ApiError {
    let message = format!("The {name} you specified did not match the calculated checksum.");
    ApiError::new("BadDigest", message)
}

/// How the checksum of an object in parts comes about: from the whole, or from the parts' own.
pub(super) fn is_composite(call: &Call, algorithm: Algorithm) -> Result<bool, ApiError> {
    let sha = matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
    let kind = call.text("ChecksumType");
    match kind {
        None => Ok(algorithm != Algorithm::Crc64),
        Some("FULL_OBJECT") if !sha => Ok(false),
        Some("COMPOSITE") if algorithm != Algorithm::Crc64 => Ok(true),
        Some(kind @ ("FULL_OBJECT" | "COMPOSITE")) => {
            let algorithm = algorithm.name().to_lowercase();
            let message = format!(
                "The {kind} checksum type cannot be used with the {algorithm} checksum algorithm."
            );
            Err(ApiError::new("InvalidRequest", message))
        }
        Some(kind) => Err(invalid_argument(
            "Value for x-amz-checksum-type header is invalid.",
            "x-amz-checksum-type",
            kind,
        )),
    }
}
