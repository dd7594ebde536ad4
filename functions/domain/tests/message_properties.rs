//! What holds for every message, whatever others wrote into it.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use domain::{
    execution::{Details, Execution, ExecutionChange, FailedStep, Parameter},
    id::{AccountId, ExecutionArn, ShareArn},
    invitation::{Invitation, Refusal},
    notification::{
        AccessChange, Alert, Delta, Fate, Grant, Held, Holdings, Moved, Notification, Place,
        RefusedPolicy, access_notification, excess_notification, execution_notification,
        policy_refused_notification, problem_notification, refusal_notification,
    },
    policy::{Access, Policy},
    status::ExecutionStatus,
};
use jiff::Timestamp;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::RngSeed,
};
use serde_json::Value;

const OWNER: &str = "222222222222";
const CONSUMER: &str = "111111111111";

/// What EventBridge takes in all: "less than 256 KB", in every Region.
const EVENT: usize = 256 * 1024;

/// The words at the beginnings of our own lines.
const LABELS: &[&str] = &[
    "Pipeline ",
    "Failed step: ",
    "Failed steps besides: ",
    "Reason: ",
    "The reason is not known: ",
    "See its steps:",
    "Retry it, in ",
    "Stop it, in ",
    "  aws sagemaker ",
    "Deployment: ",
    "Execution: ",
    "Started: ",
    "Started by: ",
    "Stopped by: ",
    "Ended: ",
    "Duration: ",
    "Parameter ",
    "Parameters besides: ",
    "Pipeline ARN: ",
    "Execution ARN: ",
    "By rule: ",
    "Console: ",
];

/// A policy in which accounts have names of this length.
fn policy(length: usize) -> Policy {
    let (dev, test) = ("d".repeat(length), "t".repeat(length));
    let document = format!(
        "version: 1\naccounts: {{ {dev}: \"{CONSUMER}\", {test}: \"{OWNER}\" }}\n\
         rules: [{{ name: readers, owner: {test}, pipelines: [\"*\"], with: [{dev}] }}]"
    );
    Policy::parse(&document).unwrap()
}

/// What somebody may write who wants to be taken for somebody else.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        select(vec![
            "\nReason: ",
            "\r\nConsole: https://evil.example/",
            "\u{2028}Pipeline churn in test: Succeeded",
            "\u{202e}",
            "\"",
            "\\",
            "\u{0}",
            "🚀",
            "\u{e0041}",
            "``` <!channel> <https://evil.example|here> @here",
            "\n\n  aws iam delete-role --role-name x",
        ])
        .prop_map(str::to_owned),
    ];
    let times = prop_oneof![4 => 1_usize..4, 1 => select(vec![300_usize, 3_000])];
    (vec(piece, 0..4), times).prop_map(|(pieces, times)| {
        let mut text = pieces.concat().repeat(times);
        text.truncate(text.floor_char_boundary(20_000));
        text
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        (0..4_000_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

fn status() -> impl Strategy<Value = ExecutionStatus> {
    prop_oneof![
        select(ExecutionStatus::KNOWN.to_vec()),
        hostile().prop_map(ExecutionStatus::from),
    ]
}

prop_compose! {
    fn execution()(
        name in "[a-zA-Z0-9]{1,256}",
        partition in select(vec!["aws", "aws-cn", "aws-iso"]),
        (status, at, started) in (status(), time(), option::of(time())),
        display_name in option::of(hostile()),
        failure_reason in option::of(hostile()),
        steps in vec((hostile(), option::of(hostile())), 0..4),
        (started_by, changed_by) in (option::of(hostile()), option::of(hostile())),
        parameters in vec((hostile(), hostile(), option::of(hostile())), 0..30),
        times in select(vec![1_usize, 1, 1, 40]),
    ) -> (ExecutionChange, Details) {
        let pipeline = format!("arn:{partition}:sagemaker:eu-west-1:{OWNER}:pipeline/{name}");
        let steps = steps.into_iter().map(|(name, reason)| FailedStep {
            name: name.into(),
            reason: reason.map(Into::into),
        });
        let execution = Execution {
            arn: format!("{pipeline}/execution/abc").parse().unwrap(),
            pipeline: pipeline.parse().unwrap(),
            status: status.clone(),
            display_name: display_name.map(Into::into),
            started,
        };
        let details = Details {
            failure_reason: failure_reason.map(Into::into),
            failed_steps: vec![steps.collect::<Vec<_>>(); times].concat(),
            started_by: started_by.map(Into::into),
            changed_by: changed_by.map(Into::into),
            parameters: parameters
                .into_iter()
                .map(|(name, value, default)| Parameter {
                    name: name.into(),
                    value: value.into(),
                    default: default.map(Into::into),
                })
                .collect(),
            ..Details::of(status)
        };
        (ExecutionChange::of_event(execution, None, at), details)
    }
}

/// A version of the policy that is not put in force.
fn refused(document: &str) -> RefusedPolicy<'_> {
    RefusedPolicy {
        parameter: "/pipeshare/policy",
        version: 7,
        written: None,
        document,
    }
}

/// What holds for every message.
fn check(notification: &Notification) -> Result<(), TestCaseError> {
    let subject = &notification.subject;
    prop_assert!(subject.encode_utf16().count() < 100, "{}", subject);
    prop_assert!(!subject.is_empty());
    let hides = |c: char| {
        c.is_control() && c != '\n'
            || "\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{e0041}".contains(c)
    };
    prop_assert!(
        !subject.contains(hides) && !subject.contains('\n'),
        "{:?}",
        subject
    );
    prop_assert!(
        !notification.text.contains(hides),
        "{:?}",
        notification.text
    );
    prop_assert!(
        !notification.text.contains("://evil"),
        "{}",
        notification.text
    );
    prop_assert!(notification.text.len() < EVENT);
    let entry = "pipeshare".len()
        + notification.detail_type.len()
        + notification.detail.to_string().len()
        + notification
            .resources
            .iter()
            .map(String::len)
            .sum::<usize>();
    prop_assert!(entry + 14 < EVENT, "{} bytes", entry);
    check_chat(&notification.detail["chat"])?;
    prop_assert_eq!(&notification.detail["text"], &notification.text);
    prop_assert_eq!(&notification.detail["subject"], subject);
    prop_assert_eq!(&notification.detail["id"], &notification.id);
    Ok(())
}

/// Nothing in a message for a chat is markup of others, calls everybody, or is too long.
fn check_chat(chat: &Value) -> Result<(), TestCaseError> {
    let all = chat["content"].to_string();
    for foreign in ["<", ">", "@here", "@channel", "@everyone"] {
        prop_assert!(!all.contains(foreign), "{}: {}", foreign, all);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let description = text(&chat["content"]["description"]);
    let inside = description.strip_prefix("```\n");
    let inside = inside.and_then(|it| it.strip_suffix("\n```"));
    prop_assert!(
        inside.is_some_and(|it| !it.contains('`')),
        "{}",
        description
    );
    let title = text(&chat["content"]["title"]);
    prop_assert!(description.chars().count() <= 8_000 && title.chars().count() <= 250);
    for (list, most) in [("nextSteps", 350), ("keywords", 75)] {
        for item in chat["content"][list].as_array().unwrap() {
            prop_assert!(text(item).chars().count() <= most, "{}", item);
        }
    }
    Ok(())
}

fn ids() -> (AccountId, ShareArn) {
    let share = format!("arn:aws:ram:eu-west-1:{OWNER}:resource-share/1");
    (CONSUMER.parse().unwrap(), share.parse().unwrap())
}

proptest! {
    // The same cases in every run: a failure is repeated by running it again.
    #![proptest_config(ProptestConfig {
        cases: 64,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_run_forges_a_line_or_outgrows_an_event_and_its_subject_keeps_account_and_status(
        (news, details) in execution(),
        length in select(vec![1_usize, 12, 90, 300]),
    ) {
        let policy = policy(length);
        let notification = execution_notification(&policy, &news, (&details).into(), &["readers".parse().unwrap()]);
        check(&notification)?;
        // Every line is one of ours, and each of the single ones is there once.
        for line in notification.text.lines() {
            let is_ours = LABELS.iter().any(|label| line.starts_with(label));
            prop_assert!(is_ours || line.is_empty() || line == "[shortened]", "{:?}", line);
        }
        for label in ["Reason: ", "Console: ", "Execution: ", "Started by: ", "See its steps:", "Pipeline "] {
            let times = notification.text.lines().filter(|line| line.starts_with(label)).count();
            let most = if label == "Pipeline " { 2 } else { 1 };
            prop_assert!(times <= most, "{}", notification.text);
        }
        let steps = notification.text.matches("\nFailed step: ").count();
        let explained = news.explanation(Some(&details)).map_or(0, |why| why.failed_steps.len());
        prop_assert!(steps == explained.min(20), "{}", notification.text);
        let subject = &notification.subject;
        let end = match &news.execution.status {
            ExecutionStatus::Other(_) => "",
            known => known.as_str(),
        };
        prop_assert!(subject.ends_with(end), "{}", subject);
        let account = "t".repeat(length.min(20));
        prop_assert!(subject.contains(&format!(" in {account}")), "{}", subject);
    }

    #[test]
    fn no_stranger_gets_a_word_into_a_subject_or_a_line_of_his_own(
        (share_name, arns) in (hostile(), vec(hostile(), 1..10)),
        rejected in any::<bool>(),
    ) {
        let policy = policy(12);
        let (consumer, share) = ids();
        let invitation = Invitation {
            arn: "arn:aws:ram:eu-west-1:999999999999:resource-share-invitation/1".parse().unwrap(),
            share: "arn:aws:ram:eu-west-1:999999999999:resource-share/1".parse().unwrap(),
            share_name: share_name.clone(),
            sender: "999999999999".parse().unwrap(),
            receiver: consumer.clone(),
            status: "PENDING".into(),
            sent: None,
        };
        let fate = Fate { was_rejected: rejected, is_last_of_day: rejected };
        let region = "eu-west-1".parse().unwrap();
        let refusals = [Refusal::UnknownRule, Refusal::TooMuch { resources: arns }];
        for refusal in &refusals {
            let harmless = Invitation { share_name: "x".to_owned(), ..invitation.clone() };
            let notification = refusal_notification(&policy, &region, &invitation, refusal, fate);
            let other = refusal_notification(&policy, &region, &harmless, refusal, fate);
            check(&notification)?;
            prop_assert_eq!(&notification.subject, &other.subject);
            prop_assert_eq!(notification.text.lines().count(), other.text.lines().count());
            let notification = excess_notification(&policy, (&share, &share_name), &consumer, refusal, 1);
            let other = excess_notification(&policy, (&share, "x"), &consumer, refusal, 1);
            check(&notification)?;
            prop_assert_eq!(&notification.subject, &other.subject);
            prop_assert_eq!(notification.text.lines().count(), other.text.lines().count());
        }
    }

    #[test]
    fn no_trouble_forges_a_line(texts in vec((hostile(), hostile()), 1..30)) {
        let policy = policy(300);
        let alerts: Vec<_> = texts
            .into_iter()
            .map(|(kind, text)| Alert { kind, text, rule: None })
            .collect();
        let account: AccountId = OWNER.parse().unwrap();
        let notification = problem_notification(&policy, &account, &alerts, "2026-01-05");
        check(&notification)?;
        let lines = notification.text.lines().count();
        let most = if alerts.len() > 10 { 12 } else { 1 + alerts.len() };
        prop_assert!(lines <= most, "{}", notification.text);
        prop_assert!(notification.subject.starts_with("pipeshare cannot do its work in ttt"));
    }

    #[test]
    fn no_policy_forges_a_line_in_the_words_about_its_mistakes(
        document in hostile(),
        cuts in vec((any::<Index>(), hostile()), 0..3),
    ) {
        let mut text = "version: 1\nrules: [{ name: a, owner: b, c: d, with: [e] }]".to_owned();
        for (at, insert) in cuts {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            text.insert_str(at, &insert);
        }
        for text in [&document, &text] {
            let Err(errors) = Policy::parse(text) else { continue };
            let refused = refused(text);
            let notification = policy_refused_notification(&refused, &errors);
            check(&notification)?;
            for line in notification.text.lines().skip(1) {
                let is_ours = line.starts_with("line ") || line.starts_with("and ");
                prop_assert!(is_ours, "{:?}", line);
            }
        }
    }
}

#[test]
fn a_share_of_thousands_of_long_names_fits_into_an_event() {
    let policy = policy(300);
    let (consumer, share) = ids();
    let since = Timestamp::UNIX_EPOCH;
    let moved = (0..5_000).map(|number| {
        let name = format!("{number:0>256}");
        let pipeline = format!("arn:aws:sagemaker:eu-west-1:{OWNER}:pipeline/{name}");
        Moved {
            pipeline_arn: pipeline.parse().unwrap(),
            since,
        }
    });
    let moved: Vec<_> = moved.collect();
    let place = Place {
        share,
        name: "s".repeat(255).into(),
        made: None,
    };
    let held = Held {
        place,
        since,
        missing: None,
    };
    let pipelines = moved
        .iter()
        .map(|it| (it.pipeline_arn.clone(), held.clone()));
    let now = Holdings {
        access: Access::Execute,
        pipelines: pipelines.collect(),
    };
    let rule = &policy.rules[0];
    let grant = Grant {
        rule: rule.name.clone(),
        owner: rule.owner.clone(),
    };
    let delta = Delta {
        gained: moved.clone(),
        lost: moved,
        access_before: Some(Access::Read),
    };
    let change = AccessChange {
        consumer: &consumer,
        grant: &grant,
        delta: &delta,
        now: &now,
        at: since,
        generation: 1,
        unobserved: false,
    };
    check(&access_notification(&policy, &change)).unwrap();
}

#[test]
fn the_mistakes_of_a_policy_that_has_nothing_else_fit_into_an_event() {
    let text = format!("version: 1\nrules: [{}]", "[],".repeat(2_600));
    let errors = Policy::parse(&text).unwrap_err();
    let refused = refused(&text);
    let notification = policy_refused_notification(&refused, &errors);
    check(&notification).unwrap();
    let more = format!("and {} more\n", errors.iter().count() - 100);
    assert!(notification.text.ends_with(&more), "{}", notification.text);
}

#[test]
fn an_arn_longer_than_any_is_none() {
    let arn = |name: usize, id: usize| {
        let (name, id) = ("p".repeat(name), "e".repeat(id));
        format!("arn:aws:sagemaker:eu-west-1:{OWNER}:pipeline/{name}/execution/{id}")
    };
    assert!(arn(256, 64).parse::<ExecutionArn>().is_ok());
    assert!(arn(10, 200_000).parse::<ExecutionArn>().is_err());
    let region = format!("eu-{}-1", "x".repeat(200_000));
    let share = format!("arn:aws:ram:{region}:{OWNER}:resource-share/1");
    assert!(share.parse::<ShareArn>().is_err());
}
