//! Identifiers that look random and are the same in every run.

use std::{collections::BTreeMap, fmt::Write};

use sha2::{Digest, Sha256};

use super::World;

/// How many identifiers were asked for with each seed.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Identifiers(BTreeMap<String, u64>);

impl Identifiers {
    /// How many seeds there were.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl World {
    /// A new UUID, the same in every run: the n-th one asked for with this seed.
    pub fn uuid(&mut self, seed: &str) -> String {
        uuid_of(&self.hex(seed))
    }

    /// 64 new lower-case hexadecimal digits, the same in every run.
    pub fn hex(&mut self, seed: &str) -> String {
        let count = self.identifiers.0.entry(seed.to_owned()).or_default();
        *count += 1;
        nth_hex(seed, *count)
    }
}

/// A UUID for a seed that nobody uses twice.
pub(crate) fn only_uuid(seed: &str) -> String {
    uuid_of(&nth_hex(seed, 1))
}

fn uuid_of(hex: &str) -> String {
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

/// The n-th hexadecimal digits of a seed, of which whoever asks keeps count.
pub(crate) fn nth_hex(seed: &str, count: u64) -> String {
    let digest = Sha256::digest(format!("{seed}\0{count}"));
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
