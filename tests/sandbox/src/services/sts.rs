//! STS: temporary credentials of roles.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::iam::policy::{Decision, Request, evaluate};
use crate::{
    services::{denials::denied, validation::invalid_query as invalid},
    world::{ApiError, AssumedRole, Call, Caller, World, nth_hex},
};

const DEFAULT_DURATION: i64 = 3600;
const CHAINED_DURATION: i64 = 3600;

/// All temporary credentials, by access key id.
///
/// They do not expire: SDKs renew credentials by the machine's clock, so a
/// process would keep using them after twelve hours of the sandbox's.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    sessions: BTreeMap<String, Session>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Session {
    caller: Caller,
    role_id: Option<String>,
    assumed_with: Option<String>,
    /// Until when they were given, on the machine's clock; those of functions have no end.
    until: Option<Timestamp>,
}

/// Forgets credentials that no client uses any more.
pub(crate) fn tidy(world: &mut World) {
    let now = world.clients_now();
    let sessions = &mut world.sts.sessions;
    sessions.retain(|_, session| session.until.is_none_or(|until| now < until));
}

/// How many credentials there are.
pub(crate) fn held(world: &World) -> (&'static str, usize) {
    ("credentials", world.sts.sessions.len())
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "AssumeRole" => assume_role(world, call),
        "GetAccessKeyInfo" => access_key_info(world, call),
        "GetCallerIdentity" => Ok(caller_identity(world, &call.caller)),
    }
}

/// Who holds this access key: an account's administrator for its twelve digits, or a session.
pub fn caller(world: &World, access_key: &str) -> Result<Caller, ApiError> {
    if is_account_id(access_key) {
        return Ok(Caller::administrator(access_key));
    }
    let session = world.sts.sessions.get(access_key);
    let session = session.filter(|session| role_still_exists(world, session));
    match session {
        Some(session) => Ok(session.caller.clone()),
        None => Err(ApiError::with_status(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )),
    }
}

/// Credentials of a role in its own account, as Lambda gives them to a function.
///
/// Returns the access key id.
pub fn session(world: &mut World, account: &str, role: &str, session: &str) -> String {
    let hex = world.hex(&format!("session {account} {role} {session}"));
    let access_key = format!("ASIA{}", hex[..16].to_uppercase());
    let session = Session {
        caller: Caller {
            account: account.to_owned(),
            role: Some(AssumedRole {
                name: role.to_owned(),
                session: session.to_owned(),
            }),
        },
        role_id: world.iam.role(account, role).map(|role| role.id.clone()),
        assumed_with: None,
        until: None,
    };
    world.sts.sessions.insert(access_key.clone(), session);
    access_key
}

/// Remembers with which credentials a role was assumed.
pub(crate) fn set_origin(world: &mut World, access_key: &str, assumed_with: &str) {
    if let Some(session) = world.sts.sessions.get_mut(access_key) {
        session.assumed_with = Some(assumed_with.to_owned());
    }
}

/// The credentials that these were obtained with, through any number of roles.
pub(crate) fn origin<'a>(world: &'a World, access_key: &'a str) -> &'a str {
    let mut origin = access_key;
    while let Some(assumed_with) = world.sts.sessions.get(origin).and_then(assumed_with) {
        origin = assumed_with;
    }
    origin
}

fn assumed_with(session: &Session) -> Option<&str> {
    session.assumed_with.as_deref()
}

/// Anybody may ask, and is told an account even of credentials that are worth nothing any more.
fn access_key_info(world: &World, call: &Call) -> Result<Value, ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let key = call
        .text("AccessKeyId")
        .filter(|key| is_account_id(key) || (16..=128).contains(&key.len()))
        .filter(|key| key.chars().all(allowed))
        .ok_or_else(|| invalid("accessKeyId must have 16 to 128 letters and digits"))?;
    let session = world.sts.sessions.get(key);
    let account = match session {
        Some(session) => session.caller.account.as_str(),
        None if is_account_id(key) => key,
        None => return Err(invalid("The access key is not known.")),
    };
    Ok(json!({ "Account": account }))
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// ASSUMED: the credentials of a role that was deleted are worth nothing from
/// then on, also when a role of the same name is made.
fn role_still_exists(world: &World, session: &Session) -> bool {
    let (Some(id), Some(assumed)) = (&session.role_id, &session.caller.role) else {
        return true;
    };
    let role = world.iam.role(&session.caller.account, &assumed.name);
    role.is_some_and(|role| role.id == *id)
}

fn assume_role(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let role_arn = call
        .text("RoleArn")
        .ok_or_else(|| invalid("roleArn must not be null"))?;
    let session_name = session_name(call)?;
    let duration = duration(call)?;
    let (account, role_name, role_id) = trusted_role(world, call, role_arn)?;
    let longest = world.iam.role(&account, &role_name);
    if longest.is_some_and(|role| duration > role.max_session_duration()) {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let access_key = session(world, &account, &role_name, session_name);
    let expiration = world.clients_now() + Duration::from_secs(duration.unsigned_abs());
    if let Some(session) = world.sts.sessions.get_mut(&access_key) {
        session.until = Some(expiration);
    }
    Ok(json!({
        "Credentials": {
            "AccessKeyId": access_key,
            "SecretAccessKey": nth_hex(&format!("secret {access_key}"), 1)[..40],
            "SessionToken": nth_hex(&format!("token {access_key}"), 1),
            "Expiration": format!("{expiration:.0}"),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{role_id}:{session_name}"),
            "Arn": format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}"),
        },
    }))
}

fn session_name(call: &Call) -> Result<&str, ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    call.text("RoleSessionName")
        .filter(|name| (2..=64).contains(&name.len()) && name.chars().all(allowed))
        .ok_or_else(|| {
            invalid(
                "roleSessionName must have 2 to 64 characters and satisfy \
                 regular expression pattern: [\\w+=,.@-]*",
            )
        })
}

fn duration(call: &Call) -> Result<i64, ApiError> {
    let seconds = match call.text("DurationSeconds") {
        None => DEFAULT_DURATION,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| (900..=43_200).contains(seconds))
            .ok_or_else(|| invalid("durationSeconds must be between 900 and 43200"))?,
    };
    if call.caller.role.is_some() && seconds > CHAINED_DURATION {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit \
             for roles assumed by role chaining",
        ));
    }
    Ok(seconds)
}

/// Account, name and id of the role, if it exists and trusts the caller.
///
/// AWS answers alike whether it is missing or does not trust the caller, so
/// that nobody can probe for the roles of others.
fn trusted_role(
    world: &World,
    call: &Call,
    role_arn: &str,
) -> Result<(String, String, String), ApiError> {
    let denied = || denied("sts", &call.caller.arn(), "sts:AssumeRole", role_arn, "");
    let (name, role) = world.iam.role_by_arn(role_arn).ok_or_else(denied)?;
    let mut request = Request::of_caller(world, &call.caller, "sts:AssumeRole", role_arn);
    if let Some(external_id) = call.text("ExternalId") {
        request.add("sts:ExternalId", external_id.to_owned());
    }
    if let Some(session_name) = call.text("RoleSessionName") {
        request.add("sts:RoleSessionName", session_name.to_owned());
    }
    if evaluate(&role.trust, &request)? != Decision::Allow {
        return Err(denied());
    }
    let account = role_arn.split(':').nth(4).unwrap_or_default();
    Ok((account.to_owned(), name.to_owned(), role.id.clone()))
}

fn caller_identity(world: &World, caller: &Caller) -> Value {
    let user_id = match &caller.role {
        None => "AIDASANDBOXADMINISTRATOR".to_owned(),
        Some(assumed) => {
            let role = world.iam.role(&caller.account, &assumed.name);
            let id = role.map_or("AROASANDBOX", |role| &role.id);
            format!("{id}:{}", assumed.session)
        }
    };
    json!({ "UserId": user_id, "Account": caller.account, "Arn": caller.arn() })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::services::iam;

    const HUB: &str = "111111111111";
    const MEMBER: &str = "222222222222";
    const ROLE: &str = "arn:aws:iam::222222222222:role/reader";

    fn world() -> World {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        let trust = json!({ "AssumeRolePolicyDocument": { "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": HUB },
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/function" },
            },
        }]}});
        iam::create_role(&mut world, MEMBER, "reader", &trust).unwrap();
        world
    }

    fn assume(world: &mut World, access_key: &str, input: Value) -> Result<Value, ApiError> {
        let caller = caller(world, access_key)?;
        call(
            world,
            &Call {
                caller,
                region: "eu-west-1".to_owned(),
                service: "sts".to_owned(),
                operation: "AssumeRole".to_owned(),
                input,
            },
        )
    }

    fn input() -> Value {
        json!({ "RoleArn": ROLE, "RoleSessionName": "function" })
    }

    #[test]
    fn a_trusted_caller_gets_credentials_of_the_role() {
        let mut world = world();
        let function = session(&mut world, HUB, "function", "f");
        let answer = assume(&mut world, &function, input()).unwrap();

        let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        let caller = caller(&world, key).unwrap();
        assert_eq!(caller.account, MEMBER);
        let arn = "arn:aws:sts::222222222222:assumed-role/reader/function";
        assert_eq!(caller.arn(), arn);
        assert_eq!(answer["AssumedRoleUser"]["Arn"], arn);
        let expiration = answer["Credentials"]["Expiration"].as_str().unwrap();
        assert!(expiration.parse::<Timestamp>().unwrap() > crate::wall_clock::now());
    }

    #[test]
    fn whom_the_role_does_not_trust_is_denied_in_the_words_of_aws() {
        let mut world = world();
        let error = assume(&mut world, HUB, input()).unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (403, "AccessDenied"));
        assert_eq!(
            error.message,
            "User: arn:aws:iam::111111111111:user/administrator is not authorized to perform: \
             sts:AssumeRole on resource: arn:aws:iam::222222222222:role/reader"
        );
    }

    #[test]
    fn a_missing_role_cannot_be_told_from_one_that_does_not_trust() {
        let mut world = world();
        let refused = assume(&mut world, HUB, input()).unwrap_err();
        iam::delete_role(&mut world, MEMBER, "reader");
        let missing = assume(&mut world, HUB, input()).unwrap_err();
        assert_eq!(missing, refused);
    }

    #[test]
    fn an_external_id_is_given_to_the_trust_policy() {
        let mut world = world();
        let trust = json!({ "AssumeRolePolicyDocument": { "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": "right" } },
        }]}});
        iam::create_role(&mut world, MEMBER, "guarded", &trust).unwrap();
        let mut input = json!({
            "RoleArn": "arn:aws:iam::222222222222:role/guarded",
            "RoleSessionName": "me",
            "ExternalId": "right",
        });
        assert!(assume(&mut world, HUB, input.clone()).is_ok());
        input["ExternalId"] = json!("wrong");
        assert!(assume(&mut world, HUB, input).is_err());
    }

    #[test]
    fn an_hour_is_the_most_for_a_role_assumed_from_a_role() {
        let mut world = world();
        let function = session(&mut world, HUB, "function", "f");
        let mut input = input();
        input["DurationSeconds"] = json!("3601");
        let error = assume(&mut world, &function, input).unwrap_err();
        assert_eq!(error.code, "ValidationError");
    }

    #[test]
    fn nobody_gets_a_longer_session_than_the_role_has() {
        let mut world = world();
        let trust = json!({
            "AssumeRolePolicyDocument": { "Statement": [{
                "Effect": "Allow", "Principal": { "AWS": HUB }, "Action": "sts:AssumeRole",
            }]},
            "MaxSessionDuration": 7200,
        });
        iam::create_role(&mut world, MEMBER, "long", &trust).unwrap();
        let mut assume = |seconds: &str| {
            let input = json!({
                "RoleArn": "arn:aws:iam::222222222222:role/long",
                "RoleSessionName": "me",
                "DurationSeconds": seconds,
            });
            assume(&mut world, HUB, input).map_err(|error| error.code)
        };
        assert!(assume("7200").is_ok());
        assert_eq!(assume("7201"), Err("ValidationError".to_owned()));
    }

    #[test]
    fn credentials_die_with_their_role() {
        let mut world = world();
        let key = session(&mut world, MEMBER, "reader", "s");
        assert!(caller(&world, &key).is_ok());

        iam::delete_role(&mut world, MEMBER, "reader");
        let error = caller(&world, &key).unwrap_err();
        assert_eq!(error.code, "InvalidClientTokenId");
    }

    #[test]
    fn the_origin_of_credentials_is_found_through_chained_roles() {
        let mut world = world();
        let first = session(&mut world, HUB, "function", "f");
        let second = session(&mut world, MEMBER, "reader", "f");
        let third = session(&mut world, MEMBER, "reader", "f");
        set_origin(&mut world, &second, &first);
        set_origin(&mut world, &third, &second);
        assert_eq!(origin(&world, &third), first);
        assert_eq!(origin(&world, HUB), HUB);
    }

    #[test]
    fn an_unknown_access_key_is_refused() {
        let error = caller(&world(), "AKIAUNKNOWN").unwrap_err();
        assert_eq!(
            (error.status, error.code.as_str()),
            (403, "InvalidClientTokenId")
        );
    }
}
