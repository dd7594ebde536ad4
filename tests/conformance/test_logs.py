"""CloudWatch Logs: groups, who may write into them, and the lines that rules of EventBridge write."""

import json

from cases import Case, each, where
from estate import ACCOUNTS, REGION, eventually

API = "CloudWatch Logs API reference"
GROUP = "/aws/events/orders"
ARN = f"arn:aws:logs:{REGION}:{ACCOUNTS['test']}:log-group:{GROUP}"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{ARN}:*"}]})


def case(name, operation, arguments, expect=None, error=None):
    return Case(name, "test", "logs", operation, f"{API}, {operation}", arguments, expect, error)


def of_group(name, operation, arguments=None, expect=None, error=None):
    return case(name, operation, {"logGroupName": GROUP, **(arguments or {})}, expect, error)


MADE = [
    of_group("a group is made", "CreateLogGroup"),
    of_group("a group is made once", "CreateLogGroup", error="ResourceAlreadyExistsException"),
    case("a group has no name with spaces", "CreateLogGroup", {"logGroupName": "a b"}, error="InvalidParameterException"),
    of_group("lines are kept for some days", "PutRetentionPolicy", {"retentionInDays": 90}),
    of_group("not for any number of days", "PutRetentionPolicy", {"retentionInDays": 91}, error="InvalidParameterException"),
    case("a group is described", "DescribeLogGroups", {"logGroupNamePrefix": GROUP}, {
        "logGroups[].logGroupName": [GROUP], "logGroups[].retentionInDays": [90],
        "logGroups[].arn": [f"{ARN}:*"], "logGroups[].logGroupArn": [ARN]}),
    of_group("a group without lines has no streams", "DescribeLogStreams", expect={"logStreams": []}),
    case("a policy is written", "PutResourcePolicy", {"policyName": "orders", "policyDocument": POLICY},
         {"resourcePolicy.policyName": "orders"}),
    case("a policy is JSON", "PutResourcePolicy", {"policyName": "bad", "policyDocument": "{"}, error="InvalidParameterException"),
    case("policies are described", "DescribeResourcePolicies", {},
         {"resourcePolicies[].policyName": where(lambda names: "orders" in names)}),
    case("a group that is not there has no lines", "FilterLogEvents", {"logGroupName": "none"}, error="ResourceNotFoundException"),
]

GONE = [
    case("a policy is deleted", "DeleteResourcePolicy", {"policyName": "orders"}),
    case("a policy is deleted once", "DeleteResourcePolicy", {"policyName": "orders"}, error="ResourceNotFoundException"),
    of_group("a group is deleted", "DeleteLogGroup"),
    of_group("a group is deleted once", "DeleteLogGroup", error="ResourceNotFoundException"),
]


@each(MADE)
def test_groups_and_policies(case, context):
    case.run(context)


def test_a_rule_writes_events_as_they_are(estate):
    """EventBridge user guide, Using resource-based policies: CloudWatch Logs permissions."""
    estate.call("test", "events", "PutRule", Name="orders", EventPattern=json.dumps({"source": ["orders"]}))
    answer = estate.call("test", "events", "PutTargets", Rule="orders", Targets=[{"Id": "log", "Arn": ARN}])
    assert answer["FailedEntryCount"] == 0
    estate.call("test", "events", "PutEvents", Entries=[
        {"Source": "orders", "DetailType": "Order", "Detail": json.dumps({"number": number})} for number in (1, 2)])

    def lines():
        return estate.call("test", "logs", "FilterLogEvents", logGroupName=GROUP, filterPattern='"orders"')["events"]

    found = eventually(lines, lambda it: len(it) == 2)
    events = [json.loads(line["message"]) for line in found]
    assert [event["detail"]["number"] for event in events] == [1, 2]
    assert events[0]["detail-type"] == "Order"
    [stream] = estate.call("test", "logs", "DescribeLogStreams", logGroupName=GROUP)["logStreams"]
    same = estate.call("test", "logs", "GetLogEvents", logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)
    assert [line["message"] for line in same["events"]] == [line["message"] for line in found]
    estate.call("test", "events", "RemoveTargets", Rule="orders", Ids=["log"])
    estate.call("test", "events", "DeleteRule", Name="orders")


@each(GONE)
def test_what_is_deleted_is_gone(case, context):
    case.run(context)
