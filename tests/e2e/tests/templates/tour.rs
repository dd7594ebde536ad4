//! One walk past everything that the templates wire and allow.
//!
//! Each stop says what its users rely on. The first that does not hold ends
//! the tour with its name, so that it is known who noticed what is missing
//! from a template.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_ram::types::{
    ResourceOwner, ResourceShareAssociationType, ResourceShareInvitationStatus as Status,
};
use aws_sdk_sagemaker::types::Parameter;
use aws_sdk_ssm::types::ParameterType;
use e2e::{
    CALL_EVENT, DEFINITION, DEV, EXECUTION_EVENT, EstateError, Person, Plan, REGION, SHARED,
    Scenario, TEST, Templates, functions,
};
use sandbox::{
    Invocation,
    faults::EventEffect,
    http::perform,
    readings::{InvitationEvents, Readings, Search},
    services::{
        codepipeline::{self, Action, Status as ActionStatus},
        events::{self, ServiceEvent},
    },
    world::Call,
};
use serde_json::{Value, json};

const OFFER: &str = "Share Offered";
const SHARING: &str = "Resource Sharing State Change";
const STRANGER: &str = "666666666666";

/// Sweeps come at this interval, counted from the beginning.
const SWEEP: i64 = 900;

/// After so many minutes nothing comes to rest any more.
const REST: usize = 120;

/// Marks the events that an account shall keep to itself.
const STRAY: &str = "stray";

/// The parameter of the team.
const DOCUMENT: &str = "/pipeshare/policy/guests";

/// The part of the policy that stays.
const ACCOUNTS: &str = r#"version: 1
accounts:
  dev: "111111111111"
  test: "222222222222"
  shared: "333333333333"
  gone: "444444444444"
teams:
  guests: { owner: test, with: [shared, dev] }
rules:
  - { name: operators, owner: test, pipelines: ["*"], with: [shared], access: execute, after: succeeded, notify: [Failed] }
"#;

const READERS: &str = r#"
  - { name: readers, owner: test, pipelines: ["*"], with: [dev], access: read, after: created, notify: [Failed, Succeeded] }
"#;

/// A stop of the tour at which something did not hold.
#[derive(Debug)]
pub(crate) struct Stop(pub(crate) String);

impl From<EstateError> for Stop {
    fn from(error: EstateError) -> Self {
        Self(format!("deployment: {error}"))
    }
}

/// Goes on if this holds.
pub(crate) fn hold(holds: bool, what: &str) -> Result<(), Stop> {
    if holds {
        Ok(())
    } else {
        Err(Stop(what.to_owned()))
    }
}

/// Deploys the templates and walks through; returns the estate as it is in the end.
pub(crate) async fn walk(templates: Templates, readings: Readings) -> Result<Scenario, Stop> {
    let plan = Plan {
        templates,
        readings,
        permissions: vec![custom_permission()],
        policy_key: Some("policy"),
        rejects: true,
        hub_parameters: vec![("CreateChatTopic", "true".to_owned())],
        consumer_parameters: vec![("CreateChatTopic", "true".to_owned())],
        ..Plan::default()
    };
    let mut tour = Tour {
        on: Scenario::try_on(plan).await?,
        rules: String::new(),
    };
    crate::probes::ask(&tour.on)?;
    tour.policies().await?;
    tour.documents().await?;
    tour.offers().await?;
    tour.executions().await?;
    tour.lost_events().await?;
    tour.changes().await?;
    tour.refusals().await?;
    tour.strays().await?;
    tour.trail().await?;
    tour.notification_logs().await?;
    tour.organization().await?;
    tour.withdrawal().await?;
    Ok(tour.on)
}

fn custom_permission() -> String {
    format!("arn:aws:ram:{REGION}:{TEST}:permission/pipeshare-custom")
}

/// The definition of the scenarios, with a parameter.
fn with_parameter() -> String {
    let parameter =
        r#"{"Parameters":[{"Name":"MinimalAccuracy","Type":"Float","DefaultValue":0.8}],"#;
    DEFINITION.replacen('{', parameter, 1)
}

struct Tour {
    on: Scenario,
    rules: String,
}

impl Tour {
    /// Writes the policy with one more rule.
    async fn add_rule(&mut self, rule: &str) {
        self.rules.push_str(rule);
        let policy = format!("{ACCOUNTS}{}", self.rules);
        self.on.write_policy(&policy).await;
    }

    /// Writes the document of the team.
    async fn write_document(&self, text: &str) -> Result<(), Stop> {
        let written = self.on.shared.ssm.put_parameter().name(DOCUMENT);
        let written = written.r#type(ParameterType::String).overwrite(true);
        let written = written.value(text).send().await;
        hold(written.is_ok(), "the hub's people may write a document")
    }

    /// A team has a document of its own, which outlives its parameter.
    async fn documents(&mut self) -> Result<(), Stop> {
        let of = |name: &str| {
            format!(
                "version: 1\nrules:\n  - {{ name: {name}, owner: test, pipelines: [\"*\"], with: [dev], after: created }}\n"
            )
        };
        self.rest(120).await;
        self.write_document(&of("first-guests")).await?;
        self.on.pass(40).await;
        let shares = self.on.shares(&self.on.test).await;
        let has = |name: &str| shares.iter().any(|it| it == name);
        hold(
            has("pipeshare-first-guests.111111111111"),
            "the document of a team is put in force when it is written",
        )?;
        self.write_document(&of("guests")).await?;
        self.on.pass(60).await;
        let deleted = self.on.shared.ssm.delete_parameter().name(DOCUMENT).send();
        hold(deleted.await.is_ok(), "a document can be deleted")?;
        self.schedule().await;
        let shares = self.on.shares(&self.on.test).await;
        let has = |name: &str| shares.iter().any(|it| it == name);
        hold(
            has("pipeshare-guests.111111111111"),
            "a document that is gone withdraws nothing",
        )
    }

    /// Lets everything come to rest, with at least this many seconds before the next scheduled reconciliation.
    async fn rest(&self, seconds: i64) {
        self.on.estate.sandbox.world().faults_mut().events.clear();
        let functions = functions::queued();
        for _ in 0..REST {
            if functions
                .iter()
                .all(|function| self.on.queue(function) == 0)
            {
                break;
            }
            self.on.pass(60).await;
        }
        let left = self.until_sweep();
        if left < seconds + 10 {
            self.on.pass(left.unsigned_abs() + 60).await;
        }
    }

    fn until_sweep(&self) -> i64 {
        let start = Plan::default().start.as_second();
        let now = self.on.estate.sandbox.world().now().as_second();
        SWEEP - (now - start).rem_euclid(SWEEP)
    }

    /// Lets the next scheduled reconciliation come and do its work.
    async fn schedule(&self) {
        self.on.pass(self.until_sweep().unsigned_abs() + 60).await;
    }

    fn lose(&self, detail_type: &str) {
        self.on
            .break_events(detail_type, &vec![EventEffect::Lose; 500]);
    }

    fn without_trail(&self, is_without: bool) {
        let mut world = self.on.estate.sandbox.world();
        world.cloudtrail_mut().without.clear();
        if is_without {
            world.cloudtrail_mut().without.insert(TEST.to_owned());
        }
    }

    fn invocations(&self, function: &str) -> usize {
        let invocations = self.on.estate.sandbox.invocations().into_iter();
        invocations
            .filter(|it| it.function == format!("pipeshare-{function}"))
            .count()
    }

    async fn is_accepted(&self, who: &Person, share: &str) -> bool {
        let invitations = who.invitations().await.unwrap_or_default();
        invitations.iter().any(|it| {
            it.resource_share_name() == Some(share) && it.status() == Some(&Status::Accepted)
        })
    }

    fn readings(&self) -> Readings {
        self.on.estate.sandbox.world().readings()
    }

    async fn policies(&mut self) -> Result<(), Stop> {
        self.add_rule(READERS).await;
        self.on.pass(20).await;
        let name = "/pipeshare/policy:in-force";
        let in_force = self.on.shared.ssm.get_parameter().name(name).send().await;
        hold(
            in_force.is_ok(),
            "a policy is put in force when it is written",
        )?;
        self.rest(120).await;
        let churn = self.on.create(&self.on.test, "churn").await;
        self.on.pass(60).await;
        hold(
            self.on.dev.sees(&churn).await,
            "a new pipeline is shared at once",
        )?;
        let gained =
            "dev (111111111111) can see 1 pipeline of test (222222222222), by rule readers.";
        let told = self.on.told(DEV).iter().any(|text| text == gained);
        hold(told, "a consumer is told what it can use")
    }

    async fn offers(&mut self) -> Result<(), Stop> {
        let rule = |name: &str, owner: &str, with: &str| {
            format!(
                "  - {{ name: {name}, owner: {owner}, pipelines: [\"*\"], with: [{with}], \
                 access: read, after: created }}\n"
            )
        };
        self.rest(120).await;
        self.lose(SHARING);
        self.add_rule(&rule("offered", "test", "shared")).await;
        self.on.pass(90).await;
        let accepted = self
            .is_accepted(&self.on.shared, "pipeshare-offered.333333333333")
            .await;
        hold(accepted, "an offer leads to acceptance if RAM says nothing")?;

        self.rest(120).await;
        self.lose(OFFER);
        self.on.create(&self.on.dev, "draft").await;
        self.add_rule(&rule("announced", "dev", "shared")).await;
        self.on.pass(90).await;
        let accepted = self
            .is_accepted(&self.on.shared, "pipeshare-announced.333333333333")
            .await;
        // Where RAM says nothing, the scheduled reconciliation finds it; the next stop shows that.
        let says_something = self.readings().invitation_events == InvitationEvents::Sent;
        hold(
            accepted || !says_something,
            "what RAM says leads to acceptance if the offer is lost",
        )?;

        self.rest(120).await;
        self.lose(OFFER);
        self.lose(SHARING);
        self.add_rule(&rule("missed", "test", "dev")).await;
        self.schedule().await;
        let accepted = self
            .is_accepted(&self.on.dev, "pipeshare-missed.111111111111")
            .await;
        hold(
            accepted,
            "the scheduled reconciliation accepts what nobody told of",
        )
    }

    async fn executions(&mut self) -> Result<(), Stop> {
        self.rest(500).await;
        self.without_trail(true);
        let quiet = self
            .on
            .test
            .create_pipeline("quiet", &with_parameter())
            .await;
        let quiet = quiet.map_err(|error| Stop(format!("a pipeline with a parameter: {error}")))?;
        self.on.start(&self.on.test, "quiet", "first").await;
        self.on.pass(40).await;
        let seen = self.on.dev.sees(&quiet).await;
        hold(
            seen,
            "a pipeline of which no trail tells is shared when it runs",
        )?;
        self.on.pass(300).await;
        let started = self.on.shared.start(&quiet, "by-an-operator").await;
        hold(
            started.is_ok(),
            "a run that succeeded opens the gate at once",
        )?;
        self.on.pass(200).await;
        let succeeded = "Pipeline quiet in test (222222222222, us-east-1): Succeeded";
        let told = self
            .on
            .told(DEV)
            .iter()
            .filter(|text| *text == succeeded)
            .count();
        hold(told == 2, "a consumer is told of every run that succeeded")?;
        hold(self.bus_of(DEV) > 0, "a consumer's machines are told, too")?;

        self.rest(400).await;
        self.on.fail_next("quiet", "Train", "bad luck");
        let parameter = Parameter::builder().name("MinimalAccuracy").value("0.9");
        let run = self.on.test.sagemaker.start_pipeline_execution();
        let run = run
            .pipeline_name("quiet")
            .pipeline_parameters(parameter.build());
        let run = run.client_request_token("second-run-of-the-pipeline-that-is-quiet");
        hold(
            run.send().await.is_ok(),
            "a run can be started with parameters",
        )?;
        self.on.pass(60).await;
        let before = self.invocations("share-pipeline");
        self.on.pass(200).await;
        let failed = "Pipeline quiet in test (222222222222, us-east-1): Failed";
        for account in [DEV, SHARED] {
            let told = self.on.told(account);
            hold(
                told.iter().any(|text| text == failed),
                "consumers are told of failures",
            )?;
        }
        let hub = self.on.estate.hub_mailbox();
        let told = hub
            .iter()
            .any(|text| text.contains("Failed step: Train: \"bad luck\""));
        hold(told, "the hub is told which step failed and why")?;
        self.reasons_and_chats()?;
        let more = self.invocations("share-pipeline") - before;
        hold(more == 0, "a run that failed gives no reason to share")?;
        let run = self.on.start(&self.on.test, "quiet", "third").await;
        self.on.pass(60).await;
        let before = self.invocations("share-pipeline");
        let stop = self.on.test.sagemaker.stop_pipeline_execution();
        let token = "stop-the-third-run-of-the-quiet-pipeline";
        let stop = stop.pipeline_execution_arn(run).client_request_token(token);
        hold(stop.send().await.is_ok(), "a run can be stopped")?;
        self.on.pass(100).await;
        let more = self.invocations("share-pipeline") - before;
        hold(more == 0, "a run that was stopped gives no reason to share")
    }

    /// The failure is told with what the run was started with, and to chats.
    fn reasons_and_chats(&self) -> Result<(), Stop> {
        let estate = &self.on.estate;
        let started_with = "Parameter MinimalAccuracy: \"0.9\", default \"0.8\"";
        let hub = estate.hub_mailbox();
        let told = hub.iter().any(|text| text.contains(started_with));
        hold(
            told,
            "the hub is told with what a run was started that failed",
        )?;
        for chat in [estate.chat(DEV), estate.hub_chat()] {
            let told = chat
                .iter()
                .any(|text| text.contains("quiet in test: Failed"));
            hold(told, "chats are told of failures")?;
        }
        Ok(())
    }

    /// The number of events that arrived on a consumer's bus.
    fn bus_of(&self, account: &str) -> usize {
        let world = self.on.estate.sandbox.world();
        let seen = world.events().seen.iter();
        seen.filter(|event| event.account == account && event.bus == "pipeshare")
            .count()
    }

    async fn lost_events(&mut self) -> Result<(), Stop> {
        self.rest(400).await;
        self.lose(EXECUTION_EVENT);
        self.on.fail_next("churn", "Train", "unheard");
        self.on.start(&self.on.test, "churn", "lost").await;
        self.on.pass(300).await;
        self.schedule().await;
        if self.readings().search != Search::AtOnce {
            self.schedule().await;
        }
        let failed = "Pipeline churn in test (222222222222, us-east-1): Failed";
        let told = self.on.told(DEV).iter().any(|text| text == failed);
        hold(
            told,
            "the scheduled reconciliation tells of an end that no event told",
        )?;

        self.rest(120).await;
        let silent = self.on.create(&self.on.test, "silent").await;
        self.schedule().await;
        self.on.pass(60).await;
        let seen = self.on.dev.sees(&silent).await;
        hold(
            seen,
            "the scheduled reconciliation shares a pipeline that no event told of",
        )?;
        self.without_trail(false);
        Ok(())
    }

    async fn changes(&mut self) -> Result<(), Stop> {
        self.rest(300).await;
        let silent = Person::pipeline_arn(TEST, "silent");
        let there = |(share, name, _): &(String, String, String)| {
            share == "pipeshare-readers.111111111111" && name == "silent"
        };
        for what in ["a pipeline", "a version of a pipeline"] {
            self.take_out_by_hand(&silent).await?;
            self.on.pass(30).await;
            let sagemaker = &self.on.test.sagemaker;
            let updated = if what == "a pipeline" {
                let update = sagemaker.update_pipeline().pipeline_name("silent");
                update.pipeline_description("changed").send().await.is_ok()
            } else {
                let update = sagemaker.update_pipeline_version().pipeline_arn(&silent);
                let update = update.pipeline_version_id(1);
                let update = update.pipeline_version_display_name("golden");
                update.send().await.is_ok()
            };
            hold(updated, &format!("{what} can be updated"))?;
            self.on.pass(60).await;
            let shared = self.on.pipelines(&self.on.test).await;
            hold(
                shared.iter().any(there),
                &format!("an update of {what} leads to a reconciliation of the account"),
            )?;
        }

        self.rest(400).await;
        self.on.start(&self.on.test, "silent", "only").await;
        self.on.pass(300).await;
        hold(
            self.gates("gate|succeeded|222222222222", "silent") == 1,
            "it is remembered that a run has succeeded",
        )?;
        self.on.delete(&self.on.test, "silent").await;
        self.on.pass(60).await;
        let shared = self.on.pipelines(&self.on.test).await;
        hold(
            !shared.iter().any(there),
            "a deleted pipeline leaves its shares at once",
        )?;
        self.schedule().await;
        hold(
            self.gates("gate|succeeded|222222222222", "silent") == 0,
            "what is remembered of a pipeline goes with it",
        )?;

        self.custom_access().await?;
        self.hook().await?;
        self.deployment().await?;

        self.rest(120).await;
        self.rules = self.rules.replace(
            "with: [dev], access: read, after: created, notify",
            "with: [dev], access: execute, after: created, notify",
        );
        self.add_rule("").await;
        self.on.pass(60).await;
        let churn = Person::pipeline_arn(TEST, "churn");
        let started = self.on.dev.start(&churn, "by-a-reader-promoted").await;
        hold(started.is_ok(), "a change of access takes effect at once")
    }

    /// A permission that the customer manages, for a new share and for one that exists.
    async fn custom_access(&mut self) -> Result<(), Stop> {
        let template = r#"{"Effect":"Allow","Action":["sagemaker:DescribePipeline"]}"#;
        let permission = self
            .on
            .test
            .ram
            .create_permission()
            .name("pipeshare-custom");
        let permission = permission
            .resource_type("sagemaker:Pipeline")
            .policy_template(template);
        hold(
            permission.send().await.is_ok(),
            "customers manage permissions",
        )?;
        let custom = custom_permission();
        self.rules = self.rules.replace(
            "name: missed, owner: test, pipelines: [\"*\"], with: [dev], access: read",
            &format!(
                "name: missed, owner: test, pipelines: [\"*\"], with: [dev], access: \"{custom}\""
            ),
        );
        self.add_rule(&format!(
            "  - {{ name: custom, owner: test, pipelines: [\"*\"], with: [shared], access: \"{custom}\", after: created }}\n"
        ))
        .await;
        self.on.pass(90).await;
        let shares = self.on.test.shares(ResourceOwner::SelfValue).await;
        let shares = shares.map_err(|error| Stop(format!("shares: {error}")))?;
        for name in [
            "pipeshare-missed.111111111111",
            "pipeshare-custom.333333333333",
        ] {
            let has = |(share, permissions): &(String, Vec<String>)| {
                share == name && permissions[..] == ["pipeshare-custom"]
            };
            hold(
                shares.iter().any(has),
                "customers choose the permission of a share",
            )?;
        }
        Ok(())
    }

    async fn hook(&mut self) -> Result<(), Stop> {
        self.add_rule(
            "  - { name: hooked, owner: dev, pipelines: [draft], with: [shared], access: read, after: hook }\n",
        )
        .await;
        self.schedule().await;
        let share = "pipeshare-hooked.333333333333";
        let accepted = self.is_accepted(&self.on.shared, share).await;
        hold(
            !accepted,
            "nothing is shared before the deployment hook says so",
        )?;
        let draft = json!({ "pipeline": "draft", "owner": "dev", "run": false });
        let action = self.deploy(&draft);
        self.on.pass(180).await;
        let accepted = self.is_accepted(&self.on.shared, share).await;
        hold(accepted, "the deployment hook opens a gate at once")?;
        let done = matches!(self.status(&action), ActionStatus::Succeeded { .. });
        hold(done, "the deployment hook says when everybody has access")?;
        self.on.delete(&self.on.dev, "draft").await;
        self.schedule().await;
        hold(
            self.gates("gate|hook|111111111111", "draft") == 0,
            "a gate that the deployment hook opened is cleared away with its pipeline",
        )
    }

    /// How many items of the table say of a pipeline that it passed a gate.
    fn gates(&self, partition: &str, pipeline: &str) -> usize {
        let query = json!({
            "TableName": "pipeshare",
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": partition } },
        });
        let query = Call::by_administrator(SHARED, REGION, "dynamodb", "Query", query);
        let found = perform(&mut self.on.estate.sandbox.world(), &query);
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        let name = format!("/{pipeline}|");
        let items = found["Items"].as_array().into_iter().flatten();
        items
            .filter(|item| item["sk"]["S"].as_str().unwrap_or_default().contains(&name))
            .count()
    }

    /// A deployment whose run fails, and another attempt at it.
    async fn deployment(&mut self) -> Result<(), Stop> {
        self.rest(120).await;
        let churn = json!({ "pipeline": "churn", "owner": "test", "execution": "e1" });
        self.on.fail_next("churn", "Train", "bad luck");
        let action = self.deploy(&churn);
        self.on.pass(400).await;
        let failed = match self.status(&action) {
            ActionStatus::Failed { message, .. } => message.contains("step Train failed"),
            _ => false,
        };
        hold(failed, "a deployment says which step of its run failed")?;
        let action = self.deploy(&churn);
        self.on.pass(600).await;
        let done = matches!(self.status(&action), ActionStatus::Succeeded { .. });
        hold(done, "another attempt runs again what failed")?;
        self.page().await
    }

    /// Whoever looks sees the runs that failed, who has access, and no problem with looking.
    async fn page(&self) -> Result<(), Stop> {
        self.rest(120).await;
        let version = self.on.test.ram.create_permission_version();
        let version = version
            .permission_arn(custom_permission())
            .policy_template(r#"{"Effect":"Allow","Action":["sagemaker:DescribePipeline"]}"#);
        // Its shares are outdated until the next scheduled reconciliation.
        hold(
            version.send().await.is_ok(),
            "customers change their permissions",
        )?;
        let pipelines = self.shown(json!({ "view": "pipelines" })).await?;
        for (words, what) in [
            ("step Train: bad luck", "the page shows why a run failed"),
            ("shared: execute", "the page shows who may run what"),
        ] {
            hold(pipelines.contains(words), &format!("{what}: {pipelines}"))?;
        }
        let unknown = ["runs unknown", "cannot be read", "not read in time"];
        let now = self.shown(json!({ "view": "now" })).await?;
        for page in [&pipelines, &now] {
            let is_whole = !unknown.iter().any(|words| page.contains(words));
            hold(is_whole, &format!("the page is whole: {page}"))?;
        }
        let examined = now.contains("executions examined until");
        hold(examined, "the page shows what the table knows")
    }

    /// A page as a dashboard gets it.
    async fn shown(&self, payload: Value) -> Result<String, Stop> {
        let answer = self.on.invoke("show-access", payload).await.outcome;
        let page = answer.map_err(|error| Stop(format!("the page answers: {error}")))?;
        let html = page.as_str().map(str::to_owned);
        html.ok_or_else(|| Stop("the page is HTML".to_owned()))
    }

    /// Begins an action of CodePipeline that invokes the deployment hook.
    fn deploy(&self, parameters: &Value) -> String {
        let action = Action {
            pipeline: "deploy".to_owned(),
            stage: "Test".to_owned(),
            name: "Share".to_owned(),
            execution: "e1".to_owned(),
            function: "pipeshare-codepipeline-hook".to_owned(),
            user_parameters: parameters.to_string(),
        };
        let mut world = self.on.estate.sandbox.world();
        let begun = codepipeline::begin(&mut world, SHARED, REGION, action);
        begun.unwrap_or_else(|error| panic!("{error}"))
    }

    fn status(&self, action: &str) -> ActionStatus {
        let world = self.on.estate.sandbox.world();
        let run = codepipeline::action(&world, action).expect("the action was begun");
        run.status.clone()
    }

    async fn take_out_by_hand(&self, pipeline: &str) -> Result<(), Stop> {
        let kind = ResourceShareAssociationType::Resource;
        let answer = self.on.test.ram.get_resource_share_associations();
        let answer = answer
            .association_type(kind)
            .resource_arn(pipeline)
            .send()
            .await;
        let answer = answer.map_err(|error| Stop(format!("associations: {error}")))?;
        for association in answer.resource_share_associations() {
            let share = association.resource_share_arn().unwrap_or_default();
            let taken = self.on.test.ram.disassociate_resource_share();
            let taken = taken
                .resource_share_arn(share)
                .resource_arns(pipeline)
                .send()
                .await;
            hold(taken.is_ok(), "an owner can take a pipeline out by hand")?;
        }
        Ok(())
    }

    async fn refusals(&mut self) -> Result<(), Stop> {
        self.rest(120).await;
        self.on
            .write_policy("version: 1\nrules: [nonsense]\n")
            .await;
        self.on.pass(60).await;
        let hub = self.on.estate.hub_mailbox();
        let told = hub.iter().any(|text| text.contains("is not valid"));
        hold(told, "people are told why a policy was refused")?;
        self.add_rule("").await;

        self.rest(120).await;
        let stranger = self.on.estate.person(STRANGER);
        let trap = self.on.create(&stranger, "trap").await;
        let share = stranger
            .ram
            .create_resource_share()
            .name("pipeshare-readers.111111111111");
        let share = share.principals(DEV).resource_arns(trap).send().await;
        hold(share.is_ok(), "a stranger can offer anything")?;
        self.schedule().await;
        let invitations = self.on.dev.invitations().await.unwrap_or_default();
        let rejected = invitations.iter().any(|it| {
            it.sender_account_id() == Some(STRANGER) && it.status() == Some(&Status::Rejected)
        });
        hold(
            rejected,
            "a stranger under a trusted name is rejected, if so asked",
        )?;
        let hub = self.on.estate.hub_mailbox();
        let told = hub.iter().any(|text| text.contains(STRANGER));
        hold(told, "people are told of the stranger")?;

        self.add_rule(
            "  - { name: from-gone, owner: gone, pipelines: [\"*\"], with: [dev], access: read, after: created, notify: [Failed] }\n\
             \x20 - { name: to-gone, owner: test, pipelines: [\"*\"], with: [gone], access: read, after: created, notify: [Failed] }\n",
        )
        .await;
        self.fail("third").await;
        self.schedule().await;
        let told = self.told_of_gone();
        hold(
            told > 0,
            "people are told of an account that is not onboarded",
        )?;
        self.fail("fourth").await;
        self.schedule().await;
        hold(self.told_of_gone() == told, "they are told once a day")
    }

    /// Lets a run of `quiet` fail.
    async fn fail(&self, name: &str) {
        self.on.fail_next("quiet", "Prepare", "bad luck");
        self.on.start(&self.on.test, "quiet", name).await;
        self.on.pass(100).await;
    }

    fn told_of_gone(&self) -> usize {
        let hub = self.on.estate.hub_mailbox();
        hub.iter()
            .filter(|text| text.contains("444444444444"))
            .count()
    }

    /// What is none of the functions' business does not start them.
    async fn strays(&mut self) -> Result<(), Stop> {
        self.rest(400).await;
        let started = || {
            let functions = functions::queued().into_iter();
            let started = functions.map(|function| self.invocations(function));
            started.collect::<Vec<_>>()
        };
        let before = started();
        self.near_misses();
        self.stray(&self.on.test, "pipeshare", OFFER).await;
        self.stray(&self.on.shared, "somebody", OFFER).await;
        self.stray(&self.on.shared, "pipeshare", "Something Else")
            .await;
        let outsider = self.on.estate.person(STRANGER);
        let taken = self.stray(&outsider, "pipeshare", OFFER).await;
        hold(
            !taken,
            "the hub's bus takes nothing from outside the organization",
        )?;
        self.on.pass(60).await;
        hold(
            before == started(),
            "what is nobody's business starts no function",
        )?;
        let world = self.on.estate.sandbox.world();
        let strays = world
            .events()
            .seen
            .iter()
            .filter(|seen| seen.event["resources"] == json!([STRAY]));
        let mut elsewhere = strays.filter(|seen| seen.bus != "default");
        hold(
            elsewhere.next().is_none(),
            "the accounts tell the hub of nothing else",
        )
    }

    /// Sends events that differ in one thing from those that the rules are for.
    fn near_misses(&self) {
        let call = |source: &str, name: &str| json!({ "eventSource": source, "eventName": name });
        let sagemaker = "sagemaker.amazonaws.com";
        let created = call(sagemaker, "CreatePipeline");
        let ended = json!({ "currentPipelineExecutionStatus": "Succeeded" });
        let of_step = "SageMaker Model Building Pipeline Execution Step Status Change";
        let in_accounts = [
            (
                TEST,
                "aws.sagemaker",
                CALL_EVENT,
                call(sagemaker, "AddTags"),
            ),
            (
                TEST,
                "aws.sagemaker",
                CALL_EVENT,
                call("other.amazonaws.com", "CreatePipeline"),
            ),
            (TEST, "aws.other", CALL_EVENT, created.clone()),
            (TEST, "aws.sagemaker", "Something Else", created),
            (TEST, "aws.sagemaker", of_step, ended.clone()),
            (TEST, "aws.other", EXECUTION_EVENT, ended),
            (DEV, "aws.ram", CALL_EVENT, json!({})),
            (DEV, "aws.other", SHARING, json!({})),
        ];
        let policy =
            |operation: &str| json!({ "name": "/pipeshare/policy", "operation": operation });
        let change = "Parameter Store Change";
        let other = json!({ "name": "/other", "operation": "Update" });
        let in_hub = [
            (SHARED, "aws.ssm", change, other),
            (SHARED, "aws.ssm", change, policy("Delete")),
            (SHARED, "aws.ssm", "Something Else", policy("Update")),
            (SHARED, "aws.other", change, policy("Update")),
        ];
        let bus = format!("arn:aws:events:{REGION}:{SHARED}:event-bus/pipeshare-hub");
        let mut world = self.on.estate.sandbox.world();
        for (account, source, detail_type, detail) in in_accounts.into_iter().chain(in_hub) {
            let mut event = ServiceEvent {
                account: account.to_owned(),
                region: REGION.to_owned(),
                source: source.to_owned(),
                detail_type: detail_type.to_owned(),
                resources: Vec::new(),
                detail,
            };
            events::forward(&mut world, &bus, event.clone());
            event.resources = vec![STRAY.to_owned()];
            events::emit(&mut world, event);
        }
    }

    /// Puts an event on the hub's bus; whether the bus took it.
    async fn stray(&self, who: &Person, source: &str, detail_type: &str) -> bool {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(format!(
                "arn:aws:events:{REGION}:{SHARED}:event-bus/pipeshare-hub"
            ))
            .source(source)
            .detail_type(detail_type)
            .detail("{}");
        let answer = who.events.put_events().entries(entry.build()).send().await;
        answer.is_ok_and(|answer| answer.failed_entry_count() == 0)
    }

    /// What changed is in the log of the trail, with who decided it, and nothing else is.
    async fn trail(&self) -> Result<(), Stop> {
        self.rest(120).await;
        events::run_schedule(
            &mut self.on.estate.sandbox.world(),
            SHARED,
            REGION,
            "pipeshare-daily",
        );
        self.on.pass(60).await;
        let lines = self.on.trail();
        let lines = lines
            .iter()
            .map(|it| serde_json::from_str(it).unwrap_or_default());
        let lines: Vec<Value> = lines.collect();
        let is_ours = |it: &Value| it["source"] == "pipeshare" && it["account"] == SHARED;
        hold(
            lines.iter().all(is_ours),
            "the trail has nothing that somebody else has said",
        )?;
        let has = |kind: &str, holds: fn(&Value) -> bool| {
            let mut of_kind = lines.iter().filter(|it| it["detail-type"] == kind);
            let what = format!("the trail says {kind}");
            hold(of_kind.any(|it| holds(&it["detail"])), &what)
        };
        let by_document =
            |detail: &Value| detail["document"] == DOCUMENT && detail["writtenBy"].is_string();
        has("Policy In Force", by_document)?;
        has("Access Changed", by_document)?;
        has("Access Changed", |detail| {
            detail["document"] == "/pipeshare/policy" && detail["writtenBy"].is_string()
        })?;
        has("Access Recorded", |detail| detail["change"] == "held")?;
        has("Share Offered", Value::is_object)?;
        has("Pipelines Shared", Value::is_object)
    }

    /// What consumers were told is in their logs, without what others put on their buses.
    async fn notification_logs(&self) -> Result<(), Stop> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name("pipeshare")
            .source("somebody")
            .detail_type("Something")
            .detail("{}");
        let put = self.on.dev.events.put_events().entries(entry.build());
        hold(
            put.send().await.is_ok(),
            "people use the bus of their account",
        )?;
        self.on.pass(60).await;
        for account in [DEV, SHARED] {
            let lines = self.on.notification_log(account);
            let lines = lines.iter().map(|it| serde_json::from_str(it));
            let lines: Vec<Value> = lines.map(Result::unwrap_or_default).collect();
            let has = |kind: &str| lines.iter().any(|it| it["detail-type"] == kind);
            let is_there = has("Pipelines Shared") && has("Pipeline Execution Status");
            hold(is_there, "what consumers were told is in their logs")?;
            let is_ours = |it: &Value| it["source"] == "pipeshare" && it["account"] == account;
            hold(
                lines.iter().all(is_ours),
                "their logs have nothing that somebody else has said",
            )?;
        }
        Ok(())
    }

    /// The organization begins to share, and somebody opens a share to the world.
    async fn organization(&mut self) -> Result<(), Stop> {
        self.rest(120).await;
        self.on
            .estate
            .sandbox
            .world()
            .organization_mut()
            .ram_sharing = true;
        let policy = format!("{ACCOUNTS}{READERS}");
        let organization = "version: 1\norganization: { id: o-sandbox123, ramSharing: true }";
        let policy = policy.replace("version: 1", organization);
        self.on.write_policy(&policy).await;
        self.schedule().await;
        let shares = self
            .on
            .test
            .ram
            .get_resource_shares()
            .name("pipeshare-readers");
        let shares = shares.resource_owner(ResourceOwner::SelfValue).send().await;
        let shares = shares.map_err(|error| Stop(format!("shares: {error}")))?;
        let share = shares.resource_shares().first();
        let share = share.and_then(|share| share.resource_share_arn());
        hold(share.is_some(), "members share without invitations")?;
        let update = self.on.test.ram.update_resource_share();
        let update = update.set_resource_share_arn(share.map(str::to_owned));
        let updated = update.allow_external_principals(true).send().await;
        hold(updated.is_ok(), "an owner can open a share")?;
        self.schedule().await;
        let closed = self.on.calls("UpdateResourceShare") > 0;
        hold(closed, "a share that somebody opened is closed again")
    }

    async fn withdrawal(&mut self) -> Result<(), Stop> {
        self.rest(120).await;
        let none =
            "version: 1\naccounts: { test: \"222222222222\", dev: \"111111111111\" }\nrules: []\n";
        self.on.write_policy(none).await;
        self.on.pass(300).await;
        for owner in [&self.on.test, &self.on.dev] {
            let left = self.on.shares(owner).await;
            hold(left.is_empty(), "what no rule names any more is withdrawn")?;
        }
        self.schedule().await;
        self.on.pass(120).await;
        let lost = |text: &String| text.starts_with("dev (111111111111) lost access to");
        let told = self.on.told(DEV).iter().any(lost);
        hold(
            told,
            "a consumer is told what it has lost, also if no rule names it",
        )?;
        hold(self.on.dead_letters() == 0, "nothing was undeliverable")?;
        let logs = self.on.logs();
        // Whom the owner's template does not allow, nobody gets into a share.
        let beyond = "\"principals\":[\"444444444444\"]";
        let denied = logs.lines().find(|line| {
            line.contains("is not authorized to perform")
                && !line.contains("sts:AssumeRole")
                && !line.contains(beyond)
        });
        let what = format!(
            "no function is denied what it needs: {}",
            denied.unwrap_or_default()
        );
        hold(denied.is_none(), &what)?;
        hold(!logs.contains("is not set"), "no function lacks a variable")?;
        for function in functions::all() {
            let name = format!("pipeshare-{function}");
            let invocations = self.on.estate.sandbox.invocations();
            let silent = |it: &Invocation| it.function == name && it.logs.is_empty();
            hold(
                !invocations.iter().any(silent),
                "every function leaves a log",
            )?;
        }
        let world = self.on.estate.sandbox.world();
        hold(world.events().dropped.is_empty(), "no event was dropped")
    }
}
