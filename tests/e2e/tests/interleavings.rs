//! Whatever happens in the middle of a reconciliation: the outcome is the policy's.
//!
//! Each case lets one thing happen at one call of share-pipeline: the function
//! dies, the answer is lost or slow, or somebody else changes the same thing
//! right before the call or right after it. When the schedule has come by once,
//! everybody has the access that the policy in force gives, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use e2e::{DEV, EXECUTION_EVENT, Plan, REGION, SHARED, Scenario, TEST, refusal};
use sandbox::{
    faults::{CallEffect, CallFault, Deed, EventEffect},
    http::perform,
    services::ram,
    world::{Call, Caller, World},
};
use serde_json::{Value, json};

const PARTNER: &str = "444444444444";
const STRANGER: &str = "999999999999";
const PIPELINES: [&str; 5] = ["base", "leaves", "churn", "raw", "secret"];
const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
const EXECUTE: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution";

/// How many of the cases `cargo test` tries.
const SAMPLE: usize = 24;

/// One rule, as the checker reads it.
struct Spec {
    name: &'static str,
    except: &'static [&'static str],
    with: &'static [(&'static str, &'static str)],
    execute: bool,
    succeeded: bool,
}

const DEV_: (&str, &str) = ("dev", DEV);
const SHARED_: (&str, &str) = ("shared", SHARED);
const PARTNER_: (&str, &str) = ("partner", PARTNER);

const fn spec(
    name: &'static str,
    except: &'static [&'static str],
    with: &'static [(&'static str, &'static str)],
    execute: bool,
    succeeded: bool,
) -> Spec {
    Spec {
        name,
        except,
        with,
        execute,
        succeeded,
    }
}

/// What is shared before.
const BEFORE: &[Spec] = &[
    spec("readers", &["secret"], &[DEV_, PARTNER_], false, true),
    spec("operators", &["secret", "raw"], &[SHARED_], true, false),
    spec("old", &["secret", "raw"], &[DEV_, SHARED_], false, false),
];

/// The policy whose reconciliation is disturbed: something is created, added,
/// removed, narrowed and deleted by it.
const DISTURBED: &[Spec] = &[
    spec(
        "readers",
        &["secret", "leaves"],
        &[DEV_, PARTNER_],
        false,
        true,
    ),
    spec("operators", &["secret", "raw"], &[SHARED_], false, false),
    spec(
        "auditors",
        &["secret", "raw"],
        &[DEV_, PARTNER_],
        true,
        true,
    ),
];

/// What somebody may write meanwhile.
const OTHER: &[Spec] = &[spec("readers", &["secret", "base"], &[SHARED_], true, true)];

fn policy(rules: &[Spec]) -> String {
    let rule = |rule: &Spec| {
        let with: Vec<_> = rule.with.iter().map(|(name, _)| *name).collect();
        format!(
            "  - {{ name: {}, owner: test, pipelines: [\"*\"], except: {:?}, with: [{}], access: {}, after: {} }}\n",
            rule.name,
            rule.except,
            with.join(", "),
            if rule.execute { "execute" } else { "read" },
            if rule.succeeded {
                "succeeded"
            } else {
                "created"
            },
        )
    };
    let rules: String = rules.iter().map(rule).collect();
    format!(
        "version: 1\norganization: {{ id: o-sandbox123, ramSharing: true }}\n\
         accounts:\n  dev: \"{DEV}\"\n  test: \"{TEST}\"\n  shared: \"{SHARED}\"\n  \
         partner: {{ id: \"{PARTNER}\", external: true }}\nrules:\n{rules}"
    )
}

/// What an administrator of an account does; none if it is refused.
fn act(world: &mut World, account: &str, operation: &str, input: Value) -> Option<Value> {
    let (service, operation) = operation.split_once(':').expect("service:Operation");
    let call = Call::by_administrator(account, REGION, service, operation, input);
    perform(world, &call).ok()
}

fn pipeline(name: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/{name}")
}

/// The active shares of test under this name.
fn shares(world: &mut World, name: &str) -> Vec<String> {
    let wanted = json!({ "resourceOwner": "SELF", "name": name, "resourceShareStatus": "ACTIVE" });
    let found = act(world, TEST, "ram:GetResourceShares", wanted).unwrap_or_default();
    let found = found["resourceShares"].as_array().into_iter().flatten();
    found
        .filter_map(|share| Some(share["resourceShareArn"].as_str()?.to_owned()))
        .collect()
}

/// Somebody does something to the shares of this name.
fn to_share(name: &'static str, operation: &'static str, input: Value) -> Deed {
    Deed::new(move |world| {
        for share in shares(world, name) {
            let mut input = input.clone();
            input["resourceShareArn"] = share.into();
            act(world, TEST, operation, input);
        }
    })
}

fn seconds_pass(world: &mut World) {
    Deed::time_passes(Duration::from_secs(2)).happen(world);
}

fn delete(world: &mut World, name: &str) {
    let token = format!("delete-{name:-<40}");
    let input = json!({ "PipelineName": name, "ClientRequestToken": token });
    act(world, TEST, "sagemaker:DeletePipeline", input);
}

fn recreated(name: &'static str) -> Deed {
    Deed::new(move |world| {
        seconds_pass(world);
        delete(world, name);
        seconds_pass(world);
        let input = json!({
            "PipelineName": name,
            "PipelineDefinition": e2e::DEFINITION,
            "RoleArn": format!("arn:aws:iam::{TEST}:role/pipeline"),
            "ClientRequestToken": format!("again-{name:-<40}"),
        });
        act(world, TEST, "sagemaker:CreatePipeline", input);
        seconds_pass(world);
    })
}

/// What somebody else may do meanwhile to shares, by name.
fn deeds_to_shares() -> Vec<(&'static str, Deed)> {
    let tag = |rule: &str| json!({ "tags": [{ "key": "pipeshare:rule", "value": rule }] });
    let permission = |arn: &str| json!({ "permissionArn": arn, "replace": true });
    let (readers, partners) = ("pipeshare-readers", "pipeshare-readers.444444444444");
    let (add, remove) = (
        "ram:AssociateResourceShare",
        "ram:DisassociateResourceShare",
    );
    vec![
        (
            "a share is deleted",
            to_share(readers, "ram:DeleteResourceShare", json!({})),
        ),
        (
            "the partner's share is deleted",
            to_share(partners, "ram:DeleteResourceShare", json!({})),
        ),
        (
            "a share is renamed",
            to_share(
                readers,
                "ram:UpdateResourceShare",
                json!({ "name": "pipeshare-other" }),
            ),
        ),
        (
            "a share gets the name of another",
            to_share(
                "pipeshare-old",
                "ram:UpdateResourceShare",
                json!({ "name": readers }),
            ),
        ),
        (
            "a share is tagged for another rule",
            to_share("pipeshare-operators", "ram:TagResource", tag("auditors")),
        ),
        (
            "a share loses the tag of its rule",
            to_share(
                readers,
                "ram:UntagResource",
                json!({ "tagKeys": ["pipeshare:rule"] }),
            ),
        ),
        (
            "a permission is widened",
            to_share(
                readers,
                "ram:AssociateResourceSharePermission",
                permission(EXECUTE),
            ),
        ),
        (
            "a permission is narrowed",
            to_share(
                "pipeshare-operators",
                "ram:AssociateResourceSharePermission",
                permission(READ),
            ),
        ),
        (
            "outsiders are let in",
            to_share(
                readers,
                "ram:UpdateResourceShare",
                json!({ "allowExternalPrincipals": true }),
            ),
        ),
        (
            "a principal is added",
            to_share(readers, add, json!({ "principals": [SHARED] })),
        ),
        (
            "a principal is removed",
            to_share(readers, remove, json!({ "principals": [DEV] })),
        ),
    ]
}

/// What somebody else may do meanwhile, by name.
fn deeds() -> Vec<(&'static str, Deed)> {
    let (readers, partners) = ("pipeshare-readers", "pipeshare-readers.444444444444");
    let (add, remove) = (
        "ram:AssociateResourceShare",
        "ram:DisassociateResourceShare",
    );
    let mut deeds = deeds_to_shares();
    deeds.extend([
        (
            "a pipeline that never ran is added",
            to_share(readers, add, json!({ "resourceArns": [pipeline("raw")] })),
        ),
        (
            "a pipeline of no rule is added",
            to_share(
                partners,
                add,
                json!({ "resourceArns": [pipeline("secret")] }),
            ),
        ),
        (
            "a pipeline is removed",
            to_share(
                readers,
                remove,
                json!({ "resourceArns": [pipeline("base")] }),
            ),
        ),
        (
            "a pipeline is deleted",
            Deed::new(|world| delete(world, "churn")),
        ),
        ("a new pipeline is made again", recreated("churn")),
        ("a shared pipeline is made again", recreated("base")),
        (
            "another policy is written",
            Deed::new(|world| {
                let input = json!({ "Name": "/pipeshare/policy", "Value": policy(OTHER), "Overwrite": true, "Type": "String", "Tier": "Advanced" });
                act(world, SHARED, "ssm:PutParameter", input);
            }),
        ),
    ]);
    deeds
}

/// One call of share-pipeline: service, operation, account, and which of several.
type Place = (String, String, String, usize);

#[derive(Clone)]
struct Case {
    name: String,
    place: Place,
    effect: CallEffect,
}

/// Everything that can happen at these calls.
fn cases(places: &[Place]) -> Vec<Case> {
    let mut effects = vec![
        (
            "the function dies before".to_owned(),
            CallEffect::KillCaller { after: false },
        ),
        (
            "the function dies after".to_owned(),
            CallEffect::KillCaller { after: true },
        ),
        ("the answer is lost".to_owned(), CallEffect::LoseAnswer),
        (
            "the service is out of order".to_owned(),
            refusal(503, "ServiceUnavailableException"),
        ),
    ];
    for after in [false, true] {
        let when = if after { "after" } else { "before" };
        for (what, deed) in deeds() {
            let effect = CallEffect::Meanwhile { deed, after };
            effects.push((format!("{what} right {when}"), effect));
        }
        let deed = Deed::time_passes(Duration::from_secs(40));
        let effect = CallEffect::Meanwhile { deed, after };
        effects.push((format!("forty seconds pass right {when}"), effect));
    }
    let mut cases = Vec::new();
    for place in places {
        for (what, effect) in &effects {
            let (service, operation, account, number) = place;
            cases.push(Case {
                name: format!("{service}:{operation} number {number} in {account}: {what}"),
                place: place.clone(),
                effect: effect.clone(),
            });
        }
    }
    cases
}

/// Everything is shared by the policy before, and the next one has something to do.
async fn ready() -> Scenario {
    let scenario = Scenario::on(Plan {
        consumers: vec![DEV, SHARED, PARTNER],
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&policy(BEFORE)).await;
    scenario.pass(10).await;
    for name in ["base", "leaves", "secret", "raw"] {
        scenario.create(&scenario.test, name).await;
    }
    for name in ["base", "leaves"] {
        scenario.start(&scenario.test, name, name).await;
    }
    scenario.pass(600).await;
    // What no event told is proved by the disturbed reconciliation alone.
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Lose; 50]);
    scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(240).await;
    {
        let mut world = scenario.estate.sandbox.world();
        world.faults_mut().events.clear();
        let open = json!({ "allowExternalPrincipals": true });
        to_share("pipeshare-operators", "ram:UpdateResourceShare", open).happen(&mut world);
    }
    let mut before = violations(&scenario, BEFORE);
    before.retain(|violation| !violation.contains("churn"));
    assert_eq!(before, [""; 0], "before anything is disturbed");
    scenario
}

/// Which calls share-pipeline makes in the reconciliation that is disturbed.
async fn places() -> Vec<Place> {
    let scenario = ready().await;
    let before = scenario.estate.sandbox.world().calls().len();
    scenario.write_policy(&policy(DISTURBED)).await;
    let ended = |world: &World| {
        let mut invocations = world.lambda().finished.iter();
        let started = world.calls()[before].time;
        invocations.any(|it| it.function == "pipeshare-share-pipeline" && it.time >= started)
    };
    let limit = Duration::from_mins(1);
    assert!(scenario.estate.sandbox.run_until(limit, ended).await);
    let world = scenario.estate.sandbox.world();
    let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for call in &world.calls()[before..] {
        let account = call.caller.account.as_str();
        let role = call.caller.role.as_ref().map_or("", |role| &role.name);
        if ["share-pipeline", "reader", "owner"]
            .iter()
            .any(|it| role == format!("pipeshare-{it}-{REGION}"))
            && [TEST, SHARED].contains(&account)
        {
            let place = (
                call.service.clone(),
                call.operation.clone(),
                account.to_owned(),
            );
            *counts.entry(place).or_default() += 1;
        }
    }
    let places = counts
        .into_iter()
        .flat_map(|((service, operation, account), count)| {
            let last = BTreeSet::from([1, count]);
            last.into_iter()
                .map(move |number| (service.clone(), operation.clone(), account.clone(), number))
        });
    places.collect()
}

/// The policy that is in force in the end.
fn in_force(world: &mut World) -> &'static [Spec] {
    let input = json!({ "Name": "/pipeshare/policy" });
    let newest = act(world, SHARED, "ssm:GetParameter", input).unwrap_or_default();
    let text = newest["Parameter"]["Value"].as_str().unwrap_or_default();
    if text == policy(OTHER) {
        OTHER
    } else {
        DISTURBED
    }
}

/// Whether this pipeline, and no earlier one of its name, has a run that succeeded.
fn has_succeeded(world: &mut World, name: &str) -> Option<bool> {
    let named = json!({ "PipelineName": name });
    let described = act(world, TEST, "sagemaker:DescribePipeline", named.clone())?;
    let created = described["CreationTime"].as_f64()?;
    let runs = act(world, TEST, "sagemaker:ListPipelineExecutions", named)?;
    let mut runs = runs["PipelineExecutionSummaries"].as_array()?.iter();
    Some(runs.any(|run| {
        run["PipelineExecutionStatus"] == "Succeeded" && run["StartTime"].as_f64() >= Some(created)
    }))
}

/// Where the access that RAM gives is not what the rules say.
fn violations(scenario: &Scenario, rules: &[Spec]) -> Vec<String> {
    let mut world = scenario.estate.sandbox.world();
    let mut violations = Vec::new();
    for name in PIPELINES {
        let proved = has_succeeded(&mut world, name);
        for account in [DEV, SHARED, PARTNER, STRANGER] {
            for (action, runs) in [
                ("sagemaker:DescribePipeline", false),
                ("sagemaker:StartPipelineExecution", true),
            ] {
                let gives = |rule: &Spec| {
                    !rule.except.contains(&name)
                        && rule.with.iter().any(|(_, id)| *id == account)
                        && (rule.execute || !runs)
                        && (!rule.succeeded || proved == Some(true))
                };
                let expected = proved.is_some() && rules.iter().any(gives);
                let caller = Caller::administrator(account);
                let arn = pipeline(name);
                let has = proved.is_some() && ram::grants(&world, &caller, action, &arn);
                if has != expected {
                    violations.push(format!("{account} {action} {name}: {has}, not {expected}"));
                }
            }
        }
    }
    violations
}

async fn outcome(case: &Case) -> Vec<String> {
    let scenario = ready().await;
    let (service, operation, account, number) = &case.place;
    let fault = |effect: CallEffect| CallFault {
        service: service.clone(),
        operation: operation.clone(),
        account: Some(account.clone()),
        effect,
    };
    let mut faults = vec![fault(CallEffect::Pass); number - 1];
    faults.push(fault(case.effect.clone()));
    // What the writer of the policy does is not disturbed.
    scenario.write_policy(&policy(DISTURBED)).await;
    scenario.estate.sandbox.world().faults_mut().calls = faults;
    // The schedule comes every fifteen minutes, and an invitation is accepted a little later.
    scenario.pass(17 * 60).await;
    let rules = {
        let mut world = scenario.estate.sandbox.world();
        if !world.faults().calls.is_empty() {
            return vec!["nothing was disturbed".to_owned()];
        }
        in_force(&mut world)
    };
    let mut violations = violations(&scenario, rules);
    if scenario.dead_letters() > 0 {
        violations.push("dead letters".to_owned());
    }
    violations
}

/// Tries a sample or, with `PIPESHARE_INTERLEAVINGS=all`, everything; a text
/// that is not `all` chooses the cases with that text in their names.
#[test]
fn whatever_happens_in_the_middle_the_outcome_is_the_policys() {
    let places = block_on(places());
    assert!(places.len() > 15, "{places:#?}");
    let cases = cases(&places);
    let chosen: Vec<_> = match std::env::var("PIPESHARE_INTERLEAVINGS").as_deref() {
        Ok("all") => cases,
        Ok(text) => cases
            .into_iter()
            .filter(|case| case.name.contains(text))
            .collect(),
        Err(_) => sample(cases),
    };
    let wrong = try_out(&chosen);
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} cases had the outcome of the policy", chosen.len());
}

/// Always the same cases, spread over calls and happenings.
fn sample(cases: Vec<Case>) -> Vec<Case> {
    let count = cases.len();
    // Prime, so that it goes through the happenings as well as through the calls.
    let step = (count / SAMPLE) | 1;
    let step = (step..step + 100).find(|step| (2..*step).all(|it| step % it != 0));
    cases.into_iter().step_by(step.unwrap_or(1)).collect()
}

fn try_out(cases: &[Case]) -> BTreeMap<String, Vec<String>> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let violations = block_on(outcome(case));
                    if !violations.is_empty() {
                        let mut wrong = wrong.lock().expect("no worker panics with it");
                        wrong.insert(case.name.clone(), violations);
                    }
                }
            });
        }
    });
    wrong.into_inner().expect("no worker panics with it")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(future)
}
