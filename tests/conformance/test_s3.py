"""S3: buckets, objects in one piece and in parts, versions, errors, and definitions of pipelines."""

import base64
import http.client
import io
import json
import os
import zlib
from urllib.parse import urlsplit
from xml.etree import ElementTree

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import pipelines
from cases import Case, each
from estate import REGION
from test_cli import Cli

ERRORS = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
CREATE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"
GET = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"
PARTS = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"
OWNER = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"
WRITES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"
PIPELINE = pipelines.SOURCE

WHO, OTHER = "490000000001", "490000000002"
BUCKET, VERSIONED, ABROAD = "conformance-plain", "conformance-versioned", "conformance-abroad"
CHUNK = 5 << 20


@pytest.fixture(scope="module", name="s3")
def buckets(context):
    """Buckets, a few objects, an upload under way, and definitions of pipelines."""
    call = lambda operation, **members: context.call(WHO, "s3", operation, **members)  # noqa: E731
    call("CreateBucket", Bucket=BUCKET)
    call("CreateBucket", Bucket=VERSIONED)
    call("PutBucketVersioning", Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    context.estate.call(
        WHO, "s3", "CreateBucket", "eu-west-1", Bucket=ABROAD, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    for key in ("a/1", "a/2", "b", "c&<ü /d"):
        call("PutObject", Bucket=BUCKET, Key=key, Body=key.encode(), Metadata={"of": "test"})
    context.etag = call("HeadObject", Bucket=BUCKET, Key="b")["ETag"]
    context.upload = call("CreateMultipartUpload", Bucket=BUCKET, Key="parts")["UploadId"]
    members = {"Bucket": BUCKET, "Key": "parts", "UploadId": context.upload}
    context.parts = [
        call("UploadPart", **members, PartNumber=number, Body=b"little")["ETag"] for number in (1, 2)
    ]
    context.old = call("PutObject", Bucket=VERSIONED, Key="definition", Body=pipelines.definition(pipelines.step("Old")))["VersionId"]
    call("PutObject", Bucket=VERSIONED, Key="definition", Body=pipelines.definition(pipelines.step("New")))
    call("PutObject", Bucket=BUCKET, Key="nonsense", Body=b"{")
    call("PutObject", Bucket=BUCKET, Key="endless", Body=b" " * (1 << 20) + pipelines.definition().encode())
    return context


def complete(*parts):
    """The arguments that complete the upload with these numbers and entity tags."""
    return lambda context: {
        "Bucket": BUCKET, "Key": "parts", "UploadId": context.upload,
        "MultipartUpload": {"Parts": [{"PartNumber": number, "ETag": tag(context)} for number, tag in parts]},
    }


def first(context):
    return context.parts[0]


def second(context):
    return context.parts[1]


def refused(name, operation, error, source=ERRORS, who=WHO, message="", **arguments):
    return Case(name, who, "s3", operation, source, arguments, error=error, message=message)


@each([
    refused("a bucket that is not there", "ListObjectsV2", "NoSuchBucket", Bucket="conformance-none"),
    refused("a bucket that is not there, by HEAD", "HeadBucket", "404", Bucket="conformance-none"),
    refused("a name in capitals", "CreateBucket", "InvalidBucketName", CREATE, Bucket="Conformance"),
    refused("somebody else's name", "CreateBucket", "BucketAlreadyExists", CREATE, OTHER, Bucket=BUCKET),
    refused("a location that is none", "CreateBucket", "InvalidLocationConstraint", CREATE, Bucket="conformance-x",
            CreateBucketConfiguration={"LocationConstraint": "nowhere"}),
    refused("a bucket of another account", "ListObjectsV2", "AccessDenied", who=OTHER, Bucket=BUCKET),
    refused("an object of another account", "GetObject", "AccessDenied", who=OTHER, Bucket=BUCKET, Key="b"),
    refused("a bucket of another account, by HEAD", "HeadBucket", "403", who=OTHER, Bucket=BUCKET),
    refused("another owner than expected", "PutObject", "AccessDenied", OWNER, Bucket=BUCKET, Key="b", ExpectedBucketOwner=OTHER),
    refused("an owner that is no account", "GetObject", "InvalidArgument", OWNER, Bucket=BUCKET, Key="b", ExpectedBucketOwner="me"),
    refused("a bucket that is not empty", "DeleteBucket", "BucketNotEmpty", Bucket=BUCKET),
    refused("a key that is not there", "GetObject", "NoSuchKey", Bucket=BUCKET, Key="none"),
    refused("a key that is not there, by HEAD", "HeadObject", "404", Bucket=BUCKET, Key="none"),
    refused("a key that is too long", "PutObject", "KeyTooLongError", Bucket=BUCKET, Key="k" * 1025),
    refused("a version that is not there", "GetObject", "NoSuchVersion", Bucket=VERSIONED, Key="definition", VersionId="none"),
    refused("a range behind the end", "GetObject", "InvalidRange", GET, Bucket=BUCKET, Key="b", Range="bytes=9-"),
    refused("another entity tag", "GetObject", "PreconditionFailed", GET, Bucket=BUCKET, Key="b", IfMatch='"x"'),
    refused("what is there already", "PutObject", "PreconditionFailed", WRITES, Bucket=BUCKET, Key="b", IfNoneMatch="*"),
    refused("a checksum that is wrong", "PutObject", "BadDigest", Bucket=BUCKET, Key="b", Body=b"x", ChecksumCRC32="AAAAAA=="),
    refused("a checksum that is none", "PutObject", "InvalidRequest", Bucket=BUCKET, Key="b", Body=b"x", ChecksumCRC32="x"),
    refused("an MD5 that is wrong", "PutObject", "BadDigest", Bucket=BUCKET, Key="b", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA=="),
    refused("a list of access", "PutObject", "AccessControlListNotSupported", Bucket=BUCKET, Key="b", ACL="public-read"),
    refused("a copy of nothing", "CopyObject", "NoSuchKey", Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/none"),
    refused("a copy from another account", "CopyObject", "AccessDenied", who=OTHER, Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/b"),
    refused("a copy of an object to itself", "CopyObject", "InvalidRequest", Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/b"),
    refused("a page size that is none", "ListObjectsV2", "InvalidArgument", Bucket=BUCKET, MaxKeys=-1),
    refused("a token that nobody gave", "ListObjectsV2", "InvalidArgument", Bucket=BUCKET, ContinuationToken="x"),
    refused("a part of no upload", "UploadPart", "NoSuchUpload", Bucket=BUCKET, Key="parts", UploadId="none", PartNumber=1),
    refused("a part beyond the last", "UploadPart", "InvalidArgument", Bucket=BUCKET, Key="parts", UploadId="none", PartNumber=10001),
    refused("an upload of another key", "ListParts", "NoSuchUpload", Bucket=BUCKET, Key="other", UploadId=lambda context: context.upload),
    Case("parts that are too small", WHO, "s3", "CompleteMultipartUpload", PARTS, complete((1, first), (2, second)), error="EntityTooSmall"),
    Case("parts out of order", WHO, "s3", "CompleteMultipartUpload", PARTS, complete((2, second), (1, first)), error="InvalidPartOrder"),
    Case("a part with another entity tag", WHO, "s3", "CompleteMultipartUpload", PARTS, complete((1, lambda _: '"x"')), error="InvalidPart"),
    Case("a part that is not there", WHO, "s3", "CompleteMultipartUpload", PARTS, complete((3, first)), error="InvalidPart"),
    Case("no parts", WHO, "s3", "CompleteMultipartUpload", PARTS, complete(), error="MalformedXML"),
    refused("what the sandbox does not have", "GetBucketPolicy", "NotImplemented", "tests/README.md", Bucket=BUCKET, message="?policy"),
    refused("a header that it does not have", "PutObject", "NotImplemented", "tests/README.md", Bucket=BUCKET, Key="b", Tagging="a=b", message="Tagging"),
])
def test_what_s3_refuses(case, s3):
    case.run(s3)


@each([
    Case("one's own bucket once more, in the oldest Region", WHO, "s3", "CreateBucket", CREATE, {"Bucket": BUCKET}, {"Location": f"/{BUCKET}"}),
    Case("a bucket", WHO, "s3", "HeadBucket", CREATE, {"Bucket": BUCKET, "ExpectedBucketOwner": WHO}, {"BucketRegion": REGION}),
    Case("buckets of all Regions", WHO, "s3", "ListBuckets", CREATE, {}, {"Buckets[].Name": [ABROAD, BUCKET, VERSIONED]}),
    Case("where a bucket is", WHO, "s3", "GetBucketLocation", CREATE, {"Bucket": ABROAD}, {"LocationConstraint": "eu-west-1"}),
    Case("where a bucket of the oldest Region is", WHO, "s3", "GetBucketLocation", CREATE, {"Bucket": BUCKET}, {"LocationConstraint": None}),
    Case("objects by prefix", WHO, "s3", "ListObjectsV2", GET, {"Bucket": BUCKET, "Prefix": "a/"}, {"Contents[].Key": ["a/1", "a/2"], "KeyCount": 2}),
    Case("objects like a folder", WHO, "s3", "ListObjectsV2", GET, {"Bucket": BUCKET, "Delimiter": "/", "MaxKeys": 2},
         {"Contents[].Key": ["b"], "CommonPrefixes[].Prefix": ["a/"], "IsTruncated": True}),
    Case("objects of the first version", WHO, "s3", "ListObjects", GET, {"Bucket": BUCKET, "Marker": "a/2", "MaxKeys": 2},
         {"Contents[].Key": ["b", "c&<ü /d"], "IsTruncated": True}),
    Case("a piece of an object", WHO, "s3", "GetObject", GET, {"Bucket": BUCKET, "Key": "a/1", "Range": "bytes=-2"},
         {"ContentRange": "bytes 1-2/3", "ContentLength": 2, "Metadata": {"of": "test"}}),
    Case("an object of this entity tag", WHO, "s3", "HeadObject", GET, {"Bucket": BUCKET, "Key": "b", "IfMatch": lambda context: context.etag}, {"ContentLength": 1}),
    Case("an older version", WHO, "s3", "HeadObject", GET, {"Bucket": VERSIONED, "Key": "definition", "VersionId": lambda context: context.old},
         {"VersionId": lambda context: context.old}),
    Case("versions", WHO, "s3", "ListObjectVersions", GET, {"Bucket": VERSIONED}, {"Versions[].IsLatest": [True, False]}),
    Case("parts", WHO, "s3", "ListParts", PARTS, {"Bucket": BUCKET, "Key": "parts", "UploadId": lambda context: context.upload},
         {"Parts[].PartNumber": [1, 2], "Parts[].Size": [6, 6]}),
    Case("uploads", WHO, "s3", "ListMultipartUploads", PARTS, {"Bucket": BUCKET}, {"Uploads[].Key": ["parts"]}),
    Case("nothing to delete", WHO, "s3", "DeleteObject", GET, {"Bucket": BUCKET, "Key": "none"}),
])
def test_what_s3_answers(case, s3):
    case.run(s3)


def client(estate, who=WHO, region=REGION, endpoint=None, **options):
    """A client with the defaults of boto3, apart from these options."""
    session = boto3.Session(who, "any", region_name=region)
    return session.client("s3", endpoint_url=endpoint or estate.endpoint, config=Config(**options))


def test_twenty_megabytes_go_up_in_parts_and_come_back(s3):
    mine, bytes_ = client(s3.estate), os.urandom(20 << 20)
    mine.upload_fileobj(io.BytesIO(bytes_), BUCKET, "large")
    head = mine.head_object(Bucket=BUCKET, Key="large", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ChecksumType"]) == (len(bytes_), "COMPOSITE")
    assert head["ETag"].endswith('-3"')
    mine.copy({"Bucket": BUCKET, "Key": "large"}, VERSIONED, "copy")
    for bucket, key in ((BUCKET, "large"), (VERSIONED, "copy")):
        found = io.BytesIO()
        mine.download_fileobj(bucket, key, found)
        assert found.getvalue() == bytes_


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_the_parts_of_an_object_have_checksums_as_the_client_wants_them(s3, algorithm):
    mine, key = client(s3.estate), f"summed-{algorithm}"
    members = {"Bucket": BUCKET, "Key": key}
    members["UploadId"] = mine.create_multipart_upload(**members, ChecksumAlgorithm=algorithm)["UploadId"]
    parts = []
    for number, body in ((1, b"a" * CHUNK), (2, b"b")):
        part = mine.upload_part(**members, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"], f"Checksum{algorithm}": part[f"Checksum{algorithm}"]})
    done = mine.complete_multipart_upload(**members, MultipartUpload={"Parts": parts})
    assert done[f"Checksum{algorithm}"].endswith("-2")
    with pytest.raises(ClientError, match="NoSuchUpload"):
        mine.abort_multipart_upload(**members)
    assert mine.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"a" * CHUNK + b"b"


def test_what_is_deleted_in_a_bucket_with_versions_can_be_had_back(s3):
    mine = client(s3.estate)
    old = mine.put_object(Bucket=VERSIONED, Key="kept", Body=b"kept")["VersionId"]
    gone = mine.delete_objects(Bucket=VERSIONED, Delete={"Objects": [{"Key": "kept"}]})["Deleted"][0]
    with pytest.raises(ClientError, match="NoSuchKey"):
        mine.get_object(Bucket=VERSIONED, Key="kept")
    assert mine.get_object(Bucket=VERSIONED, Key="kept", VersionId=old)["Body"].read() == b"kept"
    mine.delete_object(Bucket=VERSIONED, Key="kept", VersionId=gone["DeleteMarkerVersionId"])
    assert mine.get_object(Bucket=VERSIONED, Key="kept")["Body"].read() == b"kept"


def test_a_client_is_led_to_the_region_of_a_bucket(s3):
    client(s3.estate).put_object(Bucket=ABROAD, Key="far", Body=b"far")
    there = client(s3.estate, region="eu-west-1")
    assert there.get_object(Bucket=ABROAD, Key="far")["Body"].read() == b"far"
    with pytest.raises(ClientError, match="BucketAlreadyOwnedByYou"):
        there.create_bucket(Bucket=ABROAD, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_clients_reach_it_by_localhost_as_well(s3):
    port = urlsplit(s3.estate.endpoint).port
    by_path = client(s3.estate, endpoint=f"http://localhost:{port}", s3={"addressing_style": "path"})
    assert by_path.get_object(Bucket=BUCKET, Key="b")["Body"].read() == b"b"


def raw(estate, method, path, body=b"", **headers):
    """A request as it is on the wire; the answer's status, headers and body."""
    scope = f"Credential={WHO}/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=none"
    connection = http.client.HTTPConnection(urlsplit(estate.endpoint).netloc, timeout=30)
    connection.request(method, path, body, {"Authorization": f"AWS4-HMAC-SHA256 {scope}", **headers})
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def test_the_bucket_may_stand_in_the_name_of_the_host(s3):
    status, _, body = raw(s3.estate, "GET", "/a/1", Host=f"{BUCKET}.localhost:{urlsplit(s3.estate.endpoint).port}")
    assert (status, body) == (200, b"a/1")


def chunks(body, trailer):
    """A body in two chunks, as SDKs send it that append a checksum."""
    parts = [f"{len(each):x};chunk-signature=none\r\n".encode() + each + b"\r\n" for each in (body[:3], body[3:])]
    return b"".join(parts) + b"0\r\n" + trailer + b"\r\n\r\n"


@pytest.mark.parametrize("kind", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
def test_bodies_in_chunks_are_put_together_and_their_checksums_looked_at(s3, kind):
    body = b"in chunks"
    headers = {
        "x-amz-content-sha256": kind, "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32", "Content-Encoding": "aws-chunked,gzip",
    }
    sum_ = base64.b64encode(zlib.crc32(body).to_bytes(4, "big"))
    status, *_ = raw(s3.estate, "PUT", f"/{BUCKET}/chunks", chunks(body, b"x-amz-checksum-crc32:" + sum_), **headers)
    assert status == 200
    status, found, text = raw(s3.estate, "GET", f"/{BUCKET}/chunks")
    assert (status, text, found["Content-Encoding"]) == (200, body, "gzip")
    for trailer, code in [(b"x-amz-checksum-crc32:AAAAAA==", "BadDigest"), (b"", "MalformedTrailerError")]:
        status, _, text = raw(s3.estate, "PUT", f"/{BUCKET}/chunks", chunks(body, trailer), **headers)
        assert (status, ElementTree.fromstring(text).findtext("Code")) == (400, code)


def create(context, who=WHO, key="definition", bucket=VERSIONED, name="from-s3", **members):
    location = {"Bucket": bucket, "ObjectKey": key, **members}
    return context.call(
        who, "sagemaker", "CreatePipeline", PipelineName=name, RoleArn=pipelines.role(who),
        ClientRequestToken=pipelines.token(), PipelineDefinitionS3Location=location,
    )


def steps(context, name="from-s3", **members):
    described = context.call(WHO, "sagemaker", "DescribePipeline", PipelineName=name, **members)
    return [step["Name"] for step in json.loads(described["PipelineDefinition"])["Steps"]]


def test_a_pipeline_has_the_definition_that_lies_in_s3(s3):
    create(s3, VersionId=s3.old)
    assert steps(s3) == ["Old"]
    updated = s3.call(
        WHO, "sagemaker", "UpdatePipeline", PipelineName="from-s3",
        PipelineDefinitionS3Location={"Bucket": VERSIONED, "ObjectKey": "definition"},
    )
    assert updated["PipelineVersionId"] == 2
    assert steps(s3) == ["New"]
    assert steps(s3, PipelineVersionId=1) == ["Old"]
    s3.call(WHO, "s3", "PutObject", Bucket=VERSIONED, Key="definition", Body=pipelines.definition(pipelines.step("Newer")))
    assert steps(s3) == ["New"], "it is read when it is given, and not again"
    execution = pipelines.start(s3.estate, WHO, "from-s3")
    assert pipelines.finished(s3.estate, WHO, execution) == "Succeeded"


@pytest.mark.parametrize("arguments, said", [
    ({"bucket": "conformance-none"}, "NoSuchBucket"),
    ({"key": "none"}, "NoSuchKey"),
    ({"VersionId": "none"}, "NoSuchVersion"),
    ({"who": OTHER}, "AccessDenied"),
    ({"bucket": BUCKET, "key": "nonsense"}, "Unable to parse pipeline definition"),
    ({"bucket": BUCKET, "key": "endless"}, "1048576"),
    ({"bucket": "x"}, "regular expression pattern"),
    ({"key": ""}, "greater than or equal to 1"),
], ids=["no bucket", "no object", "no version", "of another account", "no definition", "too long", "no name of a bucket", "no key"])
def test_a_definition_that_cannot_be_read_from_s3_is_refused(s3, arguments, said):
    with pytest.raises(ClientError, match="ValidationException") as caught:
        create(s3, name="refused", **arguments)
    assert said in caught.value.response["Error"]["Message"], PIPELINE


@pytest.fixture(name="cli")
def _cli(s3):
    return Cli(s3.estate)


def test_the_cli_copies_lists_syncs_and_removes(cli, tmp_path):
    bucket, folder = "s3://conformance-cli", tmp_path / "folder"
    folder.mkdir()
    for name in ("one.txt", "two.txt"):
        (folder / name).write_text(name)
    assert cli.text(WHO, "s3", "mb", bucket) == "make_bucket: conformance-cli"
    cli.text(WHO, "s3", "cp", "--no-progress", str(folder / "one.txt"), f"{bucket}/one")
    assert cli.text(WHO, "s3", "cp", f"{bucket}/one", "-") == "one.txt"
    sync = ["s3", "sync", "--no-progress", str(folder), f"{bucket}/folder"]
    assert len(cli.text(WHO, *sync).splitlines()) == 2
    assert cli.text(WHO, *sync) == "", "nothing has changed"
    listed = cli.text(WHO, "s3", "ls", f"{bucket}/folder/")
    assert [line.split()[-1] for line in listed.splitlines()] == ["one.txt", "two.txt"]
    cli.text(WHO, "s3", "sync", f"{bucket}/folder", str(tmp_path / "back"))
    assert (tmp_path / "back" / "two.txt").read_text() == "two.txt"
    cli.text(WHO, "s3", "rm", f"{bucket}/one")
    assert cli.refusal(WHO, "s3api", "get-object", "--bucket", "conformance-cli", "--key", "one", str(tmp_path / "x")) == "NoSuchKey"
    cli.text(WHO, "s3", "rb", "--force", bucket)
    assert "conformance-cli" not in cli.text(WHO, "s3", "ls")


def test_cloudformation_package_puts_code_into_a_bucket(cli, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "bootstrap").write_text("#!/bin/sh\n")
    nested = tmp_path / "nested.yaml"
    nested.write_text("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n")
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Work:\n    Type: AWS::Lambda::Function\n    Properties:\n      Code: code\n      Handler: bootstrap\n"
        "      Runtime: provided.al2023\n      Role: arn:aws:iam::490000000001:role/work\n"
        "  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: nested.yaml\n"
    )
    # Its progress goes to the standard error.
    done = cli.run(WHO, "cloudformation", "package", "--template-file", str(template), "--s3-bucket", BUCKET, "--s3-prefix", "packed")
    assert done.returncode == 0, done.stderr
    assert f"S3Bucket: {BUCKET}" in done.stdout
    keys = [each["Key"] for each in client(cli.estate).list_objects_v2(Bucket=BUCKET, Prefix="packed/")["Contents"]]
    assert len(keys) == 2
    assert f"S3Key: {[key for key in keys if not key.endswith('.template')][0]}" in done.stdout
