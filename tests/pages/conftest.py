"""What all tests share: a browser, a served sandbox with a cast, and a folder for pictures."""

import contextlib
import os
from pathlib import Path

import pytest

import cast
from browser import Browser
from estate import Estate

HERE = Path(__file__).parent


def pytest_addoption(parser):
    parser.addoption("--screenshots", metavar="FOLDER", default=str(HERE.parent.parent / "target" / "pages"))
    parser.addoption("--renew", action="store_true", help="renew the picture of README.md, page.png")


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line(f"the screenshots are in {config.getoption('--screenshots')}")


@pytest.fixture(scope="session")
def screenshots(pytestconfig):
    """Where screenshots go; those of an earlier run are taken away."""
    folder = Path(pytestconfig.getoption("--screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    return folder


@pytest.fixture(scope="session")
def chromium(screenshots):
    with Browser(screenshots) as browser:
        yield browser


@pytest.fixture
def browser(chromium):
    """The browser; whatever a test opened must have behaved when it ends."""
    yield chromium
    chromium.close_tabs()


def serving(tmp_path_factory):
    """Serves sandboxes, until whoever needs them is through."""
    functions = ("--functions", os.environ["PIPESHARE_FUNCTIONS"])
    with contextlib.ExitStack() as ends:

        def begin(speed=60):
            estate = Estate(tmp_path_factory.mktemp("serve"), speed, functions)
            ends.callback(estate.end)
            return estate

        yield begin


serve = pytest.fixture(scope="module")(serving)
serve_all = pytest.fixture(scope="session")(serving)


@pytest.fixture(scope="session")
def played(serve_all):
    """Three pipelines with runs, of which the last one of churn-train failed."""
    return cast.play(serve_all())
