"""Examples of each kind of case: an answer, an error, and what must be waited for."""

import pytest

from cases import Case, each, where
from estate import ACCOUNTS, eventually

CASES = [
    Case(
        "everybody is the administrator of an account", "stranger", "sts", "GetCallerIdentity",
        source="STS API reference, GetCallerIdentity",
        expect={"Account": ACCOUNTS["stranger"], "Arn": where(lambda arn: arn.startswith("arn:aws:iam::666666666666:"))},
    ),
    Case(
        "a share that nobody made is unknown", "stranger", "ram", "DeleteResourceShare",
        arguments=lambda context: {"resourceShareArn": context.nowhere},
        source="ram-2018-01-04, DeleteResourceShare", error="UnknownResourceException",
    ),
]


@pytest.fixture(scope="module")
def context(context):
    context.nowhere = "arn:aws:ram:us-east-1:666666666666:resource-share/00000000-0000-4000-8000-000000000000"
    return context


@each(CASES)
def test_example(case, context):
    case.run(context)


def test_the_policy_of_the_walkthrough_comes_into_force(estate):
    """What the functions do takes a moment, and is waited for."""
    def labels():
        history = estate.call("shared", "ssm", "GetParameterHistory", Name="/pipeshare/policy")
        return [label for version in history["Parameters"] for label in version["Labels"]]

    assert eventually(labels) == ["in-force"]
