"""What a deployment relies on, checked before anything is deployed."""

import json
import pathlib
import re
import socket

import pytest

import pipeline
import prepare

REGION = "eu-west-1"
CODE = "s3://artifacts/code_by_commit/1a2b3c"


@pytest.fixture(scope="module")
def definition():
    return pipeline.definition(REGION, CODE)


@pytest.fixture
def steps(definition):
    return {step["Name"]: step for step in definition["Steps"]}


def test_it_prepares_trains_and_judges(steps):
    kinds = {name: step["Type"] for name, step in steps.items()}
    assert kinds == {"Prepare": "Processing", "Train": "Training", "IsGoodEnough": "Condition"}


def test_it_trains_with_what_it_prepared(steps):
    channels = steps["Train"]["Arguments"]["InputDataConfig"]
    addresses = {channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels}
    assert addresses == {
        name: {"Get": f"Steps.Prepare.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}
        for name in ("train", "validation")
    }


def test_a_weak_model_fails_the_run(steps):
    arguments = steps["IsGoodEnough"]["Arguments"]
    assert arguments["Conditions"] == [
        {
            "Type": "GreaterThanOrEqualTo",
            "LeftValue": {"Get": "Steps.Train.FinalMetricDataList['validation:auc'].Value"},
            "RightValue": {"Get": "Parameters.LeastAuc"},
        }
    ]
    assert arguments["IfSteps"] == []
    assert [step["Type"] for step in arguments["ElseSteps"]] == ["Fail"]


def test_only_the_bucket_must_be_said_to_run_it(definition):
    required = [each["Name"] for each in definition["Parameters"] if "DefaultValue" not in each]
    assert required == ["DataBucket"]


def test_nothing_but_the_code_and_the_images_is_bound_to_an_account(definition):
    text = json.dumps(definition)
    assert '"arn:' not in text
    assert "not-used" not in text
    assert set(re.findall(r's3://[^"]+', text)) == {f"{CODE}/prepare.py"}
    registries = re.findall(r'"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.', text)
    assert {region for _, region in registries} == {REGION}
    assert re.findall(r"\d{12}", text) == [account for account, _ in registries]


def test_a_run_makes_no_experiment(definition):
    # The SDK asks for one by default, and writes null if it is told not to or the Region has none.
    assert definition["PipelineExperimentConfig"] is None


def test_rendering_calls_nobody(monkeypatch):
    called = []
    # The SDK passes over some failures, so what was asked for is noted, too.
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: called.append(host) or [])
    pipeline.definition(REGION, CODE)
    assert called == []


def test_the_same_source_makes_the_same_template():
    assert pipeline.template(REGION, CODE) == pipeline.template(REGION, CODE)


def test_the_template_holds_the_definition(definition):
    properties = pipeline.template(REGION, CODE)["Resources"]["Pipeline"]["Properties"]
    body = properties["PipelineDefinition"]["PipelineDefinitionBody"]
    assert json.loads(body) == definition
    # SageMaker takes no longer text.
    assert len(body) <= 1_048_576


def test_each_row_is_for_one_purpose_in_every_run(tmp_path):
    rows = [f"{n % 2},{n}" for n in range(100)]
    (tmp_path / "raw").mkdir()
    pathlib.Path(tmp_path, "raw", "rows.csv").write_text("\n".join(rows), encoding="utf-8")
    found = []
    for _ in range(2):
        prepare.split(tmp_path)
        found.append([(tmp_path / n / f"{n}.csv").read_text().splitlines() for n in ("train", "validation")])
    assert found[0] == found[1]
    assert sorted(found[0][0] + found[0][1]) == sorted(rows)


def test_too_few_rows_fail_the_step(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(SystemExit):
        prepare.split(tmp_path)
