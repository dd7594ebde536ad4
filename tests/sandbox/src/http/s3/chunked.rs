//! Bodies in the encoding `aws-chunked`, in which clients sign chunks and append checksums.
//!
//! Source: S3 API reference, "Signature calculations for the authorization
//! header: transferring payload in multiple chunks". Signatures are not verified.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName},
};

use crate::world::ApiError;

/// Trailing headers, their names in lower case.
type Trailers = Vec<(String, String)>;

/// The bytes that are meant, and the headers that follow them.
pub(super) fn decode(headers: &HeaderMap, body: Bytes) -> Result<(Bytes, Trailers), ApiError> {
    let text = |name: &str| headers.get(HeaderName::try_from(name).ok()?)?.to_str().ok();
    let streams = |hash: &str| hash.starts_with("STREAMING-");
    if !text("x-amz-content-sha256").is_some_and(streams) {
        return Ok((body, Trailers::new()));
    }
    let (bytes, trailers) = read(&body).ok_or_else(incomplete)?;
    let length = text("x-amz-decoded-content-length").and_then(|it| it.parse::<usize>().ok());
    if length.is_some_and(|length| length != bytes.len()) {
        return Err(incomplete());
    }
    let promised = text("x-amz-trailer")
        .into_iter()
        .flat_map(|it| it.split(','));
    for name in promised.map(|name| name.trim().to_lowercase()) {
        if !trailers.iter().any(|(found, _)| *found == name) {
            let message = "The request contained trailing data that was not well-formed or did \
                           not conform to our published schema.";
            return Err(ApiError::new("MalformedTrailerError", message));
        }
    }
    Ok((bytes.into(), trailers))
}

fn incomplete() -> ApiError {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP \
                   header";
    ApiError::new("IncompleteBody", message)
}

fn read(mut body: &[u8]) -> Option<(Vec<u8>, Trailers)> {
    let mut bytes = Vec::with_capacity(body.len());
    loop {
        let line = take_line(&mut body)?;
        // What follows the size is the signature of the chunk.
        let size = line.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some((bytes, read_trailers(body)?));
        }
        bytes.extend_from_slice(body.get(..size)?);
        body = body.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn read_trailers(mut body: &[u8]) -> Option<Trailers> {
    let mut trailers = Trailers::new();
    while !body.is_empty() {
        let line = take_line(&mut body)?;
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    Some(trailers)
}

fn take_line<'a>(body: &mut &'a [u8]) -> Option<&'a str> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&body[..end]).ok()?;
    *body = &body[end + 2..];
    Some(line)
}
