//! Pipelines of SageMaker that a stack deploys.
//!
//! Source: schema and handlers of the type, which AWS publishes in
//! `aws-cloudformation-resource-providers-sagemaker`.

use serde_json::{Map, Value, json};

use super::schema::{Member, Schema, invalid};
use crate::{
    http::perform,
    services::key::ResourceKey,
    world::{ApiError, Call, World},
};

/// The schema of `AWS::SageMaker::Pipeline`.
static PIPELINE: Schema = Schema::Object(&[
    Member::optional(
        "ParallelismConfiguration",
        Schema::Object(&[Member::required(
            "MaxParallelExecutionSteps",
            Schema::Integer,
        )]),
    ),
    Member::required(
        DEFINITION,
        Schema::Object(&[
            Member::optional(BODY, Schema::Text),
            Member::optional(
                LOCATION,
                Schema::Object(&[
                    Member::required("Bucket", Schema::Text),
                    Member::optional("ETag", Schema::Text),
                    Member::required("Key", Schema::Text),
                    Member::optional("Version", Schema::Text),
                ]),
            ),
        ]),
    ),
    Member::optional("PipelineDescription", Schema::Text),
    Member::optional("PipelineDisplayName", Schema::Text),
    Member::required("PipelineName", Schema::Text),
    Member::required("RoleArn", Schema::Text),
    Member::optional(
        "Tags",
        Schema::List(&Schema::Object(&[
            Member::required("Key", Schema::Text),
            Member::required("Value", Schema::Text),
        ])),
    ),
]);

const DEFINITION: &str = "PipelineDefinition";

/// The definition itself.
const BODY: &str = "PipelineDefinitionBody";

/// Where the definition lies.
const LOCATION: &str = "PipelineDefinitionS3Location";

/// Creates the pipeline or, if it is there, updates it, as `AWS::SageMaker::Pipeline` with these properties would.
///
/// It goes through the API as an administrator, so that CloudTrail tells of
/// it. Properties that are those of the deployment before change nothing.
///
/// ASSUMED: others may have made it or changed it since, so what is there is taken to be the stack's.
pub(super) fn deploy(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let properties = convert(properties)?;
    let input = input(&properties);
    let key = ResourceKey::new(account, region, name);
    let pipeline = Pipeline { account, region };
    let described = pipeline.ask(world, "DescribePipeline", json!({ "PipelineName": name }));
    match described {
        Err(_) => pipeline.create(world, input, &properties)?,
        Ok(_) if world.cloudformation.pipelines.get(&key) == Some(&properties) => {}
        Ok(described) => {
            pipeline.ask(world, "UpdatePipeline", Value::Object(input))?;
            pipeline.tag(world, &described["PipelineArn"], &properties["Tags"])?;
        }
    }
    world.cloudformation.pipelines.insert(key, properties);
    Ok(())
}

/// Where a stack's pipeline is.
struct Pipeline<'a> {
    account: &'a str,
    region: &'a str,
}

impl Pipeline<'_> {
    fn ask(&self, world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
        let Pipeline { account, region } = self;
        let call = Call::by_administrator(account, region, "sagemaker", operation, input);
        perform(world, &call)
    }

    fn create(
        &self,
        world: &mut World,
        mut input: Map<String, Value>,
        properties: &Value,
    ) -> Result<(), ApiError> {
        let seed = format!(
            "stack with pipeline {} of {}",
            input["PipelineName"], self.account
        );
        input.insert("ClientRequestToken".to_owned(), world.uuid(&seed).into());
        if let Some(tags) = properties.get("Tags") {
            input.insert("Tags".to_owned(), tags.clone());
        }
        self.ask(world, "CreatePipeline", Value::Object(input))
            .map(drop)
    }

    /// Gives the pipeline these tags, and takes away all others.
    fn tag(&self, world: &mut World, arn: &Value, wanted: &Value) -> Result<(), ApiError> {
        let listed = self.ask(world, "ListTags", json!({ "ResourceArn": arn }))?;
        let (present, wanted) = (tags(&listed["Tags"]), tags(wanted));
        let is_wanted = |tag: &&Value| wanted.iter().any(|other| other["Key"] == tag["Key"]);
        let gone = present.iter().filter(|tag| !is_wanted(tag));
        let gone: Vec<&Value> = gone.map(|tag| &tag["Key"]).collect();
        let new = wanted.iter().filter(|tag| !present.contains(tag));
        let new: Vec<&Value> = new.collect();
        if !gone.is_empty() {
            let input = json!({ "ResourceArn": arn, "TagKeys": gone });
            self.ask(world, "DeleteTags", input)?;
        }
        if !new.is_empty() {
            let input = json!({ "ResourceArn": arn, "Tags": new });
            self.ask(world, "AddTags", input)?;
        }
        Ok(())
    }
}

fn tags(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// The properties in the types of the schema, with a definition that the sandbox can read.
fn convert(properties: &Value) -> Result<Value, ApiError> {
    let path = format!("#/{DEFINITION}");
    if properties[DEFINITION][BODY].is_object() {
        let problem = "expected type: String, found: JSONObject; it must be a JSON text";
        return Err(invalid(&format!("{path}/{BODY}"), problem));
    }
    let converted = PIPELINE.convert(properties)?;
    let definition = &converted[DEFINITION];
    match (definition.get(BODY), definition.get(LOCATION)) {
        (Some(_), None) => Ok(converted),
        (None, Some(_)) => {
            let message = format!(
                "{LOCATION} is not implemented in the sandbox, which has no S3; give the text \
                 itself as {BODY}"
            );
            Err(ApiError::with_status(501, "NotImplemented", message))
        }
        (body, _) => {
            let count = if body.is_some() { 2 } else { 0 };
            let problem = format!("{count} subschemas matched instead of one");
            Err(invalid(&path, &problem))
        }
    }
}

/// The properties as the API names them, without the tags.
fn input(properties: &Value) -> Map<String, Value> {
    let members = properties.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| *name != "Tags")
        .map(|(name, value)| match name.as_str() {
            DEFINITION => (name.clone(), value[BODY].clone()),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}
