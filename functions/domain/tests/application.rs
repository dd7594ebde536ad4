//! How a plan is carried out when calls fail: what goes on, what does not, and what is reported.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    policy::Policy,
    sharing::{
        Action, Answer, Application, Applied, Call, Due, NewShare, NextCall, Offered, Plan, Reason,
        SharePlan, StepOutcome, Target, should_requeue,
    },
    status::AssociationStatus,
};
use model::{
    Model, OWNER,
    policies::{READ, policy},
};
use proptest::{prelude::*, sample::select};

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
    assert_eq!(application.next(), None);
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
    while let Some(call) = application.next() {
        let outcome = model.answer(call);
        application.record(outcome);
    }
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
    while let Some(call) = application.next() {
        let outcome = model.answer(call);
        application.record(outcome);
    }
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
        while let Some(call) = application.next() {
            let outcome = model.answer(call);
            application.record(outcome);
        }
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

/// Something to do with a share, without regard to what makes sense.
fn due() -> impl Strategy<Value = Due> {
    let pipeline = format!("arn:aws:sagemaker:us-east-1:{OWNER}:pipeline/churn");
    let principals = vec!["111111111111".to_owned()];
    let actions = vec![
        Action::ReplacePermission {
            permission: READ.parse().unwrap(),
        },
        Action::AllowExternal { allow: false },
        Action::AddPipelines {
            pipelines: vec![pipeline.parse().unwrap()],
        },
        Action::RemoveResources {
            resources: vec![pipeline],
        },
        Action::AddPrincipals {
            principals: vec!["111111111111".parse().unwrap()],
        },
        Action::RemovePrincipals { principals },
        Action::Delete,
    ];
    let reasons = vec![
        Reason::PipelineCreated,
        Reason::AssociationFailed,
        Reason::Moved,
    ];
    (select(actions), select(reasons)).prop_map(|(action, reason)| Due { action, reason })
}

fn share_plan(number: usize) -> impl Strategy<Value = SharePlan> {
    let rules = select(vec![None, Some("a"), Some("b")]);
    let hand_over = select(vec![None, Some(Reason::Moved), Some(Reason::Duplicate)]);
    let dues = || proptest::collection::vec(due(), 0..3);
    (rules, any::<bool>(), dues(), dues(), hand_over).prop_map(
        move |(rule, is_new, narrow, grant, hand_over)| {
            let name = format!("pipeshare-{}", number % 3);
            let target = if is_new {
                Target::New(NewShare {
                    name,
                    rule: "a".parse().unwrap(),
                    permission: READ.parse().unwrap(),
                    allow_external: false,
                    client_token: number.to_string(),
                })
            } else {
                let arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/{number}");
                Target::Existing {
                    name,
                    arn: arn.parse().unwrap(),
                }
            };
            SharePlan {
                rule: rule.map(|rule| rule.parse().unwrap()),
                target,
                // What is new holds nothing yet that could leave it.
                narrow: if is_new { Vec::new() } else { narrow },
                grant,
                hand_over: hand_over.filter(|_| !is_new),
            }
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    (0..6_usize)
        .prop_flat_map(|count| (0..count).map(share_plan).collect::<Vec<_>>())
        .prop_map(|shares| {
            let mut plan = Plan::nothing(OWNER.parse().unwrap());
            plan.offered = shares
                .iter()
                .map(|share| Offered {
                    share: share.name().to_owned(),
                    arn: share.arn().cloned(),
                    rule: "a".parse().unwrap(),
                    consumer: "444444444444".parse().unwrap(),
                    is_new: true,
                })
                .collect();
            plan.shares = shares;
            plan
        })
}

/// Carries out a plan of which these calls fail, and says what was called.
fn carried_out(
    plan: &Plan,
    is_on_record: bool,
    failing: &[bool],
) -> (Vec<String>, Application<()>) {
    let mut application = Application::new(plan.clone(), is_on_record);
    let mut called = Vec::new();
    let mut failing = failing.iter().copied().cycle();
    while let Some(call) = application.next() {
        called.push(format!("{call:?}"));
        let answer = match call {
            NextCall::Create(new) => {
                let number = &new.client_token;
                let arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/{number}");
                Answer::Created(arn.parse().unwrap())
            }
            NextCall::Change(..) => Answer::Changed(Vec::new()),
        };
        let fails = failing.next().unwrap();
        application.record(if fails { Err(()) } else { Ok(answer) });
    }
    (called, application)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_step_is_reported_once_in_order_and_done_only_if_it_was_called(
        plan in any_plan(),
        is_on_record in any::<bool>(),
        failing in proptest::collection::vec(any::<bool>(), 1..12),
    ) {
        let (called, application) = carried_out(&plan, is_on_record, &failing);
        let steps = application.finish().1;
        let planned = plan.steps();
        let reported: Vec<_> = steps.iter().map(|applied| applied.step.clone()).collect();
        prop_assert_eq!(&reported, &planned);
        let tried = steps.iter().filter(|it| !matches!(it.outcome, StepOutcome::Skipped));
        prop_assert_eq!(tried.clone().count(), called.len());
        for ((applied, call), failed) in tried.zip(&called).zip(failing.iter().cycle()) {
            prop_assert_eq!(matches!(applied.outcome, StepOutcome::Failed(())), *failed);
            let is_create = matches!(applied.step.call, Call::Create(_));
            prop_assert_eq!(call.starts_with("Create"), is_create);
        }
    }

    #[test]
    fn a_failure_ends_what_gives_in_its_share_and_what_hands_over_in_its_rule_and_nothing_else(
        plan in any_plan(),
        is_on_record in any::<bool>(),
        failing in proptest::collection::vec(any::<bool>(), 1..12),
    ) {
        let (_, application) = carried_out(&plan, is_on_record, &failing);
        let offers = application.offers(false);
        let mut failed = BTreeSet::new();
        let mut failed_rules = BTreeSet::new();
        let mut created = BTreeSet::new();
        // Which share a step is about, by the order of the passes over the shares.
        let narrowing = plan.shares.iter().flat_map(|it| vec![it; it.narrow.len()]);
        let granting = plan.shares.iter().flat_map(|it| {
            vec![it; it.grant.len() + usize::from(it.new_share().is_some())]
        });
        let deleting = plan.shares.iter().filter(|it| it.hand_over.is_some());
        let shares = narrowing.chain(granting).chain(deleting);
        for (applied, share) in application.finish().1.iter().zip(shares) {
            let step = &applied.step;
            let key = (share.name(), share.new_share().map(|new| &new.client_token));
            let exists = share.arn().is_some() || created.contains(&key);
            let may_give = is_on_record && !failed.contains(share.name());
            let leaves_a_gap = step.reason.hands_over()
                && share.rule.as_ref().is_some_and(|rule| failed_rules.contains(rule));
            let is_due = (exists || matches!(step.call, Call::Create(_)))
                && (may_give || step.only_takes_away())
                && !leaves_a_gap;
            prop_assert_eq!(!matches!(applied.outcome, StepOutcome::Skipped), is_due, "{}", step);
            match &applied.outcome {
                StepOutcome::Failed(()) => {
                    failed.insert(share.name());
                    failed_rules.extend(share.rule.clone());
                }
                StepOutcome::Done(_) if matches!(step.call, Call::Create(_)) => {
                    created.insert(key);
                }
                _ => {}
            }
        }
        let of_failed = plan.offered.iter().filter(|it| failed.contains(it.share.as_str()));
        let at_most = plan.offered.len() - of_failed.count();
        let at_most = if is_on_record { at_most } else { 0 };
        prop_assert!(offers.len() <= at_most);
    }

    /// Whatever fails on the way, nothing is given that is not meant, and in the
    /// end everything is as if nothing had failed.
    #[test]
    fn failures_delay_what_the_policy_says_and_change_nothing_of_it(
        failing in proptest::collection::vec(
            (select(vec![
                "CreateResourceShare",
                "AssociateResourceShare",
                "DisassociateResourceShare",
                "DeleteResourceShare",
                "AssociateResourceSharePermission",
                "UpdateResourceShare",
            ]), any::<bool>()),
            0..6,
        ),
        before in select(vec!["[dev, shared]", "[partner]", "[dev, partner, bank]"]),
        with in select(vec!["[dev]", "[shared, partner]", "[bank]"]),
        access in select(vec!["read", "execute"]),
        accepts in any::<bool>(),
    ) {
        let mut model = Model::new();
        model.create_pipeline("churn");
        model.converge(&readers(before));
        model.create_pipeline("fraud");
        if accepts {
            model.accept_all();
        }
        let last = policy(&format!(
            "  - {{ name: readers, owner: test, pipelines: [fraud], with: {with}, \
             access: {access}, after: created }}\n"
        ));
        let mut undisturbed = model.clone();
        undisturbed.converge(&last);
        let meant = undisturbed.grants();
        let allowed: BTreeSet<_> = model.grants().union(&meant).cloned().collect();
        for (operation, is_carried_out) in failing {
            if is_carried_out {
                model.failures.after_the_next(operation, "InternalError");
            } else {
                model.failures.next(operation, "InternalError");
            }
        }
        for _ in 0..8 {
            let plan = model.plan(&last);
            model.apply(&plan);
            for grant in model.grants().difference(&allowed) {
                let given = (&grant.0, &grant.1);
                // Who may run pipelines may have been given that before the old ones left.
                let is_pair = allowed.iter().any(|it| (&it.0, &it.1) == given);
                prop_assert!(is_pair, "{:?} is not meant", grant);
            }
            model.settle();
        }
        model.failures = model::Failures::default();
        model.converge(&last);
        prop_assert_eq!(model.grants(), meant);
    }
}
