//! Policies of one cast: members of an organization, and two from outside of it.

use domain::policy::Policy;

/// What access `read` gives.
pub const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
/// What access `execute` gives.
pub const EXECUTE: &str =
    "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution";

/// The policy with these rules.
#[must_use]
pub fn policy(rules: &str) -> Policy {
    Policy::parse(&text(rules)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The document of a policy with these rules.
#[must_use]
pub fn text(rules: &str) -> String {
    let accounts = r#"
version: 1
organization: { id: o-example1234, ramSharing: true }
accounts:
  dev: "111111111111"
  test: "222222222222"
  shared: "333333333333"
  partner: { id: "444444444444", external: true }
  bank: { id: "555555555555", external: true }
"#;
    format!("{accounts}rules:\n{rules}")
}
