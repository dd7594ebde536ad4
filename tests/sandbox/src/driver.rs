//! Runs the world: serves its API, moves its clock, and runs the functions.

mod environment;
pub mod in_process;
mod live;
mod runtime_api;

use std::{
    collections::{BTreeMap, HashMap},
    future::IntoFuture,
    io,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::middleware;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

use self::{
    environment::{Ended, Environment},
    live::LiveTime,
};
use crate::{
    http::{self, Pages, SharedWorld, lock},
    services::{
        key::ResourceKey,
        lambda::{self, FunctionError, Invocation, Start},
    },
    world::{ApiError, World},
};

/// How long killed processes may take to end.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// A function binary.
#[derive(Debug, Clone)]
pub struct Function {
    /// The `FunctionName` in the template.
    pub name: String,
    /// The executable.
    pub binary: PathBuf,
}

/// How the sandbox runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The binaries of the functions that the templates declare.
    pub functions: Vec<Function>,
    /// The port on loopback; 0 for any that is free.
    pub port: u16,
    /// How many invocations may be under way at once, over all functions.
    ///
    /// With one, a run is the same each time.
    pub concurrency: usize,
    /// What browsers see at the same port; nothing if there is none.
    pub pages: Option<Pages>,
}

impl Default for Options {
    /// No functions, any port, and one invocation at a time.
    fn default() -> Self {
        Self {
            functions: Vec::new(),
            port: 0,
            concurrency: 1,
            pages: None,
        }
    }
}

/// The sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A function has no executable where it should be.
    #[error(
        "the binary of {function} is not at {}; build it first",
        binary.display()
    )]
    MissingBinary {
        /// The function.
        function: String,
        /// Where the binary should be.
        binary: PathBuf,
    },
    /// Nobody could ever be invoked.
    #[error("a concurrency of 0 lets no function run")]
    NoConcurrency,
    /// The port is not to be had.
    #[error("cannot listen on port {port} of 127.0.0.1")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// Why.
        source: io::Error,
    },
}

/// A running sandbox. When it is dropped, its functions are killed.
#[derive(Debug)]
pub struct Sandbox {
    endpoint: String,
    world: SharedWorld,
    concurrency: usize,
    time: LiveTime,
    environments: Arc<Environments>,
    tasks: Mutex<JoinSet<()>>,
}

/// The warm environments, and what is needed to open more.
#[derive(Debug)]
struct Environments {
    endpoint: String,
    binaries: BTreeMap<String, PathBuf>,
    idle: Mutex<HashMap<ResourceKey, Vec<Environment>>>,
}

/// What the driver does next at a standing clock.
enum Step {
    /// Something runs.
    Wait,
    /// Nothing is left to do, or it was told to stop, which is then true.
    Done(bool),
}

impl Sandbox {
    /// Serves the world on loopback. Nothing runs until time is asked to pass.
    pub async fn start(world: World, options: Options) -> Result<Self, StartError> {
        if options.concurrency == 0 {
            return Err(StartError::NoConcurrency);
        }
        let binaries = binaries(options.functions)?;
        let port = options.port;
        let (listener, endpoint) = listen(port)
            .await
            .map_err(|source| StartError::Port { port, source })?;
        let world = Arc::new(Mutex::new(world));
        let time = LiveTime::new(Arc::clone(&world));
        let keep_time = middleware::from_fn_with_state(time.clone(), live::keep_time);
        let mut router = http::router(Arc::clone(&world));
        if let Some(pages) = options.pages {
            let pages = (Arc::clone(&world), pages);
            router = router.layer(middleware::from_fn_with_state(pages, http::serve_pages));
        }
        let router = router.layer(keep_time);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends only with the sandbox, and never with an error.
            let _ = axum::serve(listener, router).into_future().await;
        });
        Ok(Self {
            world,
            concurrency: options.concurrency,
            time,
            environments: Arc::new(Environments {
                endpoint: endpoint.clone(),
                binaries,
                idle: Mutex::default(),
            }),
            endpoint,
            tasks: Mutex::new(tasks),
        })
    }

    /// The address of the API, for instance `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The world, to look at and to change. It must not be held while the sandbox runs.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Lets everything happen that is due now, invocations included; time stands still.
    pub async fn settle(&self) {
        self.drive(|_| false).await;
    }

    /// Lets this much time pass, and everything happen that becomes due on the way.
    pub async fn run_for(&self, duration: Duration) {
        self.run_until(duration, |_| false).await;
    }

    /// Like [`Sandbox::run_for`], but stops as soon as `done` says so, which is then true.
    ///
    /// `done` is asked whenever something happened.
    pub async fn run_until(&self, limit: Duration, done: impl Fn(&World) -> bool) -> bool {
        let end = self.world().now + limit;
        loop {
            if self.drive(|world| done(world)).await {
                return true;
            }
            let mut world = self.world();
            if world.now >= end {
                return false;
            }
            world.now = next_stop(&world, end);
        }
    }

    /// Invokes a function and waits for its outcome; time stands still.
    ///
    /// If Lambda does not take the invocation, its reason is the outcome.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Invocation {
        let waiting = lambda::invoke_by_name(&mut self.world(), function, payload.clone());
        let mut waiting = match waiting {
            Ok(waiting) => waiting,
            Err(error) => return self.not_taken(function, payload, error),
        };
        let mut invocation = None;
        self.drive(|_| {
            invocation = invocation.take().or_else(|| waiting.try_recv().ok());
            invocation.is_some()
        })
        .await;
        invocation.unwrap_or_else(|| {
            let error = ApiError::new("TooManyRequestsException", "Rate Exceeded.");
            self.not_taken(function, payload, error)
        })
    }

    /// The invocations that have ended, in the order of their ends.
    #[must_use]
    pub fn invocations(&self) -> Vec<Invocation> {
        self.world().lambda.finished.clone()
    }

    /// Ends all functions and the API.
    pub async fn stop(self) {
        self.end_invocations().await;
        let mut tasks = self
            .tasks
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        tasks.shutdown().await;
        for mut environment in self.environments.take_all() {
            environment.end().await;
        }
    }

    /// Kills the functions that are at work, and waits for their ends.
    async fn end_invocations(&self) {
        let changed = Arc::clone(&self.world().lambda.changed);
        lambda::kill_all(&mut self.world());
        let ended = async {
            while lambda::in_flight(&self.world()) > 0 {
                changed.notified().await;
            }
        };
        // One that is just being started was missed; it is killed with its task.
        let _ = timeout(KILL_LIMIT, ended).await;
    }

    /// Starts what is due and waits for what runs, until there is neither or
    /// `stop` says so.
    async fn drive(&self, mut stop: impl FnMut(&mut World) -> bool) -> bool {
        let changed = Arc::clone(&self.world().lambda.changed);
        loop {
            match self.step(&mut stop) {
                Step::Wait => changed.notified().await,
                Step::Done(stopped) => {
                    // Somebody else may wait for the same news.
                    changed.notify_one();
                    return stopped;
                }
            }
        }
    }

    fn step(&self, stop: &mut impl FnMut(&mut World) -> bool) -> Step {
        let starts = {
            let mut world = self.world();
            world.run_due();
            if stop(&mut world) {
                return Step::Done(true);
            }
            let starts = lambda::start_due(&mut world, self.concurrency);
            if lambda::in_flight(&world) == 0 {
                return Step::Done(false);
            }
            starts
        };
        for start in starts {
            self.spawn(start);
        }
        Step::Wait
    }

    fn spawn(&self, start: Start) {
        let mut tasks = lock_tasks(&self.tasks);
        while tasks.try_join_next().is_some() {}
        let (world, environments) = (Arc::clone(&self.world), Arc::clone(&self.environments));
        tasks.spawn(async move {
            let request_id = start.request_id.clone();
            let ended = environments.run(&world, start).await;
            lambda::finish(&mut lock(&world), &request_id, ended.outcome, ended.logs);
        });
    }

    fn not_taken(&self, function: &str, payload: &Value, error: ApiError) -> Invocation {
        Invocation {
            function: function.to_owned(),
            request_id: String::new(),
            time: self.world().now,
            payload: payload.clone(),
            outcome: Err(FunctionError {
                error_type: error.code,
                message: error.message,
            }),
            logs: Vec::new(),
        }
    }
}

impl Environments {
    /// Runs an invocation in a warm environment, or in a new one.
    async fn run(&self, world: &SharedWorld, start: Start) -> Ended {
        let environment = match self.take_warm(&start.function.key) {
            Some(environment) => Ok(environment),
            None => self.open(world, &start).await,
        };
        let mut environment = match environment {
            Ok(environment) => environment,
            Err(error) => {
                return Ended {
                    outcome: Err(error),
                    logs: Vec::new(),
                };
            }
        };
        let key = start.function.key.clone();
        let ended = environment.run(&start).await;
        if environment.is_alive() {
            let mut idle = lock_idle(&self.idle);
            idle.entry(key).or_default().push(environment);
        }
        ended
    }

    fn take_warm(&self, key: &ResourceKey) -> Option<Environment> {
        let mut idle = lock_idle(&self.idle);
        let warm = idle.get_mut(key)?;
        warm.retain_mut(Environment::is_alive);
        warm.pop()
    }

    async fn open(&self, world: &SharedWorld, start: &Start) -> Result<Environment, FunctionError> {
        let function = &start.function;
        let name = &function.key.name;
        let broken = |message: String| FunctionError {
            error_type: "Runtime.InvalidEntrypoint".to_owned(),
            message,
        };
        let Some(binary) = self.binaries.get(name) else {
            return Err(broken(format!(
                "The sandbox was given no binary for {name}"
            )));
        };
        let (access_key, kill) = lambda::open_environment(&mut lock(world), function);
        let opened = Environment::open(binary, function, &self.endpoint, &access_key, kill);
        opened
            .await
            .map_err(|error| broken(format!("{}: {error}", binary.display())))
    }

    fn take_all(&self) -> Vec<Environment> {
        let idle = std::mem::take(&mut *lock_idle(&self.idle));
        idle.into_values().flatten().collect()
    }
}

/// When the clock stops next on its way to `end`.
fn next_stop(world: &World, end: Timestamp) -> Timestamp {
    let due = world.next_due().unwrap_or(end);
    due.clamp(world.now, end)
}

async fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    Ok((listener, endpoint))
}

fn binaries(functions: Vec<Function>) -> Result<BTreeMap<String, PathBuf>, StartError> {
    let mut binaries = BTreeMap::new();
    for Function { name, binary } in functions {
        if !binary.is_file() {
            return Err(StartError::MissingBinary {
                function: name,
                binary,
            });
        }
        binaries.insert(name, binary);
    }
    Ok(binaries)
}

fn lock_tasks(tasks: &Mutex<JoinSet<()>>) -> MutexGuard<'_, JoinSet<()>> {
    tasks
        .lock()
        .expect("nothing panics while it holds the tasks")
}

type Idle = HashMap<ResourceKey, Vec<Environment>>;

fn lock_idle(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock()
        .expect("nothing panics while it holds the environments")
}

#[cfg(test)]
mod tests;
