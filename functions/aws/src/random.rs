//! What nobody can guess.

use std::{fmt::Write, fs::File, io::Read};

use crate::error::{Error, Service};

/// 64 hexadecimal digits of the system's random numbers.
pub fn secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    let source = File::open("/dev/urandom");
    source
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| {
            let system = Service::new("system", None);
            system.refused("ReadRandom", None, error.to_string())
        })?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_never_the_same() {
        let (one, other) = (secret().unwrap(), secret().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
