//! How much memory and time an estate takes that has been up for long.
//!
//! `cargo run --workspace --example soak -- 340 3000` creates, runs and shares so
//! many pipelines on the sandbox's clock, one every five minutes of it, and
//! prints what is held when each number is reached.

use std::{
    fs,
    io::{self, Write},
    time::{Duration, Instant},
};

use e2e::{Scenario, ungated};

/// As many records as `cargo demo serve` keeps.
const KEPT: usize = 1_000;

/// Between two pipelines.
const PAUSE: Duration = Duration::from_mins(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let marks: Vec<usize> = std::env::args().skip(1).flat_map(|it| it.parse()).collect();
    let scenario = Scenario::begin(&ungated()).await;
    report(&scenario, 0, Duration::ZERO)?;
    let mut since = Instant::now();
    for number in 1..=marks.iter().copied().max().unwrap_or(340) {
        let name = format!("churn-{number}");
        scenario.create(&scenario.test, &name).await;
        let run = format!("{name}-run");
        scenario.start(&scenario.test, &name, &run).await;
        scenario.estate.sandbox.run_for(PAUSE).await;
        scenario.estate.sandbox.world().tidy(KEPT);
        if marks.contains(&number) || number % 100 == 0 {
            report(&scenario, number, since.elapsed())?;
            since = Instant::now();
        }
    }
    scenario.estate.sandbox.stop().await;
    Ok(())
}

fn report(scenario: &Scenario, number: usize, took: Duration) -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let held = scenario.estate.sandbox.world().held();
    let resident = resident.unwrap_or_default().trim();
    let mut out = io::stdout().lock();
    writeln!(out, "{number} pipelines: {resident}, {took:.1?}, {held:?}")
}
