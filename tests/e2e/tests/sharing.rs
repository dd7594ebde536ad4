//! Shares of pipelines: who gets what, when, and that it is the same however it comes about.

use aws_sdk_ram::types::ResourceOwner;
use e2e::{
    CALL_EVENT, DEV, EXECUTION_EVENT, POLICY, Plan, SHARED, Scenario, TEST, functions, refusal,
    ungated,
};
use sandbox::faults::{CallEffect, EventEffect};
use serde_json::json;

const READERS: &str = "pipeshare-test-readers.111111111111";
const OPERATORS: &str = "pipeshare-test-operators.333333333333";

/// One pipeline in each of the two shares of test.
fn one_each(pipeline: &str) -> Vec<(String, String, String)> {
    [OPERATORS, READERS]
        .map(|share| {
            (
                share.to_owned(),
                pipeline.to_owned(),
                "ASSOCIATED".to_owned(),
            )
        })
        .to_vec()
}

#[tokio::test]
async fn a_pipeline_is_shared_once_a_run_has_succeeded_and_not_before() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "fraud-2").await;
    scenario.fail_next("fraud-2", "Train", "no data");
    let run = scenario.start(&scenario.test, "fraud-2", "first").await;
    scenario.pass(300).await;
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);

    scenario.retry(&scenario.test, &run, 1).await;
    scenario.pass(300).await;
    assert_eq!(
        scenario.pipelines(&scenario.test).await,
        one_each("fraud-2")
    );
    let arn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/fraud-2");
    assert!(scenario.dev.sees(&arn).await && scenario.shared.sees(&arn).await);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_hint_that_comes_ten_times_leaves_one_share_and_one_association() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_events(
        CALL_EVENT,
        &[EventEffect::Repeat(10), EventEffect::Repeat(10)],
    );
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
    assert_eq!(scenario.calls("CreateResourceShare"), 2);
}

#[tokio::test]
async fn ten_hints_at_once_leave_one_share_and_one_association() {
    let scenario = Scenario::on(Plan {
        concurrency: 10,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(10).await;
    scenario.break_events(CALL_EVENT, &[EventEffect::Lose, EventEffect::Lose]);
    scenario.create(&scenario.test, "churn").await;
    // Each is a batch of its own for an environment of its own.
    let invocations = (0..10).map(|_| {
        scenario.invoke(
            "share-pipeline",
            json!({ "action": "share", "owner": TEST }),
        )
    });
    let invocations = futures(invocations).await;
    assert!(
        invocations
            .iter()
            .all(|invocation| invocation.outcome.is_ok())
    );
    scenario.pass(300).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
}

/// Waits for all of them at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                done.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test]
async fn a_lost_answer_or_a_crash_in_the_middle_leaves_one_share() {
    for effect in [
        CallEffect::LoseAnswer,
        CallEffect::KillCaller { after: true },
        CallEffect::KillCaller { after: false },
        refusal(429, "ThrottlingException"),
        refusal(503, "ServiceUnavailableException"),
    ] {
        for operation in ["CreateResourceShare", "AssociateResourceShare"] {
            let scenario = Scenario::begin(&ungated()).await;
            scenario.break_calls("ram", operation, std::slice::from_ref(&effect));
            scenario.create(&scenario.test, "churn").await;
            scenario.pass(1200).await;
            let which = format!("{operation}: {effect:?}");
            assert_eq!(
                scenario.shares(&scenario.test).await,
                [OPERATORS, READERS],
                "{which}"
            );
            assert_eq!(
                scenario.pipelines(&scenario.test).await,
                one_each("churn"),
                "{which}"
            );
            assert_eq!(scenario.dead_letters(), 0, "{which}");
        }
    }
}

#[tokio::test]
async fn what_no_event_tells_the_sweep_finds() {
    let scenario = Scenario::begin(POLICY).await;
    let lost = vec![EventEffect::Lose; 50];
    scenario.break_events(CALL_EVENT, &lost);
    scenario.break_events(EXECUTION_EVENT, &lost);
    scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "unseen").await;
    scenario.pass(300).await;
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
    scenario.pass(1200).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
}

#[tokio::test]
async fn a_deleted_pipeline_leaves_its_shares_and_its_successor_is_shared_anew() {
    let scenario = Scenario::begin(POLICY).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&arn).await);

    scenario.delete(&scenario.test, "churn").await;
    scenario.pass(60).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, []);

    scenario.create(&scenario.test, "churn").await;
    scenario.pass(1200).await;
    assert_eq!(
        scenario.pipelines(&scenario.test).await,
        [],
        "it has not run yet"
    );
    scenario.start(&scenario.test, "churn", "second").await;
    scenario.pass(300).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
    assert!(scenario.dev.sees(&arn).await);
}

#[tokio::test]
async fn a_pipeline_that_was_recreated_unseen_is_shared_anew() {
    let scenario = Scenario::begin(&ungated()).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    scenario.break_events(CALL_EVENT, &vec![EventEffect::Lose; 4]);
    scenario.delete(&scenario.test, "churn").await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(1500).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
    assert!(
        scenario.calls("DisassociateResourceShare") >= 2,
        "the old associations went"
    );
    assert!(scenario.dev.sees(&arn).await);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn only_a_valid_policy_changes_anything() {
    let scenario = Scenario::on(Plan::default()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(1200).await;
    assert_eq!(
        scenario.calls("CreateResourceShare"),
        0,
        "no policy, no share"
    );

    scenario.write_policy(&ungated()).await;
    scenario.pass(60).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);

    let broken = ungated().replace("owner: test", "owner: tset");
    scenario.write_policy(&broken).await;
    scenario.pass(1200).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    let told = scenario.estate.hub_mailbox();
    let refusals: Vec<_> = told
        .iter()
        .filter(|text| text.contains("is not valid"))
        .collect();
    assert_eq!(refusals.len(), 1, "{told:#?}");
    assert!(
        refusals[0].contains("line 14, column 12"),
        "{}",
        refusals[0]
    );
    assert!(
        refusals[0].contains("did you mean \"test\""),
        "{}",
        refusals[0]
    );

    scenario.write_policy("version: 1\n").await;
    scenario.pass(1200).await;
    assert_eq!(
        scenario.shares(&scenario.test).await,
        [""; 0],
        "the rules are withdrawn"
    );
}

#[tokio::test]
async fn a_parameter_that_cloudformation_wrote_again_withdraws_nothing() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    let template = e2e::Templates::default().hub;
    let value = template
        .lines()
        .find(|line| line.contains("# Write the sharing policy"));
    scenario.write_policy(value.unwrap().trim_start()).await;
    scenario.pass(1200).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    let told = scenario.estate.hub_mailbox();
    let refused = told.iter().any(|text| text.contains("is not valid"));
    assert!(!refused, "it is no mistake: {told:#?}");
}

#[tokio::test]
async fn a_dry_run_of_an_account_that_is_not_onboarded_raises_no_alarm() {
    let policy = ungated().replace("    owner: dev\n", "    owner: \"444444444444\"\n");
    let scenario = Scenario::begin(&policy).await;
    let counts = |logs: &[String]| {
        let failed = |line: &&String| line.contains("\"AccountFailed\":1");
        logs.iter().filter(failed).count()
    };
    let command =
        |dry_run: bool| json!({ "action": "share", "owner": "444444444444", "dryRun": dry_run });
    let dry = scenario.invoke("share-pipeline", command(true)).await;
    assert!(
        format!("{:?}", dry.outcome).contains("account not onboarded"),
        "{dry:?}"
    );
    assert_eq!(counts(&dry.logs), 0, "{dry:#?}");
    let real = scenario.invoke("share-pipeline", command(false)).await;
    assert_eq!(counts(&real.logs), 1, "{real:#?}");
}

#[tokio::test]
async fn a_withdrawal_that_fails_is_tried_again_though_no_rule_names_the_owner() {
    let scenario = Scenario::begin(&ungated()).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert!(scenario.dev.sees(&arn).await);
    let throttled = vec![refusal(429, "ThrottlingException"); 6];
    scenario.break_calls("ram", "DeleteResourceShare", &throttled);
    scenario.write_policy("version: 1\n").await;
    scenario.pass(60).await;
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
    assert!(!scenario.dev.sees(&arn).await);
}

#[tokio::test]
async fn a_change_of_access_replaces_the_permission_and_takes_effect_at_once() {
    let scenario = Scenario::begin(&ungated()).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert!(scenario.shared.start(&arn, "allowed").await.is_ok());
    scenario
        .write_policy(&ungated().replace("access: execute", "access: read"))
        .await;
    scenario.pass(60).await;
    assert!(scenario.shared.start(&arn, "refused").await.is_err());
    assert!(scenario.shared.sees(&arn).await);
    assert_eq!(
        scenario.calls("CreateResourceShare"),
        2,
        "no share was made anew"
    );
}

#[tokio::test]
async fn a_new_version_of_a_permission_reaches_the_shares_that_have_it() {
    let permission = format!("arn:aws:ram:us-east-1:{TEST}:permission/pipeshare-custom");
    let scenario = Scenario::on(Plan {
        permissions: vec![permission.clone()],
        ..Plan::default()
    })
    .await;
    let ram = &scenario.test.ram;
    let template = |actions: &str| format!("{{\"Effect\":\"Allow\",\"Action\":[{actions}]}}");
    let describe = "\"sagemaker:DescribePipeline\"";
    let both = format!("{describe},\"sagemaker:StartPipelineExecution\"");
    let made = ram.create_permission().name("pipeshare-custom");
    let made = made.resource_type("sagemaker:Pipeline");
    let made = made.policy_template(template(&both)).send().await;
    made.unwrap_or_else(|error| panic!("{error:?}"));
    let policy = format!(
        "version: 1\naccounts: {{ test: \"{TEST}\", shared: \"{SHARED}\" }}\nrules:\n\
         - {{ name: operators, owner: test, pipelines: [\"*\"], with: [shared], access: \"{permission}\", after: created }}\n"
    );
    scenario.write_policy(&policy).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    assert!(scenario.shared.start(&arn, "allowed").await.is_ok());

    let narrower = ram.create_permission_version().permission_arn(&permission);
    let narrower = narrower.policy_template(template(describe)).send().await;
    narrower.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(1200).await;
    assert!(scenario.shared.start(&arn, "refused").await.is_err());
    assert!(scenario.shared.sees(&arn).await);
}

#[tokio::test]
async fn members_of_an_organization_that_shares_need_no_invitation() {
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    let policy = ungated().replace(
        "version: 1",
        "version: 1\norganization: { id: o-sandbox123, ramSharing: true }",
    );
    scenario.write_policy(&policy).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert_eq!(
        scenario.shares(&scenario.test).await,
        ["pipeshare-test-operators", "pipeshare-test-readers"]
    );
    assert_eq!(scenario.dev.invitations().await.unwrap(), []);
    assert!(scenario.dev.sees(&arn).await);
    scenario.pass(1200).await;
    assert_eq!(scenario.calls("AcceptResourceShareInvitation"), 0);
    let shared =
        "dev (111111111111) can see 1 pipeline of test (222222222222), by rule test-readers.";
    assert_eq!(
        scenario.told(DEV),
        [shared],
        "the scheduled reconciliation proves it and says so once"
    );
}

#[tokio::test]
async fn access_that_no_rule_gives_any_more_ends_whatever_else_fails() {
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    let policy = |head: &str, rules: &str| {
        format!(
            "version: 1\n{head}accounts: {{ dev: \"{DEV}\", test: \"{TEST}\" }}\nrules:\n{rules}"
        )
    };
    let rule = |name: &str, pipelines: &str, with: &str| {
        format!(
            "- {{ name: {name}, owner: test, pipelines: [\"{pipelines}\"], with: [{with}], after: created }}\n"
        )
    };
    scenario
        .write_policy(&policy("", &rule("readers", "*", "dev")))
        .await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.create(&scenario.test, "fraud").await;
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&churn).await);

    // dev moves to a share for members, and neither that nor another rule's can be made.
    let refused = refusal(403, "AccessDeniedException");
    scenario.break_calls("ram", "CreateResourceShare", &vec![refused; 20]);
    let organization = "organization: { id: o-sandbox123, ramSharing: true }\n";
    let rules = rule("partner", "*", "\"444444444444\"") + &rule("readers", "fraud", "dev");
    scenario.write_policy(&policy(organization, &rules)).await;
    scenario.pass(60).await;
    assert!(!scenario.dev.sees(&churn).await, "{}", scenario.logs());
    let told = scenario.estate.hub_mailbox().join("\n");
    for share in ["pipeshare-partner", "pipeshare-readers"] {
        assert!(told.contains(&format!("create share {share}")), "{told}");
    }
}

#[tokio::test]
async fn a_share_that_somebody_renames_is_taken_away_and_made_anew() {
    let scenario = Scenario::begin(&ungated()).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    let shares = scenario.test.ram.get_resource_shares();
    let shares = shares
        .resource_owner(ResourceOwner::SelfValue)
        .name(READERS);
    let shares = shares.send().await;
    let shares = shares.unwrap_or_else(|error| panic!("{error:?}"));
    let renamed = scenario
        .test
        .ram
        .update_resource_share()
        .name("pipeshare-mine");
    let renamed = renamed.set_resource_share_arn(
        shares.resource_shares()[0]
            .resource_share_arn()
            .map(str::to_owned),
    );
    let renamed = renamed.send().await;
    renamed.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(1800).await;
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    assert!(scenario.dev.sees(&arn).await);
}

#[tokio::test]
async fn an_account_that_is_not_onboarded_stops_nobody_else_and_is_reported_once_a_day() {
    let scenario = Scenario::begin(&ungated()).await;
    let role = "pipeshare-owner-us-east-1";
    sandbox::services::iam::delete_role(&mut scenario.estate.sandbox.world(), DEV, role);
    scenario.create(&scenario.dev, "lonely").await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(3600).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
    assert_eq!(scenario.dead_letters(), 0, "trying again would not help");
    let told = scenario.estate.hub_mailbox();
    let problems = told
        .iter()
        .filter(|text| text.contains("sts:AssumeRole"))
        .count();
    assert_eq!(problems, 1, "{told:#?}");
}

#[tokio::test]
async fn what_ram_could_not_associate_because_it_is_gone_troubles_nobody() {
    let scenario = Scenario::begin(&ungated()).await;
    let arn = scenario.create(&scenario.test, "churn").await;
    // The pipeline goes between the reading of the account and RAM's own.
    scenario.estate.sandbox.world().ram_mut().association_delay =
        std::time::Duration::from_secs(30);
    scenario.pass(12).await;
    scenario.delete(&scenario.test, "churn").await;
    scenario.pass(1800).await;
    let left = scenario.pipelines(&scenario.test).await;
    assert!(
        left.iter().all(|(_, _, status)| status == "FAILED"),
        "{left:?}"
    );
    assert!(!scenario.dev.sees(&arn).await);
    assert_eq!(scenario.estate.hub_mailbox(), [""; 0]);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn empty_pages_hide_nothing() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.estate.sandbox.world().ram_mut().empty_first_pages = true;
    for number in 0..25 {
        scenario
            .create(&scenario.test, &format!("pipeline-{number}"))
            .await;
    }
    scenario.pass(1200).await;
    scenario.estate.sandbox.world().ram_mut().empty_first_pages = false;
    assert_eq!(scenario.pipelines(&scenario.test).await.len(), 50);
    assert_eq!(scenario.calls("CreateResourceShare"), 2);
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_events(CALL_EVENT, &[EventEffect::Lose, EventEffect::Lose]);
    scenario.create(&scenario.test, "churn").await;
    let command = json!({ "action": "share", "owner": TEST, "dryRun": true });
    let report = scenario
        .invoke("share-pipeline", command)
        .await
        .outcome
        .unwrap();
    let steps = report["accounts"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 6, "{report:#}");
    assert_eq!(steps[0]["outcome"], "planned");
    assert_eq!(steps[0]["action"], "create");
    assert_eq!(steps[1]["reason"], "pipeline-created");
    assert_eq!(scenario.calls("CreateResourceShare"), 0);
}

#[tokio::test]
async fn bad_input_ends_in_a_reason_and_the_rest_of_the_batch_is_served() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_events(CALL_EVENT, &[EventEffect::Lose, EventEffect::Lose]);
    scenario.create(&scenario.test, "churn").await;
    for function in functions::queued() {
        for body in [
            "not json at all: SECRET",
            "{}",
            "[1, 2]",
            r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"SECRET":1}}"#,
            r#"{"source":"aws.sagemaker","detail-type":"AWS API Call via CloudTrail","account":"222222222222","detail":{"eventSource":"sagemaker.amazonaws.com","eventName":"CreatePipeline","errorCode":"ValidationException","responseElements":null}}"#,
            r#"{"source":"aws.sagemaker","detail-type":"SageMaker Model Building Pipeline Execution Status Change","account":"222222222222","detail":{"currentPipelineExecutionStatus":"Failed","pipelineArn":"SECRET","pipelineExecutionArn":"SECRET"}}"#,
            r#"{"action":"destroy"}"#,
        ] {
            scenario.send(function, body);
        }
    }
    scenario.send(
        "share-pipeline",
        &json!({ "action": "share", "owner": TEST }).to_string(),
    );
    scenario.pass(120).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
    assert_eq!(scenario.dead_letters(), 0);
    let logs = scenario.logs();
    assert!(!logs.contains("SECRET"), "{logs}");
    assert!(logs.contains("ValidationException"), "{logs}");
}

#[tokio::test]
async fn a_hint_that_fails_for_long_is_kept_in_the_dead_letter_queue() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_calls(
        "sagemaker",
        "ListPipelines",
        &vec![refusal(503, "ServiceUnavailable"); 100],
    );
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(2500).await;
    assert!(scenario.queue("share-pipeline-dead-letters") > 0);
    scenario.estate.sandbox.world().faults_mut().calls.clear();
    scenario.pass(1200).await;
    assert_eq!(scenario.pipelines(&scenario.test).await, one_each("churn"));
}
