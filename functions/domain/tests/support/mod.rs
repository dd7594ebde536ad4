//! A RAM of one owner account, as far as plans touch it.

pub(crate) mod policies;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::PermissionArn,
    policy::Policy,
    sharing::{
        Action, Association, Audience, Evidence, Flaw, Lookalike, Observed, Pipeline, Plan, Share,
        ShareName, plan, questions,
    },
    status::AssociationStatus,
};
use jiff::Timestamp;

pub(crate) const OWNER: &str = "222222222222";

/// The account, with a clock that ticks at every change.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) shares: Vec<Share>,
    /// What items say.
    pub(crate) items: Evidence,
    /// What `SageMaker` would say.
    pub(crate) successes: Evidence,
    pub(crate) lookalikes: Vec<Lookalike>,
    pub(crate) flaws: BTreeMap<PermissionArn, Flaw>,
    pub(crate) clock: i64,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            pipelines: Vec::new(),
            shares: Vec::new(),
            items: Evidence::default(),
            successes: Evidence::default(),
            lookalikes: Vec::new(),
            flaws: BTreeMap::new(),
            clock: 1_767_600_000,
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp::from_second(self.clock).unwrap()
    }

    pub(crate) fn create_pipeline(&mut self, name: &str) {
        let arn = format!("arn:aws:sagemaker:us-east-1:{OWNER}:pipeline/{name}");
        let created = self.now();
        self.pipelines.push(Pipeline {
            arn: arn.parse().unwrap(),
            created,
        });
    }

    pub(crate) fn delete_pipeline(&mut self, name: &str) {
        self.pipelines
            .retain(|pipeline| pipeline.arn.name() != name);
    }

    pub(crate) fn succeed(&mut self, name: &str) {
        if let Some(pipeline) = self.pipelines.iter().find(|p| p.arn.name() == name) {
            self.successes.note_success(pipeline);
        }
    }

    #[allow(dead_code, reason = "not all tests know the hook")]
    /// The deployment hook lets the pipeline join the rule.
    pub(crate) fn pass_hook(&mut self, rule: &str, name: &str) {
        if let Some(pipeline) = self.pipelines.iter().find(|p| p.arn.name() == name) {
            self.items.note_hook(&rule.parse().unwrap(), pipeline);
        }
    }

    pub(crate) fn observe(&self, policy: &Policy) -> Observed {
        let mut observed = Observed {
            account: OWNER.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            partition: "aws".to_owned(),
            pipelines: self.pipelines.clone(),
            shares: self.shares.clone(),
            lookalikes: self.lookalikes.clone(),
            evidence: self.items.clone(),
            flaws: self.flaws.clone(),
        };
        // Only what was asked for is known, as in the function.
        let asked = questions(policy, &observed);
        for pipeline in &asked.succeeded {
            if self.has_success(pipeline) {
                observed.evidence.note_success(pipeline);
            }
        }
        observed
    }

    /// What `SageMaker` answers when asked.
    pub(crate) fn has_success(&self, pipeline: &Pipeline) -> bool {
        let mut asked = self.successes.clone();
        asked.note_success(pipeline);
        asked == self.successes
    }

    pub(crate) fn plan(&self, policy: &Policy) -> Plan {
        plan(policy, 1, &self.observe(policy))
    }

    /// Plans and executes until nothing is left to do, and says how often it took.
    pub(crate) fn converge(&mut self, policy: &Policy) -> usize {
        for round in 0..10 {
            let plan = self.plan(policy);
            if !plan.wants_another_look() {
                assert_eq!(plan.steps, [], "what is settled needs no steps");
                return round;
            }
            self.execute(&plan);
            self.settle();
        }
        panic!("no fixed point after ten rounds: {:#?}", self.plan(policy));
    }

    pub(crate) fn execute(&mut self, plan: &Plan) {
        for step in &plan.steps {
            self.perform(
                &step.share,
                step.arn.as_ref().map(domain::id::ShareArn::as_str),
                &step.action,
            );
        }
    }

    fn perform(&mut self, name: &str, arn: Option<&str>, action: &Action) {
        let now = self.now();
        if let Action::Create {
            rule,
            permission,
            allow_external,
            ..
        } = action
        {
            let number = self.shares.len() + 1;
            let arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/{number}");
            self.shares.push(Share {
                arn: arn.parse().unwrap(),
                name: name.to_owned(),
                rule: Some(rule.to_string()),
                created: now,
                live: true,
                allow_external: *allow_external,
                permissions: vec![permission.clone()],
                outdated: false,
                resources: Vec::new(),
                principals: Vec::new(),
            });
            return;
        }
        let share = self
            .shares
            .iter_mut()
            .rev()
            .find(|share| match arn {
                Some(arn) => share.arn.as_str() == arn,
                None => share.live && share.name == name,
            })
            .expect("a step names a share that exists");
        let associating = share.resources.iter().chain(&share.principals);
        let is_blocked = associating
            .clone()
            .any(|a| a.status == AssociationStatus::Associating);
        match action {
            Action::Create { .. } => {}
            Action::ReplacePermission { permission } => {
                share.permissions = vec![permission.clone()];
            }
            Action::AllowExternal { allow } => share.allow_external = *allow,
            Action::AddPipelines { pipelines } => {
                let arns = pipelines.iter().map(ToString::to_string);
                add(&mut share.resources, arns, now);
                assert!(
                    share
                        .resources
                        .iter()
                        .filter(|r| r.status.is_present())
                        .count()
                        <= 5_000
                );
            }
            Action::AddPrincipals { principals } => {
                let names = principals.iter().map(ToString::to_string);
                add(&mut share.principals, names, now);
            }
            Action::RemoveResources { resources } => {
                assert!(
                    !is_blocked,
                    "RAM removes nothing while something is ASSOCIATING"
                );
                remove(&mut share.resources, resources);
            }
            Action::RemovePrincipals { principals } => {
                assert!(
                    !is_blocked,
                    "RAM removes nothing while something is ASSOCIATING"
                );
                remove(&mut share.principals, principals);
            }
            Action::Delete => share.live = false,
        }
    }

    /// What RAM does within seconds; it leaves those who must accept waiting.
    pub(crate) fn settle(&mut self) {
        for share in &mut self.shares {
            let waits = matches!(
                share.name.parse::<ShareName>().map(|name| name.audience),
                Ok(Audience::Account(_))
            );
            settle(&mut share.resources);
            if !waits {
                settle(&mut share.principals);
            }
        }
    }

    pub(crate) fn accept_all(&mut self) {
        for share in &mut self.shares {
            settle(&mut share.principals);
        }
    }

    /// Twelve hours pass.
    pub(crate) fn expire_invitations(&mut self) {
        for principal in self
            .shares
            .iter_mut()
            .flat_map(|share| &mut share.principals)
        {
            if principal.status == AssociationStatus::Associating {
                principal.status = AssociationStatus::Disassociated;
            }
        }
    }

    /// Who can use which pipeline by which permission now, or once they accept.
    pub(crate) fn grants(&self) -> BTreeSet<(String, String, String)> {
        let mut grants = BTreeSet::new();
        for share in self.shares.iter().filter(|share| share.live) {
            for principal in share.principals.iter().filter(|p| p.status.is_present()) {
                for resource in share.resources.iter().filter(|r| r.status.is_present()) {
                    let name = resource.entity.rsplit('/').next().unwrap().to_owned();
                    let permission = share.permissions[0].to_string();
                    grants.insert((principal.entity.clone(), name, permission));
                }
            }
        }
        grants
    }
}

fn add(list: &mut Vec<Association>, entities: impl Iterator<Item = String>, now: Timestamp) {
    for entity in entities {
        list.retain(|association| association.entity != entity);
        list.push(Association {
            entity,
            status: AssociationStatus::Associating,
            message: None,
            created: Some(now),
        });
    }
}

fn remove(list: &mut [Association], entities: &[String]) {
    for association in list.iter_mut() {
        if entities.contains(&association.entity) {
            association.status = AssociationStatus::Disassociated;
        }
    }
}

fn settle(list: &mut [Association]) {
    for association in list {
        if association.status == AssociationStatus::Associating {
            association.status = AssociationStatus::Associated;
        }
    }
}
