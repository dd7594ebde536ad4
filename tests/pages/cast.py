"""Who has pipelines, and how their runs went."""

import json
from dataclasses import dataclass

import pipelines
from estate import Estate, account, eventually

POLICY = """\
version: 1
accounts: {{ dev: "111111111111", test: "222222222222", shared: "333333333333" }}
rules:
  - name: dev-operators
    owner: dev
    pipelines: ["*"]
    with: [shared]
    access: execute
    after: created
  - name: dev-testers
    owner: dev
    pipelines: ["{testers}"]
    with: [test]
    after: created
  - name: test-readers
    owner: test
    pipelines: ["*"]
    with: [dev]
    after: succeeded
    notify: [Failed, Stopped, Succeeded]
    why: {why}
    contact: {contact}
  - name: test-operators
    owner: test
    pipelines: ["*"]
    with: [shared]
    access: execute
    after: succeeded
    notify: [Failed]
"""


@dataclass
class Played:
    """An estate with its pipelines, and the run of churn-train that failed."""

    estate: Estate
    reviews: str
    failed: str

    def review(self, succeeds, reason=None):
        """Somebody decides about the run that waits for a review."""
        answer = {"CallbackToken": self._waiting()}
        if succeeds:
            self.estate.call("test", "sagemaker", "SendPipelineExecutionStepSuccess", **answer)
        else:
            self.estate.call("test", "sagemaker", "SendPipelineExecutionStepFailure", FailureReason=reason, **answer)

    def _waiting(self):
        def message():
            got = self.estate.call("test", "sqs", "ReceiveMessage", QueueUrl=self.reviews)
            return got.get("Messages")

        [message] = eventually(message)
        self.estate.call("test", "sqs", "DeleteMessage", QueueUrl=self.reviews, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])["token"]


def write_policy(
    estate, why="data scientists watch what is tested", contact="ml-platform@example.com", testers="night-*"
):
    policy = POLICY.format(why=json.dumps(why), contact=json.dumps(contact), testers=testers)
    estate.call("shared", "ssm", "PutParameter", Name="/pipeshare/policy", Value=policy, Overwrite=True)


def play(estate, reason='customers.csv has no column "churned"', **about):
    """churn-train succeeded and then failed, night-owl succeeded, and fraud-train has no runs yet."""
    leave_invitations_to_test(estate)
    write_policy(estate, **about)
    reviews = estate.call("test", "sqs", "CreateQueue", QueueName="reviews")["QueueUrl"]
    review = {**pipelines.step("Review", ["Train"], "Callback"), "SqsQueueUrl": reviews, "OutputParameters": []}
    churn = pipelines.definition(pipelines.step("Train"), review)
    pipelines.create(estate, "test", "churn-train", churn)
    pipelines.create(estate, "test", "fraud-train")
    pipelines.create(estate, "dev", "night-owl", pipelines.definition(*pipelines.chain(3)))
    night = pipelines.start(estate, "dev", "night-owl", PipelineExecutionDisplayName="nightly-1")
    played = Played(estate, reviews, "")
    first = pipelines.start(estate, "test", "churn-train", PipelineExecutionDisplayName="release-1")
    played.review(succeeds=True)
    assert pipelines.finished(estate, "test", first) == "Succeeded"
    played.failed = pipelines.start(estate, "test", "churn-train", PipelineExecutionDisplayName="release-2")
    played.review(succeeds=False, reason=reason)
    assert pipelines.finished(estate, "test", played.failed) == "Failed"
    assert pipelines.finished(estate, "dev", night) == "Succeeded"
    eventually(lambda: accepted(estate), patience=90)
    return played


def leave_invitations_to_test(estate):
    """Test becomes a consumer, as every account does that a policy names, and then nobody may accept there."""
    write_policy(estate, testers="nothing-yet")
    role = {"RoleName": "pipeshare-consumer-us-east-1"}

    def is_onboarded():
        roles = estate.call("test", "iam", "ListRoles")["Roles"]
        return role["RoleName"] in {it["RoleName"] for it in roles}

    eventually(is_onboarded)
    for name in estate.call("test", "iam", "ListRolePolicies", **role)["PolicyNames"]:
        estate.call("test", "iam", "DeleteRolePolicy", PolicyName=name, **role)
    estate.call("test", "iam", "DeleteRole", **role)


def accepted(estate):
    """Whether shared services has accepted the shares of both owners."""
    received = estate.call("shared", "ram", "GetResourceShareInvitations")["resourceShareInvitations"]
    return {it["senderAccountId"] for it in received if it["status"] == "ACCEPTED"} == {account("dev"), account("test")}
