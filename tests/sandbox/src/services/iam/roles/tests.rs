use jiff::Timestamp;

use super::*;
use crate::world::Caller;

const ACCOUNT: &str = "111111111111";
const TRUST: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]}"#;

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, String> {
    let asked = Call {
        caller: Caller::administrator(ACCOUNT),
        region: "us-east-1".to_owned(),
        service: "iam".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &asked).map_err(|error| format!("{} {}", error.status, error.code))
}

fn world_with_a_role() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let role = json!({ "RoleName": "me", "Path": "/team/", "AssumeRolePolicyDocument": TRUST });
    ask(&mut world, "CreateRole", role).unwrap();
    world
}

#[test]
fn a_role_is_described_with_its_documents_percent_encoded() {
    let mut world = world_with_a_role();
    let answer = ask(&mut world, "GetRole", json!({ "RoleName": "me" })).unwrap();
    let role = &answer["Role"];
    assert_eq!(role["Arn"], "arn:aws:iam::111111111111:role/team/me");
    assert_eq!(role["CreateDate"], "1970-01-01T00:00:00Z");
    assert_eq!(role["MaxSessionDuration"], 3600);
    let document = role["AssumeRolePolicyDocument"].as_str().unwrap();
    assert!(
        document.starts_with("%7B%22Statement%22%3A%5B"),
        "{document}"
    );

    let policy = json!({ "RoleName": "me", "PolicyName": "p", "PolicyDocument": POLICY });
    ask(&mut world, "PutRolePolicy", policy).unwrap();
    let named = json!({ "RoleName": "me", "PolicyName": "p" });
    let answer = ask(&mut world, "GetRolePolicy", named).unwrap();
    let document = answer["PolicyDocument"].as_str().unwrap();
    assert!(document.contains("ram%3A%2A"), "{document}");
}

#[test]
fn roles_are_listed_by_their_path_page_by_page() {
    let mut world = world_with_a_role();
    for name in ["other", "third"] {
        let role =
            json!({ "RoleName": name, "Path": "/team/x/", "AssumeRolePolicyDocument": TRUST });
        ask(&mut world, "CreateRole", role).unwrap();
    }
    let mut names = |input: Value| {
        let answer = ask(&mut world, "ListRoles", input).unwrap();
        let roles = answer["Roles"].as_array().unwrap().iter();
        let names: Vec<String> = roles.map(|role| role["RoleName"].to_string()).collect();
        (
            names.join(" "),
            answer["IsTruncated"] == true,
            answer["Marker"].clone(),
        )
    };
    assert_eq!(
        names(json!({ "PathPrefix": "/team/x" })).0,
        r#""other" "third""#
    );
    assert_eq!(names(json!({ "PathPrefix": "/nobody/" })).0, "");
    let (first, is_truncated, marker) = names(json!({ "MaxItems": "2" }));
    assert_eq!((first.as_str(), is_truncated), (r#""me" "other""#, true));
    let (rest, is_truncated, _) = names(json!({ "MaxItems": "2", "Marker": marker }));
    assert_eq!((rest.as_str(), is_truncated), (r#""third""#, false));
}

#[test]
fn a_role_with_a_policy_inside_cannot_be_deleted() {
    let mut world = world_with_a_role();
    let named = json!({ "RoleName": "me" });
    let policy = json!({ "RoleName": "me", "PolicyName": "p", "PolicyDocument": POLICY });
    ask(&mut world, "PutRolePolicy", policy.clone()).unwrap();
    ask(&mut world, "PutRolePolicy", policy).unwrap();
    let listed = ask(&mut world, "ListRolePolicies", named.clone()).unwrap();
    assert_eq!(listed["PolicyNames"], json!(["p"]));

    let refused = ask(&mut world, "DeleteRole", named.clone());
    assert_eq!(refused.unwrap_err(), "409 DeleteConflict");
    let policy = json!({ "RoleName": "me", "PolicyName": "p" });
    ask(&mut world, "DeleteRolePolicy", policy.clone()).unwrap();
    let refused = ask(&mut world, "DeleteRolePolicy", policy);
    assert_eq!(refused.unwrap_err(), "404 NoSuchEntity");
    ask(&mut world, "DeleteRole", named.clone()).unwrap();
    let refused = ask(&mut world, "GetRole", named);
    assert_eq!(refused.unwrap_err(), "404 NoSuchEntity");
}

#[test]
fn what_is_no_policy_is_refused() {
    let mut world = world_with_a_role();
    let mut refused =
        |operation: &str, input: Value| ask(&mut world, operation, input).unwrap_err();
    for document in [
        "{",
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#,
        TRUST,
    ] {
        let policy = json!({ "RoleName": "me", "PolicyName": "p", "PolicyDocument": document });
        let error = refused("PutRolePolicy", policy);
        assert_eq!(error, "400 MalformedPolicyDocument", "{document}");
    }
    let role = json!({ "RoleName": "new", "AssumeRolePolicyDocument": POLICY });
    assert_eq!(refused("CreateRole", role), "400 MalformedPolicyDocument");

    let large = POLICY.replace("ram:*", &"x".repeat(MAX_INLINE));
    let policy = json!({ "RoleName": "me", "PolicyName": "p", "PolicyDocument": large });
    assert_eq!(refused("PutRolePolicy", policy), "409 LimitExceeded");
}

#[test]
fn members_that_are_missing_or_out_of_form_are_refused() {
    let mut world = world_with_a_role();
    let mut refused =
        |operation: &str, input: Value| ask(&mut world, operation, input).unwrap_err();
    let create = |member: &str, value: &str| {
        let mut role = json!({ "RoleName": "new", "AssumeRolePolicyDocument": TRUST });
        role[member] = value.into();
        role
    };
    for (operation, input) in [
        ("CreateRole", create("RoleName", "two words")),
        ("CreateRole", create("RoleName", &"x".repeat(65))),
        ("CreateRole", create("Path", "team")),
        ("CreateRole", create("MaxSessionDuration", "60")),
        ("GetRole", json!({})),
        ("ListRoles", json!({ "MaxItems": "0" })),
        ("ListRoles", json!({ "Marker": "there" })),
    ] {
        let error = refused(operation, input.clone());
        assert_eq!(error, "400 ValidationError", "{operation} {input}");
    }
    let bounded = create("PermissionsBoundary", "arn:aws:iam::111111111111:policy/p");
    assert_eq!(refused("CreateRole", bounded), "501 NotImplemented");
    let again = create("RoleName", "me");
    assert_eq!(refused("CreateRole", again), "409 EntityAlreadyExists");
}
