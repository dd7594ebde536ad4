"""The sandbox's event patterns against those of ministack, which nobody here wrote.

On what they disagree is listed with the reason in `DIFFERENT`.
"""

import json
import os
import socket
import subprocess

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import patterns
from estate import REGION, eventually

REFUSED = "InvalidEventPatternException"

# Pattern as JSON: what ministack answers instead, and why that is not taken over.
DIFFERENT = {
    '""': ("ValidationException", "it takes the empty pattern for a missing parameter"),
    '{"f": [{"numeric": ["=", 5000000001]}]}': (
        False, "EventBridge user guide: numbers from -5.0e9 to 5.0e9"),
    '{"a.b": [1]}': (False, "event-ruler joins the names of fields with dots, and so finds the name with a dot"),
    '{"a": {"b.c": [1]}}': (False, "as above"),
}


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A client of ministack, on a port of the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    folder = tmp_path_factory.mktemp("ministack")
    process = subprocess.Popen(
        [os.environ["MINISTACK"]], env=environment, cwd=folder,
        stdin=subprocess.DEVNULL, stdout=folder.joinpath("log").open("w"), stderr=subprocess.STDOUT,
    )
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.Session("111111111111", "any", region_name=REGION).client(
        "events", endpoint_url=f"http://127.0.0.1:{port}", config=config)

    def answers():
        assert process.poll() is None, folder.joinpath("log").read_text()
        try:
            return client.list_event_buses()
        except BotoCoreError:
            return None

    try:
        eventually(answers)
        yield client
    finally:
        process.terminate()
        process.wait()


def outcome(client, pattern, detail):
    """Whether the pattern matches an event with this detail, or the code of the error."""
    event = {
        "id": "7", "account": "111111111111", "source": "app", "time": "2026-11-22T00:00:00Z",
        "region": REGION, "resources": [], "detail-type": "Try", "detail": detail,
    }
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    try:
        return client.test_event_pattern(EventPattern=text, Event=json.dumps(event))["Result"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def second_opinion(pattern, expected):
    return DIFFERENT.get(json.dumps(pattern), (expected, ""))[0]


@pytest.mark.parametrize("matcher", patterns.MATCHERS, ids=json.dumps)
def test_a_matcher_on_every_value(matcher, estate, other):
    own = estate.client("stranger", "events")
    pattern = {"detail": {"f": [matcher]}}
    for value in patterns.VALUES:
        detail = {} if value is patterns.MISSING else {"f": value}
        found, expected = outcome(own, pattern, detail), outcome(other, pattern, detail)
        assert found in (True, False), f"{found} on {detail}"
        assert found == expected, f"on {detail}"


@pytest.mark.parametrize("pattern", patterns.INVALID, ids=json.dumps)
def test_a_pattern_that_is_refused(pattern, estate, other):
    assert outcome(estate.client("stranger", "events"), pattern, {}) == REFUSED
    assert outcome(other, pattern, {}) == second_opinion(pattern, REFUSED)


@pytest.mark.parametrize("pattern, detail, expected", patterns.TRAPS, ids=json.dumps)
def test_a_trap(pattern, detail, expected, estate, other):
    whole = {"detail": pattern}
    assert outcome(estate.client("stranger", "events"), whole, detail) == expected, patterns.GUIDE
    assert outcome(other, whole, detail) == second_opinion(pattern, expected)
