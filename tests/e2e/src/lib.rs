//! What the scenarios have in common: an estate, and ways to look at it.
//!
//! A scenario acts and looks as people do, through the AWS SDK; only what no
//! API shows, faults and logs, it takes from the sandbox itself.

pub mod deployment;

use std::{env, sync::OnceLock, time::Duration};

use aws_sdk_ram::types::{
    ResourceOwner, ResourceShareAssociation, ResourceShareAssociationType, ResourceShareStatus,
};
pub use demo::{
    estate::{DEV, Estate, EstateError, POLICY, Plan, REGION, SHARED, TEST, Templates},
    functions,
    people::Person,
};
use sandbox::{
    Function, Invocation,
    faults::{CallEffect, CallFault, EventEffect, EventFault},
    services::{logs, sqs},
    world::ApiError,
};
use serde_json::{Value, json};

/// A pipeline of two steps, the second after the first.
pub const DEFINITION: &str = r#"{"Version":"2020-12-01","Steps":[
    {"Name":"Prepare","Type":"Processing","Arguments":{}},
    {"Name":"Train","Type":"Training","DependsOn":["Prepare"],"Arguments":{}}]}"#;

/// The detail type of the events about executions.
pub const EXECUTION_EVENT: &str = "SageMaker Model Building Pipeline Execution Status Change";

/// The detail type of the events about API calls.
pub const CALL_EVENT: &str = "AWS API Call via CloudTrail";

/// The log group of a consumer account's notifications.
pub const NOTIFICATION_LOG: &str = "/aws/events/pipeshare-consumer";

/// The share by which dev reads what test has, in the walkthrough's policy.
pub const DEV_SHARE: &str = "pipeshare-test-readers.111111111111";

/// A little longer than until the next scheduled reconciliation, and all that follows it, in seconds.
pub const SWEEP: u64 = 1_200;

/// An estate on which something is played.
pub struct Scenario {
    /// The estate.
    pub estate: Estate,
    /// A data scientist.
    pub dev: Person,
    /// Whoever deploys to test.
    pub test: Person,
    /// An ML engineer.
    pub shared: Person,
}

/// The functions, built once for all scenarios of a test binary.
fn built() -> Vec<Function> {
    static BUILT: OnceLock<Vec<Function>> = OnceLock::new();
    let build = || demo::binaries::build().expect("the functions compile");
    BUILT.get_or_init(build).clone()
}

/// The walkthrough's policy without its gates: pipelines are shared once they exist.
#[must_use]
pub fn ungated() -> String {
    POLICY.replace("after: succeeded", "after: created")
}

/// The same, with these lines instead of the `pipelines` of the rule for dev.
#[must_use]
pub fn readers(pipelines: &str) -> String {
    let policy = ungated().replace(
        "pipelines: [\"*\"]\n    with: [dev]",
        &format!("{pipelines}\n    with: [dev]"),
    );
    assert_ne!(policy, ungated());
    policy
}

impl Scenario {
    /// The estate of the walkthrough with this policy in force.
    pub async fn begin(policy: &str) -> Self {
        let scenario = Self::on(Plan::default()).await;
        scenario.write_policy(policy).await;
        scenario.pass(10).await;
        scenario
    }

    /// The same, in which test has these pipelines, and they are shared as far as the policy says.
    pub async fn sharing(policy: &str, pipelines: &[&str]) -> Self {
        let scenario = Self::begin(policy).await;
        for pipeline in pipelines {
            scenario.create(&scenario.test, pipeline).await;
        }
        scenario.pass(SWEEP).await;
        scenario
    }

    /// An estate without a policy.
    pub async fn on(plan: Plan) -> Self {
        let scenario = Self::try_on(plan).await;
        scenario.unwrap_or_else(|error| panic!("{error}"))
    }

    /// An estate without a policy, if its templates can be deployed.
    ///
    /// With `PIPESHARE_READINGS`, such as `ram-bare-share=only-if-empty
    /// ssm-labels=with`, it plays these readings of AWS's documents.
    pub async fn try_on(mut plan: Plan) -> Result<Self, EstateError> {
        let wished = std::env::var("PIPESHARE_READINGS").unwrap_or_default();
        for reading in wished.split_whitespace() {
            let played = plan.readings.play(reading);
            played.unwrap_or_else(|error| panic!("PIPESHARE_READINGS: {reading}: {error}"));
        }
        let estate = Estate::start(&plan, built()).await?;
        Ok(Self {
            dev: estate.person(DEV),
            test: estate.person(TEST),
            shared: estate.person(SHARED),
            estate,
        })
    }

    /// Writes a policy, valid or not.
    pub async fn write_policy(&self, policy: &str) {
        let written = self.estate.write_policy(policy).await;
        written.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Lets seconds pass.
    pub async fn pass(&self, seconds: u64) {
        self.estate
            .sandbox
            .run_for(Duration::from_secs(seconds))
            .await;
    }

    /// Creates a pipeline, and returns its ARN.
    pub async fn create(&self, who: &Person, name: &str) -> String {
        let created = who.create_pipeline(name, DEFINITION).await;
        created.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Deletes a pipeline.
    pub async fn delete(&self, who: &Person, name: &str) {
        let deletion = who.sagemaker.delete_pipeline().pipeline_name(name);
        let token = format!("delete-{name:-<40}");
        let deleted = deletion.client_request_token(token).send().await;
        deleted.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// Starts a pipeline, and returns the ARN of the execution.
    pub async fn start(&self, who: &Person, pipeline: &str, name: &str) -> String {
        let started = who.start(pipeline, name).await;
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Retries an execution.
    pub async fn retry(&self, who: &Person, execution: &str, attempt: usize) {
        let retried = who
            .sagemaker
            .retry_pipeline_execution()
            .pipeline_execution_arn(execution)
            .client_request_token(format!("retry-number-{attempt:0>30}"))
            .send()
            .await;
        retried.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// The next run of this step in test fails.
    pub fn fail_next(&self, pipeline: &str, step: &str, reason: &str) {
        let mut world = self.estate.sandbox.world();
        sandbox::services::sagemaker::fail_step(&mut world, TEST, pipeline, step, reason);
    }

    /// The names of the active shares that an account owns.
    pub async fn shares(&self, who: &Person) -> Vec<String> {
        let shares = who
            .ram
            .get_resource_shares()
            .resource_owner(ResourceOwner::SelfValue)
            .resource_share_status(ResourceShareStatus::Active)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let names = shares.resource_shares().iter().filter_map(|s| s.name());
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Share, entity and status of the associations of the shares that an account owns.
    pub async fn associations(
        &self,
        who: &Person,
        kind: ResourceShareAssociationType,
    ) -> Vec<(String, String, String)> {
        let associations = who
            .ram
            .get_resource_share_associations()
            .association_type(kind)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let read = |association: &ResourceShareAssociation| {
            let entity = association.associated_entity().unwrap_or_default();
            (
                association
                    .resource_share_name()
                    .unwrap_or_default()
                    .to_owned(),
                entity.rsplit('/').next().unwrap_or_default().to_owned(),
                association.status().map_or("", |s| s.as_str()).to_owned(),
            )
        };
        let all = associations.resource_share_associations();
        let mut all: Vec<_> = all.iter().map(read).collect();
        all.retain(|(_, _, status)| status != "DISASSOCIATED");
        all.sort();
        all
    }

    /// The shared pipelines: share, name and status.
    pub async fn pipelines(&self, who: &Person) -> Vec<(String, String, String)> {
        let kind = ResourceShareAssociationType::Resource;
        self.associations(who, kind).await
    }

    /// The principals: share, principal and status.
    pub async fn principals(&self, who: &Person) -> Vec<(String, String, String)> {
        let kind = ResourceShareAssociationType::Principal;
        self.associations(who, kind).await
    }

    /// The first lines of what an account was told, in order.
    pub fn told(&self, account: &str) -> Vec<String> {
        let mailbox = self.estate.mailbox(account).into_iter();
        let first = |text: String| text.lines().next().map(str::to_owned);
        mailbox.filter_map(first).collect()
    }

    /// What the hub was told with these words in it.
    #[must_use]
    pub fn hub_told(&self, words: &str) -> Vec<String> {
        let hub = self.estate.hub_mailbox().into_iter();
        hub.filter(|text| text.contains(words)).collect()
    }

    /// The ARN of the share with dev.
    pub async fn dev_share(&self) -> String {
        let shares = self.test.ram.get_resource_shares();
        let shares = shares.resource_owner(ResourceOwner::SelfValue);
        let shares = shares.name(DEV_SHARE).send().await;
        let shares = shares.unwrap_or_else(|error| panic!("{error:?}"));
        let arn = shares.resource_shares().first();
        let arn = arn.and_then(|share| share.resource_share_arn());
        arn.unwrap_or_else(|| panic!("there is no share with dev"))
            .to_owned()
    }

    /// Somebody in test puts pipelines into the share with dev.
    pub async fn put_in(&self, pipelines: &[String]) {
        let put = self.test.ram.associate_resource_share();
        let put = put.resource_share_arn(self.dev_share().await);
        let put = put.set_resource_arns(Some(pipelines.to_vec())).send().await;
        put.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// What is in a queue of the hub.
    pub fn queue(&self, name: &str) -> usize {
        let arn = format!("arn:aws:sqs:{REGION}:{SHARED}:pipeshare-{name}");
        sqs::messages(&self.estate.sandbox.world(), &arn).len()
    }

    /// What is left in all dead-letter queues of the hub.
    pub fn dead_letters(&self) -> usize {
        functions::queued()
            .into_iter()
            .map(|function| self.queue(&format!("{function}-dead-letters")))
            .sum::<usize>()
            + self.queue("undelivered")
    }

    /// How often a function called an operation, whatever the answer.
    pub fn calls(&self, operation: &str) -> usize {
        let world = self.estate.sandbox.world();
        let by_function = |call: &&sandbox::world::RecordedCall| {
            call.operation == operation && call.caller.role.is_some()
        };
        world.calls().iter().filter(by_function).count()
    }

    /// Everything that the functions have logged.
    pub fn logs(&self) -> String {
        let invocations = self.estate.sandbox.invocations();
        let lines: Vec<_> = invocations.into_iter().flat_map(|i| i.logs).collect();
        lines.join("\n")
    }

    /// The lines of the audit trail, the oldest first.
    pub fn trail(&self) -> Vec<String> {
        let world = self.estate.sandbox.world();
        logs::lines(&world, SHARED, REGION, "/aws/events/pipeshare")
    }

    /// The lines of the log of notifications of a consumer account, the oldest first.
    pub fn notification_log(&self, account: &str) -> Vec<String> {
        let world = self.estate.sandbox.world();
        logs::lines(&world, account, REGION, NOTIFICATION_LOG)
    }

    /// Invokes a function directly.
    pub async fn invoke(&self, function: &str, payload: Value) -> Invocation {
        let name = format!("pipeshare-{function}");
        self.estate.sandbox.invoke(&name, &payload).await
    }

    /// Sends a message to a function's queue, as anybody may who can send.
    pub fn send(&self, function: &str, body: &str) {
        let arn = format!("arn:aws:sqs:{REGION}:{SHARED}:pipeshare-{function}");
        let rule = format!("arn:aws:events:{REGION}:{SHARED}:rule/pipeshare-policy");
        let mut world = self.estate.sandbox.world();
        sqs::deliver(&mut world, &arn, &rule, body).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Makes something go wrong with the next such calls.
    pub fn break_calls(&self, service: &str, operation: &str, effects: &[CallEffect]) {
        let faults = effects.iter().map(|effect| CallFault {
            service: service.to_owned(),
            operation: operation.to_owned(),
            account: None,
            effect: effect.clone(),
        });
        self.estate
            .sandbox
            .world()
            .faults_mut()
            .calls
            .extend(faults);
    }

    /// Makes something happen to the next such events.
    pub fn break_events(&self, detail_type: &str, effects: &[EventEffect]) {
        let faults = effects.iter().map(|effect| EventFault {
            detail_type: detail_type.to_owned(),
            effect: effect.clone(),
        });
        self.estate
            .sandbox
            .world()
            .faults_mut()
            .events
            .extend(faults);
    }
}

/// An event that tells the end of a run in test, whether or not there is such a run.
#[must_use]
pub fn end_event(execution: &str, status: &str, time: &str) -> Value {
    json!({
        "source": "aws.sagemaker",
        "detail-type": EXECUTION_EVENT,
        "account": TEST,
        "time": time,
        "detail": {
            "pipelineArn": format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn"),
            "pipelineExecutionArn": execution,
            "currentPipelineExecutionStatus": status,
            "executionEndTime": time,
        },
    })
}

/// One of so many of these cases, or all of them if `PIPESHARE_CASES` is `all`.
#[must_use]
pub fn sampled<T>(cases: Vec<T>, one_of: usize) -> Vec<T> {
    let step = if are_all_tried() { 1 } else { one_of };
    cases.into_iter().step_by(step).collect()
}

fn are_all_tried() -> bool {
    env::var("PIPESHARE_CASES").is_ok_and(|cases| cases == "all")
}

/// The ways in which a call may fail its caller: it dies before or after the call, the
/// answer is lost, or AWS cannot serve just now.
#[must_use]
pub fn failures() -> [CallEffect; 4] {
    [
        CallEffect::KillCaller { after: false },
        CallEffect::KillCaller { after: true },
        CallEffect::LoseAnswer,
        refusal(503, "ServiceUnavailable"),
    ]
}

/// Each of these places with each of these effects: a third of the pairs, in which each
/// place and each effect is, or all of them if `PIPESHARE_CASES` is `all`.
#[must_use]
pub fn crossed<P: Clone, E: Clone>(places: &[P], effects: &[E]) -> Vec<(P, E)> {
    let step = if are_all_tried() {
        1
    } else {
        effects.len().min(3)
    };
    let mut pairs = Vec::new();
    for (row, place) in places.iter().enumerate() {
        let of_row = effects.iter().enumerate();
        let of_row = of_row.filter(|(column, _)| (row + column) % step == 0);
        pairs.extend(of_row.map(|(_, effect)| (place.clone(), effect.clone())));
    }
    pairs
}

/// A refusal by AWS.
#[must_use]
pub fn refusal(status: u16, code: &str) -> CallEffect {
    CallEffect::Refuse(ApiError::with_status(status, code, "injected"))
}

/// The value of a field of a line of a log, as Logs Insights finds it.
#[must_use]
pub fn field<'l>(line: &'l Value, path: &str) -> Option<&'l Value> {
    let step = |it: &'l Value, name: &str| match name.parse::<usize>() {
        Ok(position) if it.is_array() => it.get(position),
        _ => it.get(name),
    };
    line.get(path)
        .or_else(|| path.split('.').try_fold(line, step))
}
