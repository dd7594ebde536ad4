"""A page that stays open follows what happens, and what it shows can be run."""

import json
import os
import subprocess

import pytest

import cast
import pipelines
from browser import WIDE

REASON = "the model forgets customers of Monday"


@pytest.fixture(scope="module")
def played(serve):
    """An estate whose failed run may be retried."""
    return cast.play(serve(), reason=REASON)


def shell(estate, who, command):
    """Runs a command as it was copied from a page."""
    environment = estate.environment(who)
    path = os.pathsep.join([os.environ["PIPESHARE_AWS_CLI"], environment["PATH"]])
    ran = subprocess.run(
        ["bash", "-c", command], env={**environment, "PATH": path}, capture_output=True, text=True, check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_run_that_failed_is_retried_by_the_command_shown_and_seen_to_succeed(browser, played):
    tab = browser.open(played.estate)
    tab.sees("none of these")
    tab.sees(f"step Review: {REASON}")
    tab.follow("churn-train")
    tab.sees(f"Last failure: step Review: {REASON}")
    tab.picture("failed-run")
    commands = tab.page.locator("pre.ps-command").all_inner_texts()
    [retry] = [command for command in commands if "retry-pipeline-execution" in command]
    assert played.failed in retry
    assert played.failed in shell(played.estate, "shared", retry)
    tab.sees("1 running now")
    played.review(succeeds=True)
    # Nobody clicks or reloads: the page finds out by itself.
    tab.sees("Succeeded after")
    tab.page.wait_for_function("!document.querySelector('main').innerText.includes('Last failure')")
    assert REASON not in tab.text()
    tab.check()


def test_whatever_command_is_shown_can_be_run(browser, played):
    tab = browser.open(played.estate, "pipeline", pipeline=pipelines.arn("test", "churn-train"))
    tab.sees("To start, stop and retry it")
    commands = tab.page.locator("pre.ps-command").all_inner_texts()
    reads = [command for command in commands if command.startswith(("aws sagemaker describe", "aws sagemaker list"))]
    assert len(reads) == 4, commands
    for command in reads:
        assert json.loads(shell(played.estate, "dev", command)), command


def test_who_types_a_filter_is_not_interrupted(browser, played):
    tab = browser.tab(played.estate.endpoint)
    tab.page.clock.install()
    tab.page.goto(f"{played.estate.endpoint}/?width={WIDE}")
    field = tab.page.get_by_label("Filter")
    field.press_sequentially("night")
    before = tab.requests
    tab.page.clock.run_for(20_000)
    assert (field.input_value(), tab.requests) == ("night", before)
    field.blur()
    with tab.page.expect_response("**"):
        tab.page.clock.run_for(6_000)
