"""Cases: rows of tables that say who calls what, and what must come back.

A file of tests prepares what its cases need in a fixture, gives them the
estate and what was made as a context, and lets pytest run the rows:

    @each(CASES)
    def test_of_what(case, context):
        case.run(context)
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Optional

import jmespath
import pytest
from botocore.exceptions import ClientError


class Context(SimpleNamespace):
    """The estate, and whatever a fixture made for its cases to refer to."""

    def call(self, who, service, operation, **arguments):
        return self.estate.call(who, service, operation, **arguments)


@dataclass
class Case:
    """One call and its outcome.

    `arguments`, and any value within, may be a function of the context.
    `expect` maps JMESPath expressions to what they must find in the answer: a
    value, a function of the context that makes one, or `where(...)`.
    """

    name: str
    who: str
    service: str
    operation: str
    source: str
    arguments: Any = field(default_factory=dict)
    expect: Any = None
    error: Optional[str] = None
    message: str = ""

    def run(self, context):
        arguments = resolve(self.arguments, context)
        if self.error is None:
            answer = context.call(self.who, self.service, self.operation, **arguments)
            self.compare(answer, context)
            return
        with pytest.raises(ClientError) as caught:
            context.call(self.who, self.service, self.operation, **arguments)
        error = caught.value.response["Error"]
        assert error["Code"] == self.error, f"{error['Code']}: {error['Message']} [{self.source}]"
        assert self.message in error["Message"], f"{error['Message']} [{self.source}]"

    def compare(self, answer, context):
        for path, expected in (self.expect or {}).items():
            found = jmespath.search(path, answer)
            if isinstance(expected, where):
                assert expected.holds(found), f"{path} is {found!r} [{self.source}]"
            else:
                assert found == resolve(expected, context), f"{path} [{self.source}]"


@dataclass
class where:  # noqa: N801, it reads as a word of the tables
    """What a value must be like, where the value itself is not known."""

    holds: Any


def resolve(value, context):
    """The value with every function in it called with the context."""
    if callable(value):
        return value(context)
    if isinstance(value, dict):
        return {name: resolve(member, context) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(member, context) for member in value]
    return value


def each(cases):
    """Runs a test for every case, under the case's name."""
    names = [case.name for case in cases]
    repeated = {name for name in names if names.count(name) > 1}
    assert not repeated, f"two cases are called {repeated}"
    return pytest.mark.parametrize("case", cases, ids=names)
