//! Gates hold whoever touches shares, and access is what the rules say now.

use aws_sdk_ram::types::{ResourceOwner, ResourceShareStatus, Tag};
use e2e::{DEV, POLICY, Person, Plan, REGION, SHARED, Scenario, TEST};
use sandbox::{
    faults::{CallEffect, Deed},
    world::Call,
};
use serde_json::json;
use std::time::Duration;

/// An account outside the organization, which must accept.
const PARTNER: &str = "444444444444";

/// The schedule comes in between, whenever this many minutes pass.
const SCHEDULED: usize = 18;

fn plan() -> Plan {
    Plan {
        consumers: vec![DEV, SHARED, PARTNER],
        ram_sharing: true,
        permissions: vec![permission("missing"), permission("subnets")],
        ..Plan::default()
    }
}

fn permission(name: &str) -> String {
    format!("arn:aws:ram:{REGION}:{TEST}:permission/pipeshare-{name}")
}

fn policy(rules: &[(&str, &str, &str, &str)]) -> String {
    let rule = |(name, with, access, after): &(&str, &str, &str, &str)| {
        format!(
            "  - {{ name: {name}, owner: test, pipelines: [\"*\"], with: [{with}], access: \"{access}\", after: {after} }}\n"
        )
    };
    let rules: String = rules.iter().map(rule).collect();
    format!(
        "version: 1\norganization: {{ id: o-sandbox123, ramSharing: true }}\n\
         accounts:\n  dev: \"{DEV}\"\n  test: \"{TEST}\"\n  shared: \"{SHARED}\"\n  \
         partner: {{ id: \"{PARTNER}\", external: true }}\nrules:\n{rules}"
    )
}

async fn begin(rules: &[(&str, &str, &str, &str)]) -> Scenario {
    let scenario = Scenario::on(plan()).await;
    scenario.write_policy(&policy(rules)).await;
    scenario.pass(10).await;
    scenario
}

/// The ARN of the active share of this name that test owns.
async fn share(scenario: &Scenario, name: &str) -> String {
    let shares = scenario.test.ram.get_resource_shares();
    let shares = shares
        .resource_owner(ResourceOwner::SelfValue)
        .resource_share_status(ResourceShareStatus::Active)
        .name(name);
    let shares = shares.send().await.unwrap_or_else(|e| panic!("{e:?}"));
    let share = shares.resource_shares().first();
    let arn = share.and_then(|share| share.resource_share_arn());
    arn.unwrap_or_else(|| panic!("no share {name}")).to_owned()
}

/// Lets minutes pass, in none of which the account sees the pipeline.
async fn stays_unseen(scenario: &Scenario, who: &Person, pipeline: &str, minutes: usize) {
    for minute in 0..minutes {
        scenario.pass(60).await;
        assert!(!who.sees(pipeline).await, "after {minute} minutes");
    }
}

/// Somebody in test deletes a pipeline and makes it again, seconds later.
fn recreate(name: &str) -> Deed {
    let call = |operation: &str, input| {
        Call::by_administrator(TEST, REGION, "sagemaker", operation, input)
    };
    let delete =
        json!({ "PipelineName": name, "ClientRequestToken": format!("delete-{name:-<40}") });
    let create = json!({
        "PipelineName": name,
        "PipelineDefinition": e2e::DEFINITION,
        "RoleArn": format!("arn:aws:iam::{TEST}:role/pipeline"),
        "ClientRequestToken": format!("again-{name:-<40}"),
    });
    let delete = Deed::calls(vec![call("DeletePipeline", delete)]);
    let create = Deed::calls(vec![call("CreatePipeline", create)]);
    Deed::new(move |world| {
        Deed::time_passes(Duration::from_secs(2)).happen(world);
        delete.happen(world);
        Deed::time_passes(Duration::from_secs(2)).happen(world);
        create.happen(world);
        Deed::time_passes(Duration::from_secs(1)).happen(world);
    })
}

fn told(scenario: &Scenario, what: &str) -> usize {
    let hub = scenario.estate.hub_mailbox();
    hub.iter().filter(|text| text.contains(what)).count()
}

#[tokio::test]
async fn a_tag_on_another_rules_share_shows_nothing_to_the_rules_partner() {
    let scenario = begin(&[
        ("ops", "shared", "execute", "created"),
        ("partners", "partner", "execute", "hook"),
    ])
    .await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert!(scenario.shared.sees(&churn).await);

    let ops = share(&scenario, "pipeshare-ops").await;
    let tag = Tag::builder().key("pipeshare:rule").value("partners");
    let tagged = scenario.test.ram.tag_resource().resource_share_arn(ops);
    let tagged = tagged.tags(tag.build()).send().await;
    tagged.unwrap_or_else(|error| panic!("{error:?}"));

    let partner = scenario.estate.person(PARTNER);
    stays_unseen(&scenario, &partner, &churn, 2 * SCHEDULED).await;
    assert_eq!(partner.invitations().await.unwrap(), []);
    assert!(
        scenario.shared.sees(&churn).await,
        "the other rule is served"
    );
    assert_eq!(scenario.shares(&scenario.test).await, ["pipeshare-ops"]);
}

#[tokio::test]
async fn a_pipeline_that_somebody_put_into_a_share_leaves_it_and_reaches_nobody_else() {
    let scenario = begin(&[("readers", "dev, partner", "read", "succeeded")]).await;
    let partner = scenario.estate.person(PARTNER);
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(600).await;
    assert!(scenario.dev.sees(&churn).await && partner.sees(&churn).await);

    let raw = scenario.create(&scenario.test, "raw").await;
    scenario.pass(60).await;
    let readers = share(&scenario, "pipeshare-readers").await;
    let put = scenario.test.ram.associate_resource_share();
    let put = put.resource_share_arn(readers).resource_arns(&raw);
    put.send().await.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(5).await;
    assert!(scenario.dev.sees(&raw).await, "the owner may do that");

    stays_unseen(&scenario, &partner, &raw, SCHEDULED).await;
    assert!(!scenario.dev.sees(&raw).await);
    assert!(scenario.dev.sees(&churn).await && partner.sees(&churn).await);
    assert!(scenario.logs().contains("gate-not-passed"));
}

/// What happened to a pipeline that was made again right when it was to be associated.
async fn recreated_at(effects: &[CallEffect]) -> Scenario {
    let scenario = begin(&[("readers", "dev", "read", "succeeded")]).await;
    scenario.create(&scenario.test, "base").await;
    scenario.start(&scenario.test, "base", "base").await;
    scenario.pass(600).await;
    assert_eq!(scenario.pipelines(&scenario.test).await.len(), 1);

    scenario.create(&scenario.test, "churn").await;
    scenario.break_calls("ram", "AssociateResourceShare", effects);
    scenario.start(&scenario.test, "churn", "first").await;
    let associated = |world: &sandbox::world::World| {
        let mut calls = world.calls().iter();
        calls.any(|call| {
            call.operation == "AssociateResourceShare"
                && call.input["resourceArns"].to_string().contains("churn")
        })
    };
    let sandbox = &scenario.estate.sandbox;
    let limit = Duration::from_mins(10);
    assert!(sandbox.run_until(limit, associated).await);
    scenario
}

#[tokio::test]
async fn a_pipeline_that_was_made_again_between_look_and_association_leaves_at_once() {
    let deed = recreate("churn");
    let before = CallEffect::Meanwhile { deed, after: false };
    let scenario = recreated_at(&[before]).await;
    scenario.pass(20).await;
    let churn = Person::pipeline_arn(TEST, "churn");
    assert!(!scenario.dev.sees(&churn).await, "it never ran");
    assert!(scenario.logs().contains("recreated while it was shared"));
    stays_unseen(&scenario, &scenario.dev, &churn, SCHEDULED).await;
    // It is shared like any other once it has run.
    scenario.start(&scenario.test, "churn", "second").await;
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&churn).await);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_pipeline_that_was_made_again_leaves_also_if_the_function_dies_right_then() {
    let recreated = || CallEffect::Meanwhile {
        deed: Deed::new(|world| recreate("churn").happen(world)),
        after: false,
    };
    // The function dies where it would look once more.
    let scenario = begin(&[("readers", "dev", "read", "succeeded")]).await;
    scenario.create(&scenario.test, "base").await;
    scenario.start(&scenario.test, "base", "base").await;
    scenario.pass(600).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.break_calls("ram", "AssociateResourceShare", &[recreated()]);
    let sandbox = &scenario.estate.sandbox;
    let kill = Deed::new(|world| {
        let fault = sandbox::faults::CallFault {
            service: "sagemaker".to_owned(),
            operation: "ListPipelines".to_owned(),
            account: None,
            effect: CallEffect::KillCaller { after: false },
        };
        world.faults_mut().calls.push(fault);
    });
    let after = CallEffect::Meanwhile {
        deed: kill,
        after: true,
    };
    scenario.break_calls("dynamodb", "PutItem", &[after]);
    scenario.start(&scenario.test, "churn", "first").await;
    let churn = Person::pipeline_arn(TEST, "churn");
    scenario.pass(60 * SCHEDULED as u64).await;
    assert!(
        sandbox.world().faults().calls.is_empty(),
        "all of it happened"
    );
    assert!(!scenario.dev.sees(&churn).await, "it never ran");
    assert_eq!(scenario.pipelines(&scenario.test).await.len(), 1);
}

#[tokio::test]
async fn a_rule_with_another_audience_and_a_stricter_gate_begins_anew() {
    let scenario = begin(&[("r", "dev", "read", "created")]).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    let fraud = scenario.create(&scenario.test, "fraud").await;
    scenario.pass(120).await;
    assert!(scenario.dev.sees(&churn).await);
    scenario.start(&scenario.test, "churn", "first").await;

    scenario
        .write_policy(&policy(&[("r", "shared", "read", "succeeded")]))
        .await;
    stays_unseen(&scenario, &scenario.shared, &fraud, SCHEDULED).await;
    assert!(scenario.shared.sees(&churn).await, "it has succeeded");
    assert!(!scenario.dev.sees(&churn).await && !scenario.dev.sees(&fraud).await);

    scenario
        .write_policy(&policy(&[("r", "shared, partner", "read", "hook")]))
        .await;
    scenario.pass(120).await;
    let partner = scenario.estate.person(PARTNER);
    assert!(!scenario.shared.sees(&churn).await, "no hook let it in");
    stays_unseen(&scenario, &partner, &churn, SCHEDULED).await;
    assert_eq!(partner.invitations().await.unwrap(), []);
}

#[tokio::test]
async fn a_pipeline_that_has_succeeded_is_not_asked_about_again() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(600).await;
    let asked = scenario.calls("ListPipelineExecutions");
    assert!(asked > 0);
    scenario.pass(60 * SCHEDULED as u64).await;
    assert_eq!(scenario.calls("ListPipelineExecutions"), asked);
}

#[tokio::test]
async fn nothing_is_given_before_it_is_on_record_and_what_must_go_goes_all_the_same() {
    let scenario = begin(&[
        ("a", "dev", "read", "created"),
        ("b", "shared", "read", "succeeded"),
    ])
    .await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert!(scenario.dev.sees(&churn).await);
    let refused = e2e::refusal(400, "ResourceNotFoundException");
    scenario.break_calls("dynamodb", "PutItem", &vec![refused; 40]);
    scenario
        .write_policy(&policy(&[("b", "shared", "read", "succeeded")]))
        .await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(240).await;
    assert!(!scenario.dev.sees(&churn).await, "the rule is gone");
    assert!(!scenario.shared.sees(&churn).await);
    scenario.estate.sandbox.world().faults_mut().calls.clear();
    scenario.pass(60 * SCHEDULED as u64).await;
    assert!(scenario.shared.sees(&churn).await);
}

#[tokio::test]
async fn a_permission_that_is_not_there_takes_nothing_away_and_people_are_told_once_a_day() {
    let (missing, subnets) = (permission("missing"), permission("subnets"));
    let scenario = begin(&[("r", "shared", "execute", "created")]).await;
    let make = |name: &str, kind: &str, actions: &str| {
        let template = format!("{{\"Effect\":\"Allow\",\"Action\":[{actions}]}}");
        let make = scenario.test.ram.create_permission();
        make.name(name)
            .resource_type(kind)
            .policy_template(template)
    };
    make("pipeshare-subnets", "ec2:Subnet", "\"ec2:DescribeSubnets\"")
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    for (number, rule) in [
        ("r", "shared", missing.as_str(), "created"),
        ("r", "shared", subnets.as_str(), "created"),
        ("renamed", "shared", missing.as_str(), "created"),
        ("renamed", "shared, dev", missing.as_str(), "created"),
    ]
    .into_iter()
    .enumerate()
    {
        scenario.write_policy(&policy(&[rule])).await;
        scenario.pass(60 * SCHEDULED as u64).await;
        let run = format!("allowed-{number}");
        let started = scenario.shared.start(&churn, &run).await;
        assert!(started.is_ok(), "{rule:?}: {started:?}");
        assert!(!scenario.dev.sees(&churn).await);
        assert_eq!(scenario.shares(&scenario.test).await, ["pipeshare-r"]);
    }
    assert_eq!(
        told(&scenario, &format!("rule r, {missing}, does not exist")),
        1
    );
    assert_eq!(
        told(&scenario, &format!("rule r, {subnets}, is for ec2:Subnet")),
        1
    );
    assert_eq!(told(&scenario, "rule renamed"), 1);
    assert_eq!(scenario.dead_letters(), 0);

    // Mended, the rule is served, and only then the old share goes.
    make(
        "pipeshare-missing",
        "sagemaker:Pipeline",
        "\"sagemaker:DescribePipeline\"",
    )
    .send()
    .await
    .unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(60 * SCHEDULED as u64).await;
    assert_eq!(scenario.shares(&scenario.test).await, ["pipeshare-renamed"]);
    assert!(scenario.shared.sees(&churn).await && scenario.dev.sees(&churn).await);
    assert!(scenario.shared.start(&churn, "refused").await.is_err());
}

#[tokio::test]
async fn a_permission_that_vanishes_in_the_middle_is_told_and_takes_nothing_away() {
    let missing = permission("missing");
    let scenario = begin(&[("r", "shared", "execute", "created")]).await;
    let template = r#"{"Effect":"Allow","Action":["sagemaker:DescribePipeline"]}"#;
    let make = scenario.test.ram.create_permission();
    let make = make
        .name("pipeshare-missing")
        .resource_type("sagemaker:Pipeline");
    let answer = make.policy_template(template).send().await;
    answer.unwrap_or_else(|error| panic!("{error:?}"));
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    let delete = json!({ "permissionArn": missing });
    let deed = Deed::calls(vec![Call::by_administrator(
        TEST,
        REGION,
        "ram",
        "DeletePermission",
        delete,
    )]);
    let before = CallEffect::Meanwhile { deed, after: false };
    scenario.break_calls("ram", "AssociateResourceSharePermission", &[before]);
    let rule = ("r", "shared", missing.as_str(), "created");
    scenario.write_policy(&policy(&[rule])).await;
    scenario.pass(60 * SCHEDULED as u64).await;
    assert!(scenario.shared.start(&churn, "allowed").await.is_ok());
    assert_eq!(told(&scenario, "there is no such permission"), 1);
    assert_eq!(told(&scenario, "does not exist there"), 1);
}

#[tokio::test]
async fn a_share_that_somebody_named_otherwise_is_left_to_people_and_its_rule_is_served() {
    let scenario = begin(&[("r", "dev", "read", "created")]).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    let arn = share(&scenario, "pipeshare-r").await;
    let rename = scenario.test.ram.update_resource_share();
    let renamed = rename.resource_share_arn(&arn).name("mine").send().await;
    renamed.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(60 * SCHEDULED as u64).await;
    assert_eq!(
        scenario.shares(&scenario.test).await,
        ["mine", "pipeshare-r"]
    );
    assert!(scenario.dev.sees(&churn).await);
    assert_eq!(told(&scenario, "somebody named it \"mine\""), 1);
    assert!(
        !scenario.logs().contains("is not authorized"),
        "nobody tries in vain"
    );

    // Under a name of ours, any of them, it goes.
    let rename = scenario.test.ram.update_resource_share();
    let renamed = rename
        .resource_share_arn(&arn)
        .name("pipeshare-x")
        .send()
        .await;
    renamed.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(60 * SCHEDULED as u64).await;
    assert_eq!(scenario.shares(&scenario.test).await, ["pipeshare-r"]);
    assert!(scenario.dev.sees(&churn).await);
}

#[tokio::test]
async fn a_share_that_lost_its_tags_is_told_of_and_another_serves_the_rule() {
    let scenario = begin(&[("r", "dev", "read", "created")]).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    let arn = share(&scenario, "pipeshare-r").await;
    let untag = scenario.test.ram.untag_resource().resource_share_arn(&arn);
    let untagged = untag.tag_keys("pipeshare:managed").send().await;
    untagged.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(60 * SCHEDULED as u64).await;
    let shares = scenario.shares(&scenario.test).await;
    assert_eq!(shares, ["pipeshare-r", "pipeshare-r"]);
    assert_eq!(told(&scenario, "without the tags of pipeshare"), 1);
    assert_eq!(scenario.pipelines(&scenario.test).await.len(), 2);
    assert_eq!(scenario.dead_letters(), 0);
}
