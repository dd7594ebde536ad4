//! Many events at once.
//!
//! `cargo run --profile tool -p simulation burst 50 200` makes them ten thousand.

use std::time::Duration;

use simulation::burst;

#[test]
fn a_burst_reads_each_account_once_in_a_batch_and_leaves_nothing_behind() {
    let (owners, pipelines) = (12, 20);
    let burst = burst(owners, pipelines);
    println!("{burst:#?}");
    assert_eq!(burst.failures, [""; 0]);
    assert_eq!(burst.dead_letters, 0);
    assert_eq!(burst.shared, owners * pipelines);
    assert!(burst.batches * 10 >= owners * pipelines, "{burst:?}");
    assert!(burst.reconciliations <= burst.at_most, "{burst:?}");
    assert!(burst.took < Duration::from_mins(2), "{burst:?}");
}
