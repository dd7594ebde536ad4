//! A step while it is played: what people type, what functions do, what is seen.

use super::{Act, Check, Step, name};
use crate::{describe::describe, estate::Estate};

/// A step that is being played.
pub(super) struct Scene<'a> {
    estate: &'a Estate,
    step: Step,
}

impl<'a> Scene<'a> {
    pub(super) fn begin(
        estate: &'a Estate,
        number: usize,
        account: &str,
        title: &'static str,
    ) -> Self {
        let step = Step {
            number,
            account: name(account),
            title,
            command: String::new(),
            acts: Vec::new(),
            checks: Vec::new(),
        };
        Self { estate, step }
    }

    /// What a person would type to do or to see it.
    pub(super) fn command(&mut self, command: impl Into<String>) {
        self.step.command = command.into();
    }

    /// What should be, and whether it is.
    pub(super) fn check(&mut self, what: impl Into<String>, holds: bool) {
        let what = what.into();
        self.step.checks.push(Check { what, holds });
    }

    /// What a function changed in an account since a moment; that it changed anything is checked.
    pub(super) fn acts(&mut self, function: &str, account: &str, since: usize) {
        let world = self.estate.sandbox.world();
        let calls = world.calls().iter().skip(since);
        let session = format!("pipeshare-{function}");
        let by_function = calls.filter(|call| {
            let role = call.caller.role.as_ref();
            // In the hub's own account a function also has its own role, with
            // which it tells the hub; that is not what a step is about.
            role.is_some_and(|role| role.session == session && !role.name.contains(function))
                && call.caller.account == account
                && call.error.is_none()
        });
        let mut acts: Vec<Act> = Vec::new();
        for call in by_function {
            let Some(what) = describe(call) else { continue };
            let act = Act {
                function: function.to_owned(),
                account: name(account),
                what,
            };
            if !acts.contains(&act) {
                acts.push(act);
            }
        }
        drop(world);
        // Whichever comes first of what is called at once.
        for at_once in acts.chunk_by_mut(Act::is_beside) {
            at_once.sort_by(|one, other| one.rank().cmp(&other.rank()));
        }
        if acts.is_empty() {
            self.check(format!("{function} acted in {}", name(account)), false);
        }
        self.step.acts.extend(acts);
    }

    pub(super) fn end(self) -> Step {
        self.step
    }
}
