//! Who is told, and what.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::{
    ceiling::Ceiling,
    execution::{Details, Execution, ExecutionChange, FailedStep},
    notification::{Known, Recipients, execution_notification, recipients, wanting_rules, watched},
    policy::Policy,
};
use serde_json::json;

fn policy() -> Policy {
    Policy::parse(
        r#"
version: 1
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
rules:
  - { name: readers, owner: test, pipelines: ["churn*"], with: [dev], notify: [Failed, Succeeded] }
  - { name: operators, owner: test, pipelines: ["*"], with: [shared, dev], access: execute, notify: [Failed] }
  - { name: quiet, owner: test, pipelines: ["*"], with: ["444444444444"] }
"#,
    )
    .unwrap()
}

/// The ceiling of an owner that allows these principals, at this access, under any name of ours.
fn ceiling(principals: &[&str], access: &str) -> Ceiling {
    let ceiling = json!({
        "allowedPrincipals": principals,
        "allowedAccess": access,
        "allowedPermissions": [],
        "shareNamePrefix": "pipeshare-",
    });
    ceiling.to_string().parse().unwrap()
}

fn execution(pipeline: &str, status: &str) -> Execution {
    let pipeline = format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{pipeline}");
    execution_of(&pipeline, status)
}

fn execution_of(pipeline: &str, status: &str) -> Execution {
    Execution {
        arn: format!("{pipeline}/execution/abc").parse().unwrap(),
        pipeline: pipeline.parse().unwrap(),
        status: status.into(),
        display_name: None,
        started: None,
    }
}

fn within(policy: &Policy, ceiling: &Ceiling, pipeline: &str, status: &str) -> Recipients {
    let execution = execution(pipeline, status);
    recipients(&wanting_rules(policy, &execution), ceiling, "aws")
}

fn told(pipeline: &str, status: &str) -> Vec<(String, Vec<String>)> {
    let everybody = ceiling(&["111111111111", "333333333333", "444444444444"], "execute");
    let recipients = within(&policy(), &everybody, pipeline, status);
    assert_eq!(recipients.withheld, []);
    recipients
        .told
        .into_iter()
        .map(|(account, rules)| {
            let rules = rules.iter().map(ToString::to_string).collect();
            (account.to_string(), rules)
        })
        .collect()
}

/// Account and rule of whom is told, and of whom is not.
fn split(recipients: &Recipients) -> (Vec<String>, Vec<String>) {
    let told = recipients.told.iter();
    let told =
        told.flat_map(|(account, rules)| rules.iter().map(move |r| format!("{account} {r}")));
    let withheld = recipients.withheld.iter();
    let withheld = withheld.map(|it| format!("{} {}: {}", it.account, it.rule, it.reason));
    (told.collect(), withheld.collect())
}

#[test]
fn an_account_beyond_the_owners_ceiling_is_told_nothing() {
    let narrow = ceiling(&["333333333333"], "execute");
    let (told, withheld) = split(&within(&policy(), &narrow, "churn", "Failed"));
    assert_eq!(told, ["333333333333 operators"]);
    let reason = "principal 111111111111 is not among AllowedPrincipals";
    assert_eq!(
        withheld,
        [
            format!("111111111111 readers: {reason}"),
            format!("111111111111 operators: {reason}")
        ]
    );
}

#[test]
fn a_rule_with_more_access_than_the_owner_gives_tells_nobody_and_others_still_do() {
    let read = ceiling(&["111111111111", "333333333333"], "read");
    let (told, withheld) = split(&within(&policy(), &read, "churn", "Failed"));
    assert_eq!(told, ["111111111111 readers"]);
    let reason = "access execute is more than AllowedAccess, which is read";
    assert_eq!(
        withheld,
        [
            format!("111111111111 operators: {reason}"),
            format!("333333333333 operators: {reason}")
        ]
    );
}

#[test]
fn a_role_is_told_by_its_own_arn_and_not_by_its_account_and_one_of_several_is_enough() {
    let policy = Policy::parse(
        r#"
version: 1
accounts: { test: "222222222222" }
rules:
  - name: readers
    owner: test
    pipelines: ["*"]
    with: ["arn:aws:iam::111111111111:role/a", "arn:aws:iam::111111111111:role/b"]
    notify: [Failed]
"#,
    )
    .unwrap();
    for (allowed, is_told) in [
        (&["111111111111"][..], false),
        (&["arn:aws:iam::111111111111:role/A"], false),
        (&["arn:aws:iam::111111111111:role/b"], true),
        (
            &["arn:aws:organizations::1:organization/o-example1234"],
            false,
        ),
    ] {
        let recipients = within(&policy, &ceiling(allowed, "read"), "churn", "Failed");
        assert_eq!(recipients.told.len(), usize::from(is_told), "{allowed:?}");
        assert_eq!(
            recipients.withheld.len(),
            usize::from(!is_told),
            "{allowed:?}"
        );
    }
}

#[test]
fn as_long_as_the_ceiling_is_unknown_nobody_is_told() {
    let policy = policy();
    let execution = execution("churn", "Failed");
    let rules = wanting_rules(&policy, &execution);
    let (told, withheld) = split(&Recipients::unknown(&rules, "unknown"));
    assert_eq!(told, [""; 0]);
    assert_eq!(
        withheld,
        [
            "111111111111 readers: unknown",
            "111111111111 operators: unknown",
            "333333333333 operators: unknown"
        ]
    );
}

#[test]
fn each_account_is_told_what_its_rules_ask_for() {
    let both = vec!["readers".to_owned(), "operators".to_owned()];
    let operators = vec!["operators".to_owned()];
    assert_eq!(
        told("churn", "Failed"),
        [
            ("111111111111".to_owned(), both),
            ("333333333333".to_owned(), operators)
        ]
    );
    assert_eq!(told("fraud", "Succeeded"), []);
    assert_eq!(told("churn", "Executing"), []);
}

#[test]
fn a_status_that_aws_added_later_is_told_to_everyone_who_wants_news() {
    let accounts: Vec<_> = told("fraud", "Quarantined")
        .into_iter()
        .map(|(a, _)| a)
        .collect();
    assert_eq!(accounts, ["111111111111", "333333333333"]);
}

#[test]
fn a_failure_names_step_and_reason_in_words_and_as_data() {
    let pipeline = "arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn";
    let news = ExecutionChange::of_event(
        execution_of(pipeline, "Failed"),
        Some("Executing".into()),
        "2026-01-05T09:03:20Z".parse().unwrap(),
    );
    let details = Details {
        display_name: Some("nightly".into()),
        started: Some("2026-01-05T09:00:00Z".parse().unwrap()),
        pipeline_version: Some(3),
        failure_reason: Some("One or multiple steps failed.".into()),
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: Some("AlgorithmError: out of memory".into()),
        }],
        ..Details::of("Failed".into())
    };
    let rules = ["readers".parse().unwrap()];
    let notification = execution_notification(&policy(), &news, (&details).into(), &rules);
    assert_eq!(notification.subject, "churn in test: Failed");
    assert_eq!(
        notification.text,
        "Pipeline churn in test (222222222222, cn-north-1): Failed\n\
         Failed step: Train: \"AlgorithmError: out of memory\"\n\
         Reason: \"One or multiple steps failed.\"\n\
         \n\
         See its steps:\n  \
           aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn \
         arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn/execution/abc --region cn-north-1\n\
         Retry it, in test (222222222222), shared (333333333333) or dev (111111111111):\n  \
           aws sagemaker retry-pipeline-execution --pipeline-execution-arn \
         arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn/execution/abc --region cn-north-1\n\
         \n\
         Execution: \"nightly\"\n\
         Started: 2026-01-05T09:00:00Z\n\
         Ended: 2026-01-05T09:03:20Z\n\
         Duration: 3m 20s\n\
         Pipeline version: 3\n\
         Pipeline ARN: arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn\n\
         Execution ARN: arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn/execution/abc\n\
         By rule: readers\n\
         Console: https://cn-north-1.console.amazonaws.cn/sagemaker/home?region=cn-north-1\n"
    );
    let detail = &notification.detail;
    assert_eq!(detail["failedSteps"][0]["name"], "Train");
    assert_eq!(detail["pipelineVersionId"], 3);
    assert_eq!(detail["durationSeconds"], 200);
    assert_eq!(detail["rules"][0], "readers");
    assert_eq!(detail["id"], notification.id.as_str());
    assert_eq!(detail["text"], notification.text.as_str());
}

#[test]
fn what_sagemaker_says_of_a_run_that_began_anew_explains_no_failure_before_it() {
    let news = |status: &str| {
        let at = "2026-01-05T09:03:20Z".parse().unwrap();
        ExecutionChange::of_event(execution("churn", status), None, at)
    };
    let details = |status: &str| Details {
        pipeline_version: Some(3),
        failure_reason: Some("it was stopped".into()),
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: None,
        }],
        ..Details::of(status.into())
    };
    for (told, now, is_explained) in [
        ("Failed", "Failed", true),
        ("CompletedWithFailures", "CompletedWithFailures", true),
        ("Failed", "Executing", false),
        ("Succeeded", "Succeeded", false),
        ("Stopped", "Stopped", false),
    ] {
        let notification =
            execution_notification(&policy(), &news(told), (&details(now)).into(), &[]);
        let steps = usize::from(is_explained);
        assert_eq!(
            notification.detail["failedStepCount"], steps,
            "{told} {now}"
        );
        assert_eq!(notification.text.contains("Reason: "), is_explained);
        // Which version it runs is the same for all runs of one execution.
        assert_eq!(notification.detail["pipelineVersionId"], 3);
    }
    let unknown = execution_notification(&policy(), &news("Failed"), Known::default(), &[]);
    assert_eq!(unknown.detail["failedStepCount"], 0);
}

#[test]
fn what_the_event_says_counts_before_what_sagemaker_says_later() {
    let mut execution = execution("churn", "Succeeded");
    execution.display_name = Some("by the event".into());
    execution.started = Some("2026-01-05T09:00:00Z".parse().unwrap());
    let at = "2026-01-05T09:03:20Z".parse().unwrap();
    let details = Details {
        display_name: Some("later".into()),
        started: Some("2026-01-05T08:00:00Z".parse().unwrap()),
        ..Details::of("Succeeded".into())
    };
    let news = ExecutionChange::of_event(execution, None, at);
    let detail = execution_notification(&policy(), &news, (&details).into(), &[]).detail;
    assert_eq!(detail["pipelineExecutionDisplayName"], "by the event");
    assert_eq!(detail["durationSeconds"], 200);
    let news = ExecutionChange::found(self::execution("churn", "Executing"), at);
    let detail = execution_notification(&policy(), &news, (&details).into(), &[]).detail;
    assert_eq!(detail["pipelineExecutionDisplayName"], "later");
    assert!(detail["endTime"].is_null() && detail["durationSeconds"].is_null());
}

#[test]
fn nobody_wants_news_of_a_pipeline_of_aws_and_an_owner_without_notify_is_not_watched() {
    let policy = policy();
    let mut managed = execution("churn", "Failed");
    managed.pipeline = "arn:aws:sagemaker:eu-west-1:aws:pipeline/churn"
        .parse()
        .unwrap();
    assert!(wanting_rules(&policy, &managed).is_empty());
    assert!(!wanting_rules(&policy, &execution("churn", "Failed")).is_empty());
    let owners: Vec<_> = watched(&policy)
        .into_iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(owners, ["222222222222"]);
    let quiet = Policy::parse(
        "version: 1\naccounts: { test: \"222222222222\" }\nrules:\n\
         - { name: quiet, owner: test, pipelines: [\"*\"], with: [\"444444444444\"] }\n",
    );
    assert!(watched(&quiet.unwrap()).is_empty());
}

#[test]
fn a_console_link_is_of_the_partition_and_there_is_none_where_no_console_is_known() {
    let link = |partition: &str, region: &str| {
        let pipeline = format!("arn:{partition}:sagemaker:{region}:222222222222:pipeline/churn");
        let execution = execution_of(&pipeline, "Succeeded");
        let at = "2026-01-05T09:03:20Z".parse().unwrap();
        let news = ExecutionChange::of_event(execution, None, at);
        let notification = execution_notification(&policy(), &news, Known::default(), &[]);
        let url = notification.detail["consoleUrl"]
            .as_str()
            .map(str::to_owned);
        let line = notification
            .text
            .lines()
            .find_map(|line| line.strip_prefix("Console: "));
        assert_eq!(line, url.as_deref());
        url
    };
    for (partition, region, host) in [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "console.amazonaws-us-gov.com",
        ),
        ("aws-eusc", "eusc-de-east-1", "console.amazonaws-eusc.eu"),
    ] {
        let expected = format!("https://{region}.{host}/sagemaker/home?region={region}");
        assert_eq!(link(partition, region), Some(expected));
    }
    for (partition, region) in [
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-new", "xx-new-1"),
    ] {
        assert_eq!(link(partition, region), None);
    }
}
