//! The hub in memory: its table, its policy, and what is published.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    error::Error,
    notification::Notice,
    policy::{Labelled, Place, Version},
    storage::{Delivery, Item, Key, Lease, Values, Write},
};
use jiff::Timestamp;
use runtime::ports::{Address, PolicyStore, Publish, Table};

use super::{Journal, accounts::error};

pub(super) struct FakeHub {
    pub(super) place: Place,
    journal: Journal,
    versions: RefCell<Vec<Version>>,
    labelled: Cell<Option<i64>>,
    items: RefCell<BTreeMap<Key, Values>>,
    delivered: RefCell<BTreeSet<Key>>,
    pub(super) published: RefCell<Vec<Notice>>,
    /// The codes with which the next operations of the hub fail, by name.
    failures: RefCell<Vec<(&'static str, &'static str)>>,
}

impl FakeHub {
    pub(super) fn new(journal: Journal) -> Self {
        Self {
            place: Place {
                partition: "aws".to_owned(),
                region: "us-east-1".parse().unwrap(),
            },
            journal,
            versions: RefCell::default(),
            labelled: Cell::default(),
            items: RefCell::default(),
            delivered: RefCell::default(),
            published: RefCell::default(),
            failures: RefCell::default(),
        }
    }

    /// Writes a version of the policy.
    pub(super) fn write(&self, text: &str) -> Version {
        let mut versions = self.versions.borrow_mut();
        let version = Version {
            version: i64::try_from(versions.len() + 1).unwrap(),
            text: text.to_owned(),
            written: None,
        };
        versions.push(version.clone());
        version
    }

    /// Labels the newest version, whatever it is.
    pub(super) fn label(&self) {
        let newest = self.versions.borrow().last().map(|it| it.version);
        self.labelled.set(newest);
    }

    /// Takes the label away.
    pub(super) fn unlabel(&self) {
        self.labelled.set(None);
    }

    pub(super) fn in_force(&self) -> Option<i64> {
        self.labelled.get()
    }

    /// Has the next call of an operation fail.
    pub(super) fn fail(&self, operation: &'static str, code: &'static str) {
        self.failures.borrow_mut().push((operation, code));
    }

    /// Whether there is such an item.
    pub(super) fn has(&self, pk: &str, sk: &str) -> bool {
        self.items.borrow().contains_key(&key(pk, sk))
    }

    fn called(&self, service: &'static str, operation: &'static str) -> Result<(), Error> {
        let mut failures = self.failures.borrow_mut();
        let Some(found) = failures.iter().position(|it| it.0 == operation) else {
            return Ok(());
        };
        let (_, code) = failures.remove(found);
        Err(error(service, operation, code, None))
    }
}

fn key(pk: &str, sk: &str) -> Key {
    Key {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
    }
}

impl Table for FakeHub {
    async fn get(&self, pk: &str, sk: &str) -> Result<Option<Values>, Error> {
        Ok(self.items.borrow().get(&key(pk, sk)).cloned())
    }

    async fn put(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        _: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.called("dynamodb", "PutItem")?;
        self.journal.borrow_mut().push(format!("PutItem {pk}"));
        self.items.borrow_mut().insert(key(pk, sk), values.clone());
        Ok(())
    }

    async fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<bool, Error> {
        if self.has(pk, sk) {
            return Ok(false);
        }
        self.put(pk, sk, values, expires).await?;
        Ok(true)
    }

    async fn list(&self, pk: &str) -> Result<Vec<Item>, Error> {
        self.called("dynamodb", "Query")?;
        let items = self.items.borrow();
        let of_partition = items.iter().filter(|(key, _)| key.pk == pk);
        let of_partition = of_partition.map(|(key, values)| Item {
            sk: key.sk.clone(),
            values: values.clone(),
        });
        Ok(of_partition.collect())
    }

    async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        self.journal.borrow_mut().push(format!("DeleteItem {pk}"));
        self.items.borrow_mut().remove(&key(pk, sk));
        Ok(())
    }

    async fn write_all(&self, _: Vec<Write>) -> Result<bool, Error> {
        unreachable!("share-pipeline writes no transactions")
    }

    async fn history(&self, _: &str) -> Result<Vec<Delivery>, Error> {
        unreachable!("share-pipeline reads no history")
    }

    async fn lease(
        &self,
        pk: &str,
        sk: &str,
        _: &str,
        _: Timestamp,
        _: Duration,
        _: Values,
    ) -> Result<Lease, Error> {
        let is_done = self.delivered.borrow().contains(&key(pk, sk));
        Ok(if is_done { Lease::Done } else { Lease::Taken })
    }

    async fn done(&self, pk: &str, sk: &str, _: &str) -> Result<bool, Error> {
        Ok(self.delivered.borrow_mut().insert(key(pk, sk)))
    }

    async fn release(&self, _: &str, _: &str, _: &str) -> Result<bool, Error> {
        Ok(true)
    }
}

impl PolicyStore for FakeHub {
    fn place(&self) -> &Place {
        &self.place
    }

    async fn labelled(&self) -> Result<Labelled, Error> {
        self.called("ssm", "GetParameter")?;
        let versions = self.versions.borrow();
        let labelled = self.labelled.get();
        let version = versions.iter().find(|it| Some(it.version) == labelled);
        Ok(Labelled::read(version.cloned(), &self.place))
    }

    async fn newest(&self) -> Result<Option<Version>, Error> {
        self.called("ssm", "GetParameters")?;
        Ok(self.versions.borrow().last().cloned())
    }

    async fn put_in_force(&self, version: i64) -> Result<(), Error> {
        self.called("ssm", "LabelParameterVersion")?;
        self.labelled.set(Some(version));
        Ok(())
    }
}

impl Publish for FakeHub {
    async fn publish(&self, _: Address<'_>, notification: &Notice) -> Result<(), Error> {
        self.called("sns", "Publish")?;
        self.published.borrow_mut().push(notification.clone());
        Ok(())
    }
}
