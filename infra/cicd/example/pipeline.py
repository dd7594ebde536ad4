"""The pipeline that trains the churn model, and the template that deploys it.

Rendering calls no AWS: it needs no credentials, and gives the same text on every machine.
What differs between accounts is no part of the definition, so that the very template that
was tested is promoted: the data's bucket is a parameter of each run, and the steps have the
role of the pipeline, which the template is told.
"""

import argparse
import json
import pathlib
from unittest import mock

import boto3
import yaml
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

# The SDK wants a role for each step; `definition` takes it out again.
ROLE = "arn:aws:iam::000000000000:role/of-the-pipeline"
INSTANCE = "ml.m5.large"

# The bucket of the account in which the pipeline runs. It has no default, since no bucket is right in every account.
DATA_BUCKET = ParameterString(name="DataBucket")
LEAST_AUC = ParameterFloat(name="LeastAuc", default_value=0.75)

# The SDK would tell its makers of each use, over the network.
CONFIG = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


def session(region):
    """A session that knows its Region, and fails whatever would call AWS."""
    boto_session = boto3.Session(region_name=region, aws_access_key_id="none", aws_secret_access_key="none")
    client = mock.NonCallableMock(spec=[])
    return PipelineSession(
        boto_session=boto_session, sagemaker_client=client, default_bucket="not-used", sagemaker_config=CONFIG
    )


def of_this_run(*path):
    """A place in the data's bucket that no other run writes to."""
    return Join(on="/", values=["s3:/", DATA_BUCKET, "churn/runs", ExecutionVariables.PIPELINE_EXECUTION_ID, *path])


def prepare(at, region, code):
    """Splits the raw data. The script is what the build put at `code`."""
    processor = ScriptProcessor(
        image_uri=image_uris.retrieve("sklearn", region, version="1.2-1", instance_type=INSTANCE),
        command=["python3"],
        role=ROLE,
        instance_count=1,
        instance_type=INSTANCE,
        sagemaker_session=at,
    )
    raw = Join(on="/", values=["s3:/", DATA_BUCKET, "churn/raw"])
    arguments = processor.run(
        code=f"{code}/prepare.py",
        inputs=[ProcessingInput(source=raw, destination="/opt/ml/processing/raw", input_name="raw")],
        outputs=[
            ProcessingOutput(
                output_name=name, source=f"/opt/ml/processing/{name}", destination=of_this_run("prepared", name)
            )
            for name in ("train", "validation")
        ],
    )
    return ProcessingStep(name="Prepare", step_args=arguments)


def train(at, region, prepared):
    """Trains with what was prepared."""
    estimator = Estimator(
        image_uri=image_uris.retrieve("xgboost", region, version="1.7-1"),
        role=ROLE,
        instance_count=1,
        instance_type=INSTANCE,
        output_path=of_this_run("model"),
        sagemaker_session=at,
        max_run=3600,
        # Both would want places of their own in S3.
        debugger_hook_config=False,
        disable_profiler=True,
    )
    estimator.set_hyperparameters(objective="binary:logistic", eval_metric="auc", num_round=100)
    outputs = prepared.properties.ProcessingOutputConfig.Outputs
    arguments = estimator.fit(
        {
            name: TrainingInput(outputs[name].S3Output.S3Uri, content_type="text/csv")
            for name in ("train", "validation")
        }
    )
    return TrainingStep(name="Train", step_args=arguments)


def judge(trained):
    """Fails the run if the model is not good enough, and with the run its deployment."""
    auc = trained.properties.FinalMetricDataList["validation:auc"].Value
    weak = FailStep(name="TooWeak", error_message=Join(on=" ", values=["the AUC is below", LEAST_AUC]))
    return ConditionStep(
        name="IsGoodEnough",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=LEAST_AUC)],
        if_steps=[],
        else_steps=[weak],
    )


def definition(region, code):
    """The definition of the pipeline, as an object."""
    at = session(region)
    prepared = prepare(at, region, code)
    trained = train(at, region, prepared)
    pipeline = Pipeline(
        name="churn-train",
        parameters=[DATA_BUCKET, LEAST_AUC],
        steps=[prepared, trained, judge(trained)],
        sagemaker_session=at,
        # Else each run would make an experiment and a trial, which the role of the pipeline may not.
        pipeline_experiment_config=None,
    )
    rendered = json.loads(pipeline.definition())
    for step in rendered["Steps"]:
        # A step without a role has that of the pipeline, which is another one in each account.
        step.get("Arguments", {}).pop("RoleArn", None)
    return rendered


def template(region, code):
    """The template beside this file, with the definition inside."""
    frame = yaml.safe_load(pathlib.Path(__file__).with_name("template.yaml").read_text(encoding="utf-8"))
    body = json.dumps(definition(region, code), sort_keys=True, separators=(",", ":"))
    frame["Resources"]["Pipeline"]["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"] = body
    return frame


def main():
    """Writes the template."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--region", required=True, help="where the pipeline will run")
    parser.add_argument("--code", required=True, help="the address in S3 of the folder with prepare.py")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="where the template goes")
    options = parser.parse_args()
    text = json.dumps(template(options.region, options.code.rstrip("/")), indent=2)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
