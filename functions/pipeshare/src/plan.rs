//! `pipeshare plan`: what documents would do, before they are in force.

pub(crate) mod answer;
mod markdown;
mod text;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
};

use serde_json::json;

use crate::{
    NOT_CHECKED,
    arguments::{Format, Plan, PlanFormat},
    hub,
    input::{self, Document, InputError, visible},
    print,
    report::Report,
    show,
};
use answer::{Answer, Found, Ignored, Planned, pretty};

/// Checks, asks for the plan in as many parts as it takes, and prints it.
pub(crate) fn run(arguments: &Plan) -> Result<ExitCode, InputError> {
    let documents = input::read(&arguments.files, &mut io::stdin())?;
    let checked = Report::of(&documents, None, None);
    if !checked.valid {
        let format = match arguments.format {
            PlanFormat::Json => Format::Json,
            PlanFormat::Text | PlanFormat::Markdown => Format::Text,
        };
        show(&checked, format)?;
        return Ok(ExitCode::FAILURE);
    }
    let planned = match ask(arguments, &documents)? {
        Ok(planned) => planned,
        Err(mistakes) => {
            print(&format!("{}\n", mistakes.trim_end()))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    print(&match arguments.format {
        PlanFormat::Text => text::of(&planned),
        PlanFormat::Json => pretty(&planned),
        PlanFormat::Markdown => markdown::of(&planned),
    })?;
    let unplanned = planned.unplanned();
    if unplanned.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let accounts = visible(&unplanned.join(", "));
    let _ = writeln!(io::stderr(), "pipeshare: not planned: {accounts}");
    Ok(ExitCode::from(NOT_CHECKED))
}

/// The plan, or the mistakes that only the hub can know of.
fn ask(arguments: &Plan, documents: &[Document]) -> Result<Result<Planned, String>, InputError> {
    let root = documents.first().map(|root| &root.text);
    let teams = documents.iter().filter_map(|document| {
        let team = document.team.as_ref()?;
        Some((team, &document.text))
    });
    let teams: BTreeMap<_, _> = teams.collect();
    let mut from: Option<String> = None;
    let mut first: Option<Found> = None;
    let mut accounts = Vec::new();
    loop {
        let question = json!({
            "action": "plan",
            "root": root,
            "teams": teams,
            "owner": arguments.owner,
            "from": from,
        });
        let answer: Answer = hub::ask(&arguments.hub, &question)?;
        let Some(found) = answer.found() else {
            let stopped = answer.stopped.as_deref();
            return Err(Ignored::all(&answer.ignored, stopped));
        };
        if let Some(mistakes) = found.mistakes {
            return Ok(Err(mistakes));
        }
        let basis = first.get_or_insert_with(|| found.clone());
        if basis.in_force != found.in_force {
            let message = "the policy in force has changed meanwhile; plan again";
            return Err(InputError(message.to_owned()));
        }
        accounts.extend(answer.accounts);
        match answer.next {
            // An account that is named again would be asked for forever.
            Some(next) if from.as_ref().is_none_or(|from| next > *from) => from = Some(next),
            Some(_) => {
                let message = "the hub does not get on with the plan; plan again with --owner";
                return Err(InputError(message.to_owned()));
            }
            None => return Ok(Ok(Planned::of(basis, accounts))),
        }
    }
}
