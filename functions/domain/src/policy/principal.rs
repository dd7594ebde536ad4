//! Reads whom a rule shares with.

use super::{
    account::{ReadAccounts, ReadOrganization},
    checker::{Checker, quoted},
    document::Node,
};
use crate::id::{AccountId, Principal};

/// What the rest of the document says that principals depend on.
pub(super) struct Context<'c> {
    pub(super) organization: &'c ReadOrganization,
    pub(super) accounts: &'c ReadAccounts,
}

/// Reads the principals of a rule; nothing if one of them, or their number, is wrong.
pub(super) fn read_principals(
    checker: &mut Checker,
    node: &Node,
    context: &Context,
    owner: Option<&AccountId>,
) -> Option<Vec<Principal>> {
    let items = checker.list(Some(node), "accounts or ARNs")?;
    if items.is_empty() {
        checker.report(
            node,
            "a rule shares with at least one principal; or remove the rule",
        );
    }
    let mut principals: Vec<Principal> = Vec::new();
    for item in items {
        let Some(principal) = read_principal(checker, item, context) else {
            continue;
        };
        if principals.contains(&principal) {
            let found = quoted(principal.as_str());
            checker.report(item, format!("{found} is in this list already"));
        }
        if owner.is_some_and(|owner| principal.account() == Some(owner)) {
            checker.report(item, "this is the owner itself, whose pipelines these are");
        }
        principals.push(principal);
    }
    (!items.is_empty() && principals.len() == items.len()).then_some(principals)
}

fn read_principal(checker: &mut Checker, node: &Node, context: &Context) -> Option<Principal> {
    let text = checker.text(node, "an account or an ARN")?;
    if !text.starts_with("arn:") {
        let account = context.accounts.resolve(checker, node, text)?;
        return Some(Principal::Account(account));
    }
    match check_arn(text, context.organization) {
        Ok(principal) => Some(principal),
        Err(problem) => {
            checker.report(node, format!("{}: {problem}", quoted(text)));
            None
        }
    }
}

/// Takes an ARN for a principal that the organization's settings allow.
fn check_arn(text: &str, organization: &ReadOrganization) -> Result<Principal, String> {
    if text.contains(['*', '?']) {
        return Err("RAM takes no wildcards; name each principal".to_owned());
    }
    let principal: Principal = text.parse().map_err(
        |_| "this is not the ARN of an IAM role or user, an organizational unit or an organization",
    )?;
    let is_unit = match principal {
        Principal::Account(_) | Principal::Identity(..) => return Ok(principal),
        Principal::OrganizationalUnit(_) => true,
        Principal::Organization(_) => false,
    };
    let id = organization_id(text, is_unit).ok_or(if is_unit {
        "such an ARN ends in ou/o-ORGANIZATION/ou-UNIT"
    } else {
        "such an ARN ends in organization/o-ORGANIZATION"
    })?;
    match &organization.known {
        None if organization.unclear => Ok(principal),
        Some(known) if !known.ram_sharing => Err(NEEDS_RAM_SHARING.to_owned()),
        None => Err(NEEDS_RAM_SHARING.to_owned()),
        Some(known) if known.id != id => Err(format!(
            "RAM shares only within the own organization, {}",
            known.id
        )),
        Some(_) => Ok(principal),
    }
}

const NEEDS_RAM_SHARING: &str =
    "RAM shares with this only where \"organization\" says \"ramSharing: true\"";

/// The organization's id in the ARN of a unit or an organization.
fn organization_id(arn: &str, is_unit: bool) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let mut segments = resource.split('/').skip(1);
    let id = segments.next().filter(|id| id.starts_with("o-"))?;
    let unit = segments.next();
    let fits = match unit {
        Some(unit) => is_unit && unit.starts_with("ou-"),
        None => !is_unit,
    };
    (fits && segments.next().is_none()).then_some(id)
}
