//! The twelve steps of AWS's walkthrough, and one that it does not have.

mod access;
mod scene;

use std::time::Duration;

use aws_sdk_ram::types::ResourceOwner;
use sandbox::services::codepipeline::{self, Action, Status};
use serde::Serialize;
use serde_json::json;

use crate::{
    estate::{DEV, Estate, POLICY, REGION, SHARED, TEST},
    people::Person,
};
pub use access::Access;
use scene::Scene;

const PIPELINE: &str = "churn-train";
/// The pipeline of CI/CD.
const CODE_PIPELINE: &str = "deploy-churn-train";
const DEFINITION: &str = include_str!("churn-train.json");
const STRANGER: &str = "666666666666";
const READ: &str = "AWSRAMDefaultPermissionSageMakerPipeline";
const EXECUTE: &str = "AWSRAMPermissionSageMakerPipelineAllowExecution";
const REASON: &str = "AlgorithmError: customers.csv has no column \"churned\"";

/// Long enough for a run and everything that follows it.
const LIMIT: Duration = Duration::from_mins(20);

/// What was played, and whether all of it held.
#[derive(Debug, Serialize)]
pub struct Walkthrough {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Who can do what in the end.
    pub access: Vec<Access>,
}

impl Walkthrough {
    /// Whether every step held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.steps.iter().all(Step::holds)
    }
}

/// One step of the walkthrough.
#[derive(Debug, Serialize)]
pub struct Step {
    /// As AWS counts them; the thirteenth is ours.
    pub number: usize,
    /// The name of the account that it happens in.
    pub account: &'static str,
    /// What the step is for.
    pub title: &'static str,
    /// What a person would type to do or to see it.
    pub command: String,
    /// What the functions did in the accounts.
    pub acts: Vec<Act>,
    /// What was seen.
    pub checks: Vec<Check>,
}

impl Step {
    /// Whether everything was as it should be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

/// A call of a function that changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// The function.
    pub function: String,
    /// The name of the account that it acted in.
    pub account: &'static str,
    /// The call and what it was about.
    pub what: String,
}

impl Act {
    /// The call and what it was about.
    fn parts(&self) -> Option<(&str, &str)> {
        self.what.split_once(' ')
    }

    /// Whether two calls in a row may have been made at once: of the same thing to several
    /// destinations, or of a pipeline and a principal to one share.
    fn is_beside(&self, other: &Self) -> bool {
        let (Some((one, about)), Some((other, about_other))) = (self.parts(), other.parts()) else {
            return false;
        };
        about == about_other || (one == other && one == "ram:AssociateResourceShare")
    }

    /// By which it is shown among calls that are made at once: pipelines before accounts.
    fn rank(&self) -> (bool, &str) {
        let about = self.parts().map_or("", |(_, about)| about);
        (
            about.starts_with(|it: char| it.is_ascii_digit()),
            &self.what,
        )
    }
}

/// Something that was seen, and whether it was as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What should be.
    pub what: String,
    /// Whether it is.
    pub holds: bool,
}

/// The name of an account.
pub(crate) fn name(account: &str) -> &'static str {
    match account {
        DEV => "dev",
        TEST => "test",
        SHARED => "shared",
        STRANGER => "stranger",
        _ => "other",
    }
}

/// Plays the walkthrough.
pub async fn play(estate: &Estate) -> Result<Walkthrough, Box<dyn std::error::Error>> {
    estate.write_policy(POLICY).await?;
    let cast = Cast {
        estate,
        dev: estate.person(DEV),
        test: estate.person(TEST),
        shared: estate.person(SHARED),
        dev_pipeline: Person::pipeline_arn(DEV, PIPELINE),
        test_pipeline: Person::pipeline_arn(TEST, PIPELINE),
    };
    let mut steps = Vec::new();
    let start = cast.moment();
    cast.develop(&mut steps).await?;
    cast.administer_dev(&mut steps, start).await?;
    let deployment = cast.moment();
    cast.deploy_to_test(&mut steps, deployment).await?;
    cast.watch_test(&mut steps, deployment).await?;
    cast.operate_test(&mut steps, deployment).await?;
    steps.push(cast.leave_a_stranger_alone().await?);
    Ok(Walkthrough {
        steps,
        access: cast.access().await,
    })
}

/// What the build of CI/CD makes: a template with the definition in it.
///
/// It is JSON, which is YAML, too.
fn template() -> String {
    let pipeline = json!({
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": PIPELINE,
            "RoleArn": format!("arn:aws:iam::{TEST}:role/pipeline"),
            "PipelineDefinition": { "PipelineDefinitionBody": DEFINITION },
        },
    });
    json!({ "Resources": { "Pipeline": pipeline } }).to_string()
}

type Played<T = ()> = Result<T, Box<dyn std::error::Error>>;

struct Cast<'a> {
    estate: &'a Estate,
    dev: Person,
    test: Person,
    shared: Person,
    dev_pipeline: String,
    test_pipeline: String,
}

impl Cast<'_> {
    /// Steps 1 to 3: people work as they always did.
    async fn develop(&self, steps: &mut Vec<Step>) -> Played {
        let mut scene = Scene::begin(self.estate, 1, DEV, "A data scientist builds a pipeline");
        scene.command(format!(
            "aws sagemaker create-pipeline --pipeline-name {PIPELINE} --pipeline-definition file://{PIPELINE}.json ..."
        ));
        let arn = self.dev.create_pipeline(PIPELINE, DEFINITION).await?;
        scene.check(format!("created {arn}"), arn == self.dev_pipeline);
        steps.push(scene.end());

        let mut scene = Scene::begin(self.estate, 2, DEV, "The data scientist runs it");
        scene.command(format!(
            "aws sagemaker start-pipeline-execution --pipeline-name {PIPELINE}"
        ));
        let run = self.dev.start(PIPELINE, "first-try").await?;
        let status = self.reach(&self.dev, &run, "Succeeded").await?;
        scene.check(
            format!("the run first-try is {status}"),
            status == "Succeeded",
        );
        steps.push(scene.end());

        let mut scene = Scene::begin(
            self.estate,
            3,
            SHARED,
            "An ML engineer makes it ready for production and commits it",
        );
        scene.command(format!(
            "git commit -m 'Train the churn model' {PIPELINE}.json"
        ));
        let described = self
            .dev
            .sagemaker
            .describe_pipeline()
            .pipeline_name(PIPELINE);
        let definition = described.send().await?.pipeline_definition;
        scene.check(
            "the definition is what runs in dev".to_owned(),
            definition.as_deref() == Some(DEFINITION),
        );
        steps.push(scene.end());
        Ok(())
    }

    /// Steps 4 and 5: the dev pipeline is shared with shared services, which accepts.
    async fn administer_dev(&self, steps: &mut Vec<Step>, since: usize) -> Played {
        let mut scene = Scene::begin(
            self.estate,
            4,
            DEV,
            "The pipeline is shared with shared services",
        );
        scene.command("aws ram get-resource-shares --resource-owner SELF".to_owned());
        scene.acts("share-pipeline", DEV, since);
        let shares = self.dev.shares(ResourceOwner::SelfValue).await?;
        let expected = share("pipeshare-dev-operators.333333333333", EXECUTE);
        scene.check(
            format!("share {} with {EXECUTE}", expected.0),
            shares == [expected],
        );
        steps.push(scene.end());

        let mut scene = Scene::begin(
            self.estate,
            5,
            SHARED,
            "Shared services accepts; its engineers administer the pipeline",
        );
        scene.command(format!(
            "aws sagemaker describe-pipeline --pipeline-name {}",
            self.dev_pipeline
        ));
        scene.acts("accept-invitation", SHARED, since);
        let invitations = self
            .invited(&self.shared, "pipeshare-dev-operators")
            .await?;
        scene.check(
            format!("invitation {invitations}"),
            invitations == "ACCEPTED",
        );
        let sees = self.shared.sees(&self.dev_pipeline).await;
        scene.check(
            "shared services describes the pipeline of dev".to_owned(),
            sees,
        );
        steps.push(scene.end());
        Ok(())
    }

    /// Steps 6 to 9: CI/CD deploys to test and runs the pipeline; then it is shared with dev.
    async fn deploy_to_test(&self, steps: &mut Vec<Step>, since: usize) -> Played {
        let mut scene = Scene::begin(self.estate, 6, TEST, "CI/CD deploys the pipeline to test");
        scene.command(format!(
            "aws cloudformation deploy --stack-name {PIPELINE} --template-file {PIPELINE}.yaml"
        ));
        let file = format!("{PIPELINE}.yaml");
        self.estate.deploy(TEST, &file, &template(), &[])?;
        let arn = &self.test_pipeline;
        let created = self.test.sees(arn).await;
        scene.check(format!("created {arn}"), created);
        self.estate.sandbox.run_for(Duration::from_secs(30)).await;
        let sees = self.dev.sees(&self.test_pipeline).await;
        scene.check(
            "dev does not see it before a run has succeeded".to_owned(),
            !sees,
        );
        steps.push(scene.end());

        let mut scene = Scene::begin(
            self.estate,
            7,
            TEST,
            "CI/CD runs the pipeline: the action after the deployment invokes the hook",
        );
        scene.command(format!(
            "aws codepipeline start-pipeline-execution --name {CODE_PIPELINE}"
        ));
        let action = self.begin_action()?;
        self.estate.sandbox.run_for(Duration::from_secs(5)).await;
        scene.acts("codepipeline-hook", TEST, since);
        let run = self.newest_run().await?;
        let status = self.reach(&self.test, &run, "Succeeded").await?;
        scene.check(format!("the run is {status}"), status == "Succeeded");
        steps.push(scene.end());
        // Everything that follows from the success follows within a few minutes.
        self.estate.sandbox.run_for(Duration::from_mins(2)).await;

        let mut scene = Scene::begin(
            self.estate,
            8,
            TEST,
            "The pipeline is shared, since a run has succeeded",
        );
        scene.command("aws ram get-resource-shares --resource-owner SELF".to_owned());
        scene.acts("share-pipeline", TEST, since);
        let shares = self.test.shares(ResourceOwner::SelfValue).await?;
        let readers = share("pipeshare-test-readers.111111111111", READ);
        let holds = shares.contains(&readers);
        scene.check(format!("share {} with {READ}", readers.0), holds);
        steps.push(scene.end());

        let mut scene = Scene::begin(self.estate, 9, DEV, "Dev accepts, to read only");
        scene.command("aws ram get-resource-share-invitations".to_owned());
        scene.acts("accept-invitation", DEV, since);
        let invitation = self.invited(&self.dev, "pipeshare-test-readers").await?;
        scene.check(format!("invitation {invitation}"), invitation == "ACCEPTED");
        let permission = self.dev.shares(ResourceOwner::OtherAccounts).await?;
        scene.check(format!("permission {READ}"), permission == [readers]);
        let (done, summary) = self.action(&action);
        scene.check(format!("CI/CD is told: {summary}"), done);
        steps.push(scene.end());
        Ok(())
    }

    /// What CodePipeline does after the action that deployed the pipeline.
    fn begin_action(&self) -> Played<String> {
        let parameters = json!({
            "pipeline": PIPELINE,
            "owner": "test",
            "execution": "#{codepipeline.PipelineExecutionId}",
        });
        let action = Action {
            pipeline: CODE_PIPELINE.to_owned(),
            stage: "Test".to_owned(),
            name: "Share".to_owned(),
            execution: "11111111-2222-4333-a444-555555555555".to_owned(),
            function: "pipeshare-codepipeline-hook".to_owned(),
            user_parameters: parameters.to_string(),
        };
        let mut world = self.estate.sandbox.world();
        Ok(codepipeline::begin(&mut world, SHARED, REGION, action)?)
    }

    /// Whether an action has succeeded, and what was said about it last.
    fn action(&self, id: &str) -> (bool, String) {
        let world = self.estate.sandbox.world();
        let run = codepipeline::action(&world, id);
        let done = run.is_some_and(|run| matches!(run.status, Status::Succeeded { .. }));
        let summary = run.and_then(|run| run.summary.clone());
        (done, summary.unwrap_or_default())
    }

    /// The newest run of the pipeline in test.
    async fn newest_run(&self) -> Played<String> {
        let runs = self
            .test
            .sagemaker
            .list_pipeline_executions()
            .pipeline_name(PIPELINE)
            .send()
            .await?;
        let run = runs.pipeline_execution_summaries().first();
        let run = run.and_then(|run| run.pipeline_execution_arn());
        Ok(run.unwrap_or_default().to_owned())
    }

    /// Step 10: the data scientist watches test from dev.
    async fn watch_test(&self, steps: &mut Vec<Step>, since: usize) -> Played {
        let pipeline = self.test_pipeline.as_str();
        let mut scene = Scene::begin(
            self.estate,
            10,
            DEV,
            "The data scientist describes and watches the runs in test",
        );
        scene.command(format!(
            "aws sagemaker list-pipeline-executions --pipeline-name {pipeline}"
        ));
        scene.acts("forward-status", DEV, since);
        let runs = self
            .dev
            .sagemaker
            .list_pipeline_executions()
            .pipeline_name(pipeline)
            .send()
            .await?;
        let runs = runs.pipeline_execution_summaries.unwrap_or_default();
        let run = runs.first().and_then(|run| run.pipeline_execution_arn());
        let run = run.unwrap_or_default();
        let status = self.dev.status(run).await.unwrap_or_default();
        scene.check(
            format!("dev sees the run of CI/CD: {status}"),
            status == "Succeeded",
        );
        let steps_of_run = self
            .dev
            .sagemaker
            .list_pipeline_execution_steps()
            .pipeline_execution_arn(run)
            .send()
            .await?;
        let count = steps_of_run.pipeline_execution_steps().len();
        scene.check(format!("dev sees its {count} steps"), count == 3);
        let denied = self.is_denied_start(pipeline).await;
        scene.check(
            "dev cannot start it: AccessDeniedException".to_owned(),
            denied,
        );
        let succeeded = first_line("Succeeded");
        let told = self.estate.mailbox(DEV);
        let told = told.iter().filter(|text| text.starts_with(&succeeded));
        scene.check(
            format!("dev was notified once: {succeeded}"),
            told.count() == 1,
        );
        steps.push(scene.end());
        Ok(())
    }

    /// Steps 11 and 12: shared services gets extended permissions, and uses them.
    async fn operate_test(&self, steps: &mut Vec<Step>, since: usize) -> Played {
        let mut scene = Scene::begin(
            self.estate,
            11,
            SHARED,
            "The pipeline is shared with shared services, to run it too",
        );
        scene
            .command("aws ram list-resource-share-permissions --resource-share-arn ...".to_owned());
        scene.acts("accept-invitation", SHARED, since);
        let invitation = self
            .invited(&self.shared, "pipeshare-test-operators")
            .await?;
        scene.check(format!("invitation {invitation}"), invitation == "ACCEPTED");
        let operators = share("pipeshare-test-operators.333333333333", EXECUTE);
        let shares = self.shared.shares(ResourceOwner::OtherAccounts).await?;
        scene.check(format!("permission {EXECUTE}"), shares.contains(&operators));
        steps.push(scene.end());

        let pipeline = self.test_pipeline.as_str();
        let mut scene = Scene::begin(
            self.estate,
            12,
            SHARED,
            "Engineers start, retry and stop it",
        );
        scene.command(format!(
            "aws sagemaker start-pipeline-execution --pipeline-name {pipeline}"
        ));
        sandbox::services::sagemaker::fail_step(
            &mut self.estate.sandbox.world(),
            TEST,
            PIPELINE,
            "Train",
            REASON,
        );
        let begin = self.moment();
        let run = self.shared.start(pipeline, "release-2").await?;
        let status = self.reach(&self.shared, &run, "Failed").await?;
        scene.check(
            format!("shared services starts release-2, and it is {status}"),
            status == "Failed",
        );
        self.estate.sandbox.run_for(Duration::from_mins(1)).await;
        scene.acts("forward-status", DEV, begin);
        for account in [DEV, SHARED] {
            // What somebody's code said stands in quotation marks, and has none of its own.
            let reason = REASON.replace('"', "'");
            let failed = format!("{}\nFailed step: Train: \"{reason}\"", first_line("Failed"));
            let named = self
                .estate
                .mailbox(account)
                .iter()
                .any(|text| text.starts_with(&failed));
            let who = name(account);
            scene.check(
                format!("{who} was notified that step Train failed: {REASON}"),
                named,
            );
        }
        self.shared
            .sagemaker
            .retry_pipeline_execution()
            .pipeline_execution_arn(&run)
            .client_request_token("retry-release-2-------------------")
            .send()
            .await?;
        let status = self.reach(&self.shared, &run, "Succeeded").await?;
        scene.check(
            format!("shared services retries it, and it is {status}"),
            status == "Succeeded",
        );
        let run = self.shared.start(pipeline, "release-3").await?;
        self.estate.sandbox.run_for(Duration::from_secs(30)).await;
        self.shared
            .sagemaker
            .stop_pipeline_execution()
            .pipeline_execution_arn(&run)
            .client_request_token("stop-release-3--------------------")
            .send()
            .await?;
        let status = self.reach(&self.shared, &run, "Stopped").await?;
        scene.check(
            format!("shared services stops release-3, and it is {status}"),
            status == "Stopped",
        );
        self.estate.sandbox.run_for(Duration::from_mins(1)).await;
        steps.push(scene.end());
        Ok(())
    }

    /// What the walkthrough does not have: somebody else uses a trusted name.
    async fn leave_a_stranger_alone(&self) -> Played<Step> {
        const NAME: &str = "pipeshare-test-readers.111111111111";
        let mut scene = Scene::begin(
            self.estate,
            13,
            DEV,
            "A stranger invites dev to a share under a trusted name",
        );
        scene.command(format!(
            "aws ram create-resource-share --name {NAME} --principals {DEV} --resource-arns ..."
        ));
        let stranger = self.estate.person(STRANGER);
        let trap = stranger.create_pipeline("trap", DEFINITION).await?;
        stranger
            .ram
            .create_resource_share()
            .name(NAME)
            .principals(DEV)
            .resource_arns(trap)
            .send()
            .await?;
        self.estate.sandbox.run_for(Duration::from_mins(20)).await;
        let invitations = self.dev.invitations().await?;
        let theirs = invitations
            .iter()
            .find(|invitation| invitation.sender_account_id() == Some(STRANGER));
        let status = theirs.and_then(|invitation| invitation.status());
        let status = status.map(ToString::to_string).unwrap_or_default();
        scene.check(
            format!("the invitation stays {status}"),
            status == "PENDING",
        );
        let reason = format!("account {STRANGER} is not the owner that the rule names");
        let told = self.estate.hub_mailbox();
        let holds = told.iter().filter(|text| text.contains(&reason)).count() == 1;
        scene.check(format!("the hub was notified once: {reason}"), holds);
        Ok(scene.end())
    }

    /// Lets time pass until a run has a status; returns the status that it has then.
    async fn reach(&self, who: &Person, run: &str, status: &str) -> Played<String> {
        for _ in 0..LIMIT.as_secs() / 5 {
            let now = who.status(run).await?;
            if now == status {
                return Ok(now);
            }
            self.estate.sandbox.run_for(Duration::from_secs(5)).await;
        }
        Ok(who.status(run).await?)
    }

    /// The status of the invitation to the share whose name begins so.
    async fn invited(&self, who: &Person, share: &str) -> Played<String> {
        let invitations = who.invitations().await?;
        let found = invitations.iter().find(|invitation| {
            let name = invitation.resource_share_name().unwrap_or_default();
            name.starts_with(share)
        });
        let status = found.and_then(|invitation| invitation.status());
        Ok(status.map_or_else(|| "missing".to_owned(), ToString::to_string))
    }

    async fn is_denied_start(&self, pipeline: &str) -> bool {
        let started = self
            .dev
            .sagemaker
            .start_pipeline_execution()
            .pipeline_name(pipeline)
            .client_request_token("this-must-not-be-allowed-to-happen")
            .send()
            .await;
        started.is_err_and(|error| {
            use aws_sdk_sagemaker::error::ProvideErrorMetadata;
            error.code() == Some("AccessDeniedException")
        })
    }

    /// This moment, as the number of calls made so far.
    fn moment(&self) -> usize {
        self.estate.sandbox.world().calls().len()
    }

    async fn access(&self) -> Vec<Access> {
        let mut table = Vec::new();
        for person in [&self.dev, &self.test, &self.shared] {
            for pipeline in [&self.dev_pipeline, &self.test_pipeline] {
                table.push(access::of(person, pipeline).await);
            }
        }
        table.push(access::of(&self.estate.person(STRANGER), &self.test_pipeline).await);
        table
    }
}

fn share(name: &str, permission: &str) -> (String, Vec<String>) {
    (name.to_owned(), vec![permission.to_owned()])
}

/// How the text of a notification begins.
fn first_line(status: &str) -> String {
    format!("Pipeline {PIPELINE} in test ({TEST}, us-east-1): {status}")
}
