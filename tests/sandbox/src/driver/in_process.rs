//! The functions in this process, on tokio's clock: no sockets, no other processes.
//!
//! For a clock that stands still until nothing else is to be done
//! (`start_paused`), hours pass in no time, and a run is the same each time.
//! Unlike in [`Sandbox`](crate::Sandbox), time passes while functions run.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{body::Body, extract::Request, response::Response};
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::environment::{exit_error, timed_out, variables_of_lambda};
use crate::{
    http::{self, SharedWorld, lock},
    services::{
        key::ResourceKey,
        lambda::{self, FunctionError, Start},
    },
    world::World,
};

/// An execution environment that begins, with what Lambda gives it.
#[derive(Debug)]
pub struct Opening {
    /// The name of the function.
    pub function: String,
    /// The environment variables, credentials among them.
    pub variables: BTreeMap<String, String>,
    /// One invocation after the other.
    pub work: mpsc::UnboundedReceiver<Work>,
}

/// An invocation.
#[derive(Debug)]
pub struct Work {
    /// The id of the request.
    pub request_id: String,
    /// What the function is given.
    pub payload: Value,
    /// How long it may take.
    pub time_left: Duration,
    /// Where its outcome goes.
    pub answer: oneshot::Sender<Result<Value, FunctionError>>,
}

/// What plays an environment, until it has no more work.
type Open = Box<dyn Fn(Opening) -> LocalBoxFuture<'static, ()>>;

/// The API of the world for clients in this process.
#[derive(Debug, Clone)]
pub struct Wire {
    world: SharedWorld,
    clock: Clock,
}

/// The world's clock goes with tokio's.
#[derive(Debug, Clone, Copy)]
struct Clock {
    origin: Timestamp,
    began: Instant,
}

/// A world whose functions run in this process. It needs a `LocalSet`.
pub struct InProcess {
    wire: Wire,
    concurrency: usize,
    open: Open,
    warm: RefCell<BTreeMap<ResourceKey, Vec<Warm>>>,
}

/// An environment that waits for work.
#[derive(Debug)]
struct Warm {
    work: mpsc::UnboundedSender<Work>,
    kill: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Clock {
    fn now(&self) -> Timestamp {
        self.origin + self.began.elapsed()
    }

    /// When tokio's clock shows this time; never, if it does not count so far.
    fn instant(&self, time: Timestamp) -> Option<Instant> {
        let passed = Duration::try_from(time.duration_since(self.origin)).unwrap_or_default();
        self.began.checked_add(passed)
    }
}

impl Wire {
    /// The time of the world and of everybody in it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The world, to look at and to change. It must not be held while time passes.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Answers a request as the API on a port would.
    pub async fn serve(&self, request: Request<Body>) -> Response {
        self.catch_up();
        let response = http::answer_request(&self.world, request).await;
        self.world().lambda.changed.notify_one();
        response
    }

    /// Lets everything happen that is due by now, each thing at its own time.
    fn catch_up(&self) {
        let now = self.now();
        let mut world = self.world();
        world.catch_up(now);
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl InProcess {
    /// The world, whose environments are played by what `connect` makes of its
    /// API; at most so many invocations run at once.
    pub fn new<O>(
        mut world: World,
        concurrency: usize,
        connect: impl FnOnce(&Wire) -> O,
    ) -> Rc<Self>
    where
        O: Fn(Opening) -> LocalBoxFuture<'static, ()> + 'static,
    {
        world.clients_share_the_clock();
        let clock = Clock {
            origin: world.now,
            began: Instant::now(),
        };
        let world = Arc::new(Mutex::new(world));
        let wire = Wire { world, clock };
        Rc::new(Self {
            open: Box::new(connect(&wire)),
            wire,
            concurrency,
            warm: RefCell::default(),
        })
    }

    /// The API of the world.
    #[must_use]
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The world, to look at and to change. It must not be held while time passes.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.wire.world()
    }

    /// Ends the environments that are idle, as Lambda does after a while: who comes next meets a new one.
    pub fn cool_down(&self) {
        self.warm.borrow_mut().clear();
    }

    /// Lets this much time pass, and everything happen that becomes due on the way.
    ///
    /// `look` sees the world whenever something happened.
    pub async fn run_for(self: &Rc<Self>, duration: Duration, mut look: impl FnMut(&mut World)) {
        let end = Instant::now() + duration;
        let changed = Arc::clone(&self.world().lambda.changed);
        loop {
            self.wire.catch_up();
            self.start_due();
            look(&mut self.world());
            if Instant::now() >= end {
                return;
            }
            let due = self.world().next_due();
            let due = due.and_then(|due| self.wire.clock.instant(due));
            let next = due.map_or(end, |due| due.min(end));
            tokio::select! {
                biased;
                () = changed.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    fn start_due(self: &Rc<Self>) {
        let starts = lambda::start_due(&mut self.world(), self.concurrency);
        for start in starts {
            let this = Rc::clone(self);
            tokio::task::spawn_local(async move { this.run(start).await });
        }
    }

    /// Runs an invocation in a warm environment, or in a new one.
    async fn run(&self, start: Start) {
        let key = start.function.key.clone();
        let warm = self.warm.borrow_mut().get_mut(&key).and_then(Vec::pop);
        let mut environment = warm.unwrap_or_else(|| self.open(&start));
        let outcome = environment.run(&start).await;
        let is_alive =
            !environment.task.is_finished() && !matches!(&outcome, Err(error) if is_end(error));
        if is_alive {
            self.warm
                .borrow_mut()
                .entry(key)
                .or_default()
                .push(environment);
        }
        lambda::finish(&mut self.world(), &start.request_id, outcome, Vec::new());
    }

    fn open(&self, start: &Start) -> Warm {
        let function = &start.function;
        let (access_key, kill) = lambda::open_environment(&mut self.world(), function);
        let (work, receiver) = mpsc::unbounded_channel();
        let variables = variables_of_lambda(function, "", &access_key).into_iter();
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let opening = Opening {
            function: function.key.name.clone(),
            variables: variables.chain(function.variables.clone()).collect(),
            work: receiver,
        };
        Warm {
            work,
            kill,
            task: tokio::task::spawn_local((self.open)(opening)),
        }
    }
}

impl Warm {
    async fn run(&mut self, start: &Start) -> Result<Value, FunctionError> {
        let (answer, receiver) = oneshot::channel();
        // If nobody is there to take it, its answer does not come either.
        let _ = self.work.send(Work {
            request_id: start.request_id.clone(),
            payload: start.payload.clone(),
            time_left: start.function.timeout,
            answer,
        });
        let running = async {
            tokio::select! {
                biased;
                () = self.kill.notified() => Err(exit_error(start, "signal: killed")),
                answered = receiver => answered.unwrap_or_else(|_| Err(exit_error(start, "panic"))),
            }
        };
        let ended = timeout(start.function.timeout, running).await;
        ended.unwrap_or_else(|_| Err(timed_out(start)))
    }
}

/// Whether the environment does not live on after this.
fn is_end(error: &FunctionError) -> bool {
    ["Runtime.ExitError", "Sandbox.Timedout"].contains(&error.error_type.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::driver::tests::{ACCOUNT, REGION, world};

    /// Waits as long as it is told to, and counts its invocations.
    fn waiting(mut opening: Opening) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            let mut count = 0;
            while let Some(work) = opening.work.recv().await {
                count += 1;
                assert_ne!(work.payload, "panic");
                sleep_until(
                    Instant::now()
                        + Duration::from_millis(work.payload.as_u64().unwrap_or_default()),
                )
                .await;
                let _ = work.answer.send(Ok(json!(count)));
            }
        })
    }

    async fn outcome(sandbox: &Rc<InProcess>, payload: Value) -> Result<Value, String> {
        let waiting = lambda::invoke(&mut sandbox.world(), ACCOUNT, REGION, "obedient", payload);
        sandbox.run_for(Duration::from_secs(2), |_| {}).await;
        let outcome = waiting.unwrap().await.unwrap().outcome;
        outcome.map_err(|error| error.to_string())
    }

    #[test]
    fn an_environment_serves_until_it_is_killed_too_slow_or_panics() {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().build().unwrap();
        let set = tokio::task::LocalSet::new();
        set.block_on(&runtime, async {
            let sandbox = InProcess::new(world(&json!({})), 1, |_| waiting);
            assert_eq!(outcome(&sandbox, json!(1)).await, Ok(json!(1)));
            assert_eq!(outcome(&sandbox, json!(1)).await, Ok(json!(2)));
            let late = outcome(&sandbox, json!(1500)).await.unwrap_err();
            assert!(late.ends_with("timed out after 1.00 seconds"), "{late}");
            assert_eq!(outcome(&sandbox, json!(1)).await, Ok(json!(1)));
            let panicked = outcome(&sandbox, json!("panic")).await.unwrap_err();
            assert!(panicked.ends_with("panic"), "{panicked}");
            assert_eq!(outcome(&sandbox, json!(1)).await, Ok(json!(1)));
        });
    }
}
