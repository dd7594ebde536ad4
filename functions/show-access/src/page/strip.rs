//! The last runs as bars: how long each took, and by colour and shape how it went.

use domain::status::ExecutionStatus;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{snapshot::Run, words};

/// The width of a bar, and of a bar with the space after it.
const BAR: usize = 9;
const STEP: usize = 13;

/// The height of the longest bar, and of the shortest.
const TALL: usize = 26;
const SHORT: usize = 6;

/// A bar.
struct Bar {
    x: usize,
    y: usize,
    height: usize,
}

/// Runs, newest first, as bars from old to new.
pub(super) fn strip(runs: &[Run], now: Option<Timestamp>) -> Markup {
    if runs.is_empty() {
        return html! { "no runs" };
    }
    let longest = runs.iter().filter_map(|run| seconds(run, now)).max();
    let width = runs.len() * STEP;
    let label = format!("last runs, oldest first: {}", words::tally(runs));
    let bars = runs.iter().rev().enumerate().map(|(index, run)| {
        let height = height(seconds(run, now), longest.unwrap_or_default());
        let bar = Bar {
            x: index * STEP + 2,
            y: TALL - height + 1,
            height,
        };
        (run, bar)
    });
    html! {
        svg.ps-strip role="img" aria-label=(label) width=(width + 2) height=(TALL + 2)
            viewBox=(format!("0 0 {} {}", width + 2, TALL + 2)) {
            @for (run, bar) in bars {
                g class=(class(&run.execution.status)) {
                    title { (words::run(run, now)) }
                    (shape(&run.execution.status, &bar))
                }
            }
        }
    }
}

fn seconds(run: &Run, now: Option<Timestamp>) -> Option<u64> {
    let took = run.duration(now)?;
    u64::try_from(took.as_secs()).ok()
}

/// A run whose duration nobody knows is as short as can be.
fn height(seconds: Option<u64>, longest: u64) -> usize {
    let share = seconds.unwrap_or(0).saturating_mul(20) / longest.max(1);
    SHORT + usize::try_from(share).unwrap_or(20).min(TALL - SHORT)
}

/// The class that gives a status its colour.
pub(super) fn class(status: &ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::Succeeded => "ps-ok",
        ExecutionStatus::Failed => "ps-bad",
        ExecutionStatus::CompletedWithFailures => "ps-warn",
        ExecutionStatus::Executing => "ps-info",
        ExecutionStatus::Stopping | ExecutionStatus::Stopped | ExecutionStatus::Other(_) => {
            "ps-mute"
        }
    }
}

/// The sign that stands for a status in the text.
pub(super) fn sign(status: &ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::Succeeded => "■",
        ExecutionStatus::Failed => "☒",
        ExecutionStatus::CompletedWithFailures => "⬓",
        ExecutionStatus::Executing | ExecutionStatus::Stopping => "▷",
        ExecutionStatus::Stopped => "□",
        ExecutionStatus::Other(_) => "?",
    }
}

fn shape(status: &ExecutionStatus, bar: &Bar) -> Markup {
    let Bar { x, y, height } = *bar;
    let (right, bottom, half) = (x + BAR, y + height, height / 2);
    let frame = |dashes: &str| {
        html! {
            rect x=(x) y=(y) width=(BAR) height=(height) fill="none" stroke="currentColor"
                stroke-width="1.5" stroke-dasharray=(dashes) {}
        }
    };
    match status {
        ExecutionStatus::Succeeded => html! {
            rect x=(x) y=(y) width=(BAR) height=(height) fill="currentColor" {}
        },
        ExecutionStatus::Failed => html! {
            (frame("none"))
            path d=(format!("M{x} {y}L{right} {bottom}M{right} {y}L{x} {bottom}"))
                stroke="currentColor" stroke-width="1.5" {}
        },
        ExecutionStatus::CompletedWithFailures => html! {
            (frame("none"))
            rect x=(x) y=(y) width=(BAR) height=(half) fill="currentColor" {}
        },
        ExecutionStatus::Stopped => frame("none"),
        ExecutionStatus::Executing | ExecutionStatus::Stopping | ExecutionStatus::Other(_) => {
            frame("2 2")
        }
    }
}

/// What the signs mean.
pub(super) fn legend() -> Markup {
    let shown = [
        (ExecutionStatus::Succeeded, "succeeded"),
        (ExecutionStatus::Failed, "failed"),
        (
            ExecutionStatus::CompletedWithFailures,
            "completed with failures",
        ),
        (ExecutionStatus::Stopped, "stopped"),
        (ExecutionStatus::Executing, "running (dashed)"),
    ];
    html! {
        p.ps-small {
            "Bars: the last runs, oldest first; the higher, the longer. "
            @for (status, word) in &shown {
                span class=(class(status)) aria-hidden="true" { (sign(status)) }
                " " (word) " "
            }
        }
    }
}
