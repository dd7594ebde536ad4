//! What is due when.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::World;
use crate::services::{codepipeline, events, lambda, ram, sagemaker, sqs};

/// The tasks by the time at which they are due, and then by the order in which they were put.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Agenda {
    #[serde(with = "crate::state::pairs")]
    tasks: BTreeMap<(Timestamp, u64), Task>,
    scheduled: u64,
}

impl Agenda {
    /// How many tasks there are.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }
}

/// Something that happens by itself at a later time.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Task {
    /// For CodePipeline.
    CodePipeline(codepipeline::Task),
    /// For EventBridge.
    Events(events::Task),
    /// For Lambda.
    Lambda(lambda::Task),
    /// For RAM.
    Ram(ram::Task),
    /// For SageMaker.
    SageMaker(sagemaker::Task),
    /// For SQS.
    Sqs(sqs::Task),
}

impl World {
    /// Puts a task on the agenda; tasks due at the same time run in the order of this call.
    pub fn after(&mut self, delay: Duration, task: Task) {
        // What is due after the end of all time never happens.
        let due = self.now.checked_add(delay).unwrap_or(Timestamp::MAX);
        let agenda = &mut self.agenda;
        agenda.tasks.insert((due, agenda.scheduled), task);
        agenda.scheduled += 1;
    }

    /// When the next task is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda
            .tasks
            .first_key_value()
            .map(|((due, _), _)| *due)
    }

    /// Carries out every task that is due by now, and those that these make due.
    pub fn run_due(&mut self) {
        while self.next_due().is_some_and(|due| due <= self.now) {
            if let Some((_, task)) = self.agenda.tasks.pop_first() {
                self.run(task);
            }
        }
    }

    /// Lets this much time pass, and everything happen at the time at which it is due.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.run_due();
        }
        self.now = end;
    }

    /// Lets everything happen until `now`, each thing at its own time. Time never goes back.
    pub(crate) fn catch_up(&mut self, now: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.run_due();
        }
        self.now = self.now.max(now);
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::CodePipeline(task) => codepipeline::run(self, task),
            Task::Events(task) => events::run(self, task),
            Task::Lambda(task) => lambda::run(self, task),
            Task::Ram(task) => ram::run(self, task),
            Task::SageMaker(task) => sagemaker::run(self, task),
            Task::Sqs(task) => sqs::run(self, task),
        }
    }
}
