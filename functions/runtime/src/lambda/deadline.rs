//! How long an invocation may go on.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// What is left of an invocation to requeue what was not done, and to answer.
const RESERVE: Duration = Duration::from_secs(5);

/// The least time that an account is given: less than a few calls take would do nothing for anybody.
const LEAST: Duration = Duration::from_secs(3);

/// How long after its beginning an invocation begins with another account: the
/// largest one takes about as long at 128 MB.
const LAST_TURN: Duration = Duration::from_secs(15);

/// When work has to end.
///
/// Lambda kills a function that takes too long, and everything that it was
/// at is delivered again, also what was done. A function that ends by itself
/// says what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The end of the work of an invocation that has this much time left.
    #[must_use]
    pub fn of_invocation(time_left: Duration) -> Self {
        Self::after(time_left.saturating_sub(RESERVE.min(time_left.mul_f64(0.25))))
    }

    /// This, or a time from now, whichever comes first.
    #[must_use]
    pub fn within(self, at_most: Duration) -> Self {
        self.min(Self::after(at_most))
    }

    /// Until when something may be begun: nothing is in the last tenth of the time.
    #[must_use]
    pub fn of_beginnings(self) -> Self {
        self.within(self.time_left().mul_f64(0.9))
    }

    /// Until when an account may have its turn: what is begun then can still be finished.
    #[must_use]
    pub fn of_turns(self) -> Self {
        self.within(LAST_TURN)
    }

    fn after(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(time).unwrap_or(now))
    }

    /// Whether nothing more should be begun.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.time_left().is_zero()
    }

    /// How much time is left.
    #[must_use]
    pub fn time_left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Does the work unless it takes too long; what it was at then may have been done or not.
    pub fn bound<T>(self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        // Boxed, since the work of an account is a large future.
        let work = Box::pin(work);
        async move { timeout_at(self.0, work).await.ok() }
    }
}

/// How much of the time each of some accounts may take, so that the last ones
/// have their turn as well, however long the first ones take.
#[must_use]
pub fn share_of(time_left: Duration, accounts: usize, at_once: usize) -> Duration {
    let rounds = accounts.div_ceil(at_once.max(1)).max(1);
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    let share = time_left.checked_div(rounds).unwrap_or_default();
    share.max(LEAST).min(time_left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test]
    async fn the_work_of_an_invocation_ends_before_lambda_ends_it() {
        for (left, least, most) in [(60, 54, 55), (8, 5, 6), (0, 0, 0)] {
            let work = Deadline::of_invocation(seconds(left)).time_left();
            assert!(work >= seconds(least) && work <= seconds(most), "{left}");
        }
        assert!(Deadline::of_invocation(Duration::ZERO).is_over());
        assert!(!Deadline::of_invocation(seconds(60)).is_over());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_and_what_does_not_is_done() {
        let deadline = Deadline::of_invocation(seconds(60));
        let never = std::future::pending::<()>();
        let soon = deadline.within(Duration::from_millis(1));
        assert_eq!(soon.bound(never).await, None);
        assert!(soon.is_over() && !deadline.is_over());
        assert_eq!(deadline.bound(async { 1 }).await, Some(1));
        assert!(soon.within(seconds(30)).is_over());
    }

    #[test]
    fn every_account_has_its_share_of_the_time() {
        assert_eq!(share_of(seconds(55), 1, 8), seconds(55));
        assert_eq!(share_of(seconds(55), 8, 8), seconds(55));
        assert_eq!(share_of(seconds(55), 40, 8), seconds(11));
        assert_eq!(share_of(seconds(55), 10_000, 8), LEAST);
        assert_eq!(share_of(seconds(1), 10_000, 8), seconds(1));
        assert_eq!(share_of(seconds(55), 0, 0), seconds(55));
    }
}
