//! When a process that serves a sandbox ends.

use std::{io, os::unix::process::parent_id, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

/// How often a process asks who its parent is; nothing tells it.
const PARENT_INTERVAL: Duration = Duration::from_secs(1);

/// The signals that end a process: SIGINT (Ctrl-C) and SIGTERM.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over from the system, whose own answer is to kill.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them.
    pub async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The process that started this one.
///
/// Who ends with it leaves no server behind when a test is killed. It must be
/// remembered before anybody is told that there is a server.
#[derive(Debug, Clone, Copy)]
pub struct Parent(u32);

impl Parent {
    /// The parent at this moment.
    #[must_use]
    pub fn remember() -> Self {
        Self(parent_id())
    }

    /// Waits until it has ended, when the system gives this process another parent.
    pub async fn ended(self) {
        let mut ticks = interval(PARENT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while parent_id() == self.0 {
            ticks.tick().await;
        }
    }
}
