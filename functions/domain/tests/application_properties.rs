//! Whatever a plan says and whichever calls fail: what is called, what is
//! skipped and what is reported follows the rules.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    policy::{Policy, RuleName},
    sharing::{
        Action, Answer, Application, Call, Due, NewShare, NextCall, Offered, Plan, Reason,
        SharePlan, Step, StepOutcome, Target,
    },
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
    loop {
        let calls = application.next();
        if calls.is_empty() {
            return (called, application);
        }
        called.extend(calls.iter().map(|call| format!("{call:?}")));
        let answers = calls.into_iter().map(answer);
        let fails = failing.by_ref();
        let outcomes = answers.zip(fails);
        let outcomes = outcomes.map(|(answer, fails)| if fails { Err(()) } else { Ok(answer) });
        let outcomes: Vec<_> = outcomes.collect();
        application.record(outcomes);
    }
}

fn answer(call: NextCall<'_>) -> Answer {
    let NextCall::Create(new) = call else {
        return Answer::Changed(Vec::new());
    };
    let number = &new.client_token;
    let arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/{number}");
    Answer::Created(arn.parse().unwrap())
}

/// The names and the rules of shares of which a step failed.
#[derive(Debug, Default, Clone)]
struct Failed {
    shares: BTreeSet<String>,
    rules: BTreeSet<RuleName>,
}

/// Whether a step adds principals right after another has added pipelines.
fn is_beside(step: &Step, before: &Step) -> bool {
    matches!(&before.call, Call::Change(Action::AddPipelines { .. }))
        && matches!(&step.call, Call::Change(Action::AddPrincipals { .. }))
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
        let mut failed = Failed::default();
        // What had failed before the last step, and that step, with its share.
        let mut earlier = Failed::default();
        let mut before: Option<(Step, &SharePlan)> = None;
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
            // What is called at once does not know what becomes of each other.
            let is_beside = before.as_ref().is_some_and(|(before, of)| {
                std::ptr::eq(*of, share) && is_beside(step, before)
            });
            let had_failed = if is_beside { &earlier } else { &failed };
            let may_give = is_on_record && !had_failed.shares.contains(share.name());
            let leaves_a_gap = step.reason.hands_over()
                && share.rule.as_ref().is_some_and(|rule| had_failed.rules.contains(rule));
            let is_due = (exists || matches!(step.call, Call::Create(_)))
                && (may_give || step.only_takes_away())
                && !leaves_a_gap;
            prop_assert_eq!(!matches!(applied.outcome, StepOutcome::Skipped), is_due, "{}", step);
            earlier.clone_from(&failed);
            before = Some((step.clone(), share));
            match &applied.outcome {
                StepOutcome::Failed(()) => {
                    failed.shares.insert(share.name().to_owned());
                    failed.rules.extend(share.rule.clone());
                }
                StepOutcome::Done(_) if matches!(step.call, Call::Create(_)) => {
                    created.insert(key);
                }
                _ => {}
            }
        }
        let of_failed = plan.offered.iter().filter(|it| failed.shares.contains(&it.share));
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
