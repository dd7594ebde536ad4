//! Who is told, and what.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::{
    ceiling::Ceiling,
    notification::{
        Execution, FailedStep, Recipients, execution_notice, recipients, wanting_rules,
    },
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

fn within(policy: &Policy, ceiling: &Ceiling, pipeline: &str, status: &str) -> Recipients {
    let arn = format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{pipeline}/execution/abc");
    let (arn, status) = (arn.parse().unwrap(), status.into());
    recipients(&wanting_rules(policy, &arn, &status), ceiling, "aws")
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
    let arn = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn/execution/abc";
    let (arn, status) = (arn.parse().unwrap(), "Failed".into());
    let rules = wanting_rules(&policy, &arn, &status);
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
    let execution = Execution {
        arn: "arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn/execution/abc"
            .parse()
            .unwrap(),
        pipeline: "arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn"
            .parse()
            .unwrap(),
        status: "Failed".into(),
        at: "2026-01-05T09:03:20Z".parse().unwrap(),
        display_name: Some("nightly".into()),
        started: Some("2026-01-05T09:00:00Z".parse().unwrap()),
        ended: Some("2026-01-05T09:03:20Z".parse().unwrap()),
        failure_reason: Some("One or multiple steps failed.".into()),
        pipeline_version: Some(3),
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: Some("AlgorithmError: out of memory".into()),
        }],
    };
    let notice = execution_notice(&policy(), &execution, &["readers".parse().unwrap()]);
    assert_eq!(notice.subject, "churn in test: Failed");
    assert_eq!(
        notice.text,
        "Pipeline churn in test (222222222222, cn-north-1): Failed\n\
         Failed step: Train: \"AlgorithmError: out of memory\"\n\
         Reason: \"One or multiple steps failed.\"\n\
         Execution: \"nightly\"\n\
         Started: 2026-01-05T09:00:00Z\n\
         Ended: 2026-01-05T09:03:20Z\n\
         Duration: 3m 20s\n\
         Pipeline version: 3\n\
         Pipeline ARN: arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn\n\
         Execution ARN: arn:aws-cn:sagemaker:cn-north-1:222222222222:pipeline/churn/execution/abc\n\
         Console: https://cn-north-1.console.amazonaws.cn/sagemaker/home?region=cn-north-1\n"
    );
    let detail = &notice.detail;
    assert_eq!(detail["failedSteps"][0]["name"], "Train");
    assert_eq!(detail["pipelineVersionId"], 3);
    assert_eq!(detail["durationSeconds"], 200);
    assert_eq!(detail["rules"][0], "readers");
    assert_eq!(detail["id"], notice.id.as_str());
    assert_eq!(detail["text"], notice.text.as_str());
}

#[test]
fn a_console_link_is_of_the_partition_and_there_is_none_where_no_console_is_known() {
    let link = |partition: &str, region: &str| {
        let pipeline = format!("arn:{partition}:sagemaker:{region}:222222222222:pipeline/churn");
        let execution = Execution {
            arn: format!("{pipeline}/execution/abc").parse().unwrap(),
            pipeline: pipeline.parse().unwrap(),
            status: "Succeeded".into(),
            at: "2026-01-05T09:03:20Z".parse().unwrap(),
            display_name: None,
            started: None,
            ended: None,
            failure_reason: None,
            pipeline_version: None,
            failed_steps: Vec::new(),
        };
        let notice = execution_notice(&policy(), &execution, &[]);
        let url = notice.detail["consoleUrl"].as_str().map(str::to_owned);
        let line = notice
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
