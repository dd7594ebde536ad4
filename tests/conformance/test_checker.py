"""The checker itself: what it must not let pass."""

import json
from types import SimpleNamespace

import botocore.session
import pytest

import checker

LOADER = botocore.session.get_session()


def answer(body, status=200, headers=None):
    text = body if isinstance(body, str) else json.dumps(body)
    return SimpleNamespace(content=text.encode(), status_code=status, headers=headers or {"x-amzn-requestid": "id"})


def check(service, operation, response, code=None):
    model = LOADER.get_service_model(service).operation_model(operation)
    parsed = {"Error": {"Code": code, "Message": "why"}} if code else {}
    if service == "sqs":
        parsed["Error"]["QueryErrorCode"] = "QueueDoesNotExist"
    checker.check(response, parsed, model)


PIPELINE = {"PipelineArn": "arn:aws:sagemaker:us-east-1:111111111111:pipeline/a"}
VERSION = {**PIPELINE, "PipelineVersionId": 1}
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
IDENTITY = (
    f'<GetCallerIdentityResponse xmlns="{STS}"><GetCallerIdentityResult><Account>111111111111</Account>'
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)


@pytest.mark.parametrize("service, operation, response, code", [
    ("sagemaker", "UpdatePipeline", answer(VERSION), None),
    ("sts", "GetCallerIdentity", answer(IDENTITY), None),
    ("sagemaker", "DescribePipeline", answer({}, 400), "ResourceNotFound"),
    ("ram", "CreatePermission", answer({}, 409), "PermissionAlreadyExistsException"),
    ("sqs", "GetQueueUrl", answer({}, 400), "AWS.SimpleQueueService.NonExistentQueue"),
], ids=["JSON", "XML", "an error", "an error with a status", "an error with an older name"])
def test_it_lets_pass(service, operation, response, code):
    check(service, operation, response, code)


@pytest.mark.parametrize("service, operation, response, code, why", [
    ("sagemaker", "UpdatePipeline", answer({**VERSION, "PipelineVersion": 1}), None, "unknown members"),
    ("sagemaker", "UpdatePipeline", answer({**VERSION, "PipelineVersionId": "1"}), None, "no long"),
    ("sagemaker", "UpdatePipeline", answer({**VERSION, "PipelineVersionId": True}), None, "no long"),
    ("sagemaker", "UpdatePipeline", answer({"PipelineArn": None}), None, "null"),
    ("sagemaker", "UpdatePipeline", answer({"PipelineArn": "a"}), None, "not"),
    ("sagemaker", "UpdatePipeline", answer(VERSION, headers={"a": "b"}), None, "request id"),
    ("sagemaker", "DescribePipeline", answer({"PipelineStatus": "Asleep"}), None, "none of"),
    ("sagemaker", "DescribePipeline", answer({"CreationTime": "2026"}), None, "no timestamp"),
    ("sagemaker", "DescribePipeline", answer({"ParallelismConfiguration": {}}), None, "lacks"),
    ("sagemaker", "ListPipelines", answer({"PipelineSummaries": {}}), None, "not a list"),
    ("sagemaker", "DeleteTags", answer({"Tags": []}), None, "unknown members"),
    ("ram", "GetResourceShares", answer({"resourceShares": [{"Name": "x"}]}), None, "unknown members"),
    ("ram", "EnableSharingWithAwsOrganization", answer({"returnValue": "true"}), None, "no boolean"),
    ("sts", "GetCallerIdentity", answer(IDENTITY.replace("Account>", "account>")), None, "unknown members"),
    ("sts", "GetCallerIdentity", answer(IDENTITY.replace("2011", "2012")), None, "namespace"),
    ("sagemaker", "DescribePipeline", answer({}, 400), "ConflictException", "does not answer"),
    ("sagemaker", "DescribePipeline", answer({}, 404), "ResourceNotFound", "status"),
    ("ram", "CreatePermission", answer({}, 400), "PermissionAlreadyExistsException", "status"),
])
def test_it_does_not_let_pass(service, operation, response, code, why):
    with pytest.raises(AssertionError, match=why):
        check(service, operation, response, code)
