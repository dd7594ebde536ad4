"""Five hundred pipelines: pages of them, and each is found."""

import pytest
from playwright.sync_api import expect

import pipelines
from browser import NARROW, WIDE

MANY = 500


@pytest.fixture(scope="module")
def estate(serve):
    estate = serve(speed=1)
    # The hub hears nothing of them, so the functions are at rest while the pages are looked at.
    for rule in estate.call("test", "events", "ListRules")["Rules"]:
        estate.call("test", "events", "DisableRule", Name=rule["Name"])
    for number in range(MANY):
        name = f"team-{number % 7}-with-a-long-name-of-a-pipeline-{number:03}"
        pipelines.create(estate, "test", name)
    return estate


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("view", ["pipelines", "access"])
def test_pages_of_many_pipelines_fit(browser, estate, view, width):
    tab = browser.open(estate, view, width)
    tab.sees(f"{MANY} pipelines, page 1 of")
    tab.check()
    tab.picture(f"many-{view}-{width}")


def test_pages_lead_forward_and_back(browser, estate):
    tab = browser.open(estate)
    tab.sees("500 pipelines, page 1 of 34")
    assert not tab.page.locator("a", has_text="Previous").count()
    tab.follow("Next")
    tab.sees("page 2 of 34")
    second = tab.page.locator(".ps-name a").all_inner_texts()
    assert len(second) == 15
    tab.follow("Next")
    tab.sees("page 3 of 34")
    tab.follow("Previous")
    tab.sees("page 2 of 34")
    assert tab.page.locator(".ps-name a").all_inner_texts() == second


def test_one_of_many_is_found(browser, estate):
    tab = browser.open(estate)
    tab.page.get_by_label("Filter").fill("PIPELINE-321")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".ps-name a")).to_have_text(["team-6-with-a-long-name-of-a-pipeline-321"])
    tab.sees("1 pipeline")
