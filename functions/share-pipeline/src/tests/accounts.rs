//! Owner accounts of the model, and the bus of the hub, as the function's ports.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    ceiling::Ceiling,
    error::{Class, Error},
    id::{AccountId, PermissionArn, ShareArn},
    sharing::{Action, Answer, Association, Flaw, Lookalike, NewShare, NextCall, Pipeline, Share},
    trail::TrailEvent,
    trigger::Offer,
};
use jiff::Timestamp;
use model::{Account, Failure};

use crate::ports::{Asking, Bus, Ceilings, Ram, SageMaker};

pub(super) struct FakeAccounts {
    accounts: RefCell<BTreeMap<AccountId, Account>>,
    pub(super) offers: RefCell<Vec<Offer>>,
    pub(super) trail: RefCell<Vec<TrailEvent>>,
    /// The text of the parameter with the ceiling, the same in every account.
    pub(super) ceiling: RefCell<Option<String>>,
    /// How often a ceiling was asked for.
    pub(super) ceilings_read: Cell<usize>,
    /// A pipeline that somebody recreates right before it is associated.
    pub(super) recreated: Cell<Option<&'static str>>,
    pub(super) bus_fails: Cell<Option<&'static str>>,
    /// The account that never answers.
    pub(super) hanging: Cell<Option<&'static str>>,
}

impl FakeAccounts {
    pub(super) fn new(accounts: BTreeMap<AccountId, Account>) -> Self {
        Self {
            accounts: RefCell::new(accounts),
            offers: RefCell::default(),
            trail: RefCell::default(),
            ceiling: RefCell::default(),
            ceilings_read: Cell::default(),
            recreated: Cell::default(),
            bus_fails: Cell::default(),
            hanging: Cell::default(),
        }
    }

    pub(super) fn change<T>(&self, id: &AccountId, change: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts.borrow_mut();
        change(accounts.get_mut(id).expect("an account of the scenario"))
    }

    fn call<T>(
        &self,
        service: &'static str,
        id: &AccountId,
        call: impl FnOnce(&mut Account) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let answer = self.change(id, call);
        answer.map_err(|failure| failure.error(service, Some(id)))
    }
}

/// The failure that AWS's code means.
fn error(
    service: &'static str,
    operation: &'static str,
    code: &str,
    account: Option<&AccountId>,
) -> Error {
    let failure = Failure {
        operation,
        code: code.to_owned(),
        is_carried_out: false,
    };
    failure.error(service, account)
}

impl Ram for &FakeAccounts {
    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error> {
        self.call("ram", owner, Account::list_shares)
    }

    async fn lookalikes(
        &self,
        owner: &AccountId,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<Lookalike>, Error> {
        self.call("ram", owner, |account| account.list_lookalikes(names))
    }

    async fn flaw_of(
        &self,
        owner: &AccountId,
        permission: &PermissionArn,
    ) -> Result<Option<Flaw>, Error> {
        self.call("ram", owner, |account| account.flaw_of(permission))
    }

    async fn create_share(&self, owner: &AccountId, share: &NewShare) -> Result<ShareArn, Error> {
        self.call("ram", owner, |account| account.create_share(share))
    }

    async fn change_share(
        &self,
        owner: &AccountId,
        share: &ShareArn,
        action: &Action,
    ) -> Result<Vec<Association>, Error> {
        if matches!(action, Action::AddPipelines { .. })
            && let Some(name) = self.recreated.take()
        {
            self.change(owner, |account| account.recreate_pipeline(name));
        }
        let call = NextCall::Change(share, action);
        match self.call("ram", owner, |account| account.answer(call))? {
            Answer::Changed(associations) => Ok(associations),
            Answer::Created(_) => Ok(Vec::new()),
        }
    }
}

impl SageMaker for &FakeAccounts {
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error> {
        if self.hanging.get() == Some(owner.as_str()) {
            std::future::pending::<()>().await;
        }
        self.call("sagemaker", owner, Account::list_pipelines)
    }

    async fn pipelines_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
    ) -> Result<Vec<Pipeline>, Error> {
        self.call("sagemaker", owner, |account| {
            account.list_pipelines_since(time)
        })
    }

    async fn has_succeeded(
        &self,
        owner: &AccountId,
        pipeline: &Pipeline,
        _: Asking,
    ) -> Result<bool, Error> {
        self.call("sagemaker", owner, |account| {
            account.has_succeeded_execution(&pipeline.arn, pipeline.created)
        })
    }
}

impl Ceilings for &FakeAccounts {
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error> {
        self.ceilings_read.set(self.ceilings_read.get() + 1);
        let ceiling = self.ceiling.borrow();
        let ceiling = ceiling.as_ref().and_then(|text| text.parse().ok());
        ceiling.ok_or_else(|| error("ssm", "GetParameter", "ParameterNotFound", Some(owner)))
    }
}

impl Bus for &FakeAccounts {
    async fn put(&self, offers: &[Offer], trail: &[TrailEvent]) -> Result<(), Error> {
        if let Some(code) = self.bus_fails.take() {
            return Err(error("events", "PutEvents", code, None));
        }
        for offer in offers {
            self.offers.borrow_mut().push(offer.clone());
        }
        self.trail.borrow_mut().extend(trail.iter().cloned());
        Ok(())
    }
}

/// Classes that tests speak of, so that the codes are what they are taken for.
#[test]
fn the_codes_of_the_tests_mean_what_the_tests_say() {
    let class = |service, operation, code| error(service, operation, code, None).class();
    let associate = "AssociateResourceShare";
    assert_eq!(
        class("ram", associate, "ThrottlingException"),
        Class::Transient
    );
    assert_eq!(
        class("ram", associate, "AccessDeniedException"),
        Class::Permanent
    );
    let pending = "InvalidStateTransitionException";
    assert_eq!(
        class("ram", "DisassociateResourceShare", pending),
        Class::Pending
    );
    assert_eq!(
        class("sagemaker", "ListPipelines", "ThrottlingException"),
        Class::Transient
    );
    assert_eq!(
        class("ssm", "GetParameter", "AccessDeniedException"),
        Class::Permanent
    );
}
