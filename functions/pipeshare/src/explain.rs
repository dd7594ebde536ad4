//! `pipeshare explain`: why an account has access to a pipeline, or has not.

use std::{fmt::Write, process::ExitCode};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    arguments::{Explain, Format},
    hub,
    input::{InputError, visible},
    plan::answer::{FORMAT_VERSION, Ignored, pretty},
    print,
};

#[derive(Debug, Deserialize)]
struct Answer {
    explanation: Option<Explanation>,
    #[serde(default)]
    ignored: Vec<Ignored>,
    stopped: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Explanation {
    verdict: String,
    text: String,
    rules: Vec<RuleAnswer>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct RuleAnswer {
    rule: String,
    team: Option<String>,
    access: String,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Step {
    about: String,
    state: String,
    text: String,
}

/// The answer with the version of its form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    format_version: &'static str,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

pub(crate) fn run(arguments: &Explain) -> Result<ExitCode, InputError> {
    let question = json!({
        "action": "explain",
        "pipeline": arguments.pipeline,
        "account": arguments.account,
    });
    let answer: Answer = hub::ask(&arguments.hub, &question)?;
    let Some(explanation) = answer.explanation else {
        return Err(Ignored::all(&answer.ignored, answer.stopped.as_deref()));
    };
    print(&match arguments.format {
        Format::Text => text(&explanation),
        Format::Json => pretty(&Output {
            format_version: FORMAT_VERSION,
            explanation: &explanation,
        }),
    })?;
    let is_known = explanation.verdict != "unknown";
    Ok(ExitCode::from(if is_known {
        0
    } else {
        crate::NOT_CHECKED
    }))
}

fn text(explanation: &Explanation) -> String {
    let mut lines = format!("{}\n", visible(&explanation.text));
    for rule in &explanation.rules {
        let of = rule.team.as_ref().map(|team| format!(" of team {team}"));
        let of = of.unwrap_or_default();
        let _ = writeln!(lines, "\nrule {}{of}: {}", rule.rule, rule.access);
        for step in &rule.steps {
            let (state, about) = (step.state.as_str(), &step.about);
            let _ = writeln!(lines, "  {state:8} {about}: {}", visible(&step.text));
        }
    }
    for note in &explanation.notes {
        let _ = writeln!(lines, "\n{}", visible(note));
    }
    lines
}
