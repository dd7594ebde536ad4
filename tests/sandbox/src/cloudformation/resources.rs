//! The resource types that the sandbox has: what refers to them, and how they are made.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Stack, pipeline, properties, schema, template::Declaration};
use crate::{
    services::{dynamodb, events, iam, kms, lambda, logs, sns, sqs, ssm},
    world::{ApiError, World},
};

/// A resource of a stack with its properties resolved.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) logical_id: String,
    /// The name that AWS knows it by.
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) kind: &'static ResourceType,
    pub(super) properties: Value,
    pub(super) identity: Identity,
}

impl Resource {
    pub(super) fn new(declaration: &Declaration, stack: &Stack<'_>, properties: Value) -> Self {
        let kind = declaration.kind;
        let logical_id = declaration.logical_id.clone();
        let given = kind
            .name_property
            .and_then(|name| schema::text(&properties[name]));
        // CloudFormation appends a random text, for which a stack made once has no use.
        let name = given.unwrap_or_else(|| format!("{}-{logical_id}", stack.name));
        Self {
            identity: (kind.identify)(stack, &name, &properties),
            line: declaration.line,
            logical_id,
            name,
            kind,
            properties,
        }
    }

    /// Whether others change it, too, so that nobody knows what it is like now.
    pub(super) fn is_pipeline(&self) -> bool {
        self.kind.name == "AWS::SageMaker::Pipeline"
    }

    /// Gives what an earlier deployment of the stack made its new properties.
    pub(super) fn update(&self, world: &mut World, stack: &Stack<'_>) -> Result<(), ApiError> {
        let (account, name, properties) = (stack.account, &self.name, &self.properties);
        match self.kind.name {
            "AWS::IAM::Role" => iam::update_role(world, account, name, properties),
            "AWS::IAM::ManagedPolicy" => {
                iam::update_managed_policy(world, account, name, properties)
            }
            "AWS::SSM::Parameter" => {
                let mut properties = properties.clone();
                properties["Overwrite"] = true.into();
                ssm::create_parameter(world, account, stack.region, name, &properties)
            }
            // Either its making takes the place of what was made before, or it is refused.
            _ => self.make(world, stack),
        }
    }

    /// What tells it from others of its stack; one with another name is another one.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.logical_id, self.name)
    }

    /// Makes the resource.
    pub(super) fn make(&self, world: &mut World, stack: &Stack<'_>) -> Result<(), ApiError> {
        let (name, properties) = (&self.name, &self.properties);
        match self.kind.make {
            Make::Named(make) => make(world, stack.account, stack.region, name, properties),
            Make::Nameless(make) => make(world, stack.account, stack.region, properties),
            Make::Global(make) => make(world, stack.account, name, properties),
            Make::PolicyOf(property, set) => each(properties, property, |resource| {
                set(world, resource, &properties["PolicyDocument"])
            }),
            Make::Nothing => Ok(()),
        }
    }
}

/// What `Ref` and `Fn::GetAtt` give for a resource.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) reference: Option<String>,
    attributes: Vec<(&'static str, Value)>,
}

impl Identity {
    pub(super) fn attribute(&self, name: &str) -> Option<Value> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(attribute, _)| *attribute == name)
            .map(|(_, value)| value.clone())
    }

    fn new<const N: usize>(
        reference: impl Into<String>,
        attributes: [(&'static str, &str); N],
    ) -> Self {
        Self {
            reference: Some(reference.into()),
            attributes: attributes
                .map(|(name, value)| (name, Value::from(value)))
                .into(),
        }
    }
}

type Outcome = Result<(), ApiError>;

/// How a resource comes to be.
#[derive(Debug)]
enum Make {
    /// With an account, a Region, a name and the properties.
    Named(fn(&mut World, &str, &str, &str, &Value) -> Outcome),
    /// With an account, a Region and the properties.
    Nameless(fn(&mut World, &str, &str, &Value) -> Outcome),
    /// With an account, a name and the properties, since it is in every Region.
    Global(fn(&mut World, &str, &str, &Value) -> Outcome),
    /// As the policy of each resource that the property lists.
    PolicyOf(&'static str, fn(&mut World, &str, &Value) -> Outcome),
    /// Not at all: it would have no effect in the sandbox.
    Nothing,
}

/// A type of resources.
#[derive(Debug)]
pub(super) struct ResourceType {
    pub(super) name: &'static str,
    /// The property that names a resource, if the template may choose its name.
    name_property: Option<&'static str>,
    identify: fn(&Stack<'_>, &str, &Value) -> Identity,
    make: Make,
}

impl ResourceType {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|kind| kind.name == name)
    }

    /// Whether the sandbox knows what the property means for it.
    pub(super) fn knows(&self, property: &str) -> bool {
        properties::of(self.name).is_none_or(|known| known.contains(&property))
    }

    const fn named(
        name: &'static str,
        name_property: &'static str,
        identify: fn(&Stack<'_>, &str, &Value) -> Identity,
        make: Make,
    ) -> Self {
        Self {
            name,
            name_property: Some(name_property),
            identify,
            make,
        }
    }

    /// A type that nothing in a template refers to.
    const fn nameless(name: &'static str, make: Make) -> Self {
        Self {
            name,
            name_property: None,
            identify: |_, _, _| Identity::default(),
            make,
        }
    }
}

static TYPES: &[ResourceType] = &[
    ResourceType::named(
        "AWS::DynamoDB::Table",
        "TableName",
        table,
        Make::Named(dynamodb::create_table),
    ),
    ResourceType::named(
        "AWS::Events::EventBus",
        "Name",
        bus,
        Make::Named(events::create_bus),
    ),
    ResourceType::nameless(
        "AWS::Events::EventBusPolicy",
        Make::Nameless(events::create_bus_policy),
    ),
    ResourceType::named(
        "AWS::Events::Rule",
        "Name",
        rule,
        Make::Named(events::create_rule),
    ),
    ResourceType::named(
        "AWS::IAM::ManagedPolicy",
        "ManagedPolicyName",
        managed_policy,
        Make::Global(iam::create_managed_policy),
    ),
    ResourceType::named(
        "AWS::IAM::Role",
        "RoleName",
        role,
        Make::Global(iam::create_role),
    ),
    ResourceType::nameless(
        "AWS::Lambda::EventSourceMapping",
        Make::Nameless(lambda::create_event_source_mapping),
    ),
    ResourceType::named(
        "AWS::Lambda::Function",
        "FunctionName",
        function,
        Make::Named(lambda::create_function),
    ),
    ResourceType::nameless(
        "AWS::SNS::Subscription",
        Make::Nameless(|world, account, region, properties| {
            sns::subscribe(world, account, region, properties).map(drop)
        }),
    ),
    ResourceType::named(
        "AWS::SNS::Topic",
        "TopicName",
        topic,
        Make::Named(sns::create_topic),
    ),
    ResourceType::nameless(
        "AWS::SNS::TopicPolicy",
        Make::PolicyOf("Topics", sns::set_policy),
    ),
    ResourceType::named(
        "AWS::SQS::Queue",
        "QueueName",
        queue,
        Make::Named(sqs::create_queue),
    ),
    ResourceType::nameless(
        "AWS::SQS::QueuePolicy",
        Make::PolicyOf("Queues", sqs::set_policy),
    ),
    ResourceType::named(
        "AWS::SSM::Parameter",
        "Name",
        parameter,
        Make::Named(ssm::create_parameter),
    ),
    ResourceType::nameless(
        "AWS::Lambda::EventInvokeConfig",
        Make::Nameless(lambda::create_event_invoke_config),
    ),
    ResourceType::named(
        "AWS::SageMaker::Pipeline",
        "PipelineName",
        name_only,
        Make::Named(pipeline::deploy),
    ),
    // Only event source mappings, CodePipeline and the function's own account invoke it in the sandbox.
    ResourceType::nameless("AWS::Lambda::Permission", Make::Nothing),
    // The sandbox has no metrics that an alarm could watch or a dashboard show.
    ResourceType::named("AWS::CloudWatch::Alarm", "AlarmName", alarm, Make::Nothing),
    ResourceType::named(
        "AWS::CloudWatch::Dashboard",
        "DashboardName",
        name_only,
        Make::Nothing,
    ),
    // Logs Insights is not played, and nothing counts lines.
    ResourceType::nameless("AWS::Logs::QueryDefinition", Make::Nothing),
    ResourceType::nameless("AWS::Logs::MetricFilter", Make::Nothing),
    // The stacks of a stack set are for whoever sets up a world to deploy.
    ResourceType::named(
        "AWS::CloudFormation::StackSet",
        "StackSetName",
        name_only,
        Make::Nothing,
    ),
    // The sandbox encrypts nothing.
    ResourceType::named("AWS::KMS::Alias", "AliasName", name_only, Make::Nothing),
    ResourceType {
        name: "AWS::KMS::Key",
        name_property: None,
        identify: key,
        make: Make::Named(create_key),
    },
    // The logs of a function are kept with its invocations; rules of EventBridge write into others.
    ResourceType::named(
        "AWS::Logs::LogGroup",
        "LogGroupName",
        log_group,
        Make::Named(logs::create_group),
    ),
    ResourceType::named(
        "AWS::Logs::ResourcePolicy",
        "PolicyName",
        name_only,
        Make::Named(logs::create_resource_policy),
    ),
];

fn alarm(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("cloudwatch", &format!("alarm:{name}"));
    Identity::new(name, [("Arn", &arn)])
}

fn bus(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("events", &format!("event-bus/{name}"));
    Identity::new(name, [("Arn", &*arn), ("Name", name)])
}

fn function(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("lambda", &format!("function:{name}"));
    Identity::new(name, [("Arn", &arn)])
}

fn key(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let id = key_id(&stack.arn("kms", name));
    let arn = stack.arn("kms", &format!("key/{id}"));
    Identity::new(&*id, [("Arn", &*arn), ("KeyId", &id)])
}

fn create_key(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Outcome {
    let id = key_id(&format!("arn:aws:kms:{region}:{account}:{name}"));
    kms::create_key(world, account, region, &id, properties)
}

fn log_group(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("logs", &format!("log-group:{name}:*"));
    Identity::new(name, [("Arn", &arn)])
}

fn managed_policy(stack: &Stack<'_>, name: &str, properties: &Value) -> Identity {
    let arn = iam_arn(stack, "policy", name, properties);
    Identity::new(&*arn, [("PolicyArn", &arn)])
}

fn name_only(_: &Stack<'_>, name: &str, _: &Value) -> Identity {
    Identity::new(name, [])
}

fn parameter(_: &Stack<'_>, name: &str, properties: &Value) -> Identity {
    let [kind, value] =
        ["Type", "Value"].map(|property| properties[property].as_str().unwrap_or_default());
    Identity::new(name, [("Type", kind), ("Value", value)])
}

fn queue(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let Stack {
        account, region, ..
    } = stack;
    let url = format!("https://sqs.{region}.amazonaws.com/{account}/{name}");
    let arn = stack.arn("sqs", name);
    let attributes = [("Arn", &*arn), ("QueueName", name), ("QueueUrl", &url)];
    Identity::new(&*url, attributes)
}

fn role(stack: &Stack<'_>, name: &str, properties: &Value) -> Identity {
    let arn = iam_arn(stack, "role", name, properties);
    Identity::new(name, [("Arn", &arn)])
}

fn rule(stack: &Stack<'_>, name: &str, properties: &Value) -> Identity {
    let bus = properties["EventBusName"].as_str().unwrap_or("default");
    // The property takes the bus's ARN as well as its name.
    let (reference, path) = match bus.rsplit('/').next() {
        None | Some("default") => (name.to_owned(), name.to_owned()),
        Some(bus) => (format!("{bus}|{name}"), format!("{bus}/{name}")),
    };
    let arn = stack.arn("events", &format!("rule/{path}"));
    Identity::new(reference, [("Arn", &arn)])
}

fn table(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("dynamodb", &format!("table/{name}"));
    Identity::new(name, [("Arn", &arn)])
}

fn topic(stack: &Stack<'_>, name: &str, _: &Value) -> Identity {
    let arn = stack.arn("sns", name);
    Identity::new(&*arn, [("TopicArn", &*arn), ("TopicName", name)])
}

fn iam_arn(stack: &Stack<'_>, kind: &str, name: &str, properties: &Value) -> String {
    let path = properties["Path"].as_str().unwrap_or("/");
    format!("arn:aws:iam::{}:{kind}{path}{name}", stack.account)
}

/// A key's id, which is the same in every run.
fn key_id(seed: &str) -> String {
    let digest = Sha256::digest(seed);
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u64, |n, byte| n << 8 | u64::from(*byte))
    };
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        number(&digest[..4]),
        number(&digest[4..6]),
        number(&digest[6..8]) & 0xfff,
        number(&digest[8..10]) & 0xfff,
        number(&digest[10..16]),
    )
}

/// Does something with each text of a list property.
fn each(
    properties: &Value,
    property: &str,
    mut act: impl FnMut(&str) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let invalid = || {
        let message = format!("{property} must be a list of texts");
        ApiError::new("ValidationError", message)
    };
    let items = properties[property].as_array().ok_or_else(invalid)?;
    items
        .iter()
        .try_for_each(|item| act(item.as_str().ok_or_else(invalid)?))
}
