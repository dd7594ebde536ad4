//! The ceiling of an owner account bounds who is told of its runs, and a dry run foresees it.

mod agreement;

use aws_sdk_ssm::types::ParameterType;
use e2e::{DEV, POLICY, Plan, SHARED, Scenario, TEST, Templates, refusal, ungated};
use sandbox::faults::{CallEffect, CallFault, EventEffect};
use serde_json::{Value, json};

const CEILING: &str = "/pipeshare/ceiling";

/// An estate whose owner accounts allow no more than this, with a policy in force.
async fn under(parameters: &[(&'static str, &str)], policy: &str) -> Scenario {
    let parameters = parameters.iter();
    let scenario = Scenario::on(Plan {
        owner_parameters: parameters
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        ..Plan::default()
    })
    .await;
    scenario.write_policy(policy).await;
    scenario.pass(10).await;
    scenario
}

/// The statuses of `churn` in a mailbox, in order.
fn statuses(told: &[String]) -> Vec<&str> {
    let prefix = "Pipeline churn in test (222222222222, us-east-1): ";
    told.iter()
        .filter_map(|text| text.lines().next()?.strip_prefix(prefix))
        .collect()
}

/// How many events about runs arrived on an account's bus.
fn on_bus(scenario: &Scenario, account: &str) -> usize {
    let world = scenario.estate.sandbox.world();
    let seen = world.events().seen.iter().filter(|seen| {
        seen.account == account
            && seen.bus == "pipeshare"
            && seen.event["detail-type"] == "Pipeline Execution Status"
    });
    seen.count()
}

/// Lets a run of `churn` in test fail.
async fn fail(scenario: &Scenario, name: &str) {
    scenario.fail_next("churn", "Train", "AlgorithmError: top secret");
    scenario.start(&scenario.test, "churn", name).await;
    scenario.pass(300).await;
}

/// What the hub was told that contains this text.
fn hub_told(scenario: &Scenario, text: &str) -> usize {
    let hub = scenario.estate.hub_mailbox();
    hub.iter().filter(|told| told.contains(text)).count()
}

/// How often forward-status or share-pipeline read the ceiling of test.
fn ceiling_reads(scenario: &Scenario) -> usize {
    let world = scenario.estate.sandbox.world();
    let reads = world.calls().iter().filter(|call| {
        call.operation == "GetParameter"
            && call.caller.account == TEST
            && call.input["Name"] == CEILING
    });
    reads.count()
}

#[tokio::test]
async fn an_account_beyond_the_owners_ceiling_is_told_nothing_of_its_runs() {
    let scenario = under(&[("AllowedPrincipals", SHARED)], POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    fail(&scenario, "heard").await;
    // What no event tells, the scheduled reconciliation does not tell either.
    scenario.pass(1000).await;
    scenario.break_events(e2e::EXECUTION_EVENT, &vec![EventEffect::Lose; 50]);
    fail(&scenario, "unheard").await;
    scenario.pass(2 * 3600).await;

    let dev = scenario.estate.mailbox(DEV);
    assert_eq!(dev, [""; 0], "dev is beyond it");
    assert_eq!(on_bus(&scenario, DEV), 0);
    let twice = ["Failed", "Failed"];
    assert_eq!(statuses(&scenario.estate.mailbox(SHARED)), twice);
    assert_eq!(on_bus(&scenario, SHARED), 2);
    assert_eq!(statuses(&scenario.estate.hub_mailbox()), twice);

    let logs = scenario.logs();
    let withheld = r#""withheld":[{"account":"111111111111","reason":"principal 111111111111 is not among AllowedPrincipals","rule":"test-readers"}]"#;
    assert!(logs.contains(withheld), "the summary says so, and why");
    let counted = logs.matches("\"NotificationsWithheld\":1").count();
    assert_eq!(counted, 2, "and it is counted once for each change");
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_rule_with_more_access_or_another_name_than_the_ceiling_allows_tells_nobody() {
    for (parameter, value, told) in [
        ("AllowedAccess", "read", [1, 0]),
        ("ShareNamePrefix", "pipeshare-test-operators", [0, 1]),
        ("ShareNamePrefix", "pipeshare-test-", [1, 1]),
        ("ShareNamePrefix", "pipeshare-dev-", [0, 0]),
    ] {
        let scenario = under(&[(parameter, value)], POLICY).await;
        scenario.create(&scenario.test, "churn").await;
        fail(&scenario, "first").await;
        let counts = [DEV, SHARED].map(|account| {
            let mailbox = scenario.estate.mailbox(account);
            (statuses(&mailbox).len(), on_bus(&scenario, account))
        });
        let expected = told.map(|count| (count, count));
        assert_eq!(counts, expected, "{parameter} {value}");
        assert_eq!(statuses(&scenario.estate.hub_mailbox()), ["Failed"]);
    }
}

#[tokio::test]
async fn an_account_within_the_ceiling_is_told_while_a_pipeline_waits_at_its_gate() {
    let scenario = under(&[("AllowedPrincipals", DEV)], POLICY).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    fail(&scenario, "first").await;
    assert!(!scenario.dev.sees(&churn).await);
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), ["Failed"]);
}

#[tokio::test]
async fn an_owner_template_without_a_readable_ceiling_is_mended_by_people_and_nobody_is_told() {
    let denying = Templates {
        owner: Templates::default()
            .owner
            .replace("Action: ssm:GetParameter\n", "Action: ssm:GetParameters\n"),
        ..Templates::default()
    };
    for templates in [None, Some(denying)] {
        let is_missing = templates.is_none();
        let scenario = Scenario::on(Plan {
            templates: templates.unwrap_or_default(),
            ..Plan::default()
        })
        .await;
        let ssm = &scenario.test.ssm;
        if is_missing {
            let deleted = ssm.delete_parameter().name(CEILING).send().await;
            assert!(deleted.is_ok(), "{deleted:?}");
        }
        scenario.write_policy(POLICY).await;
        scenario.pass(10).await;
        scenario.create(&scenario.test, "churn").await;
        fail(&scenario, "first").await;
        fail(&scenario, "second").await;
        for account in [DEV, SHARED] {
            assert_eq!(scenario.estate.mailbox(account), [""; 0], "{account}");
            assert_eq!(on_bus(&scenario, account), 0, "{account}");
        }
        let hub = scenario.estate.hub_mailbox();
        assert_eq!(statuses(&hub), ["Failed", "Failed"], "{hub:#?}");
        let fix = "deploy the newest template owner-account there";
        assert_eq!(hub_told(&scenario, fix), 1, "once a day: {hub:#?}");
        assert!(scenario.logs().contains("\"AccountFailed\":1"));

        scenario.pass(24 * 3600).await;
        fail(&scenario, "third").await;
        assert_eq!(hub_told(&scenario, fix), 2, "and again the next day");
        assert_eq!(scenario.dead_letters(), 0);
        if is_missing {
            let ceiling = r#"{"allowedPrincipals":["111111111111"],"allowedAccess":"read","allowedPermissions":[],"shareNamePrefix":"pipeshare-"}"#;
            let put = ssm.put_parameter().name(CEILING).value(ceiling);
            let put = put.r#type(ParameterType::String).send().await;
            assert!(put.is_ok(), "{put:?}");
            fail(&scenario, "fourth").await;
            assert_eq!(statuses(&scenario.estate.mailbox(DEV)), ["Failed"]);
            assert_eq!(scenario.estate.mailbox(SHARED), [""; 0]);
        }
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_in_place_of_the_ceiling_tells_nobody_anything() {
    for (value, kind) in [
        ("You were logged out. Sign in at …", ParameterType::String),
        (
            r#"{"allowedPrincipals":"*","allowedAccess":"execute"}"#,
            ParameterType::String,
        ),
    ] {
        let scenario = under(&[], POLICY).await;
        let put = scenario.test.ssm.put_parameter().name(CEILING);
        let put = put.value(value).r#type(kind).overwrite(true).send().await;
        assert!(put.is_ok(), "{put:?}");
        scenario.create(&scenario.test, "churn").await;
        fail(&scenario, "first").await;
        assert_eq!(scenario.estate.mailbox(DEV), [""; 0]);
        assert_eq!(
            hub_told(&scenario, "deploy the newest template owner-account there"),
            1
        );
        assert_eq!(hub_told(&scenario, "Sign in"), 0, "nor is it quoted");
    }
}

#[tokio::test]
async fn a_ceiling_that_cannot_be_read_just_now_delays_what_consumers_are_told() {
    for (effect, times) in [
        (refusal(400, "ThrottlingException"), 6),
        (refusal(500, "InternalServerError"), 6),
        (CallEffect::LoseAnswer, 1),
        (CallEffect::KillCaller { after: true }, 1),
    ] {
        let scenario = under(&[], POLICY).await;
        scenario.create(&scenario.test, "churn").await;
        let faults = vec![
            CallFault {
                service: "ssm".to_owned(),
                operation: "GetParameter".to_owned(),
                account: Some(TEST.to_owned()),
                effect: effect.clone(),
            };
            times
        ];
        scenario
            .estate
            .sandbox
            .world()
            .faults_mut()
            .calls
            .extend(faults);
        fail(&scenario, "first").await;
        scenario.pass(900).await;
        for account in [DEV, SHARED] {
            let told = scenario.estate.mailbox(account);
            assert_eq!(statuses(&told), ["Failed"], "{effect:?}: {told:#?}");
        }
        let hub = scenario.estate.hub_mailbox();
        assert!(
            (1..=2).contains(&statuses(&hub).len()),
            "{effect:?}: {hub:#?}"
        );
        assert_eq!(hub_told(&scenario, "cannot do its work"), 0);
        assert_eq!(scenario.dead_letters(), 0, "{effect:?}");
        let left = scenario.estate.sandbox.world().faults().calls.len();
        assert_eq!(left, 0, "{effect:?} has struck");
    }
}

#[tokio::test]
async fn the_ceiling_is_read_once_an_invocation_and_only_if_there_is_somebody_to_tell() {
    let scenario = under(&[], POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    fail(&scenario, "first").await;
    let told = scenario.estate.mailbox(DEV).len() + scenario.estate.mailbox(SHARED).len();
    assert_eq!((told, ceiling_reads(&scenario)), (2, 1));

    let quiet = POLICY.replace(
        "with: [dev]",
        "with: [\"arn:aws:iam::111111111111:role/a\"]",
    );
    let nobody = quiet.replace("notify: [Failed]", "notify: []");
    let nobody = nobody.replace("notify: [Failed, Stopped, Succeeded]", "notify: []");
    scenario.write_policy(&nobody).await;
    fail(&scenario, "second").await;
    assert_eq!(ceiling_reads(&scenario), 1, "a real look does not need it");
}

/// A dry run of the account test.
async fn dry_run(scenario: &Scenario) -> Value {
    let command = json!({ "action": "share", "owner": TEST, "dryRun": true });
    let answer = scenario.invoke("share-pipeline", command).await.outcome;
    answer.unwrap_or_else(|error| panic!("{error:?}"))["accounts"][0].clone()
}

#[tokio::test]
async fn a_dry_run_says_which_steps_and_rules_the_ceiling_will_refuse() {
    let parameters = [("AllowedPrincipals", SHARED), ("AllowedAccess", "read")];
    let scenario = under(&parameters, &ungated()).await;
    scenario.break_events(e2e::CALL_EVENT, &vec![EventEffect::Lose; 4]);
    scenario.create(&scenario.test, "churn").await;
    let account = dry_run(&scenario).await;
    let steps = account["steps"].as_array().cloned().unwrap_or_default();
    let refused: Vec<_> = steps
        .iter()
        .map(|step| {
            assert_eq!(step["outcome"], "planned", "{step}");
            let by = step["refusedBy"].as_str();
            (
                step["share"].as_str().unwrap_or_default(),
                step["action"].as_str().unwrap_or_default(),
                by.map(|by| {
                    let (by, advice) = by.split_once("; if it is meant, ").unwrap_or_default();
                    assert!(advice.starts_with("deploy the template owner-account there"));
                    by.strip_prefix("the ceiling of account test: ")
                        .unwrap_or(by)
                }),
            )
        })
        .collect();
    let access = Some("access execute is more than AllowedAccess, which is read");
    let principal = Some("principal 111111111111 is not among AllowedPrincipals");
    let (readers, operators) = (
        "pipeshare-test-readers.111111111111",
        "pipeshare-test-operators.333333333333",
    );
    for expected in [
        (readers, "create", None),
        (readers, "add-pipelines", None),
        (readers, "add-principals", principal),
        (operators, "create", access),
        (operators, "add-pipelines", None),
        (operators, "add-principals", None),
    ] {
        assert!(refused.contains(&expected), "{expected:?}: {refused:#?}");
    }
    let rules = json!([
        { "rule": "test-readers", "wholly": true, "reasons": [principal] },
        { "rule": "test-operators", "wholly": true, "reasons": [access] },
    ]);
    assert_eq!(account["ceiling"]["refusedRules"], rules);
    assert_eq!(scenario.calls("CreateResourceShare"), 0);
}

#[tokio::test]
async fn a_dry_run_says_that_it_does_not_know_the_ceiling() {
    let scenario = under(&[], &ungated()).await;
    let all_allowed = dry_run(&scenario).await;
    assert_eq!(all_allowed["ceiling"], json!({ "refusedRules": [] }));
    let delete = scenario.test.ssm.delete_parameter().name(CEILING);
    assert!(delete.send().await.is_ok());
    scenario.break_events(e2e::CALL_EVENT, &vec![EventEffect::Lose; 4]);
    scenario.create(&scenario.test, "churn").await;
    let account = dry_run(&scenario).await;
    let unknown = account["ceiling"]["unknown"].as_str().unwrap_or_default();
    assert!(
        unknown.contains("there is no /pipeshare/ceiling"),
        "{account:#}"
    );
    assert_eq!(account["steps"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn what_iam_denied_is_told_with_the_parameter_that_is_in_the_way() {
    let scenario = under(&[("AllowedPrincipals", SHARED)], &ungated()).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    assert!(!scenario.dev.sees(&churn).await);
    assert!(scenario.shared.sees(&churn).await, "others get their share");
    let why = "the ceiling of account test: principal 111111111111 is not among AllowedPrincipals";
    assert_eq!(
        hub_told(&scenario, why),
        1,
        "{:#?}",
        scenario.estate.hub_mailbox()
    );
    let advice = "deploy the template owner-account there with another AllowedPrincipals";
    let refused = format!("\"refusedBy\":\"{why}; if it is meant, {advice}\"");
    assert!(scenario.logs().contains(&refused));
}

#[tokio::test]
async fn a_ceiling_that_was_widened_by_hand_shares_nothing_more() {
    let scenario = under(&[("AllowedPrincipals", SHARED)], &ungated()).await;
    let wide = r#"{"allowedPrincipals":["111111111111"],"allowedAccess":"execute","allowedPermissions":[],"shareNamePrefix":"pipeshare-"}"#;
    let put = scenario.test.ssm.put_parameter().name(CEILING).value(wide);
    let put = put
        .r#type(ParameterType::String)
        .overwrite(true)
        .send()
        .await;
    assert!(put.is_ok(), "{put:?}");
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    assert!(!scenario.dev.sees(&churn).await, "IAM is the judge");
    assert!(scenario.shared.sees(&churn).await);
}

#[tokio::test]
async fn a_notification_names_the_version_of_the_pipeline_that_ran() {
    let scenario = under(&[], POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    let update = scenario.test.sagemaker.update_pipeline();
    let update = update.pipeline_name("churn");
    let updated = update.pipeline_definition(e2e::DEFINITION).send().await;
    let newest = updated.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(newest.pipeline_version_id(), Some(2));
    for version in [2, 1] {
        let start = scenario.test.sagemaker.start_pipeline_execution();
        let start = start.pipeline_name("churn").pipeline_version_id(version);
        let token = format!("version-{version:->40}");
        let started = start.client_request_token(token).send().await;
        assert!(started.is_ok(), "{started:?}");
        scenario.pass(600).await;
    }
    let told = scenario.estate.mailbox(DEV);
    let versions = told.iter().filter(|text| text.contains(": Succeeded\n"));
    let versions: Vec<_> = versions
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix("Pipeline version: "))
        .collect();
    assert_eq!(versions, ["2", "1"], "{told:#?}");
    let world = scenario.estate.sandbox.world();
    let events = world.events().seen.iter().filter(|seen| {
        seen.bus == "pipeshare" && seen.event["detail-type"] == "Pipeline Execution Status"
    });
    let versions: Vec<_> = events
        .map(|seen| seen.event["detail"]["pipelineVersionId"].clone())
        .collect();
    assert_eq!(versions, [2, 1]);
}

#[tokio::test]
async fn a_version_that_gets_another_name_makes_share_pipeline_look() {
    let scenario = under(&[], &ungated()).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    let lists = scenario.calls("ListPipelines");
    let update = scenario.test.sagemaker.update_pipeline_version();
    let update = update.pipeline_arn(churn).pipeline_version_id(1);
    let updated = update.pipeline_version_display_name("golden").send().await;
    assert!(updated.is_ok(), "{updated:?}");
    scenario.pass(30).await;
    assert_eq!(scenario.calls("ListPipelines"), lists + 1);
}
