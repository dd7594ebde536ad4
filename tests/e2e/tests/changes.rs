//! Notifications are of changes: what was gained, lost and refused; once each, and again if it returns.

use std::time::Duration;

use e2e::{
    DEV, DEV_SHARE, Plan, SHARED, SWEEP, Scenario, TEST, crossed, failures, readers, refusal,
    ungated,
};
use serde_json::json;

/// A policy that names accounts and shares nothing.
const NOBODY: &str = "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\" }\n";

/// What is said of dev and the rule `test-readers`, without the names that are always the same.
fn said(told: &[String]) -> Vec<String> {
    let short = |line: &String| {
        let what = line.strip_prefix("dev (111111111111) ")?;
        let what = what.strip_suffix(" of test (222222222222), by rule test-readers.")?;
        Some(what.to_owned())
    };
    told.iter().filter_map(short).collect()
}

/// What dev and the hub were told of dev; it is the same.
fn told(scenario: &Scenario) -> Vec<String> {
    let told = said(&scenario.told(DEV));
    let hub = scenario.estate.hub_mailbox();
    let first = |text: &String| text.lines().next().map(str::to_owned);
    let hub: Vec<_> = hub.iter().filter_map(first).collect();
    assert_eq!(said(&hub), told, "the hub is told the same");
    told
}

#[tokio::test]
async fn each_change_of_what_an_account_has_is_told_as_what_it_is() {
    let scenario = Scenario::sharing(&ungated(), &["a", "b"]).await;
    let begin = told(&scenario);
    let has = begin.len();
    assert!((1..=2).contains(&has), "{begin:?}");

    scenario.delete(&scenario.test, "b").await;
    scenario.pass(SWEEP).await;
    scenario.create(&scenario.test, "b").await;
    scenario.pass(SWEEP).await;
    scenario
        .write_policy(&readers("pipelines: [\"*\"]\n    except: [b]"))
        .await;
    scenario.pass(SWEEP).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(2 * SWEEP).await;

    let lost = "lost access to 1 pipeline";
    let gained = "can see 1 more pipeline";
    assert_eq!(told(&scenario)[has..], [lost, gained, lost, gained]);
    let mailbox = scenario.estate.mailbox(DEV);
    let pipeline = "- arn:aws:sagemaker:us-east-1:222222222222:pipeline/b, had since 2026-";
    assert!(mailbox[has].contains(pipeline), "{}", mailbox[has]);
    let pipeline = "+ arn:aws:sagemaker:us-east-1:222222222222:pipeline/b, since 2026-";
    assert!(mailbox[has + 1].contains(pipeline), "{}", mailbox[has + 1]);

    let world = scenario.estate.sandbox.world();
    let on_bus = world
        .events()
        .seen
        .iter()
        .filter(|seen| seen.account == DEV && seen.bus == "pipeshare");
    let kinds: Vec<_> = on_bus
        .map(|seen| seen.event["detail-type"].as_str().unwrap().to_owned())
        .collect();
    let (shared, withdrawn) = ("Pipelines Shared", "Pipelines Withdrawn");
    assert_eq!(kinds[has..], [withdrawn, shared, withdrawn, shared]);
}

#[tokio::test]
async fn the_last_loss_is_told_when_the_policy_names_nobody_any_more() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    scenario.write_policy(NOBODY).await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        told(&scenario),
        ["can see 1 pipeline", "lost access to 1 pipeline"]
    );
    let shared = scenario.told(SHARED);
    assert!(
        shared
            .iter()
            .any(|line| line.contains("lost access to 1 pipeline of test")),
        "{shared:#?}"
    );
    // Nothing is left to tell, so nobody is reconciled any more.
    let before = scenario.calls("GetResourceShareInvitations");
    scenario.pass(2 * SWEEP).await;
    assert_eq!(scenario.calls("GetResourceShareInvitations"), before);

    scenario.write_policy(&ungated()).await;
    scenario.pass(SWEEP).await;
    let told = told(&scenario);
    assert_eq!(
        told[2..],
        ["can see 1 pipeline"],
        "what returns is news: {told:?}"
    );
}

#[tokio::test]
async fn a_consumer_that_a_rule_names_no_more_is_told_what_it_has_lost() {
    let both = ungated().replace("with: [dev]", "with: [dev, shared]");
    let scenario = Scenario::sharing(&both, &["churn"]).await;
    scenario
        .write_policy(&both.replace("with: [dev, shared]", "with: [shared]"))
        .await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        told(&scenario),
        ["can see 1 pipeline", "lost access to 1 pipeline"]
    );
    let shared = scenario.told(SHARED);
    assert!(
        !shared.iter().any(|line| line.contains("lost")),
        "{shared:#?}"
    );
}

#[tokio::test]
async fn of_an_account_that_has_left_the_hub_alone_is_told_once_and_then_it_is_forgotten() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let role = "pipeshare-consumer-us-east-1";
    sandbox::services::iam::delete_role(&mut scenario.estate.sandbox.world(), DEV, role);
    scenario.pass(SWEEP).await;
    let lost = |scenario: &Scenario| {
        let hub = scenario.estate.hub_mailbox().into_iter();
        hub.filter(|text| text.starts_with("dev (111111111111) lost access"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lost(&scenario),
        [""; 0],
        "nobody has seen that it lost anything"
    );
    let before = scenario.estate.hub_mailbox().len();
    scenario
        .write_policy(&ungated().replace("with: [dev]", "with: [shared]"))
        .await;
    scenario.pass(2 * 24 * 3600).await;
    let lost = lost(&scenario);
    assert_eq!(lost.len(), 1, "{lost:#?}");
    assert!(lost[0].contains("lets nobody look"), "{}", lost[0]);
    let hub = scenario.estate.hub_mailbox();
    let problems = hub[before..]
        .iter()
        .filter(|text| text.contains("sts:AssumeRole"));
    assert_eq!(problems.count(), 0, "nobody has to fix that: {hub:#?}");
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn an_unnamed_pipeline_is_reported_each_time_that_somebody_puts_it_in() {
    let scenario = Scenario::begin(&readers("pipelines: [\"churn*\"]")).await;
    scenario.create(&scenario.test, "churn").await;
    let secret = scenario.create(&scenario.test, "secret").await;
    scenario.pass(SWEEP).await;
    for times in 1..=3 {
        scenario.put_in(std::slice::from_ref(&secret)).await;
        scenario.pass(2 * SWEEP).await;
        assert!(!scenario.dev.sees(&secret).await, "it is taken out again");
        let hub = scenario.estate.hub_mailbox();
        let reports = hub
            .iter()
            .filter(|text| text.contains("has to take away what is too much"));
        assert_eq!(reports.count(), times, "{hub:#?}");
    }
    assert_eq!(
        told(&scenario),
        ["can see 1 pipeline"],
        "what it has by the rule has not changed"
    );
}

#[tokio::test]
async fn an_eleventh_foreign_pipeline_is_reported_too() {
    let scenario = Scenario::begin(&readers("pipelines: [\"churn*\"]")).await;
    scenario.create(&scenario.test, "churn").await;
    let mut foreign = Vec::new();
    for number in 0..11 {
        foreign.push(
            scenario
                .create(&scenario.test, &format!("foreign-{number:02}"))
                .await,
        );
    }
    scenario.pass(SWEEP).await;
    // Nobody is there to take them out.
    let role = "pipeshare-owner-us-east-1";
    sandbox::services::iam::delete_role(&mut scenario.estate.sandbox.world(), TEST, role);
    scenario.put_in(&foreign[..10]).await;
    scenario.pass(2 * SWEEP).await;
    scenario.put_in(&foreign[10..]).await;
    scenario.pass(2 * SWEEP).await;
    let hub = scenario.estate.hub_mailbox();
    let reports: Vec<_> = hub
        .iter()
        .filter(|text| text.contains("has to take away"))
        .collect();
    assert_eq!(reports.len(), 2, "{hub:#?}");
    assert!(!reports[0].contains("more"), "{}", reports[0]);
    assert!(
        reports[1].contains("foreign-09 and 1 more"),
        "{}",
        reports[1]
    );
}

#[tokio::test]
async fn a_bad_policy_is_told_also_if_its_number_was_told_before() {
    let scenario = Scenario::on(Plan::default()).await;
    let bad = ungated().replace("owner: test", "owner: tset");
    for times in 1..=2 {
        for policy in [&ungated(), &bad] {
            scenario.write_policy(policy).await;
            scenario.pass(SWEEP).await;
        }
        let hub = scenario.estate.hub_mailbox();
        let refused = hub.iter().filter(|text| text.contains("is not valid"));
        assert_eq!(refused.count(), times, "{hub:#?}");
        let deleted = scenario
            .shared
            .ssm
            .delete_parameter()
            .name("/pipeshare/policy");
        deleted.send().await.unwrap();
        scenario.pass(SWEEP).await;
    }
}

#[tokio::test]
async fn a_policy_whose_number_was_in_force_before_shares_again() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    scenario.write_policy(NOBODY).await;
    // RAM shows a deleted share for two hours.
    scenario.pass(3 * 3_600).await;
    let deleted = scenario.shared.ssm.delete_parameter();
    let deleted = deleted.name("/pipeshare/policy").send().await;
    deleted.unwrap();
    scenario.write_policy(&ungated()).await;
    scenario.pass(SWEEP).await;
    let shares = scenario.shares(&scenario.test).await;
    assert!(shares.contains(&DEV_SHARE.to_owned()), "{shares:?}");
    assert_eq!(
        told(&scenario)[1..],
        ["lost access to 1 pipeline", "can see 1 pipeline"]
    );
}

#[tokio::test]
async fn a_crash_between_telling_and_noting_loses_no_change() {
    let places = [
        ("dynamodb", "TransactWriteItems"),
        ("dynamodb", "DeleteItem"),
        ("dynamodb", "UpdateItem"),
        ("sns", "Publish"),
        ("events", "PutEvents"),
    ];
    for ((service, operation), effect) in crossed(&places, &failures()) {
        let which = format!("{service}:{operation} {effect:?}");
        let scenario = Scenario::begin(&ungated()).await;
        scenario.create(&scenario.test, "a").await;
        scenario.pass(SWEEP).await;
        let before = told_at_least_once(&scenario);
        scenario.write_policy(NOBODY).await;
        // What share-pipeline writes is over by then.
        scenario.pass(30).await;
        scenario.break_calls(service, operation, std::slice::from_ref(&effect));
        scenario.pass(2 * SWEEP).await;
        assert_eq!(before, ["can see 1 pipeline"], "{which}");
        let after = told_at_least_once(&scenario);
        assert_eq!(
            after,
            ["can see 1 pipeline", "lost access to 1 pipeline"],
            "{which}"
        );
        assert_eq!(scenario.dead_letters(), 0, "{which}");
    }
}

/// What dev and the hub were told; a crash may double a message.
fn told_at_least_once(scenario: &Scenario) -> Vec<String> {
    let hub = scenario.estate.hub_mailbox();
    let first = |text: &String| text.lines().next().map(str::to_owned);
    let hub: Vec<_> = hub.iter().filter_map(first).collect();
    let [hub, dev] = [hub, scenario.told(DEV)].map(|lines| {
        let mut lines = said(&lines);
        let all = lines.len();
        lines.dedup();
        assert!(all <= lines.len() + 1, "doubled once at most");
        lines
    });
    assert_eq!(hub, dev);
    dev
}

#[tokio::test]
async fn many_looks_at_once_tell_a_change_once() {
    let scenario = Scenario::on(Plan {
        concurrency: 5,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(10).await;
    scenario.create(&scenario.test, "a").await;
    for _ in 0..20 {
        for _ in 0..20 {
            let look = json!({ "action": "accept", "account": DEV });
            scenario.send("accept-invitation", &look.to_string());
        }
        scenario.pass(3).await;
    }
    scenario.pass(SWEEP).await;
    assert_eq!(told(&scenario), ["can see 1 pipeline"]);
    let told = scenario.told(DEV);
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[tokio::test]
async fn a_handover_from_one_share_to_another_is_no_news() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    scenario
        .estate
        .sandbox
        .world()
        .organization_mut()
        .ram_sharing = true;
    let policy = ungated().replace(
        "version: 1",
        "version: 1\norganization: { id: o-sandbox123, ramSharing: true }",
    );
    scenario.write_policy(&policy).await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        scenario.shares(&scenario.test).await,
        ["pipeshare-test-operators", "pipeshare-test-readers"]
    );
    assert_eq!(told(&scenario), ["can see 1 pipeline"]);
}

#[tokio::test]
async fn another_level_of_access_is_told() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let execute = ungated().replacen("access: read", "access: execute", 1);
    assert!(execute != ungated());
    scenario.write_policy(&execute).await;
    scenario.pass(SWEEP).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(SWEEP).await;
    let lines = scenario.told(DEV);
    let about = |line: &&String| line.contains("by rule test-readers");
    let lines: Vec<_> = lines.iter().filter(about).collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(
        lines[1].contains("can see and run 1 pipeline of test"),
        "{lines:#?}"
    );
    assert!(lines[1].contains("that it could see,"), "{lines:#?}");
    assert!(
        lines[2].contains("can see 1 pipeline of test"),
        "{lines:#?}"
    );
    assert!(
        lines[2].contains("that it could see and run,"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn where_nobody_could_look_no_loss_is_told() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    for operation in ["ListResources", "GetResourceShares"] {
        let denied = refusal(403, "AccessDeniedException");
        scenario.break_calls("ram", operation, &vec![denied; 12]);
        scenario.pass(4 * SWEEP).await;
        scenario.estate.sandbox.world().faults_mut().calls.clear();
        scenario.pass(SWEEP).await;
    }
    scenario.estate.sandbox.world().ram_mut().empty_first_pages = true;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(told(&scenario), ["can see 1 pipeline"]);
}

#[tokio::test]
async fn one_that_refuses_is_told_later_and_keeps_the_others_from_nothing() {
    let scenario = Scenario::sharing(&ungated(), &["a"]).await;
    let denied = refusal(403, "AccessDeniedException");
    scenario.break_calls("events", "PutEvents", &vec![denied; 500]);
    scenario.delete(&scenario.test, "a").await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        told(&scenario),
        ["can see 1 pipeline", "lost access to 1 pipeline"]
    );
    let on_bus = |scenario: &Scenario| {
        let world = scenario.estate.sandbox.world();
        let seen = world.events().seen.iter();
        seen.filter(|seen| seen.account == DEV && seen.bus == "pipeshare")
            .count()
    };
    assert_eq!(on_bus(&scenario), 1);
    scenario.estate.sandbox.world().faults_mut().calls.clear();
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        on_bus(&scenario),
        2,
        "it is told once it lets itself be told"
    );
    assert_eq!(told(&scenario).len(), 2, "and nobody else is told again");
}

#[tokio::test]
async fn an_invitation_that_nobody_accepted_is_told_once_for_each_time_that_it_expires() {
    // Dev is not onboarded yet, so nobody accepts for it.
    let scenario = Scenario::on(Plan {
        consumers: vec![SHARED],
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    for times in 0..=2 {
        let hub = scenario.estate.hub_mailbox();
        let expired: Vec<_> = hub
            .iter()
            .filter(|text| text.starts_with("Invitations of test (222222222222) ended"))
            .collect();
        assert_eq!(expired.len(), times, "{hub:#?}");
        if let Some(text) = expired.last() {
            assert!(
                text.contains("dev (111111111111), by rule test-readers; invited: 2026-"),
                "{text}"
            );
        }
        let half_a_day = Duration::from_hours(12) + Duration::from_mins(40);
        scenario.pass(half_a_day.as_secs()).await;
    }
}
