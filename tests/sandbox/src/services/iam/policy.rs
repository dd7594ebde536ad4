//! Evaluates policy documents: trust policies and the policies of queues and topics.

use std::collections::BTreeMap;

use serde_json::Value;
use wildmatch::WildMatch;

use crate::world::{ApiError, Caller, World};

/// What a policy is asked.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who wants it.
    pub principal: Principal,
    /// What is wanted, for instance `sqs:SendMessage`.
    pub action: &'a str,
    /// The ARN of what it is wanted of.
    pub resource: &'a str,
    /// The values of condition keys, by key in lower case.
    pub context: Context,
}

/// The values of condition keys, by key in lower case.
pub type Context = BTreeMap<String, Vec<String>>;

/// Who wants something.
#[derive(Debug, Clone)]
pub enum Principal {
    /// An AWS service, for instance `events.amazonaws.com`.
    Service(String),
    /// Somebody in an account.
    Aws {
        /// The account.
        account: String,
        /// Every ARN that a policy may name the caller by.
        arns: Vec<String>,
    },
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allow,
    /// A statement denies it.
    Deny,
    /// No statement is about it.
    Silent,
}

impl<'a> Request<'a> {
    /// A request of somebody who calls the API.
    #[must_use]
    pub fn of_caller(world: &World, caller: &Caller, action: &'a str, resource: &'a str) -> Self {
        let arn = world.iam.principal_arn(caller);
        let mut request = Self {
            principal: Principal::Aws {
                account: caller.account.clone(),
                arns: vec![arn.clone(), caller.arn()],
            },
            action,
            resource,
            context: Context::new(),
        };
        request.add("aws:PrincipalArn", arn);
        request.add("aws:PrincipalAccount", caller.account.clone());
        if world.organization.members.contains(&caller.account) {
            request.add("aws:PrincipalOrgID", world.organization.id.clone());
        }
        request
    }

    /// A request of a service on behalf of one of its resources.
    #[must_use]
    pub fn of_service(
        service: &str,
        source_arn: &str,
        source_account: &str,
        action: &'a str,
        resource: &'a str,
    ) -> Self {
        let mut request = Self {
            principal: Principal::Service(service.to_owned()),
            action,
            resource,
            context: Context::new(),
        };
        request.add("aws:SourceArn", source_arn.to_owned());
        request.add("aws:SourceAccount", source_account.to_owned());
        request.add("aws:PrincipalIsAWSService", "true".to_owned());
        request
    }

    /// Adds a value of a condition key.
    pub fn add(&mut self, key: &str, value: String) {
        let values = self.context.entry(key.to_lowercase()).or_default();
        values.push(value);
    }
}

/// Asks a policy that is attached to a resource or a role.
///
/// A construct that the sandbox does not know is an error, never a guess.
pub fn evaluate(policy: &Value, request: &Request<'_>) -> Result<Decision, ApiError> {
    let mut decision = Decision::Silent;
    for statement in list(policy.get("Statement")) {
        if !applies(statement, request)? {
            continue;
        }
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => decision = Decision::Allow,
            Some("Deny") => return Ok(Decision::Deny),
            _ => return Err(malformed("Effect is neither Allow nor Deny")),
        }
    }
    Ok(decision)
}

fn applies(statement: &Value, request: &Request<'_>) -> Result<bool, ApiError> {
    Ok(names_principal(statement, request)? && covers(statement, request)?)
}

/// Whether a statement is about the request, whoever makes it.
pub(super) fn covers(statement: &Value, request: &Request<'_>) -> Result<bool, ApiError> {
    Ok(names(statement, "Action", |pattern| {
        names_action(pattern, request.action)
    })
        // A trust policy has no resource: it is about its own role.
        && (no_resource(statement)
            || names(statement, "Resource", |pattern| {
                names_resource(pattern, request)
            }))
        && conditions_hold(statement.get("Condition"), &request.context)?)
}

/// Whether an `Action` of a statement means this action, whose case does not matter.
pub(super) fn names_action(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_lowercase(), &action.to_lowercase())
}

/// Whether a `Resource` of a statement means what is wanted.
pub(super) fn names_resource(pattern: &str, request: &Request<'_>) -> bool {
    expand(pattern, &request.context).is_some_and(|pattern| matches(&pattern, request.resource))
}

/// Fills in the policy variables, such as `${aws:PrincipalAccount}`.
///
/// Nothing is matched if one has no value, or several.
fn expand(pattern: &str, context: &Context) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}')?;
        expanded.push_str(before);
        match variable {
            "*" | "?" | "$" => expanded.push_str(variable),
            key => {
                let [value] = context.get(&key.to_lowercase())?.as_slice() else {
                    return None;
                };
                expanded.push_str(value);
            }
        }
        rest = after;
    }
    expanded.push_str(rest);
    Some(expanded)
}

fn no_resource(statement: &Value) -> bool {
    statement.get("Resource").is_none() && statement.get("NotResource").is_none()
}

fn names(statement: &Value, element: &str, is_named: impl Fn(&str) -> bool) -> bool {
    let any = |value| texts(value).any(&is_named);
    match statement.get(element) {
        Some(value) => any(Some(value)),
        None => match statement.get(format!("Not{element}")) {
            Some(value) => !any(Some(value)),
            None => false,
        },
    }
}

fn names_principal(statement: &Value, request: &Request<'_>) -> Result<bool, ApiError> {
    if let Some(principals) = statement.get("Principal") {
        return Ok(is_among(principals, &request.principal));
    }
    match statement.get("NotPrincipal") {
        Some(principals) => Ok(!is_among(principals, &request.principal)),
        None => Err(malformed("A statement names no principal")),
    }
}

fn is_among(principals: &Value, principal: &Principal) -> bool {
    if principals.as_str() == Some("*") {
        return true;
    }
    match principal {
        Principal::Service(service) => {
            texts(principals.get("Service")).any(|named| named == service)
        }
        Principal::Aws { account, arns } => texts(principals.get("AWS")).any(|named| {
            named == "*"
                || named == account
                || named == format!("arn:aws:iam::{account}:root")
                || arns.iter().any(|arn| arn == named)
        }),
    }
}

fn conditions_hold(conditions: Option<&Value>, context: &Context) -> Result<bool, ApiError> {
    for (operator, keys) in conditions.and_then(Value::as_object).into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let actual = context.get(&key.to_lowercase());
            let wanted: Vec<String> = scalars(wanted)
                .filter_map(|wanted| expand(&wanted, context))
                .collect();
            if !condition_holds(operator, actual.map(Vec::as_slice), &wanted)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn condition_holds(
    operator: &str,
    actual: Option<&[String]>,
    wanted: &[String],
) -> Result<bool, ApiError> {
    let (every, operator) = match operator.split_once(':') {
        Some(("ForAllValues", operator)) => (true, operator),
        Some(("ForAnyValue", operator)) => (false, operator),
        _ => (false, operator),
    };
    if operator == "Null" {
        return Ok(wanted
            .iter()
            .any(|wanted| (wanted == "true") == actual.is_none()));
    }
    let (if_exists, operator) = match operator.strip_suffix("IfExists") {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let (negated, compare) = comparison(operator)?;
    let Some(actual) = actual else {
        return Ok(if_exists || negated || every);
    };
    let holds = |value: &String| wanted.iter().any(|wanted| compare(wanted, value)) != negated;
    Ok(if every || negated {
        actual.iter().all(holds)
    } else {
        actual.iter().any(holds)
    })
}

type Comparison = fn(&str, &str) -> bool;

/// Whether the operator is a negation, and how it compares what is wanted with what is.
fn comparison(operator: &str) -> Result<(bool, Comparison), ApiError> {
    let (negated, positive) = match operator.replacen("Not", "", 1) {
        positive if positive == operator => (false, positive),
        positive => (true, positive),
    };
    let compare: Comparison = match positive.as_str() {
        "StringEquals" => |wanted, actual| wanted == actual,
        "StringEqualsIgnoreCase" | "Bool" => str::eq_ignore_ascii_case,
        "StringLike" => matches,
        // AWS documents that both behave alike.
        "ArnEquals" | "ArnLike" => arn_matches,
        _ => {
            return Err(ApiError::with_status(
                501,
                "NotImplemented",
                format!("The condition operator {operator} is not implemented in the sandbox"),
            ));
        }
    };
    Ok((negated, compare))
}

/// Whether a text fits a pattern with `*` and `?`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// Compares each of the six parts of an ARN by itself, so that a `*` does not cross a colon.
fn arn_matches(pattern: &str, arn: &str) -> bool {
    let mut patterns = pattern.splitn(6, ':');
    let mut parts = arn.splitn(6, ':');
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if matches(pattern, part) => {}
            _ => return false,
        }
    }
}

/// The items of an element that may be one thing or a list of them.
pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter(),
        single => std::slice::from_ref(single).iter(),
    })
}

pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

/// Templates may write `true` and numbers without quotes.
fn scalars(value: &Value) -> impl Iterator<Item = String> {
    list(Some(value)).map(|item| match item {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn malformed(problem: &str) -> ApiError {
    ApiError::new("MalformedPolicyDocument", problem)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::world::AssumedRole;

    const ROLE: &str = "arn:aws:iam::222222222222:role/target";

    fn hub_function() -> Caller {
        Caller {
            account: "111111111111".to_owned(),
            role: Some(AssumedRole {
                name: "function".to_owned(),
                session: "s".to_owned(),
            }),
        }
    }

    fn ask(statement: &Value) -> Decision {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        world.organization.members.insert("111111111111".to_owned());
        let request = Request::of_caller(&world, &hub_function(), "sts:AssumeRole", ROLE);
        evaluate(&json!({ "Statement": statement }), &request).unwrap()
    }

    fn allow(principal: &Value, condition: &Value) -> Decision {
        ask(&json!([{
            "Effect": "Allow",
            "Principal": principal,
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }]))
    }

    #[test]
    fn a_caller_is_named_by_account_root_role_or_session() {
        for name in [
            "*",
            "111111111111",
            "arn:aws:iam::111111111111:root",
            "arn:aws:iam::111111111111:role/function",
            "arn:aws:sts::111111111111:assumed-role/function/s",
        ] {
            let principal = json!({ "AWS": [name] });
            assert_eq!(allow(&principal, &json!({})), Decision::Allow, "{name}");
        }
        for name in ["333333333333", "arn:aws:iam::111111111111:role/other"] {
            let principal = json!({ "AWS": name });
            assert_eq!(allow(&principal, &json!({})), Decision::Silent, "{name}");
        }
        let service = json!({ "Service": "lambda.amazonaws.com" });
        assert_eq!(allow(&service, &json!({})), Decision::Silent);
    }

    #[test]
    fn every_condition_must_hold_and_one_of_its_values() {
        let hub = json!({ "AWS": "111111111111" });
        let arn = "arn:aws:iam::111111111111:role/function";
        for condition in [
            json!({ "ArnEquals": { "aws:PrincipalArn": ["arn:aws:iam::1:role/x", arn] } }),
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/func*" } }),
            json!({ "StringLike": { "aws:principalarn": "*function" } }),
            json!({ "StringEquals": { "aws:PrincipalOrgID": "o-sandbox123" } }),
            json!({ "StringNotEquals": { "aws:PrincipalArn": "arn:aws:iam::1:role/x" } }),
            json!({ "StringNotEquals": { "sts:ExternalId": "absent" } }),
            json!({ "StringEqualsIfExists": { "sts:ExternalId": "absent" } }),
            json!({ "Null": { "sts:ExternalId": "true" } }),
            json!({ "ForAnyValue:StringEquals": { "aws:PrincipalAccount": "111111111111" } }),
        ] {
            assert_eq!(allow(&hub, &condition), Decision::Allow, "{condition}");
        }
        for condition in [
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:*:role/function" } }),
            json!({ "StringEquals": { "aws:PrincipalArn": "arn:aws:iam::*:role/function" } }),
            json!({ "StringEquals": { "sts:ExternalId": "absent" } }),
            json!({ "StringNotLike": { "aws:PrincipalArn": "*function" } }),
            json!({ "Null": { "sts:ExternalId": false } }),
            json!({
                "StringEquals": { "aws:PrincipalAccount": "111111111111" },
                "ArnEquals": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/other" },
            }),
        ] {
            assert_eq!(allow(&hub, &condition), Decision::Silent, "{condition}");
        }
    }

    #[test]
    fn a_denial_wins_over_any_number_of_permissions() {
        let statement = json!([
            { "Effect": "Deny", "Principal": "*", "Action": "sts:*" },
            { "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" },
        ]);
        assert_eq!(ask(&statement), Decision::Deny);
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_not_a_guess() {
        let world = World::new(Timestamp::UNIX_EPOCH);
        let request = Request::of_caller(&world, &hub_function(), "sts:AssumeRole", ROLE);
        let policy = json!({ "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "*",
            "Condition": { "DateGreaterThan": { "aws:CurrentTime": "2030-01-01T00:00:00Z" } },
        }});
        assert_eq!(evaluate(&policy, &request).unwrap_err().status, 501);
    }

    #[test]
    fn a_service_is_told_apart_by_the_resource_that_it_acts_for() {
        let queue = "arn:aws:sqs:eu-west-1:111111111111:q";
        let policy = json!({ "Statement": {
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnLike": { "aws:SourceArn": "arn:aws:events:*:*:rule/mine*" } },
        }});
        let ask = |rule: &str| {
            let request = Request::of_service(
                "events.amazonaws.com",
                rule,
                "111111111111",
                "sqs:SendMessage",
                queue,
            );
            evaluate(&policy, &request).unwrap()
        };
        let rule = "arn:aws:events:eu-west-1:111111111111:rule";
        assert_eq!(ask(&format!("{rule}/mine-1")), Decision::Allow);
        assert_eq!(ask(&format!("{rule}/other")), Decision::Silent);
    }
}
