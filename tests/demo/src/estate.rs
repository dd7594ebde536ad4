//! The accounts of a sandbox, with the project's own templates deployed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sandbox::{
    Function, Options, Sandbox, StartError,
    cloudformation::{self, Stack, TemplateError},
    http::Pages,
    organization::Organization,
    readings::Readings,
    services::kms,
    world::{ApiError, World},
};

use crate::{functions::HUB_TEMPLATE, people::Person};

/// Where data scientists work.
pub const DEV: &str = "111111111111";
/// Where pipelines are deployed to and tested.
pub const TEST: &str = "222222222222";
/// The shared services account: the hub, and the ML engineers.
pub const SHARED: &str = "333333333333";
/// The Region.
pub const REGION: &str = "us-east-1";
/// The name of the parameter that holds the policy.
pub const POLICY_PARAMETER: &str = "/pipeshare/policy";

/// The policy of the walkthrough. RAM sharing is off in its organization, so
/// every account has to accept.
pub const POLICY: &str = include_str!("policy.yaml");

/// The texts of the templates.
#[derive(Debug, Clone)]
pub struct Templates {
    /// Of the hub.
    pub hub: String,
    /// Of accounts that own pipelines.
    pub owner: String,
    /// Of accounts that pipelines are shared with.
    pub consumer: String,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            hub: HUB_TEMPLATE.to_owned(),
            owner: include_str!("../../../infra/owner-account/template.yaml").to_owned(),
            consumer: include_str!("../../../infra/consumer-account/template.yaml").to_owned(),
        }
    }
}

/// What an estate is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The accounts that own pipelines.
    pub owners: Vec<&'static str>,
    /// The accounts that pipelines are shared with.
    pub consumers: Vec<&'static str>,
    /// The accounts of the organization; without any, there is no organization.
    pub members: Vec<&'static str>,
    /// Whether the hub is deployed.
    pub hub: bool,
    /// Whether RAM shares within the organization without invitations.
    pub ram_sharing: bool,
    /// The templates that are deployed.
    pub templates: Templates,
    /// The ARNs of the customer managed permissions that owners may give.
    pub permissions: Vec<String>,
    /// The id of the key of the hub's own that the policy is encrypted with; a plain text without.
    pub policy_key: Option<&'static str>,
    /// Further parameters of owner accounts, each in the place of the one above if there is one.
    pub owner_parameters: Vec<(&'static str, String)>,
    /// The same of consumer accounts.
    pub consumer_parameters: Vec<(&'static str, String)>,
    /// The same of the hub.
    pub hub_parameters: Vec<(&'static str, String)>,
    /// Whether the hub rejects what it refuses, instead of leaving it.
    pub rejects: bool,
    /// Which readings of AWS's documents are played.
    pub readings: Readings,
    /// What the sandbox's clock says in the beginning.
    pub start: Timestamp,
    /// The port on loopback; 0 for any that is free.
    pub port: u16,
    /// How many invocations run at once; one makes a run the same each time.
    pub concurrency: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            owners: vec![DEV, TEST],
            consumers: vec![DEV, SHARED],
            members: vec![DEV, TEST, SHARED],
            hub: true,
            ram_sharing: false,
            templates: Templates::default(),
            permissions: Vec::new(),
            policy_key: None,
            owner_parameters: Vec::new(),
            consumer_parameters: Vec::new(),
            hub_parameters: Vec::new(),
            rejects: false,
            readings: Readings::default(),
            start: "2026-01-05T09:00:00Z"
                .parse()
                .expect("the text is a timestamp"),
            port: 0,
            concurrency: 1,
        }
    }
}

impl Plan {
    /// The same accounts with nothing in them.
    #[must_use]
    pub fn without_templates() -> Self {
        Self {
            owners: Vec::new(),
            consumers: Vec::new(),
            hub: false,
            ..Self::default()
        }
    }
}

/// The estate could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EstateError {
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The sandbox did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A key could not be made.
    #[error("a key could not be made")]
    Key(#[source] Box<ApiError>),
    /// The policy could not be written.
    #[error("the policy could not be written")]
    Policy(#[source] Box<aws_sdk_ssm::Error>),
}

/// A running sandbox with accounts, templates and functions.
#[derive(Debug)]
pub struct Estate {
    /// The sandbox.
    pub sandbox: Sandbox,
    plan: Plan,
}

impl Estate {
    /// Deploys the templates and starts the functions. No policy is in force yet.
    pub async fn start(plan: &Plan, functions: Vec<Function>) -> Result<Self, EstateError> {
        Self::start_with(plan, functions, None).await
    }

    /// The same, with pages for browsers.
    pub async fn start_with(
        plan: &Plan,
        functions: Vec<Function>,
        pages: Option<Pages>,
    ) -> Result<Self, EstateError> {
        let world = world(plan)?;
        let options = Options {
            functions,
            port: plan.port,
            concurrency: plan.concurrency,
            pages,
        };
        let sandbox = Sandbox::start(world, options).await?;
        let plan = plan.clone();
        Ok(Self { sandbox, plan })
    }

    /// Somebody of an account.
    #[must_use]
    pub fn person(&self, account: &str) -> Person {
        Person::new(self.sandbox.endpoint(), account)
    }

    /// Deploys a template of a team into one of the accounts.
    pub fn deploy(
        &self,
        account: &str,
        file: &str,
        template: &str,
        parameters: &[(&str, &str)],
    ) -> Result<(), TemplateError> {
        deploy(
            &mut self.sandbox.world(),
            account,
            file,
            template,
            parameters,
        )
    }

    /// Makes an account a consumer that was none in the beginning.
    pub fn onboard_consumer(&self, account: &str) -> Result<(), TemplateError> {
        deploy_consumer(&mut self.sandbox.world(), account, &self.plan)
    }

    /// Makes a key in the hub, which nobody but administrators may use.
    pub fn make_key(&self, id: &str) -> Result<(), EstateError> {
        make_key(&mut self.sandbox.world(), id)
    }

    /// Writes the policy, as the administrator of the hub does.
    pub async fn write_policy(&self, policy: &str) -> Result<(), EstateError> {
        let written = self.person(SHARED).ssm.put_parameter();
        let written = match self.plan.policy_key {
            Some(key) => written
                .r#type(aws_sdk_ssm::types::ParameterType::SecureString)
                .key_id(key_arn(key)),
            None => written.r#type(aws_sdk_ssm::types::ParameterType::String),
        };
        let written = written
            .name(POLICY_PARAMETER)
            .value(policy)
            .tier(aws_sdk_ssm::types::ParameterTier::Advanced)
            .overwrite(true)
            .send()
            .await;
        written
            .map(drop)
            .map_err(|error| EstateError::Policy(Box::new(error.into())))
    }

    /// What a consumer account was told on its topic, in order.
    #[must_use]
    pub fn mailbox(&self, account: &str) -> Vec<String> {
        self.published(&format!("arn:aws:sns:{REGION}:{account}:pipeshare"))
    }

    /// What a consumer account was told on its topic for a chat, in order.
    #[must_use]
    pub fn chat(&self, account: &str) -> Vec<String> {
        self.published(&format!("arn:aws:sns:{REGION}:{account}:pipeshare-chat"))
    }

    /// What the hub was told on its topic for a chat, in order.
    #[must_use]
    pub fn hub_chat(&self) -> Vec<String> {
        self.published(&format!("arn:aws:sns:{REGION}:{SHARED}:pipeshare-hub-chat"))
    }

    /// What the hub was told on its topic, in order.
    #[must_use]
    pub fn hub_mailbox(&self) -> Vec<String> {
        self.published(&format!("arn:aws:sns:{REGION}:{SHARED}:pipeshare-hub"))
    }

    fn published(&self, topic: &str) -> Vec<String> {
        let world = self.sandbox.world();
        let published = world.sns().published.iter();
        published
            .filter(|message| message.topic_arn == topic)
            .map(|message| message.message.clone())
            .collect()
    }
}

/// The accounts of a plan, with their templates, before anything runs.
pub fn world(plan: &Plan) -> Result<World, EstateError> {
    let mut world = World::builder()
        .start(plan.start)
        .organization(SHARED, &plan.members)
        .ram_sharing(plan.ram_sharing)
        .readings(plan.readings)
        .build();
    // The hub may stand outside, and there may be no organization at all.
    let members = &mut world.organization_mut().members;
    members.retain(|member| plan.members.contains(&member.as_str()));
    if plan.hub {
        deploy_hub(&mut world, plan)?;
    }

    let organization = organization(&world);
    let principals = principals(plan, world.organization());
    let permissions = plan.permissions.join(",");
    let owner_parameters = [
        ("HubAccountId", SHARED),
        ("OrganizationId", &organization),
        ("AllowedPrincipals", &principals),
        ("AllowedPermissions", &permissions),
    ];
    let owner_parameters = with_further(&owner_parameters, &plan.owner_parameters);
    for owner in &plan.owners {
        let file = "infra/owner-account/template.yaml";
        deploy(
            &mut world,
            owner,
            file,
            &plan.templates.owner,
            &owner_parameters,
        )?;
    }
    for consumer in &plan.consumers {
        deploy_consumer(&mut world, consumer, plan)?;
    }
    Ok(world)
}

/// Deploys the hub, which hears the accounts of its organization and the others of the plan.
fn deploy_hub(world: &mut World, plan: &Plan) -> Result<(), EstateError> {
    let organization = organization(world);
    let accounts = plan.owners.iter().chain(&plan.consumers);
    let accounts: BTreeSet<&str> = accounts.copied().collect();
    let strangers = accounts
        .iter()
        .filter(|account| !plan.members.contains(account));
    let strangers = strangers.copied().collect::<Vec<_>>().join(",");
    if let Some(key) = plan.policy_key {
        make_key(world, key)?;
    }
    let key = plan.policy_key.map(key_arn).unwrap_or_default();
    // The scenarios begin without a policy, and write their own.
    let parameters = [
        ("OrganizationId", organization.as_str()),
        ("AccountIds", &strangers),
        ("CreatePolicyParameter", "false"),
        ("PolicyKeyArn", &key),
        (
            "RefusedInvitations",
            if plan.rejects { "reject" } else { "leave" },
        ),
    ];
    let parameters = with_further(&parameters, &plan.hub_parameters);
    let file = "infra/hub/template.yaml";
    deploy(world, SHARED, file, &plan.templates.hub, &parameters).map_err(EstateError::from)
}

/// The ARN of a key in the hub.
fn key_arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{SHARED}:key/{id}")
}

/// Makes a key in the hub, with the policy that a key has by default: IAM decides.
fn make_key(world: &mut World, id: &str) -> Result<(), EstateError> {
    let policy = serde_json::json!({ "KeyPolicy": { "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{SHARED}:root") },
        "Action": "kms:*",
        "Resource": "*",
    }] } });
    kms::create_key(world, SHARED, REGION, id, &policy)
        .map_err(|error| EstateError::Key(Box::new(error)))
}

/// Deploys the template of a consumer account that trusts these owners.
fn deploy_consumer(world: &mut World, account: &str, plan: &Plan) -> Result<(), TemplateError> {
    let organization = organization(world);
    let owners = plan.owners.join(",");
    let parameters = [
        ("HubAccountId", SHARED),
        ("OrganizationId", &organization),
        ("AllowedOwners", &owners),
    ];
    let parameters = with_further(&parameters, &plan.consumer_parameters);
    let file = "infra/consumer-account/template.yaml";
    deploy(world, account, file, &plan.templates.consumer, &parameters)
}

/// The id of the organization, if it has members.
fn organization(world: &World) -> String {
    let organization = world.organization();
    if organization.members.is_empty() {
        String::new()
    } else {
        organization.id.clone()
    }
}

/// Whom owners may share with at most: everybody here.
fn principals(plan: &Plan, organization: &Organization) -> String {
    let accounts = [DEV, TEST, SHARED];
    let accounts = accounts.iter().chain(&plan.members).chain(&plan.consumers);
    let accounts: BTreeSet<String> = accounts.map(ToString::to_string).collect();
    let principals = accounts.into_iter().chain([organization.arn()]);
    principals.collect::<Vec<_>>().join(",")
}

/// Parameters, and further ones in their places.
fn with_further<'p>(
    parameters: &[(&'p str, &'p str)],
    further: &'p [(&'static str, String)],
) -> Vec<(&'p str, &'p str)> {
    let further = further.iter().map(|(name, value)| (*name, value.as_str()));
    parameters.iter().copied().chain(further).collect()
}

/// Deploys a template into an account, as the stack `pipeshare`.
pub(crate) fn deploy(
    world: &mut World,
    account: &str,
    file: &str,
    template: &str,
    parameters: &[(&str, &str)],
) -> Result<(), TemplateError> {
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<BTreeMap<_, _>>();
    let stack = Stack {
        account,
        region: REGION,
        name: "pipeshare",
        file,
        template,
        parameters,
    };
    cloudformation::deploy(world, &stack).map(drop)
}
