//! The runs of a deployment: whatever is killed and however attempts overlap, there is one.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    hook::{
        Access, Grant, Operation, Progress, Request, Round, Run, Seen, Step,
        journal::{self, Entry},
        next,
    },
    id::ExecutionArn,
    policy::Gate,
    status::ExecutionStatus,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// An attempt is invoked, and killed once it has touched the world so often.
    Invoke {
        attempt: usize,
        killed_after: usize,
    },
    RunEnds(bool),
    Access,
}

fn event() -> impl Strategy<Value = Event> {
    let invoke = (0..4_usize, 0..14_usize);
    prop_oneof![
        4 => invoke.prop_map(|(attempt, killed_after)| Event::Invoke { attempt, killed_after }),
        1 => any::<bool>().prop_map(Event::RunEnds),
        1 => Just(Event::Access),
    ]
}

/// SageMaker, RAM and the table, as far as the hook touches them.
#[derive(Default)]
struct World {
    runs: Vec<Entry>,
    attempts: BTreeMap<usize, Vec<Entry>>,
    executions: BTreeMap<String, ExecutionArn>,
    status: Option<ExecutionStatus>,
    retries: BTreeSet<String>,
    secrets: usize,
    access: bool,
    /// How often the invocation may touch the world yet.
    fuel: usize,
}

struct Killed;

fn write(entries: &mut Vec<Entry>, entry: Entry) -> bool {
    let is_new = entries.iter().all(|known| known.sk != entry.sk);
    if is_new {
        entries.push(entry);
    }
    is_new
}

impl World {
    fn touch(&mut self) -> Result<(), Killed> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Killed)?;
        Ok(())
    }

    fn note(&mut self, attempt: usize, entry: Entry) -> Result<Progress, Killed> {
        self.touch()?;
        let entries = self.attempts.entry(attempt).or_default();
        write(entries, entry);
        Ok(journal::progress(entries))
    }

    fn write_run(&mut self, entry: Entry) -> Result<(), Killed> {
        self.touch()?;
        write(&mut self.runs, entry);
        Ok(())
    }

    /// What SageMaker does for a round, once for each token.
    fn perform(&mut self, round: &Round) -> Result<ExecutionArn, Killed> {
        self.touch()?;
        match &round.operation {
            Operation::Start => {
                let number = self.executions.len();
                let arn = format!(
                    "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn/execution/run{number}"
                );
                let known = self.executions.get(&round.token).cloned();
                Ok(known.unwrap_or_else(|| {
                    let arn: ExecutionArn = arn.parse().unwrap();
                    self.executions.insert(round.token.clone(), arn.clone());
                    self.status = Some(ExecutionStatus::Executing);
                    arn
                }))
            }
            Operation::Retry(execution) => {
                if self.retries.insert(round.token.clone()) {
                    assert_eq!(self.status, Some(ExecutionStatus::Failed));
                    self.status = Some(ExecutionStatus::Executing);
                }
                Ok(execution.clone())
            }
        }
    }

    fn look(&self, now: Timestamp, progress: Progress) -> Seen {
        let round = journal::latest(&self.runs, begin());
        let run = round.as_ref().and_then(Round::run).map(|arn| Run {
            status: self.status.clone().unwrap(),
            ..Run::started(arn.clone())
        });
        let access = if self.access {
            Access::Granted
        } else {
            Access::Invited
        };
        let grant = Grant {
            rule: "r".parse().unwrap(),
            gate: Gate::Hook,
            principal: "111111111111".parse().unwrap(),
            share: None,
            access,
        };
        Seen {
            now,
            round,
            run,
            grants: progress.sharing.map(|_| vec![grant]),
        }
    }

    /// One invocation: goes on until it has to wait, and returns how it ended.
    fn invoke(
        &mut self,
        request: &Request,
        attempt: usize,
        now: Timestamp,
    ) -> Result<Step, Killed> {
        let mut progress = self.note(attempt, journal::began(now, begin()))?;
        for _ in 0..10 {
            let seen = self.look(now, progress);
            match next(request, &progress, &seen) {
                Step::Begin(operation) => {
                    let number = seen.round.map_or(1, |round| round.number + 1);
                    progress = self.note(attempt, journal::answers(number))?;
                    self.secrets += 1;
                    let round = Round {
                        number,
                        operation,
                        token: format!("secret{}", self.secrets),
                        at: now,
                        execution: None,
                    };
                    self.write_run(round.claim(begin()))?;
                }
                Step::Perform(round) => {
                    let execution = self.perform(&round)?;
                    self.write_run(round.done(begin(), &execution))?;
                    let executing = ExecutionStatus::Executing;
                    return Ok(Step::Wait(domain::hook::Wait::Run(execution, executing)));
                }
                Step::Settle(round, execution) => {
                    self.write_run(round.done(begin(), &execution))?;
                }
                Step::Adopt(round) => progress = self.note(attempt, journal::answers(round))?,
                Step::Share => progress = self.note(attempt, journal::sharing(now))?,
                end => return Ok(end),
            }
        }
        panic!("an invocation ends");
    }
}

fn begin() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// However attempts overlap and die: one start, at most one retry for each
    /// attempt, no success without what it stands for, and always an end.
    #[test]
    fn every_attempt_ends_its_end_is_true_and_nothing_is_started_twice(
        events in vec(event(), 0..60),
        run in any::<bool>(),
        share in any::<bool>(),
    ) {
        let request = Request::parse(&format!(
            "{{\"pipeline\": \"churn\", \"owner\": \"test\", \"run\": {run}, \"share\": {share}, \
              \"runMinutes\": 100, \"accessMinutes\": 50}}"
        )).unwrap();
        let mut world = World::default();
        let mut now = begin();
        let mut ends: BTreeMap<usize, Step> = BTreeMap::new();
        let quiet = (0..1000).map(|n| Event::Invoke { attempt: n % 4, killed_after: usize::MAX });
        for event in events.into_iter().chain(quiet) {
            now += SignedDuration::from_mins(1);
            match event {
                Event::RunEnds(well) => {
                    let end = if well { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
                    if world.status == Some(ExecutionStatus::Executing) {
                        world.status = Some(end);
                    }
                }
                Event::Access => world.access = true,
                Event::Invoke { attempt, .. } if ends.contains_key(&attempt) => {}
                Event::Invoke { attempt, killed_after } => {
                    world.fuel = killed_after;
                    let failed_before = world.status == Some(ExecutionStatus::Failed);
                    match world.invoke(&request, attempt, now) {
                        Err(Killed) | Ok(Step::Wait(_)) => {}
                        Ok(Step::Succeed) => {
                            let succeeded = world.status == Some(ExecutionStatus::Succeeded);
                            let shared = journal::progress(&world.attempts[&attempt]).sharing;
                            prop_assert!(!run || succeeded || shared.is_some());
                            prop_assert!(!share || world.access);
                            ends.insert(attempt, Step::Succeed);
                        }
                        Ok(Step::Fail(failure)) => {
                            prop_assert!(!failure.message.is_empty());
                            if failure.message.contains("ended as") {
                                prop_assert!(failed_before);
                            }
                            ends.insert(attempt, Step::Fail(failure));
                        }
                        Ok(other) => prop_assert!(false, "{other:?} is no end"),
                    }
                }
            }
        }
        prop_assert_eq!(ends.len(), 4, "every attempt ends");
        prop_assert!(world.executions.len() <= 1, "one deployment has one execution");
        // The first round starts; each of the others belongs to another attempt.
        prop_assert!(world.retries.len() <= 3, "an attempt runs a failure again once");
    }
}
