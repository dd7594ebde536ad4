//! Letting go: what AWS lets go, and what is only history, so that a sandbox can run for weeks.

use std::{collections::BTreeMap, time::Duration};

use super::World;
use crate::services::{dynamodb, logs, ram, sagemaker, sqs, sts};

/// How long one tidying lasts, so that it costs nothing.
const PAUSE: Duration = Duration::from_mins(1);

impl World {
    /// Forgets all but the newest records, and what AWS itself lets go by now.
    ///
    /// Of calls, events, messages of topics, invocations and lines of logs, it keeps
    /// as many as it is told to. Tests that read histories let nobody tidy up.
    pub fn tidy(&mut self, kept: usize) {
        let Ok(due) = self.tidied.checked_add(PAUSE) else {
            return;
        };
        if self.now < due {
            return;
        }
        self.tidied = self.now;
        cut(&mut self.calls, kept);
        cut(&mut self.events.seen, kept);
        cut(&mut self.events.dropped, kept);
        cut(&mut self.sns.published, kept);
        cut(&mut self.lambda.finished, kept);
        dynamodb::tidy(self);
        logs::tidy(self, kept);
        ram::tidy(self);
        sagemaker::tidy(self);
        sqs::tidy(self);
        sts::tidy(self);
    }

    /// How many things of each kind it holds that would be more with time alone.
    #[must_use]
    pub fn held(&self) -> BTreeMap<&'static str, usize> {
        let own = [
            ("calls", self.calls.len()),
            ("dropped events", self.events.dropped.len()),
            ("events", self.events.seen.len()),
            ("identifiers", self.identifiers.len()),
            ("invocations", self.lambda.finished.len()),
            ("messages of topics", self.sns.published.len()),
            ("tasks", self.agenda.len()),
        ];
        let services = [
            dynamodb::held(self),
            logs::held(self),
            sqs::held(self),
            sts::held(self),
        ];
        let services = services.into_iter().chain(ram::held(self));
        let services = services.chain(sagemaker::held(self));
        own.into_iter().chain(services).collect()
    }
}

/// Takes away all but the newest.
fn cut<T>(records: &mut Vec<T>, kept: usize) {
    let excess = records.len().saturating_sub(kept);
    records.drain(..excess);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        Call, World,
        world::{Caller, pass},
    };

    const OWNER: &str = "111111111111";
    const DAYS: u64 = 24 * 60 * 60;

    fn ask(
        world: &mut World,
        service: &str,
        operation: &str,
        input: serde_json::Value,
    ) -> serde_json::Value {
        let call = Call {
            caller: Caller::administrator(OWNER),
            region: "eu-west-1".to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
        };
        world
            .call(&call)
            .unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// A pipeline that is run, shared and deleted, with its tokens, invitation and message.
    fn live(world: &mut World, name: &str) {
        let definition = json!({ "Version": "2020-12-01", "Steps": [
            { "Name": "Train", "Type": "Training", "Arguments": {} },
        ] });
        let token = format!("{name:-<32}");
        let created = ask(
            world,
            "sagemaker",
            "CreatePipeline",
            json!({
                "PipelineName": name, "PipelineDefinition": definition.to_string(),
                "RoleArn": "arn:aws:iam::111111111111:role/pipelines", "ClientRequestToken": token,
            }),
        );
        for run in 0..3 {
            let token = format!("{name}-{run:-<32}");
            let input = json!({ "PipelineName": name, "ClientRequestToken": token });
            ask(world, "sagemaker", "StartPipelineExecution", input);
        }
        let share = json!({
            "name": name, "principals": ["222222222222"], "clientToken": token,
            "resourceArns": [created["PipelineArn"]],
        });
        let share = ask(world, "ram", "CreateResourceShare", share);
        let queue = json!({ "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/jobs", "MessageBody": name });
        ask(world, "sqs", "SendMessage", queue);
        pass(world, 600);
        let arn = &share["resourceShare"]["resourceShareArn"];
        ask(
            world,
            "ram",
            "DeleteResourceShare",
            json!({ "resourceShareArn": arn }),
        );
        let token = format!("{name}-end{:-<32}", "");
        let input = json!({ "PipelineName": name, "ClientRequestToken": token });
        ask(world, "sagemaker", "DeletePipeline", input);
    }

    #[test]
    fn what_is_over_is_let_go_and_what_is_not_stays() {
        let mut world = World::builder().build();
        ask(
            &mut world,
            "sqs",
            "CreateQueue",
            json!({ "QueueName": "jobs" }),
        );
        let empty = world.held();
        for round in 0..20 {
            live(&mut world, &format!("churn-{round}"));
            world.tidy(10);
        }
        assert_eq!(world.held()["calls"], 10);
        assert!(world.held()["events"] <= 10);
        assert!(world.held()["shares"] > 5, "they are shown for two hours");
        assert!(
            world.held()["queue messages"] == 20,
            "they are kept for four days"
        );
        pass(&mut world, 8 * DAYS);
        world.tidy(0);
        let mut left = world.held();
        // How often an identifier was asked for is remembered for good.
        let identifiers = left.insert("identifiers", empty["identifiers"]);
        assert!(
            identifiers.is_some_and(|count| count < 20 * 8),
            "{identifiers:?}"
        );
        assert_eq!(left["tasks"], 0);
        let mut empty = empty;
        empty.insert("calls", 0);
        empty.insert("events", 0);
        assert_eq!(left, empty);
    }

    #[test]
    fn the_newest_finished_executions_of_a_pipeline_stay_and_those_under_way_too() {
        let mut world = World::builder().build();
        let definition = json!({ "Version": "2020-12-01", "Steps": [
            { "Name": "Train", "Type": "Training", "Arguments": {} },
        ] });
        ask(
            &mut world,
            "sagemaker",
            "CreatePipeline",
            json!({
                "PipelineName": "churn", "PipelineDefinition": definition.to_string(),
                "RoleArn": "arn:aws:iam::111111111111:role/pipelines",
                "ClientRequestToken": "t".repeat(32),
            }),
        );
        for run in 0..150 {
            let token = format!("{run:->32}");
            let input = json!({ "PipelineName": "churn", "ClientRequestToken": token });
            ask(&mut world, "sagemaker", "StartPipelineExecution", input);
            if run < 140 {
                pass(&mut world, 60);
            }
        }
        world.tidy(10);
        assert_eq!(world.held()["executions"], 110);
        pass(&mut world, 120);
        world.tidy(10);
        assert_eq!(world.held()["executions"], 100);
    }
}
