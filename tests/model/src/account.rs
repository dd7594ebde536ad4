//! One owner account.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AccountId, PermissionArn, ShareArn},
    sharing::{Association, Audience, Evidence, Flaw, Lookalike, Pipeline, Share, ShareName},
    status::AssociationStatus,
};
use jiff::Timestamp;

use crate::{Failures, ram::settle};

/// When the first thing happens in an account.
const BEGINNING: i64 = 1_767_600_000;

/// What RAM and `SageMaker` keep of an account, with a clock that ticks at every change.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which one it is.
    pub id: AccountId,
    /// The pipelines that there are.
    pub pipelines: Vec<Pipeline>,
    /// The shares with pipeshare's tag.
    pub shares: Vec<Share>,
    /// Shares under names of pipeshare's without its tag.
    pub lookalikes: Vec<Lookalike>,
    /// The pipelines that an execution of has succeeded.
    pub successes: Evidence,
    /// What is wrong with permissions.
    pub flaws: BTreeMap<PermissionArn, Flaw>,
    /// The resources and principals that RAM refuses to associate, under HTTP 200.
    pub refused: BTreeSet<String>,
    /// Whether RAM has done at once what otherwise takes it seconds.
    pub settles_at_once: bool,
    /// The operations that were called, in order.
    pub calls: Vec<&'static str>,
    /// What is to fail.
    pub failures: Failures,
    clock: i64,
    /// How many shares were ever created.
    created: usize,
    /// The shares by the client tokens with which they were asked for.
    pub(crate) tokens: BTreeMap<String, ShareArn>,
}

impl Account {
    /// An account in which nothing has happened.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.parse().expect("an account id"),
            pipelines: Vec::new(),
            shares: Vec::new(),
            lookalikes: Vec::new(),
            successes: Evidence::default(),
            flaws: BTreeMap::new(),
            refused: BTreeSet::new(),
            settles_at_once: false,
            calls: Vec::new(),
            failures: Failures::default(),
            clock: BEGINNING,
            created: 0,
            tokens: BTreeMap::new(),
        }
    }

    /// The time, which is another one each time.
    pub fn now(&mut self) -> Timestamp {
        self.clock += 1;
        self.time()
    }

    /// The time as it is.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        Timestamp::from_second(self.clock).expect("a time")
    }

    /// Lets hours pass in which nothing happens.
    pub fn pass_hours(&mut self, hours: i64) {
        self.pass_seconds(hours * 3_600);
    }

    /// Lets seconds pass.
    pub(crate) fn pass_seconds(&mut self, seconds: i64) {
        self.clock += seconds;
    }

    /// The number of the next share; no two have the same.
    pub(crate) fn next_share(&mut self) -> usize {
        self.created += 1;
        self.created
    }

    /// The share of this name that is there.
    #[must_use]
    pub fn share(&self, name: &str) -> Option<&Share> {
        let mut shares = self.shares.iter();
        shares.find(|share| share.live && share.name == name)
    }

    /// The names of the shares that are there, in the order of their creation.
    #[must_use]
    pub fn share_names(&self) -> Vec<&str> {
        let shares = self.shares.iter().filter(|share| share.live);
        shares.map(|share| share.name.as_str()).collect()
    }

    /// What RAM does within seconds; it leaves those who must accept waiting.
    pub fn settle(&mut self) {
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

    /// Somebody invites an outsider to the share of this name, if there is one.
    pub fn let_in(&mut self, name: &str, outsider: &str) {
        let now = self.now();
        let mut shares = self.shares.iter_mut();
        if let Some(share) = shares.find(|it| it.live && it.name == name) {
            share.allow_external = true;
            share.principals.push(Association {
                entity: outsider.to_owned(),
                status: AssociationStatus::Associating,
                message: None,
                created: Some(now),
                updated: Some(now),
            });
        }
    }

    /// Everybody accepts who was invited.
    pub fn accept_all(&mut self) {
        for share in &mut self.shares {
            settle(&mut share.principals);
        }
    }

    /// Twelve hours pass.
    pub fn expire_invitations(&mut self) {
        let principals = self.shares.iter_mut().flat_map(|it| &mut it.principals);
        for principal in principals {
            if principal.status == AssociationStatus::Associating {
                principal.status = AssociationStatus::Disassociated;
            }
        }
    }

    /// Who can use which pipeline by which permission now, or once they accept.
    #[must_use]
    pub fn grants(&self) -> BTreeSet<(String, String, String)> {
        let mut grants = BTreeSet::new();
        for share in self.shares.iter().filter(|share| share.live) {
            for principal in share.principals.iter().filter(|p| p.status.is_present()) {
                for resource in share.resources.iter().filter(|r| r.status.is_present()) {
                    let name = resource.entity.rsplit('/').next();
                    let name = name.unwrap_or_default().to_owned();
                    let permission = share.permissions[0].to_string();
                    grants.insert((principal.entity.clone(), name, permission));
                }
            }
        }
        grants
    }
}
