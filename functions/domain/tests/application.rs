//! How a plan is carried out when calls fail: what goes on, what does not, and what is reported.

use domain::{
    policy::Policy,
    sharing::{Application, Applied, NextCall, Plan, Reason, StepOutcome, should_requeue},
    status::AssociationStatus,
};
use model::{Model, OWNER, policies::policy};

fn readers(with: &str) -> Policy {
    policy(&format!(
        "  - {{ name: readers, owner: test, pipelines: ['*'], with: {with}, after: created }}\n"
    ))
}

/// What became of the steps, in a word each.
fn outcomes<E>(steps: &[Applied<E>]) -> Vec<&'static str> {
    let word = |step: &Applied<E>| match step.outcome {
        StepOutcome::Done(_) => "done",
        StepOutcome::Failed(_) => "failed",
        StepOutcome::Skipped => "skipped",
    };
    steps.iter().map(word).collect()
}

#[test]
fn the_steps_of_a_share_end_with_the_first_that_fails_and_those_of_others_go_on() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.failures.next("CreateResourceShare", "AccessDenied");
    let plan = model.plan(&readers("[partner, bank]"));
    let steps = model.apply(&plan);
    assert_eq!(
        outcomes(&steps),
        ["failed", "skipped", "skipped", "done", "done", "done"]
    );
    assert_eq!(model.share_names(), ["pipeshare-readers.555555555555"]);
}

#[test]
fn the_pipelines_and_the_principals_of_a_share_are_added_at_once() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    let mut application = Application::new(model.plan(&policy), true);
    let created = application.next();
    assert!(matches!(created[..], [NextCall::Create(_)]), "{created:?}");
    let outcome = model.answer(created[0]);
    application.record([outcome]);
    assert_eq!(application.next().len(), 2);
    // Where one fails, the other has been made, and nobody has anything yet.
    model.failures.next("AssociateResourceShare", "Throttling");
    model.carry_out(&mut application);
    assert_eq!(
        outcomes(&application.finish().1),
        ["done", "failed", "done"]
    );
    let steps = model.apply(&model.plan(&policy));
    assert_eq!(outcomes(&steps), ["done"]);
}

#[test]
fn what_only_takes_away_is_tried_whatever_failed_before() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(&readers("[dev, shared]"));
    let narrower = policy(
        "  - { name: readers, owner: test, pipelines: [churn, new], with: [dev], after: created }\n",
    );
    model.create_pipeline("new");
    model
        .failures
        .next("DisassociateResourceShare", "Throttling");
    let plan = model.plan(&narrower);
    let steps = model.apply(&plan);
    // The principal stays for now, the pipeline leaves, and nothing comes in.
    assert_eq!(outcomes(&steps), ["failed", "done", "skipped"]);
}

#[test]
fn a_share_is_not_handed_over_if_anything_of_its_rule_failed() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&readers("[dev]"));
    let mut old = model.shares[0].clone();
    old.arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/old")
        .parse()
        .unwrap();
    old.name = "pipeshare-readers.111111111111".to_owned();
    model.shares.push(old);
    model.create_pipeline("fraud");
    model.failures.next("AssociateResourceShare", "Throttling");
    let plan = model.plan(&readers("[dev]"));
    let steps = model.apply(&plan);
    assert_eq!(steps[1].step.reason, Reason::Moved);
    assert_eq!(outcomes(&steps), ["failed", "skipped"]);
    let plan = model.plan(&readers("[dev]"));
    assert_eq!(outcomes(&model.apply(&plan)), ["done", "done"]);
}

#[test]
fn nothing_is_given_before_it_is_on_record_what_it_is_given_for() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let plan = model.plan(&readers("[dev, partner]"));
    assert_eq!(plan.remember.len(), 1, "the account");
    let application = Application::<()>::new(plan.clone(), false);
    assert_eq!(application.next(), []);
    assert_eq!(application.offers(true), []);
    let steps = application.finish().1;
    assert_eq!(steps.len(), plan.steps().len());
    assert!(outcomes(&steps).iter().all(|outcome| *outcome == "skipped"));
}

#[test]
fn successes_that_were_just_proved_are_on_record_before_the_pipeline_is_shared() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.succeed("churn");
    let policy = policy(
        "  - { name: readers, owner: test, pipelines: ['*'], with: [dev], after: succeeded }\n",
    );
    let partitions =
        |plan: &Plan| -> Vec<String> { plan.remember.iter().map(|key| key.pk.clone()).collect() };
    assert_eq!(
        partitions(&model.plan(&policy)),
        ["owners", "gate|succeeded|222222222222"]
    );
    model.converge(&policy);
    model.items = model.observe(&policy).evidence;
    assert!(partitions(&model.plan(&policy)).is_empty());
}

#[test]
fn an_account_is_forgotten_once_it_shares_nothing_and_no_rule_names_it() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&readers("[dev]"));
    let nobody = policy("  []\n");
    assert_eq!(model.plan(&nobody).forget, [], "its share is still there");
    model.converge(&nobody);
    assert_eq!(model.plan(&nobody).forget.len(), 1);
    assert_eq!(model.plan(&nobody).forget[0].pk, "owners");
    assert_eq!(model.plan(&readers("[dev]")).forget, []);
}

#[test]
fn gates_of_pipelines_that_are_gone_are_forgotten() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.pass_hook("readers", "churn");
    assert_eq!(model.plan(&readers("[dev]")).forget, []);
    model.recreate_pipeline("churn");
    let forget = model.plan(&readers("[dev]")).forget;
    assert_eq!(forget.len(), 1);
    assert_eq!(forget[0].pk, "gate|hook|222222222222");
}

#[test]
fn who_was_invited_just_now_is_offered_the_share_and_on_schedule_whoever_has_not_accepted() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[partner]");
    let plan = model.plan(&policy);
    let mut application = Application::new(plan, true);
    assert_eq!(application.offers(true), [], "there is no share yet");
    model.carry_out(&mut application);
    let offers = application.offers(false);
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].share, model.shares[0].arn);
    assert_eq!(offers[0].consumer.as_str(), "444444444444");

    model.settle();
    let application = Application::<()>::new(model.plan(&policy), true);
    assert_eq!(application.offers(false), [], "it was offered before");
    assert_eq!(application.offers(true).len(), 1);
    model.accept_all();
    let application = Application::<()>::new(model.plan(&policy), true);
    assert_eq!(application.offers(true), []);
}

#[test]
fn a_share_of_which_a_step_failed_is_not_offered() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.failures.next("AssociateResourceShare", "Throttling");
    let mut application = Application::new(model.plan(&readers("[partner, bank]")), true);
    model.carry_out(&mut application);
    let offers = application.offers(true);
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].consumer.as_str(), "555555555555");
}

#[test]
fn a_pipeline_may_have_come_in_by_a_call_that_failed_but_not_by_one_that_was_not_made() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    let observed = model.observe(&policy);
    let run = |model: &mut Model| {
        let mut application = Application::new(model.plan(&policy), true);
        model.carry_out(&mut application);
        application.added(&observed)
    };
    let mut other = model.clone();
    other.failures.next("CreateResourceShare", "Throttling");
    assert_eq!(run(&mut other), None);
    model
        .failures
        .after_the_next("AssociateResourceShare", "Throttling");
    let added = run(&mut model).unwrap();
    assert!(!added.is_another_among(&model.pipelines));
    model.recreate_pipeline("churn");
    assert!(added.is_another_among(&model.pipelines));
}

#[test]
fn what_ram_answers_that_it_did_not_associate_is_a_problem_of_a_step_that_is_done() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.refused.insert("111111111111".to_owned());
    let plan = model.plan(&readers("[dev, shared]"));
    let steps = model.execute(&plan);
    let problems: Vec<_> = steps.iter().flat_map(Applied::refused).collect();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].entity, "111111111111");
    assert_eq!(problems[0].status, AssociationStatus::Failed);
    assert_eq!(problems[0].share, "pipeshare-readers");
}

#[test]
fn an_account_is_reconciled_again_for_what_changed_and_for_what_is_pending() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let plan = model.plan(&readers("[dev]"));
    let steps = model.execute(&plan);
    assert!(should_requeue(false, &steps, false), "something changed");
    assert!(should_requeue::<()>(true, [], false), "something settles");
    assert!(
        should_requeue::<()>(false, [], true),
        "a call came too early"
    );
    assert!(!should_requeue::<()>(false, [], false));

    // What failed or was not tried has changed nothing.
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.failures.next("CreateResourceShare", "AccessDenied");
    let steps = model.apply(&plan);
    assert!(!should_requeue(false, &steps, false));
}

#[test]
fn an_invitation_that_ended_is_told_with_the_time_at_which_it_was_made() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev, partner]");
    model.converge(&policy);
    assert_eq!(model.plan(&policy).expired, []);
    let invited = model.shares[1].principals[0].created;
    model.expire_invitations();
    let expired = model.plan(&policy).expired;
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0].rule.as_str(), "readers");
    assert_eq!(expired[0].consumer, "444444444444");
    assert_eq!(expired[0].invited, invited);
    // A member that somebody removed had no invitation.
    model.accept_all();
    model.converge(&policy);
    model.shares[0].principals[0].status = AssociationStatus::Disassociated;
    assert_eq!(
        model.plan(&policy).steps()[0].reason,
        Reason::InvitationExpired
    );
    assert_eq!(model.plan(&policy).expired, []);
}
