//! One scheduled reconciliation with nothing to do, in estates of several sizes, and runs
//! that fail in all of them at once.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use sandbox::{World, readings::Readings, services::sagemaker};
use serde::Serialize;

use crate::{
    Growth, Outcome, calls,
    estate::{self, Size},
    isolation::Names,
    limit::Limit,
    report,
    stage::{FUNCTIONS, Program, Ran, Stage, converge},
};

/// The functions that run on schedule.
const SCHEDULED: [&str; 3] = ["share-pipeline", "accept-invitation", "forward-status"];

/// How long an estate is given to come to rest, at first and between two looks.
const REST: Duration = Duration::from_hours(1);

/// In which exactly one schedule begins, and what follows from it ends.
const INTERVAL: Duration = Duration::from_mins(15);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text} is not P,R,O,C, with or without \",members\"");
        let mut parts: Vec<&str> = text.split(',').collect();
        let members = parts.last() == Some(&"members");
        parts.truncate(parts.len() - usize::from(members));
        let numbers: Result<Vec<usize>, _> = parts.iter().map(|part| part.parse()).collect();
        let numbers = numbers.map_err(|_| wrong())?;
        let [pipelines, rules, owners, consumers] = numbers[..] else {
            return Err(wrong());
        };
        Ok(Self {
            pipelines,
            rules,
            owners,
            consumers,
            members,
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pipelines,
            rules,
            owners,
            consumers,
            members,
        } = self;
        let members = if *members { " members" } else { "" };
        write!(f, "({pipelines}, {rules}, {owners}, {consumers}){members}")
    }
}

impl Size {
    /// How many shares each owner has.
    fn shares(self) -> usize {
        self.rules * if self.members { 1 } else { self.consumers }
    }

    /// How many calls one reconciliation of everything needs at least, if nothing
    /// is known from before: the pages that must be read, and a session for each role.
    fn minimum(self, function: &str) -> usize {
        let pages = |items: usize, page: usize| items.div_ceil(page).max(1);
        let shares = self.shares();
        match function {
            // Policy, label and the list of what is remembered; for each owner two
            // sessions, pipelines, shares, associations of both kinds, permissions.
            "share-pipeline" => {
                let principals = if self.members { self.consumers } else { 1 };
                let each = 2
                    + pages(self.pipelines, 100)
                    + pages(shares, 500)
                    + pages(shares * self.pipelines, 500)
                    + pages(shares * principals, 500)
                    + pages(shares, 500);
                3 + self.owners * each
            }
            // The policy; for each consumer a session, invitations, shares, what is
            // in them, one proof for each, and what was notified of them.
            "accept-invitation" => {
                let received = self.rules * self.owners;
                let each =
                    3 + pages(received * self.pipelines, 500) + received + pages(3 * received, 100);
                1 + self.consumers * each
            }
            // The policy and the watermarks; for each owner a session, a search and its mark.
            _ => 2 + 3 * self.owners,
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Grown {
    pub(crate) size: String,
    pub(crate) function: String,
    pub(crate) invocations: usize,
    pub(crate) calls: usize,
    /// Of calls, where there is a formula for it.
    pub(crate) minimum: Option<usize>,
    pub(crate) by_operation: BTreeMap<String, usize>,
    pub(crate) sequence: usize,
    /// In megabytes, of the process that had most.
    pub(crate) peak: f64,
    /// In milliseconds, of all invocations.
    pub(crate) cpu: f64,
    /// In seconds.
    pub(crate) longest: f64,
}

impl Grown {
    #[expect(clippy::cast_precision_loss, reason = "nobody makes so many calls")]
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.minimum
            .map(|minimum| self.calls as f64 / minimum as f64)
    }
}

pub(crate) async fn run(arguments: &Growth, names: Names) -> Outcome<()> {
    let stage = Stage::set(names).await?;
    let common = &arguments.common;
    let limit = (!common.unlimited).then(Limit::find).flatten();
    let latency = Duration::from_millis(common.latency.unwrap_or(50));
    let roots = if common.system_roots {
        "system.pem"
    } else {
        "amazon.pem"
    };
    let mut rows = Vec::new();
    for &size in &arguments.sizes {
        eprintln!("{size}: coming to rest");
        let world = at_rest(size, arguments).await?;
        // Each alone, so that the endpoints see the calls of one function.
        for name in SCHEDULED {
            eprintln!("{size}: {name}");
            let program = Program {
                command: vec![common.functions.join(name).display().to_string()],
                roots,
                limit: limit.clone(),
            };
            let ran = stage.pass(&world, name, &program, INTERVAL, latency);
            rows.push(row(size, name, Some(size.minimum(name)), &ran.await?));
            if arguments.failed > 0 && name != "accept-invitation" {
                let failing = with_failed_runs(&world, size, arguments.failed)?;
                let ran = stage.pass(&failing, name, &program, INTERVAL, latency);
                let row_name = format!("{name}, {} failed runs of each owner", arguments.failed);
                rows.push(row(size, &row_name, None, &ran.await?));
            }
        }
        if let Some(limit) = &limit {
            limit.clear();
        }
    }
    let cpu = match limit {
        Some(_) => "the CPU of 128 MB, but for the initialization",
        None => "all of the CPU: no cgroup to be had, or --unlimited",
    };
    let conditions = format!(
        "{}; {} ms a call; {cpu}",
        names.in_words(),
        latency.as_millis()
    );
    report::growth(&common.out, &conditions, &rows)
}

/// The estate in which everything is shared and accepted.
async fn at_rest(size: Size, arguments: &Growth) -> Outcome<String> {
    let folder = &arguments.common.functions;
    let mut world = estate::world(size, "created")?;
    // The sandbox reports every pipeline of a share to every consumer, millions in all;
    // offers and the schedule lead to the same.
    estate::report_changes(&mut world, size, false)?;
    let sandbox = converge(world, folder, &FUNCTIONS, REST).await?;
    estate::report_changes(&mut sandbox.world(), size, true)?;
    let text = sandbox.world().save()?;
    sandbox.stop().await;
    Ok(text)
}

/// The same estate, in which so many runs of each owner have begun that will fail.
fn with_failed_runs(world: &str, size: Size, failed: usize) -> Outcome<String> {
    let mut world = World::load(world, Readings::default())?;
    for number in 0..size.owners {
        let owner = estate::owner(number);
        for run in 0..failed {
            let pipeline = format!("pipeline-{}", run % size.pipelines);
            sagemaker::fail_step(&mut world, &owner, &pipeline, "Train", "out of memory");
            estate::start_pipeline(&mut world, &owner, &pipeline, run)?;
        }
    }
    Ok(world.save()?)
}

fn row(size: Size, function: &str, minimum: Option<usize>, ran: &Ran) -> Grown {
    let served = &ran.served;
    let most = |figures: &dyn Fn(usize) -> f64| (0..served.len()).map(figures).fold(0.0, f64::max);
    // What is called before the first sessions are there is called by the hub's own role.
    let operations = ran.seen.iter().map(|call| call.operation.as_str());
    Grown {
        size: size.to_string(),
        function: function.to_owned(),
        invocations: served.len(),
        calls: ran.seen.len(),
        minimum,
        by_operation: calls::by_operation(operations),
        sequence: calls::in_sequence(&ran.seen),
        peak: most(&|at| served[at].after.peak),
        cpu: served.iter().map(|it| it.after.cpu - it.before.cpu).sum(),
        longest: most(&|at| served[at].wall / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_four_numbers_and_whether_they_are_members() {
        let printed = |text: &str| text.parse::<Size>().map(|size| size.to_string());
        assert_eq!(printed("100,3,2,2").unwrap(), "(100, 3, 2, 2)");
        assert_eq!(
            printed("10,1,1,5,members").unwrap(),
            "(10, 1, 1, 5) members"
        );
        assert!(printed("1,2,3").is_err());
        assert!(printed("1,2,3,x").is_err());
    }

    #[test]
    fn the_minimum_is_what_was_counted_by_hand() {
        let minimum = |text: &str, function| text.parse::<Size>().unwrap().minimum(function);
        assert_eq!(minimum("100,3,2,2", "share-pipeline"), 19);
        assert_eq!(minimum("1000,5,5,5", "share-pipeline"), 328);
        assert_eq!(minimum("1000,5,5,5", "accept-invitation"), 396);
        assert_eq!(minimum("100,1,50,1", "accept-invitation"), 66);
        assert_eq!(minimum("100,1,50,1", "forward-status"), 152);
    }
}
