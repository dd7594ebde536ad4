"""AWS's walkthrough with the AWS CLI, which is a process of its own.

The CLI checks what it sends against its own model and ends with an exit code:
255 in its first version, 254 in its second, if the service refuses.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
from estate import ACCOUNTS, eventually

AWS = Path(sys.executable).with_name("aws")
REFUSED = (254, 255)
READ = "AWSRAMDefaultPermissionSageMakerPipeline"
RUN = "AWSRAMPermissionSageMakerPipelineAllowExecution"


class Cli:
    """The AWS CLI in the hands of somebody."""

    def __init__(self, estate):
        self.estate = estate

    def run(self, who, *words):
        return subprocess.run(
            [AWS, *words], env=self.estate.environment(who), capture_output=True, text=True, timeout=60, check=False,
        )

    def text(self, who, *words):
        """What it prints as text; it must succeed."""
        done = self.run(who, *words, "--output", "text")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.strip()

    def json(self, who, *words):
        """What it prints as JSON; it must succeed."""
        done = self.run(who, *words, "--output", "json")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)

    def refusal(self, who, *words):
        """The code of the error; it must be refused."""
        done = self.run(who, *words)
        assert done.returncode in REFUSED, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
        assert done.stdout == ""
        return done.stderr.partition("(")[2].partition(")")[0]

    def status(self, who, execution):
        return self.text(
            who, "sagemaker", "describe-pipeline-execution", "--pipeline-execution-arn", execution,
            "--query", "PipelineExecutionStatus",
        )

    def ended(self, who, execution):
        return eventually(lambda: self.status(who, execution), lambda status: status not in ("Executing", "Stopping"))


@pytest.fixture(scope="module")
def cli(estate):
    return Cli(estate)


@pytest.fixture(scope="module")
def night_owl(cli):
    """Somebody in test builds a pipeline of a name that nobody foresaw, and runs it."""
    made = cli.json(
        "test", "sagemaker", "create-pipeline", "--pipeline-name", "night-owl", "--role-arn", pipelines.role("test"),
        "--pipeline-definition", pipelines.definition(*pipelines.chain(3)),
    )
    assert made == {"PipelineArn": pipelines.arn("test", "night-owl")}
    first = cli.text("test", "sagemaker", "start-pipeline-execution", "--pipeline-name", "night-owl")
    assert cli.ended("test", first) == "Succeeded"
    return made["PipelineArn"], first


def visible(cli, who, pipeline):
    """Waits until somebody sees a pipeline."""
    words = ["sagemaker", "describe-pipeline", "--pipeline-name", pipeline]
    eventually(lambda: cli.run(who, *words).returncode, lambda code: code == 0)


def test_dev_sees_the_pipeline_and_its_runs_but_cannot_start_it(cli, night_owl):
    pipeline, first = night_owl
    visible(cli, "dev", pipeline)
    described = cli.json("dev", "sagemaker", "describe-pipeline", "--pipeline-name", pipeline)
    assert (described["PipelineName"], described["PipelineStatus"]) == ("night-owl", "Active")
    listed = cli.json("dev", "sagemaker", "list-pipeline-executions", "--pipeline-name", pipeline)
    assert [each["PipelineExecutionArn"] for each in listed["PipelineExecutionSummaries"]] == [first]
    assert cli.status("dev", first) == "Succeeded"
    steps = cli.text(
        "dev", "sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", first,
        "--sort-order", "Ascending", "--query", "PipelineExecutionSteps[].StepName",
    )
    assert steps.split() == ["Step0", "Step1", "Step2"]
    assert cli.refusal("dev", "sagemaker", "start-pipeline-execution", "--pipeline-name", pipeline) == "AccessDeniedException"
    assert cli.refusal("dev", "sagemaker", "stop-pipeline-execution", "--pipeline-execution-arn", first) == "AccessDeniedException"
    assert cli.refusal("dev", "sagemaker", "describe-pipeline", "--pipeline-name", "night-owl") == "ResourceNotFound"


def test_dev_has_accepted_without_doing_anything(cli, night_owl):
    visible(cli, "dev", night_owl[0])
    invitations = cli.json("dev", "ram", "get-resource-share-invitations")["resourceShareInvitations"]
    of_test = [each for each in invitations if each["senderAccountId"] == ACCOUNTS["test"]]
    assert {each["status"] for each in of_test} == {"ACCEPTED"}
    permission = cli.text(
        "dev", "ram", "list-resource-share-permissions", "--resource-share-arn", of_test[0]["resourceShareArn"],
        "--query", "permissions[].name",
    )
    assert permission == READ
    resources = cli.text("dev", "ram", "list-resources", "--resource-owner", "OTHER-ACCOUNTS", "--query", "resources[].arn")
    assert night_owl[0] in resources.split()


def test_shared_services_starts_stops_and_retries(cli, night_owl):
    pipeline, _ = night_owl
    visible(cli, "shared", pipeline)
    run = cli.text("shared", "sagemaker", "start-pipeline-execution", "--pipeline-name", pipeline)
    assert run.startswith(f"{pipeline}/execution/")
    one = ["--pipeline-execution-arn", run]
    assert cli.json("shared", "sagemaker", "stop-pipeline-execution", *one) == {"PipelineExecutionArn": run}
    assert cli.ended("test", run) == "Stopped"
    assert cli.text("shared", "sagemaker", "retry-pipeline-execution", *one) == run
    assert cli.ended("shared", run) == "Succeeded"
    assert cli.ended("dev", run) == "Succeeded"
    shares = cli.json("shared", "ram", "get-resource-shares", "--resource-owner", "OTHER-ACCOUNTS")["resourceShares"]
    share = next(each for each in shares if each["owningAccountId"] == ACCOUNTS["test"])
    permissions = cli.json("shared", "ram", "list-resource-share-permissions", "--resource-share-arn", share["resourceShareArn"])
    assert [each["name"] for each in permissions["permissions"]] == [RUN]
    assert cli.refusal("shared", "sagemaker", "delete-pipeline", "--pipeline-name", "night-owl") == "ResourceNotFound"


def test_a_stranger_with_a_trusted_name_is_left_waiting(cli, night_owl):
    trusted = cli.text(
        "test", "ram", "get-resource-shares", "--resource-owner", "SELF", "--resource-share-status", "ACTIVE",
        "--query", "resourceShares[?contains(name, 'readers')].name",
    )
    lure = cli.text(
        "stranger", "sagemaker", "create-pipeline", "--pipeline-name", "night-owl", "--role-arn", pipelines.role("stranger"),
        "--pipeline-definition", pipelines.definition(),
    )
    noticed = "strangers use names like ours"
    before = cli.estate.log.read_text().count(noticed)
    share = cli.text(
        "stranger", "ram", "create-resource-share", "--name", trusted, "--resource-arns", lure,
        "--principals", ACCOUNTS["dev"], "--query", "resourceShare.resourceShareArn",
    )
    words = ["ram", "get-resource-share-invitations", "--resource-share-arns", share, "--query", "resourceShareInvitations[].status"]
    assert eventually(lambda: cli.text("dev", *words)) == "PENDING"
    # Only now is it more than not yet accepted: the function has looked at it.
    eventually(lambda: cli.estate.log.read_text().count(noticed) > before)
    assert cli.text("dev", *words) == "PENDING"
    assert cli.refusal("dev", "sagemaker", "describe-pipeline", "--pipeline-name", lure) == "AccessDeniedException"


def test_a_deleted_pipeline_is_gone_for_everybody(cli):
    words = ["--pipeline-name", "brief-7"]
    pipelines.create(cli.estate, "test", "brief-7")
    run = cli.text("test", "sagemaker", "start-pipeline-execution", *words)
    pipeline = pipelines.arn("test", "brief-7")
    visible(cli, "dev", pipeline)
    assert cli.ended("test", run) == "Succeeded"
    assert cli.text("test", "sagemaker", "delete-pipeline", *words) == pipeline
    assert cli.refusal("test", "sagemaker", "describe-pipeline", *words) == "ResourceNotFound"
    for who in ("dev", "shared"):
        assert cli.refusal(who, "sagemaker", "describe-pipeline", "--pipeline-name", pipeline) == "AccessDeniedException"


def test_the_cli_turns_pages_by_itself(cli):
    words = ["sagemaker", "list-pipelines", "--sort-by", "Name", "--sort-order", "Ascending", "--query", "PipelineSummaries[].PipelineName"]
    names = [f"leaf-{number:02}" for number in range(12)]
    for name in names:
        pipelines.create(cli.estate, "460000000001", name)
    assert cli.text("460000000001", *words).split() == names
    assert cli.text("460000000001", *words, "--page-size", "5").split() == names


@pytest.mark.parametrize("words, code", [
    (["sagemaker", "describe-pipeline", "--pipeline-name", "nobody"], "ResourceNotFound"),
    (["sagemaker", "list-pipelines", "--next-token", "nonsense"], "ValidationException"),
    (["ram", "delete-resource-share", "--resource-share-arn", "x"], "MalformedArnException"),
    (["ram", "create-resource-share", "--name", "x", "--resource-arns", "x"], "MalformedArnException"),
], ids=["a pipeline that is not there", "a token that nobody gave", "a malformed share", "a malformed resource"])
def test_what_is_refused_ends_with_the_codes_of_the_cli(cli, words, code):
    assert cli.refusal("stranger", *words) == code
