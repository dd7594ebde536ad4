//! Reads whom a rule shares with.

use super::{
    account::{ReadAccounts, ReadOrganization},
    checker::{Checker, Fields, quoted},
    document::{Node, entries, items},
    group::{Groups, read_named},
    place::Place,
};
use crate::id::{AccountId, ArnParts, Principal};

/// What the rest of the document, and the place it is for, say about principals.
pub(super) struct Context<'c> {
    pub(super) organization: &'c ReadOrganization,
    pub(super) accounts: &'c ReadAccounts,
    pub(super) groups: &'c Groups,
    pub(super) place: Option<&'c Place>,
}

/// Reads the principals of a rule; nothing if one of them, or their number, is wrong.
pub(super) fn read_principals(
    checker: &mut Checker,
    node: &Node,
    context: &Context,
    owners: &[AccountId],
) -> Option<Vec<Principal>> {
    let items = checker.list(Some(node), "accounts or ARNs")?;
    if items.is_empty() {
        checker.report(
            node,
            "a rule shares with at least one principal; or remove the rule",
        );
    }
    let named = read_named(checker, items, context, owners);
    for (index, (principal, number)) in named.written.iter().enumerate() {
        let (Some(before), Some(item)) = (named.written.get(..index), items.get(*number)) else {
            continue;
        };
        check_written(checker, item, principal, before);
        if let [owner] = owners
            && principal.account() == Some(owner)
        {
            checker.report(item, "this is the owner itself, whose pipelines these are");
        }
    }
    named.all().filter(|_| !items.is_empty())
}

/// Reports a principal that is written out twice, in whatever spelling.
fn check_written(
    checker: &mut Checker,
    item: &Node,
    principal: &Principal,
    before: &[(Principal, usize)],
) {
    if before.iter().any(|(other, _)| other == principal) {
        let found = quoted(principal.as_str());
        checker.report(item, format!("{found} is in this list already"));
    } else if let Some((other, _)) = before
        .iter()
        .find(|(it, _)| is_same_identity(it, principal))
    {
        let (found, other) = (quoted(principal.as_str()), quoted(other.as_str()));
        checker.report(
            item,
            format!("{found}: there is only one of this name in the account, and {other} is in this list already"),
        );
    }
}

/// Whether two ARNs can only be spellings of one role or user: IAM tells names
/// apart neither by case nor by path.
fn is_same_identity(one: &Principal, other: &Principal) -> bool {
    let (Principal::Identity(account, arn), Principal::Identity(other_account, other_arn)) =
        (one, other)
    else {
        return false;
    };
    let kind_and_name = |arn: &str| {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let kind = resource.split('/').next().unwrap_or_default();
        let name = resource.rsplit('/').next().unwrap_or_default();
        format!("{kind}/{name}").to_ascii_lowercase()
    };
    account == other_account && kind_and_name(arn) == kind_and_name(other_arn)
}

/// Reads one principal; the owners are those of its rule.
pub(super) fn read_principal(
    checker: &mut Checker,
    node: &Node,
    context: &Context,
    owners: &[AccountId],
) -> Option<Principal> {
    let text = checker.text(node, "an account or an ARN")?;
    let problem = if text.contains(['*', '?']) {
        "RAM takes no wildcards; name each principal".to_owned()
    } else if text.starts_with("arn:") {
        match check_arn(text, context, owners) {
            Ok(principal) => {
                if let Some(account) = principal.account() {
                    checker.remarks_mut().name_account(account);
                }
                return Some(principal);
            }
            Err(problem) => problem,
        }
    } else if text.contains(".amazonaws.com") {
        "RAM shares pipelines with no service of AWS; name accounts or ARNs".to_owned()
    } else {
        let account = context.resolve(checker, node, text)?;
        return Some(Principal::Account(account));
    };
    checker.report(node, format!("{}: {problem}", quoted(text)));
    None
}

/// Takes an ARN for a principal that RAM can share a pipeline of this owner with.
fn check_arn(text: &str, context: &Context, owners: &[AccountId]) -> Result<Principal, String> {
    let principal: Principal = text.parse().map_err(|_| meant_instead_of(text))?;
    let parts = ArnParts::split(text).ok_or_else(|| meant_instead_of(text))?;
    if let Some(place) = context.place {
        place.check_partition(&parts)?;
    }
    if !parts.region.is_empty() {
        return Err("such an ARN has no Region, only two colons in its place".to_owned());
    }
    let is_unit = match principal {
        Principal::Account(_) => return Ok(principal),
        Principal::Identity(..) => return check_identity(parts.resource).map(|()| principal),
        Principal::OrganizationalUnit(_) => true,
        Principal::Organization(_) => false,
    };
    let id = organization_id(parts.resource, is_unit).ok_or(if is_unit {
        "such an ARN ends in ou/o-ORGANIZATION/ou-UNIT, for instance ou/o-example1234/ou-ab12-cdef3456"
    } else {
        "such an ARN ends in organization/o-ORGANIZATION"
    })?;
    let organization = context.organization;
    match &organization.known {
        None if organization.unclear => {}
        Some(known) if !known.ram_sharing => return Err(NEEDS_RAM_SHARING.to_owned()),
        None => return Err(NEEDS_RAM_SHARING.to_owned()),
        Some(known) if known.id != id => {
            return Err(format!(
                "RAM shares only within the own organization, {}",
                known.id
            ));
        }
        Some(_) => {}
    }
    if owners
        .iter()
        .any(|owner| context.accounts.is_external(owner))
    {
        return Err(
            "the rule's owner is external, and only members of an organization share with it"
                .to_owned(),
        );
    }
    Ok(principal)
}

const NEEDS_RAM_SHARING: &str =
    "RAM shares with this only where \"organization\" says \"ramSharing: true\"";

/// What to write instead of an ARN that names no principal of RAM.
fn meant_instead_of(text: &str) -> String {
    const NOT_ONE: &str =
        "this is not the ARN of an IAM role or user, an organizational unit or an organization";
    let Some(parts) = ArnParts::split(text) else {
        return NOT_ONE.to_owned();
    };
    let segments: Vec<&str> = parts.resource.split('/').collect();
    match (parts.service, segments.as_slice()) {
        ("iam", ["root"]) => format!("this is the whole account; write {:?}", parts.account),
        ("organizations", ["account", _, account]) => {
            format!("this is an account; write {account:?}")
        }
        ("organizations", ["root", ..]) => {
            "RAM takes no root of an organization; name the organization, arn:…:organization/o-ORGANIZATION"
                .to_owned()
        }
        ("sts", ["assumed-role", role, ..]) => format!(
            "this is a session; name its role, such as arn:{}:iam::{}:role/{role}",
            parts.partition, parts.account
        ),
        ("iam", ["group", ..]) => {
            "RAM takes no groups of IAM; name a role, or each user".to_owned()
        }
        _ => NOT_ONE.to_owned(),
    }
}

/// Refuses what IAM lets no role or user be called.
fn check_identity(resource: &str) -> Result<(), String> {
    let name = resource.rsplit('/').next().unwrap_or_default();
    let known = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    let printable = resource.chars().all(|c| c.is_ascii_graphic());
    if (1..=64).contains(&name.len()) && name.chars().all(known) && printable {
        Ok(())
    } else {
        Err(
            "the name of a role or user, after the last '/', has 1 to 64 letters, digits and \
             characters of \"+=,.@_-\""
                .to_owned(),
        )
    }
}

/// The organization's id in the ARN of a unit or an organization.
fn organization_id(resource: &str, is_unit: bool) -> Option<&str> {
    let mut segments = resource.split('/').skip(1);
    let id = segments.next().filter(|id| id.starts_with("o-"))?;
    let unit = segments.next();
    let fits = match unit {
        Some(unit) => is_unit && is_unit_id(unit),
        None => !is_unit,
    };
    (fits && segments.next().is_none()).then_some(id)
}

/// Whether AWS gives such ids to organizational units.
fn is_unit_id(text: &str) -> bool {
    let plain = |text: &str| {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        text.bytes().all(known)
    };
    let Some((root, unit)) = text.strip_prefix("ou-").and_then(|t| t.split_once('-')) else {
        return false;
    };
    (4..=32).contains(&root.len()) && (8..=32).contains(&unit.len()) && plain(root) && plain(unit)
}

/// Reports ARNs of organizations and units that disagree about the management
/// account, which is the account in each: an organization has one.
pub(super) fn check_management_account(checker: &mut Checker, policy: &Fields) {
    let mut first: Option<(&str, usize)> = None;
    for item in named_principals(policy) {
        let Some(text) = item.text() else { continue };
        let Some(account) = management_account(text) else {
            continue;
        };
        match first {
            None => first = Some((account, item.at.line)),
            Some((known, line)) if known != account => {
                let found = quoted(text);
                let message = format!(
                    "{found}: an organization has one management account, and line {line} says {known}"
                );
                checker.report(item, message);
            }
            Some(_) => {}
        }
    }
}

/// The management account in the ARN of a unit or an organization.
fn management_account(text: &str) -> Option<&str> {
    match text.parse() {
        Ok(Principal::OrganizationalUnit(_) | Principal::Organization(_)) => {
            ArnParts::split(text).map(|parts| parts.account)
        }
        _ => None,
    }
}

/// Everything that stands in the `with` of a rule, read or not.
fn named_principals<'n>(policy: &Fields<'n>) -> Vec<&'n Node> {
    let rules = ["rules", "never"]
        .iter()
        .flat_map(|key| items(policy.get(key)));
    let teams = entries(policy.get("teams")).iter().map(|(_, team)| team);
    let fields = rules.chain(teams).flat_map(|it| entries(Some(it)));
    let with = fields.filter(|(key, _)| key.text == "with");
    let groups = entries(policy.get("groups")).iter();
    let lists = with.chain(groups).map(|(_, list)| list);
    lists.flat_map(|list| items(Some(list))).collect()
}
