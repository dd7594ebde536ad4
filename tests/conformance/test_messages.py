"""SQS and SNS: queues, dead letters, topics and filter policies."""

import json
import uuid

import pytest

from cases import Case, each, where
from estate import REGION, eventually

OWNER = "430000000001"
OTHER = "430000000002"
SQS = "sqs-2012-11-05, service-2.json"
QUEUES = "SQS API reference"
SNS = "sns-2010-03-31, service-2.json"
FILTERS = "SNS developer guide, Message filtering"


def queue_arn(name):
    return f"arn:aws:sqs:{REGION}:{OWNER}:{name}"


def topic_arn(name, who=OWNER):
    return f"arn:aws:sns:{REGION}:{who}:{name}"


def url(name):
    return f"https://sqs.{REGION}.amazonaws.com/{OWNER}/{name}"


def redrive(name, count):
    return json.dumps({"deadLetterTargetArn": queue_arn(name), "maxReceiveCount": count})


@pytest.fixture(scope="module")
def context(context):
    call = context.call
    call(OWNER, "sqs", "CreateQueue", QueueName="dead")
    call(OWNER, "sqs", "CreateQueue", QueueName="jobs", tags={"team": "churn"},
         Attributes={"VisibilityTimeout": "0", "RedrivePolicy": redrive("dead", 1)})
    call(OWNER, "sqs", "CreateQueue", QueueName="purged")
    call(OWNER, "sns", "CreateTopic", Name="news", Tags=[{"Key": "team", "Value": "churn"}], Attributes={"DisplayName": "News"})
    context.subscription = call(OWNER, "sns", "Subscribe", TopicArn=topic_arn("news"), Protocol="email",
                                Endpoint="a@example.com", ReturnSubscriptionArn=True)["SubscriptionArn"]
    return context


def queue(name, operation, arguments=None, expect=None, error=None, source=QUEUES, **more):
    return Case(name, more.pop("who", OWNER), "sqs", operation, source, arguments or {}, expect, error, **more)


def topic(name, operation, arguments=None, expect=None, error=None, source=SNS, **more):
    return Case(name, more.pop("who", OWNER), "sns", operation, source, arguments or {}, expect, error, **more)


GONE = "AWS.SimpleQueueService.NonExistentQueue"

CASES = [
    queue("a queue made again", "CreateQueue", {"QueueName": "dead"}, {"QueueUrl": url("dead")}),
    queue("a queue made with another attribute", "CreateQueue", {"QueueName": "dead", "Attributes": {"DelaySeconds": "5"}}, error="QueueAlreadyExists",
          source="SQS API reference, CreateQueue; the code of the query protocol"),
    queue("a name with a dot", "CreateQueue", {"QueueName": "a.b"}, error="InvalidParameterValue"),
    queue("a name of 81 letters", "CreateQueue", {"QueueName": "n" * 81}, error="InvalidParameterValue"),
    queue("a timeout that is too long", "CreateQueue", {"QueueName": "x", "Attributes": {"VisibilityTimeout": "43201"}}, error="InvalidAttributeValue"),
    queue("an unknown attribute set", "SetQueueAttributes", {"QueueUrl": url("jobs"), "Attributes": {"Color": "red"}}, error="InvalidAttributeName"),
    queue("a URL", "GetQueueUrl", {"QueueName": "jobs"}, {"QueueUrl": url("jobs")}),
    queue("no such queue", "GetQueueUrl", {"QueueName": "none"}, error=GONE),
    queue("queues by their prefix", "ListQueues", {"QueueNamePrefix": "jo"}, {"QueueUrls": [url("jobs")]}),
    queue("queues page by page", "ListQueues", {"MaxResults": 1}, {"length(QueueUrls)": 1, "NextToken": where(bool)}),
    queue("the queues of another account", "ListQueues", {}, {"QueueUrls": where(lambda urls: not urls)}, who=OTHER),
    queue("an attribute", "GetQueueAttributes", {"QueueUrl": url("jobs"), "AttributeNames": ["QueueArn"]}, {"Attributes": {"QueueArn": queue_arn("jobs")}}),
    queue("an unknown attribute", "GetQueueAttributes", {"QueueUrl": url("jobs"), "AttributeNames": ["Color"]}, error="InvalidAttributeName"),
    queue("the sources of dead letters", "ListDeadLetterSourceQueues", {"QueueUrl": url("dead")}, {"queueUrls": [url("jobs")]}),
    queue("no sources of dead letters", "ListDeadLetterSourceQueues", {"QueueUrl": url("jobs")}, {"queueUrls": []}),
    queue("tags", "ListQueueTags", {"QueueUrl": url("jobs")}, {"Tags": {"team": "churn"}}),
    queue("a tag added", "TagQueue", {"QueueUrl": url("jobs"), "Tags": {"stage": "test"}}),
    queue("a tag removed", "UntagQueue", {"QueueUrl": url("jobs"), "TagKeys": ["team"]}),
    queue("the tag that remains", "ListQueueTags", {"QueueUrl": url("jobs")}, {"Tags": {"stage": "test"}}),
    queue("attributes for a stranger", "GetQueueAttributes", {"QueueUrl": url("purged"), "AttributeNames": ["All"]}, who=OTHER,
          error="AccessDenied", source="github.com/aws/serverless-application-model/issues/3633"),
    queue("an empty message", "SendMessage", {"QueueUrl": url("purged"), "MessageBody": ""}, error="MissingParameter"),
    queue("a control character", "SendMessage", {"QueueUrl": url("purged"), "MessageBody": "\u0001"}, error="InvalidMessageContents"),
    queue("a delay that is too long", "SendMessage", {"QueueUrl": url("purged"), "MessageBody": "x", "DelaySeconds": 901}, error="InvalidParameterValue"),
    queue("eleven messages wanted", "ReceiveMessage", {"QueueUrl": url("purged"), "MaxNumberOfMessages": 11}, error="InvalidParameterValue"),
    queue("no messages", "ReceiveMessage", {"QueueUrl": url("purged")}, {"Messages": None}),
    queue("a handle of nothing", "DeleteMessage", {"QueueUrl": url("purged"), "ReceiptHandle": "x"}, error="ReceiptHandleIsInvalid"),
    queue("an empty batch", "SendMessageBatch", {"QueueUrl": url("purged"), "Entries": []}, error="AWS.SimpleQueueService.EmptyBatchRequest"),
    queue("a batch of eleven", "SendMessageBatch", {"QueueUrl": url("purged"), "Entries": [{"Id": str(n), "MessageBody": "x"} for n in range(11)]},
          error="AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    queue("a batch with an id twice", "SendMessageBatch", {"QueueUrl": url("purged"), "Entries": [{"Id": "1", "MessageBody": "x"}] * 2},
          error="AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    queue("a batch of which a half fails", "SendMessageBatch",
          {"QueueUrl": url("purged"), "Entries": [{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "x", "DelaySeconds": 901}]},
          {"Successful[].Id": ["a"], "Failed[].Id": ["b"], "Failed[0].SenderFault": True}),
    queue("a purge", "PurgeQueue", {"QueueUrl": url("purged")}),
    queue("no move from a queue of no dead letters", "StartMessageMoveTask", {"SourceArn": queue_arn("jobs")}, error="AWS.SimpleQueueService.UnsupportedOperation"),
    queue("no move from nothing", "StartMessageMoveTask", {"SourceArn": queue_arn("none")}, error="ResourceNotFoundException"),
    queue("no move from a stranger's queue", "StartMessageMoveTask", {"SourceArn": queue_arn("dead")}, error="ResourceNotFoundException", who=OTHER),
    queue("no permission by label", "AddPermission", {"QueueUrl": url("jobs"), "Label": "x", "AWSAccountIds": [OTHER], "Actions": ["SendMessage"]},
          error="NotImplemented", source="tests/README.md"),
    topic("a topic made again", "CreateTopic", {"Name": "news"}, {"TopicArn": topic_arn("news")}),
    topic("a topic with a space", "CreateTopic", {"Name": "the news"}, error="InvalidParameter"),
    topic("a topic with other tags", "CreateTopic", {"Name": "news", "Tags": [{"Key": "x", "Value": ""}]}, error="InvalidParameter",
          source="SNS API reference, CreateTopic: topic already exists with different tags"),
    topic("topics", "ListTopics", {}, {"Topics": [{"TopicArn": topic_arn("news")}]}),
    topic("attributes of a topic", "GetTopicAttributes", {"TopicArn": topic_arn("news")}, {"Attributes.DisplayName": "News", "Attributes.Owner": OWNER}),
    topic("no such topic", "GetTopicAttributes", {"TopicArn": topic_arn("none")}, error="NotFound"),
    topic("subscriptions", "ListSubscriptions", {}, {"Subscriptions[].Endpoint": ["a@example.com"]}),
    topic("subscriptions of a topic", "ListSubscriptionsByTopic", {"TopicArn": topic_arn("news")}, {"Subscriptions[].SubscriptionArn": lambda c: [c.subscription]}),
    topic("a filter policy set", "SetSubscriptionAttributes", {"SubscriptionArn": lambda c: c.subscription, "AttributeName": "FilterPolicy",
          "AttributeValue": '{"status": ["Failed"]}'}, source=FILTERS),
    topic("attributes of a subscription", "GetSubscriptionAttributes", {"SubscriptionArn": lambda c: c.subscription},
          {"Attributes.FilterPolicy": '{"status": ["Failed"]}', "Attributes.FilterPolicyScope": "MessageAttributes", "Attributes.RawMessageDelivery": "false"}),
    topic("a filter policy that is nested", "SetSubscriptionAttributes", {"SubscriptionArn": lambda c: c.subscription, "AttributeName": "FilterPolicy",
          "AttributeValue": '{"detail": {"status": ["Failed"]}}'}, error="InvalidParameter", source=FILTERS),
    topic("an unknown attribute of a subscription", "SetSubscriptionAttributes", {"SubscriptionArn": lambda c: c.subscription, "AttributeName": "Color", "AttributeValue": "red"},
          error="InvalidParameter"),
    topic("no such subscription", "GetSubscriptionAttributes", {"SubscriptionArn": topic_arn("news") + ":none"}, error="NotFound"),
    topic("tags of a topic", "ListTagsForResource", {"ResourceArn": topic_arn("news")}, {"Tags": [{"Key": "team", "Value": "churn"}]}),
    topic("tags of no topic", "ListTagsForResource", {"ResourceArn": topic_arn("none")}, error="ResourceNotFound"),
    topic("a message without text", "Publish", {"TopicArn": topic_arn("news"), "Message": ""}, error="InvalidParameter"),
    topic("a message that is too long", "Publish", {"TopicArn": topic_arn("news"), "Message": "x" * 262_145}, error="InvalidParameter"),
    topic("a subject of two lines", "Publish", {"TopicArn": topic_arn("news"), "Message": "x", "Subject": "a\nb"}, error="InvalidParameter"),
    topic("a message of a stranger", "Publish", {"TopicArn": topic_arn("news"), "Message": "x"}, error="AuthorizationError", who=OTHER),
    topic("a batch of eleven messages", "PublishBatch", {"TopicArn": topic_arn("news"),
          "PublishBatchRequestEntries": [{"Id": str(n), "Message": "x"} for n in range(11)]}, error="TooManyEntriesInBatchRequest"),
]


@each(CASES)
def test_messages(case, context):
    case.run(context)


def test_a_dead_letter_is_read_and_sent_back(estate, context):
    """SQS API reference, StartMessageMoveTask."""
    call = context.call
    call(OWNER, "sqs", "SendMessage", QueueUrl=url("jobs"), MessageBody="late")
    look = lambda name: lambda: call(OWNER, "sqs", "ReceiveMessage", QueueUrl=url(name), VisibilityTimeout=0,
                                     MessageSystemAttributeNames=["All"]).get("Messages")
    look("jobs")()
    look("jobs")()
    message = eventually(look("dead"))[0]
    assert (message["Body"], message["Attributes"]["DeadLetterQueueSourceArn"]) == ("late", queue_arn("jobs"))
    assert call(OWNER, "sqs", "StartMessageMoveTask", SourceArn=queue_arn("dead"))["TaskHandle"]
    tasks = eventually(lambda: call(OWNER, "sqs", "ListMessageMoveTasks", SourceArn=queue_arn("dead"))["Results"],
                       lambda tasks: tasks[0]["Status"] == "COMPLETED")
    assert tasks[0]["ApproximateNumberOfMessagesMoved"] == 1
    assert eventually(look("jobs"))[0]["Body"] == "late"


@pytest.mark.parametrize("scope, policy, taken", [
    ("MessageAttributes", {"status": ["Failed"]}, [0]),
    ("MessageAttributes", {"status": [{"anything-but": ["Failed"]}]}, [1]),
    ("MessageAttributes", {"status": [{"prefix": "S"}, {"exists": False}]}, [1, 2]),
    ("MessageBody", {"n": [{"numeric": [">=", 2]}]}, [1, 2]),
    ("MessageBody", {"deep": {"x": [True]}}, [2]),
    ("MessageAttributes", {}, [0, 1, 2]),
], ids=str)
def test_a_filter_policy(scope, policy, taken, context):
    """SNS developer guide, Message filtering."""
    call = context.call
    name = f"filter-{uuid.uuid4()}"
    messages = [('{"n": 1}', "Failed"), ('{"n": 2}', "Succeeded"), ('{"n": 3, "deep": {"x": true}}', None)]
    topic = call(OWNER, "sns", "CreateTopic", Name=name)["TopicArn"]
    permission = {"Statement": {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn(name)}}
    call(OWNER, "sqs", "CreateQueue", QueueName=name, Attributes={"Policy": json.dumps(permission)})
    attributes = {"RawMessageDelivery": "true", "FilterPolicyScope": scope, "FilterPolicy": json.dumps(policy)}
    call(OWNER, "sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(name), Attributes=attributes)
    for message, status in messages:
        own = {"status": {"DataType": "String", "StringValue": status}} if status else {}
        call(OWNER, "sns", "Publish", TopicArn=topic, Message=message, MessageAttributes=own)
    found = []

    def look():
        answer = call(OWNER, "sqs", "ReceiveMessage", QueueUrl=url(name), MaxNumberOfMessages=10)
        found.extend(message["Body"] for message in answer.get("Messages", []))
        return found

    assert eventually(look, lambda found: len(found) >= len(taken)) == [messages[index][0] for index in taken]
