//! The organization of the sandbox's accounts.

use std::collections::BTreeSet;

/// An organization and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Organization {
    /// For instance `o-sandbox123`.
    pub id: String,
    /// The management account.
    pub management_account: String,
    /// The member accounts, the management account among them.
    pub members: BTreeSet<String>,
    /// Whether RAM shares within the organization without invitations.
    pub ram_sharing: bool,
    /// Organizational units by ARN, and the accounts in each.
    pub units: std::collections::BTreeMap<String, BTreeSet<String>>,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            id: "o-sandbox123".to_owned(),
            management_account: "000000000000".to_owned(),
            members: BTreeSet::new(),
            ram_sharing: false,
            units: std::collections::BTreeMap::new(),
        }
    }
}

impl Organization {
    /// The ARN of the organization.
    #[must_use]
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:organizations::{}:organization/{}",
            self.management_account, self.id
        )
    }

    /// Whether RAM may share from one account to the other without an invitation.
    #[must_use]
    pub fn shares_between(&self, one: &str, other: &str) -> bool {
        self.ram_sharing && self.members.contains(one) && self.members.contains(other)
    }

    /// The accounts of an organizational unit; ARNs compare without regard to case.
    #[must_use]
    pub fn unit(&self, arn: &str) -> Option<&BTreeSet<String>> {
        self.units
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(arn))
            .map(|(_, accounts)| accounts)
    }
}
