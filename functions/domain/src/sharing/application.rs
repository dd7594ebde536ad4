//! Carrying out a plan, call by call, without anything left to decide.

use std::{
    collections::{BTreeSet, VecDeque},
    iter,
};

use super::{
    Action, Added, Association, Call, NewShare, Observed, Plan, Problem, Reason, SharePlan, Step,
};
use crate::{
    id::{PipelineArn, ShareArn},
    policy::RuleName,
    status::AssociationStatus,
    trigger::Offer,
};

/// A plan that is being carried out.
///
/// [`next`](Self::next) are the calls to make, and [`record`](Self::record) what
/// came of them; nothing is passed over that was not recorded.
///
/// * The pipelines and the principals of a share are added at once: nobody has
///   anything before both are in it, whichever comes first.
/// * A failure ends its own share's steps, but for those that only take away.
///   Of two shares with one name, what fails for one is not tried for the other.
/// * No share is deleted whose place another one of its rule was to take, if
///   anything of that rule failed.
/// * Nothing is given before it is on record what it is given for.
#[derive(Debug, Clone)]
pub struct Application<E> {
    plan: Plan,
    is_on_record: bool,
    /// The steps that are left, the next one first.
    ahead: VecDeque<(usize, Step)>,
    applied: Vec<Applied<E>>,
    /// The ARNs of the plan's shares, as far as these exist.
    arns: Vec<Option<ShareArn>>,
    /// The names of the shares of which a step failed.
    failed: BTreeSet<String>,
    /// The rules of these.
    failed_rules: BTreeSet<RuleName>,
}

/// A call to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextCall<'a> {
    /// Create this share.
    Create(&'a NewShare),
    /// Do this to the share.
    Change(&'a ShareArn, &'a Action),
}

/// What RAM answered to a call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The share that was created.
    Created(ShareArn),
    /// The associations that were made or ended, if the call was about any.
    Changed(Vec<Association>),
}

/// A step of a plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied<E> {
    /// The step.
    pub step: Step,
    /// What became of it.
    pub outcome: StepOutcome<E>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome<E> {
    /// RAM has taken it. What it refuses to associate it says in its answer.
    Done(Vec<Association>),
    /// The call failed. It may have been carried out nevertheless.
    Failed(E),
    /// It was not tried, because of what failed before.
    Skipped,
}

impl<E> Application<E> {
    /// Begins to carry out a plan; `is_on_record` says whether everything
    /// that the plan is to [`remember`](Plan::remember) was written.
    #[must_use]
    pub fn new(plan: Plan, is_on_record: bool) -> Self {
        let mut application = Self {
            ahead: plan.in_order().into(),
            arns: plan.shares.iter().map(|it| it.arn().cloned()).collect(),
            plan,
            is_on_record,
            applied: Vec::new(),
            failed: BTreeSet::new(),
            failed_rules: BTreeSet::new(),
        };
        application.skip();
        application
    }

    /// The calls to make now, at once, until their outcomes are recorded; none in the end.
    #[must_use]
    pub fn next(&self) -> Vec<NextCall<'_>> {
        let mut ahead = self.ahead.iter();
        let Some(first) = ahead.next() else {
            return Vec::new();
        };
        let second = ahead
            .next()
            .filter(|second| self.go_together(first, second));
        let now = iter::once(first).chain(second);
        now.filter_map(|(number, step)| self.call(*number, step))
            .collect()
    }

    /// Whether a step need not wait for the one before it.
    ///
    /// ASSUMED: RAM takes two associations of one share at once. Its documents name
    /// no order, and whatever it refuses is tried again in seconds.
    fn go_together(&self, first: &(usize, Step), second: &(usize, Step)) -> bool {
        let fills = matches!(first.1.call, Call::Change(Action::AddPipelines { .. }));
        let invites = matches!(second.1.call, Call::Change(Action::AddPrincipals { .. }));
        fills && invites && first.0 == second.0 && self.may_take(second.0, &second.1)
    }

    fn call<'s>(&'s self, number: usize, step: &'s Step) -> Option<NextCall<'s>> {
        match &step.call {
            Call::Create(new) => Some(NextCall::Create(new)),
            Call::Change(action) => {
                let arn = self.arns.get(number)?.as_ref()?;
                Some(NextCall::Change(arn, action))
            }
        }
    }

    /// Records what came of the calls that [`next`](Self::next) named, in their order.
    pub fn record(&mut self, outcomes: impl IntoIterator<Item = Result<Answer, E>>) {
        for outcome in outcomes {
            self.record_one(outcome);
        }
        self.skip();
    }

    fn record_one(&mut self, outcome: Result<Answer, E>) {
        let Some((number, step)) = self.ahead.pop_front() else {
            return;
        };
        let outcome = match outcome {
            Ok(Answer::Created(arn)) => {
                if let Some(known) = self.arns.get_mut(number) {
                    *known = Some(arn);
                }
                StepOutcome::Done(Vec::new())
            }
            Ok(Answer::Changed(associations)) => StepOutcome::Done(associations),
            Err(error) => {
                self.failed.insert(step.share.clone());
                let rule = self.share(number).and_then(|share| share.rule.clone());
                self.failed_rules.extend(rule);
                StepOutcome::Failed(error)
            }
        };
        self.applied.push(Applied { step, outcome });
    }

    /// What became of the steps so far.
    #[must_use]
    pub fn applied(&self) -> &[Applied<E>] {
        &self.applied
    }

    /// The plan, and what became of its steps; what was not come to is skipped.
    #[must_use]
    pub fn finish(self) -> (Plan, Vec<Applied<E>>) {
        let left = self.ahead.into_iter().map(|(_, step)| Applied {
            step,
            outcome: StepOutcome::Skipped,
        });
        let steps = self.applied.into_iter().chain(left).collect();
        (self.plan, steps)
    }

    /// The offers to send: of shares to which somebody was invited just now,
    /// or, if they are `renewed`, of all that await acceptance.
    #[must_use]
    pub fn offers(&self, renewed: bool) -> Vec<Offer> {
        let offered = self.plan.offered.iter().filter(|offered| {
            let is_wanted = renewed || offered.is_new;
            self.is_on_record && is_wanted && !self.failed.contains(&offered.share)
        });
        offered
            .filter_map(|offered| {
                let share = offered
                    .arn
                    .as_ref()
                    .or_else(|| self.created(&offered.share))?;
                Some(Offer {
                    owner: self.plan.account.clone(),
                    consumer: offered.consumer.clone(),
                    share: share.clone(),
                    rule: offered.rule.to_string(),
                })
            })
            .collect()
    }

    /// The pipelines that came into shares, also by calls that failed and may
    /// have been carried out.
    #[must_use]
    pub fn added(&self, observed: &Observed) -> Option<Added> {
        let tried = self.applied.iter().filter(|it| it.was_tried());
        Added::of(observed, tried.flat_map(Applied::pipelines))
    }

    /// The ARN of a share that was created meanwhile.
    fn created(&self, name: &str) -> Option<&ShareArn> {
        let mut shares = self.plan.shares.iter().zip(&self.arns);
        let is_it = |share: &SharePlan| share.new_share().is_some_and(|new| new.name == name);
        let (_, arn) = shares.find(|(share, _)| is_it(share))?;
        arn.as_ref()
    }

    fn share(&self, number: usize) -> Option<&SharePlan> {
        self.plan.shares.get(number)
    }

    /// Goes on to the next step that can be taken.
    fn skip(&mut self) {
        while let Some((number, step)) = self.ahead.pop_front() {
            if self.may_take(number, &step) {
                self.ahead.push_front((number, step));
                return;
            }
            self.applied.push(Applied {
                step,
                outcome: StepOutcome::Skipped,
            });
        }
    }

    fn may_take(&self, number: usize, step: &Step) -> bool {
        let share = self.share(number);
        let rule = share.and_then(|share| share.rule.as_ref());
        // What takes the share's place may be among what failed.
        let would_leave_a_gap =
            step.reason.hands_over() && rule.is_some_and(|rule| self.failed_rules.contains(rule));
        let may_give = self.is_on_record && !self.failed.contains(&step.share);
        let exists = self.arns.get(number).is_some_and(Option::is_some);
        (exists || matches!(step.call, Call::Create(_)))
            && (may_give || step.only_takes_away())
            && !would_leave_a_gap
    }
}

impl<E> Applied<E> {
    /// What RAM refused to associate, although it answered that it had.
    pub fn refused(&self) -> impl Iterator<Item = Problem> {
        let associations = match &self.outcome {
            StepOutcome::Done(associations) => associations.as_slice(),
            StepOutcome::Failed(_) | StepOutcome::Skipped => &[],
        };
        let failed = associations
            .iter()
            .filter(|association| association.status == AssociationStatus::Failed);
        failed.map(|association| Problem::of(&self.step.share, association))
    }

    fn was_tried(&self) -> bool {
        !matches!(self.outcome, StepOutcome::Skipped)
    }

    fn pipelines(&self) -> &[PipelineArn] {
        match &self.step.call {
            Call::Change(Action::AddPipelines { pipelines }) => pipelines,
            _ => &[],
        }
    }

    /// Whether the account is another one after it than it was before.
    ///
    /// An association that had failed may fail for ever, so that trying it
    /// again is the scheduled reconciliation's alone.
    fn is_change(&self) -> bool {
        let is_done = matches!(self.outcome, StepOutcome::Done(_));
        is_done && self.step.reason != Reason::AssociationFailed
    }
}

/// Whether an account is reconciled again in a few seconds, without waiting for
/// the schedule: what was done there may have come to something by then.
///
/// `unsettled` says that something was under way that settles by itself, and
/// `pending` that a call failed for want of something that was begun.
pub fn should_requeue<'a, E: 'a>(
    unsettled: bool,
    steps: impl IntoIterator<Item = &'a Applied<E>>,
    pending: bool,
) -> bool {
    unsettled || pending || steps.into_iter().any(Applied::is_change)
}
