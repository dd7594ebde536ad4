//! What people do by hand, what time does, and what RAM limits: it converges, and says so.

use std::collections::BTreeSet;

use domain::{
    policy::Policy,
    sharing::{Association, Call, MAX_INVITATIONS, Plan, Quota, QuotaUse, Reason},
    status::AssociationStatus::{Associated, Associating, Disassociated, Disassociating},
};
use jiff::Timestamp;
use model::{Model, policies::policy};

const OUTSIDER: &str = "666666666666";
const PARTNER: &str = "444444444444";
const PARTNERS: &str = "pipeshare-readers.444444444444";

fn readers(with: &str) -> Policy {
    policy(&format!(
        "  - {{ name: readers, owner: test, pipelines: ['*'], with: {with}, after: created }}\n"
    ))
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps().iter().map(ToString::to_string).collect()
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.steps().iter().map(|step| step.reason).collect()
}

fn texts(plan: &Plan) -> Vec<String> {
    plan.alerts().into_iter().map(|alert| alert.text).collect()
}

/// An account that shares `churn`, and everybody has accepted.
fn sharing(policy: &Policy) -> Model {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(policy);
    model.accept_all();
    model
}

fn associated(entity: &str, now: Timestamp) -> Association {
    Association {
        entity: entity.to_owned(),
        status: Associated,
        message: None,
        created: Some(now),
        updated: Some(now),
    }
}

/// Who has access now, by name of account.
fn holders(model: &Model) -> BTreeSet<String> {
    let grants = model.grants().into_iter();
    grants.map(|(principal, ..)| principal).collect()
}

#[test]
fn a_share_that_is_gone_without_a_trace_is_made_again() {
    let policy = readers("[dev]");
    let mut model = sharing(&policy);
    // RAM lists it no longer, and has not forgotten its token.
    model.shares.clear();
    model.pass_hours(3);
    model.converge(&policy);
    assert_eq!(model.share_names(), ["pipeshare-readers"]);
    assert_eq!(model.grants().len(), 1);
}

#[test]
fn a_share_that_was_renamed_within_its_rule_and_deleted_is_made_again_at_once() {
    let policy = readers("[dev]");
    let mut model = sharing(&policy);
    model.shares[0].name = "pipeshare-readers.2".to_owned();
    model.converge(&policy);
    assert_eq!(model.share_names(), ["pipeshare-readers.2"], "it serves");
    model.shares[0].live = false;
    model.converge(&policy);
    assert_eq!(model.share_names(), ["pipeshare-readers"]);
    assert_eq!(model.grants().len(), 1);
}

#[test]
fn a_share_under_a_name_that_serves_others_is_made_again_at_once() {
    let policy = readers("[dev, partner, bank]");
    let names = [
        PARTNERS,
        "pipeshare-readers.555555555555",
        "pipeshare-readers",
    ];
    for (from, to) in names.into_iter().zip(names.into_iter().cycle().skip(1)) {
        let mut model = sharing(&policy);
        let before = holders(&model);
        let mut shares = model.shares.iter_mut();
        shares.find(|share| share.name == from).unwrap().name = to.to_owned();
        model.converge(&policy);
        model.accept_all();
        model.converge(&policy);
        assert_eq!(holders(&model), before, "{from} renamed to {to}");
        let made: BTreeSet<_> = model.share_names().into_iter().collect();
        assert_eq!(made.len(), 3, "{made:?}");
    }
}

#[test]
fn a_share_that_lost_its_tag_is_replaced_and_made_again_once_it_is_deleted() {
    let policy = readers("[dev]");
    let mut model = sharing(&policy);
    model.shares.clear();
    model.pass_hours(1);
    model.converge(&policy);
    assert_eq!(model.grants().len(), 1);
}

#[test]
fn a_withdrawal_does_not_wait_for_an_outsider_whom_somebody_let_in() {
    let mut model = sharing(&readers("[dev, shared]"));
    model.let_in("pipeshare-readers", OUTSIDER);
    let narrowed = readers("[dev]");
    model.create_pipeline("fraud");
    let plan = model.plan(&narrowed);
    assert_eq!(reasons(&plan)[0], Reason::PendingInvitation);
    let create = |step: &domain::sharing::Step| matches!(step.call, Call::Create(_));
    assert!(plan.steps().iter().any(create), "in the same plan");
    let text = texts(&plan).pop().unwrap();
    assert!(
        text.contains("somebody let \"666666666666\" into"),
        "{text}"
    );
    // One reconciliation is enough: nobody but dev has access, to both pipelines.
    model.execute(&plan);
    assert_eq!(holders(&model), BTreeSet::from(["111111111111".to_owned()]));
    assert_eq!(model.grants().len(), 2);
    model.settle();
    model.converge(&narrowed);
    assert_eq!(model.share_names(), ["pipeshare-readers"]);
    assert_eq!(texts(&model.plan(&narrowed)), [""; 0]);
}

#[test]
fn an_outsider_in_a_consumers_share_ends_it_and_the_consumer_is_invited_anew() {
    let policy = readers("[partner]");
    let mut model = sharing(&policy);
    model.let_in(PARTNERS, OUTSIDER);
    let plan = model.plan(&policy);
    assert_eq!(plan.let_in[0].principal, OUTSIDER);
    assert_eq!(plan.offered.len(), 1, "again");
    model.execute(&plan);
    model.settle();
    model.converge(&policy);
    assert_eq!(holders(&model), BTreeSet::from([PARTNER.to_owned()]));
    // Whoever is in already is taken out, and the share stays.
    model.accept_all();
    let outsider = associated(OUTSIDER, model.time());
    let share = model.shares.iter_mut().find(|share| share.live);
    share.unwrap().principals.push(outsider);
    let plan = model.plan(&policy);
    assert_eq!(reasons(&plan), [Reason::PrincipalNotNamed]);
    assert_eq!(plan.let_in.len(), 1);
    model.converge(&policy);
    assert_eq!(holders(&model), BTreeSet::from([PARTNER.to_owned()]));
}

#[test]
fn what_a_renamed_rule_leaves_goes_soon_after_its_successor_is_accepted() {
    let named = |rule: &str| {
        policy(&format!(
            "  - {{ name: {rule}, owner: test, pipelines: ['*'], with: [partner], after: created }}\n"
        ))
    };
    let (before, after) = (named("readers"), named("viewers"));
    let mut model = sharing(&before);
    model.execute(&model.plan(&after));
    model.settle();
    // Nothing else would lead to another look before the schedule.
    let plan = model.plan(&after);
    assert_eq!((steps(&plan), plan.unsettled), (vec![], true));
    model.accept_all();
    assert_eq!(reasons(&model.plan(&after))[0], Reason::RuleGone);
    // Whoever accepts by hand keeps nobody busy.
    let mut model = sharing(&before);
    model.execute(&model.plan(&after));
    model.settle();
    model.pass_hours(1);
    let plan = model.plan(&after);
    assert_eq!((steps(&plan), plan.unsettled), (vec![], false));
}

#[test]
fn a_withdrawal_waits_for_ram_for_a_quarter_of_an_hour_and_no_longer() {
    let mut model = sharing(&readers("[dev, shared]"));
    let narrowed = readers("[dev]");
    let now = model.now();
    model.shares[0].resources[0].status = Associating;
    model.shares[0].resources[0].updated = Some(now);
    let plan = model.plan(&narrowed);
    assert_eq!((steps(&plan), plan.unsettled), (vec![], true));
    assert_eq!(plan.problems, []);
    model.pass_hours(1);
    let plan = model.plan(&narrowed);
    assert_eq!(reasons(&plan)[0], Reason::PendingInvitation);
    model.execute(&plan);
    assert_eq!(holders(&model), BTreeSet::from(["111111111111".to_owned()]));
    model.settle();
    model.converge(&narrowed);
}

#[test]
fn what_has_to_leave_and_gives_nothing_waits_for_an_invitation() {
    let policy = readers("[partner]");
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(&policy);
    model.delete_pipeline("fraud");
    assert_eq!(steps(&model.plan(&policy)), [""; 0]);
}

#[test]
fn what_has_to_leave_and_gives_nothing_keeps_nothing_else_out() {
    // Whoever is invited takes their time, or RAM does.
    for with in ["[partner]", "[dev]"] {
        let policy = readers(with);
        let mut model = Model::new();
        model.create_pipeline("fraud");
        model.converge(&policy);
        let now = model.now();
        if with == "[dev]" {
            model.shares[0].resources[0].status = Associating;
            model.shares[0].resources[0].updated = Some(now);
        }
        model.delete_pipeline("fraud");
        model.pass_hours(1);
        model.create_pipeline("churn");
        let plan = model.plan(&policy);
        assert_eq!(reasons(&plan), [Reason::PipelineCreated], "{with}");
        model.execute(&plan);
        // And it leaves as soon as it can.
        model.accept_all();
        model.settle();
        model.converge(&policy);
        let left = &model.shares[0].resources;
        let left = left.iter().filter(|it| it.status.is_present());
        let left: Vec<_> = left.map(|it| it.entity.as_str()).collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(left[0].ends_with("/churn"), "{left:?}");
    }
}

#[test]
fn what_is_under_way_for_longer_than_ram_takes_is_an_alert() {
    let policy = readers("[dev, partner]");
    let mut model = sharing(&policy);
    let problem = |model: &Model| {
        let plan = model.plan(&policy);
        let of = plan.problems.iter();
        let of = of.map(|it| (it.share.clone(), it.entity.clone(), it.status.clone()));
        (of.collect::<Vec<_>>(), plan.unsettled)
    };
    let now = model.now();
    let mut leaving = model.shares[0].principals[0].clone();
    leaving.entity = "333333333333".to_owned();
    leaving.status = Disassociating;
    leaving.updated = Some(now);
    model.shares[0].principals.push(leaving);
    let partners = model.shares.iter().position(|it| it.name == PARTNERS);
    let partners = partners.unwrap();
    model.shares[partners].principals[0].status = Associating;
    model.shares[partners].principals[0].updated = Some(now);
    assert_eq!(problem(&model), (vec![], true));
    model.pass_hours(2);
    let member = (
        "pipeshare-readers".to_owned(),
        "333333333333".to_owned(),
        Disassociating,
    );
    assert_eq!(problem(&model), (vec![member.clone()], false));
    // An invitation has twelve hours, and one for RAM to end it.
    model.pass_hours(10);
    assert_eq!(problem(&model).0, std::slice::from_ref(&member));
    model.pass_hours(2);
    let invited = (PARTNERS.to_owned(), PARTNER.to_owned(), Associating);
    assert_eq!(problem(&model).0, [member, invited]);
    let plan = model.plan(&policy);
    let text = plan.problems[0].alert().text;
    assert!(text.contains("is DISASSOCIATING: it has been so since 2026-"));
    // Without a time nothing is said to last.
    let mut observed = model.observe(&policy);
    observed.at = None;
    assert_eq!(domain::sharing::plan(&policy, 1, &observed).problems, []);
}

#[test]
fn an_empty_share_stays_for_a_month_and_one_without_anybody_for_an_hour() {
    let policy = readers("[partner]");
    let mut model = sharing(&policy);
    model.delete_pipeline("churn");
    model.converge(&policy);
    model.pass_hours(29 * 24);
    assert_eq!(steps(&model.plan(&policy)), [""; 0]);
    // The next pipeline needs no invitation.
    let mut again = model.clone();
    again.create_pipeline("fraud");
    assert_eq!(reasons(&again.plan(&policy)), [Reason::PipelineCreated]);
    model.pass_hours(2 * 24);
    assert_eq!(reasons(&model.plan(&policy)), [Reason::Unused]);
    model.converge(&policy);
    assert_eq!(model.share_names(), [""; 0]);
    model.create_pipeline("fraud");
    model.converge(&policy);
    assert_eq!(model.share_names(), [PARTNERS]);

    // Nobody has accepted it, and its invitation is over.
    model.delete_pipeline("fraud");
    model.accept_all();
    model.converge(&policy);
    let now = model.now();
    let shares = model.shares.iter_mut().filter(|share| share.live);
    for principal in shares.flat_map(|share| &mut share.principals) {
        principal.status = Disassociated;
        principal.updated = Some(now);
    }
    assert_eq!(steps(&model.plan(&policy)), [""; 0]);
    model.pass_hours(2);
    assert_eq!(reasons(&model.plan(&policy)), [Reason::Unused]);
}

/// A rule for so many accounts that must accept.
fn crowd(number: usize) -> Policy {
    let with: Vec<_> = (0..number)
        .map(|it| format!("'{:012}'", 700_000_000_000 + it))
        .collect();
    readers(&format!("[{}]", with.join(", ")))
}

#[test]
fn no_more_are_invited_than_ram_lets_be_pending_and_the_rest_follow() {
    let policy = crowd(MAX_INVITATIONS + 50);
    let mut model = Model::new();
    model.create_pipeline("churn");
    let plan = model.plan(&policy);
    assert_eq!(plan.created().count(), MAX_INVITATIONS);
    assert_eq!(plan.offered.len(), MAX_INVITATIONS);
    assert_eq!(plan.uninvited.len(), 50);
    assert_eq!(texts(&plan), [""; 0], "there may be room soon");
    model.converge(&policy);
    assert_eq!(holders(&model).len(), MAX_INVITATIONS);
    model.pass_hours(2);
    let plan = model.plan(&policy);
    assert!(texts(&plan)[0].contains("50 accounts wait to be invited"));
    // Once ten have accepted, ten are invited.
    let accepted = model.shares.iter_mut().take(10);
    for principal in accepted.flat_map(|share| &mut share.principals) {
        principal.status = Associated;
    }
    assert_eq!(model.plan(&policy).created().count(), 10);
    model.converge(&policy);
    model.accept_all();
    model.converge(&policy);
    assert_eq!(holders(&model).len(), MAX_INVITATIONS + 50);
    assert_eq!(model.plan(&policy).uninvited, []);
}

#[test]
fn those_who_never_accept_keep_nobody_else_out() {
    let policy = crowd(MAX_INVITATIONS + 50);
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&policy);
    let first = holders(&model);
    model.expire_invitations();
    let plan = model.plan(&policy);
    assert_eq!(
        plan.created().count(),
        50,
        "who was never invited comes first"
    );
    assert_eq!(plan.expired.len(), MAX_INVITATIONS - 50);
    assert_eq!(plan.uninvited.len(), 50);
    assert_eq!(plan.offered.len(), MAX_INVITATIONS);
    model.converge(&policy);
    let again = holders(&model);
    assert_eq!(again.len(), MAX_INVITATIONS);
    // Then those whose last invitation is the oldest.
    model.expire_invitations();
    model.converge(&policy);
    let waited: BTreeSet<_> = first.difference(&again).cloned().collect();
    assert_eq!(waited.len(), 50);
    assert!(waited.is_subset(&holders(&model)));
}

#[test]
fn quotas_are_told_before_they_are_reached() {
    let policy = readers("[dev]");
    let mut model = sharing(&policy);
    // One that somebody renamed is not touched, and counts.
    let mut large = model.shares[0].clone();
    large.arn = format!("{}-large", large.arn).parse().unwrap();
    large.name = "mine".to_owned();
    large.resources = (0..19_998)
        .map(|number| associated(&number.to_string(), large.created))
        .collect();
    model.shares.push(large);
    assert_eq!(model.plan(&policy).quotas, []);
    model.create_pipeline("fraud");
    let near = QuotaUse {
        quota: Quota::Resources,
        used: 20_000,
    };
    let plan = model.plan(&policy);
    assert_eq!(plan.quotas, std::slice::from_ref(&near));
    let text = texts(&plan).pop().unwrap();
    let expected = "uses 20000 of the 25000 resource associations";
    assert!(text.contains(expected), "{text}");
    model.execute(&plan);
    assert_eq!(model.plan(&policy).quotas, [near], "as long as it lasts");
}

/// A share whose first part holds `churn` and whose second part holds `fraud`.
fn in_two_parts(policy: &Policy) -> Model {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(policy);
    model.accept_all();
    let mut second = model.shares[0].clone();
    let id = format!("{}-2", second.arn);
    second.arn = id.parse().expect("an ARN");
    second.name.push_str(".2");
    second.resources.remove(0);
    model.shares[0].resources.remove(1);
    model.shares.push(second);
    model
}

#[test]
fn parts_that_have_become_needless_are_merged_and_nobody_loses_access() {
    for with in ["[dev]", "[partner]"] {
        let policy = readers(with);
        let mut model = in_two_parts(&policy);
        let plan = model.plan(&policy);
        assert_eq!(reasons(&plan), [Reason::PipelineCreated], "{with}");
        assert!(!plan.steps()[0].share.ends_with(".2"), "{with}");
        model.execute(&plan);
        assert_eq!(steps(&model.plan(&policy)), [""; 0], "RAM is at it");
        model.settle();
        let plan = model.plan(&policy);
        assert_eq!(reasons(&plan), [Reason::Merged], "{with}");
        model.converge(&policy);
        assert_eq!(model.share_names().len(), 1);
        assert_eq!(model.grants().len(), 2, "{with}");
    }
}

#[test]
fn parts_without_room_to_spare_are_not_merged() {
    let policy = readers("[dev]");
    let mut model = in_two_parts(&policy);
    for number in 0..4_499 {
        let name = format!("p-{number}");
        model.create_pipeline(&name);
        let arn = model.pipeline(&name).unwrap().arn.clone();
        let now = model.time();
        model.shares[0]
            .resources
            .push(associated(arn.as_str(), now));
    }
    assert_eq!(steps(&model.plan(&policy)), [""; 0]);
    model.delete_pipeline("p-17");
    let gone = reasons(&model.plan(&policy));
    assert_eq!(gone, [Reason::PipelineGone, Reason::PipelineCreated]);
}

#[test]
fn a_part_that_holds_too_much_is_narrowed_before_it_is_merged() {
    let policy = readers("[dev]");
    let mut model = in_two_parts(&policy);
    model.shares[1].principals[0].entity = "333333333333".to_owned();
    let plan = model.plan(&policy);
    assert_eq!(reasons(&plan)[0], Reason::PrincipalNotNamed);
    model.execute(&plan);
    model.settle();
    model.converge(&policy);
    assert_eq!(model.share_names(), ["pipeshare-readers"]);
    assert_eq!(holders(&model), BTreeSet::from(["111111111111".to_owned()]));
}
