//! Plays a history, and says what was wrong with it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use sandbox::{Function, World, in_process::InProcess, readings::Readings, world::RecordedCall};
use tokio::task::LocalSet;

use crate::{
    estate::{self, REGION, SHARED},
    functions::{Counts, open},
    history::{Effect, History, Knobs, Op, Rule},
    notified,
    oracle::{self, Oracle},
    people::People,
    sabotage::Sabotage,
    stage::Stage,
    wire::Latency,
};

/// Until when access must be the policy's, once nothing is in the way: what the
/// schedule, four times an hour, and the follow-ups of what is settling need. Nothing
/// waits for an invitation: what it holds up is withdrawn, and who declined is invited anew.
pub const PROMISE: Duration = Duration::from_hours(1);

/// For how long it must stay so: two reconciliations and what follows them.
const STAYS: Duration = Duration::from_mins(35);

/// How often access is looked at meanwhile.
const PAUSE: Duration = Duration::from_mins(1);

/// For how long nothing may be done in the end.
const QUIET: Duration = Duration::from_mins(16);

/// What came of a history.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was wrong.
    pub violations: Vec<String>,
    /// How long it took, after each time that all faults had ended, until access was the policy's.
    pub converged: Vec<Duration>,
    /// What happened at least once.
    pub reached: BTreeSet<String>,
    /// How many calls were made.
    pub calls: usize,
    /// How long each invocation took since environments ended last, in this process.
    pub took: Vec<(String, Duration)>,
    /// What was called when by whom with which result, and what was sent, in one number.
    pub trace: u64,
}

/// Plays a history from its beginning to its end.
#[must_use]
pub fn run(history: &History) -> Outcome {
    run_with(history, None)
}

/// The same with functions one of whose doings goes wrong.
#[must_use]
pub fn run_with(history: &History, sabotage: Option<Sabotage>) -> Outcome {
    fastrand::seed(history.knobs.seed);
    on_virtual_time(async { Run::new(history, sabotage).play(history).await })
}

/// Does something in this process, on a clock that goes on once nothing else is to be done.
pub(crate) fn on_virtual_time<T>(doing: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets can be made");
    LocalSet::new().block_on(&runtime, doing)
}

/// The same with the functions' binaries: slow calls are left out, which are slow by
/// virtual time alone.
#[must_use]
pub fn run_binaries(history: &History, functions: Vec<Function>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let concurrency = history.knobs.concurrency;
        let stage = Stage::of_binaries(world(&history.knobs), functions, concurrency);
        Run::on(stage.await).play(history).await
    })
}

/// The world in which a history begins.
fn world(knobs: &Knobs) -> World {
    let mut readings = Readings::default();
    for reading in &knobs.readings {
        let played = readings.play(reading);
        played.unwrap_or_else(|error| panic!("{reading}: {error}"));
    }
    let mut world = estate::world(readings);
    world.ram_mut().association_delay = Duration::from_millis(knobs.association);
    world.ram_mut().empty_first_pages = knobs.empty_pages;
    world.events_mut().delivery_delay = Duration::from_millis(knobs.delivery);
    world
}

struct Run {
    stage: Stage,
    latency: Option<Arc<Latency>>,
    counts: Rc<RefCell<Counts>>,
    people: People,
    oracle: Oracle,
    outcome: Outcome,
    /// Whether messages may end in a dead-letter queue by now.
    dead_letters: bool,
    /// Whether something may be sent twice.
    repeats: bool,
    faults: usize,
}

impl Run {
    /// In this process.
    fn new(history: &History, sabotage: Option<Sabotage>) -> Self {
        let knobs = &history.knobs;
        let latency = Arc::new(Latency::new(knobs.seed, knobs.latency));
        let counts = Rc::new(RefCell::new(Counts::default()));
        let sandbox = {
            let (latency, counts) = (Arc::clone(&latency), Rc::clone(&counts));
            InProcess::new(world(knobs), knobs.concurrency, |wire| {
                open(wire.clone(), latency, counts, sabotage)
            })
        };
        Self {
            latency: Some(latency),
            counts,
            ..Self::on(Stage::InProcess(sandbox))
        }
    }

    fn on(stage: Stage) -> Self {
        Self {
            stage,
            latency: None,
            counts: Rc::default(),
            people: People::default(),
            oracle: Oracle::default(),
            outcome: Outcome::default(),
            dead_letters: false,
            repeats: false,
            faults: 0,
        }
    }

    async fn play(mut self, history: &History) -> Outcome {
        self.oracle.forget(&mut self.stage.world(), &[]);
        if history.knobs.unscheduled {
            self.people.unschedule(&mut self.stage.world());
        }
        for op in &history.ops {
            match op {
                Op::Wait(seconds) => self.pass(Duration::from_secs(*seconds)).await,
                Op::Settle => self.settle().await,
                Op::CoolDown => {
                    self.stage.cool_down();
                    self.counts.borrow_mut().took.clear();
                }
                op => self.act(op),
            }
            if !self.outcome.violations.is_empty() {
                break;
            }
        }
        self.end()
    }

    /// What an operation does.
    fn act(&mut self, op: &Op) {
        if let Op::Slow {
            calls,
            but_one_of,
            seconds,
        } = op
        {
            self.slow_down(*calls, *but_one_of, Duration::from_secs(*seconds));
        }
        self.expect_failures(op);
        let mut world = self.stage.world();
        self.people.play(&mut world, op);
        self.oracle
            .heed(&world, op, self.people.may_come_in_force(op));
        let excess = self.oracle.excess(&mut world);
        drop(world);
        self.outcome.violations.extend(excess);
    }

    fn slow_down(&self, calls: u32, but_one_of: u32, each: Duration) {
        if let Some(latency) = &self.latency {
            latency.slow_down(calls, but_one_of, each);
        }
    }

    /// What an operation excuses.
    fn expect_failures(&mut self, op: &Op) {
        match op {
            Op::Fault { effect, .. } => {
                self.faults += 1;
                self.repeats |= !matches!(effect, Effect::Unavailable | Effect::Throttled);
            }
            Op::Slow { .. } => {
                self.faults += 5;
                self.repeats = true;
            }
            Op::Outage { .. } | Op::DeleteRole(..) => {
                self.dead_letters = true;
                self.repeats = true;
            }
            Op::Event(..) => self.repeats = true,
            _ => {}
        }
        // A message is given up after five receptions that failed.
        self.dead_letters |= self.faults >= 5;
    }

    /// Lets time pass, and looks whenever something was changed.
    async fn pass(&mut self, duration: Duration) {
        let seen = Cell::new(0);
        let dirty = Cell::new(Timestamp::MIN);
        let oracle = &mut self.oracle;
        let violations = &mut self.outcome.violations;
        seen.set(self.stage.world().calls().len());
        let look = |world: &mut World| {
            let new = &world.calls()[seen.get()..];
            if new.iter().any(changes_access) {
                // What was asked for takes a moment.
                dirty.set(world.now() + Duration::from_mins(1));
            }
            if violations.is_empty() && world.now() <= dirty.get() {
                violations.extend(oracle.excess(world));
            }
            seen.set(world.calls().len());
        };
        self.stage.run_for(duration, look).await;
    }

    /// The rules that are in force, or why there are others than were written last.
    fn rules(&mut self) -> Result<Vec<Rule>, String> {
        let mut world = self.stage.world();
        let mut rules = Vec::new();
        // A team has nothing in force below a root that never was.
        let mut is_below_none = false;
        let documents = [
            ("/pipeshare/policy", self.people.root),
            ("/pipeshare/policy/team", self.people.team),
        ];
        for (parameter, newest) in documents {
            let written = &self.people.written;
            let in_force = oracle::in_force(&mut world, written, parameter);
            let valid = newest.filter(|newest| !written[*newest].broken);
            if valid.is_some() && valid != in_force && !is_below_none {
                return Err(format!(
                    "{parameter} has {in_force:?} in force, not {valid:?}"
                ));
            }
            is_below_none = in_force.is_none();
            rules.extend(
                in_force
                    .into_iter()
                    .flat_map(|it| written[it].rules.clone()),
            );
        }
        Ok(rules)
    }

    fn differences(&mut self) -> Vec<String> {
        match self.rules() {
            Ok(rules) => oracle::differences(&mut self.stage.world(), &rules),
            Err(text) => vec![text],
        }
    }

    /// All faults end, and within the promised time access is the policy's, and stays so.
    async fn settle(&mut self) {
        self.slow_down(0, 0, Duration::ZERO);
        self.people.recover(&mut self.stage.world());
        let began = self.stage.world().now();
        let mut settling = Settling::default();
        while !settling.is_over() && self.outcome.violations.is_empty() {
            let wrong = self.differences();
            let unnotified = if wrong.is_empty() {
                self.unnotified()
            } else {
                Vec::new()
            };
            self.outcome.violations = settling.judge(wrong, unnotified);
            self.pass(PAUSE).await;
            settling.passed += PAUSE;
        }
        if !self.outcome.violations.is_empty() {
            return;
        }
        self.outcome.converged.push(settling.wrong);
        self.check_quiet(began);
        let rules = self.rules().unwrap_or_default();
        self.oracle.forget(&mut self.stage.world(), &rules);
    }

    /// What somebody should have been notified of by now, or too often.
    fn unnotified(&mut self) -> Vec<String> {
        let rules = self.rules().unwrap_or_default();
        let mut world = self.stage.world();
        let mut unnotified = notified::outdated(&mut world, &rules, &self.people.left);
        if let Some(since) = self.oracle.unchanged_since() {
            unnotified.extend(notified::missed(&mut world, &rules, since));
        }
        if !self.repeats {
            unnotified.extend(notified::repeated(&world));
        }
        unnotified
    }

    /// In the end the plan is empty, and no message is lost.
    ///
    /// A share that nobody is in is deleted after an hour, which may be then; whoever
    /// loses access by it is noticed elsewhere.
    fn check_quiet(&mut self, began: Timestamp) {
        let world = self.stage.world();
        let since = (world.now() - QUIET).max(began);
        let late = world.calls().iter().rev();
        let late = late.take_while(|call| call.time > since);
        let late = late.filter(|call| call.caller.role.is_some() && changes_access(call));
        let late = late.filter(|call| call.operation != "DeleteResourceShare");
        let late =
            late.map(|call| format!("{} in {} in the end", call.operation, call.caller.account));
        let violations: BTreeSet<_> = late.collect();
        self.outcome.violations.extend(violations);
        let dead = dead_letters(&world);
        if dead > 0 {
            self.outcome.reached.insert("a dead letter".to_owned());
        }
        if dead > 0 && !self.dead_letters {
            self.outcome.violations.push(format!("{dead} dead letters"));
        }
    }

    fn end(mut self) -> Outcome {
        let world = self.stage.world();
        let outcome = &mut self.outcome;
        for invocation in &world.lambda().finished {
            if let Err(error) = &invocation.outcome {
                let panicked = error.message.ends_with("panic");
                outcome
                    .reached
                    .insert(format!("invocation: {}", error.error_type));
                if panicked {
                    outcome
                        .violations
                        .push(format!("{} panicked", invocation.function));
                }
            }
        }
        let mut counts = self.counts.borrow_mut();
        outcome.took = std::mem::take(&mut counts.took);
        let counted = counts.metrics.iter().filter(|(_, count)| **count > 0);
        outcome
            .reached
            .extend(counted.map(|(name, _)| (*name).to_owned()));
        outcome.calls = world.calls().len();
        outcome.trace = trace(&world);
        drop((world, counts));
        self.outcome
    }
}

/// How far access is what it should be, while time passes after all faults have ended.
#[derive(Debug, Default)]
struct Settling {
    passed: Duration,
    /// When access was last seen to be wrong.
    wrong: Duration,
    /// When notifications were last seen to be missing.
    unnotified: Duration,
}

impl Settling {
    /// Whether all has been as it should be for long enough.
    fn is_over(&self) -> bool {
        self.passed >= self.wrong.max(self.unnotified) + STAYS
    }

    /// What has taken too long.
    fn judge(&mut self, wrong: Vec<String>, unnotified: Vec<String>) -> Vec<String> {
        if !wrong.is_empty() {
            self.wrong = self.passed;
            if self.passed > PROMISE {
                return wrong;
            }
        }
        if !unnotified.is_empty() {
            self.unnotified = self.passed;
            if self.passed > self.wrong + PROMISE {
                return unnotified;
            }
        }
        Vec::new()
    }
}

/// Whether a call may change who has access.
fn changes_access(call: &RecordedCall) -> bool {
    call.service == "ram"
        && call.error.is_none()
        && !call.operation.starts_with("Get")
        && !call.operation.starts_with("List")
}

/// What is left in all dead-letter queues of the hub.
pub(crate) fn dead_letters(world: &World) -> usize {
    let queues = [
        "share-pipeline-dead-letters",
        "accept-invitation-dead-letters",
        "forward-status-dead-letters",
        "undelivered",
    ];
    let count = |name: &str| {
        let arn = format!("arn:aws:sqs:{REGION}:{SHARED}:pipeshare-{name}");
        sandbox::services::sqs::messages(world, &arn).len()
    };
    queues.into_iter().map(count).sum()
}

fn trace(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    for call in world.calls() {
        let input: BTreeMap<_, _> = call.input.as_object().into_iter().flatten().collect();
        let text = format!(
            "{} {} {} {:?} {input:?}",
            call.time,
            call.caller.arn(),
            call.operation,
            call.error
        );
        text.hash(&mut hasher);
    }
    for message in &world.sns().published {
        (message.time.as_millisecond(), &message.message).hash(&mut hasher);
    }
    hasher.finish()
}
