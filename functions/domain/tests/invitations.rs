//! What is accepted, and above all what is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::{
    invitation::{
        Invitation, Receiver, Refusal, Resource, Verdict, judge, recognize_invitation,
        recognize_visible,
    },
    policy::Policy,
    status::InvitationStatus,
};
use proptest::prelude::*;

fn policy() -> Policy {
    Policy::parse(
        r#"
version: 1
organization: { id: o-example1234, ramSharing: true }
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
rules:
  - { name: readers, owner: test, pipelines: ["churn*"], except: ["churn-x"], with: [dev] }
  - name: operators
    owner: test
    pipelines: ["*"]
    with: ["arn:aws:iam::333333333333:role/engineer"]
    access: execute
  - { name: both, owner: test, pipelines: ["*"], with: [dev, shared] }
  - { name: all, owner: test, pipelines: ["*"], with: ["arn:aws:organizations::444444444444:organization/o-example1234"] }
"#,
    )
    .unwrap()
}

fn invitation(share_name: &str, sender: &str, receiver: &str) -> Invitation {
    Invitation {
        arn: format!("arn:aws:ram:eu-west-1:{sender}:resource-share-invitation/i")
            .parse()
            .unwrap(),
        share: format!("arn:aws:ram:eu-west-1:{sender}:resource-share/s")
            .parse()
            .unwrap(),
        share_name: share_name.to_owned(),
        sender: sender.parse().unwrap(),
        receiver: receiver.parse().unwrap(),
        status: InvitationStatus::Pending,
        sent: None,
    }
}

fn pipeline(account: &str, name: &str) -> Resource {
    Resource {
        arn: format!("arn:aws:sagemaker:eu-west-1:{account}:pipeline/{name}"),
        kind: "sagemaker:Pipeline".to_owned(),
        associated: None,
    }
}

fn verdict(invitation: &Invitation, inside: &[Resource]) -> Verdict {
    let region = "eu-west-1".parse().unwrap();
    let receiver = Receiver {
        account: &invitation.receiver,
        region: &region,
    };
    match recognize_invitation(&policy(), receiver, invitation) {
        Ok(rule) => judge(rule, &region, inside),
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

fn refusal(invitation: &Invitation, inside: &[Resource]) -> Refusal {
    match verdict(invitation, inside) {
        Verdict::Refuse(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

const OURS: &str = "pipeshare-readers.111111111111";

#[test]
fn what_the_rule_names_is_accepted_for_an_account_and_for_a_role_of_it() {
    let ours = invitation(OURS, "222222222222", "111111111111");
    let inside = [
        pipeline("222222222222", "churn"),
        pipeline("222222222222", "CHURN-2"),
    ];
    assert!(matches!(verdict(&ours, &inside), Verdict::Accept(rule) if rule.as_str() == "readers"));
    let role = invitation(
        "pipeshare-operators.333333333333",
        "222222222222",
        "333333333333",
    );
    assert!(matches!(verdict(&role, &inside), Verdict::Accept(_)));
}

#[test]
fn an_empty_share_is_not_accepted_but_waited_for() {
    let ours = invitation(OURS, "222222222222", "111111111111");
    assert_eq!(verdict(&ours, &[]), Verdict::Wait);
}

#[test]
fn a_stranger_under_a_trusted_name_is_refused() {
    let strange = invitation(OURS, "666666666666", "111111111111");
    let sender = "666666666666".parse().unwrap();
    let inside = [pipeline("222222222222", "churn")];
    assert_eq!(refusal(&strange, &inside), Refusal::WrongOwner { sender });
}

#[test]
fn a_sender_that_is_not_the_owner_of_the_share_is_refused() {
    let mut forged = invitation(OURS, "666666666666", "111111111111");
    forged.sender = "222222222222".parse().unwrap();
    assert!(matches!(refusal(&forged, &[]), Refusal::WrongOwner { .. }));
}

#[test]
fn a_share_that_holds_more_than_the_rule_is_refused_and_says_what() {
    let ours = invitation(OURS, "222222222222", "111111111111");
    let mut subnet = pipeline("222222222222", "churn");
    subnet.kind = "ec2:Subnet".to_owned();
    let mut elsewhere = pipeline("222222222222", "churn");
    elsewhere.arn = elsewhere.arn.replace("eu-west-1", "us-east-1");
    for excess in [
        pipeline("222222222222", "fraud"),
        pipeline("222222222222", "churn-x"),
        pipeline("666666666666", "churn"),
        pipeline("aws", "churn"),
        subnet,
        elsewhere,
        Resource {
            arn: "nonsense".to_owned(),
            kind: "sagemaker:Pipeline".to_owned(),
            associated: None,
        },
    ] {
        let resources = vec![excess.arn.clone()];
        let inside = [pipeline("222222222222", "churn"), excess];
        assert_eq!(refusal(&ours, &inside), Refusal::TooMuch { resources });
    }
}

#[test]
fn a_rule_that_is_not_in_force_is_not_accepted() {
    for name in [
        "pipeshare-writers.111111111111",
        "pipeshare-",
        "pipeshare-readers.x",
    ] {
        let unknown = invitation(name, "222222222222", "111111111111");
        assert_eq!(refusal(&unknown, &[]), Refusal::UnknownRule, "{name}");
    }
}

#[test]
fn an_account_that_the_rule_does_not_name_accepts_nothing() {
    let inside = [pipeline("222222222222", "churn")];
    for (name, receiver) in [
        ("pipeshare-readers.333333333333", "333333333333"),
        ("pipeshare-readers.111111111111", "333333333333"),
        ("pipeshare-operators.111111111111", "111111111111"),
        ("pipeshare-both.111111111111", "333333333333"),
    ] {
        let wrong = invitation(name, "222222222222", receiver);
        assert!(
            matches!(refusal(&wrong, &inside), Refusal::WrongConsumer { .. }),
            "{name}"
        );
    }
}

#[test]
fn what_comes_by_way_of_an_organization_is_recognized_but_its_invitation_is_not_accepted() {
    let seen = |name: &str, sender: &str| {
        let (sender, receiver) = (sender.parse().unwrap(), "333333333333".parse().unwrap());
        let policy = policy();
        let rule = recognize_visible(&policy, name, &sender, &receiver);
        rule.map(|rule| rule.name.to_string())
            .map_err(|refusal| refusal.code())
    };
    assert_eq!(seen("pipeshare-all", "222222222222"), Ok("all".to_owned()));
    assert_eq!(seen("pipeshare-all", "999999999999"), Err("wrong-owner"));
    let for_account = seen("pipeshare-all.333333333333", "222222222222");
    assert_eq!(for_account, Err("wrong-consumer"));
    let readers = seen("pipeshare-readers", "222222222222");
    assert_eq!(
        readers,
        Err("wrong-consumer"),
        "a rule without organization"
    );
    assert_eq!(
        seen("pipeshare-both", "222222222222"),
        Ok("both".to_owned())
    );

    let invitation = invitation("pipeshare-all", "222222222222", "333333333333");
    let inside = [pipeline("222222222222", "churn")];
    assert_eq!(refusal(&invitation, &inside).code(), "wrong-consumer");
}

#[test]
fn what_others_share_is_none_of_our_business() {
    let other = invitation("golden-images", "222222222222", "111111111111");
    assert_eq!(refusal(&other, &[]), Refusal::NotOurs);
    assert!(!Refusal::NotOurs.is_suspicious());
    assert!(Refusal::UnknownRule.is_suspicious());
}

proptest! {
    /// Deny by default: only the one sender, receiver and name that a rule
    /// describes is ever accepted, and only with the rule's pipelines inside.
    #[test]
    fn nothing_is_accepted_that_no_rule_describes(
        name in "(pipeshare-)?(readers|operators|Readers|x)(\\.(111111111111|333333333333))?(\\.2)?",
        sender in proptest::sample::select(vec!["111111111111", "222222222222", "666666666666"]),
        receiver in proptest::sample::select(vec!["111111111111", "333333333333", "222222222222"]),
        inside in proptest::collection::vec(
            (proptest::sample::select(vec!["222222222222", "666666666666"]), "(churn|churn-x|fraud)")
                .prop_map(|(account, name)| pipeline(account, &name)),
            0..3,
        ),
    ) {
        let invitation = invitation(&name, sender, receiver);
        if let Verdict::Accept(rule) = verdict(&invitation, &inside) {
            prop_assert_eq!(sender, "222222222222");
            let (expected, is_named): (_, fn(&str) -> bool) = match rule.as_str() {
                "readers" => ("111111111111", |arn| arn.ends_with("/churn")),
                _ => ("333333333333", |_| true),
            };
            prop_assert_eq!(receiver, expected);
            prop_assert!(!inside.is_empty());
            for resource in &inside {
                prop_assert!(resource.arn.contains(":222222222222:") && is_named(&resource.arn));
            }
        }
    }
}
