use axum::http::Request;
use serde_json::json;

use super::*;

fn decoded(
    request: axum::http::request::Builder,
    body: &'static [u8],
) -> Result<Decoded, ApiError> {
    let (head, ()) = request.body(()).unwrap().into_parts();
    decode(&head, Bytes::from_static(body))
}

#[test]
fn method_path_and_query_make_the_operation() {
    for (method, uri, operation) in [
        ("GET", "/", "ListBuckets"),
        ("PUT", "/bucket", "CreateBucket"),
        ("GET", "/bucket/", "ListObjects"),
        ("GET", "/bucket?list-type=2&prefix=", "ListObjectsV2"),
        ("GET", "/bucket?location", "GetBucketLocation"),
        ("POST", "/bucket?delete", "DeleteObjects"),
        ("PUT", "/bucket/a/b?x-id=PutObject", "PutObject"),
        ("POST", "/bucket/a?uploads", "CreateMultipartUpload"),
        ("PUT", "/bucket/a?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/bucket/a?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE", "/bucket/a?uploadId=u", "AbortMultipartUpload"),
        ("DELETE", "/bucket/a?versionId=v", "DeleteObject"),
    ] {
        let request = Request::builder().method(method).uri(uri);
        assert_eq!(
            decoded(request, b"").unwrap().operation,
            operation,
            "{method} {uri}"
        );
    }
}

#[test]
fn what_s3_might_know_and_the_sandbox_does_not_is_never_taken_for_something_else() {
    for (method, uri) in [
        ("GET", "/bucket/a?acl"),
        ("GET", "/bucket?policy"),
        ("PUT", "/bucket?lifecycle"),
        ("PUT", "/bucket/a?tagging"),
        ("PUT", "/"),
    ] {
        let request = Request::builder().method(method).uri(uri);
        assert_eq!(
            decoded(request, b"").unwrap_err().status,
            501,
            "{method} {uri}"
        );
    }
    let request = Request::put("/bucket/a").header("x-amz-new-thing", "on");
    assert_eq!(decoded(request, b"").unwrap_err().status, 501);
}

#[test]
fn keys_are_decoded_once_and_keep_their_slashes() {
    let path = decoded(Request::get("/bucket//a%2520b/%C3%BC/"), b"").unwrap();
    assert_eq!(
        path.input,
        json!({ "Bucket": "bucket", "Key": "/a%20b/ü/" })
    );
    let host = Request::get("/a/b").header("host", "bucket.localhost:4566");
    let expected = json!({ "Bucket": "bucket", "Key": "a/b" });
    assert_eq!(decoded(host, b"").unwrap().input, expected);
    let plain = Request::get("/bucket/a/b").header("host", "localhost:4566");
    assert_eq!(decoded(plain, b"").unwrap().input, expected);
}

#[test]
fn chunks_are_put_together_and_what_follows_them_is_read() {
    let request = || {
        Request::put("/bucket/a")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", "5")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("content-encoding", "aws-chunked")
    };
    let body =
        b"3\r\nhel\r\n2;chunk-signature=x\r\nlo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let whole = decoded(request(), body).unwrap();
    assert_eq!(whole.payload, "hello");
    let expected = json!({ "Bucket": "bucket", "Key": "a", "ChecksumCRC32": "NhCmhg==" });
    assert_eq!(whole.input, expected);
    for (body, code) in [
        (
            &b"3\r\nhel\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"[..],
            "IncompleteBody",
        ),
        (b"5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
        (b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (b"5\r\nhel", "IncompleteBody"),
        (b"", "IncompleteBody"),
    ] {
        assert_eq!(decoded(request(), body).unwrap_err().code, code);
    }
}

#[test]
fn documents_are_read_and_those_that_are_none_refused() {
    let delete =
        b"<Delete xmlns=\"x\"><Object><Key>a &amp; b</Key></Object><Quiet>true</Quiet></Delete>";
    let read = decoded(Request::post("/bucket?delete"), delete).unwrap();
    let object = json!({ "Object": [{ "Key": "a & b" }], "Quiet": "true" });
    assert_eq!(read.input["Delete"], object);
    for body in [
        &b"<Delete>"[..],
        b"\xff",
        b"<!DOCTYPE d [<!ENTITY e 'x'>]><d>&e;</d>",
    ] {
        let error = decoded(Request::post("/bucket?delete"), body).unwrap_err();
        assert_eq!(error.code, "MalformedXML");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_head() {
    let mut headers = HeaderMap::new();
    check_length(&headers).unwrap();
    headers.insert("content-length", HeaderValue::from_static("5000000000"));
    let error = check_length(&headers).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("EntityTooLarge", 400));
    assert!(error.message.contains("in parts"));
}
