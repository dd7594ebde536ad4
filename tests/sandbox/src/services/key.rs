//! What a resource is found by.

use crate::world::Call;

/// The account, the Region and the name of a resource.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub(crate) struct ResourceKey {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
}

impl ResourceKey {
    pub(crate) fn new(account: &str, region: &str, name: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The key of a resource of the caller's own.
    pub(crate) fn own(call: &Call, name: &str) -> Self {
        Self::new(&call.caller.account, &call.region, name)
    }

    /// Whether the resource is the caller's own, in the Region of the call.
    pub(crate) fn is_own(&self, call: &Call) -> bool {
        self.account == call.caller.account && self.region == call.region
    }
}
