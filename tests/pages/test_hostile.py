"""Whatever others write is text on the page, and does nothing."""

import pytest

import cast
import pipelines
from browser import NARROW, WIDE

STRIKES = [
    '<script>window.struck="script"</script>',
    '<img src=x onerror=\'window.struck="image"\'>',
    '</pre></title></style><svg onload=\'window.struck="svg"\'>',
    '"><a href="javascript:window.struck=1">javascript:window.struck=1</a>',
    "' onmouseover='window.struck=1",
]
TURNED = "\u202eevil\u202c"
HOSTILE = STRIKES[0] + STRIKES[1]


@pytest.fixture(scope="module")
def played(serve):
    """An estate in which reasons, rules and shares are written by somebody hostile."""
    reason = " ".join([*STRIKES, TURNED])
    return cast.play(serve(), reason, why=" ".join(STRIKES[:3]), contact=" ".join(STRIKES[3:]))


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("view", ["pipelines", "access", "now", "pipeline"])
def test_no_script_of_others_runs_and_nothing_is_added_to_a_page(browser, played, view, width):
    tab = browser.open(played.estate, view, width, pipeline=pipelines.arn("test", "churn-train"))
    tab.sees("As of 20")
    for link in tab.page.locator("main a").all():
        link.hover()
    tab.check()
    assert tab.page.evaluate("window.struck") is None
    tab.picture(f"hostile-{view}-{width}")


def test_what_others_wrote_is_shown_as_it_was_written(browser, played):
    tab = browser.open(played.estate, "pipeline", pipeline=pipelines.arn("test", "churn-train"))
    tab.sees("Last failure: step Review: " + " ".join(STRIKES) + " \ufffdevil\ufffd")
    tab.sees("Why: " + " ".join(STRIKES[:3]))
    tab.sees("Contact: " + " ".join(STRIKES[3:]))
    assert "\u202e" not in tab.page.content()
    # A message has its quotation marks around such a text.
    assert STRIKES[0].replace('"', "'") in tab.text("section")


def test_what_somebody_typed_is_text(browser, played):
    tab = browser.open(played.estate, "pipelines", filter=HOSTILE[:100])
    tab.sees("0 pipelines")
    assert tab.page.get_by_label("Filter").input_value() == HOSTILE[:100]
    tab.check()
    tab = browser.open(played.estate, HOSTILE)
    tab.sees("view is pipelines, access, now or pipeline")
    tab.check()
