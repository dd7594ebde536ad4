//! A world, said by what is different from the plainest one.

use std::collections::BTreeSet;

use jiff::{Timestamp, Unit};

use super::World;
use crate::{
    organization::Organization,
    readings::{Readings, UnknownReading},
};

/// Makes a [`World`].
///
/// ```
/// use sandbox::world::World;
///
/// let world = World::builder()
///     .start("2026-01-05T09:00:00Z".parse()?)
///     .organization("111111111111", ["222222222222"])
///     .ram_sharing(true)
///     .reading("ram-rejection=failed")?
///     .build();
/// assert_eq!(world.organization().members.len(), 2);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    start: Timestamp,
    organization: Organization,
    readings: Readings,
}

/// The time on the wall, in whole seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "who works with the sandbox by hand expects today's dates"
)]
#[must_use]
pub fn today() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

impl Builder {
    /// What the clock says in the beginning; 1970, if nobody says.
    #[must_use]
    pub fn start(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// The organization: its management account, and the other members.
    #[must_use]
    pub fn organization(
        mut self,
        management: &str,
        members: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let members = members.into_iter();
        let members = members.map(|member| member.as_ref().to_owned());
        self.organization.members = members.collect::<BTreeSet<_>>();
        self.organization.members.insert(management.to_owned());
        management.clone_into(&mut self.organization.management_account);
        self
    }

    /// Whether RAM shares within the organization without invitations.
    #[must_use]
    pub fn ram_sharing(mut self, enabled: bool) -> Self {
        self.organization.ram_sharing = enabled;
        self
    }

    /// The readings of AWS's documents that are played.
    #[must_use]
    pub fn readings(mut self, readings: Readings) -> Self {
        self.readings = readings;
        self
    }

    /// Another reading of one question, such as `ram-rejection=failed`.
    pub fn reading(mut self, reading: &str) -> Result<Self, UnknownReading> {
        self.readings.play(reading)?;
        Ok(self)
    }

    /// The world, with nothing in it yet.
    #[must_use]
    pub fn build(self) -> World {
        let mut world = World::new(self.start);
        world.organization = self.organization;
        world.readings = self.readings;
        world
    }
}
