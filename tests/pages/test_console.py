"""The answer of the function where a dashboard of CloudWatch would show it, as far as that is documented."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

import pipelines
from browser import NARROW, WIDE

CONSOLE = Path(__file__).with_name("console.html").read_text()


def dashboard(browser, estate, width=WIDE, theme="dark", strict=False, **params):
    """A tab with one widget, whose function is invoked as its reader would."""
    tab = browser.tab(estate.endpoint, width)

    def invoke(payload):
        answer = estate.client("shared", "lambda").invoke(
            FunctionName="pipeshare-show-access", Payload=json.dumps(payload),
        )
        return json.loads(answer["Payload"].read())

    tab.page.expose_function("invoke", invoke)
    tab.page.route("**/console?*", lambda route: route.fulfill(body=CONSOLE, content_type="text/html"))
    query = {name: json.dumps(value) for name, value in (("theme", theme), ("strict", strict), ("params", params))}
    tab.page.goto(f"{estate.endpoint}/console?{urlencode(query)}")
    return tab


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_widget_fits_and_can_be_read(browser, played, theme, width):
    tab = dashboard(browser, played.estate, width, theme)
    for text in ("3 pipelines", "churn-train", 'step Review: customers.csv has no column "churned"', "dev: read"):
        tab.sees(text)
    tab.sees("UTC+02")
    tab.check()
    tab.picture(f"widget-{theme}-{width}")


def test_links_and_the_filter_work_within_a_widget(browser, played):
    tab = dashboard(browser, played.estate, filter="churn")
    tab.sees("1 pipeline")
    tab.page.get_by_label("Filter").fill("night")
    tab.follow("Show")
    tab.sees("night-owl")
    assert "churn-train" not in tab.text()
    tab.follow("Access")
    tab.sees("rule dev-operators")
    tab.follow("night-owl")
    tab.sees(pipelines.arn("dev", "night-owl"))
    tab.follow("Now")
    tab.sees("Open invitations")
    tab.check()


@pytest.mark.parametrize("view", ["pipelines", "access", "now", "pipeline"])
def test_nothing_is_lost_with_tooltips_and_labels(browser, played, view):
    go = {"view": view, "pipeline": pipelines.arn("test", "churn-train")}

    def words(tab):
        """What it says, but for times, which go on."""
        return re.sub(r"\d+( (d|h|min|s)\b)?", "", tab.text()).split()

    # The schedule may find something between one page and the other.
    for _ in range(3):
        full = dashboard(browser, played.estate, **go)
        full.sees("As of 20")
        strict = dashboard(browser, played.estate, strict=True, **go)
        strict.sees("As of 20")
        strict.check()
        if words(strict) == words(full):
            break
    assert words(strict) == words(full)
