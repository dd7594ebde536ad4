//! What roles and policies allow, and that the page about security says the same.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::cloudformation::Declared;
use serde_json::Value;

use contracts::{Row, codes, table};

use crate::{
    SECURITY, list,
    templates::{CONSUMER, HUB, HUB_ACCOUNT, OWNER, Template},
    text,
};

#[test]
fn roles_are_bounded_if_a_boundary_is_given_and_trust_the_organization_if_one_is() {
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    for template in [&HUB, &OWNER, &CONSUMER] {
        let bounded = template.declared_with(&[("PermissionsBoundary", boundary)]);
        for role in bounded
            .unwrap()
            .iter()
            .filter(|r| r.kind == "AWS::IAM::Role")
        {
            let found = &role.properties["PermissionsBoundary"];
            assert_eq!(*found, boundary, "{}", role.logical_id);
        }
        for role in template.of_kind("AWS::IAM::Role") {
            assert!(
                role.get("PermissionsBoundary").is_none(),
                "{}",
                role["RoleName"]
            );
        }
    }
    for template in [&OWNER, &CONSUMER] {
        for organization in ["", "o-example1234"] {
            let declared = template.declared_with(&[("OrganizationId", organization)]);
            for role in declared
                .unwrap()
                .iter()
                .filter(|r| r.kind == "AWS::IAM::Role")
            {
                let statement = &role.properties["AssumeRolePolicyDocument"]["Statement"][0];
                if statement["Principal"].get("AWS").is_none() {
                    continue;
                }
                let condition = &statement["Condition"];
                assert!(condition["ArnEquals"]["aws:PrincipalArn"].is_array());
                let trusted = condition["StringEquals"]["aws:PrincipalOrgID"].as_str();
                assert_eq!(trusted.unwrap_or_default(), organization);
            }
        }
    }
}

/// The statements of roles and managed policies, by the name of role or policy.
pub(crate) fn statements(declared: &[Declared]) -> Vec<(String, Value)> {
    let mut statements = Vec::new();
    let mut add = |name: &Value, document: &Value| {
        for statement in list(&document["Statement"]) {
            statements.push((text(name, "a name").to_owned(), statement.clone()));
        }
    };
    for Declared {
        kind, properties, ..
    } in declared
    {
        match *kind {
            "AWS::IAM::Role" => {
                for policy in list(&properties["Policies"]) {
                    add(&properties["RoleName"], &policy["PolicyDocument"]);
                }
            }
            "AWS::IAM::ManagedPolicy" => {
                add(
                    &properties["ManagedPolicyName"],
                    &properties["PolicyDocument"],
                );
            }
            _ => {}
        }
    }
    statements
}

#[test]
fn no_statement_has_a_wildcard_in_its_actions_or_leaves_a_bare_star_unexplained() {
    for template in [&HUB, &OWNER, &CONSUMER] {
        for (name, statement) in statements(&template.declared()) {
            for action in list(&statement["Action"]) {
                assert!(!text(action, "Action").contains('*'), "{name}: {action}");
            }
        }
        let lines: Vec<&str> = template.text.lines().collect();
        let stars = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("Resource: \"*\""));
        for (number, _) in stars {
            let statement = lines[..number].iter().rev();
            let statement = statement.take_while(|line| !line.contains("- Sid:"));
            // The policy of the key explains it once for both statements.
            let explained = statement.into_iter().any(|line| line.contains('#'));
            assert!(explained, "{}:{}", template.file, number + 1);
        }
    }
}

/// A resource as the page about security writes it.
fn short(arn: &str, account: &str) -> String {
    let Some([_, _, service, _, owner, resource]) = arn
        .splitn(6, ':')
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .map(|parts: [&str; 6]| parts)
    else {
        return arn.to_owned();
    };
    let resource = match service {
        "kms" => "key/KEY".to_owned(),
        _ => resource.replace("eu-west-1", "REGION"),
    };
    match owner {
        _ if owner == account => resource,
        HUB_ACCOUNT => format!("HUB:{resource}"),
        // AWS's own, for which the page writes a star like for any other.
        _ => format!("*:{resource}"),
    }
}

type Permissions = BTreeMap<(String, String), BTreeSet<String>>;

fn permissions(template: &Template) -> Permissions {
    let mut permissions = Permissions::new();
    for (name, statement) in statements(&template.declared()) {
        for action in list(&statement["Action"]) {
            let key = (
                name.replace("eu-west-1", "REGION"),
                text(action, "Action").to_owned(),
            );
            let resources = list(&statement["Resource"]).into_iter();
            let resources = resources.map(|r| short(text(r, "Resource"), template.account));
            permissions.entry(key).or_default().extend(resources);
        }
    }
    permissions
}

fn documented(rows: &[Row]) -> Permissions {
    let mut permissions = Permissions::new();
    let mut name = String::new();
    for row in rows {
        if let Some(given) = codes(&row[0]).into_iter().next() {
            name = given;
        }
        for action in codes(&row[1]) {
            let resources = permissions.entry((name.clone(), action)).or_default();
            resources.extend(codes(&row[2]));
        }
    }
    permissions
}

#[test]
fn the_page_about_security_lists_what_roles_may_do() {
    let consumer = [
        table(SECURITY, "In a consumer account"),
        table(SECURITY, "For people in a consumer account"),
    ];
    for (template, rows) in [
        (&HUB, table(SECURITY, "In the hub")),
        (&OWNER, table(SECURITY, "In an owner account")),
        (&CONSUMER, consumer.concat()),
    ] {
        assert_eq!(
            permissions(template),
            documented(&rows),
            "{}",
            template.file
        );
    }
}
