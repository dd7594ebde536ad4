"""The four views: what they say, how one leads to the other, and that they fit and can be read."""

import pytest
from playwright.sync_api import expect

import pipelines
from browser import NARROW, WIDE

CHURN = pipelines.arn("test", "churn-train")
REASON = 'step Review: customers.csv has no column "churned"'

# Per view, what somebody looks for there.
SHOWN = {
    "pipelines": [
        "3 pipelines", "churn-train", "of test (222222222222)", "night-owl", "Failed after", REASON, "no runs", "dev: read",
        "shared: execute", "test: read pending: invited, ", "dev: read pending: gate: no run has succeeded yet",
    ],
    "access": ["3 pipelines", "rule test-readers, since 20", "rule dev-operators", "gate: no run has succeeded yet"],
    "now": ["Problems", "Open invitations", "dev-testers", " left)", "root: version 3", "test (222222222222): executions examined until"],
    "pipeline": [
        CHURN, "Owner: test (222222222222)", "Last failure: " + REASON, "“release-1”", "“release-2”",
        "Why: data scientists watch what is tested", "Contact: ml-platform@example.com",
        f"aws sagemaker start-pipeline-execution --pipeline-name {CHURN} --region us-east-1",
    ],
}


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", SHOWN)
def test_a_view_says_what_it_is_for_fits_and_can_be_read(browser, played, view, theme, width):
    tab = browser.open(played.estate, view, width, theme, pipeline=CHURN)
    for text in SHOWN[view]:
        tab.sees(text)
    tab.check()
    tab.picture(f"{view}-{theme}-{width}")


def test_colours_are_those_of_the_theme(browser, played):
    def background(theme):
        page = browser.open(played.estate, "pipelines", theme=theme).page
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert background("light") == "rgb(255, 255, 255)"
    assert background("dark") == "rgb(15, 27, 42)"


def test_links_lead_from_view_to_view_and_back(browser, played):
    tab = browser.open(played.estate)
    tab.follow("churn-train")
    tab.sees(CHURN)
    tab.follow("Access")
    tab.sees("rule test-readers")
    tab.follow("Now")
    tab.sees("Open invitations")
    tab.follow("Pipelines")
    tab.sees("Last failure")
    tab.page.go_back()
    tab.sees("Open invitations")
    tab.check()


def test_links_are_followed_with_the_keyboard_alone(browser, played):
    tab = browser.open(played.estate, "pipelines")
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator("a:focus")).to_have_text("Access")
    tab.page.keyboard.press("Enter")
    tab.sees("rule test-readers")


@pytest.mark.parametrize("sends", ["button", "enter"])
def test_the_filter_keeps_what_has_the_text(browser, played, sends):
    tab = browser.open(played.estate)
    tab.page.get_by_label("Filter").fill("Night")
    if sends == "button":
        tab.follow("Show")
    else:
        tab.page.keyboard.press("Enter")
    tab.sees("1 pipeline")
    assert "night-owl" in tab.text() and "churn-train" not in tab.text()
    # It stays, from view to view, until somebody takes it away.
    tab.follow("Access")
    tab.sees("rule dev-operators")
    expect(tab.page.get_by_label("Filter")).to_have_value("Night")
    assert "churn-train" not in tab.text()


def test_a_narrow_window_has_a_list_without_being_asked(browser, played):
    tab = browser.open(played.estate, width=NARROW)
    expect(tab.page.locator("main table")).to_have_count(0)
    tab.sees("churn-train")
    tab.check()


def test_mailboxes_are_texts_to_be_read(browser, played):
    tab = browser.open(played.estate)
    told = tab.page.locator("section")
    expect(told).to_contain_text("churn-train in test: Failed")
    expect(told).to_contain_text("customers.csv has no column 'churned'")
    text = told.inner_text()
    for heading in ("What dev was told", "What shared services was told", "What the hub was told"):
        assert heading in text
    # Lines stay lines, and none is JSON.
    assert min(told.locator("pre").evaluate_all("all => all.map((it) => it.innerText.split('\\n').length)")) > 2
    assert "{" not in text


def test_the_picture_of_the_readme(browser, played, pytestconfig):
    if not pytestconfig.getoption("--renew"):
        pytest.skip("only with --renew")
    estate = played.estate
    for name in ("nightly-2", "nightly-3", "nightly-4"):
        run = pipelines.start(estate, "dev", "night-owl", PipelineExecutionDisplayName=name)
        if name == "nightly-3":
            estate.call("dev", "sagemaker", "StopPipelineExecution", PipelineExecutionArn=run, ClientRequestToken=pipelines.token())
        pipelines.finished(estate, "dev", run)
    pipelines.start(estate, "test", "churn-train", PipelineExecutionDisplayName="release-3")
    tab = browser.open(estate, "pipelines", theme="light")
    tab.sees("1 running now")
    main = tab.page.locator("main").bounding_box()
    clip = {"x": 0, "y": 0, "width": WIDE, "height": main["y"] + main["height"] + 8}
    tab.page.screenshot(path=pytestconfig.rootpath / "page.png", clip=clip)
    assert (pytestconfig.rootpath / "page.png").stat().st_size < 150_000
