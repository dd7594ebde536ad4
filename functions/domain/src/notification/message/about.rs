//! What rules say about themselves, in lines and as data.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Value, json};

use crate::{
    policy::{About, Policy, RuleName},
    text::{LONGEST, without_links},
};

/// How many rules of a message are explained.
const MOST: usize = 20;

/// Appends why there is the rule that a message is about, and whom to ask.
pub(super) fn write_about(text: &mut String, about: &About) {
    let lines = [
        ("Why there is the rule", &about.why),
        ("Contact", &about.contact),
    ];
    for (word, said) in lines {
        if let Some(said) = said {
            let _ = writeln!(text, "{word}: {}", without_links(said, LONGEST));
        }
    }
}

/// Adds the same to the data of the message.
pub(super) fn add_about(detail: &mut Value, about: &About) {
    detail["why"] = json!(about.why);
    detail["contact"] = json!(about.contact);
}

/// The rules of a message that say something about themselves, each once.
pub(super) struct Explained<'a>(Vec<(&'a RuleName, About)>);

impl<'a> Explained<'a> {
    /// Looks up what rules say.
    pub(super) fn of(policy: &Policy, rules: impl IntoIterator<Item = &'a RuleName>) -> Self {
        let rules: BTreeSet<_> = rules.into_iter().collect();
        let rules = rules.into_iter().map(|rule| (rule, policy.about(rule)));
        let explained = rules.filter(|(_, about)| !about.is_empty());
        Self(explained.take(MOST).collect())
    }

    /// Appends a line for each.
    pub(super) fn write(&self, text: &mut String) {
        for (rule, About { why, contact }) in &self.0 {
            let why = why.as_ref().map(|it| ("why", it));
            let contact = contact.as_ref().map(|it| ("contact", it));
            let said = why.into_iter().chain(contact);
            let said = said.map(|(word, it)| format!("{word}: {}", without_links(it, LONGEST)));
            let said: Vec<_> = said.collect();
            let _ = writeln!(text, "Rule {rule}: {}", said.join("; "));
        }
    }

    /// The same as data.
    pub(super) fn data(&self) -> Value {
        let data = self.0.iter().map(|(rule, about)| {
            let mut one = json!({ "rule": rule });
            add_about(&mut one, about);
            one
        });
        data.collect()
    }
}
