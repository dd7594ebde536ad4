//! The sandbox in real time, for people who use it by hand.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use jiff::{Timestamp, Unit};
use tokio::time::timeout;

use super::Sandbox;
use crate::{
    http::{SharedWorld, lock},
    world::World,
};

/// How long the driver sleeps if nothing at all is due.
const IDLE: Duration = Duration::from_hours(1);

/// Timers and timestamps count in milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// The clock while the sandbox is live, and the world that goes by it.
#[derive(Debug, Clone)]
pub(super) struct LiveTime {
    world: SharedWorld,
    clock: Arc<Mutex<Option<Clock>>>,
}

/// A clock that runs a number of times as fast as the machine's.
#[derive(Debug, Clone, Copy)]
struct Clock {
    began: Instant,
    origin: Timestamp,
    speed: u32,
}

impl Sandbox {
    /// Lets time pass by itself, `speed` times as fast as on the machine, until `until` is over.
    ///
    /// A speed of 0 counts as 1. What is due happens when it is due; API calls
    /// find the present. `look` is shown the world whenever something happened,
    /// and may change it.
    pub async fn live(&self, speed: u32, mut look: impl FnMut(&mut World), until: impl Future) {
        let clock = Clock {
            began: Instant::now(),
            origin: self.world().now,
            speed: speed.max(1),
        };
        let changed = Arc::clone(&self.world().lambda.changed);
        let pass = async {
            loop {
                self.time.catch_up();
                self.step(&mut |world| {
                    look(world);
                    false
                });
                let wait = clock.wait(self.world().next_due());
                // Either way it is time to look again.
                let _ = timeout(wait, changed.notified()).await;
            }
        };
        self.time.set(Some(clock));
        tokio::select! {
            _ = until => {}
            () = pass => {}
        }
        self.time.catch_up();
        self.time.set(None);
        look(&mut self.world());
    }
}

impl LiveTime {
    /// Time stands still until a clock is set.
    pub(super) fn new(world: SharedWorld) -> Self {
        Self {
            world,
            clock: Arc::default(),
        }
    }

    fn set(&self, clock: Option<Clock>) {
        *self.clock() = clock;
    }

    /// Brings the world to the present, if it is live; says whether it is.
    fn catch_up(&self) -> bool {
        let clock = *self.clock();
        if let Some(clock) = clock {
            lock(&self.world).catch_up(clock.now());
        }
        clock.is_some()
    }

    fn clock(&self) -> MutexGuard<'_, Option<Clock>> {
        self.clock
            .lock()
            .expect("nothing panics while it holds the clock")
    }
}

impl Clock {
    fn now(&self) -> Timestamp {
        let now = self.origin + self.began.elapsed() * self.speed;
        // AWS counts in milliseconds, too.
        now.round(Unit::Millisecond).unwrap_or(now)
    }

    /// How long it takes on the machine's clock until this is due.
    fn wait(&self, due: Option<Timestamp>) -> Duration {
        let wait = due.map(|due| due.duration_since(self.now()));
        let wait = wait.map(|wait| Duration::try_from(wait).unwrap_or_default());
        wait.map_or(IDLE, |wait| wait / self.speed + TICK)
    }
}

/// Brings time to an API call, and wakes the driver for what the call made due.
pub(super) async fn keep_time(
    State(time): State<LiveTime>,
    request: Request,
    next: Next,
) -> Response {
    let live = time.catch_up();
    let response = next.run(request).await;
    if live {
        lock(&time.world).lambda.changed.notify_one();
    }
    response
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use serde_json::json;

    use super::*;
    use crate::{
        driver::tests::{ACCOUNT, QUEUE, REGION, sandbox, world},
        services::{events, lambda, sqs},
    };

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[tokio::test]
    async fn an_hour_passes_in_a_second_at_a_speed_of_3600_and_then_time_stands_still() {
        let sandbox = sandbox().await;
        let second = timeout(Duration::from_secs(1), pending::<()>());
        sandbox.live(3600, |_| {}, second).await;
        sandbox.settle().await;
        let passed = sandbox.world().now.as_second();
        assert!((3590..7200).contains(&passed), "{passed} seconds passed");
        sandbox.time.catch_up();
        assert_eq!(sandbox.world().now.as_second(), passed);
    }

    #[tokio::test]
    async fn what_is_asked_for_runs_at_once_and_its_calls_find_the_present() {
        let sandbox = sandbox().await;
        let input = json!({ "Name": "/p", "Value": "v", "Type": "String" });
        let payload = json!({ "do": "call", "input": input });
        let ask = async {
            tokio::task::yield_now().await;
            let waiting =
                lambda::invoke(&mut sandbox.world(), ACCOUNT, REGION, "obedient", payload);
            waiting.unwrap().await.unwrap()
        };
        let mut seen = 0;
        sandbox
            .live(60, |world| seen = world.calls.len(), ask)
            .await;
        assert_eq!(seen, 1);
        let started = sandbox.invocations()[0].time;
        let called = sandbox.world().calls[0].time;
        assert!(called > started, "{called} is later than {started}");
        sandbox.stop().await;
    }

    #[test]
    fn what_was_due_on_the_way_happened_at_its_own_time() {
        let mut world = world(&json!({}));
        let rule = json!({
            "ScheduleExpression": "rate(1 minute)",
            "Targets": [{ "Id": "jobs", "Arn": QUEUE }],
        });
        events::create_rule(&mut world, ACCOUNT, REGION, "r", &rule).unwrap();
        world.catch_up(START + Duration::from_secs(150));
        let times: Vec<String> = sqs::messages(&world, QUEUE)
            .iter()
            .map(|message| {
                let event: serde_json::Value = serde_json::from_str(&message.body).unwrap();
                event["time"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(times, ["1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z"]);
        assert_eq!(world.now.as_second(), 150);
        world.catch_up(START);
        assert_eq!(world.now.as_second(), 150, "time never goes back");
    }
}
