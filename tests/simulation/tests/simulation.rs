//! Histories: a sample of seeds, and those that once failed.
//!
//! `PIPESHARE_SEEDS=1000` plays so many seeds, and `PIPESHARE_SEEDS=200..300` these.

use std::{env, fs, path::Path};

use simulation::{History, Report, Sabotage, run, run_binaries, run_with};

/// The seeds that `cargo test` plays.
const SAMPLE: &str = "8..12";

#[test]
fn whatever_the_seed_access_is_the_policys_in_the_end_and_nobodys_else_on_the_way() {
    let seeds = env::var("PIPESHARE_SEEDS").unwrap_or_else(|_| SAMPLE.to_owned());
    let seeds = simulation::seeds(&seeds).expect("PIPESHARE_SEEDS is a number or a range");
    let report = Report::of(seeds, true);
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
}

#[test]
fn what_once_failed_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let mut played = 0;
    for file in fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        let text = fs::read_to_string(&path).expect("it is a text");
        let history = History::parse(&text).unwrap_or_else(|it| panic!("{path:?}: {it}"));
        let violations = run(&history).violations;
        assert!(violations.is_empty(), "{path:?}: {violations:#?}");
        played += 1;
    }
    assert!(played > 0);
}

#[test]
fn the_binaries_hold_what_their_code_holds() {
    let functions = demo::binaries::build().expect("the functions compile");
    let kept = History::parse(include_str!("../histories/first-access.txt"));
    let kept = kept.expect("it is a history");
    for history in [kept, History::of_seed(8)] {
        let outcome = run_binaries(&history, functions.clone());
        assert!(outcome.violations.is_empty(), "{outcome:#?}");
        assert!(outcome.calls > 100, "{}", outcome.calls);
    }
}

#[test]
fn a_seed_is_the_same_each_time() {
    let (one, other) = (run(&History::of_seed(9)), run(&History::of_seed(9)));
    assert_eq!((one.calls, one.trace), (other.calls, other.trace));
    assert!(one.calls > 100);
}

#[test]
fn a_history_is_read_as_it_is_printed() {
    for seed in 0..50 {
        let history = History::of_seed(seed);
        let read = History::parse(&history.to_string());
        assert_eq!(read.expect("it is a history"), history);
    }
}

#[test]
fn whatever_a_function_does_wrong_is_found() {
    let history = History::parse(include_str!("../histories/first-access.txt"));
    let history = history.expect("it is a history");
    for sabotage in Sabotage::ALL {
        let violations = run_with(&history, Some(sabotage)).violations;
        println!("{sabotage:?}: {:?}", violations.first());
        assert!(!violations.is_empty(), "{sabotage:?} is not found");
    }
}
