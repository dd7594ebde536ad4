"""Definitions of pipelines: which are taken, and in which words the others are refused.

Three sources, each called by its name. `SCHEMA` is the JSON schema of
definitions that AWS publishes; what it says of each case was asked of the
schema itself, and where the sandbox differs the case says whom it follows
instead. `SDK` is what the SageMaker Python SDK 2.257 writes. The others are
reports of people whom AWS refused a definition.
"""

import json

import pytest

import pipelines
from cases import Case, each
from pipelines import definition, role, step, token

OWNER = "460000000001"
SCHEMA = "aws-sagemaker-mlops/sagemaker-model-building-pipeline-definition-JSON-schema, pipeline-definition.schema.json"
SDK = "aws/sagemaker-python-sdk, sagemaker/workflow"
REPORT = "https://github.com/aws/sagemaker-python-sdk"
MODEL = pipelines.SOURCE
S3 = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data"}
IMAGE = {"ImageUri": "image"}
NUMBER = {"Name": "Number", "Type": "Integer", "DefaultValue": 3}
TEXT = {"Name": "Text", "Type": "String", "DefaultValue": "a"}
EQUAL = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Number"}, "RightValue": 3}


def work(kind="Training", arguments=None, **members):
    return {"Name": "Work", "Type": kind, "Arguments": arguments or {}, **members}


def processing(**arguments):
    return work("Processing", arguments)


def gate(*conditions, **members):
    return work("Condition", {"Conditions": list(conditions), "IfSteps": [step("Yes")], "ElseSteps": [step("No")], **members})


def whole(*steps, parameters=(NUMBER, TEXT), **members):
    return definition(*steps, Parameters=list(parameters), **members)


def creating(text, name):
    return {"PipelineName": name, "RoleArn": role(OWNER), "PipelineDefinition": text, "ClientRequestToken": lambda _: token()}


def taken(name, text, source):
    return Case(name, OWNER, "sagemaker", "CreatePipeline", source, creating(text, lambda _: token()))


def refused(name, text, source, message="Unable to parse pipeline definition."):
    return Case(name, OWNER, "sagemaker", "CreatePipeline", source, creating(text, lambda _: token()), None, "ValidationException", message)


# What people met most, by the number of their reports.
REPORTS = [
    refused("an Integer parameter among the arguments of a container",
            whole(processing(AppSpecification={**IMAGE, "ContainerArguments": ["--until", {"Get": "Parameters.Number"}]})),
            f"{REPORT}/issues/2631, /issues/4867, /issues/2425",
            "Cannot assign property reference [Parameters.Number] to argument of type [String]."),
    refused("subnets that are a parameter instead of a list of one",
            whole(processing(NetworkConfig={"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": {"Get": "Parameters.Text"}}})),
            f"{REPORT}/issues/2345", "Unable to parse pipeline definition. Expecting start of Json Array."),
    refused("a job name with the hash of its inputs", whole(processing(ProcessingJobName="n" * 91)), f"{REPORT}/issues/5099",
            "with length=91 cannot be greater than max=63.0 defined for ProcessingJobName."),
    refused("the name of a model package", whole(work("RegisterModel", {"ModelPackageName": "churn"})), f"{REPORT}/pull/3472",
            "Unable to parse pipeline definition. Unknown Argument member 'ModelPackageName'."),
    refused("additional sources of a model", whole(work("Model", {"PrimaryContainer": {"AdditionalModelDataSources": []}})), f"{REPORT}/issues/4994",
            "Unable to parse pipeline definition. Unknown Argument member 'AdditionalModelDataSources'"),
    refused("a negation with the member Expression", whole(gate({"Type": "Not", "Expression": EQUAL})), f"{REPORT}/issues/2746, /pull/4351",
            "Unable to parse pipeline definition. Cannot parse object, unknown property 'Expression'."),
    refused("eleven inputs of a processing job", whole(processing(ProcessingInputs=[{"InputName": f"in-{n}"} for n in range(11)])), f"{REPORT}/issues/2554",
            "cannot be greater than max=10.0 defined for ProcessingInputs"),
    refused("an argument of 257 letters", whole(processing(AppSpecification={**IMAGE, "ContainerArguments": ["x" * 257]})), f"{REPORT}/issues/5224",
            "with length=257 cannot be greater than max=256.0 defined for ContainerArgument."),
    refused("an input mode that processing jobs do not have",
            whole(processing(ProcessingInputs=[{"InputName": "in", "S3Input": {**S3, "S3InputMode": "FastFile"}}])),
            "the error that several public pipelines quote beside their s3_input_mode",
            "Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy enum value set: [Pipe, File]"),
    refused("a property file that its step does not have",
            whole(step("Train"), gate({**EQUAL, "LeftValue": {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Train.PropertyFiles.Report"}, "Path": "mse"}}})),
            f"{REPORT}/issues/3642"),
]

# Verdicts of the JSON schema.
BY_SCHEMA = [
    taken("no version", json.dumps({"Steps": [step("Train")]}), SCHEMA),
    refused("another version", whole(Version="2021-01-01"), SCHEMA),
    refused("no steps", json.dumps({"Version": "2020-12-01"}), SCHEMA),
    refused("an unknown member beside the steps", whole(Stages=[]), SCHEMA, "unknown property 'Stages'"),
    taken("metadata", whole(Metadata={"team": "churn"}), SCHEMA),
    refused("metadata that are no text", whole(Metadata={"team": 1}), SCHEMA),
    taken("a parameter without a type", whole(parameters=[{"Name": "Text", "DefaultValue": "a"}]), SCHEMA),
    taken("a parameter with a description", whole(parameters=[{**TEXT, "Description": "to read"}]), SCHEMA),
    refused("a parameter without a name", whole(parameters=[{"Type": "String"}]), SCHEMA),
    refused("a parameter with a space in its name", whole(parameters=[{"Name": "a b"}]), SCHEMA),
    refused("a parameter of an unknown type", whole(parameters=[{"Name": "Number", "Type": "Int"}]), SCHEMA),
    refused("a parameter with an unknown member", whole(parameters=[{**TEXT, "Default": "a"}]), SCHEMA, "unknown property 'Default'"),
    refused("a number as a default text", whole(parameters=[{"Name": "Text", "DefaultValue": 1}]), SCHEMA),
    refused("a broken default of an Integer", whole(parameters=[{**NUMBER, "DefaultValue": 0.5}]), SCHEMA),
    refused("no default of an Integer", whole(parameters=[{**NUMBER, "DefaultValue": None}]), SCHEMA),
    taken("a whole default of a Float", whole(parameters=[{"Name": "Rate", "Type": "Float", "DefaultValue": 1}]), SCHEMA),
    taken("a training without arguments of its own", whole(work()), SCHEMA),
    refused("a training without arguments", whole({"Name": "Work", "Type": "Training"}), SCHEMA, "'Arguments'"),
    refused("a step of an unknown type", whole(work("Trainig")), SCHEMA, "Trainig"),
    refused("a step with an unknown member", whole(work(DependOn=[])), SCHEMA, "unknown property 'DependOn'"),
    refused("a step with a space in its name", whole({**work(), "Name": "my work"}), SCHEMA),
    refused("a step with a name of 65 letters", whole({**work(), "Name": "n" * 65}), SCHEMA),
    refused("retries of a Lambda step", whole(work("Lambda", FunctionArn="arn:aws:lambda:x", RetryPolicies=[])), SCHEMA),
    refused("a Lambda step without a function", whole(work("Lambda")), SCHEMA, "'FunctionArn'"),
    refused("a Lambda step with a number for a function", whole(work("Lambda", FunctionArn=7)), SCHEMA),
    refused("a callback step without a queue", whole(work("Callback")), SCHEMA, "'SqsQueueUrl'"),
    taken("a Lambda step without arguments", whole({"Name": "Work", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:x"}), SCHEMA),
    refused("an output of an unknown type", whole(work("Lambda", FunctionArn="f", OutputParameters=[{"OutputName": "a", "OutputType": "List"}])), SCHEMA),
    refused("a check without a type", whole(work("QualityCheck")), SCHEMA, "'CheckType'"),
    refused("a tuning without a configuration", whole(work("Tuning")), SCHEMA, "'HyperParameterTuningJobConfig'"),
    refused("an EMR step without a cluster", whole(work("EMR", {"StepConfig": {"HadoopJarStep": {"Jar": "a.jar"}}})), SCHEMA, "'ClusterId'"),
    refused("a condition step without conditions", whole(work("Condition", {"IfSteps": []})), SCHEMA, "'Conditions'"),
    refused("a condition step with an unknown member", whole(gate(EQUAL, ThenSteps=[])), SCHEMA, "unknown property 'ThenSteps'"),
    refused("an unknown condition", whole(gate({**EQUAL, "Type": "Equal"})), SCHEMA, "Equal"),
    refused("a misspelled operand", whole(gate({"Type": "Equals", "Left": 1, "RightValue": 1})), SCHEMA, "unknown property 'Left'"),
    refused("a comparison with nothing", whole(gate({"Type": "Equals", "LeftValue": 1})), SCHEMA, "'RightValue'"),
    refused("a comparison with null", whole(gate({**EQUAL, "RightValue": None})), SCHEMA, "'RightValue'"),
    refused("a comparison with a list", whole(gate({**EQUAL, "RightValue": [3]})), SCHEMA),
    taken("what does not equal", whole(gate({**EQUAL, "Type": "NotEquals"})), SCHEMA),
    taken("membership as the schema has it", whole(gate({"Type": "NotIn", "Value": "a", "In": ["b", "c"]})), SCHEMA),
    refused("a retry policy with an unknown member", whole(work(RetryPolicies=[{"ExceptionType": "Step.THROTTLING", "MaxAttempt": 1}])), SCHEMA),
    refused("a retry policy for an unknown exception", whole(work(RetryPolicies=[{"ExceptionType": "Step.FAULT"}])), SCHEMA),
    taken("a retry policy for one exception", whole(work(RetryPolicies=[{"ExceptionType": "Emr.RESOURCE_LIMIT"}])), SCHEMA),
    refused("a cache with an unknown member", whole(work(CacheConfig={"Enable": True})), SCHEMA, "unknown property 'Enable'"),
    refused("hyperparameters of a misspelled name", whole(work(arguments={"Hyperparameters": {}})), SCHEMA, "Unknown Argument member 'Hyperparameters'"),
    refused("a number in quotes", whole(work(arguments={"StoppingCondition": {"MaxRuntimeInSeconds": "60"}})), SCHEMA),
    refused("a text where a list must be", whole(work(arguments={"InputDataConfig": "s3://bucket"})), SCHEMA, "Expecting start of Json Array."),
]

# What the schema does not say or says otherwise, and the SDK writes.
BY_SDK = [
    taken("a negation", whole(gate({"Type": "Not", "Condition": EQUAL})), SDK),
    taken("membership as the SDK writes it", whole(gate({"Type": "In", "QueryValue": {"Get": "Parameters.Text"}, "Values": ["a", {"Get": "Execution.PipelineName"}]})), SDK),
    taken("a condition in a branch", whole(gate(EQUAL, IfSteps=[{**gate(EQUAL, IfSteps=[], ElseSteps=[]), "Name": "Inner"}])), SDK),
    taken("an enumeration of values", whole(parameters=[{**TEXT, "EnumValues": ["a", "b"]}]), SDK),
    taken("an experiment", whole(PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": {"Get": "Execution.PipelineExecutionId"}}), SDK),
    taken("an experiment that is not set", whole(PipelineExperimentConfig=None), SDK),
    taken("a check", whole(work("QualityCheck", CheckType="DATA_QUALITY", ModelPackageGroupName=None, SkipCheck=False, FailOnViolation=True,
                                RegisterNewBaseline=False, SuppliedBaselineStatistics=None, SuppliedBaselineConstraints=None)), SDK),
    taken("a step on a cluster that is made for it", whole(work("EMR", {"ClusterConfig": {"Instances": {}}, "StepConfig": {"HadoopJarStep": {"Jar": "a.jar", "Args": ["x"]}}})), SDK),
    taken("an integer joined into a text", whole(work(arguments={"HyperParameters": {"epochs": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Number"}]}}}})), SDK),
    taken("a list of retried exceptions", whole(work(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING", "SageMaker.CAPACITY_ERROR"], "BackoffRate": 2.0, "IntervalSeconds": 1, "MaxAttempts": 5}])), SDK),
    taken("no role", whole(work(arguments={"OutputDataConfig": {"S3OutputPath": "s3://bucket/models"}})), "SageMaker developer guide: a step without a role uses the pipeline's"),
    taken("an instance type that is yet to come", whole(processing(ProcessingResources={"ClusterConfig": {"InstanceType": "ml.z9.large", "InstanceCount": 1, "VolumeSizeInGB": 30}})), "what grows is not checked"),
    refused("an instance count of zero", whole(processing(ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 30}})), MODEL, "min=1.0"),
    refused("a channel without a data type", whole(work(arguments={"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://a/b"}}}]})), MODEL, "'S3DataType'"),
    refused("a text parameter for a count", whole(work(arguments={"ResourceConfig": {"InstanceCount": {"Get": "Parameters.Text"}}})), MODEL, "to argument of type [Integer]"),
    refused("a reference to nothing that there is", whole(gate({**EQUAL, "LeftValue": {"Get": "Parameter.Number"}})), SDK, "Parameter.Number"),
]


@each(REPORTS)
def test_what_people_report(case, context):
    case.run(context)


@each(BY_SCHEMA)
def test_what_the_published_schema_says(case, context):
    case.run(context)


@each(BY_SDK)
def test_what_the_sdk_writes(case, context):
    case.run(context)


@pytest.mark.parametrize("condition, outcome", [
    (EQUAL, "True"),
    ({"Type": "Not", "Condition": EQUAL}, "False"),
    ({"Type": "Not", "Condition": {"Type": "Not", "Condition": EQUAL}}, "True"),
    ({"Type": "Or", "Conditions": [{"Type": "Not", "Condition": EQUAL}, {"Type": "In", "QueryValue": "a", "Values": [{"Get": "Parameters.Text"}]}]}, "True"),
    ({"Type": "NotIn", "Value": {"Get": "Parameters.Number"}, "In": [1, 2, 3]}, "False"),
    ({"Type": "NotEquals", "LeftValue": {"Get": "Parameters.Text"}, "RightValue": "b"}, "True"),
])
def test_the_branch_is_that_of_the_condition(estate, condition, outcome):
    name = token()
    pipelines.create(estate, OWNER, name, whole(gate(condition)))
    run = pipelines.start(estate, OWNER, name)
    assert pipelines.finished(estate, OWNER, run) == "Succeeded"
    steps = estate.call(OWNER, "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=run)["PipelineExecutionSteps"]
    told = {one["StepName"]: one.get("Metadata") for one in steps}
    assert told.pop("Work") == {"Condition": {"Outcome": outcome}}
    assert list(told) == ["Yes" if outcome == "True" else "No"]


def test_an_update_is_looked_at_like_a_new_pipeline(estate, context):
    name = token()
    pipelines.create(estate, OWNER, name)
    wrong = whole(gate({"Type": "Not", "Expression": EQUAL}))
    arguments = {"PipelineName": name, "PipelineDefinition": wrong}
    Case("", OWNER, "sagemaker", "UpdatePipeline", SDK, arguments, None, "ValidationException", "'Expression'").run(context)
    described = estate.call(OWNER, "sagemaker", "DescribePipeline", PipelineName=name)
    assert described["PipelineDefinition"] == definition(), "what was refused changes nothing"


def test_a_selection_without_a_source_tells_what_it_lacks(estate, context):
    name = token()
    pipelines.create(estate, OWNER, name, definition(step("Prepare"), step("Train", ["Prepare"])))
    arguments = {"PipelineName": name, "ClientRequestToken": token(), "SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "Train"}]}}
    words = "Invalid SourcePipelineExecutionArn: null. The selected steps [Train] have dependencies on [Prepare]"
    Case("", OWNER, "sagemaker", "StartPipelineExecution", f"{REPORT}/issues/4444", arguments, None, "ValidationException", words).run(context)
