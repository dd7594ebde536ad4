//! What a rule says about itself, for whoever reads of it.

use serde::Serialize;

use super::{Policy, Rule, RuleName};
use crate::text::{LONGEST, flat};

/// Why there is a rule, and whom to ask about it, as far as it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct About {
    /// Why there is the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whom to ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl About {
    /// Whether the rule says nothing about itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Rule {
    /// What the rule says about itself, as it may stand in a report.
    #[must_use]
    pub fn about(&self) -> About {
        let visible = |text: &Option<String>| text.as_ref().map(|text| flat(text, LONGEST));
        About {
            why: visible(&self.why),
            contact: visible(&self.contact),
        }
    }
}

impl Policy {
    /// What the rule of this name says about itself, even if it has ended; its
    /// owners have it in common. Nothing if there is no such rule any more.
    #[must_use]
    pub fn about(&self, rule: &RuleName) -> About {
        let mut rules = self.rules.iter().chain(&self.ended);
        let rule = rules.find(|it| it.name == *rule);
        rule.map(Rule::about).unwrap_or_default()
    }
}
