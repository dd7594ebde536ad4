"""Pipelines for the cases: definitions, and making and running them."""

import json
import uuid

from estate import REGION, account, eventually

SOURCE = "sagemaker-2017-07-24, service-2.json"


def step(name, after=(), kind="Training"):
    return {"Name": name, "Type": kind, "Arguments": {}, "DependsOn": list(after)}


def definition(*steps, **members):
    """A definition of these steps, as text."""
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps) or [step("Train")], **members})


def chain(length):
    """Steps that take a minute of the sandbox's clock each, one after the other."""
    names = [f"Step{number}" for number in range(length)]
    return [step(name, names[max(number - 1, 0):number]) for number, name in enumerate(names)]


def arn(who, name):
    return f"arn:aws:sagemaker:{REGION}:{account(who)}:pipeline/{name}"


def role(who):
    return f"arn:aws:iam::{account(who)}:role/pipeline"


def token():
    return str(uuid.uuid4())


def create(estate, who, name, text=None, **arguments):
    """Creates a pipeline and returns its ARN."""
    answer = estate.call(
        who, "sagemaker", "CreatePipeline", PipelineName=name, RoleArn=role(who),
        PipelineDefinition=text or definition(), ClientRequestToken=token(), **arguments,
    )
    return answer["PipelineArn"]


def start(estate, who, name, **arguments):
    """Starts a pipeline and returns the ARN of the execution."""
    answer = estate.call(
        who, "sagemaker", "StartPipelineExecution",
        PipelineName=name, ClientRequestToken=token(), **arguments,
    )
    return answer["PipelineExecutionArn"]


def finished(estate, who, execution):
    """Waits for the end of an execution and returns its last status."""
    def status():
        answer = estate.call(who, "sagemaker", "DescribePipelineExecution", PipelineExecutionArn=execution)
        return answer["PipelineExecutionStatus"]

    return eventually(status, lambda status: status in ("Succeeded", "Failed", "Stopped"))
