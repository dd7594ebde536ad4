//! Takes ARNs apart.

/// The parts of an ARN that the sandbox looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// For instance `sqs`.
    pub(crate) service: &'a str,
    /// The Region; empty for global services.
    pub(crate) region: &'a str,
    /// The account; empty where AWS leaves it out.
    pub(crate) account: &'a str,
    /// Everything after the account.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN of the `aws` partition.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" || parts.next()? != "aws" {
            return None;
        }
        Some(Self {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next().filter(|resource| !resource.is_empty())?,
        })
    }
}
