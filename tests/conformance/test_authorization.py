"""Who may do what to whose pipeline: the whole table.

What RAM's two permissions for pipelines allow is in "Set up cross-account
support for Pipelines" of the SageMaker developer guide. Which operations take
a name, and which an ARN, is in SageMaker's model. Whoever may not, learns
nothing about what exists.
"""

import json

import pytest
from botocore.exceptions import ClientError

import pipelines
from estate import REGION, account, eventually
from pipelines import arn, definition, token

READ_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline"
RUN_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution"

READ = {
    "DescribePipeline", "DescribePipelineDefinitionForExecution", "DescribePipelineExecution",
    "ListPipelineExecutions", "ListPipelineExecutionSteps", "ListPipelineParametersForExecution",
}
RUN = READ | {"StartPipelineExecution", "StopPipelineExecution", "RetryPipelineExecution"}

# Every operation on a pipeline or an execution, and its arguments but for the
# one that says which: a name or ARN, a name, a pipeline's ARN, an execution's.
NAME_OR_ARN = {
    "DescribePipeline": {}, "ListPipelineExecutions": {}, "ListPipelineVersions": {},
    "StartPipelineExecution": {"ClientRequestToken": token},
}
NAME = {
    "UpdatePipeline": {"PipelineDescription": "changed"}, "DeletePipeline": {"ClientRequestToken": token},
}
PIPELINE_ARN = {
    "UpdatePipelineVersion": {"PipelineArn": None, "PipelineVersionId": 1},
    "ListTags": {"ResourceArn": None}, "AddTags": {"ResourceArn": None, "Tags": []},
    "DeleteTags": {"ResourceArn": None, "TagKeys": ["none"]},
}
EXECUTION_ARN = {
    "DescribePipelineExecution": {}, "DescribePipelineDefinitionForExecution": {}, "ListPipelineExecutionSteps": {},
    "ListPipelineParametersForExecution": {}, "UpdatePipelineExecution": {},
    "StopPipelineExecution": {"ClientRequestToken": token}, "RetryPipelineExecution": {"ClientRequestToken": token},
}

# Shares made by hand lead from one account to these; nobody shares with the stranger.
BY_HAND = {"owner": "420000000001", "reader": "420000000002", "operator": "420000000003", "stranger": "420000000004",
           "revoked": "420000000005", "default": "420000000006"}
# In the walkthrough's estate pipeshare itself shares.
BY_PIPESHARE = {"owner": "test", "reader": "dev", "operator": "shared", "stranger": "420000000007"}

ALLOWED = {"owner": None, "reader": READ, "default": READ, "operator": RUN, "stranger": set(), "revoked": set()}


@pytest.fixture(scope="module")
def by_hand(estate):
    """A pipeline that is shared through the API of RAM by somebody who knows it."""
    world = Shared(estate, BY_HAND, "by-hand")
    world.share("reader", READ_PERMISSION)
    world.share("operator", RUN_PERMISSION)
    world.share("default", None)
    world.share("revoked", RUN_PERMISSION)
    world.unshare_principal("revoked")
    return world


@pytest.fixture(scope="module")
def by_pipeshare(estate):
    """A pipeline that the functions share, since its first run has succeeded."""
    world = Shared(estate, BY_PIPESHARE, "moonlit-7")
    for who in ("reader", "operator"):
        eventually(lambda who=who: world.may(who, "DescribePipeline"))
    return world


class Shared:
    """A pipeline of somebody, two executions of it, and its shares."""

    def __init__(self, estate, people, name):
        self.estate, self.people, self.name = estate, people, name
        self.arn = pipelines.create(estate, people["owner"], name, definition(*pipelines.chain(2)))
        self.run = pipelines.start(estate, people["owner"], name)
        assert pipelines.finished(estate, people["owner"], self.run) == "Succeeded"
        self.shares = {}

    def share(self, who, permission):
        owner = self.people["owner"]
        named = {"permissionArns": [permission]} if permission else {}
        made = self.estate.call(
            owner, "ram", "CreateResourceShare", name=f"{self.name}-{who}", resourceArns=[self.arn],
            principals=[account(self.people[who])], **named,
        )
        self.shares[who] = made["resourceShare"]["resourceShareArn"]
        accept(self.estate, self.people[who], self.shares[who])
        eventually(lambda: self.may(who, "DescribePipeline"))

    def unshare_principal(self, who):
        settled(self.estate, self.people["owner"], self.shares[who])
        self.estate.call(
            self.people["owner"], "ram", "DisassociateResourceShare",
            resourceShareArn=self.shares[who], principals=[account(self.people[who])],
        )

    def attempt(self, who, operation, target):
        """None if it worked, else the code of the error."""
        try:
            self.estate.call(self.people[who], "sagemaker", operation, **self.arguments(operation, target))
        except ClientError as error:
            return error.response["Error"]["Code"]
        return None

    def may(self, who, operation):
        return self.attempt(who, operation, "ARN") is None

    def arguments(self, operation, target):
        pipeline = {"ARN": self.arn, "name": self.name, "ARN of nothing": arn(self.people["owner"], "nothing")}[target]
        run = {"ARN": self.run, "ARN of nothing": f"{pipeline}/execution/000000000000"}.get(target)
        if operation in EXECUTION_ARN:
            return {"PipelineExecutionArn": run, **fresh(EXECUTION_ARN[operation])}
        if operation in PIPELINE_ARN:
            return {name: pipeline if value is None else value for name, value in PIPELINE_ARN[operation].items()}
        return {"PipelineName": pipeline, **fresh({**NAME_OR_ARN, **NAME}[operation])}


def fresh(arguments):
    return {name: value() if callable(value) else value for name, value in arguments.items()}


def accept(estate, who, share):
    """Accepts the invitation to a share as soon as it is there."""
    def pending():
        answer = estate.call(who, "ram", "GetResourceShareInvitations", resourceShareArns=[share])
        return answer["resourceShareInvitations"]

    invitation = eventually(pending)[0]["resourceShareInvitationArn"]
    estate.call(who, "ram", "AcceptResourceShareInvitation", resourceShareInvitationArn=invitation)


def settled(estate, owner, share):
    """Waits until nothing in a share is being associated."""
    def statuses():
        both = [
            estate.call(owner, "ram", "GetResourceShareAssociations", associationType=kind, resourceShareArns=[share])
            for kind in ("PRINCIPAL", "RESOURCE")
        ]
        return {each["status"] for answer in both for each in answer["resourceShareAssociations"]}

    eventually(statuses, lambda seen: seen and "ASSOCIATING" not in seen)


def expected(who, operation, target):
    """The code of the error, or None."""
    foreign = who != "owner"
    if foreign and target == "name":
        # A name means a pipeline of one's own, and there is none of that name.
        return "ResourceNotFound"
    if foreign and operation not in ALLOWED[who]:
        return "AccessDeniedException"
    if foreign and target == "ARN of nothing":
        return "AccessDeniedException"
    if target == "ARN of nothing":
        tags = operation in ("ListTags", "AddTags", "DeleteTags")
        return "ValidationException" if tags else "ResourceNotFound"
    if operation in ("StopPipelineExecution", "RetryPipelineExecution"):
        # It has succeeded, so that there is nothing to stop or to retry.
        return "ValidationException"
    return None


def rows(people):
    operations = [*NAME_OR_ARN, *EXECUTION_ARN, *PIPELINE_ARN]
    for who in people:
        for operation in operations:
            yield who, operation, "ARN"
            yield who, operation, "ARN of nothing"
        for operation in NAME_OR_ARN:
            yield who, operation, "name"
        if who != "owner":
            for operation in NAME:
                yield who, operation, "name"


def table(people):
    all_rows = list(rows(people))
    return pytest.mark.parametrize("who, operation, target", all_rows, ids=[f"{w} {o} by {t}" for w, o, t in all_rows])


@table(BY_HAND)
def test_shared_by_hand(by_hand, who, operation, target):
    assert by_hand.attempt(who, operation, target) == expected(who, operation, target)


@table(BY_PIPESHARE)
def test_shared_by_pipeshare(by_pipeshare, who, operation, target):
    assert by_pipeshare.attempt(who, operation, target) == expected(who, operation, target)


def test_an_operator_starts_stops_and_retries_what_the_owner_owns(by_hand):
    estate, operator = by_hand.estate, by_hand.people["operator"]
    run = pipelines.start(estate, operator, by_hand.arn)
    assert run.startswith(by_hand.arn)
    described = estate.call(by_hand.people["owner"], "sagemaker", "DescribePipelineExecution", PipelineExecutionArn=run)
    assert described["CreatedBy"]["IamIdentity"]["Arn"].startswith(f"arn:aws:iam::{operator}:")
    one = {"PipelineExecutionArn": run}
    estate.call(operator, "sagemaker", "StopPipelineExecution", **one, ClientRequestToken=token())
    assert pipelines.finished(estate, operator, run) == "Stopped"
    estate.call(operator, "sagemaker", "RetryPipelineExecution", **one, ClientRequestToken=token())
    assert pipelines.finished(estate, operator, run) == "Succeeded"


def test_a_callback_is_answered_in_the_account_of_its_pipeline_alone(by_hand):
    estate, owner = by_hand.estate, by_hand.people["owner"]
    queue = estate.call(owner, "sqs", "CreateQueue", QueueName="callbacks")["QueueUrl"]
    wait = {"Name": "Wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    pipelines.create(estate, owner, "waits", pipelines.definition(wait))
    run = pipelines.start(estate, owner, "waits")

    def asked():
        received = estate.call(owner, "sqs", "ReceiveMessage", QueueUrl=queue)
        return received.get("Messages")

    callback = json.loads(eventually(asked)[0]["Body"])["token"]
    answer = {"CallbackToken": callback, "ClientRequestToken": token()}
    for who in ("operator", "stranger"):
        for operation in ("SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure"):
            with pytest.raises(ClientError) as caught:
                estate.call(by_hand.people[who], "sagemaker", operation, **answer)
            assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
    estate.call(owner, "sagemaker", "SendPipelineExecutionStepSuccess", **answer)
    assert pipelines.finished(estate, owner, run) == "Succeeded"


def test_a_consumer_neither_lists_nor_finds_what_is_shared(by_hand):
    reader = by_hand.people["reader"]
    assert by_hand.estate.call(reader, "sagemaker", "ListPipelines")["PipelineSummaries"] == []
    found = by_hand.estate.call(reader, "sagemaker", "Search", Resource="Pipeline")
    assert found["Results"] == []
    listed = by_hand.estate.call(reader, "ram", "ListResources", resourceOwner="OTHER-ACCOUNTS", resourceType="sagemaker:Pipeline")
    assert [resource["arn"] for resource in listed["resources"]] == [by_hand.arn]


def test_who_only_reads_or_runs_is_told_which_action_is_missing(by_hand):
    with pytest.raises(ClientError) as caught:
        by_hand.estate.call(by_hand.people["reader"], "sagemaker", "StartPipelineExecution", PipelineName=by_hand.arn, ClientRequestToken=token())
    message = caught.value.response["Error"]["Message"]
    assert "sagemaker:StartPipelineExecution" in message and by_hand.arn in message


def revoke_principal(call, share, arn, who):
    call("DisassociateResourceShare", resourceShareArn=share, principals=[who])


def revoke_resource(call, share, arn, who):
    call("DisassociateResourceShare", resourceShareArn=share, resourceArns=[arn])


def revoke_share(call, share, arn, who):
    call("DeleteResourceShare", resourceShareArn=share)


def lower_permission(call, share, arn, who):
    call("AssociateResourceSharePermission", resourceShareArn=share, permissionArn=READ_PERMISSION, replace=True)


@pytest.mark.parametrize("number, revoke, left", [
    (1, revoke_principal, set()), (2, revoke_resource, set()), (3, revoke_share, set()), (4, lower_permission, READ),
], ids=["the principal is taken out", "the resource is taken out", "the share is deleted", "the permission is replaced"])
def test_access_ends_at_once_when(estate, number, revoke, left):
    people = {"owner": f"43000000000{number}", "operator": f"43100000000{number}"}
    world = Shared(estate, people, f"revoked-{number}")
    world.share("operator", RUN_PERMISSION)
    settled(estate, people["owner"], world.shares["operator"])
    assert world.may("operator", "StartPipelineExecution")

    def call(operation, **arguments):
        estate.call(people["owner"], "ram", operation, **arguments)

    revoke(call, world.shares["operator"], world.arn, people["operator"])
    for operation in ("DescribePipeline", "DescribePipelineExecution", "StartPipelineExecution", "ListPipelineExecutions"):
        assert world.may("operator", operation) == (operation in left), operation


def test_a_role_is_shared_with_and_nobody_else_of_its_account(estate):
    """Principals of a share may be IAM roles; an administrator is no such role."""
    people = {"owner": "432000000001", "reader": "432000000002"}
    world = Shared(estate, people, "for-a-role")
    engineer = f"arn:aws:iam::{people['reader']}:role/ml-engineer"
    made = estate.call(
        people["owner"], "ram", "CreateResourceShare", name="for-a-role", resourceArns=[world.arn],
        principals=[engineer], permissionArns=[READ_PERMISSION],
    )
    share = made["resourceShare"]["resourceShareArn"]
    accept(estate, people["reader"], share)
    settled(estate, people["owner"], share)
    assert world.attempt("reader", "DescribePipeline", "ARN") == "AccessDeniedException"



def test_a_pipeline_of_the_same_name_in_another_region_is_not_shared(by_hand):
    elsewhere = by_hand.arn.replace(REGION, "eu-west-1")
    with pytest.raises(ClientError) as caught:
        by_hand.estate.call(by_hand.people["reader"], "sagemaker", "DescribePipeline", PipelineName=elsewhere)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
