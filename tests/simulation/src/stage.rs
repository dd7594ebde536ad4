//! Where a history is played: in this process, or with the real binaries.

use std::{rc::Rc, sync::MutexGuard, time::Duration};

use jiff::SignedDuration;
use sandbox::{Function, Options, Sandbox, World, in_process::InProcess};

/// What plays the functions.
pub(crate) enum Stage {
    /// Their code, in this process and on virtual time.
    InProcess(Rc<InProcess>),
    /// Their binaries, over loopback; time stands still while they work.
    Binaries(Sandbox),
}

impl Stage {
    /// Starts the binaries, so many of each at once.
    pub(crate) async fn of_binaries(
        world: World,
        functions: Vec<Function>,
        concurrency: usize,
    ) -> Self {
        let options = Options {
            functions,
            concurrency,
            ..Options::default()
        };
        let started = Sandbox::start(world, options).await;
        Self::Binaries(started.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The world, to look at and to change.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        match self {
            Self::InProcess(sandbox) => sandbox.world(),
            Self::Binaries(sandbox) => sandbox.world(),
        }
    }

    /// Lets who comes next meet new environments; binaries stay as they are.
    pub(crate) fn cool_down(&self) {
        if let Self::InProcess(sandbox) = self {
            sandbox.cool_down();
        }
    }

    /// Lets time pass, and looks whenever something has happened.
    pub(crate) async fn run_for(&self, duration: Duration, mut look: impl FnMut(&mut World)) {
        let sandbox = match self {
            Self::InProcess(sandbox) => return sandbox.run_for(duration, look).await,
            Self::Binaries(sandbox) => sandbox,
        };
        let end = self.world().now() + duration;
        loop {
            let (now, seen) = {
                let world = self.world();
                (world.now(), world.calls().len())
            };
            let left = end
                .duration_since(now)
                .max(SignedDuration::ZERO)
                .unsigned_abs();
            let called = |world: &World| world.calls().len() != seen;
            let goes_on = sandbox.run_until(left, called).await;
            look(&mut self.world());
            if !goes_on {
                return;
            }
        }
    }
}
