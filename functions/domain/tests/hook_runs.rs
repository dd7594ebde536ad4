//! The runs of a deployment: whatever is killed and however attempts overlap, there is one.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    execution::Details,
    hook::{
        Act, Entry, Grant, GrantState, JobOutcome, NextStep, Operation, Question, Request, Round,
        State, Token, journal, next,
    },
    id::ExecutionArn,
    policy::{Gate, Policy},
    sharing::Pipeline,
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

    fn write_run(&mut self, entry: Entry) -> Result<bool, Killed> {
        self.touch()?;
        Ok(write(&mut self.runs, entry))
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

    fn look_at_run(&self) -> (Option<Round>, Option<Details>) {
        let round = journal::latest(&self.runs, begin());
        let run = round.as_ref().and_then(Round::run);
        let run = run.map(|_| Details::of(self.status.clone().unwrap()));
        (round, run)
    }

    fn grant(&self) -> Grant {
        let access = if self.access {
            GrantState::Granted
        } else {
            GrantState::Invited
        };
        Grant {
            rule: "r".parse().unwrap(),
            gate: Gate::Hook,
            principal: "111111111111".parse().unwrap(),
            share: None,
            access,
        }
    }

    /// Finds something out for an attempt.
    fn observe(&self, state: &mut State, question: &Question, attempt: usize, now: Timestamp) {
        match question {
            Question::Policy => state.read_policy(Some(policy()), &region()),
            Question::Pipeline(owner) => {
                let arn = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
                let arn = arn.parse().unwrap();
                let created = begin();
                state.found_pipeline(
                    owner.clone(),
                    Pipeline {
                        arn,
                        created,
                        last_run: None,
                    },
                    Some(now),
                );
            }
            Question::Progress(_) => {
                let entries = self.attempts.get(&attempt).map(Vec::as_slice);
                state.read_progress(journal::progress(entries.unwrap_or_default()));
            }
            Question::Run(_) => {
                let (round, run) = self.look_at_run();
                state.looked_at_run(round, run);
            }
            Question::Access(_) => state.looked_for_access(vec![self.grant()]),
        }
    }

    /// Does something for an attempt, and may be killed at it.
    fn act(&mut self, state: &mut State, act: Act, attempt: usize) -> Result<(), Killed> {
        match act {
            Act::Write(entry) => {
                self.touch()?;
                let entries = self.attempts.entry(attempt).or_default();
                let is_first = write(entries, entry.clone());
                state.wrote(&entry, is_first);
            }
            Act::Claim(operation) => {
                self.secrets += 1;
                let round = state.round(operation, format!("secret{}", self.secrets));
                let is_ours = self.write_run(round.claim(begin()))?;
                state.claimed(round, is_ours);
            }
            Act::Perform(round) => {
                let execution = self.perform(&round)?;
                state.performed(execution.clone());
                self.write_run(round.done(begin(), &execution))?;
            }
            Act::Settle(round, execution) => {
                self.write_run(round.done(begin(), &execution))?;
                state.settled();
            }
            Act::OpenGates => state.opened_gates(),
            Act::Share => {
                self.touch()?;
                let entries = self.attempts.entry(attempt).or_default();
                write(entries, journal::sharing(state.now()));
                state.asked_to_share();
            }
        }
        Ok(())
    }

    /// One invocation: goes on until it has to wait, and returns how it ended.
    fn invoke(
        &mut self,
        request: &Request,
        attempt: usize,
        now: Timestamp,
    ) -> Result<JobOutcome, Killed> {
        let mut state = State::new(request.clone(), Token::new("job"));
        for _ in 0..20 {
            match next(&state) {
                NextStep::Observe(question) => self.observe(&mut state, &question, attempt, now),
                NextStep::Act(_, act) => self.act(&mut state, act, attempt)?,
                NextStep::End(outcome) => return Ok(outcome),
            }
        }
        panic!("an invocation ends");
    }
}

fn policy() -> Policy {
    Policy::parse(
        "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\" }\nrules:\n\
         - { name: r, owner: test, pipelines: [\"*\"], with: [dev], after: hook }\n",
    )
    .unwrap()
}

fn region() -> domain::id::Region {
    "us-east-1".parse().unwrap()
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
        let mut ends: BTreeMap<usize, JobOutcome> = BTreeMap::new();
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
                        Err(Killed) | Ok(JobOutcome::Waiting(_)) => {}
                        Ok(JobOutcome::Succeeded) => {
                            let succeeded = world.status == Some(ExecutionStatus::Succeeded);
                            let shared = journal::progress(&world.attempts[&attempt]).sharing;
                            prop_assert!(!run || succeeded || shared.is_some());
                            prop_assert!(!share || world.access);
                            ends.insert(attempt, JobOutcome::Succeeded);
                        }
                        Ok(JobOutcome::Failed(failure)) => {
                            prop_assert!(!failure.message.is_empty());
                            if failure.message.contains("ended as") {
                                prop_assert!(failed_before);
                            }
                            ends.insert(attempt, JobOutcome::Failed(failure));
                        }
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
