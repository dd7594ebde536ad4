//! What the ceiling says is what IAM says, for whatever a template may be deployed with.

use std::collections::BTreeMap;

use domain::{
    ceiling::Ceiling,
    id::{PermissionArn, Principal},
    policy::RuleName,
    sharing::{self, Action, NewShare, Reason, Step},
};
use e2e::{REGION, SHARED, TEST, Templates};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::RngSeed,
};
use sandbox::{
    cloudformation::{self, Stack},
    http::perform,
    services::iam::{identity, requests},
    world::{AssumedRole, Call, Caller, World},
};
use serde_json::{Value, json};

const PRINCIPALS: &[&str] = &[
    "111111111111",
    "333333333333",
    "arn:aws:iam::111111111111:role/ml/analyst",
    "arn:aws:iam::111111111111:role/ml/Analyst",
    "arn:aws:iam::333333333333:user/analyst",
    "arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-cdef3456",
    "arn:aws:organizations::444444444444:organization/o-example1234",
];

const CUSTOM: &[&str] = &[
    "arn:aws:ram:us-east-1:222222222222:permission/custom",
    "arn:aws:ram:us-east-1:222222222222:permission/Custom",
    "arn:aws:ram:us-east-1:222222222222:permission/custom-2",
];

const PREFIXES: &[&str] = &[
    "pipeshare-",
    "pipeshare-test",
    "pipeshare-test-",
    "pipeshare-Test",
];

const NAMES: &[&str] = &[
    "pipeshare-test",
    "pipeshare-test.111111111111",
    "pipeshare-test-readers.2",
    "pipeshare-testing",
    "pipeshare-Test-readers",
    "pipeshare-prod.333333333333",
];

/// What a template is deployed with, and what is asked then.
#[derive(Debug, Clone)]
struct Case {
    principals: Vec<&'static str>,
    access: &'static str,
    permissions: Vec<&'static str>,
    prefix: &'static str,
    principal: Principal,
    permission: PermissionArn,
    name: &'static str,
}

fn cases() -> impl Strategy<Value = Case> {
    let permissions = || {
        let of_aws = [
            PermissionArn::read("aws"),
            PermissionArn::execute("aws"),
            "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet"
                .parse()
                .expect("an ARN"),
        ];
        let custom = CUSTOM.iter().map(|arn| arn.parse().expect("an ARN"));
        of_aws.into_iter().chain(custom).collect::<Vec<_>>()
    };
    (
        subsequence(PRINCIPALS, 1..PRINCIPALS.len()),
        select(vec!["read", "execute"]),
        subsequence(CUSTOM, 0..=2),
        select(PREFIXES),
        select(PRINCIPALS),
        select(permissions()),
        select(NAMES),
    )
        .prop_map(
            |(principals, access, allowed, prefix, principal, permission, name)| Case {
                principals,
                access,
                permissions: allowed,
                prefix,
                principal: principal.parse().expect("a principal"),
                permission,
                name,
            },
        )
}

fn session(role: &str) -> Caller {
    Caller {
        account: TEST.to_owned(),
        role: Some(AssumedRole {
            name: format!("pipeshare-{role}-{REGION}"),
            session: "agreement".to_owned(),
        }),
    }
}

fn call(caller: Caller, service: &str, operation: &str, input: Value) -> Call {
    Call {
        caller,
        region: REGION.to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

/// An owner account in which the template of a case is deployed.
struct Account {
    world: World,
    /// A share of ours, made by hand.
    share: String,
}

impl Account {
    fn of(case: &Case) -> Self {
        let mut world = World::builder()
            .start("2026-01-05T09:00:00Z".parse().expect("a time"))
            .build();
        let parameters = [
            ("HubAccountId", SHARED.to_owned()),
            ("AllowedPrincipals", case.principals.join(",")),
            ("AllowedAccess", case.access.to_owned()),
            ("AllowedPermissions", case.permissions.join(",")),
            ("ShareNamePrefix", case.prefix.to_owned()),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        let stack = Stack {
            account: TEST,
            region: REGION,
            name: "pipeshare",
            file: "infra/owner-account/template.yaml",
            template: &Templates::default().owner,
            parameters: BTreeMap::from(parameters),
        };
        cloudformation::deploy(&mut world, &stack).unwrap_or_else(|error| panic!("{error}"));
        let tags = json!([{ "key": "pipeshare:managed", "value": "true" }]);
        let input = json!({ "name": case.name, "tags": tags });
        let create = call(
            Caller::administrator(TEST),
            "ram",
            "CreateResourceShare",
            input,
        );
        let made = perform(&mut world, &create).unwrap_or_else(|error| panic!("{error}"));
        let share = made["resourceShare"]["resourceShareArn"]
            .as_str()
            .map(str::to_owned);
        Self {
            share: share.expect("the share has an ARN"),
            world,
        }
    }

    /// The ceiling, read as the functions read it.
    fn ceiling(&mut self) -> Ceiling {
        let input = json!({ "Name": "/pipeshare/ceiling" });
        let read = call(session("reader"), "ssm", "GetParameter", input);
        let read = perform(&mut self.world, &read).unwrap_or_else(|error| panic!("{error}"));
        let text = read["Parameter"]["Value"].as_str().unwrap_or_default();
        text.parse()
            .unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Whether IAM lets share-pipeline do this in the account.
    fn permits(&mut self, operation: &str, input: Value) -> bool {
        let call = call(session("owner"), "ram", operation, input);
        let wanted = requests::of(&self.world, &call).unwrap_or_else(|error| panic!("{error}"));
        let mut wanted = wanted.iter();
        wanted.all(|it| identity::permits(&mut self.world, &call.caller, it))
    }

    /// Whether IAM permits a step, as share-pipeline takes it.
    fn permits_step(&mut self, call: &sharing::Call) -> bool {
        let share = self.share.clone();
        let action = match call {
            sharing::Call::Create(NewShare { permission, .. }) => {
                let tags = json!([{ "key": "pipeshare:managed", "value": "true" }]);
                let input = json!({ "name": "x", "permissionArns": [permission], "tags": tags });
                return self.permits("CreateResourceShare", input);
            }
            sharing::Call::Change(action) => action,
        };
        match action {
            Action::ReplacePermission { permission } => {
                let input = json!({ "resourceShareArn": share, "permissionArn": permission, "replace": true });
                self.permits("AssociateResourceSharePermission", input)
            }
            Action::AllowExternal { allow } => {
                let input = json!({ "resourceShareArn": share, "allowExternalPrincipals": allow });
                self.permits("UpdateResourceShare", input)
            }
            Action::AddPipelines { pipelines } => {
                let input = json!({ "resourceShareArn": share, "resourceArns": pipelines });
                self.permits("AssociateResourceShare", input)
            }
            Action::AddPrincipals { principals } => {
                let input = json!({ "resourceShareArn": share, "principals": principals });
                self.permits("AssociateResourceShare", input)
            }
            Action::RemoveResources { .. } | Action::RemovePrincipals { .. } | Action::Delete => {
                true
            }
        }
    }
}

/// The steps that could give the principal of a case access.
fn steps(case: &Case) -> Vec<Step> {
    let rule: RuleName = "test".parse().expect("a name");
    let pipeline = format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn");
    let permission = case.permission.clone();
    let new = NewShare {
        name: case.name.to_owned(),
        rule,
        permission: permission.clone(),
        allow_external: false,
        client_token: String::new(),
    };
    let actions = [
        Action::ReplacePermission { permission },
        Action::AllowExternal { allow: true },
        Action::AddPipelines {
            pipelines: vec![pipeline.parse().expect("an ARN")],
        },
        Action::AddPrincipals {
            principals: vec![case.principal.clone()],
        },
    ];
    let calls = [sharing::Call::Create(new)]
        .into_iter()
        .chain(actions.map(sharing::Call::Change));
    let step = |call| Step {
        share: case.name.to_owned(),
        arn: None,
        call,
        reason: Reason::PrincipalNamed,
    };
    calls.map(step).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        rng_seed: RngSeed::Fixed(10),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_ceiling_allows_what_iam_allows_and_refuses_what_iam_refuses(case in cases()) {
        let mut account = Account::of(&case);
        let ceiling = account.ceiling();
        let steps = steps(&case);
        for step in &steps {
            let refused = ceiling.refuses(step);
            let permitted = account.permits_step(&step.call);
            prop_assert_eq!(refused.is_none(), permitted, "{}: {:?}", step, refused);
        }
        // A principal has access by a share with a permission and a pipeline.
        let permitted = steps.iter().all(|step| account.permits_step(&step.call));
        let allowed = ceiling.allows(&case.principal, &case.permission, case.name);
        prop_assert_eq!(allowed.is_ok(), permitted, "{:?}", allowed);
    }
}
