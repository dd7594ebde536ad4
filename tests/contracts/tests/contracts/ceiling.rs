//! What the parameters of the account templates allow at most, asked as RAM asks:
//! once about the share, once about each principal and once about each resource.

use sandbox::services::iam::policy::{Context, Decision, Principal, Request, evaluate};
use serde_json::{Value, json};

use crate::{
    roles::statements,
    templates::{CONSUMER, OWNER, Template},
};

const SHARE: &str = "arn:aws:ram:eu-west-1:222222222222:resource-share/s";
const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";
const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
const EXECUTE: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution";
const CUSTOM: &str = "arn:aws:ram:eu-west-1:222222222222:permission/custom";

/// Tag and name of a share that pipeshare made.
const OURS: &[(&str, &str)] = &[
    ("aws:ResourceTag/pipeshare:managed", "true"),
    ("ram:ResourceShareName", "pipeshare-rule.111111111111"),
];

/// A role of a template with some parameters.
struct Role(Value);

impl Role {
    fn new(template: &Template, name: &str, parameters: &[(&str, &str)]) -> Self {
        let declared = template.declared_with(parameters).unwrap();
        let statements = statements(&declared).into_iter();
        let statements = statements.filter(|(role, _)| role == name);
        let anybody = statements.map(|(_, mut statement)| {
            // Policies of roles name no principal, which the evaluation of other policies asks for.
            statement["Principal"] = "*".into();
            statement
        });
        Self(json!({ "Statement": anybody.collect::<Vec<_>>() }))
    }

    fn allows(&self, action: &str, resource: &str, context: &[&[(&str, &str)]]) -> bool {
        let mut request = Request {
            principal: Principal::Service("any".to_owned()),
            action,
            resource,
            context: Context::new(),
        };
        for (key, value) in context.iter().copied().flatten() {
            request.add(key, (*value).to_owned());
        }
        evaluate(&self.0, &request).unwrap() == Decision::Allow
    }
}

fn owner(parameters: &[(&str, &str)]) -> Role {
    Role::new(&OWNER, "pipeshare-owner-eu-west-1", parameters)
}

#[test]
fn a_share_is_created_empty_and_tagged() {
    let owner = owner(&[]);
    let creates =
        |context: &[&[(&str, &str)]]| owner.allows("ram:CreateResourceShare", "*", context);
    let tagged: &[(&str, &str)] = &[("aws:RequestTag/pipeshare:managed", "true")];
    assert!(creates(&[tagged]));
    assert!(!creates(&[]));
    assert!(!creates(&[tagged, &[("ram:Principal", "111111111111")]]));
    assert!(!creates(&[tagged, &[("ram:ResourceArn", PIPELINE)]]));
}

#[test]
fn only_pipeshares_tags_are_given_and_only_to_shares_under_its_name() {
    let owner = owner(&[]);
    let tags = |context: &[&[(&str, &str)]]| owner.allows("ram:TagResource", SHARE, context);
    let ours: &[(&str, &str)] = &[
        ("aws:RequestTag/pipeshare:managed", "true"),
        ("aws:TagKeys", "pipeshare:managed"),
        ("aws:TagKeys", "pipeshare:rule"),
    ];
    assert!(tags(&[ours]));
    assert!(!tags(&[ours, &[("aws:TagKeys", "cost-center")]]));
    assert!(!tags(&[&[("aws:TagKeys", "pipeshare:rule")]]));
    assert!(!tags(&[ours, &[("ram:ResourceShareName", "theirs")]]));
}

#[test]
fn allowed_principals_and_own_pipelines_come_into_shares_of_ours() {
    let unit = "arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-cdef3456";
    let allowed = format!("111111111111,{unit}");
    let owner = owner(&[("AllowedPrincipals", &allowed)]);
    let adds = |share: &[(&str, &str)], what: &[(&str, &str)]| {
        owner.allows("ram:AssociateResourceShare", SHARE, &[share, what])
    };
    let kind = ("ram:RequestedResourceType", "sagemaker:Pipeline");
    let elsewhere = PIPELINE.replace("eu-west-1", "us-east-1");
    let allowed: &[&[(&str, &str)]] = &[
        &[],
        &[("ram:Principal", "111111111111")],
        &[("ram:Principal", unit)],
        &[kind, ("ram:ResourceArn", PIPELINE)],
    ];
    for what in allowed {
        assert!(adds(OURS, what), "{what:?}");
        assert!(!adds(&OURS[1..], what), "a share without the tag: {what:?}");
        let renamed = [OURS[0], ("ram:ResourceShareName", "theirs")];
        assert!(!adds(&renamed, what), "a share of another name: {what:?}");
    }
    let forbidden: &[&[(&str, &str)]] = &[
        &[("ram:Principal", "999999999999")],
        &[(
            "ram:Principal",
            "arn:aws:organizations::444444444444:organization/o-example1234",
        )],
        &[kind, ("ram:ResourceArn", &elsewhere)],
        &[
            ("ram:RequestedResourceType", "ec2:Subnet"),
            (
                "ram:ResourceArn",
                "arn:aws:ec2:eu-west-1:222222222222:subnet/s",
            ),
        ],
    ];
    for what in forbidden {
        assert!(!adds(OURS, what), "{what:?}");
    }
}

#[test]
fn a_share_gives_the_access_that_is_allowed() {
    let gives = |parameters: &[(&str, &str)], permission: &str| {
        let owner = owner(parameters);
        let action = "ram:AssociateResourceSharePermission";
        let about: &[(&str, &str)] = &[("ram:PermissionArn", permission)];
        let answers = [
            owner.allows(action, SHARE, &[OURS, about]),
            // What has neither tag nor name is the permission, or a share that is being created.
            owner.allows(action, permission, &[about]),
            owner.allows(action, SHARE, &[about]),
        ];
        let theirs: &[(&str, &str)] = &[("ram:ResourceShareName", "theirs")];
        assert!(!owner.allows(action, SHARE, &[theirs, about]));
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
        answers[0]
    };
    assert!(gives(&[], READ) && gives(&[], EXECUTE));
    let read = [("AllowedAccess", "read")];
    assert!(gives(&read, READ) && !gives(&read, EXECUTE));
    let custom = [("AllowedPermissions", CUSTOM)];
    assert!(!gives(&[], CUSTOM) && gives(&custom, CUSTOM));
    assert!(!gives(&custom, &format!("{CUSTOM}-other")));
}

#[test]
fn only_shares_of_ours_are_changed_and_deleted() {
    let narrow = owner(&[("ShareNamePrefix", "pipeshare-test-")]);
    for action in ["Delete", "Disassociate", "Update"] {
        let action = format!("ram:{action}ResourceShare");
        assert!(owner(&[]).allows(&action, SHARE, &[OURS]), "{action}");
        assert!(
            !owner(&[]).allows(&action, SHARE, &[&OURS[1..]]),
            "{action}"
        );
        // Access can be taken away under any name of pipeshare's, also of an earlier prefix.
        let withdraws = action != "ram:UpdateResourceShare";
        let allowed = narrow.allows(&action, SHARE, &[OURS]);
        assert_eq!(allowed, withdraws, "{action}");
        // The tag alone says nothing, nor does a name that only looks similar.
        for name in ["theirs", "my-pipeshare-rule", "Pipeshare-rule", "pipeshare"] {
            let renamed = [OURS[0], ("ram:ResourceShareName", name)];
            assert!(
                !owner(&[]).allows(&action, SHARE, &[&renamed]),
                "{action} {name}"
            );
        }
        assert!(
            !owner(&[]).allows(&action, SHARE, &[&OURS[..1]]),
            "{action}"
        );
    }
}

#[test]
fn only_allowed_permissions_are_looked_at() {
    let looks = |parameters: &[(&str, &str)], permission: &str| {
        owner(parameters).allows("ram:GetPermission", permission, &[])
    };
    let custom = [("AllowedPermissions", CUSTOM)];
    assert!(!looks(&[], CUSTOM) && looks(&custom, CUSTOM));
    assert!(!looks(&custom, &format!("{CUSTOM}-other")));
}

#[test]
fn invitations_of_allowed_owners_are_accepted_and_those_of_strangers_rejected() {
    let consumer = Role::new(
        &CONSUMER,
        "pipeshare-consumer-eu-west-1",
        &[("AllowedOwners", "111111111111")],
    );
    let answers = |action: &str, owner: &str, name: &str| {
        let action = format!("ram:{action}ResourceShareInvitation");
        let invitation = format!("arn:aws:ram:eu-west-1:{owner}:resource-share-invitation/i");
        let context: &[(&str, &str)] = &[
            ("ram:ShareOwnerAccountId", owner),
            ("ram:ResourceShareName", name),
        ];
        consumer.allows(&action, &invitation, &[context])
    };
    assert!(answers("Accept", "111111111111", "pipeshare-rule"));
    assert!(!answers("Accept", "999999999999", "pipeshare-rule"));
    assert!(!answers("Accept", "111111111111", "theirs"));
    assert!(answers("Reject", "999999999999", "pipeshare-rule"));
    assert!(!answers("Reject", "999999999999", "theirs"));
}

/// What is declared with these many principals and customer managed permissions:
/// the size of the owner role's policies and the text of the readable ceiling.
///
/// None if CloudFormation takes no parameter of that size.
fn sizes(principals: &[String], permissions: &[String]) -> Option<(usize, String)> {
    const LARGEST_PARAMETER: usize = 4096;
    let (principals, permissions) = (principals.join(","), permissions.join(","));
    if principals.len().max(permissions.len()) > LARGEST_PARAMETER {
        return None;
    }
    let parameters = [
        ("AllowedPrincipals", principals.as_str()),
        ("AllowedPermissions", permissions.as_str()),
    ];
    let declared = OWNER.declared_with(&parameters).unwrap();
    let ceiling = declared.iter().find(|r| r.kind == "AWS::SSM::Parameter");
    let value = ceiling.unwrap().properties["Value"].as_str().unwrap();
    let role = declared.iter().find(|r| r.logical_id == "OwnerRole");
    let policies = &role.unwrap().properties["Policies"];
    let size = policies[0]["PolicyDocument"].to_string().len();
    Some((size, value.to_owned()))
}

#[test]
fn whoever_fits_into_the_owner_role_fits_into_the_ceiling_that_functions_read() {
    // IAM's quota for the policies of a role, white space left out.
    const ROLE: usize = 10_240;
    const PARAMETER: usize = 8192;
    let numbered = |text: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| format!("{text}{n:08}")).collect()
    };
    let mut most = [0; 2];
    for permissions in [0, 1, 10, 20, 40] {
        let permissions = numbered(
            "arn:aws:ram:eu-west-1:222222222222:permission/c",
            permissions,
        );
        let unit = "arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-";
        for (kind, text) in ["1111", unit].into_iter().enumerate() {
            // Both grow with the number, so only the largest that fits matters.
            let fitting = |count: usize| {
                let sizes = sizes(&numbered(text, count), &permissions);
                sizes.filter(|(size, _)| *size <= ROLE)
            };
            let (mut fits, mut too_many) = (1, 400);
            while too_many - fits > 1 {
                let middle = usize::midpoint(fits, too_many);
                match fitting(middle) {
                    Some(_) => fits = middle,
                    None => too_many = middle,
                }
            }
            let Some((_, value)) = fitting(fits) else {
                continue;
            };
            assert!(value.len() <= PARAMETER, "{fits} of {text}: {value}");
            most[kind] = most[kind].max(fits);
        }
    }
    // About what infra/security.md says.
    assert!(most[0] >= 250 && most[1] >= 40, "{most:?}");
}

#[test]
fn the_ceiling_that_functions_read_is_what_the_parameters_say() {
    let unit = "arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-cdef3456";
    let ceiling = |parameters: &[(&str, &str)]| -> Value {
        let declared = OWNER.declared_with(parameters).unwrap();
        let found = declared.iter().find(|r| r.kind == "AWS::SSM::Parameter");
        let properties = &found.unwrap().properties;
        assert_eq!(properties["Name"], "/pipeshare/ceiling");
        serde_json::from_str(properties["Value"].as_str().unwrap()).unwrap()
    };
    let narrow = [
        ("AllowedPrincipals", format!("111111111111,{unit}")),
        ("AllowedAccess", "read".to_owned()),
        ("AllowedPermissions", format!("{CUSTOM},{CUSTOM}-2")),
        ("ShareNamePrefix", "pipeshare-test-".to_owned()),
    ];
    let narrow = narrow
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let expected = json!({
        "allowedPrincipals": ["111111111111", unit],
        "allowedAccess": "read",
        "allowedPermissions": [CUSTOM, format!("{CUSTOM}-2")],
        "shareNamePrefix": "pipeshare-test-",
    });
    assert_eq!(ceiling(&narrow), expected);
    let defaults = json!({
        "allowedPrincipals": ["111111111111", "333333333333"],
        "allowedAccess": "execute",
        "allowedPermissions": [],
        "shareNamePrefix": "pipeshare-",
    });
    assert_eq!(ceiling(&[]), defaults);
    // Nothing that the parameters take can break out of its quotation marks.
    for (parameter, value) in [
        ("AllowedPrincipals", "111111111111\",\"999999999999"),
        ("AllowedPermissions", "a\"]"),
        ("ShareNamePrefix", "pipeshare-\",\"x\":\""),
        ("AllowedAccess", "read\""),
    ] {
        let refused = OWNER.declared_with(&[(parameter, value)]);
        assert!(refused.is_err(), "{parameter}");
    }
}
