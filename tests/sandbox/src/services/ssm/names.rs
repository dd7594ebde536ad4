//! Names of parameters and labels, and references to versions.

use super::invalid;
use crate::{
    services::arn::Arn,
    world::{ApiError, Call},
};

/// A parameter and which of its versions is meant: `name`, `name:3`,
/// `name:label`, or the same with an ARN.
pub(super) struct Reference<'a> {
    arn: Option<Arn<'a>>,
    name: &'a str,
    /// Which version is meant.
    pub(super) selector: Selector<'a>,
    /// The selector as it was written.
    pub(super) selector_text: Option<&'a str>,
}

/// Which version of a parameter is meant.
pub(super) enum Selector<'a> {
    Newest,
    Version(u64),
    Label(&'a str),
}

impl<'a> Reference<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ApiError> {
        let arn = Arn::parse(text);
        let path = match arn {
            Some(arn) => arn
                .resource
                .strip_prefix("parameter")
                .ok_or_else(|| invalid(format!("{text} is not the ARN of a parameter")))?,
            None => text,
        };
        let (name, selector_text) = match path.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (path, None),
        };
        let selector = match selector_text {
            None => Selector::Newest,
            Some(text) => text
                .parse()
                .map_or(Selector::Label(text), Selector::Version),
        };
        Ok(Self {
            arn,
            name,
            selector,
            selector_text,
        })
    }

    /// The names that the parameter may have in the caller's account and Region.
    ///
    /// An ARN writes `parameter/name` for both `name` and `/name`.
    pub(super) fn names_for(&self, call: &Call) -> Vec<&'a str> {
        match self.arn {
            None => vec![self.name],
            Some(arn)
                if arn.service == "ssm"
                    && arn.region == call.region
                    && arn.account == call.caller.account =>
            {
                vec![self.name, self.name.trim_start_matches('/')]
            }
            Some(_) => Vec::new(),
        }
    }
}

/// The most levels of a hierarchy.
const MAX_LEVELS: usize = 15;

/// The most letters of a parameter's ARN that its name decides on.
const MAX_LENGTH: usize = 1011;

/// Checks that Parameter Store takes this name for a parameter with this ARN.
///
/// The words are those that people report: boto/boto3 issue 1499 (spaces),
/// aws/aws-sdk-php issue 1952 (an at sign) and issue 467 of
/// aws-ia/terraform-aws-control_tower_account_factory (the prefix).
///
/// ASSUMED: the words for names of AWS and for what is too long.
pub(super) fn check(name: &str, arn: &str) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let first = name.trim_start_matches('/').to_lowercase();
    let levels = first.trim_end_matches('/').split('/');
    let is_path = first.contains('/');
    if first.starts_with("aws") {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"aws\" (case-insensitive).",
        ));
    }
    if is_path && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    let empty = name.starts_with("//") || levels.clone().any(str::is_empty);
    if first.starts_with("ssm") || empty || !name.chars().all(allowed) {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a \
             path, it can consist of sub-paths divided by slash symbol; each sub-path can be \
             formed as a mix of letters, numbers and the following 3 symbols .-_",
        ));
    }
    if levels.count() > MAX_LEVELS {
        return Err(ApiError::new(
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels.",
        ));
    }
    if arn.len() > MAX_LENGTH {
        return Err(invalid("Parameter name is too long."));
    }
    Ok(())
}

/// Checks that a value refers to no other parameter, as none may.
///
/// ASSUMED: whatever stands in double braces is such a reference, and the wording.
pub(super) fn check_value(value: &str) -> Result<(), ApiError> {
    let inner = value.split_once("{{").map(|(_, rest)| rest);
    if inner.is_some_and(|rest| rest.contains("}}")) {
        return Err(invalid(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value",
        ));
    }
    Ok(())
}

/// Whether a parameter lies below the path of a call.
pub(super) fn is_below(call: &Call, name: &str) -> bool {
    let path = call.text("Path").unwrap_or_default().trim_end_matches('/');
    let recursive = call.input["Recursive"] == true;
    let rest = name.strip_prefix(path);
    let rest = rest.and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| recursive || !rest.contains('/'))
}

/// Whether Parameter Store takes this label for a version.
pub(super) fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let lower = label.to_lowercase();
    (1..=100).contains(&label.len())
        && label.chars().all(allowed)
        && !label.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
