//! The templates are the wiring: what they grant is used, and what is missing from them is noticed.

mod mutations;
mod probes;
mod readings;
mod tour;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use e2e::{DEV, REGION, SHARED, TEST, Templates, functions};
use sandbox::{
    readings::Readings,
    services::iam::identity::{Grant, granted},
};

use self::tour::{Stop, walk};

/// The roles that work for the functions, by account.
const ROLES: &[(&str, &str)] = &[
    (TEST, "pipeshare-reader-us-east-1"),
    (TEST, "pipeshare-watcher-us-east-1"),
    (TEST, "pipeshare-owner-us-east-1"),
    (TEST, "pipeshare-runner-us-east-1"),
    (TEST, "pipeshare-owner-events-us-east-1"),
    (DEV, "pipeshare-consumer-us-east-1"),
    (DEV, "pipeshare-notifier-us-east-1"),
    (DEV, "pipeshare-prover-us-east-1"),
    (DEV, "pipeshare-consumer-events-us-east-1"),
];

/// Of this many mutations, `cargo test` tries one.
const SAMPLE: usize = 160;

/// The reading in which a parameter's label is part of what is asked for.
const BY_LABEL: &str = "ssm-labels=with";

/// What can be missing without anybody noticing, and why that is right.
const SURVIVORS: &[(&str, &str)] = &[
    (
        "hub/Resources/TopicPolicy/Properties/PolicyDocument/Statement/-AlarmsOfThisStack/Condition/StringEquals",
        "the ARN of an alarm names its account, too",
    ),
    (
        "hub/Resources/TopicKey/Properties/KeyPolicy/Statement/-AlarmsOfThisStack/Condition/StringEquals",
        "the ARN of an alarm names its account, too",
    ),
    (
        "owner/Resources/OwnerRole/Properties/Policies/-pipeshare-owner/PolicyDocument/Statement/-AddOwnPipelines/Condition/StringEqualsIgnoreCase",
        "the ARN of a pipeline says what it is, too",
    ),
];

#[tokio::test]
async fn every_permission_is_used_by_somebody() {
    let mut unused = unused_on_tour(Readings::default()).await;
    unused.retain(|grant| !is_by_label(&grant.resource));
    assert!(unused.is_empty(), "unused permissions: {unused:#?}");
    let mut unused = unused_on_tour(readings::chosen(BY_LABEL)).await;
    unused.retain(|grant| is_by_label(&grant.resource));
    assert!(unused.is_empty(), "unused by label: {unused:#?}");
}

/// The permissions that nobody uses on the tour.
async fn unused_on_tour(readings: Readings) -> Vec<Grant> {
    let scenario = walk(Templates::default(), readings).await;
    let scenario = scenario.unwrap_or_else(|Stop(what)| panic!("{what}"));
    let world = scenario.estate.sandbox.world();
    let mut all = BTreeSet::new();
    for (account, role) in ROLES {
        all.extend(granted(&world, account, role));
    }
    for function in functions::all() {
        let role = format!("pipeshare-{function}-{REGION}");
        all.extend(granted(&world, SHARED, &role));
    }
    assert!(all.len() > 50, "the roles have permissions");
    all.difference(&world.iam().used).cloned().collect()
}

/// Whether something is there only for the reading in which a label is asked for by name.
fn is_by_label(resource: &str) -> bool {
    resource.ends_with(":in-force")
}

/// Tries a sample of the mutations.
///
/// With `PIPESHARE_MUTATIONS`, a number tries one of so many, `all` every one,
/// and any other text those that have it in their names.
#[test]
fn what_is_missing_from_a_template_is_noticed() {
    let which = std::env::var("PIPESHARE_MUTATIONS").ok();
    let all = which.as_deref() == Some("all");
    let tried = chosen(mutated_templates(), which.as_deref());
    assert!(!tried.is_empty(), "no mutation has that name");
    let noticed = try_out(&tried);
    for (name, stop) in &noticed {
        println!("{name}: {}", stop.as_deref().unwrap_or("NOT NOTICED"));
    }
    let survivors = noticed.iter().filter(|(_, stop)| stop.is_none());
    let survivors: BTreeSet<&str> = survivors.map(|(name, _)| name.as_str()).collect();
    let expected: BTreeSet<&str> = SURVIVORS.iter().map(|(name, _)| *name).collect();
    let unexpected: Vec<_> = survivors.difference(&expected).collect();
    assert!(unexpected.is_empty(), "not noticed: {unexpected:#?}");
    if all {
        let gone: Vec<_> = expected.difference(&survivors).collect();
        assert!(gone.is_empty(), "noticed after all: {gone:#?}");
    }
    println!(
        "{} of {} were noticed",
        noticed.len() - survivors.len(),
        noticed.len()
    );
}

fn chosen(mutations: Vec<Case>, which: Option<&str>) -> Vec<Case> {
    let step = match which.map(str::parse) {
        None => SAMPLE,
        Some(Ok(step)) => step,
        Some(Err(_)) if which == Some("all") => 1,
        Some(Err(_)) => {
            let is_meant = |case: &Case| case.name.contains(which.unwrap_or(""));
            return mutations.into_iter().filter(is_meant).collect();
        }
    };
    mutations.into_iter().step_by(step.max(1)).collect()
}

/// Every mutation of every template, with its name.
fn mutated_templates() -> Vec<Case> {
    let templates = Templates::default();
    let with = |set: fn(&mut Templates, String), name: &'static str, text: &str| {
        let templates = templates.clone();
        mutations::all(text).into_iter().map(move |mutation| {
            let mut mutated = templates.clone();
            set(&mut mutated, mutation.template);
            let readings = readings_that_notification(&mutation.name);
            Case {
                name: format!("{name}/{}", mutation.name),
                templates: mutated,
                readings,
            }
        })
    };
    with(|t, text| t.hub = text, "hub", &templates.hub)
        .chain(with(|t, text| t.owner = text, "owner", &templates.owner))
        .chain(with(
            |t, text| t.consumer = text,
            "consumer",
            &templates.consumer,
        ))
        .collect()
}

/// The readings under which something is there for a reason.
fn readings_that_notification(mutation: &str) -> Readings {
    let of_permission = [
        "-AllowedPermissions/Condition",
        "-AllowedCustomerPermissions/Condition",
    ];
    if is_by_label(mutation) {
        readings::chosen(BY_LABEL)
    } else if of_permission.iter().any(|part| mutation.contains(part)) {
        readings::chosen("ram-permission-keys=all ram-permission-resources=permission")
    } else {
        Readings::default()
    }
}

/// A tour to be walked.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    templates: Templates,
    readings: Readings,
}

/// Walks the tour in each case, and says where it ended before its time.
fn try_out(cases: &[Case]) -> BTreeMap<String, Option<String>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let stop = try_one(case);
                    let mut outcomes = outcomes.lock().expect("no worker panics with it");
                    outcomes.insert(case.name.clone(), stop);
                }
            });
        }
    });
    outcomes.into_inner().expect("no worker panics with it")
}

fn try_one(case: &Case) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let tour = walk(case.templates.clone(), case.readings);
    let walked = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { tour.await.map(drop) })
    }));
    match walked {
        Ok(Ok(())) => None,
        Ok(Err(Stop(what))) => Some(what),
        Err(panic) => Some(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
    }
}
