//! The templates are the wiring: what they grant is used, and what is missing from them is noticed.

mod mutations;
mod tour;

use std::collections::BTreeSet;

use e2e::{DEV, SHARED, TEST, Templates};
use sandbox::services::iam::identity::{Grant, granted};

use self::tour::{Stop, walk};

/// The roles that work for pipeshare, by account.
const ROLES: &[(&str, &str)] = &[
    (SHARED, "pipeshare-share-pipeline-us-east-1"),
    (SHARED, "pipeshare-accept-invitation-us-east-1"),
    (SHARED, "pipeshare-forward-status-us-east-1"),
    (TEST, "pipeshare-reader-us-east-1"),
    (TEST, "pipeshare-owner-us-east-1"),
    (TEST, "pipeshare-owner-events-us-east-1"),
    (DEV, "pipeshare-consumer-us-east-1"),
    (DEV, "pipeshare-consumer-events-us-east-1"),
];

#[tokio::test]
async fn every_permission_is_used_by_somebody() {
    let scenario = walk(Templates::default()).await;
    let scenario = scenario.unwrap_or_else(|Stop(what)| panic!("{what}"));
    let world = scenario.estate.sandbox.world();
    let all = ROLES
        .iter()
        .flat_map(|(account, role)| granted(&world, account, role));
    let all: BTreeSet<Grant> = all.collect();
    assert!(all.len() > 50, "the roles have permissions");
    let unused: Vec<&Grant> = all.difference(&world.iam.used).collect();
    assert!(unused.is_empty(), "unused permissions: {unused:#?}");
}

#[tokio::test]
async fn mutants() {
    let templates = Templates::default();
    let all = mutations::all(&templates.hub);
    for m in all {
        println!("{}", m.name);
    }
    for m in mutations::all(&templates.owner) {
        println!("{}", m.name);
    }
    for m in mutations::all(&templates.consumer) {
        println!("{}", m.name);
    }
}
