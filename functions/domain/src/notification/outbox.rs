//! A notification that is decided and not yet sent, as it is kept until it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    EXECUTION_DETAIL_TYPE, Notification, PROBLEM_DETAIL_TYPE, REFUSAL_DETAIL_TYPE,
    SHARED_DETAIL_TYPE, WITHDRAWN_DETAIL_TYPE,
};

/// A notification and who is to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// What is to be said.
    pub notification: Notification,
    /// Whether it is for the hub alone, and not for the account that it is about.
    pub hub_only: bool,
}

impl Unsent {
    /// What is kept, as the texts of an item.
    #[must_use]
    pub fn to_values(&self) -> BTreeMap<String, String> {
        let Notification {
            detail_type,
            detail,
            resources,
            ..
        } = &self.notification;
        let to = if self.hub_only { "hub" } else { "everybody" };
        let values = [
            ("detailType", (*detail_type).to_owned()),
            ("detail", detail.to_string()),
            ("resources", resources.join("\n")),
            ("to", to.to_owned()),
        ];
        values.map(|(name, text)| (name.to_owned(), text)).into()
    }

    /// What was kept; none if it is not what [`Unsent::to_values`] writes.
    #[must_use]
    pub fn from_values(values: &BTreeMap<String, String>) -> Option<Self> {
        let detail: Value = serde_json::from_str(values.get("detail")?).ok()?;
        let text = |member: &str| Some(detail[member].as_str()?.to_owned());
        let resources = values.get("resources")?.lines().map(str::to_owned);
        let notification = Notification {
            id: text("id")?,
            subject: text("subject")?,
            text: text("text")?,
            detail_type: known(values.get("detailType")?)?,
            resources: resources.collect(),
            detail,
        };
        let hub_only = values.get("to")? == "hub";
        Some(Self {
            notification,
            hub_only,
        })
    }
}

fn known(detail_type: &str) -> Option<&'static str> {
    let all = [
        EXECUTION_DETAIL_TYPE,
        SHARED_DETAIL_TYPE,
        WITHDRAWN_DETAIL_TYPE,
        REFUSAL_DETAIL_TYPE,
        PROBLEM_DETAIL_TYPE,
    ];
    all.into_iter().find(|known| *known == detail_type)
}
