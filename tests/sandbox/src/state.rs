//! A world as a text, so that it can go on in another process.
//!
//! What only this process knows is not kept: the processes of functions and who
//! waits for them, the records of calls, events and invocations, and faults. The
//! messages of an invocation that was under way come again when their visibility
//! timeout is over, as if its function had died.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    readings::Readings,
    services::{events, lambda, sagemaker, sns},
    world::World,
};

/// Counts the forms of the text; another form is not read.
const FORM: u32 = 1;

#[derive(Serialize)]
struct Kept<'w> {
    form: u32,
    pending: Vec<lambda::Event>,
    world: &'w World,
}

#[derive(Deserialize)]
struct Form {
    form: u32,
}

#[derive(Deserialize)]
struct Loaded {
    pending: Vec<lambda::Event>,
    world: World,
}

/// A text that no world can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

impl World {
    /// The world as a text.
    pub fn save(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Kept {
            form: FORM,
            pending: lambda::pending(self),
            world: self,
        })
    }

    /// The world of a text; its clock goes on where it stood.
    pub fn load(text: &str, readings: Readings) -> Result<Self, LoadError> {
        let damaged = |error: serde_json::Error| LoadError(format!("it is damaged: {error}"));
        let Form { form } = serde_json::from_str(text).map_err(damaged)?;
        if form != FORM {
            let problem = format!("it has form {form}, and this program knows form {FORM}");
            return Err(LoadError(problem));
        }
        let Loaded { pending, mut world } = serde_json::from_str(text).map_err(damaged)?;
        world.readings = readings;
        events::restore(&mut world);
        sagemaker::restore(&mut world);
        sns::restore(&mut world);
        lambda::restore(&mut world, pending);
        Ok(world)
    }
}

/// Maps whose keys are no texts, as lists of pairs.
pub(crate) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<'m, M, K, V, S>(map: &'m M, serializer: S) -> Result<S::Ok, S::Error>
    where
        &'m M: IntoIterator<Item = (&'m K, &'m V)>,
        K: Serialize + 'm,
        V: Serialize + 'm,
        S: Serializer,
    {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, M, K, V, D>(deserializer: D) -> Result<M, D::Error>
    where
        M: IntoIterator<Item = (K, V)> + FromIterator<(K, V)>,
        K: Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}

/// Bytes, which JSON has no form for.
pub(crate) mod bytes {
    use axum::body::Bytes;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &Bytes,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Call, world::pass};

    const OWNER: &str = "111111111111";

    fn ask(world: &mut World, service: &str, operation: &str, input: Value) -> Value {
        let call = Call::by_administrator(OWNER, "us-east-1", service, operation, input);
        let answer = world.call(&call);
        answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// What somebody asks of the services: a bit of everything that lasts.
    fn calls() -> [(&'static str, &'static str, Value); 11] {
        let definition = json!({ "Version": "2020-12-01", "Steps": [
            { "Name": "Train", "Type": "Training", "Arguments": {} },
        ] });
        let token = "t".repeat(32);
        let queue = "arn:aws:sqs:us-east-1:111111111111:jobs";
        [
            (
                "sagemaker",
                "CreatePipeline",
                json!({
                    "PipelineName": "churn", "PipelineDefinition": definition.to_string(),
                    "RoleArn": "arn:aws:iam::111111111111:role/pipelines", "ClientRequestToken": token,
                }),
            ),
            (
                "sagemaker",
                "StartPipelineExecution",
                json!({
                    "PipelineName": "churn", "ClientRequestToken": "r".repeat(32),
                }),
            ),
            (
                "ram",
                "CreateResourceShare",
                json!({
                    "name": "models", "principals": ["222222222222"], "clientToken": token,
                    "resourceArns": ["arn:aws:sagemaker:us-east-1:111111111111:pipeline/churn"],
                }),
            ),
            (
                "ssm",
                "PutParameter",
                json!({ "Name": "/p", "Value": "v", "Type": "String" }),
            ),
            ("sqs", "CreateQueue", json!({ "QueueName": "jobs" })),
            (
                "events",
                "PutRule",
                json!({
                    "Name": "runs", "EventPattern": r#"{"source":["aws.sagemaker"]}"#,
                }),
            ),
            (
                "events",
                "PutRule",
                json!({
                    "Name": "hourly", "ScheduleExpression": "cron(0 * * * ? *)",
                }),
            ),
            (
                "events",
                "PutTargets",
                json!({
                    "Rule": "runs", "Targets": [{ "Id": "jobs", "Arn": queue }],
                }),
            ),
            ("sns", "CreateTopic", json!({ "Name": "news" })),
            (
                "sns",
                "Subscribe",
                json!({
                    "TopicArn": "arn:aws:sns:us-east-1:111111111111:news",
                    "Protocol": "sqs", "Endpoint": queue,
                    "Attributes": { "FilterPolicy": r#"{"kind":["good"]}"# },
                }),
            ),
            ("s3", "CreateBucket", json!({ "Bucket": "models" })),
        ]
    }

    fn filled() -> World {
        let start = "2026-01-05T09:00:00Z".parse().unwrap();
        let mut world = World::builder().start(start).build();
        for (service, operation, input) in calls() {
            ask(&mut world, service, operation, input);
        }
        pass(&mut world, 10);
        world
    }

    #[test]
    fn a_world_goes_on_as_if_it_had_never_been_a_text() {
        let mut world = filled();
        let text = world.save().unwrap();
        let mut loaded = World::load(&text, Readings::default()).unwrap();
        assert_eq!(loaded.save().unwrap(), text);
        for world in [&mut world, &mut loaded] {
            pass(world, 3600);
        }
        assert_eq!(loaded.now, world.now);
        let (one, other) = (world.save().unwrap(), loaded.save().unwrap());
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&one), value(&other));
        let runs = ask(
            &mut loaded,
            "sagemaker",
            "ListPipelineExecutions",
            json!({ "PipelineName": "churn" }),
        );
        assert_eq!(
            runs["PipelineExecutionSummaries"][0]["PipelineExecutionStatus"],
            "Succeeded"
        );
    }

    #[test]
    fn what_is_damaged_or_of_another_form_is_refused() {
        let text = filled().save().unwrap();
        let load = |text: &str| {
            World::load(text, Readings::default())
                .unwrap_err()
                .to_string()
        };
        let half = &text[..text.len() / 2];
        assert!(
            load(half).starts_with("it is damaged: EOF"),
            "{}",
            load(half)
        );
        assert!(load("{}").starts_with("it is damaged: missing field `form`"));
        let newer = text.replacen("\"form\":1", "\"form\":2", 1);
        assert_eq!(load(&newer), "it has form 2, and this program knows form 1");
    }
}
