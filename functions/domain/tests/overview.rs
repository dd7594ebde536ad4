//! Who has access to which pipeline, and who waits for what.

use domain::{
    ceiling::Ceiling,
    overview::{AccessState, Level, PipelineAccess, of_account},
    policy::Policy,
    status::AssociationStatus,
};
use jiff::SignedDuration;
use model::{
    Model,
    policies::{EXECUTE, policy},
};

const OPEN: &str = "  - { name: members, owner: test, pipelines: ['*'], with: [dev], after: created }\n  \
- { name: partners, owner: test, pipelines: ['churn'], with: [partner], access: execute, after: created, until: 2027-03-31 }\n";

fn overview(model: &Model, policy: &Policy) -> Vec<PipelineAccess> {
    of_account(policy, &model.observe(policy), None)
}

/// Principal, rule, level and the state as people would name it.
fn lines(accesses: &[PipelineAccess]) -> Vec<String> {
    let mut lines = Vec::new();
    for access in accesses {
        for entry in &access.entries {
            let state = match &entry.state {
                AccessState::Held { .. } => "held".to_owned(),
                AccessState::Invited { .. } => "invited".to_owned(),
                AccessState::Gate(gate) => format!("gate {gate:?}"),
                AccessState::Ceiling(beyond) => format!("ceiling: {beyond}"),
                AccessState::Settling => "settling".to_owned(),
                AccessState::Failed { message } => format!("failed: {message:?}"),
            };
            let rule = entry.rule.as_ref().map_or("no rule", |rule| rule.as_str());
            let (name, level) = (access.pipeline.arn.name(), entry.level.as_str());
            lines.push(format!("{name} {} {rule} {level} {state}", entry.principal));
        }
    }
    lines
}

fn shared(rules: &str) -> (Model, Policy) {
    let mut model = Model::new();
    model.create_pipeline("train");
    model.create_pipeline("churn");
    let policy = policy(rules);
    model.converge(&policy);
    (model, policy)
}

#[test]
fn a_principal_is_invited_until_it_accepts_and_then_has_access_since_both_are_in_the_share() {
    let (mut model, policy) = shared(OPEN);
    let seen = overview(&model, &policy);
    assert_eq!(
        lines(&seen),
        [
            "churn 111111111111 members read held",
            "churn 444444444444 partners execute invited",
            "train 111111111111 members read held",
        ]
    );
    let invited = &seen[0].entries[1];
    let principal = model.share("pipeshare-partners.444444444444").unwrap();
    let at = principal.principals[0].created.unwrap();
    let twelve = SignedDuration::from_hours(12);
    assert_eq!(invited.state.ends(), at.checked_add(twelve).ok());
    assert_eq!(invited.until.as_ref().unwrap().to_string(), "2027-03-31");
    assert!(!invited.is_held());

    model.accept_all();
    let seen = overview(&model, &policy);
    let share = model.share("pipeshare-partners.444444444444").unwrap();
    let since = share.principals[0].created.max(share.resources[0].created);
    assert_eq!(seen[0].entries[1].state, AccessState::Held { since });
    assert_eq!(seen[0].entries[1].state.ends(), None);
    assert!(seen[0].entries[1].is_held());
}

#[test]
fn who_has_no_access_waits_for_the_ceiling_or_the_gate_or_the_next_reconciliation() {
    let rules = "  - { name: gated, owner: test, pipelines: ['churn'], with: [dev, shared], access: execute }\n";
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = policy(rules);
    let seen = overview(&model, &policy);
    assert_eq!(
        lines(&seen),
        [
            "churn 111111111111 gated execute gate Succeeded",
            "churn 333333333333 gated execute gate Succeeded",
        ]
    );
    let ceiling: Ceiling = r#"{ "allowedPrincipals": ["111111111111"], "allowedAccess": "execute",
        "allowedPermissions": [], "shareNamePrefix": "pipeshare-" }"#
        .parse()
        .unwrap();
    model.succeed("churn");
    let seen = of_account(&policy, &model.observe(&policy), Some(&ceiling));
    assert_eq!(
        lines(&seen),
        [
            "churn 111111111111 gated execute settling",
            "churn 333333333333 gated execute ceiling: principal 333333333333 is not among AllowedPrincipals",
        ]
    );
}

#[test]
fn what_ram_shows_counts_and_not_what_a_rule_wants() {
    let (mut model, policy) = shared(OPEN);
    let members = model
        .account
        .shares
        .iter_mut()
        .find(|it| it.name == "pipeshare-members");
    members.unwrap().permissions = vec![EXECUTE.parse().unwrap()];
    let seen = overview(&model, &policy);
    assert_eq!(seen[0].entries[0].level, Level::Execute);
    // No rule is left, and the share is not deleted yet.
    let nothing = model::policies::policy("  []\n");
    assert_eq!(
        lines(&overview(&model, &nothing)),
        [
            "churn 111111111111 no rule execute held",
            "train 111111111111 no rule execute held",
        ]
    );
    for share in &mut model.account.shares {
        share.live = false;
    }
    assert!(overview(&model, &nothing).is_empty());
}

#[test]
fn access_to_an_earlier_pipeline_of_the_name_is_none_to_this_one() {
    let (mut model, policy) = shared(OPEN);
    model.recreate_pipeline("train");
    let seen = overview(&model, &policy);
    assert_eq!(lines(&seen)[2], "train 111111111111 members read settling");
}

#[test]
fn what_ram_refuses_is_a_failure_with_its_words_and_what_ended_is_none() {
    let (mut model, policy) = shared(OPEN);
    for share in &mut model.account.shares {
        for principal in &mut share.principals {
            principal.status = AssociationStatus::Failed;
            principal.message = Some("=no".to_owned());
        }
    }
    let failed = "failed: Some(\"=no\")";
    let seen = lines(&overview(&model, &policy));
    assert!(seen.iter().all(|line| line.ends_with(failed)), "{seen:?}");
    for share in &mut model.account.shares {
        for principal in &mut share.principals {
            principal.status = AssociationStatus::Disassociated;
        }
    }
    let seen = lines(&overview(&model, &policy));
    assert!(
        seen.iter().all(|line| line.ends_with("settling")),
        "{seen:?}"
    );
}

#[test]
fn access_that_a_share_of_another_tag_gives_is_named_as_given_by_no_rule() {
    let (mut model, policy) = shared(OPEN);
    model.accept_all();
    for share in &mut model.account.shares {
        share.rule = Some("somebody-elses".to_owned());
    }
    let seen = lines(&overview(&model, &policy));
    assert_eq!(
        seen,
        [
            "churn 111111111111 members read settling",
            "churn 444444444444 partners execute settling",
            "churn 111111111111 no rule read held",
            "churn 444444444444 no rule execute held",
            "train 111111111111 members read settling",
            "train 111111111111 no rule read held",
        ]
    );
}
