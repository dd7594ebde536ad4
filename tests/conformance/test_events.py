"""EventBridge: rules, buses, entries and what reaches the targets."""

import json

import pytest

from cases import Case, each, where
from estate import REGION, eventually

SOURCE = "eventbridge-2015-10-07, service-2.json"
API = "EventBridge API reference"
GUIDE = "EventBridge user guide"

OWNER = "420000000001"
HUB = "420000000002"
OTHER = "420000000003"
PATTERN = json.dumps({"source": ["app"]})


def bus_arn(who, name):
    return f"arn:aws:events:{REGION}:{who}:event-bus/{name}"


def rule_arn(who, name):
    return f"arn:aws:events:{REGION}:{who}:rule/{name}"


def queue_arn(who, name):
    return f"arn:aws:sqs:{REGION}:{who}:{name}"


def make_queue(estate, who, name):
    """A queue that EventBridge may send to."""
    policy = {"Statement": {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": queue_arn(who, name),
    }}
    answer = estate.call(who, "sqs", "CreateQueue", QueueName=name, Attributes={"Policy": json.dumps(policy)})
    return answer["QueueUrl"]


def make_rule(estate, who, name, pattern, bus="default", **target):
    estate.call(who, "events", "PutRule", Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
    targets = [{"Id": "target", **target}]
    answer = estate.call(who, "events", "PutTargets", Rule=name, EventBusName=bus, Targets=targets)
    assert answer["FailedEntryCount"] == 0


def put(estate, who, source="app", bus="default", detail=None, **members):
    entry = {
        "Source": source, "DetailType": "Try", "Detail": json.dumps(detail or {}), "EventBusName": bus, **members,
    }
    return estate.call(who, "events", "PutEvents", Entries=[entry])["Entries"][0]


def received(estate, who, url):
    """Waits for one message, and returns it."""
    def look():
        answer = estate.call(who, "sqs", "ReceiveMessage", QueueUrl=url, MessageAttributeNames=["All"])
        return answer.get("Messages")

    return eventually(look)[0]


def body(estate, who, url):
    return json.loads(received(estate, who, url)["Body"])


@pytest.fixture(scope="module")
def context(context):
    call = context.call
    call(OWNER, "events", "CreateEventBus", Name="bus", Description="to try", Tags=[{"Key": "a", "Value": "1"}])
    call(OWNER, "events", "CreateEventBus", Name="bus-two")
    for name in ("r1", "r2", "r3"):
        call(OWNER, "events", "PutRule", Name=name, EventPattern=PATTERN, Tags=[{"Key": "a", "Value": "1"}])
    targets = [{"Id": "q", "Arn": queue_arn(OWNER, "listed"), "InputPath": "$.detail"}]
    call(OWNER, "events", "PutTargets", Rule="r1", Targets=targets)
    return context


def case(name, operation, arguments=None, expect=None, error=None, source=SOURCE, **more):
    return Case(name, more.pop("who", OWNER), "events", operation, source, arguments or {}, expect, error, **more)


def invalid(name, operation, source=API, error="ValidationException", **arguments):
    return case(name, operation, arguments, error=error, source=source)


def scheduled(expression):
    return case(f"the schedule {expression}", "PutRule", {"Name": "timed", "ScheduleExpression": expression, "State": "DISABLED"},
                {"RuleArn": rule_arn(OWNER, "timed")}, source=f"{GUIDE}, Schedule expressions")


def unscheduled(expression):
    return invalid(f"the schedule {expression or 'of no letter'} is refused", "PutRule", f"{GUIDE}, Schedule expressions",
                   Name="untimed", ScheduleExpression=expression)


RULES = [
    case("a rule with a pattern", "PutRule", {"Name": "put-one", "EventPattern": PATTERN}, {"RuleArn": rule_arn(OWNER, "put-one")}),
    case("a rule on a bus", "PutRule", {"Name": "put-one", "EventBusName": "bus", "EventPattern": PATTERN},
         {"RuleArn": rule_arn(OWNER, "bus/put-one")}),
    case("a rule on a bus by its ARN", "PutRule", {"Name": "put-two", "EventBusName": bus_arn(OWNER, "bus"), "EventPattern": PATTERN},
         {"RuleArn": rule_arn(OWNER, "bus/put-two")}),
    case("a name of 64 letters", "PutRule", {"Name": "n" * 64, "EventPattern": PATTERN}, {"RuleArn": rule_arn(OWNER, "n" * 64)}),
    invalid("a name of 65 letters", "PutRule", SOURCE, Name="n" * 65, EventPattern=PATTERN),
    invalid("a name with a space", "PutRule", SOURCE, Name="a b", EventPattern=PATTERN),
    invalid("an empty name", "PutRule", SOURCE, Name="", EventPattern=PATTERN),
    invalid("neither pattern nor schedule", "PutRule", Name="nothing"),
    invalid("an unknown state", "PutRule", SOURCE, Name="x", EventPattern=PATTERN, State="PAUSED"),
    invalid("a pattern that is refused", "PutRule", SOURCE, "InvalidEventPatternException", Name="x", EventPattern='{"source": "app"}'),
    case("a rule on a bus that is not there", "PutRule", {"Name": "x", "EventBusName": "none", "EventPattern": PATTERN},
         error="ResourceNotFoundException"),
    invalid("a schedule on another bus", "PutRule", f"{GUIDE}, Scheduled rules", Name="x", EventBusName="bus", ScheduleExpression="rate(1 day)"),
    case("a rule described", "DescribeRule", {"Name": "r1"}, {
        "Name": "r1", "Arn": rule_arn(OWNER, "r1"), "EventPattern": PATTERN, "State": "ENABLED", "EventBusName": "default", "CreatedBy": OWNER}),
    case("a rule that is not there", "DescribeRule", {"Name": "none"}, error="ResourceNotFoundException"),
    case("rules by their prefix", "ListRules", {"NamePrefix": "r"}, {"Rules[].Name": ["r1", "r2", "r3"]}),
    case("rules page by page", "ListRules", {"NamePrefix": "r", "Limit": 2}, {"Rules[].Name": ["r1", "r2"], "NextToken": where(bool)}),
    invalid("a page of nothing", "ListRules", SOURCE, Limit=0),
    invalid("a page of 101", "ListRules", SOURCE, Limit=101),
    case("the rules of a target", "ListRuleNamesByTarget", {"TargetArn": queue_arn(OWNER, "listed")}, {"RuleNames": ["r1"]}),
    case("the rules of nothing", "ListRuleNamesByTarget", {"TargetArn": queue_arn(OWNER, "none")}, {"RuleNames": []}),
    case("targets as they were put", "ListTargetsByRule", {"Rule": "r1"},
         {"Targets": [{"Id": "q", "Arn": queue_arn(OWNER, "listed"), "InputPath": "$.detail"}]}),
    case("a rule with targets stays", "DeleteRule", {"Name": "r1"}, error="ValidationException", source=f"{API}, DeleteRule: remove all targets first"),
    case("a rule that is not there is gone", "DeleteRule", {"Name": "none"}, {}),
    case("a rule disabled", "DisableRule", {"Name": "r2"}, {}),
    case("a disabled rule described", "DescribeRule", {"Name": "r2"}, {"State": "DISABLED"}),
    case("a rule enabled", "EnableRule", {"Name": "r2"}, {}),
    case("a rule enabled that is not there", "EnableRule", {"Name": "none"}, error="ResourceNotFoundException"),
    case("the rule of somebody else", "DescribeRule", {"Name": "r1", "EventBusName": bus_arn(OWNER, "default")}, who=OTHER, error="AccessDeniedException"),
    *map(scheduled, [
        "rate(1 minute)", "rate(2 minutes)", "rate(1 hour)", "rate(7 days)", "cron(0 10 * * ? *)", "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)", "cron(0 8 1 * ? *)", "cron(0/15 * * * ? *)", "cron(0/10 * ? * MON-FRI *)", "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0 9 ? * 2#1 *)", "cron(0 9 ? * 6L *)", "cron(0 0 L * ? *)", "cron(0 0 3W * ? *)", "cron(5,35 14 * * ? 2027-2030)",
    ]),
    *map(unscheduled, [
        "", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(1.5 hours)", "rate(30 seconds)", "at(2027-01-01T00:00:00)",
        "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(0 10 * * ?)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 10 32 * ? *)",
        "cron(0 10 * 13 ? *)", "cron(0 10 ? * 8 *)", "cron(0 10 ? * MON#6 *)", "cron(0 10 * * ? 2200)", "0 10 * * ? *",
    ]),
]

BUSES = [
    case("a bus described", "DescribeEventBus", {"Name": "bus"}, {"Name": "bus", "Arn": bus_arn(OWNER, "bus"), "Description": "to try"}),
    case("the default bus", "DescribeEventBus", {}, {"Name": "default", "Arn": bus_arn(OWNER, "default")}),
    case("a bus that is not there", "DescribeEventBus", {"Name": "none"}, error="ResourceNotFoundException"),
    case("buses", "ListEventBuses", {"NamePrefix": "bus"}, {"EventBuses[].Name": ["bus", "bus-two"]}),
    case("a bus made twice", "CreateEventBus", {"Name": "bus"}, error="ResourceAlreadyExistsException"),
    case("another default bus", "CreateEventBus", {"Name": "default"}, error="ResourceAlreadyExistsException"),
    invalid("a bus with a slash in its name", "CreateEventBus", f"{API}, CreateEventBus: no /", Name="a/b"),
    invalid("a bus with a name of 257 letters", "CreateEventBus", SOURCE, Name="n" * 257),
    case("a bus updated", "UpdateEventBus", {"Name": "bus-two", "Description": "new"}, {"Name": "bus-two", "Description": "new"}),
    case("an updated bus", "DescribeEventBus", {"Name": "bus-two"}, {"Description": "new"}),
    case("a bus updated that is not there", "UpdateEventBus", {"Name": "none"}, error="ResourceNotFoundException"),
    invalid("the default bus deleted", "DeleteEventBus", f"{API}, DeleteEventBus", Name="default"),
    case("a bus that is not there deleted", "DeleteEventBus", {"Name": "none"}, {}),
    case("tags of a bus", "ListTagsForResource", {"ResourceARN": bus_arn(OWNER, "bus")}, {"Tags": [{"Key": "a", "Value": "1"}]}),
    case("tags of a rule", "ListTagsForResource", {"ResourceARN": rule_arn(OWNER, "r3")}, {"Tags": [{"Key": "a", "Value": "1"}]}),
    case("a rule tagged", "TagResource", {"ResourceARN": rule_arn(OWNER, "r3"), "Tags": [{"Key": "b", "Value": ""}]}, {}),
    case("a rule untagged", "UntagResource", {"ResourceARN": rule_arn(OWNER, "r3"), "TagKeys": ["a"]}, {}),
    case("what remains", "ListTagsForResource", {"ResourceARN": rule_arn(OWNER, "r3")}, {"Tags": [{"Key": "b", "Value": ""}]}),
    case("tags of nothing", "ListTagsForResource", {"ResourceARN": rule_arn(OWNER, "none")}, error="ResourceNotFoundException"),
    invalid("tags with a reserved key", "TagResource", f"{API}, Tag", ResourceARN=rule_arn(OWNER, "r3"), Tags=[{"Key": "aws:x", "Value": ""}]),
    case("an archive is beyond the sandbox", "CreateArchive", {"ArchiveName": "a", "EventSourceArn": bus_arn(OWNER, "bus")},
         error="NotImplemented", message="CreateArchive", source="tests/README.md"),
]

TARGETS = [
    case("a target without a rule", "PutTargets", {"Rule": "none", "Targets": [{"Id": "1", "Arn": queue_arn(OWNER, "q")}]}, error="ResourceNotFoundException"),
    invalid("no targets", "PutTargets", SOURCE, Rule="r2", Targets=[]),
    case("six targets", "PutTargets", {"Rule": "r2", "Targets": [{"Id": str(n), "Arn": queue_arn(OWNER, "q")} for n in range(6)]},
         error="LimitExceededException", source=f"{GUIDE}, Quotas: 5 targets per rule"),
    invalid("two inputs", "PutTargets", f"{API}, Target", Rule="r2",
            Targets=[{"Id": "1", "Arn": queue_arn(OWNER, "q"), "Input": "{}", "InputPath": "$.detail"}]),
    invalid("an input that is no JSON", "PutTargets", f"{API}, Target", Rule="r2", Targets=[{"Id": "1", "Arn": queue_arn(OWNER, "q"), "Input": "x"}]),
    case("a target that the sandbox does not have", "PutTargets",
         {"Rule": "r2", "Targets": [{"Id": "1", "Arn": f"arn:aws:kinesis:{REGION}:{OWNER}:stream/x"}]}, error="NotImplemented", source="tests/README.md"),
    case("a target that is not there removed", "RemoveTargets", {"Rule": "r2", "Ids": ["none"]},
         {"FailedEntryCount": 1, "FailedEntries[0].TargetId": "none"}),
]


def entry(**members):
    whole = {"Source": "app", "DetailType": "Try", "Detail": "{}", **members}
    return {name: value for name, value in whole.items() if value is not None}


def refused_entry(name, code, source=f"{API}, PutEventsResultEntry", **members):
    return case(name, "PutEvents", {"Entries": [entry(), entry(**members)]},
                {"FailedEntryCount": 1, "Entries[0].EventId": where(bool), "Entries[1].ErrorCode": code}, source=source)


ENTRIES = [
    case("ten entries", "PutEvents", {"Entries": [entry()] * 10}, {"FailedEntryCount": 0, "length(Entries)": 10}),
    invalid("eleven entries", "PutEvents", SOURCE, Entries=[entry()] * 11),
    invalid("no entries", "PutEvents", SOURCE, Entries=[]),
    case("an event of almost a mebibyte", "PutEvents", {"Entries": [entry(Detail=json.dumps({"a": "x" * 1_000_000}))]}, {"FailedEntryCount": 0}),
    invalid("an event that is too large", "PutEvents", f"{GUIDE}, PutEvents entry size", Entries=[entry(Detail=json.dumps({"a": "x" * 1_048_576}))]),
    refused_entry("an event of AWS", "NotAuthorizedForSourceException", Source="aws.sagemaker"),
    refused_entry("a detail that is no JSON", "MalformedDetail", Detail="x"),
    refused_entry("a detail that is a list", "MalformedDetail", Detail="[]"),
    refused_entry("no source", "InvalidArgument", Source=None),
    refused_entry("no detail type", "InvalidArgument", DetailType=None),
    refused_entry("no detail", "InvalidArgument", Detail=None),
    case("a bus that is not there takes everything", "PutEvents", {"Entries": [entry(EventBusName="none")]}, {"FailedEntryCount": 0},
         source="aws/aws-cli#9186"),
    case("the bus of a stranger", "PutEvents", {"Entries": [entry(EventBusName=bus_arn(OTHER, "default"))]},
         {"FailedEntryCount": 1, "Entries[0].ErrorCode": "AccessDeniedException"}, source=f"{GUIDE}, Cross-account events"),
]


@each(RULES)
def test_rules(case, context):
    case.run(context)


@each(BUSES)
def test_buses(case, context):
    case.run(context)


@each(TARGETS)
def test_targets(case, context):
    case.run(context)


@each(ENTRIES)
def test_entries(case, context):
    case.run(context)


def test_an_event_reaches_a_queue_with_its_envelope(estate):
    url = make_queue(estate, OWNER, "envelope")
    make_rule(estate, OWNER, "envelope", {"source": ["envelope"]}, Arn=queue_arn(OWNER, "envelope"))
    identifier = put(estate, OWNER, "envelope", detail={"n": 1}, Resources=["arn:a"])["EventId"]
    event = body(estate, OWNER, url)
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0", "id": identifier, "detail-type": "Try", "source": "envelope", "account": OWNER,
        "region": REGION, "resources": ["arn:a"], "detail": {"n": 1},
    }


@pytest.mark.parametrize("name, target, expected", [
    ("constant", {"Input": '{"do": "sweep"}'}, {"do": "sweep"}),
    ("path", {"InputPath": "$.detail.list[1]"}, {"b": 2}),
    ("template", {"InputTransformer": {
        "InputPathsMap": {"s": "$.detail.status", "n": "$.detail.number", "none": "$.detail.none"},
        "InputTemplate": '{"text": "It is <s>", "s": <s>, "n": <n>, "rule": <aws.events.rule-name>, "none": "<none>"}',
    }}, {"text": "It is Failed", "s": "Failed", "n": 7, "rule": "template", "none": ""}),
])
def test_a_target_gets_what_it_asks_for(name, target, expected, estate):
    """User guide, Target input and Input transformation."""
    url = make_queue(estate, OWNER, name)
    make_rule(estate, OWNER, name, {"source": [name]}, Arn=queue_arn(OWNER, name), **target)
    put(estate, OWNER, name, detail={"status": "Failed", "number": 7, "list": [{"a": 1}, {"b": 2}]})
    assert body(estate, OWNER, url) == expected


def test_an_event_for_a_target_that_is_gone_is_a_dead_letter(estate):
    """User guide, Dead-letter queues: message attributes."""
    url = make_queue(estate, OWNER, "dead")
    make_rule(estate, OWNER, "gone", {"source": ["gone"]}, Arn=queue_arn(OWNER, "never-made"),
              DeadLetterConfig={"Arn": queue_arn(OWNER, "dead")})
    put(estate, OWNER, "gone", detail={"n": 1})
    message = received(estate, OWNER, url)
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == rule_arn(OWNER, "gone")
    assert attributes["TARGET_ARN"] == queue_arn(OWNER, "never-made")
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"
    assert attributes["ERROR_MESSAGE"]


def test_a_bus_policy_lets_another_account_in_and_out(estate):
    """API reference, PutPermission and RemovePermission."""
    estate.call(HUB, "events", "CreateEventBus", Name="hub")
    bus = bus_arn(HUB, "hub")
    url = make_queue(estate, HUB, "inbox")
    make_rule(estate, HUB, "all", {"source": [{"prefix": ""}]}, bus="hub", Arn=queue_arn(HUB, "inbox"))
    assert put(estate, OWNER, bus=bus)["ErrorCode"] == "AccessDeniedException"
    estate.call(HUB, "events", "PutPermission", EventBusName="hub", StatementId="owner", Action="events:PutEvents", Principal=OWNER)
    assert put(estate, OTHER, bus=bus)["ErrorCode"] == "AccessDeniedException"
    assert "EventId" in put(estate, OWNER, bus=bus)
    event = body(estate, HUB, url)
    assert (event["account"], event["source"]) == (OWNER, "app")
    estate.call(HUB, "events", "RemovePermission", EventBusName="hub", StatementId="owner")
    assert put(estate, OWNER, bus=bus)["ErrorCode"] == "AccessDeniedException"


def test_a_foreign_bus_as_a_target_needs_a_role(estate):
    """User guide, Cross-account events: targets in other accounts need an IAM role."""
    estate.call(OWNER, "events", "PutRule", Name="abroad", EventPattern=PATTERN)
    target = {"Id": "bus", "Arn": bus_arn(HUB, "default")}
    with pytest.raises(estate.client(OWNER, "events").exceptions.ClientError, match="ValidationException"):
        estate.call(OWNER, "events", "PutTargets", Rule="abroad", Targets=[target])


def test_an_event_goes_from_bus_to_bus_once(estate):
    """User guide: events are not sent from a bus that received them to a third."""
    for name in ("first", "second", "third"):
        estate.call(OWNER, "events", "CreateEventBus", Name=name)
    second, third = make_queue(estate, OWNER, "second"), make_queue(estate, OWNER, "third")
    everything = {"source": [{"prefix": ""}]}
    make_rule(estate, OWNER, "on", everything, bus="first", Arn=bus_arn(OWNER, "second"))
    make_rule(estate, OWNER, "on", everything, bus="second", Arn=bus_arn(OWNER, "third"))
    make_rule(estate, OWNER, "seen", everything, bus="second", Arn=queue_arn(OWNER, "second"))
    make_rule(estate, OWNER, "seen", everything, bus="third", Arn=queue_arn(OWNER, "third"))
    put(estate, OWNER, bus="first", detail={"way": "long"})
    assert body(estate, OWNER, second)["detail"] == {"way": "long"}
    # What is put on the second bus itself goes on, and it comes later.
    put(estate, OWNER, bus="second", detail={"way": "short"})
    assert body(estate, OWNER, third)["detail"] == {"way": "short"}
    attributes = estate.call(OWNER, "sqs", "GetQueueAttributes", QueueUrl=third, AttributeNames=["ApproximateNumberOfMessages"])
    assert attributes["Attributes"] == {"ApproximateNumberOfMessages": "0"}


@pytest.mark.parametrize("expression", ["rate(1 minute)", "cron(* * * * ? *)"])
def test_a_schedule_runs(expression, estate):
    """User guide, Scheduled rules: the event of a schedule."""
    name = expression.partition("(")[0]
    url = make_queue(estate, OWNER, name)
    estate.call(OWNER, "events", "PutRule", Name=name, ScheduleExpression=expression)
    estate.call(OWNER, "events", "PutTargets", Rule=name, Targets=[{"Id": "q", "Arn": queue_arn(OWNER, name)}])
    event = body(estate, OWNER, url)
    estate.call(OWNER, "events", "DisableRule", Name=name)
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == [rule_arn(OWNER, name)]
    if name == "cron":
        assert event["time"].endswith(":00Z")
