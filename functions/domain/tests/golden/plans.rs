//! What becomes of an account's shares, as scripts and what they print.
//!
//! A script has one command a line, and rules, indented, that follow `policy`:
//!
//! * `create`, `succeed`, `delete`, `recreate` PIPELINE
//! * `hook` RULE PIPELINE: the deployment hook lets the pipeline join the rule
//! * `policy`: these rules are in force from now on
//! * `accept`, `expire`: all invitations
//! * `let-in` SHARE PRINCIPAL: somebody invites an outsider to a share
//! * `pass` HOURS: so many hours pass
//! * `plan`: prints the plan
//! * `apply`: carries the plan out, and lets RAM settle

use std::{fmt::Write, fs};

use domain::{policy::Policy, sharing::Plan};
use model::{Model, policies::policy};

use super::{beside, expect};

#[test]
fn what_is_planned_in_each_script() {
    let mut scripts = 0;
    for entry in fs::read_dir(beside("plans")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "in") {
            let script = fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            expect(&format!("plans/{name}.txt"), &run(&script));
            scripts += 1;
        }
    }
    assert!(scripts >= 4, "{scripts}");
}

/// Repeats the script, with what each `plan` prints.
fn run(script: &str) -> String {
    let (mut model, mut in_force) = (Model::new(), policy("  []\n"));
    let mut said = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(said, "{line}").unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [] | ["#", ..] => {}
            ["policy"] => {
                let mut rules = String::new();
                while let Some(rule) = lines.next_if(|line| line.starts_with(' ')) {
                    writeln!(rules, "{rule}").unwrap();
                }
                said.push_str(&rules);
                in_force = policy(&rules);
            }
            _ => command(&words, &mut model, &in_force, &mut said),
        }
    }
    said
}

fn command(words: &[&str], model: &mut Model, policy: &Policy, said: &mut String) {
    match *words {
        ["create", pipeline] => model.create_pipeline(pipeline),
        ["succeed", pipeline] => model.succeed(pipeline),
        ["delete", pipeline] => model.delete_pipeline(pipeline),
        ["recreate", pipeline] => model.recreate_pipeline(pipeline),
        ["hook", rule, pipeline] => model.pass_hook(rule, pipeline),
        ["accept"] => model.accept_all(),
        ["expire"] => model.expire_invitations(),
        ["let-in", share, outsider] => model.let_in(share, outsider),
        ["pass", hours] => model.pass_hours(hours.parse().unwrap()),
        ["plan"] => describe(&model.plan(policy), said),
        ["apply"] => {
            let plan = model.plan(policy);
            model.execute(&plan);
            model.settle();
        }
        _ => panic!("there is no command {words:?}"),
    }
}

fn describe(plan: &Plan, said: &mut String) {
    let mut say = |what: String| writeln!(said, "  > {what}").unwrap();
    for step in plan.steps() {
        say(step.to_string());
    }
    for it in &plan.waiting {
        say(format!(
            "waiting: {} for the gate {:?} of {}",
            it.pipeline.name(),
            it.after,
            it.rule
        ));
    }
    for it in &plan.offered {
        let offer = if it.is_new { "a new offer" } else { "an offer" };
        say(format!(
            "{offer}: {} awaits acceptance by {}",
            it.share, it.consumer
        ));
    }
    for it in &plan.expired {
        say(format!(
            "expired: the invitation of {} by {}",
            it.consumer, it.rule
        ));
    }
    for it in &plan.let_in {
        say(format!("let in: {} into {}", it.principal, it.share));
    }
    if plan.unsettled {
        say("something is under way".to_owned());
    } else if plan.steps().is_empty() {
        say("nothing to do".to_owned());
    }
}
