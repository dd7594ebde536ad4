//! The audit trail: every change of access and of the policy, as events for a log.
//!
//! What people are notified of is what an account was seen to gain and to lose.
//! The trail says what pipeshare did, to whom, by which rule of which version
//! of which document, and who wrote it; and once a day what there is.

mod access;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    digest,
    id::{AccountId, PermissionArn},
    policy::{Access, InForce, Rule, Version},
    sharing::{Applied, Observed, Reason},
};
use access::{Given, Holder, Shares, Terms};

/// The detail type of an event about access that was given, changed or taken away.
pub const CHANGED_DETAIL_TYPE: &str = "Access Changed";

/// The detail type of an event about access that there is.
pub const RECORDED_DETAIL_TYPE: &str = "Access Recorded";

/// The detail type of an event about a version of a document that was put in force.
pub const POLICY_DETAIL_TYPE: &str = "Policy In Force";

/// How many pipelines an event names; their names are at most 256 bytes long,
/// and an event is at most 256 KiB.
const MOST_PIPELINES: usize = 400;

/// An event on the bus of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    /// What kind of event it is.
    pub detail_type: &'static str,
    /// What it says.
    pub detail: Value,
}

/// How access has changed, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Somebody cannot use the pipelines any more, or can accept them no more.
    Withdrawn,
    /// Somebody can use them in another way.
    Changed,
    /// Somebody can use them from now on.
    Granted,
    /// Somebody can, once they accept.
    Offered,
    /// Somebody can use them, as before.
    Held,
}

/// A document of the policy, and who wrote the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The name of the parameter.
    pub document: String,
    /// The number of the version.
    pub document_version: i64,
    /// The digest of its text.
    pub document_digest: String,
    /// When it was written, if SSM says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_at: Option<jiff::Timestamp>,
    /// The ARN of who wrote it, if SSM says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
}

impl Document {
    /// A version of a parameter, and who wrote it.
    #[must_use]
    pub fn new(parameter: String, version: &Version, written_by: Option<String>) -> Self {
        Self {
            document: parameter,
            document_version: version.version,
            document_digest: version.digest(),
            written_at: version.written,
            written_by,
        }
    }

    /// The event that says that it was put in force.
    #[must_use]
    pub fn event(&self) -> TrailEvent {
        event(POLICY_DETAIL_TYPE, self)
    }
}

/// The documents of the policy in force, as the trail names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documents {
    /// By team; the root is that of no team.
    pub by_team: BTreeMap<Option<String>, Document>,
}

impl Documents {
    /// The document with the rule, or the root if the rule is gone.
    fn of(&self, rule: Option<&Rule>) -> Option<&Document> {
        let team = rule.and_then(|rule| rule.team.clone());
        self.by_team.get(&team)
    }
}

/// What the events of one run in one account have in common.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The policy that the run went by.
    pub policy: &'a InForce,
    /// Its documents.
    pub documents: &'a Documents,
    /// The account as it was observed.
    pub observed: &'a Observed,
    /// The message that the run served: the same in all of its events.
    pub run: &'a str,
}

/// What an event says of pipelines of one owner and one principal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    change: Change,
    /// Whether AWS did not answer, so that it may have happened or not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    uncertain: bool,
    owner: &'a AccountId,
    owner_name: &'a str,
    principal: &'a str,
    principal_name: &'a str,
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_before: Option<String>,
    pipelines: Vec<&'a str>,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(flatten)]
    document: Option<&'a Document>,
    run: &'a str,
}

/// What several pipelines of a record have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    // Access is taken away before any is given.
    change: Change,
    holder: Holder,
    permission: PermissionArn,
    before: Option<PermissionArn>,
    reason: Option<Reason>,
}

/// Pipelines by their ARNs, and what changed for them.
type Changes = BTreeMap<Kind, Vec<String>>;

impl Context<'_> {
    /// The events about what these steps have changed.
    ///
    /// Access that a rule gives by another share than before has not changed. A
    /// pipeline that was recreated was withdrawn, and the new one granted. Of a
    /// step that failed, `may_be_done` says whether it may have been carried out.
    pub fn changes<E>(
        &self,
        steps: &[Applied<E>],
        may_be_done: impl Fn(&E) -> bool,
    ) -> Vec<TrailEvent> {
        if steps.is_empty() {
            return Vec::new();
        }
        let mut before = Shares::observed(self.observed).given();
        let shares = self.after(steps, may_be_done);
        let mut events = Vec::new();
        for (holder, pipelines) in &shares.interrupted {
            let known = before.entry(holder.clone()).or_default();
            known.retain(|pipeline, _| !pipelines.contains_key(pipeline));
        }
        let nothing = Given::new();
        let interrupted = compare(&shares.interrupted, &nothing, |_, _| {
            Some(Reason::PipelineRecreated)
        });
        events.extend(self.events(CHANGED_DETAIL_TYPE, &interrupted, &shares));
        let reason = |holder: &Holder, pipeline: &str| shares.reason(holder, pipeline);
        let changes = compare(&before, &shares.given(), reason);
        events.extend(self.events(CHANGED_DETAIL_TYPE, &changes, &shares));
        events
    }

    /// The events about all access that there is once these steps are taken.
    pub fn record<E>(
        &self,
        steps: &[Applied<E>],
        may_be_done: impl Fn(&E) -> bool,
    ) -> Vec<TrailEvent> {
        let shares = self.after(steps, may_be_done);
        let mut held = Changes::new();
        for (holder, pipelines) in shares.given() {
            for (pipeline, terms) in pipelines {
                let change = if terms.pending {
                    Change::Offered
                } else {
                    Change::Held
                };
                let kind = Kind {
                    holder: holder.clone(),
                    change,
                    permission: terms.permission,
                    before: None,
                    reason: None,
                };
                held.entry(kind).or_default().push(pipeline);
            }
        }
        self.events(RECORDED_DETAIL_TYPE, &held, &shares)
    }

    /// The shares once these steps are taken.
    fn after<E>(&self, steps: &[Applied<E>], may_be_done: impl Fn(&E) -> bool) -> Shares<'_> {
        let mut shares = Shares::observed(self.observed);
        for step in steps {
            shares.apply(step, &may_be_done);
        }
        shares
    }

    fn events(
        &self,
        detail_type: &'static str,
        changes: &Changes,
        shares: &Shares<'_>,
    ) -> Vec<TrailEvent> {
        let each = changes.iter().flat_map(|(kind, pipelines)| {
            let parts = pipelines.chunks(MOST_PIPELINES);
            parts.map(|part| event(detail_type, &self.of(kind, part, shares)))
        });
        each.collect()
    }

    /// The word of the policy for what a permission lets people do.
    fn word(&self, permission: &PermissionArn) -> String {
        let access = Access::of(permission, &self.observed.partition);
        access.as_str().to_owned()
    }

    fn of<'a>(
        &'a self,
        kind: &'a Kind,
        pipelines: &'a [String],
        shares: &Shares<'_>,
    ) -> Record<'a> {
        let policy = &self.policy.policy;
        let owner = &self.observed.account;
        let rule = policy.rule(&kind.holder.rule, owner);
        let principal = &kind.holder.principal;
        let names = pipelines.iter().filter_map(|arn| arn.rsplit('/').next());
        Record {
            change: kind.change,
            uncertain: shares.uncertain.contains(&kind.holder.rule),
            owner,
            owner_name: policy.display_name(owner),
            principal,
            principal_name: policy.name_of_principal(principal).unwrap_or(principal),
            access: self.word(&kind.permission),
            access_before: kind.before.as_ref().map(|it| self.word(it)),
            pipelines: names.collect(),
            rule: &kind.holder.rule,
            reason: kind.reason,
            why: rule.and_then(|rule| rule.why.as_deref()),
            contact: rule.and_then(|rule| rule.contact.as_deref()),
            until: rule.and_then(|rule| rule.until.as_ref().map(ToString::to_string)),
            document: self.documents.of(rule),
            run: self.run,
        }
    }
}

/// What is given otherwise than before.
fn compare(
    before: &Given,
    after: &Given,
    reason: impl Fn(&Holder, &str) -> Option<Reason>,
) -> Changes {
    let mut changes = Changes::new();
    let holders: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let nothing = BTreeMap::new();
    for holder in holders {
        let (old, new) = (
            before.get(holder).unwrap_or(&nothing),
            after.get(holder).unwrap_or(&nothing),
        );
        let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for pipeline in all {
            let Some((change, terms)) = change(old.get(pipeline), new.get(pipeline)) else {
                continue;
            };
            let before = old.get(pipeline).map(|it| it.permission.clone());
            let kind = Kind {
                holder: holder.clone(),
                change,
                permission: terms.permission.clone(),
                before: before.filter(|_| change == Change::Changed),
                reason: reason(holder, pipeline),
            };
            changes.entry(kind).or_default().push(pipeline.clone());
        }
    }
    changes
}

/// How access has changed, and to what terms, or from which if it is gone.
fn change<'a>(old: Option<&'a Terms>, new: Option<&'a Terms>) -> Option<(Change, &'a Terms)> {
    match (old, new) {
        (Some(old), None) => Some((Change::Withdrawn, old)),
        (None, Some(new)) if new.pending => Some((Change::Offered, new)),
        (None, Some(new)) => Some((Change::Granted, new)),
        (Some(old), Some(new)) if old.permission != new.permission => Some((Change::Changed, new)),
        (Some(old), Some(new)) if old.pending && !new.pending => Some((Change::Granted, new)),
        (Some(old), Some(new)) if !old.pending && new.pending => Some((Change::Offered, new)),
        _ => None,
    }
}

fn event(detail_type: &'static str, what: &impl Serialize) -> TrailEvent {
    let mut detail = serde_json::to_value(what).unwrap_or_default();
    // A repetition of the same run is the same record.
    let id = digest::hex(&format!("{detail_type} {detail}"));
    detail["version"] = json!("1");
    detail["id"] = json!(id);
    TrailEvent {
        detail_type,
        detail,
    }
}
