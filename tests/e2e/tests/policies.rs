//! The policy's parameter: what is put in force, what is refused, and who hears of it.

use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use e2e::{Person, Plan, REGION, SHARED, Scenario, TEST, ungated};
use serde_json::json;

const NAME: &str = "/pipeshare/policy";
const READERS: &str = "pipeshare-test-readers.111111111111";
const OPERATORS: &str = "pipeshare-test-operators.333333333333";

/// The functions reconcile everything at least this often, in seconds.
const SWEEP: u64 = 1000;

/// The accounts of the walkthrough, an hour before midnight.
fn at_night() -> Plan {
    Plan {
        start: "2026-01-05T23:00:00Z"
            .parse()
            .expect("the text is a timestamp"),
        ..Plan::default()
    }
}

/// From the evening into the next day, with a scheduled reconciliation or two in it.
const INTO_THE_NEXT_DAY: u64 = 4000;

/// The walkthrough without gates, in force, and a pipeline that is shared.
async fn shared(plan: Plan) -> Scenario {
    let scenario = Scenario::on(plan).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(10).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    holds(&scenario).await;
    scenario
}

/// Asserts that everybody still has what the walkthrough's policy gives.
async fn holds(scenario: &Scenario) {
    let arn = Person::pipeline_arn(TEST, "churn");
    assert_eq!(scenario.shares(&scenario.test).await, [OPERATORS, READERS]);
    assert!(scenario.dev.sees(&arn).await && scenario.shared.sees(&arn).await);
}

/// What the hub was told in which this text occurs.
fn told(scenario: &Scenario, text: &str) -> Vec<String> {
    let mut mailbox = scenario.estate.hub_mailbox();
    mailbox.retain(|message| message.contains(text));
    mailbox
}

/// Writes a version as a type of parameter, with a key if one is named.
async fn write(scenario: &Scenario, text: &str, kind: ParameterType, key: Option<&str>) {
    let written = scenario.shared.ssm.put_parameter();
    let written = written
        .name(NAME)
        .value(text)
        .r#type(kind)
        .set_key_id(key.map(str::to_owned))
        .tier(ParameterTier::Advanced)
        .overwrite(true)
        .send()
        .await;
    written.unwrap_or_else(|error| panic!("{error:?}"));
}

/// Moves the label by hand, as nobody should.
async fn label(scenario: &Scenario, version: i64) {
    let labelled = scenario.shared.ssm.label_parameter_version();
    let labelled = labelled
        .name(NAME)
        .parameter_version(version)
        .labels("in-force")
        .send()
        .await;
    labelled.unwrap_or_else(|error| panic!("{error:?}"));
}

async fn in_force(scenario: &Scenario) -> i64 {
    let read = scenario.shared.ssm.get_parameter();
    let read = read.name(format!("{NAME}:in-force")).send().await;
    read.unwrap_or_else(|error| panic!("{error:?}"))
        .parameter
        .map_or(0, |parameter| parameter.version)
}

#[tokio::test]
async fn a_policy_that_can_never_work_here_takes_no_access_away_and_is_told_with_line_and_column() {
    let scenario = shared(Plan::default()).await;
    for (wrong, place, said) in [
        (
            ungated().replace(
                "with: [dev]",
                "with: [\"arn:aws-us-gov:iam::111111111111:role/scientist\"]",
            ),
            "line 16, column 12",
            "this ARN is of the partition aws-us-gov, but all accounts here are in aws",
        ),
        (
            ungated().replace(
                "access: read",
                "access: arn:aws:ram:eu-west-1:222222222222:permission/look",
            ),
            "line 17, column 13",
            "this ARN is of eu-west-1, but the pipelines are in us-east-1",
        ),
        (
            ungated().replace(
                "access: read",
                "access: arn:aws:ram:us-east-1:111111111111:permission/look",
            ),
            "line 17, column 13",
            "the permission has to be of the owner, 222222222222",
        ),
        (
            ungated().replace(
                "access: read",
                "access: arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipelin",
            ),
            "line 17, column 13",
            "did you mean AWSRAMDefaultPermissionSageMakerPipeline?",
        ),
        (
            ungated().replace(
                "access: read",
                "access: arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet",
            ),
            "line 17, column 13",
            "this is none of AWS's permissions for pipelines",
        ),
        (
            format!(
                "organization: {{ id: o-example1234, ramSharing: true }}\n{}",
                ungated().replace(
                    "with: [dev]",
                    "with: [\"arn:aws:organizations::999999999999:ou/o-another123/ou-ab12-cdefgh34\"]"
                )
            ),
            "line 17, column 12",
            "RAM shares only within the own organization, o-example1234",
        ),
    ] {
        scenario.write_policy(&wrong).await;
        scenario.pass(SWEEP).await;
        holds(&scenario).await;
        let told = told(&scenario, said);
        assert_eq!(told.len(), 1, "{said}: {:#?}", scenario.estate.hub_mailbox());
        assert!(told[0].contains(place), "{}", told[0]);
    }
    assert_eq!(in_force(&scenario).await, 1);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_policy_in_force_that_is_refused_now_changes_nothing_and_is_told_every_day() {
    const SAID: &str = "carries the label in-force, but is not valid";
    let scenario = shared(at_night()).await;
    let fit_for_another_region = ungated().replace(
        "access: read",
        "access: arn:aws:ram:eu-west-1:222222222222:permission/look",
    );
    scenario.write_policy(&fit_for_another_region).await;
    // As less strict functions, or those of another Region, have left it.
    label(&scenario, 2).await;
    scenario.pass(SWEEP).await;
    holds(&scenario).await;
    let first = told(&scenario, SAID);
    assert_eq!(first.len(), 1, "{first:#?}");
    assert!(first[0].contains("line 17, column 13"), "{}", first[0]);
    // Also with nothing but a remark as the newest version.
    scenario.write_policy("# To be written anew.\n").await;
    scenario.pass(INTO_THE_NEXT_DAY).await;
    assert_eq!(told(&scenario, SAID).len(), 2);
    holds(&scenario).await;

    let asked = json!({ "action": "share", "dryRun": true });
    let answer = scenario.invoke("share-pipeline", asked).await;
    let report = answer.outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report["stopped"], "no policy is in force");
    let why = report["policyRefused"].as_str().unwrap_or_default();
    assert!(
        why.starts_with("version 2 of the policy is in force and not valid"),
        "{report}"
    );

    scenario
        .write_policy(&ungated().replace("[Failed]", "[Failed, Stopped]"))
        .await;
    scenario.pass(SWEEP).await;
    assert_eq!(in_force(&scenario).await, 4);
    assert_eq!(told(&scenario, SAID).len(), 2, "it is fixed");
    holds(&scenario).await;
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_policy_that_is_a_secret_is_read() {
    for (plan, key) in [
        // Under AWS's own key, whoever may read parameters may decrypt them.
        (Plan::default(), None),
        (
            Plan {
                policy_key: Some("policy"),
                ..Plan::default()
            },
            Some(format!("arn:aws:kms:{REGION}:{SHARED}:key/policy")),
        ),
    ] {
        let scenario = Scenario::on(plan).await;
        write(
            &scenario,
            &ungated(),
            ParameterType::SecureString,
            key.as_deref(),
        )
        .await;
        scenario.pass(10).await;
        scenario.create(&scenario.test, "churn").await;
        scenario.pass(300).await;
        holds(&scenario).await;
        assert_eq!(
            scenario.estate.hub_mailbox().len(),
            2,
            "of the two shares alone"
        );
    }
}

#[tokio::test]
async fn a_list_of_strings_is_a_policy_like_any_other_text() {
    let scenario = Scenario::on(Plan::default()).await;
    write(&scenario, &ungated(), ParameterType::StringList, None).await;
    scenario.pass(10).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    holds(&scenario).await;
}

#[tokio::test]
async fn a_secret_that_the_functions_may_not_read_leaves_the_last_policy_at_work_and_is_told_every_day()
 {
    const NEWEST: &str = "The newest version of /pipeshare/policy cannot be read";
    let scenario = Scenario::on(at_night()).await;
    write(&scenario, &ungated(), ParameterType::SecureString, None).await;
    scenario.pass(10).await;
    let made = scenario.estate.make_key("policy");
    made.unwrap_or_else(|error| panic!("{error}"));
    let key = format!("arn:aws:kms:{REGION}:{SHARED}:key/policy");
    let secret = ParameterType::SecureString;
    write(&scenario, "version: 1\n", secret, Some(&key)).await;
    // The work goes on meanwhile.
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    holds(&scenario).await;
    let first = told(&scenario, NEWEST);
    assert_eq!(first.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
    assert!(first[0].contains("PolicyKeyArn"), "{}", first[0]);
    scenario.pass(INTO_THE_NEXT_DAY).await;
    assert_eq!(told(&scenario, NEWEST).len(), 2, "once a day");

    // Whoever puts it in force stops everything, and that is told, too.
    label(&scenario, 2).await;
    scenario.pass(SWEEP).await;
    holds(&scenario).await;
    let stopped = told(&scenario, "with the label in-force cannot be read");
    assert_eq!(stopped.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_policy_behind_a_comment_is_in_force_whatever_its_lines_end_with() {
    for ends in ["\r", "\r\n"] {
        let scenario = Scenario::on(Plan::default()).await;
        let text = format!("# The policy of the platform team.\n{}", ungated());
        scenario.write_policy(&text.replace('\n', ends)).await;
        scenario.pass(10).await;
        scenario.create(&scenario.test, "churn").await;
        scenario.pass(300).await;
        holds(&scenario).await;
    }
    let scenario = shared(Plan::default()).await;
    let text = format!("# The policy of the platform team.\n{}", ungated());
    scenario.write_policy(&text.replace('\n', "\u{85}")).await;
    scenario.pass(SWEEP).await;
    holds(&scenario).await;
    let told = told(&scenario, "line 1, column 35: U+0085 ends no line in YAML");
    assert_eq!(told.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
}

#[tokio::test]
async fn people_hear_that_parameter_store_will_take_no_more_versions_and_the_way_out_works() {
    const SAID: &str = "never lets one with a label go";
    let scenario = shared(at_night()).await;
    let wrong = |number: usize| format!("version: 2 # {number}\n");
    for number in 2..=80 {
        scenario.write_policy(&wrong(number)).await;
    }
    scenario.pass(SWEEP).await;
    assert_eq!(told(&scenario, SAID), [""; 0]);
    scenario.write_policy(&wrong(81)).await;
    scenario.pass(SWEEP).await;
    let warned = told(&scenario, SAID);
    assert_eq!(warned.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
    assert!(
        warned[0].contains("after 19 more it takes none"),
        "{}",
        warned[0]
    );
    scenario.pass(INTO_THE_NEXT_DAY).await;
    assert_eq!(told(&scenario, SAID).len(), 2, "once a day");

    for number in 82..=100 {
        scenario.write_policy(&wrong(number)).await;
    }
    let refused = scenario.estate.write_policy(&ungated()).await;
    assert!(refused.is_err(), "Parameter Store takes no more");
    holds(&scenario).await;

    // What the message says.
    let unlabelled = scenario.shared.ssm.unlabel_parameter_version();
    let unlabelled = unlabelled
        .name(NAME)
        .parameter_version(1)
        .labels("in-force")
        .send()
        .await;
    unlabelled.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.pass(SWEEP).await;
    holds(&scenario).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(SWEEP).await;
    assert_eq!(in_force(&scenario).await, 101);
    holds(&scenario).await;
    assert_eq!(told(&scenario, SAID).len(), 2);
}
