//! Draws policies, mostly each from the one before it.

use fastrand::Rng;

use super::one;
use crate::{
    history::{Gate, Owner, Policy, Rule, Who},
    oracle::PIPELINES,
};

/// The rules of the root and of the team by name; never both.
pub(super) const RULES: [&str; 4] = ["readers", "operators", "auditors", "old"];
pub(super) const TEAM_RULES: [&str; 2] = ["team-readers", "team-operators"];

fn policy(random: &mut Rng, names: &[&str]) -> Policy {
    let mut rules = Vec::new();
    for name in names {
        if random.u8(..3) > 0 {
            rules.push(rule(random, name));
        }
    }
    Policy {
        rules,
        broken: random.u8(..12) == 0,
    }
}

/// The policies that the next ones are made from.
pub(super) struct Policies {
    pub(super) root: Policy,
    pub(super) team: Policy,
}

impl Policies {
    pub(super) fn draw(random: &mut Rng) -> Self {
        Self {
            root: policy(random, &RULES),
            team: policy(random, &TEAM_RULES),
        }
    }
}

/// The policy that is written next: mostly the last one with a change of one rule.
pub(super) fn next_policy(random: &mut Rng, names: &[&str], last: &mut Policy) -> Policy {
    if last.rules.is_empty() || random.u8(..3) == 0 {
        *last = policy(random, names);
        return last.clone();
    }
    let at = random.usize(..last.rules.len());
    let changed = &mut last.rules[at];
    let drawn = rule(random, &changed.name);
    match random.u8(..5) {
        0 => changed.execute = !changed.execute,
        1 if drawn.owner == changed.owner => changed.with = drawn.with,
        2 => changed.except = drawn.except,
        3 => changed.after = drawn.after,
        _ => {
            last.rules.remove(at);
        }
    }
    last.broken = random.u8(..12) == 0;
    last.clone()
}

fn rule(random: &mut Rng, name: &str) -> Rule {
    let owner = one(random, &[Owner::Test, Owner::Test, Owner::Dev]);
    let everybody: &[Who] = match (owner, name.starts_with("team")) {
        (Owner::Test, false) => &[
            Who::Dev,
            Who::Shared,
            Who::Partner,
            Who::Role,
            Who::Unit,
            Who::Organization,
        ],
        (Owner::Dev, false) => &[Who::Shared, Who::Partner, Who::Organization],
        (Owner::Test, true) => &[Who::Dev, Who::Shared, Who::Partner],
        (Owner::Dev, true) => &[Who::Shared, Who::Partner],
    };
    let mut with: Vec<Who> = everybody.to_vec();
    with.retain(|_| random.u8(..5) < 2);
    if with.is_empty() {
        with.push(one(random, everybody));
    }
    let mut except: Vec<_> = PIPELINES.map(str::to_owned).into();
    except.retain(|_| random.u8(..4) == 0);
    Rule {
        name: name.to_owned(),
        owner,
        except,
        with,
        execute: random.bool(),
        after: one(
            random,
            &[Gate::Created, Gate::Created, Gate::Succeeded, Gate::Hook],
        ),
        notify: random.bool(),
    }
}
