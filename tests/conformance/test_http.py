"""The wire below the services: who calls, what cannot be read, and many at once."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

import pipelines
from estate import REGION

COMMON = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html"
DYNAMODB = "Amazon DynamoDB developer guide, Error handling"
SMITHY = "https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html"
QUERY = "STS API reference, Common Error Types"


def signature(service, key="470000000001"):
    """As much of a signature as the sandbox reads."""
    scope = f"{key}/20260101/{REGION}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}


def target(operation):
    return {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}


def post(estate, body=b"", path="/", **headers):
    connection = http.client.HTTPConnection(urlsplit(estate.endpoint).netloc, timeout=30)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response, response.read()


# What is sent, and the code and status of the error.
JSON_ERRORS = [
    ("without a signature", {**target("ListPipelines")}, b"{}", "MissingAuthenticationToken", 403, COMMON),
    ("with a key that nobody gave out", {**target("ListPipelines"), **signature("sagemaker", "AKIAIOSFODNN7EXAMPLE")}, b"{}", "UnrecognizedClientException", 400, DYNAMODB),
    ("a body that is no JSON", {**target("ListPipelines"), **signature("sagemaker")}, b"{", "SerializationException", 400, SMITHY),
    ("a body that is a list", {**target("ListPipelines"), **signature("sagemaker")}, b"[]", "SerializationException", 400, SMITHY),
    ("no operation", signature("sagemaker"), b"{}", "UnknownOperationException", 404, SMITHY),
]


@pytest.mark.parametrize("headers, body, code, status, source", [row[1:] for row in JSON_ERRORS], ids=[row[0] for row in JSON_ERRORS])
def test_what_cannot_be_served_says_why_in_json(estate, headers, body, code, status, source):
    response, text = post(estate, body, **headers)
    error = json.loads(text)
    assert (error["__type"], response.status) == (code, status), source
    assert error["message"]
    assert response.headers["x-amzn-requestid"]


def test_what_the_sandbox_lacks_it_says_by_name(estate):
    headers = {**target("CreateTrainingJob"), **signature("sagemaker")}
    response, text = post(estate, b"{}", **headers)
    assert response.status == 501
    assert "CreateTrainingJob" in json.loads(text)["message"]


def test_a_key_that_nobody_gave_out_is_refused_in_xml(estate):
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response, text = post(estate, body, **form, **signature("sts", "AKIAIOSFODNN7EXAMPLE"))
    root = ElementTree.fromstring(text)
    namespace = root.tag.partition("}")[0] + "}"
    assert (root.findtext(f".//{namespace}Code"), response.status) == ("InvalidClientTokenId", 403), QUERY


def test_many_at_once_are_all_served(estate):
    who, names = "470000000002", [f"crowd-{number:03}" for number in range(40)]
    estate.client(who, "sagemaker")
    with ThreadPoolExecutor(8) as pool:
        arns = set(pool.map(lambda name: pipelines.create(estate, who, name), names))
    assert arns == {pipelines.arn(who, name) for name in names}
    listed = estate.call(who, "sagemaker", "ListPipelines", MaxResults=100)
    assert len(listed["PipelineSummaries"]) == len(names)
