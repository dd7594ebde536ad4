//! The page of show-access as data, held against what the accounts really have.

use std::collections::BTreeMap;

use e2e::{DEV, POLICY, Person, REGION, SHARED, SWEEP, Scenario, TEST};
use sandbox::{
    faults::Refusal,
    services::{iam, ram},
    world::{ApiError, Caller},
};
use serde_json::{Value, json};

/// An account that no ceiling allows.
const PARTNER: &str = "444444444444";

/// How long an invitation can be accepted, in seconds.
const LIFETIME: i64 = 12 * 60 * 60;

/// A rule of each kind: held, beyond the ceiling, at a gate, and with an account that nobody accepts for.
const RULES: &str = r#"
  - { name: readers, owner: test, pipelines: ["churn"], with: [dev], after: created }
  - { name: operators, owner: test, pipelines: ["churn"], with: [shared], access: execute, after: created }
  - { name: partners, owner: test, pipelines: ["churn"], with: [partner], after: created }
  - { name: gated, owner: test, pipelines: ["fraud"], with: [dev], after: succeeded }
  - { name: testers, owner: dev, pipelines: ["owl"], with: [test], after: created }
"#;

/// What is said about a view that there is not, and about a pipeline that is none.
const VIEWS: &str = "view is pipelines, access, now or pipeline";
const ARN: &str = "pipeline is the ARN of a pipeline";

/// The policy with those rules that do not have this text in them.
fn policy_without(text: &str) -> String {
    let rules = RULES
        .lines()
        .filter(|rule| text.is_empty() || !rule.contains(text));
    let accounts =
        format!(r#"{{ dev: "{DEV}", test: "{TEST}", shared: "{SHARED}", partner: "{PARTNER}" }}"#);
    let rules = rules.collect::<Vec<_>>().join("\n");
    format!("version: 1\naccounts: {accounts}\nrules:{rules}\n")
}

fn arn(owner: &str, name: &str) -> String {
    Person::pipeline_arn(owner, name)
}

/// The accounts with their pipelines, shared as far as it goes.
async fn shared() -> Scenario {
    let scenario = Scenario::begin(&policy_without("")).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.create(&scenario.test, "fraud").await;
    scenario.create(&scenario.dev, "owl").await;
    scenario.pass(SWEEP).await;
    scenario
}

/// The answer to a payload as JSON.
async fn shown(scenario: &Scenario, payload: Value) -> Value {
    let mut payload = payload;
    payload["format"] = "json".into();
    let answer = scenario.invoke("show-access", payload).await.outcome;
    answer.unwrap_or_else(|error| panic!("{error}"))
}

/// The members of an answer that is a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text of a member of an answer.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A pipeline of an answer.
fn row<'a>(answer: &'a Value, arn: &str) -> &'a Value {
    let mut rows = list(&answer["pipelines"]).iter();
    let row = rows.find(|row| row["pipeline"] == arn);
    row.unwrap_or_else(|| panic!("{arn}: {answer:#}"))
}

/// What an account has of a pipeline, or waits for.
fn entry<'a>(answer: &'a Value, arn: &str, principal: &str) -> &'a Value {
    let mut entries = list(&row(answer, arn)["access"]).iter();
    let entry = entries.find(|entry| entry["principal"] == principal);
    entry.unwrap_or_else(|| panic!("{principal}: {answer:#}"))
}

/// What RAM lets an account do with a pipeline of another one.
fn level(scenario: &Scenario, account: &str, arn: &str) -> Option<&'static str> {
    let world = scenario.estate.sandbox.world();
    let caller = Caller::administrator(account);
    let may = |action: &str| ram::grants(&world, &caller, action, arn);
    match (
        may("sagemaker:DescribePipeline"),
        may("sagemaker:StartPipelineExecution"),
    ) {
        (_, true) => Some("execute"),
        (true, false) => Some("read"),
        (false, false) => None,
    }
}

/// What the page says that is not so: each entry against what RAM lets its account do.
fn untrue(scenario: &Scenario, answer: &Value) -> Vec<String> {
    let mut untrue = Vec::new();
    for row in list(&answer["pipelines"]) {
        for entry in list(&row["access"]) {
            let (arn, principal) = (&row["pipeline"], &entry["principal"]);
            let really = level(scenario, text(principal), text(arn));
            let said = entry["level"].as_str().filter(|_| entry["has"] == true);
            if said != really {
                untrue.push(format!("{arn} {entry}: {really:?}"));
            }
        }
    }
    untrue
}

/// How often each operation was called since so many calls.
fn calls_since(scenario: &Scenario, before: usize) -> BTreeMap<String, usize> {
    let world = scenario.estate.sandbox.world();
    let mut counts = BTreeMap::new();
    for call in &world.calls()[before..] {
        let operation = format!("{}:{}", call.service, call.operation);
        *counts.entry(operation).or_default() += 1;
    }
    counts
}

fn calls_so_far(scenario: &Scenario) -> usize {
    scenario.estate.sandbox.world().calls().len()
}

#[tokio::test]
async fn who_has_access_and_who_waits_for_what_is_what_ram_says() {
    let scenario = shared().await;
    let (churn, fraud, owl) = (arn(TEST, "churn"), arn(TEST, "fraud"), arn(DEV, "owl"));
    for view in ["pipelines", "access"] {
        let answer = shown(&scenario, json!({ "view": view })).await;
        assert_eq!(
            (&answer["total"], &answer["problems"]),
            (&json!(3), &json!([]))
        );
        assert_eq!(untrue(&scenario, &answer), [""; 0]);
        let said = |arn: &str, principal: &str| {
            let entry = entry(&answer, arn, principal);
            let waits = entry["waitsFor"].as_str().unwrap_or("nothing").to_owned();
            (entry["rule"].clone(), entry["level"].clone(), waits)
        };
        let nothing = "nothing".to_owned();
        assert_eq!(
            said(&churn, DEV),
            (json!("readers"), json!("read"), nothing.clone())
        );
        assert_eq!(
            said(&churn, SHARED),
            (json!("operators"), json!("execute"), nothing)
        );
        let gate = "gate: no run has succeeded yet".to_owned();
        assert_eq!(said(&fraud, DEV), (json!("gated"), json!("read"), gate));
        let (rule, _, waits) = said(&churn, PARTNER);
        assert!(
            rule == "partners" && waits.starts_with("ceiling: "),
            "{waits}"
        );
        let (rule, _, waits) = said(&owl, TEST);
        assert!(
            rule == "testers" && waits.starts_with("invited, 11 h "),
            "{waits}"
        );
    }
    // The gate opens, and the page has it.
    scenario.start(&scenario.test, "fraud", "first").await;
    scenario.pass(SWEEP).await;
    let answer = shown(&scenario, json!({ "view": "access" })).await;
    assert_eq!(entry(&answer, &fraud, DEV)["has"], true);
    assert_eq!(untrue(&scenario, &answer), [""; 0]);
}

#[tokio::test]
async fn an_open_invitation_has_the_time_left_that_ram_gives_it() {
    let scenario = shared().await;
    let received = scenario.test.invitations().await.unwrap();
    let [invitation] = received.as_slice() else {
        panic!("{received:#?}");
    };
    let ends = invitation.invitation_timestamp().unwrap().secs() + LIFETIME;
    let answer = shown(&scenario, json!({ "view": "now" })).await;
    let [open] = list(&answer["invitations"]) else {
        panic!("{answer:#}");
    };
    assert_eq!(
        (
            &open["owner"],
            &open["principal"],
            &open["rule"],
            &open["pipelines"]
        ),
        (&json!(DEV), &json!(TEST), &json!("testers"), &json!(1))
    );
    let seconds = |time: &Value| {
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        time.as_second()
    };
    // RAM does not say when an invitation ends, and associations begin a moment before it.
    let early = ends.checked_sub(seconds(&open["ends"])).unwrap();
    assert!((0..60).contains(&early), "{early} seconds early");
    let now = scenario.estate.sandbox.world().now().as_second();
    assert_eq!(seconds(&answer["now"]), now);
    let document = &answer["documents"][0];
    assert_eq!(
        (&document["inForce"], &document["note"]),
        (&json!(1), &json!(null))
    );
}

#[tokio::test]
async fn a_run_that_failed_is_shown_with_its_step_and_reason_until_it_is_retried() {
    let scenario = shared().await;
    let churn = arn(TEST, "churn");
    scenario.fail_next("churn", "Train", "customers.csv has no column \"churned\"");
    let run = scenario.start(&scenario.test, "churn", "release-1").await;
    scenario.pass(300).await;
    let answer = shown(&scenario, json!({})).await;
    let shown_run = &row(&answer, &churn)["runs"][0];
    let status = scenario.shared.status(&run).await.unwrap();
    assert_eq!(shown_run["execution"], json!(run));
    assert_eq!(
        (status.as_str(), &shown_run["status"]),
        ("Failed", &json!("Failed"))
    );
    let failure = &row(&answer, &churn)["lastFailure"];
    assert_eq!(failure["execution"], json!(run));
    let step = json!([{ "name": "Train", "reason": "customers.csv has no column \"churned\"" }]);
    assert_eq!(failure["failedSteps"], step);

    scenario.retry(&scenario.shared, &run, 1).await;
    let one = json!({ "view": "pipeline", "pipeline": churn });
    let answer = shown(&scenario, one.clone()).await;
    assert_eq!(row(&answer, &churn)["running"], 1, "{answer:#}");
    scenario.pass(300).await;
    let answer = shown(&scenario, one).await;
    let row = row(&answer, &churn);
    assert_eq!(
        (&row["runs"][0]["status"], &row["running"]),
        (&json!("Succeeded"), &json!(0))
    );
    assert_eq!(row.get("lastFailure"), None);
}

#[tokio::test]
async fn access_that_no_rule_gives_any_more_is_shown_for_as_long_as_it_lasts() {
    let scenario = shared().await;
    let churn = arn(TEST, "churn");
    let refusals = ["DeleteResourceShare", "DisassociateResourceShare"].map(|operation| Refusal {
        service: Some("ram".to_owned()),
        operation: Some(operation.to_owned()),
        account: None,
        mentions: None,
        error: ApiError::with_status(503, "ServiceUnavailableException", "injected"),
    });
    let faults = |refusals: &[Refusal]| {
        let mut world = scenario.estate.sandbox.world();
        world.faults_mut().refusals = refusals.to_vec();
    };
    faults(&refusals);
    scenario.write_policy(&policy_without("readers")).await;
    scenario.pass(60).await;
    let answer = shown(&scenario, json!({ "view": "access" })).await;
    let entry_of_dev = entry(&answer, &churn, DEV);
    assert_eq!(
        (&entry_of_dev["rule"], &entry_of_dev["has"]),
        (&json!(null), &json!(true))
    );
    assert_eq!(untrue(&scenario, &answer), [""; 0]);
    faults(&[]);
    scenario.pass(2 * SWEEP).await;
    let answer = shown(&scenario, json!({ "view": "access" })).await;
    let access = row(&answer, &churn)["access"].to_string();
    assert!(!access.contains(DEV) && access.contains(SHARED), "{access}");
    assert_eq!(level(&scenario, DEV, &churn), None);
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_named_and_hides_no_other() {
    let scenario = shared().await;
    let role = format!("pipeshare-reader-{REGION}");
    iam::delete_role(&mut scenario.estate.sandbox.world(), DEV, &role);
    for view in ["pipelines", "access", "now"] {
        let answer = shown(&scenario, json!({ "view": view })).await;
        let [problem] = list(&answer["problems"]) else {
            panic!("{view}: {answer:#}");
        };
        assert_eq!(problem["account"], DEV);
        let what = text(&problem["what"]);
        assert!(what.starts_with("The account cannot be read: "), "{what}");
        assert!(what.contains(&format!("{DEV}:role/{role}")), "{what}");
        if view != "now" {
            assert_eq!(answer["total"], 2);
            assert_eq!(untrue(&scenario, &answer), [""; 0]);
        }
    }
    let html = scenario
        .invoke("show-access", json!({}))
        .await
        .outcome
        .unwrap();
    let html = html.as_str().unwrap();
    let named = format!("Problem in dev ({DEV}): The account cannot be read");
    assert!(html.contains(&named), "{html}");
    assert!(html.contains("churn") && html.contains("fraud"), "{html}");
}

#[tokio::test]
async fn a_page_costs_calls_for_what_it_shows_alone() {
    let scenario = Scenario::sharing(POLICY, &["churn", "fraud", "growth"]).await;
    for number in 0..3 {
        let name = format!("release-{number}");
        scenario.start(&scenario.test, "churn", &name).await;
        scenario.pass(300).await;
    }
    // Sessions are kept from page to page.
    shown(&scenario, json!({ "rows": 3 })).await;
    let expected = [
        ("dynamodb:Query", 1),
        ("ram:GetResourceShareAssociations", 2),
        ("ram:GetResourceShares", 2),
        ("ram:ListPermissionAssociations", 1),
        ("sagemaker:DescribePipelineExecution", 3),
        ("sagemaker:ListPipelineExecutions", 3),
        ("sagemaker:ListPipelines", 2),
        ("ssm:GetParameter", 3),
    ];
    let expected = expected.map(|(call, count)| (call.to_owned(), count));
    for more in [0, 30] {
        for number in 0..more {
            let name = format!("more-{number:02}");
            scenario.create(&scenario.test, &name).await;
        }
        let before = calls_so_far(&scenario);
        let answer = shown(&scenario, json!({ "rows": 3 })).await;
        assert_eq!(answer["total"], json!(3 + more));
        assert_eq!(calls_since(&scenario, before), expected.clone().into());
    }
}

#[tokio::test]
async fn whatever_is_asked_is_answered_by_calls_that_read() {
    let scenario = shared().await;
    let before = calls_so_far(&scenario);
    for format in ["html", "json", "csv", "markdown"] {
        for view in ["pipelines", "access", "now", "pipeline"] {
            let payload = json!({ "view": view, "pipeline": arn(TEST, "churn"), "format": format });
            let outcome = scenario.invoke("show-access", payload).await.outcome;
            outcome.unwrap_or_else(|error| panic!("{view} {format}: {error}"));
        }
    }
    let called = calls_since(&scenario, before);
    assert!(called.len() > 8, "{called:?}");
    let reads = ["Get", "List", "Describe", "Query", "AssumeRole"];
    for call in called.keys() {
        let (_, operation) = call.split_once(':').unwrap();
        let is_read = reads.iter().any(|read| operation.starts_with(read));
        assert!(is_read, "{call}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_answered_in_words() {
    let scenario = Scenario::sharing(POLICY, &["churn"]).await;
    for (payload, why) in [
        (json!({ "view": "everything" }), VIEWS),
        (json!({ "view": "pipeline" }), ARN),
        (json!({ "view": "pipeline", "pipeline": "churn" }), ARN),
        (json!({ "view": "<script>", "rows": 3 }), VIEWS),
    ] {
        let answer = scenario.invoke("show-access", payload.clone()).await;
        let page = answer.outcome.unwrap();
        assert!(text(&page).contains(why), "{payload}: {page}");
        assert_eq!(shown(&scenario, payload).await["error"], *why);
    }
    for payload in [json!(null), json!([]), json!("pipelines"), json!(7)] {
        let answer = scenario.invoke("show-access", payload.clone()).await;
        let page = answer.outcome.unwrap();
        assert!(text(&page).contains("churn"), "{payload}: {page}");
    }
}

#[tokio::test]
async fn what_is_asked_stays_within_bounds_and_within_the_accounts_of_the_policy() {
    let scenario = Scenario::sharing(POLICY, &["churn"]).await;
    for payload in [
        json!({ "view": 7, "filter": {}, "rows": -1, "page": "x" }),
        json!({ "rows": 1_000_000_000, "page": 1_000_000_000 }),
        json!({ "rows": 0, "page": 0 }),
    ] {
        let answer = shown(&scenario, payload.clone()).await;
        let read = (&answer["total"], &answer["page"], &answer["pages"]);
        assert_eq!(read, (&json!(1), &json!(1), &json!(1)), "{payload}");
    }
    let elsewhere = json!({ "view": "pipeline", "pipeline": arn(PARTNER, "secret") });
    let before = calls_so_far(&scenario);
    let answer = shown(&scenario, elsewhere).await;
    assert_eq!(answer["pipelines"], json!([]));
    let asked = calls_since(&scenario, before);
    assert!(!asked.contains_key("sts:AssumeRole"), "{asked:?}");
}
