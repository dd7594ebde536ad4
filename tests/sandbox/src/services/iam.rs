//! IAM: the roles that templates and people make.

pub mod identity;
pub mod policy;
pub mod requests;
pub mod roles;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::world::{ApiError, Caller, World};

/// All roles and managed policies, each by account and name.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    #[serde(with = "crate::state::pairs")]
    roles: BTreeMap<(String, String), Role>,
    #[serde(with = "crate::state::pairs")]
    managed_policies: BTreeMap<(String, String), Value>,
    /// Every permission that allowed something so far.
    #[serde(skip)]
    pub used: BTreeSet<identity::Grant>,
}

/// A role as its template declares it, or who made it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Role {
    /// The unique id, which a role created again under the same name does not share.
    pub id: String,
    /// The ARN, with the path.
    pub arn: String,
    /// Who may assume it.
    pub trust: Value,
    /// When it was made.
    pub created: Timestamp,
    /// The properties of the template, with the policies of the role.
    pub properties: Value,
}

impl Role {
    /// For how many seconds somebody may assume it at most.
    #[must_use]
    pub fn max_session_duration(&self) -> i64 {
        let set = self.properties.get("MaxSessionDuration");
        set.and_then(Value::as_i64).unwrap_or(3600)
    }
}

impl State {
    /// The role of this name.
    #[must_use]
    pub fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.roles.get(&(account.to_owned(), name.to_owned()))
    }

    /// The role with this ARN, and its name.
    #[must_use]
    pub fn role_by_arn(&self, arn: &str) -> Option<(&str, &Role)> {
        let ((_, name), role) = self.roles.iter().find(|(_, role)| role.arn == arn)?;
        Some((name, role))
    }

    /// The document of a customer managed policy.
    #[must_use]
    pub fn managed_policy(&self, account: &str, name: &str) -> Option<&Value> {
        self.managed_policies
            .get(&(account.to_owned(), name.to_owned()))
    }

    /// The ARN that policies know a caller by: the role's, not the session's.
    #[must_use]
    pub fn principal_arn(&self, caller: &Caller) -> String {
        match &caller.role {
            None => caller.arn(),
            Some(session) => match self.role(&caller.account, &session.name) {
                Some(role) => role.arn.clone(),
                None => role_arn(&caller.account, "/", &session.name),
            },
        }
    }
}

/// Makes a role, as a template's `AWS::IAM::Role` with these properties would.
pub fn create_role(
    world: &mut World,
    account: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let trust = document(properties, "AssumeRolePolicyDocument")?;
    if world.iam.role(account, name).is_some() {
        return Err(already_exists("Role", name));
    }
    let path = properties.get("Path").and_then(Value::as_str);
    let role = Role {
        id: unique_id(world, account, name),
        arn: role_arn(account, path.unwrap_or("/"), name),
        trust,
        created: world.now,
        properties: properties.clone(),
    };
    let key = (account.to_owned(), name.to_owned());
    world.iam.roles.insert(key, role);
    Ok(())
}

/// Gives a role other properties, as the update of a stack would; its sessions go on.
pub fn update_role(
    world: &mut World,
    account: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let trust = document(properties, "AssumeRolePolicyDocument")?;
    let key = (account.to_owned(), name.to_owned());
    let Some(role) = world.iam.roles.get_mut(&key) else {
        return create_role(world, account, name, properties);
    };
    role.trust = trust;
    role.properties = properties.clone();
    Ok(())
}

/// Gives a policy another document, as the update of a stack would.
pub fn update_managed_policy(
    world: &mut World,
    account: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let policy = document(properties, "PolicyDocument")?;
    let key = (account.to_owned(), name.to_owned());
    world.iam.managed_policies.insert(key, policy);
    Ok(())
}

/// Deletes a role, as offboarding an account would; unknown names are ignored.
pub fn delete_role(world: &mut World, account: &str, name: &str) {
    let key = (account.to_owned(), name.to_owned());
    world.iam.roles.remove(&key);
}

/// Makes a policy, as a template's `AWS::IAM::ManagedPolicy` with these properties would.
pub fn create_managed_policy(
    world: &mut World,
    account: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let policy = document(properties, "PolicyDocument")?;
    let key = (account.to_owned(), name.to_owned());
    if world.iam.managed_policies.contains_key(&key) {
        return Err(already_exists("Policy", name));
    }
    world.iam.managed_policies.insert(key, policy);
    Ok(())
}

fn document(properties: &Value, property: &str) -> Result<Value, ApiError> {
    match properties.get(property) {
        Some(document) if document.get("Statement").is_some() => Ok(document.clone()),
        _ => Err(ApiError::new(
            "MalformedPolicyDocument",
            format!("{property} is not a policy document."),
        )),
    }
}

fn already_exists(kind: &str, name: &str) -> ApiError {
    ApiError::with_status(
        409,
        "EntityAlreadyExists",
        format!("{kind} with name {name} already exists."),
    )
}

fn role_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}

fn unique_id(world: &mut World, account: &str, name: &str) -> String {
    let hex = world.hex(&format!("role {account} {name}"));
    format!("AROA{}", hex[..17].to_uppercase())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::world::AssumedRole;

    const ACCOUNT: &str = "111111111111";

    fn properties() -> Value {
        json!({ "Path": "/team/", "AssumeRolePolicyDocument": { "Statement": [] } })
    }

    #[test]
    fn a_role_is_found_by_name_and_by_its_arn_with_the_path() {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();

        let arn = "arn:aws:iam::111111111111:role/team/reader";
        assert_eq!(world.iam.role(ACCOUNT, "reader").unwrap().arn, arn);
        assert_eq!(world.iam.role_by_arn(arn).unwrap().0, "reader");
        let without_path = "arn:aws:iam::111111111111:role/reader";
        assert!(world.iam.role_by_arn(without_path).is_none());
    }

    #[test]
    fn a_role_cannot_be_made_twice_or_without_trust() {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        let error = create_role(&mut world, ACCOUNT, "reader", &json!({})).unwrap_err();
        assert_eq!(error.code, "MalformedPolicyDocument");

        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();
        let error = create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap_err();
        assert_eq!(error.code, "EntityAlreadyExists");
    }

    #[test]
    fn an_updated_role_is_the_same_with_other_policies() {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();
        let before = world.iam.role(ACCOUNT, "reader").unwrap().id.clone();
        let mut wider = properties();
        wider["Policies"] = json!([{ "PolicyName": "more" }]);
        update_role(&mut world, ACCOUNT, "reader", &wider).unwrap();
        let role = world.iam.role(ACCOUNT, "reader").unwrap();
        assert_eq!(role.id, before);
        assert_eq!(role.properties["Policies"][0]["PolicyName"], "more");
    }

    #[test]
    fn a_role_made_again_is_another_role() {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();
        let first = world.iam.role(ACCOUNT, "reader").unwrap().id.clone();
        delete_role(&mut world, ACCOUNT, "reader");
        assert!(world.iam.role(ACCOUNT, "reader").is_none());

        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();
        assert_ne!(world.iam.role(ACCOUNT, "reader").unwrap().id, first);
    }

    #[test]
    fn policies_know_a_session_by_the_arn_of_its_role() {
        let mut world = World::new(Timestamp::UNIX_EPOCH);
        create_role(&mut world, ACCOUNT, "reader", &properties()).unwrap();
        let caller = Caller {
            account: ACCOUNT.to_owned(),
            role: Some(AssumedRole {
                name: "reader".to_owned(),
                session: "me".to_owned(),
            }),
        };
        assert_eq!(
            world.iam.principal_arn(&caller),
            "arn:aws:iam::111111111111:role/team/reader"
        );
    }
}
