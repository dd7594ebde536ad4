//! Notifications, as people and as machines get them.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use domain::{
    execution::{Details, Execution, ExecutionChange, FailedStep, Source, differing},
    id::AccountId,
    invitation::{Invitation, Refusal},
    notification::{
        AccessChange, Alert, Attribute, DeliveryRecord, Delta, Expired, Fate, Grant, Held,
        Holdings, Known, Moved, Notification, Place, PolicyAlert, RefusedPolicy,
        access_notification, ending_notification, endings, excess_notification,
        execution_notification, expired_notification, policy_alert_notification,
        policy_refused_notification, problem_notification, refusal_notification,
    },
    policy::{Access, Policy, RuleName, TeamDocument, Withdrawal},
    trigger::Confirmation,
};
use jiff::Timestamp;

use super::{beside, expect};

const SHARE: &str = "arn:aws:ram:eu-west-1:222222222222:resource-share/0a1b2c3d";
const SHARE_NAME: &str = "pipeshare-test-readers.111111111111";

fn policy() -> Policy {
    Policy::parse(
        r#"
version: 1
accounts: { dev: "111111111111", test: "222222222222" }
rules:
  - { name: test-readers, owner: test, pipelines: ["*"], with: [dev], notify: [Failed],
      why: "data scientists watch what is tested, see https://example.com", contact: ml@example.com }
  - { name: test-operators, owner: test, pipelines: ["*"], with: [dev], access: execute }
"#,
    )
    .unwrap()
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-05T{time}Z").parse().unwrap()
}

fn dev() -> AccountId {
    "111111111111".parse().unwrap()
}

fn test() -> AccountId {
    "222222222222".parse().unwrap()
}

/// Compares a notification with a file: its subject, its text, and the rest of its data.
fn golden(name: &str, notification: &Notification) {
    let mut detail = notification.detail.clone();
    for repeated in ["subject", "text", "chat"] {
        detail.as_object_mut().unwrap().remove(repeated);
    }
    let attributes = notification
        .attributes()
        .into_iter()
        .map(|(name, value)| match value {
            Attribute::One(text) => format!("{name}={text}"),
            Attribute::Many(texts) => format!("{name}={}", texts.join(",")),
        });
    let text = format!(
        "Subject: {}\nAttributes: {}\n\n{}\n{}: {detail:#}\n",
        notification.subject,
        attributes.collect::<Vec<_>>().join("; "),
        notification.text,
        notification.detail_type
    );
    expect(&format!("notifications/{name}.txt"), &text);
}

fn execution(status: &str) -> ExecutionChange {
    let pipeline = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn-train";
    let execution = Execution {
        arn: format!("{pipeline}/execution/p4jn9xou8a8s")
            .parse()
            .unwrap(),
        pipeline: pipeline.parse().unwrap(),
        status: status.into(),
        display_name: Some("nightly".into()),
        started: Some(at("09:00:00")),
    };
    ExecutionChange::of_event(execution, None, at("09:03:20"))
}

fn details(status: &str) -> Details {
    Details {
        pipeline_version: Some(3),
        started_by: Some("arn:aws:sts::222222222222:assumed-role/deployer/ci".into()),
        ..Details::of(status.into())
    }
}

fn rules() -> [RuleName; 2] {
    ["test-operators", "test-readers"].map(|it| it.parse().unwrap())
}

#[test]
fn an_execution_ends() {
    let known = details("Succeeded");
    let news = execution("Succeeded");
    let notification = execution_notification(&policy(), &news, (&known).into(), &rules());
    golden("execution-succeeded", &notification);
    let known = Details {
        failure_reason: Some("One or multiple steps failed.".into()),
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: Some("AlgorithmError: out of memory, see https://example.com".into()),
        }],
        parameters: differing(
            r#"{ "Parameters": [{ "Name": "Epochs", "Type": "Integer", "DefaultValue": 10 }] }"#,
            [("Epochs", "200")],
        ),
        ..details("Failed")
    };
    let news = execution("Failed");
    let notification = execution_notification(&policy(), &news, (&known).into(), &rules());
    golden("execution-failed", &notification);
    let chat = &notification.detail["chat"];
    expect("notifications/chat.json", &format!("{chat:#}\n"));
}

#[test]
fn an_execution_that_the_hook_started_is_retried_and_stopped() {
    let mut news = execution("Stopped");
    news.execution.display_name = Some("pipeshare-build-42-Promote-1a2b3c4d".into());
    let known = Details {
        changed_by: Some("arn:aws:sts::111111111111:assumed-role/ml/ada".into()),
        ..details("Stopped")
    };
    let before = DeliveryRecord {
        status: "Failed".into(),
        at: at("09:01:00"),
        source: Source::Event,
    };
    let known = Known {
        details: Some(&known),
        history: &[before],
    };
    let notification = execution_notification(&policy(), &news, known, &rules());
    golden("execution-stopped", &notification);
}

/// What dev has by the rule: these pipelines.
fn holdings(names: &[&str]) -> Holdings {
    let place = Place {
        share: SHARE.parse().unwrap(),
        name: SHARE_NAME.into(),
        made: None,
    };
    let held = Held {
        place,
        since: at("09:00:00"),
        missing: None,
    };
    let pipelines = moved(names).into_iter().map(|it| it.pipeline_arn);
    let pipelines: BTreeMap<_, _> = pipelines.map(|arn| (arn, held.clone())).collect();
    Holdings {
        access: Access::Read,
        pipelines,
    }
}

fn moved(names: &[&str]) -> Vec<Moved> {
    let arn = |name| format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{name}");
    let moved = names.iter().map(|name| Moved {
        pipeline_arn: arn(name).parse().unwrap(),
        since: at("09:00:00"),
    });
    moved.collect()
}

#[test]
fn an_account_gains_and_loses_pipelines() {
    let grant = Grant {
        rule: "test-readers".parse().unwrap(),
        owner: test(),
    };
    for (name, gained, lost, now) in [
        (
            "access-gained",
            &["churn-train"][..],
            &[][..],
            &["churn-train"][..],
        ),
        ("access-changed", &["fraud"], &["churn-train"], &["fraud"]),
        ("access-lost", &[], &["churn-train", "fraud"], &[]),
    ] {
        let delta = Delta {
            gained: moved(gained),
            lost: moved(lost),
            access_before: None,
        };
        let change = AccessChange {
            consumer: &dev(),
            grant: &grant,
            delta: &delta,
            now: &holdings(now),
            at: at("09:01:00"),
            generation: 2,
            unobserved: false,
        };
        golden(name, &access_notification(&policy(), &change));
    }
}

#[test]
fn nobody_accepts_an_invitation() {
    let expired = |consumer: &str| Expired {
        rule: "test-readers".parse().unwrap(),
        consumer: consumer.to_owned(),
        invited: Some("2026-01-04T20:00:00Z".parse().unwrap()),
    };
    let both = [expired("111111111111"), expired("444444444444")];
    let notification = expired_notification(&policy(), &test(), &both, at("09:00:00"));
    golden("invitations-expired", &notification);
}

#[test]
fn a_share_is_not_what_the_policy_says() {
    let invitation = Invitation {
        arn: "arn:aws:ram:eu-west-1:222222222222:resource-share-invitation/4e5f6a7b"
            .parse()
            .unwrap(),
        share: SHARE.parse().unwrap(),
        share_name: SHARE_NAME.to_owned(),
        sender: test(),
        receiver: dev(),
        status: "PENDING".into(),
        sent: Some(at("09:00:00")),
    };
    let fate = Fate {
        was_rejected: false,
        is_last_of_day: false,
    };
    let region = "eu-west-1".parse().unwrap();
    let refusal = Refusal::WrongConsumer { receiver: dev() };
    let notification = refusal_notification(&policy(), &region, &invitation, &refusal, fate);
    golden("invitation-refused", &notification);

    let resources = vec!["arn:aws:sagemaker:eu-west-1:222222222222:pipeline/secret".to_owned()];
    let excess = Refusal::TooMuch { resources };
    let share = SHARE.parse().unwrap();
    let notification = excess_notification(&policy(), (&share, SHARE_NAME), &dev(), &excess, 1);
    golden("share-with-too-much", &notification);
}

#[test]
fn an_account_cannot_be_served() {
    let alerts = [
        (
            "account not onboarded",
            "sts AssumeRole: AccessDenied (account not onboarded)",
            None,
        ),
        (
            "other",
            "ram CreateResourceShare: InvalidParameterException",
            Some("test-readers"),
        ),
    ];
    let alerts = alerts.map(|(kind, text, rule)| Alert {
        kind: kind.to_owned(),
        text: text.to_owned(),
        rule: rule.map(|it| it.parse().unwrap()),
    });
    let notification = problem_notification(&policy(), &test(), &alerts, "2026-01-05");
    golden("account-problem", &notification);
}

#[test]
fn the_policy_needs_people() {
    let document = "version: 1\nruls: []\n";
    let errors = Policy::parse(document).map(|_| ()).unwrap_err();
    let refused = RefusedPolicy {
        parameter: "/pipeshare/policy",
        version: 12,
        written: Some(at("09:00:00")),
        document,
    };
    golden(
        "policy-refused",
        &policy_refused_notification(&refused, &errors),
    );
    let why = "kms Decrypt: AccessDeniedException".to_owned();
    for (name, alert) in [
        (
            "policy-in-force-refused",
            PolicyAlert::InForceRefused {
                version: 11,
                errors,
            },
        ),
        (
            "policy-in-force-unreadable",
            PolicyAlert::InForceUnreadable { why: why.clone() },
        ),
        (
            "policy-newest-unreadable",
            PolicyAlert::NewestUnreadable { why },
        ),
        (
            "policy-versions-run-out",
            PolicyAlert::VersionsRunOut {
                in_force: 3,
                newest: 95,
                left: 7,
            },
        ),
        (
            "policy-held",
            PolicyAlert::Held {
                version: 13,
                command: Confirmation::text(None, 13, &"ab".repeat(32)),
                withdrawal: Withdrawal::between(&policy(), &Policy::default()),
            },
        ),
    ] {
        let notification = policy_alert_notification("/pipeshare/policy", &alert, "2026-01-05");
        golden(name, &notification);
    }
}

#[test]
fn what_is_wrong_with_the_document_of_a_team() {
    let document = TeamDocument {
        team: "churn",
        text: "version: 1\nrules: [{ name: r, owner: test, pipelines: [\"*\"], with: [dev] }]\n",
    };
    let errors = Policy::parse_all("version: 1", &[document], None).unwrap_err();
    let why = "TooManyUpdates: one update at a time".to_owned();
    for (name, alert) in [
        ("document-not-granted", PolicyAlert::NotGranted { errors }),
        (
            "document-missing",
            PolicyAlert::DocumentMissing { version: 4 },
        ),
        (
            "document-not-put-in-force",
            PolicyAlert::NotPutInForce { why },
        ),
    ] {
        let parameter = "/pipeshare/policy/churn";
        golden(
            name,
            &policy_alert_notification(parameter, &alert, "2026-01-05"),
        );
    }
}

#[test]
fn access_that_ends_soon() {
    let text = r#"
version: 1
accounts: { dev: "111111111111", test: "222222222222", stage: "333333333333" }
rules:
  - { name: readers, owners: [test, stage], pipelines: ["*"], with: [dev], until: 2026-01-06, why: the migration, contact: ml@example.com }
"#;
    let policy = Policy::parse(text).unwrap();
    let now = at("12:00:00");
    for ending in endings(&policy, &dev(), now) {
        golden(
            "access-ending",
            &ending_notification(&policy, &dev(), &ending),
        );
    }
}

/// The samples of the documents: what each is, and the file that has it.
const SAMPLES: &[(&str, &str)] = &[
    ("An execution has failed", "execution-failed"),
    (
        "An execution that the hook started was retried and stopped",
        "execution-stopped",
    ),
    ("An execution has succeeded", "execution-succeeded"),
    ("An account has gained a pipeline", "access-gained"),
    (
        "An account has gained one and lost another",
        "access-changed",
    ),
    ("An account has lost pipelines", "access-lost"),
    ("Access ends soon", "access-ending"),
    ("Nobody has accepted invitations", "invitations-expired"),
    ("An invitation was refused", "invitation-refused"),
    (
        "A share has more in it than the policy says",
        "share-with-too-much",
    ),
    ("An account needs people", "account-problem"),
    ("A version of the policy is not valid", "policy-refused"),
    (
        "A version of the policy waits for its confirmation",
        "policy-held",
    ),
    ("The policy runs out of versions", "policy-versions-run-out"),
    (
        "The policy in force is not valid",
        "policy-in-force-refused",
    ),
    (
        "The policy in force cannot be read",
        "policy-in-force-unreadable",
    ),
    (
        "The newest version of the policy cannot be read",
        "policy-newest-unreadable",
    ),
    (
        "A rule of a team grants nothing any more",
        "document-not-granted",
    ),
    ("The document of a team is gone", "document-missing"),
    (
        "The document of a team is not in force",
        "document-not-put-in-force",
    ),
];

#[test]
fn the_page_of_samples_has_every_kind() {
    let mut page = String::from(include_str!("samples.txt"));
    for (title, name) in SAMPLES {
        let file = fs::read_to_string(beside(&format!("notifications/{name}.txt"))).unwrap();
        // What follows is the same for machines.
        let (text, _) = file.rsplit_once(": {\n  \"").unwrap();
        let (text, _) = text.rsplit_once("\n\n").unwrap();
        write!(page, "\n## {title}\n\n```text\n{text}\n```\n").unwrap();
    }
    let chat = fs::read_to_string(beside("notifications/chat.json")).unwrap();
    page.push_str("\n## The first of them, for a chat\n\n```json\n");
    page.push_str(&chat);
    page.push_str("```\n");
    expect("../../../notification-samples.md", &page);
    let files = fs::read_dir(beside("notifications")).unwrap();
    let files = files.filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|it| it == "txt")
    });
    assert_eq!(
        files.count(),
        SAMPLES.len(),
        "a sample of each is in the page"
    );
}
