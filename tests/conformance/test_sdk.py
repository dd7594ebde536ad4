"""The SageMaker Python SDK with its defaults: its bucket, code, decorated functions and large definitions.

It runs in an environment of its own, and the sandbox is all of AWS that it has.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from estate import REGION

SDK = os.environ["SAGEMAKER_SDK"]
# The SDK reports to AWS how it is used, unless it is told not to.
SILENT = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"


@pytest.fixture
def run(estate, tmp_path):
    """Makes and runs one of the pipelines of sdk.py in an account of its own."""
    def run(who, pipeline):
        config = tmp_path / "config.yaml"
        config.write_text(SILENT)
        environment = {
            **estate.environment(who), "HOME": str(tmp_path), "SAGEMAKER_USER_CONFIG_OVERRIDE": str(config),
        }
        done = subprocess.run(
            [SDK, Path(__file__).with_name("sdk.py"), pipeline, tmp_path],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["bucket"] == f"sagemaker-{REGION}-{who}"
        assert told["status"] == "Succeeded"
        return told

    return run


def test_the_default_bucket_is_made_and_takes_the_code_of_a_pipeline(run):
    told = run("480000000001", "defaults")
    assert told["steps"] == ["Prepare", "Train"]
    assert "data/rows.csv" in told["keys"]
    assert [key for key in told["keys"] if key.endswith("/prepare.py")]


def test_decorated_functions_are_pickled_into_s3(run):
    told = run("480000000002", "decorated")
    assert told["steps"] == ["double", "tell"]
    for name in told["steps"]:
        assert [key for key in told["keys"] if key.startswith(f"decorated/{name}/") and key.endswith("function/payload.pkl")]


def test_a_definition_of_more_than_100_kb_is_read_from_s3(run):
    told = run("480000000003", "large")
    assert told["steps"] == ["Train"]
    assert told["definition"] > 100 * 1024
    assert "large" in told["keys"]
