"""A program for the environment of the SageMaker Python SDK: `sdk.py PIPELINE FOLDER`.

It makes one of three pipelines as the SDK's users do, with all of its
defaults, runs it, and prints what came of it. test_sdk.py starts it.
"""

import json
import logging
import sys
from pathlib import Path

import boto3
from sagemaker.inputs import TrainingInput
from sagemaker.estimator import Estimator
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.workflow.function_step import step
from sagemaker.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

logging.disable(logging.WARNING)
folder = Path(sys.argv[2])
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images:latest"


class Local(boto3.Session):
    """Goes where the variable says, also to STS, for which the SDK names AWS's own address."""

    def client(self, *words, endpoint_url=None, **members):
        return super().client(*words, **members)


def role(session):
    return f"arn:aws:iam::{session.account_id()}:role/pipeline"


def defaults():
    """Code is uploaded to the default bucket, and a pipeline made of jobs that read it."""
    session = PipelineSession(boto_session=Local())
    script = folder / "prepare.py"
    script.write_text("print('prepared')\n")
    data = folder / "rows.csv"
    data.write_text("1,2\n")
    rows = session.upload_data(str(data), key_prefix="data")
    processor = ScriptProcessor(
        image_uri=IMAGE, command=["python3"], role=role(session), instance_count=1, instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    prepare = ProcessingStep(name="Prepare", step_args=processor.run(
        code=str(script), inputs=[ProcessingInput(source=rows, destination="/opt/ml/processing/input")],
        outputs=[ProcessingOutput(output_name="train", source="/opt/ml/processing/train")],
    ))
    estimator = Estimator(image_uri=IMAGE, role=role(session), instance_count=1, instance_type="ml.m5.large", sagemaker_session=session)
    train = TrainingStep(name="Train", step_args=estimator.fit(
        {"train": TrainingInput(prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri)},
    ))
    rounds = ParameterInteger(name="Rounds", default_value=3)
    return Pipeline(name="defaults", parameters=[rounds], steps=[prepare, train], sagemaker_session=session), {"Rounds": 5}


def decorated():
    """Functions are pickled into the default bucket."""
    session = PipelineSession(boto_session=Local())

    @step(name="double", image_uri=IMAGE, instance_type="ml.m5.large", role=role(session))
    def double(number):
        return 2 * number

    @step(name="tell", image_uri=IMAGE, instance_type="ml.m5.large", role=role(session))
    def tell(number):
        return f"{number}"

    return Pipeline(name="decorated", steps=[tell(double(21))], sagemaker_session=session), {}


def large():
    """A definition of more than 100 KB goes to S3 by itself."""
    session = PipelineSession(boto_session=Local())
    parameters = [ParameterString(name=f"Parameter{number}", default_value="x" * 1000) for number in range(120)]
    estimator = Estimator(image_uri=IMAGE, role=role(session), instance_count=1, instance_type="ml.m5.large", sagemaker_session=session)
    train = TrainingStep(name="Train", step_args=estimator.fit())
    return Pipeline(name="large", parameters=parameters, steps=[train], sagemaker_session=session), {}


pipeline, parameters = {"defaults": defaults, "decorated": decorated, "large": large}[sys.argv[1]]()
session = pipeline.sagemaker_session
pipeline.upsert(role_arn=role(session))
# Once more: it is there now, so this is an update.
pipeline.upsert(role_arn=role(session))
execution = pipeline.start(parameters=parameters)
execution.wait(delay=1, max_attempts=120)
objects = session.boto_session.client("s3").list_objects_v2(Bucket=session.default_bucket())
print(json.dumps({
    "bucket": session.default_bucket(),
    "keys": [each["Key"] for each in objects.get("Contents", [])],
    "status": execution.describe()["PipelineExecutionStatus"],
    "steps": sorted(each["StepName"] for each in execution.list_steps()),
    "definition": len(pipeline.describe()["PipelineDefinition"]),
}))
