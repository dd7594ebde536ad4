//! What is read first, and what strangers cannot make us do however many they are.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    id::{AccountId, Region},
    invitation::{Invitation, Receiver, Refusal, Triage, beginning},
    notification::{Fate, StrangersOfDay, refusal_notification, strangers_notification},
    policy::Policy,
    status::InvitationStatus,
};
use proptest::prelude::*;

const OURS: &str = "pipeshare-readers.111111111111";

fn policy() -> Policy {
    Policy::parse(
        r#"
version: 1
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
rules:
  - { name: readers, owner: test, pipelines: ["churn*"], with: [dev] }
  - { name: more, owner: shared, pipelines: ["*"], with: [dev] }
  - { name: operators, owner: dev, pipelines: ["*"], with: [shared] }
"#,
    )
    .unwrap()
}

fn invitation(number: usize, share_name: &str, sender: &str) -> Invitation {
    let arn = |kind: &str| format!("arn:aws:ram:eu-west-1:{sender}:{kind}/{number:06}");
    Invitation {
        arn: arn("resource-share-invitation").parse().unwrap(),
        share: arn("resource-share").parse().unwrap(),
        share_name: share_name.to_owned(),
        sender: sender.parse().unwrap(),
        receiver: "111111111111".parse().unwrap(),
        status: InvitationStatus::Pending,
        sent: jiff::Timestamp::from_second(i64::try_from(number).unwrap()).ok(),
    }
}

/// What dev has received, sorted with this many rejections, and given to `look`.
fn sorted<T>(invitations: Vec<Invitation>, most: usize, look: impl FnOnce(Triage<'_>) -> T) -> T {
    let (policy, dev, region) = (policy(), dev(), region());
    let receiver = Receiver {
        account: &dev,
        region: &region,
    };
    let mut triage = Triage::new(&policy, receiver, most);
    for invitation in invitations {
        triage.add(invitation);
    }
    look(triage)
}

fn dev() -> AccountId {
    "111111111111".parse().unwrap()
}

fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

fn arns<'a>(invitations: impl IntoIterator<Item = &'a Invitation>) -> Vec<String> {
    let arns = invitations.into_iter().map(|it| it.arn.to_string());
    arns.collect()
}

#[test]
fn what_a_rule_names_comes_first_and_strangers_are_only_counted() {
    let mut all: Vec<_> = (0..2000)
        .map(|number| {
            let sender = 600_000_000_000_usize + number % 8;
            invitation(number, OURS, &sender.to_string())
        })
        .collect();
    let unknown = invitation(7, "pipeshare-old.111111111111", "222222222222");
    let ours = invitation(9, OURS, "222222222222");
    all.insert(3, unknown.clone());
    all.push(ours.clone());
    all.push(invitation(1, "golden-images", "666666666666"));
    sorted(all, 100, |triage| {
        assert_eq!(arns(triage.named()), arns([&ours, &unknown]));
        assert_eq!(triage.not_ours(), 1);
        let strangers = triage.strangers();
        assert_eq!((strangers.invitations, strangers.senders()), (2000, 8));
        assert_eq!(strangers.samples().count(), 10);
        assert_eq!(strangers.rejectable().count(), 100);
    });
}

#[test]
fn what_was_answered_or_has_expired_is_neither_looked_at_nor_counted() {
    let mut over = Vec::new();
    for status in ["ACCEPTED", "REJECTED", "EXPIRED"] {
        for sender in ["222222222222", "666666666666"] {
            let mut invitation = invitation(over.len(), OURS, sender);
            invitation.status = status.into();
            over.push(invitation);
        }
    }
    sorted(over, 100, |triage| {
        assert!(triage.named().is_empty() && triage.strangers().is_empty());
    });
}

#[test]
fn an_owner_that_sends_many_under_one_name_keeps_no_other_waiting() {
    let mut all: Vec<_> = (0..250)
        .map(|number| invitation(number, OURS, "222222222222"))
        .collect();
    let other = invitation(0, "pipeshare-more.111111111111", "333333333333");
    all.push(other.clone());
    sorted(all, 100, |triage| {
        assert_eq!(triage.named().len(), 251);
        assert_eq!(*triage.named()[1], other);
        assert!(triage.strangers().is_empty());
    });
}

#[test]
fn of_an_owner_only_the_first_few_that_no_rule_names_are_taken_one_by_one() {
    let all = (0..250).map(|number| invitation(249 - number, "pipeshare-x", "222222222222"));
    sorted(all.collect(), 100, |triage| {
        let first: Vec<_> = (0..10)
            .map(|number| invitation(number, "pipeshare-x", "222222222222"))
            .collect();
        assert_eq!(arns(triage.named()), arns(&first));
        assert_eq!(triage.strangers().invitations, 240);
    });
}

#[test]
fn shares_of_strangers_are_counted_and_not_inspected() {
    sorted(Vec::new(), 100, |mut triage| {
        let mut ask = |name: &str, owner: &str, number: usize| {
            let share = format!("arn:aws:ram:eu-west-1:{owner}:resource-share/{number}");
            triage.is_worth_inspecting(&share.parse().unwrap(), name)
        };
        assert!(ask(OURS, "222222222222", 1));
        assert!(!ask("golden-images", "222222222222", 2));
        for number in 0..500 {
            assert!(!ask(OURS, "666666666666", number));
        }
        // The owner of a rule is read, but not without end either.
        let old = (0..500).filter(|number| ask("pipeshare-old", "222222222222", *number));
        assert_eq!(old.count(), 10);
        let strangers = triage.strangers();
        assert_eq!((strangers.shares, strangers.senders()), (990, 2));
        assert_eq!(strangers.samples().count(), 10);
    });
}

fn message(strangers: Vec<Invitation>, day: &str) -> domain::notification::Notification {
    sorted(strangers, 100, |triage| {
        let of_day = StrangersOfDay {
            receiver: &dev(),
            region: &region(),
            day,
            strangers: triage.strangers(),
            rejects: false,
            before: Some((17, "2026-01-04")),
        };
        strangers_notification(&policy(), &of_day)
    })
}

#[test]
fn a_stranger_cannot_write_into_a_subject_nor_lines_into_a_message() {
    let name = "pipeshare-x\r\nYour session has expired.\nSign in at \u{202e}https://evil.example";
    let notification = message(vec![invitation(1, name, "666666666666")], "2026-01-05");
    assert_eq!(notification.subject, "Invitations of strangers in dev");
    for line in notification.text.lines() {
        assert!(!line.starts_with("Your session"), "{line}");
        assert!(!line.contains(['\r', '\u{202e}']), "{line}");
    }
    let quoted = r#""pipeshare-x Your session has expired. Sign in at"#;
    assert!(notification.text.contains(quoted), "{}", notification.text);
    assert!(
        !notification.text.contains("evil.example"),
        "{}",
        notification.text
    );
    let long = format!("pipeshare-{}", "x".repeat(5000));
    let notification = message(vec![invitation(1, &long, "666666666666")], "2026-01-05");
    assert!(notification.text.len() < 1500, "{}", notification.text);

    let mut ours = invitation(1, name, "222222222222");
    ours.receiver = dev();
    let fate = Fate {
        was_rejected: false,
        is_last_of_day: false,
    };
    let notification =
        refusal_notification(&policy(), &region(), &ours, &Refusal::UnknownRule, fate);
    assert_eq!(
        notification.subject,
        "Invitation from test left alone in dev"
    );
    assert!(
        !notification.text.contains("\nYour session"),
        "{}",
        notification.text
    );
}

#[test]
fn there_is_one_message_about_strangers_for_an_account_and_a_day() {
    let some = |range: std::ops::Range<usize>| {
        range
            .map(|number| invitation(number, OURS, "666666666666"))
            .collect::<Vec<_>>()
    };
    let (first, later) = (message(some(0..3), "d"), message(some(5..1000), "d"));
    assert_eq!(first.id, later.id);
    assert_ne!(first.id, message(some(0..3), "e").id);
    assert!(later.text.contains("has 995 invitations"), "{}", later.text);
    assert!(later.text.contains("and 985 more"), "{}", later.text);
    let before = "On 2026-01-04 there were 17 such invitations in all.";
    assert!(later.text.contains(before), "{}", later.text);
}

#[test]
fn a_refusal_is_news_when_something_else_is_inside_though_ten_are_shown() {
    let refused = |count: usize| {
        let resources = (0..count)
            .map(|number| format!("arn:{number:03}"))
            .collect();
        let refusal = Refusal::TooMuch { resources };
        let fate = Fate {
            was_rejected: false,
            is_last_of_day: count == 12,
        };
        let ours = invitation(1, OURS, "222222222222");
        refusal_notification(&policy(), &region(), &ours, &refusal, fate)
    };
    assert_ne!(refused(11).id, refused(12).id);
    assert_eq!(refused(11).id, refused(11).id);
    let text = refused(12).text;
    assert!(text.contains("\"arn:009\" and 2 more"), "{text}");
    assert!(text.contains("last message of the day"), "{text}");
    let shown = &refused(12).detail["refusal"]["resources"];
    assert_eq!(shown.as_array().unwrap().len(), 10);
}

proptest! {
    /// Whatever strangers send and in whatever order RAM lists it, what a rule
    /// names is there, all of it, first, and what is kept of the rest is bounded.
    #[test]
    fn strangers_displace_nothing(
        items in proptest::collection::vec(
            (
                0..40_usize,
                proptest::sample::select(vec![
                    OURS, "pipeshare-more.111111111111", "pipeshare-readers.333333333333",
                    "pipeshare-", "images",
                ]),
                proptest::sample::select(vec![
                    "222222222222", "333333333333", "666666666666", "777777777777",
                ]),
            ),
            0..300,
        ),
    ) {
        let is_ours = |invitation: &&Invitation| matches!(
            (invitation.share_name.as_str(), invitation.sender.as_str()),
            (OURS, "222222222222") | ("pipeshare-more.111111111111", "333333333333")
        );
        let all: Vec<_> = items.iter().map(|(number, name, sender)| invitation(*number, name, sender)).collect();
        let expected: Vec<_> = all.iter().filter(is_ours).cloned().collect();
        let count = all.len();
        sorted(all, 5, |triage| {
            let named = triage.named();
            let (first, rest) = named.split_at(expected.len());
            let first: BTreeSet<_> = arns(first.iter().copied()).into_iter().collect();
            let expected: BTreeSet<_> = arns(&expected).into_iter().collect();
            prop_assert_eq!(first, expected);
            prop_assert!(rest.len() <= 20);
            let strangers = triage.strangers();
            prop_assert!(strangers.rejectable().count() <= 5);
            prop_assert!(strangers.samples().count() <= 10);
            prop_assert_eq!(named.len() + strangers.invitations + triage.not_ours(), count);
            Ok(())
        })?;
    }

    /// However many shares there are, each is the first one before long.
    #[test]
    fn a_list_that_is_too_long_for_a_look_begins_somewhere_else_each_time(
        length in 33..400_usize,
        start in 0..4_000_000_000_i64,
    ) {
        let starts = (0..200).map(|run| {
            let time = jiff::Timestamp::from_second(start + run * 900).unwrap();
            beginning(length, time)
        });
        let starts: BTreeSet<_> = starts.collect();
        prop_assert!(starts.iter().all(|start| *start < length));
        prop_assert!(starts.len() >= length.min(200) / 3, "{} of {length}", starts.len());
        prop_assert_eq!(beginning(32, jiff::Timestamp::from_second(start).unwrap()), 0);
    }
}
