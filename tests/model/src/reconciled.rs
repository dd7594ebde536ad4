//! An owner account together with what the hub remembers of it, reconciled by
//! the decisions of the domain alone.

use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
};

use domain::{
    policy::Policy,
    sharing::{
        Action, Answer, Application, Applied, Evidence, NextCall, Observed, Plan, StepOutcome,
        plan, questions, should_requeue,
    },
    storage::Key,
};

use crate::{Account, Failure, OWNER};

/// One account as the hub sees it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The account.
    pub account: Account,
    /// What items say of its pipelines.
    pub items: Evidence,
    /// Whether an item says that shares were made in it.
    pub remembers: BTreeSet<Key>,
}

impl Deref for Model {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl DerefMut for Model {
    fn deref_mut(&mut self) -> &mut Account {
        &mut self.account
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl Model {
    /// An account in which nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        Self {
            account: Account::new(OWNER),
            items: Evidence::default(),
            remembers: BTreeSet::new(),
        }
    }

    /// The deployment hook lets the pipeline join the rule.
    pub fn pass_hook(&mut self, rule: &str, name: &str) {
        if let Some(pipeline) = self.account.pipeline(name) {
            let rule = rule.parse().expect("the name of a rule");
            self.items.note_hook(&rule, pipeline);
        }
    }

    /// What a plan is made of; only what was asked for is known, as in the function.
    #[must_use]
    pub fn observe(&self, policy: &Policy) -> Observed {
        let mut observed = Observed {
            account: self.id.clone(),
            region: "us-east-1".parse().expect("a Region"),
            partition: "aws".to_owned(),
            at: Some(self.time()),
            pipelines: self.pipelines.clone(),
            shares: self.shares.clone(),
            lookalikes: self.lookalikes.clone(),
            evidence: self.items.clone(),
            evidence_first: true,
            proved: Vec::new(),
            flaws: self.flaws.clone(),
        };
        let asked = questions(policy, &observed).succeeded.into_iter();
        observed.prove(
            asked
                .filter(|pipeline| self.has_success(pipeline))
                .collect(),
        );
        observed
    }

    /// What the domain makes of the account as it is.
    #[must_use]
    pub fn plan(&self, policy: &Policy) -> Plan {
        plan(policy, 1, &self.observe(policy))
    }

    /// Reconciles for as long as the domain wants it, each time after twice as long, and
    /// says how often it took.
    pub fn converge(&mut self, policy: &Policy) -> usize {
        for round in 0..10 {
            let plan = self.plan(policy);
            let steps = self.execute(&plan);
            if !should_requeue(plan.unsettled, &steps, false) {
                assert_eq!(steps, [], "what is settled needs no steps");
                return round;
            }
            self.settle();
            self.pass_seconds(5 << round);
        }
        panic!("no fixed point after ten rounds: {:#?}", self.plan(policy));
    }

    /// Carries out a plan of which nothing may fail.
    pub fn execute(&mut self, plan: &Plan) -> Vec<Applied<Failure>> {
        let steps = self.apply(plan);
        for step in &steps {
            let is_done = matches!(step.outcome, StepOutcome::Done(_));
            assert!(is_done, "{step:?}");
        }
        steps
    }

    /// Carries out a plan as far as it can be.
    pub fn apply(&mut self, plan: &Plan) -> Vec<Applied<Failure>> {
        self.remembers.extend(plan.remember.iter().cloned());
        let mut application = Application::new(plan.clone(), true);
        self.carry_out(&mut application);
        application.finish().1
    }
}

impl Account {
    /// Makes all calls of a plan, as far as it can.
    pub fn carry_out(&mut self, application: &mut Application<Failure>) {
        loop {
            let calls = application.next();
            if calls.is_empty() {
                return;
            }
            let outcomes: Vec<_> = calls.into_iter().map(|call| self.answer(call)).collect();
            application.record(outcomes);
        }
    }

    /// Makes one call of a plan.
    pub fn answer(&mut self, call: NextCall<'_>) -> Result<Answer, Failure> {
        let (share, action) = match call {
            NextCall::Create(new) => return self.create_share(new).map(Answer::Created),
            NextCall::Change(share, action) => (share, action),
        };
        let associations = match action {
            Action::ReplacePermission { permission } => {
                self.replace_permission(share, permission)?;
                Vec::new()
            }
            Action::AllowExternal { allow } => {
                self.set_allow_external(share, *allow)?;
                Vec::new()
            }
            Action::AddPipelines { pipelines } => self.associate_pipelines(share, pipelines)?,
            Action::AddPrincipals { principals } => self.associate_principals(share, principals)?,
            Action::RemoveResources { resources } => {
                self.disassociate_resources(share, resources)?
            }
            Action::RemovePrincipals { principals } => {
                self.disassociate_principals(share, principals)?
            }
            Action::Delete => {
                self.delete_share(share)?;
                Vec::new()
            }
        };
        Ok(Answer::Changed(associations))
    }
}
