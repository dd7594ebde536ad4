"""SageMaker Pipelines, as the owner of the pipelines sees them."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

import pipelines
from cases import Case, each, where
from estate import eventually
from pipelines import SOURCE, arn, chain, definition, role, step, token

OWNER = "410000000001"
PAGES = "410000000002"
GUIDE = "SageMaker developer guide, Pipelines; pipeline definition JSON schema 2020-12-01"

WIRE = "Smithy, AWS JSON 1.1 protocol: what cannot be read is a SerializationException"

PARAMETERS = [
    {"Name": "Text", "Type": "String", "DefaultValue": "a"},
    {"Name": "Choice", "Type": "String", "DefaultValue": "x", "EnumValues": ["x", "y"]},
    {"Name": "Whole", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Broken", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Truth", "Type": "Boolean", "DefaultValue": True},
]
NEEDS = [{"Name": "Needed", "Type": "String"}]


@pytest.fixture(scope="module")
def context(context):
    """A pipeline with two versions and two finished executions, and others beside it."""
    estate = context.estate
    context.walk = pipelines.create(
        estate, OWNER, "Walk-7", definition(*chain(2), Parameters=PARAMETERS),
        PipelineDescription="the first", PipelineDisplayName="Walking",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
        Tags=[{"Key": "team", "Value": "churn"}],
    )
    context.first = pipelines.start(estate, OWNER, "Walk-7")
    assert pipelines.finished(estate, OWNER, context.first) == "Succeeded"
    context.second_text = definition(step("Only"), Parameters=PARAMETERS)
    context.call(OWNER, "sagemaker", "UpdatePipeline", PipelineName="Walk-7", PipelineDefinition=context.second_text)
    context.second = pipelines.start(
        estate, OWNER, "Walk-7", PipelineExecutionDisplayName="evening", PipelineExecutionDescription="to read",
        PipelineParameters=[{"Name": "Whole", "Value": "7"}, {"Name": "Text", "Value": "b"}],
    )
    assert pipelines.finished(estate, OWNER, context.second) == "Succeeded"
    pipelines.create(estate, OWNER, "needs", definition(Parameters=NEEDS))
    context.long = pipelines.create(estate, OWNER, "long", definition(*chain(60)))
    return context


def case(name, operation, arguments=None, expect=None, error=None, source=SOURCE, **more):
    return Case(name, more.pop("who", OWNER), "sagemaker", operation, source, arguments or {}, expect, error, **more)


def invalid(name, operation, arguments, message="", source=SOURCE):
    return case(name, operation, arguments, error="ValidationException", message=message, source=source)


def creating(**members):
    """The arguments of CreatePipeline, complete but for what is given here."""
    whole = {
        "PipelineName": lambda _: token(), "RoleArn": role(OWNER), "PipelineDefinition": definition(),
        "ClientRequestToken": lambda _: token(), **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def created(name, pipeline, **members):
    return case(name, "CreatePipeline", creating(PipelineName=pipeline, **members), {"PipelineArn": arn(OWNER, pipeline)})


def refused(name, message="", source=SOURCE, **members):
    return invalid(name, "CreatePipeline", creating(**members), message, source)


CREATE = [
    created("a name of one letter", "x"),
    created("a name of one digit", "7"),
    created("a name with hyphens in a row", "night--owl"),
    created("a name of 256 letters", "n" * 256),
    created("a token of 128 letters", "token-128", ClientRequestToken="t" * 128),
    created("a description of 3072 letters", "described", PipelineDescription="d" * 3072),
    created("an empty description", "undescribed", PipelineDescription=""),
    created("fifty tags", "tagged-fifty", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)]),
    created("a role with a path", "role-with-path", RoleArn=f"arn:aws:iam::{OWNER}:role/service-role/pipe_line+1"),
    refused("an empty name", PipelineName=""),
    refused("no name", PipelineName=None),
    refused("a name of 257 letters", PipelineName="n" * 257),
    refused("a name with an underscore", "regular expression", PipelineName="night_owl"),
    refused("a name that begins with a hyphen", "regular expression", PipelineName="-owl"),
    refused("a name that ends with a hyphen", "regular expression", PipelineName="owl-"),
    refused("a name with a letter that is not ASCII", PipelineName="eule-ü"),
    refused("an ARN for a name", "regular expression", PipelineName=arn(OWNER, "owl")),
    refused("a display name with a space", "regular expression", PipelineDisplayName="night owl"),
    refused("an empty display name", PipelineDisplayName=""),
    refused("a token of 31 letters", "32", ClientRequestToken="t" * 31),
    refused("a token of 129 letters", "128", ClientRequestToken="t" * 129),
    refused("a description of 3073 letters", PipelineDescription="d" * 3073),
    refused("a description of two lines", PipelineDescription="one\ntwo"),
    refused("no role", RoleArn=None),
    refused("a role that is no ARN", RoleArn="the-role-of-the-pipeline"),
    refused("a role that is a user", RoleArn=f"arn:aws:iam::{OWNER}:user/somebody"),
    refused("a role with a space", RoleArn=f"arn:aws:iam::{OWNER}:role/some body"),
    refused("a role that is too short", RoleArn="arn:aws:iam"),
    refused("fifty-one tags", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)]),
    refused("a tag without a key", Tags=[{"Key": "", "Value": "v"}]),
    refused("a tag with a reserved key", Tags=[{"Key": "aws:team", "Value": "v"}], source="API reference, Tag: must not begin with aws:"),
    refused("a tag with a key of 129 letters", Tags=[{"Key": "k" * 129, "Value": "v"}]),
    refused("a tag with a value of 257 letters", Tags=[{"Key": "k", "Value": "v" * 257}]),
    refused("a tag with a letter that tags do not have", Tags=[{"Key": "k!", "Value": "v"}]),
    refused("a limit of no steps at once", ParallelismConfiguration={"MaxParallelExecutionSteps": 0}),
    refused("a limit that is not there", ParallelismConfiguration={}),
    refused("no definition", PipelineDefinition=None, source="API reference, CreatePipeline"),
    refused("an empty definition", PipelineDefinition=""),
    refused("a definition of more than a mebibyte", "1048576", PipelineDefinition=definition() + " " * 1048576),
    refused("a definition that is no JSON", "Unable to parse pipeline definition", GUIDE, PipelineDefinition="steps: []"),
    refused("a definition that is a list", "Unable to parse", GUIDE, PipelineDefinition="[]"),
    refused("a definition of an unknown version", "Unable to parse", GUIDE, PipelineDefinition=definition(Version="2019-01-01")),
    refused("a definition without steps", "Unable to parse", GUIDE, PipelineDefinition='{"Version":"2020-12-01"}'),
    refused("a definition with steps that are no list", "Unable to parse", GUIDE, PipelineDefinition='{"Version":"2020-12-01","Steps":{}}'),
    refused("a step without a name", "Unable to parse", GUIDE, PipelineDefinition=definition({"Type": "Training", "Arguments": {}})),
    refused("a step without a type", "Unable to parse", GUIDE, PipelineDefinition=definition({"Name": "A", "Arguments": {}})),
    refused("a step that waits for nobody", "Unable to parse", GUIDE, PipelineDefinition=definition(step("A", ["B"]))),
    refused("two steps of one name", "Unable to parse", GUIDE, PipelineDefinition=definition(step("A"), step("A"))),
    refused("steps that wait for each other", "Unable to parse", GUIDE, PipelineDefinition=definition(step("A", ["B"]), step("B", ["A"]))),
    refused("a parameter that nobody defined", "Unable to parse", GUIDE,
            PipelineDefinition=definition({**step("A"), "Arguments": {"Role": {"Get": "Parameters.Nobody"}}})),
    refused("a default of another type", "Unable to parse", GUIDE,
            PipelineDefinition=definition(Parameters=[{"Name": "N", "Type": "Integer", "DefaultValue": "many"}])),
    refused("a name that is taken", "already exists", PipelineName="Walk-7"),
]


@each(CREATE)
def test_create_pipeline(case, context):
    case.run(context)


READ = [
    case("by name", "DescribePipeline", {"PipelineName": "Walk-7"}, {
        "PipelineName": "Walk-7", "PipelineArn": lambda c: c.walk, "PipelineStatus": "Active", "PipelineDisplayName": "Walking",
        "PipelineDescription": "the first", "RoleArn": role(OWNER), "PipelineDefinition": lambda c: c.second_text,
        "ParallelismConfiguration.MaxParallelExecutionSteps": 3, "CreatedBy.IamIdentity.Arn": f"arn:aws:iam::{OWNER}:user/administrator",
        "LastRunTime": where(lambda time: isinstance(time, datetime.datetime)),
    }),
    case("by ARN", "DescribePipeline", {"PipelineName": lambda c: c.walk}, {"PipelineName": "Walk-7"}),
    case("an older version", "DescribePipeline", {"PipelineName": "Walk-7", "PipelineVersionId": 1},
         {"PipelineDefinition": where(lambda text: len(json.loads(text)["Steps"]) == 2)}),
    case("a version that is not there", "DescribePipeline", {"PipelineName": "Walk-7", "PipelineVersionId": 3}, error="ResourceNotFound"),
    invalid("version zero", "DescribePipeline", {"PipelineName": "Walk-7", "PipelineVersionId": 0}),
    case("a pipeline that is not there", "DescribePipeline", {"PipelineName": "nobody"}, error="ResourceNotFound", message="does not exist"),
    case("the ARN of a pipeline that is not there", "DescribePipeline", {"PipelineName": arn(OWNER, "nobody")}, error="ResourceNotFound"),
    invalid("an empty name to describe", "DescribePipeline", {"PipelineName": ""}),
    invalid("the ARN of something else", "DescribePipeline", {"PipelineName": "arn:aws:s3:::bucket"}),
    invalid("an ARN without a name", "DescribePipeline", {"PipelineName": arn(OWNER, "")}),
    invalid("a name of 2049 letters", "DescribePipeline", {"PipelineName": "n" * 2049}),
    case("the newest executions first", "ListPipelineExecutions", {"PipelineName": "Walk-7"}, {
        "PipelineExecutionSummaries[].PipelineExecutionArn": lambda c: [c.second, c.first],
        "PipelineExecutionSummaries[].PipelineExecutionStatus": ["Succeeded", "Succeeded"],
        "PipelineExecutionSummaries[0].PipelineExecutionDisplayName": "evening",
        "PipelineExecutionSummaries[0].PipelineExecutionDescription": "to read", "NextToken": None,
    }),
    case("executions by ARN in ascending order", "ListPipelineExecutions",
         {"PipelineName": lambda c: c.walk, "SortBy": "PipelineExecutionArn", "SortOrder": "Ascending"},
         {"PipelineExecutionSummaries[].PipelineExecutionArn": lambda c: sorted([c.first, c.second])}),
    case("executions of a pipeline that is not there", "ListPipelineExecutions", {"PipelineName": "nobody"}, error="ResourceNotFound"),
    case("no executions before a time long ago", "ListPipelineExecutions", {"PipelineName": "Walk-7", "CreatedBefore": datetime.datetime(2020, 1, 1)},
         {"PipelineExecutionSummaries": []}),
    case("all executions after a time long ago", "ListPipelineExecutions", {"PipelineName": "Walk-7", "CreatedAfter": datetime.datetime(2020, 1, 1)},
         {"length(PipelineExecutionSummaries)": 2}),
    invalid("executions in no known order", "ListPipelineExecutions", {"PipelineName": "Walk-7", "SortBy": "Mood"}),
    invalid("executions in no known direction", "ListPipelineExecutions", {"PipelineName": "Walk-7", "SortOrder": "Sideways"}),
    invalid("a page of no executions", "ListPipelineExecutions", {"PipelineName": "Walk-7", "MaxResults": 0}),
    invalid("a page of 101 executions", "ListPipelineExecutions", {"PipelineName": "Walk-7", "MaxResults": 101}),
    invalid("a token that nobody gave", "ListPipelineExecutions", {"PipelineName": "Walk-7", "NextToken": "x"}),
    case("an execution", "DescribePipelineExecution", {"PipelineExecutionArn": lambda c: c.second}, {
        "PipelineArn": lambda c: c.walk, "PipelineExecutionArn": lambda c: c.second, "PipelineExecutionDisplayName": "evening",
        "PipelineExecutionStatus": "Succeeded", "PipelineVersionId": 2, "FailureReason": None,
        "ParallelismConfiguration.MaxParallelExecutionSteps": 3,
    }),
    case("an execution that is not there", "DescribePipelineExecution", {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/000000000000")}, error="ResourceNotFound"),
    invalid("the ARN of a pipeline for one of an execution", "DescribePipelineExecution", {"PipelineExecutionArn": lambda c: c.walk}),
    invalid("no ARN of an execution", "DescribePipelineExecution", {}),
    case("the steps of an execution", "ListPipelineExecutionSteps", {"PipelineExecutionArn": lambda c: c.first, "SortOrder": "Ascending"}, {
        "PipelineExecutionSteps[].StepName": ["Step0", "Step1"], "PipelineExecutionSteps[].StepStatus": ["Succeeded", "Succeeded"],
        "PipelineExecutionSteps[0].Metadata.TrainingJob.Arn": where(lambda job: job.startswith(f"arn:aws:sagemaker:us-east-1:{OWNER}:training-job/")),
    }),
    case("the newest steps first", "ListPipelineExecutionSteps", {"PipelineExecutionArn": lambda c: c.first, "SortOrder": "Descending"},
         {"PipelineExecutionSteps[].StepName": ["Step1", "Step0"]}),
    case("steps of an execution that is not there", "ListPipelineExecutionSteps", {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/0")}, error="ResourceNotFound"),
    case("the definition that an execution ran", "DescribePipelineDefinitionForExecution", {"PipelineExecutionArn": lambda c: c.second},
         {"PipelineDefinition": lambda c: c.second_text}),
    case("the definition for an execution that is not there", "DescribePipelineDefinitionForExecution",
         {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/0")}, error="ResourceNotFound"),
    case("the parameters of an execution", "ListPipelineParametersForExecution", {"PipelineExecutionArn": lambda c: c.second},
         {"sort_by(PipelineParameters, &Name)": [{"Name": "Text", "Value": "b"}, {"Name": "Whole", "Value": "7"}]}),
    case("parameters for an execution that is not there", "ListPipelineParametersForExecution",
         {"PipelineExecutionArn": arn(OWNER, "nobody/execution/0")}, error="ResourceNotFound"),
    case("the newest version first", "ListPipelineVersions", {"PipelineName": "Walk-7"}, {
        "PipelineVersionSummaries[].PipelineVersionId": [2, 1],
        "PipelineVersionSummaries[].LastExecutionPipelineExecutionArn": lambda c: [c.second, c.first],
    }),
    case("versions in ascending order by ARN", "ListPipelineVersions", {"PipelineName": lambda c: c.walk, "SortOrder": "Ascending"},
         {"PipelineVersionSummaries[].PipelineVersionId": [1, 2]}),
    case("versions of a pipeline that is not there", "ListPipelineVersions", {"PipelineName": "nobody"}, error="ResourceNotFound"),
]


@each(READ)
def test_read(case, context):
    case.run(context)


CHANGE = [
    case("an update without a definition keeps the version", "UpdatePipeline", {"PipelineName": "needs", "PipelineDescription": "new"},
         {"PipelineVersionId": 1, "PipelineArn": arn(OWNER, "needs")}),
    case("an update of a pipeline that is not there", "UpdatePipeline", {"PipelineName": "nobody"}, error="ResourceNotFound"),
    invalid("an update by ARN", "UpdatePipeline", {"PipelineName": lambda c: c.walk}),
    invalid("an update with a broken definition", "UpdatePipeline", {"PipelineName": "needs", "PipelineDefinition": "{"}, "Unable to parse"),
    invalid("an update with a role that is none", "UpdatePipeline", {"PipelineName": "needs", "RoleArn": "x" * 20}),
    case("a version gets a name", "UpdatePipelineVersion",
         {"PipelineArn": lambda c: c.walk, "PipelineVersionId": 1, "PipelineVersionDisplayName": "old", "PipelineVersionDescription": "as it was"},
         {"PipelineVersionId": 1}),
    case("the name of a version is described", "DescribePipeline", {"PipelineName": "Walk-7", "PipelineVersionId": 1},
         {"PipelineVersionDisplayName": "old", "PipelineVersionDescription": "as it was"}),
    case("a version that is not there cannot be named", "UpdatePipelineVersion",
         {"PipelineArn": lambda c: c.walk, "PipelineVersionId": 9}, error="ResourceNotFound"),
    invalid("a version of a pipeline that is only named", "UpdatePipelineVersion", {"PipelineArn": "Walk-7", "PipelineVersionId": 1}),
    invalid("a version without a number", "UpdatePipelineVersion", {"PipelineArn": lambda c: c.walk}),
    invalid("a version with a name that is too long", "UpdatePipelineVersion",
            {"PipelineArn": lambda c: c.walk, "PipelineVersionId": 1, "PipelineVersionDisplayName": "n" * 83}),
    case("an execution gets another name", "UpdatePipelineExecution",
         {"PipelineExecutionArn": lambda c: c.first, "PipelineExecutionDisplayName": "morning"}, {"PipelineExecutionArn": lambda c: c.first}),
    case("the other name is described", "DescribePipelineExecution", {"PipelineExecutionArn": lambda c: c.first}, {"PipelineExecutionDisplayName": "morning"}),
    case("an execution that is not there cannot be changed", "UpdatePipelineExecution",
         {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/0")}, error="ResourceNotFound"),
    invalid("an execution with a bad name", "UpdatePipelineExecution", {"PipelineExecutionArn": lambda c: c.first, "PipelineExecutionDisplayName": "a b"}),
    case("tags are added", "AddTags", {"ResourceArn": lambda c: c.walk, "Tags": [{"Key": "stage", "Value": "test"}]},
         {"Tags": where(lambda tags: {"Key": "stage", "Value": "test"} in tags)}),
    case("a tag is changed", "AddTags", {"ResourceArn": lambda c: c.walk, "Tags": [{"Key": "team", "Value": "fraud"}]}),
    case("tags are listed", "ListTags", {"ResourceArn": lambda c: c.walk},
         {"sort_by(Tags, &Key)": [{"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "fraud"}]}),
    case("a tag is taken off", "DeleteTags", {"ResourceArn": lambda c: c.walk, "TagKeys": ["stage", "never-there"]}),
    case("what is left is listed", "ListTags", {"ResourceArn": lambda c: c.walk}, {"Tags": [{"Key": "team", "Value": "fraud"}]}),
    invalid("tags of what is no ARN", "ListTags", {"ResourceArn": "Walk-7"}),
    invalid("a page of less than fifty tags", "ListTags", {"ResourceArn": lambda c: c.walk, "MaxResults": 49}),
    invalid("no tags to add", "AddTags", {"ResourceArn": lambda c: c.walk}),
    invalid("no keys to take off", "DeleteTags", {"ResourceArn": lambda c: c.walk, "TagKeys": []}),
    invalid("fifty-one keys to take off", "DeleteTags", {"ResourceArn": lambda c: c.walk, "TagKeys": [f"k{n}" for n in range(51)]}),
]


@each(CHANGE)
def test_change(case, context):
    case.run(context)


def started(pipeline="Walk-7", *parameters, **members):
    parameters = [{"Name": name, "Value": value} for name, value in parameters]
    whole = {"PipelineName": pipeline, "ClientRequestToken": lambda _: token(), **members}
    return {**whole, "PipelineParameters": parameters} if parameters else whole


RUN = [
    case("a start by ARN", "StartPipelineExecution", started(arn(OWNER, "Walk-7")), {"PipelineExecutionArn": where(lambda run: run.startswith(arn(OWNER, "Walk-7/execution/")))}),
    case("a start of an older version", "StartPipelineExecution", started(PipelineVersionId=1)),
    case("a start with all kinds of parameters", "StartPipelineExecution",
         started("Walk-7", ("Text", "any"), ("Choice", "y"), ("Whole", "-3"), ("Broken", "2.5"), ("Truth", "false"))),
    case("a start with what has no default", "StartPipelineExecution", started("needs", ("Needed", "this"))),
    case("a start in an experiment of MLflow is beyond the sandbox", "StartPipelineExecution", started(MlflowExperimentName="e"),
         error="NotImplemented", source="tests/README.md"),
    case("a start of what is not there", "StartPipelineExecution", started("nobody"), error="ResourceNotFound"),
    case("a start of a version that is not there", "StartPipelineExecution", started(PipelineVersionId=9), error="ResourceNotFound"),
    invalid("a start without what has no default", "StartPipelineExecution", started("needs")),
    invalid("a start with an unknown parameter", "StartPipelineExecution", started("Walk-7", ("Nobody", "x"))),
    invalid("a start with a parameter given twice", "StartPipelineExecution", started("Walk-7", ("Text", "x"), ("Text", "y"))),
    invalid("a start with an empty text", "StartPipelineExecution", started("Walk-7", ("Text", ""))),
    invalid("a start with a text for a whole number", "StartPipelineExecution", started("Walk-7", ("Whole", "many"))),
    invalid("a start with a fraction for a whole number", "StartPipelineExecution", started("Walk-7", ("Whole", "1.5"))),
    invalid("a start with a text for a fraction", "StartPipelineExecution", started("Walk-7", ("Broken", "half"))),
    invalid("a start with a text for a truth", "StartPipelineExecution", started("Walk-7", ("Truth", "maybe"))),
    invalid("a start with what is no choice", "StartPipelineExecution", started("Walk-7", ("Choice", "z"))),
    invalid("a start with a parameter without a value", "StartPipelineExecution", started(PipelineParameters=[{"Name": "Text"}])),
    invalid("a start with a value of 1025 letters", "StartPipelineExecution", started("Walk-7", ("Text", "v" * 1025))),
    invalid("a start with 201 parameters", "StartPipelineExecution", started("Walk-7", *[(f"p{n}", "v") for n in range(201)])),
    invalid("a start with a short token", "StartPipelineExecution", started(ClientRequestToken="short")),
    invalid("a start with a bad name", "StartPipelineExecution", started(PipelineExecutionDisplayName="two words")),
    invalid("a start with a name of 83 letters", "StartPipelineExecution", started(PipelineExecutionDisplayName="n" * 83)),
    invalid("a start of no steps at once", "StartPipelineExecution", started(ParallelismConfiguration={"MaxParallelExecutionSteps": 0})),
    invalid("a stop of what succeeded", "StopPipelineExecution", {"PipelineExecutionArn": lambda c: c.first, "ClientRequestToken": lambda _: token()}, "Executing"),
    invalid("a retry of what succeeded", "RetryPipelineExecution", {"PipelineExecutionArn": lambda c: c.first, "ClientRequestToken": lambda _: token()}),
    case("a stop of what is not there", "StopPipelineExecution", {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/0"), "ClientRequestToken": lambda _: token()}, error="ResourceNotFound"),
    case("a retry of what is not there", "RetryPipelineExecution", {"PipelineExecutionArn": arn(OWNER, "Walk-7/execution/0"), "ClientRequestToken": lambda _: token()}, error="ResourceNotFound"),
]


@each(RUN)
def test_run(case, context):
    case.run(context)


def searched(*filters, resource="Pipeline", **members):
    filters = [dict(zip(("Name", "Operator", "Value"), each)) for each in filters]
    whole = {"Resource": resource, **members}
    return {**whole, "SearchExpression": {"Filters": filters}} if filters else whole


SEARCH = [
    case("pipelines by name", "Search", searched(("PipelineName", "Equals", "Walk-7")),
         {"Results[].Pipeline.PipelineArn": lambda c: [c.walk], "TotalHits.Value": 1, "TotalHits.Relation": "EqualTo"}),
    case("pipelines by a part of the name", "Search", searched(("PipelineName", "Contains", "alk")), {"Results[].Pipeline.PipelineName": ["Walk-7"]}),
    case("pipelines by one of some names", "Search", searched(("PipelineName", "In", "long,needs"), SortBy="PipelineName", SortOrder="Ascending"),
         {"Results[].Pipeline.PipelineName": ["long", "needs"]}),
    case("executions by pipeline", "Search", searched(("PipelineArn", "Equals", arn(OWNER, "Walk-7")), ("PipelineExecutionDisplayName", "Equals", "evening"), resource="PipelineExecution"),
         {"Results[].PipelineExecution.PipelineExecutionArn": lambda c: [c.second]}),
    case("executions by status", "Search", searched(("PipelineExecutionStatus", "Equals", "Failed"), resource="PipelineExecution"), {"Results": [], "TotalHits.Value": 0}),
    case("nothing of other accounts", "Search", searched(("PipelineName", "Equals", "Walk-7")), {"Results": []}, who=PAGES),
    invalid("a search for nothing known", "Search", searched(resource="Sock")),
    invalid("a search without a resource", "Search", {}),
    invalid("a search by an unknown property", "Search", searched(("Colour", "Equals", "red"))),
    invalid("a search with an unknown operator", "Search", searched(("PipelineName", "Resembles", "x"))),
    invalid("a search by an unknown order", "Search", searched(SortBy="Colour")),
    invalid("a search with 21 filters", "Search", searched(*[("PipelineName", "Equals", f"n{n}") for n in range(21)])),
    invalid("a page of 101 findings", "Search", searched(MaxResults=101)),
]


@each(SEARCH)
def test_search(case, context):
    case.run(context)


@pytest.fixture(scope="module")
def pages(estate):
    """An account with twelve pipelines, the first of which has twelve executions."""
    names = [f"page-{number:02}" for number in range(12)]
    for name in names:
        pipelines.create(estate, PAGES, name)
    for _ in names:
        pipelines.start(estate, PAGES, names[0])
    return names


def every_page(estate, operation, member, size, **arguments):
    answers = []
    while not answers or "NextToken" in answers[-1]:
        more = {"NextToken": answers[-1]["NextToken"]} if answers else {}
        answers.append(estate.call(PAGES, "sagemaker", operation, MaxResults=size, **arguments, **more))
        assert len(answers[-1][member]) <= size
    return [item for answer in answers for item in answer[member]]


@pytest.mark.parametrize("size", [1, 5, 11, 12, 100])
def test_every_page_size_lists_every_pipeline_once(estate, pages, size):
    found = every_page(estate, "ListPipelines", "PipelineSummaries", size, SortBy="Name", SortOrder="Ascending")
    assert [summary["PipelineName"] for summary in found] == pages


@pytest.mark.parametrize("size", [1, 7, 12])
def test_every_page_size_lists_every_execution_once(estate, pages, size):
    found = every_page(estate, "ListPipelineExecutions", "PipelineExecutionSummaries", size, PipelineName=pages[0])
    assert len({summary["PipelineExecutionArn"] for summary in found}) == len(found) == 12


@pytest.mark.parametrize("size", [1, 12])
def test_every_page_size_finds_every_pipeline_once(estate, pages, size):
    found = every_page(estate, "Search", "Results", size, Resource="Pipeline", SortBy="PipelineName", SortOrder="Ascending")
    assert [result["Pipeline"]["PipelineName"] for result in found] == pages


LISTS = [
    case("by name, descending", "ListPipelines", {"SortBy": "Name", "MaxResults": 3}, {"PipelineSummaries[].PipelineName": ["page-11", "page-10", "page-09"]}),
    case("by creation, ascending", "ListPipelines", {"SortBy": "CreationTime", "SortOrder": "Ascending", "MaxResults": 2}, {"PipelineSummaries[].PipelineName": ["page-00", "page-01"]}),
    case("by the beginning of the name", "ListPipelines", {"PipelineNamePrefix": "page-1", "SortBy": "Name", "SortOrder": "Ascending"},
         {"PipelineSummaries[].PipelineName": ["page-10", "page-11"]}),
    case("by a beginning that no name has", "ListPipelines", {"PipelineNamePrefix": "Zz"}, {"PipelineSummaries": [], "NextToken": None}),
    case("a number for the beginning of a name", "ListPipelines", {"PipelineNamePrefix": 5}, error="SerializationException", source=WIRE),
    case("a text for the size of a page", "ListPipelines", {"MaxResults": "ten"}, error="SerializationException", source=WIRE),
    case("a number for an order", "ListPipelines", {"SortBy": 1}, error="SerializationException", source=WIRE),
    case("a number for a name", "DescribePipeline", {"PipelineName": 7}, error="SerializationException", source=WIRE),
    invalid("a negative page", "ListPipelines", {"MaxResults": -1}),
    invalid("by an empty beginning", "ListPipelines", {"PipelineNamePrefix": ""}),
    invalid("by a beginning that no name can have", "ListPipelines", {"PipelineNamePrefix": "page_"}),
    case("created before anything", "ListPipelines", {"CreatedBefore": datetime.datetime(2020, 1, 1)}, {"PipelineSummaries": []}),
    invalid("by nothing known", "ListPipelines", {"SortBy": "Mood"}),
    invalid("a page of none", "ListPipelines", {"MaxResults": 0}),
    invalid("a page of 101", "ListPipelines", {"MaxResults": 101}),
    invalid("with a token that nobody gave", "ListPipelines", {"NextToken": "nonsense"}),
]


@each(LISTS)
def test_lists(case, context, pages):
    case.who = PAGES
    case.run(context)


def test_a_token_that_comes_back_does_nothing_twice(estate):
    again = token()
    request = {"PipelineName": "once", "RoleArn": role(OWNER), "PipelineDefinition": definition(), "ClientRequestToken": again}
    for _ in range(2):
        assert estate.call(OWNER, "sagemaker", "CreatePipeline", **request) == {"PipelineArn": arn(OWNER, "once")}
    run = {"PipelineName": "once", "ClientRequestToken": again}
    first, second = (estate.call(OWNER, "sagemaker", "StartPipelineExecution", **run) for _ in range(2))
    assert first == second
    listed = estate.call(OWNER, "sagemaker", "ListPipelineExecutions", PipelineName="once")
    assert len(listed["PipelineExecutionSummaries"]) == 1


def test_a_token_with_another_request_is_a_conflict(estate, context):
    again = token()
    estate.call(OWNER, "sagemaker", "StartPipelineExecution", PipelineName="Walk-7", ClientRequestToken=again)
    with pytest.raises(ClientError) as caught:
        estate.call(OWNER, "sagemaker", "StartPipelineExecution", PipelineName="long", ClientRequestToken=again)
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_an_execution_is_stopped_and_retried(estate, context):
    run = pipelines.start(estate, OWNER, context.long)
    one = {"PipelineExecutionArn": run, "ClientRequestToken": token()}
    assert estate.call(OWNER, "sagemaker", "StopPipelineExecution", **one)["PipelineExecutionArn"] == run
    assert pipelines.finished(estate, OWNER, run) == "Stopped"
    one["ClientRequestToken"] = token()
    assert estate.call(OWNER, "sagemaker", "RetryPipelineExecution", **one)["PipelineExecutionArn"] == run
    described = estate.call(OWNER, "sagemaker", "DescribePipelineExecution", PipelineExecutionArn=run)
    assert described["PipelineExecutionStatus"] == "Executing"
    with pytest.raises(ClientError) as caught:
        estate.call(OWNER, "sagemaker", "DeletePipeline", PipelineName="long", ClientRequestToken=token())
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_a_failed_execution_tells_why_and_goes_on_when_it_is_retried(estate):
    fail = {"Name": "Give-up", "Type": "Fail", "Arguments": {"ErrorMessage": "too few customers"}, "DependsOn": ["Train"]}
    pipelines.create(estate, OWNER, "gives-up", definition(step("Train"), fail))
    run = pipelines.start(estate, OWNER, "gives-up")
    assert pipelines.finished(estate, OWNER, run) == "Failed"
    described = estate.call(OWNER, "sagemaker", "DescribePipelineExecution", PipelineExecutionArn=run)
    assert described["FailureReason"]
    steps = estate.call(OWNER, "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=run, SortOrder="Ascending")
    told = {each["StepName"]: (each["StepStatus"], each.get("FailureReason")) for each in steps["PipelineExecutionSteps"]}
    assert told["Train"] == ("Succeeded", None)
    assert told["Give-up"][0] == "Failed" and "too few customers" in told["Give-up"][1]
    estate.call(OWNER, "sagemaker", "RetryPipelineExecution", PipelineExecutionArn=run, ClientRequestToken=token())
    assert pipelines.finished(estate, OWNER, run) == "Failed"
    again = estate.call(OWNER, "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=run, SortOrder="Ascending")
    trained = [each["Metadata"]["TrainingJob"]["Arn"] for each in (*steps["PipelineExecutionSteps"], *again["PipelineExecutionSteps"]) if each["StepName"] == "Train"]
    assert len(trained) == 2 and len(set(trained)) == 1, "what succeeded is not run again"


def test_what_runs_is_seen_running(estate, context):
    run = pipelines.start(estate, OWNER, "long")
    described = estate.call(OWNER, "sagemaker", "DescribePipelineExecution", PipelineExecutionArn=run)
    assert described["PipelineExecutionStatus"] == "Executing"
    steps = estate.call(OWNER, "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=run)
    assert {each["StepStatus"] for each in steps["PipelineExecutionSteps"]} & {"Starting", "Executing"}
    found = estate.call(OWNER, "sagemaker", "Search", Resource="PipelineExecution", SearchExpression={
        "Filters": [{"Name": "PipelineExecutionStatus", "Operator": "Equals", "Value": "Executing"}]})
    assert run in {each["PipelineExecution"]["PipelineExecutionArn"] for each in found["Results"]}
    estate.call(OWNER, "sagemaker", "StopPipelineExecution", PipelineExecutionArn=run, ClientRequestToken=token())
    assert pipelines.finished(estate, OWNER, run) == "Stopped"
    steps = estate.call(OWNER, "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=run)
    assert not {"Executing", "Starting", "Stopping"} & {each["StepStatus"] for each in steps["PipelineExecutionSteps"]}


def test_a_deleted_pipeline_is_gone_with_everything_of_it(estate):
    pipelines.create(estate, OWNER, "brief")
    run = pipelines.start(estate, OWNER, "brief")
    assert pipelines.finished(estate, OWNER, run) == "Succeeded"
    deleted = estate.call(OWNER, "sagemaker", "DeletePipeline", PipelineName="brief", ClientRequestToken=token())
    assert deleted == {"PipelineArn": arn(OWNER, "brief")}
    for operation, arguments in [
        ("DescribePipeline", {"PipelineName": "brief"}),
        ("StartPipelineExecution", {"PipelineName": "brief", "ClientRequestToken": token()}),
        ("DescribePipelineExecution", {"PipelineExecutionArn": run}),
        ("DeletePipeline", {"PipelineName": "brief", "ClientRequestToken": token()}),
    ]:
        with pytest.raises(ClientError) as caught:
            estate.call(OWNER, "sagemaker", operation, **arguments)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFound", operation
    pipelines.create(estate, OWNER, "brief")
    assert estate.call(OWNER, "sagemaker", "ListPipelineExecutions", PipelineName="brief")["PipelineExecutionSummaries"] == []


def test_other_regions_have_other_pipelines(estate, context):
    with pytest.raises(ClientError) as caught:
        estate.call(OWNER, "sagemaker", "DescribePipeline", region="eu-west-1", PipelineName="Walk-7")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
    assert estate.call(OWNER, "sagemaker", "ListPipelines", region="eu-west-1")["PipelineSummaries"] == []
