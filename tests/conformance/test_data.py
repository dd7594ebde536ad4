"""SSM, DynamoDB, STS and Lambda, as their users call them."""

import pytest

from cases import Case, each, where
from estate import REGION

OWNER = "440000000001"
OTHER = "440000000002"
SSM = "ssm-2014-11-06, service-2.json"
STS = "sts-2011-06-15, service-2.json"
DYNAMODB = "dynamodb-2012-08-10, service-2.json"
LAMBDA = "lambda-2015-03-31, service-2.json"
TABLE = "pipeshare"
FUNCTION = "pipeshare-share-pipeline"


@pytest.fixture(scope="module")
def context(context):
    put = lambda name, value, **more: context.call(OWNER, "ssm", "PutParameter", Name=name, Value=value, Type="String", **more)
    put("/a/one", "1", Tags=[{"Key": "team", "Value": "churn"}])
    put("/a/one", "2", Overwrite=True)
    put("/a/b/two", "2")
    put("/gone", "x")
    context.call(OWNER, "ssm", "LabelParameterVersion", Name="/a/one", ParameterVersion=1, Labels=["good", "old"])
    for number in range(3):
        item = {"pk": {"S": "conformance"}, "sk": {"S": str(number)}, "n": {"N": str(number)}}
        context.call("shared", "dynamodb", "PutItem", TableName=TABLE, Item=item)
    return context


def parameter(name, operation, arguments=None, expect=None, error=None, **more):
    return Case(name, more.pop("who", OWNER), "ssm", operation, more.pop("source", SSM), arguments or {}, expect, error, **more)


def item(name, operation, arguments=None, expect=None, error=None, **more):
    whole = {"TableName": TABLE, **(arguments or {})}
    return Case(name, more.pop("who", "shared"), "dynamodb", operation, more.pop("source", DYNAMODB), whole, expect, error, **more)


def identity(name, operation, arguments=None, expect=None, error=None, **more):
    return Case(name, more.pop("who", OWNER), "sts", operation, more.pop("source", STS), arguments or {}, expect, error, **more)


def function(name, operation, arguments=None, expect=None, error=None, **more):
    return Case(name, more.pop("who", "shared"), "lambda", operation, more.pop("source", LAMBDA), arguments or {}, expect, error, **more)


def key(number):
    return {"pk": {"S": "conformance"}, "sk": {"S": str(number)}}


ONE = {"ResourceType": "Parameter", "ResourceId": "/a/one"}
FOREIGN = f"arn:aws:lambda:{REGION}:333333333333:function:{FUNCTION}"
CROSS = "Lambda developer guide, Viewing resource-based IAM policies in Lambda"
ROLE = f"arn:aws:iam::{OWNER}:role/none"

CASES = [
    parameter("the newest version", "GetParameter", {"Name": "/a/one"}, {"Parameter.Value": "2", "Parameter.Version": 2,
              "Parameter.ARN": f"arn:aws:ssm:{REGION}:{OWNER}:parameter/a/one"}),
    parameter("a version", "GetParameter", {"Name": "/a/one:1"}, {"Parameter.Value": "1", "Parameter.Selector": ":1"}),
    parameter("a label", "GetParameter", {"Name": "/a/one:good"}, {"Parameter.Version": 1}),
    parameter("a version that is not there", "GetParameter", {"Name": "/a/one:9"}, error="ParameterVersionNotFound"),
    parameter("a parameter that is not there", "GetParameter", {"Name": "/none"}, error="ParameterNotFound"),
    parameter("the parameter of another account", "GetParameter", {"Name": "/a/one"}, error="ParameterNotFound", who=OTHER),
    parameter("several parameters", "GetParameters", {"Names": ["/a/one", "/none"]}, {"Parameters[].Name": ["/a/one"], "InvalidParameters": ["/none"]}),
    parameter("a path", "GetParametersByPath", {"Path": "/a"}, {"Parameters[].Name": ["/a/one"]}),
    parameter("a path and all below", "GetParametersByPath", {"Path": "/a", "Recursive": True}, {"sort(Parameters[].Name)": ["/a/b/two", "/a/one"]}),
    parameter("a path without a slash", "GetParametersByPath", {"Path": "a"}, error="ValidationException"),
    parameter("a parameter put twice", "PutParameter", {"Name": "/a/one", "Value": "3", "Type": "String"}, error="ParameterAlreadyExists"),
    parameter("tags for an old parameter", "PutParameter", {"Name": "/a/one", "Value": "3", "Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]},
              error="ValidationException", source="SSM API reference, PutParameter"),
    parameter("a parameter without a type", "PutParameter", {"Name": "/typeless", "Value": "3"}, error="ValidationException"),
    parameter("a value that is too long", "PutParameter", {"Name": "/long", "Value": "x" * 4097, "Type": "String"}, error="ValidationException"),
    parameter("a name of aws", "PutParameter", {"Name": "/aws/x", "Value": "x", "Type": "String"}, error="ValidationException",
              source="SSM API reference, PutParameter: no names that begin with aws"),
    parameter("a name of ssm", "PutParameter", {"Name": "SSM-x", "Value": "x", "Type": "String"}, error="ValidationException", message="can't be prefixed with \"ssm\"",
              source="https://github.com/aws-ia/terraform-aws-control_tower_account_factory/issues/467"),
    parameter("a name with a space", "PutParameter", {"Name": "Dev MySQL", "Value": "x", "Type": "String"}, error="ValidationException", message="the following 3 symbols .-_",
              source="https://github.com/boto/boto3/issues/1499"),
    parameter("a name with an at sign", "PutParameter", {"Name": "/a/x@example.com", "Value": "x", "Type": "String"}, error="ValidationException",
              message="the following 3 symbols .-_", source="https://github.com/aws/aws-sdk-php/issues/1952"),
    parameter("a name of sixteen levels", "PutParameter", {"Name": "/a" * 16, "Value": "x", "Type": "String"}, error="HierarchyLevelLimitExceededException"),
    parameter("a name of fifteen levels", "PutParameter", {"Name": "/a" * 15, "Value": "x", "Type": "String"}, {"Version": 1}),
    parameter("an ARN for a name", "PutParameter", {"Name": f"arn:aws:ssm:{REGION}:{OWNER}:parameter/x", "Value": "x", "Type": "String"}, error="ValidationException"),
    parameter("a value that refers to a parameter", "PutParameter", {"Name": "/refers", "Value": "a {{ssm:other}} b", "Type": "String"}, error="ValidationException",
              source="SSM API reference, PutParameter: no values in double brackets"),
    parameter("a secret that refers to a parameter", "PutParameter", {"Name": "/refers", "Value": "{{}}", "Type": "SecureString"}, error="ValidationException",
              source="SSM API reference, PutParameter: no values in double brackets"),
    parameter("a value with braces", "PutParameter", {"Name": "/braces", "Value": '{"a":{"b":1}}', "Type": "String"}, {"Version": 1}),
    parameter("an empty value", "PutParameter", {"Name": "/empty", "Value": "", "Type": "String"}, error="ValidationException", message="greater than or equal to 1",
              source="https://github.com/ministryofjustice/modernisation-platform/pull/8116"),
    parameter("no labels", "LabelParameterVersion", {"Name": "/a/one", "Labels": []}, error="ValidationException"),
    parameter("the history", "GetParameterHistory", {"Name": "/a/one"}, {"Parameters[].Version": [1, 2], "Parameters[].Labels": [["good", "old"], []]}),
    parameter("a label that is a number", "LabelParameterVersion", {"Name": "/a/one", "Labels": ["1x"]}, {"InvalidLabels": ["1x"], "ParameterVersion": 2}),
    parameter("a label taken away", "UnlabelParameterVersion", {"Name": "/a/one", "ParameterVersion": 1, "Labels": ["old", "none"]},
              {"RemovedLabels": ["old"], "InvalidLabels": ["none"]}),
    parameter("a label of no version", "UnlabelParameterVersion", {"Name": "/a/one", "ParameterVersion": 9, "Labels": ["old"]}, error="ParameterVersionNotFound"),
    parameter("tags", "ListTagsForResource", ONE, {"TagList": [{"Key": "team", "Value": "churn"}]}),
    parameter("a tag added", "AddTagsToResource", {**ONE, "Tags": [{"Key": "stage", "Value": ""}]}, {}),
    parameter("a tag removed", "RemoveTagsFromResource", {**ONE, "TagKeys": ["team"]}, {}),
    parameter("the tag that remains", "ListTagsForResource", ONE, {"TagList": [{"Key": "stage", "Value": ""}]}),
    parameter("tags of nothing", "ListTagsForResource", {**ONE, "ResourceId": "/none"}, error="InvalidResourceId"),
    parameter("tags of another type", "ListTagsForResource", {**ONE, "ResourceType": "Pipeline"}, error="InvalidResourceType"),
    parameter("several parameters deleted", "DeleteParameters", {"Names": ["/gone", "/none"]}, {"DeletedParameters": ["/gone"], "InvalidParameters": ["/none"]}),
    parameter("a parameter deleted that is not there", "DeleteParameter", {"Name": "/gone"}, error="ParameterNotFound"),
    parameter("a document is beyond the sandbox", "ListDocuments", error="NotImplemented", source="tests/README.md"),
    item("an item", "GetItem", {"Key": key(1)}, {"Item.n.N": "1"}),
    item("an item that is not there", "GetItem", {"Key": key(9)}, {"Item": None}),
    item("a part of an item", "GetItem", {"Key": key(1), "ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": "n"}}, {"Item": {"n": {"N": "1"}}}),
    item("half a key", "GetItem", {"Key": {"pk": {"S": "x"}}}, error="ValidationException"),
    item("no such table", "GetItem", {"TableName": "none", "Key": key(1)}, error="ResourceNotFoundException"),
    item("a query", "Query", {"KeyConditionExpression": "pk = :p AND sk > :s", "ExpressionAttributeValues": {":p": {"S": "conformance"}, ":s": {"S": "0"}}},
         {"Count": 2, "Items[].sk.S": ["1", "2"]}),
    item("a query backwards", "Query", {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "conformance"}}, "ScanIndexForward": False},
         {"Items[].sk.S": ["2", "1", "0"]}),
    item("a page of a query", "Query", {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "conformance"}}, "Limit": 1},
         {"Items[].sk.S": ["0"], "LastEvaluatedKey": key(0)}),
    item("a filter", "Query", {"KeyConditionExpression": "pk = :p", "FilterExpression": "n >= :n",
         "ExpressionAttributeValues": {":p": {"S": "conformance"}, ":n": {"N": "1"}}}, {"Count": 2, "ScannedCount": 3}),
    item("a query without the key", "Query", {"KeyConditionExpression": "sk = :s", "ExpressionAttributeValues": {":s": {"S": "0"}}}, error="ValidationException"),
    item("a name that nobody uses", "GetItem", {"Key": key(1), "ProjectionExpression": "n", "ExpressionAttributeNames": {"#x": "y"}}, error="ValidationException"),
    item("a condition that holds", "PutItem", {"Item": {**key(0), "n": {"N": "0"}}, "ConditionExpression": "attribute_exists(pk)"}, {}),
    item("a condition that does not hold", "PutItem", {"Item": key(0), "ConditionExpression": "attribute_not_exists(pk)"}, error="ConditionalCheckFailedException"),
    item("a condition that is no expression", "PutItem", {"Item": key(0), "ConditionExpression": "pk =="}, error="ValidationException"),
    item("a condition in two pairs of parentheses", "PutItem", {"Item": key(0), "ConditionExpression": "((attribute_exists(pk)))"}, error="ValidationException", message="redundant parentheses"),
    item("a condition of more than 4096 bytes", "PutItem", {"Item": key(0), "ConditionExpression": "attribute_exists(pk)" + " " * 4096}, error="ValidationException",
         message="Expression size has exceeded", source="DynamoDB developer guide, Quotas: expression parameters"),
    item("a number of 39 digits", "PutItem", {"Item": {**key(0), "n": {"N": "1" * 39}}}, error="ValidationException", message="38 significant digits",
         source="DynamoDB developer guide, Supported data types"),
    item("a sum that is too large", "UpdateItem", {"Key": key(2), "UpdateExpression": "ADD n :most", "ExpressionAttributeValues": {":most": {"N": "9" * 38}}}, error="ValidationException",
         source="DynamoDB developer guide, Supported data types"),
    item("an update", "UpdateItem", {"Key": key(2), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW"},
         {"Attributes": {"n": {"N": "3"}}}),
    item("the table of another account", "GetItem", {"Key": key(1)}, error="ResourceNotFoundException", who=OTHER),
    Case("a statement is beyond the sandbox", "shared", "dynamodb", "ExecuteStatement", "tests/README.md",
         {"Statement": "SELECT * FROM x"}, error="NotImplemented"),
    identity("whose key it is", "GetAccessKeyInfo", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLX"}, error="ValidationError"),
    identity("a key that is too short", "GetAccessKeyInfo", {"AccessKeyId": "AKIA"}, error="ValidationError"),
    identity("a role that is not there", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "me"}, error="AccessDenied",
             source="IAM user guide: missing roles and roles without trust are answered alike"),
    identity("a session name with a space", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "a b"}, error="ValidationError"),
    identity("a session name of one letter", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "a"}, error="ValidationError"),
    identity("a session that is too short", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "me", "DurationSeconds": 899}, error="ValidationError"),
    identity("a session that is too long", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "me", "DurationSeconds": 43201}, error="ValidationError"),
    identity("no role", "AssumeRole", {"RoleSessionName": "me"}, error="ValidationError"),
    function("functions", "ListFunctions", {}, {"contains(Functions[].FunctionName, 'pipeshare-share-pipeline')": True}),
    function("no functions", "ListFunctions", {}, {"Functions": []}, who=OTHER),
    function("a function", "GetFunction", {"FunctionName": FUNCTION}, {"Configuration.FunctionName": FUNCTION}),
    function("a function by its ARN", "GetFunctionConfiguration", {"FunctionName": f"arn:aws:lambda:{REGION}:333333333333:function:{FUNCTION}"},
             {"FunctionName": FUNCTION}),
    function("a function by part of its ARN", "GetFunctionConfiguration", {"FunctionName": f"333333333333:function:{FUNCTION}:$LATEST"}, {"FunctionName": FUNCTION}),
    function("a version of a function that is not there", "GetFunction", {"FunctionName": FUNCTION, "Qualifier": "1"}, error="ResourceNotFoundException"),
    function("the function of another account", "GetFunction", {"FunctionName": FOREIGN}, error="AccessDeniedException", who=OTHER, source=CROSS),
    function("the function of another account invoked", "Invoke", {"FunctionName": FOREIGN}, error="AccessDeniedException", who=OTHER, source=CROSS,
             message="because no resource-based policy allows the lambda:InvokeFunction action"),
    function("a function of another Region", "Invoke", {"FunctionName": FOREIGN.replace(REGION, "eu-west-2")}, error="ResourceNotFoundException"),
    function("the end of the log is beyond the sandbox", "Invoke", {"FunctionName": FUNCTION, "LogType": "Tail"}, error="NotImplemented", source="tests/README.md"),
    function("a function that is not there", "GetFunction", {"FunctionName": "none"}, error="ResourceNotFoundException"),
    function("mappings of a function", "ListEventSourceMappings", {"FunctionName": FUNCTION},
             {"EventSourceMappings[].FunctionArn": [f"arn:aws:lambda:{REGION}:333333333333:function:{FUNCTION}"]}),
    function("a dry run", "Invoke", {"FunctionName": FUNCTION, "InvocationType": "DryRun"}, {"StatusCode": 204}),
    function("a function invoked that is not there", "Invoke", {"FunctionName": "none"}, error="ResourceNotFoundException"),
    function("a payload that is no JSON", "Invoke", {"FunctionName": FUNCTION, "Payload": b"x"}, error="InvalidRequestContentException"),
    function("an invocation in the background", "Invoke", {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": b"{}"}, {"StatusCode": 202}),
    function("an invocation of an unknown type", "Invoke", {"FunctionName": FUNCTION, "InvocationType": "Later"}, error="InvalidParameterValueException"),
]


@each(CASES)
def test_data(case, context):
    case.run(context)
