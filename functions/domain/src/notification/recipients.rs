//! Which accounts are notified of an execution, and which its owner does not allow to be.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Destination;
use crate::{
    ceiling::{Beyond, Ceiling},
    id::{AccountId, Principal},
    policy::{About, Rule, RuleName},
};

/// The accounts that rules name for news of an execution.
///
/// Units and organizations are not expanded: the accounts are those that the
/// policy names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipients {
    /// Whom to notify, each with the rules by which.
    pub told: BTreeMap<AccountId, Vec<RuleName>>,
    /// Whom not to notify, since the owner allows the rule nothing for them.
    pub withheld: Vec<Withheld>,
}

/// What a rule would have notified an account of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The account.
    pub account: AccountId,
    /// The rule.
    pub rule: RuleName,
    /// Why the account is not notified.
    pub reason: String,
    /// What the rule says about itself.
    #[serde(flatten)]
    pub about: About,
}

/// Whom these rules, all of one owner, have notified of an execution, within the ceiling of the owner.
///
/// A rule that may not share with somebody does not notify them either: the
/// owner decides who learns of its runs, and the policy only moves below that.
///
/// ```
/// use domain::{notification::recipients, policy::Policy};
///
/// let policy = Policy::parse(
///     r#"
/// version: 1
/// accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
/// rules:
///   - { name: readers, owner: test, pipelines: ["*"], with: [dev, shared], notify: [Failed] }
/// "#,
/// )?;
/// let ceiling = r#"{
///     "allowedPrincipals": ["111111111111"],
///     "allowedAccess": "read",
///     "allowedPermissions": [],
///     "shareNamePrefix": "pipeshare-"
/// }"#
/// .parse()?;
/// // The rules that want to know that an execution has failed: see `wanting_rules`.
/// let rules = [&policy.rules[0]];
/// let recipients = recipients(&rules, &ceiling, "aws");
/// assert!(recipients.told.contains_key(&"111111111111".parse()?));
/// assert_eq!(
///     recipients.withheld[0].reason,
///     "principal 333333333333 is not among AllowedPrincipals"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn recipients(rules: &[&Rule], ceiling: &Ceiling, partition: &str) -> Recipients {
    let mut recipients = Recipients::default();
    for rule in rules {
        let mut beyond: BTreeMap<&AccountId, Beyond> = BTreeMap::new();
        let mut within = BTreeSet::new();
        for principal in &rule.with {
            let Some(account) = principal.account() else {
                continue;
            };
            match ceiling.allows_by(rule, principal, partition) {
                Ok(()) => {
                    within.insert(account);
                }
                Err(reason) => {
                    beyond.entry(account).or_insert(reason);
                }
            }
        }
        // Of several roles of one account, one that is allowed is enough.
        beyond.retain(|account, _| !within.contains(account));
        for account in within {
            let by = recipients.told.entry(account.clone()).or_default();
            by.push(rule.name.clone());
        }
        let withheld = beyond.into_iter().map(|(account, reason)| Withheld {
            account: account.clone(),
            rule: rule.name.clone(),
            reason: reason.to_string(),
            about: rule.about(),
        });
        recipients.withheld.extend(withheld);
    }
    recipients
}

impl Recipients {
    /// Where the accounts are notified, each with the rules by which: machines and people.
    pub fn destinations(&self) -> impl Iterator<Item = (Destination, &[RuleName])> {
        self.told.iter().flat_map(|(account, rules)| {
            let of_account = [
                Destination::Bus(account.clone()),
                Destination::Topic(account.clone()),
            ];
            of_account.map(|destination| (destination, &rules[..]))
        })
    }

    /// Nobody, since it is not known whom the owner allows.
    #[must_use]
    pub fn unknown(rules: &[&Rule], reason: &str) -> Self {
        let named = rules.iter().flat_map(|rule| {
            let accounts: BTreeSet<_> = rule.with.iter().filter_map(Principal::account).collect();
            accounts.into_iter().map(|account| Withheld {
                account: account.clone(),
                rule: rule.name.clone(),
                reason: reason.to_owned(),
                about: rule.about(),
            })
        });
        Self {
            told: BTreeMap::new(),
            withheld: named.collect(),
        }
    }
}

/// Whether rules name any account that could be notified.
#[must_use]
pub fn name_accounts(rules: &[&Rule]) -> bool {
    let mut principals = rules.iter().flat_map(|rule| &rule.with);
    principals.any(|principal| principal.account().is_some())
}
