//! What a plan says of access: who gains, who loses, and what only looks like a change.

use std::collections::BTreeSet;

use domain::{
    ceiling::Ceiling,
    policy::Policy,
    sharing::{Changes, Comparison, Counts, Kind, Reason, changes},
};
use model::{
    Model,
    policies::{READ, policy},
};
use proptest::{prelude::*, sample::subsequence};

const READERS: &str =
    "  - { name: readers, owner: test, pipelines: ['*'], with: [dev], after: created }\n";

const NOTHING: &str = "  []\n";

/// What would become of access if the second policy took the place of the first.
fn compared(model: &Model, before: &Policy, after: &Policy) -> Changes {
    let observed = model.observe(after);
    let comparison = Comparison {
        before,
        after,
        generation: 1,
        observed: &observed,
    };
    changes(comparison, |_| None)
}

/// An account with these pipelines, shared by these rules and accepted by everybody.
fn shared(rules: &str, pipelines: &[&str]) -> Model {
    let mut model = Model::new();
    for name in pipelines {
        model.create_pipeline(name);
    }
    model.converge(&policy(rules));
    model.accept_all();
    model.converge(&policy(rules));
    model
}

/// Each change as a line.
fn lines(changes: &Changes) -> Vec<String> {
    let held = |held: &[domain::sharing::Held]| {
        let held = held.iter().map(|it| {
            let pending = if it.pending { "?" } else { "" };
            format!("{}{pending}", it.access)
        });
        held.collect::<Vec<_>>().join("+")
    };
    let line = |change: &domain::sharing::Change| {
        let who = change.name.as_ref().unwrap_or(&change.principal);
        let rules: Vec<_> = change.rules.iter().map(|it| it.name.as_str()).collect();
        format!(
            "{:?} {who} {}: {} > {} by {}",
            change.change,
            change.pipelines.join(","),
            held(&change.before),
            held(&change.after),
            rules.join(",")
        )
    };
    changes.changes.iter().map(line).collect()
}

#[test]
fn who_gains_is_named_once_for_all_pipelines_with_the_rule_and_its_reason() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    let rules = "  - { name: readers, owner: test, pipelines: ['*'], with: [dev, partner], \
        after: created, until: 2099-12-31, why: an audit }\n";
    let found = compared(&model, &policy(NOTHING), &policy(rules));
    assert_eq!(
        lines(&found),
        [
            "Gain dev churn,fraud:  > read by readers",
            "Gain partner churn,fraud:  > read? by readers",
        ]
    );
    let note = &found.changes[0].rules[0];
    assert_eq!(note.why.as_deref(), Some("an audit"));
    assert_eq!(note.until.as_deref(), Some("2099-12-31"));
    let counts = Counts {
        grants: 4,
        ..Counts::default()
    };
    assert_eq!(found.counts, counts);
    assert_eq!(
        found.shares,
        ["pipeshare-readers", "pipeshare-readers.444444444444"]
    );
    assert_eq!(found.invitations[0].consumer.as_str(), "444444444444");
    assert_eq!(found.pending_invitations, 1);
}

#[test]
fn who_loses_is_told_why_and_by_which_rule_there_was_access() {
    let before = "  - { name: readers, owner: test, pipelines: ['*'], with: [dev, shared, partner], \
        after: created, why: an audit }\n";
    let model = shared(before, &["churn", "fraud"]);
    let narrower = before
        .replace(", shared, partner", ", partner")
        .replace("['*']", "['c*']");
    let found = compared(&model, &policy(before), &policy(&narrower));
    assert_eq!(
        lines(&found),
        [
            "Loss dev fraud: read >  by readers",
            "Loss shared churn,fraud: read >  by readers",
            "Loss partner fraud: read >  by readers",
        ]
    );
    let reasons: Vec<_> = found.changes.iter().map(|it| it.reason.unwrap()).collect();
    let expected = [
        Reason::NotInRule,
        Reason::PrincipalNotNamed,
        Reason::NotInRule,
    ];
    assert_eq!(reasons, expected);
    // The rule is gone, and what it said of itself is known from the policy in force.
    let found = compared(&model, &policy(before), &policy(NOTHING));
    assert_eq!(found.counts.withdrawals, 6);
    for change in &found.changes {
        assert_eq!(change.reason, Some(Reason::RuleGone));
        assert_eq!(change.rules[0].why.as_deref(), Some("an audit"));
    }
}

#[test]
fn another_access_is_a_change_and_one_that_includes_another_is_not_two() {
    let model = shared(READERS, &["churn"]);
    let runners = READERS.replace("after", "access: execute, after");
    let found = compared(&model, &policy(READERS), &policy(&runners));
    assert_eq!(
        lines(&found),
        ["Change dev churn: read > execute by readers"]
    );
    assert_eq!(found.counts.changes, 1);

    let both = format!("{READERS}{}", runners.replace("readers", "runners"));
    let found = compared(&model, &policy(READERS), &policy(&both));
    assert_eq!(
        lines(&found),
        ["Change dev churn: read > execute by runners"]
    );
    let model = shared(&both, &["churn"]);
    let found = compared(
        &model,
        &policy(&both),
        &policy(&runners.replace("readers", "runners")),
    );
    assert_eq!(lines(&found), [""; 0], "execute is left, which may read");
}

#[test]
fn what_is_renamed_or_moved_to_another_share_is_no_change() {
    for with in ["[dev]", "[partner]", "[dev, shared, partner]"] {
        let before = READERS.replace("[dev]", with);
        let model = shared(&before, &["churn", "fraud"]);
        let renamed = before.replace("readers", "viewers");
        let found = compared(&model, &policy(&before), &policy(&renamed));
        assert_eq!(lines(&found), [""; 0], "{with}");
        assert_eq!(found.counts, Counts::default());
        assert!(!found.shares.is_empty());
        let invited = usize::from(with.contains("partner"));
        assert_eq!(found.invitations.len(), invited, "{with}");
    }
}

#[test]
fn an_invitation_that_is_pending_is_not_yet_access() {
    let rules = READERS.replace("[dev]", "[partner]");
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&policy(&rules));
    let same = compared(&model, &policy(&rules), &policy(&rules));
    assert_eq!(lines(&same), [""; 0]);
    assert_eq!((same.invitations.len(), same.pending_invitations), (0, 1));
    let none = compared(&model, &policy(&rules), &policy(NOTHING));
    assert_eq!(lines(&none), ["Loss partner churn: read? >  by readers"]);
}

#[test]
fn nobody_loses_access_to_a_pipeline_that_is_gone() {
    let mut model = shared(READERS, &["churn", "fraud"]);
    model.delete_pipeline("fraud");
    let found = compared(&model, &policy(READERS), &policy(READERS));
    assert_eq!(lines(&found), [""; 0]);
    // What was associated with the pipeline before it gives nothing of the new one.
    model.recreate_pipeline("churn");
    let found = compared(&model, &policy(READERS), &policy(READERS));
    assert_eq!(lines(&found), ["Gain dev churn:  > read by readers"]);
}

#[test]
fn what_a_ceiling_refuses_is_counted_apart() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let ceiling: Ceiling = r#"{ "allowedPrincipals": ["111111111111"], "allowedAccess": "read",
        "allowedPermissions": [], "shareNamePrefix": "pipeshare-" }"#
        .parse()
        .unwrap();
    let rules = format!(
        "{READERS}  - {{ name: partners, owner: test, pipelines: ['*'], with: [partner], after: created }}\n"
    );
    let policy = policy(&rules);
    let observed = model.observe(&policy);
    let comparison = Comparison {
        before: &Policy::default(),
        after: &policy,
        generation: 1,
        observed: &observed,
    };
    let found = changes(comparison, |step| {
        ceiling.refuses(step).map(|it| it.to_string())
    });
    assert_eq!((found.counts.grants, found.counts.refused), (1, 1));
    let refused = found.changes.iter().find_map(|it| it.refused_by.as_deref());
    let why = "principal 444444444444 is not among AllowedPrincipals";
    assert_eq!(refused, Some(why));
}

const POOL: [&str; 5] = [
    READERS,
    "  - { name: partners, owner: test, pipelines: ['*'], with: [partner, bank], after: created }\n",
    "  - { name: runners, owner: test, pipelines: ['churn'], with: [dev, partner], access: execute, after: created }\n",
    "  - { name: gated, owner: test, pipelines: ['*'], with: [shared], after: succeeded }\n",
    "  - { name: roles, owner: test, pipelines: ['f*'], with: ['arn:aws:iam::111111111111:role/engineer'], after: created }\n",
];

fn rules() -> impl Strategy<Value = String> {
    (
        subsequence(POOL.to_vec(), 0..=POOL.len()),
        any::<[bool; 3]>(),
    )
        .prop_map(|(rules, [execute, renamed, narrower])| {
            let mut text = rules.concat();
            if text.is_empty() {
                NOTHING.clone_into(&mut text);
            }
            if execute {
                text = text.replace("[dev], after", "[dev], access: execute, after");
            }
            if renamed {
                text = text.replace("name: partners", "name: others");
            }
            if narrower {
                text = text.replace("['*']", "['f*']");
            }
            text
        })
}

type Access = BTreeSet<(String, String, &'static str)>;

/// Who may do what.
fn access(model: &Model) -> Access {
    let grants = model.grants().into_iter();
    let access = grants.map(|(who, name, permission)| {
        let word = if permission == READ {
            "read"
        } else {
            "execute"
        };
        (who, name, word)
    });
    access.collect()
}

/// The same without the reading of those who may execute, or will once they accept.
fn without_doubles(access: &Access) -> Access {
    let is_double = |(who, name, word): &&(String, String, &'static str)| {
        *word == "read" && access.contains(&(who.clone(), name.clone(), "execute"))
    };
    let all = access.iter();
    all.filter(|it| !is_double(it)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The access before and the changes are the access that the policy means once it is applied.
    #[test]
    fn what_is_foreseen_is_what_the_policy_then_gives(
        before in rules(),
        after in rules(),
        succeeded in subsequence(vec!["churn", "fraud"], 0..=2),
        accepted in any::<bool>(),
    ) {
        let mut model = Model::new();
        for name in ["churn", "fraud", "other"] {
            model.create_pipeline(name);
        }
        for name in succeeded {
            model.succeed(name);
        }
        let (before, after) = (policy(&before), policy(&after));
        model.converge(&before);
        if accepted {
            model.accept_all();
            model.converge(&before);
        }
        let found = compared(&model, &before, &after);
        let mut foreseen = access(&model);
        let mut sizes = Counts::default();
        for change in &found.changes {
            for pipeline in &change.pipelines {
                foreseen.retain(|(who, name, _)| (who, name) != (&change.principal, pipeline));
                let words = change.after.iter().map(|it| if it.access == "read" { "read" } else { "execute" });
                foreseen.extend(words.map(|word| (change.principal.clone(), pipeline.clone(), word)));
                match change.change {
                    Kind::Gain => sizes.grants += 1,
                    Kind::Change => sizes.changes += 1,
                    Kind::Loss => sizes.withdrawals += 1,
                }
            }
        }
        prop_assert_eq!(found.counts, sizes);
        model.converge(&after);
        prop_assert_eq!(without_doubles(&foreseen), without_doubles(&access(&model)));
    }
}
