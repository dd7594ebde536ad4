"""What all tests share: one served sandbox."""

import pytest

from cases import Context
from estate import Estate


@pytest.fixture(scope="session")
def estate(tmp_path_factory):
    """The sandbox, served for the whole run; at the end it must end well."""
    estate = Estate(tmp_path_factory.mktemp("serve"))
    yield estate
    estate.end()


@pytest.fixture(scope="module")
def context(estate):
    """The estate, and room for what a file's own fixtures make."""
    return Context(estate=estate)
