//! What becomes of refusals by AWS: who hears of them, and that nothing is lost.

use e2e::{DEV, SHARED, Scenario, TEST, refusal, ungated};
use sandbox::{
    faults::{CallEffect, Refusal},
    readings::ManagedPipelines,
    world::ApiError,
};

/// A refusal that stands until [`fix`].
fn refuse(scenario: &Scenario, to: Refusal) {
    scenario
        .estate
        .sandbox
        .world()
        .faults_mut()
        .refusals
        .push(to);
}

fn fix(scenario: &Scenario) {
    scenario
        .estate
        .sandbox
        .world()
        .faults_mut()
        .refusals
        .clear();
}

/// Every call in an account's name, or every call of anybody, is refused.
fn every_call(account: Option<&str>, status: u16, code: &str) -> Refusal {
    Refusal {
        service: None,
        operation: None,
        account: account.map(str::to_owned),
        mentions: None,
        error: ApiError::with_status(status, code, "The security token is invalid."),
    }
}

/// One operation is refused.
fn operation(service: &str, operation: &str, code: &str) -> Refusal {
    Refusal {
        service: Some(service.to_owned()),
        operation: Some(operation.to_owned()),
        ..every_call(None, 400, code)
    }
}

/// The ways in which AWS refuses an account that has not enabled the Region.
fn without_the_region(account: &str) -> [Vec<Refusal>; 3] {
    let sessions = Refusal {
        mentions: Some(format!("::{account}:role/")),
        ..operation("sts", "AssumeRole", "RegionDisabledException")
    };
    let query = Refusal {
        service: Some("sns".to_owned()),
        ..every_call(Some(account), 403, "InvalidClientTokenId")
    };
    [
        vec![sessions],
        vec![
            query,
            every_call(Some(account), 400, "UnrecognizedClientException"),
        ],
        vec![every_call(Some(account), 403, "OptInRequired")],
    ]
}

/// What the hub was told of an account that cannot be served.
fn problems(scenario: &Scenario, account: &str) -> Vec<String> {
    let told = scenario.estate.hub_mailbox().into_iter();
    let about = format!("({account}):\n");
    told.filter(|text| text.starts_with("In ") && text.contains(&about))
        .collect()
}

/// How often a metric was counted.
fn counted(scenario: &Scenario, metric: &str) -> usize {
    let line = format!("\"{metric}\":");
    let none = format!("\"{metric}\":0");
    let logs = scenario.logs();
    let lines = logs.lines();
    lines
        .filter(|it| it.contains(&line) && !it.contains(&none))
        .count()
}

/// The statuses of `churn` in a mailbox.
fn statuses(told: &[String]) -> Vec<String> {
    let prefix = "Pipeline churn in test (222222222222, us-east-1): ";
    let lines = told.iter().filter_map(|text| text.lines().next());
    lines
        .filter_map(|line| line.strip_prefix(prefix))
        .map(str::to_owned)
        .collect()
}

const HOUR: u64 = 3600;

/// A day of refused sessions; of the other ways, a few hours say the same.
fn until_tonight(code: &str) -> u64 {
    if code.contains("Token") { 14 } else { 3 }
}

#[tokio::test]
async fn an_owner_account_without_the_region_is_told_once_a_day_and_keeps_nobody_waiting() {
    for refusals in without_the_region(TEST) {
        let scenario = Scenario::begin(&ungated()).await;
        let which = refusals[0].error.code.clone();
        for one in refusals {
            refuse(&scenario, one);
        }
        let arn = scenario.create(&scenario.dev, "churn").await;
        // The day of the scenario begins at nine.
        scenario.pass(until_tonight(&which) * HOUR).await;
        let told = problems(&scenario, TEST);
        assert_eq!(told.len(), 1, "{which}: {told:#?}");
        assert!(told[0].contains("nable th"), "{which}: {}", told[0]);
        assert!(counted(&scenario, "AccountFailed") > 0, "{which}");
        assert!(scenario.shared.sees(&arn).await, "dev is served: {which}");
        if until_tonight(&which) == 14 {
            scenario.pass(10 * HOUR).await;
            let told = problems(&scenario, TEST);
            assert_eq!(told.len(), 2, "the next day, {which}: {told:#?}");
        }
        assert_eq!(scenario.dead_letters(), 0, "{which}");
        assert_eq!(problems(&scenario, DEV), [""; 0], "{which}");

        fix(&scenario);
        let arn = scenario.create(&scenario.test, "churn").await;
        scenario.pass(HOUR).await;
        assert!(scenario.dev.sees(&arn).await, "{which}");
    }
}

#[tokio::test]
async fn a_consumer_account_without_the_region_is_told_once_a_day_and_others_are_served() {
    for refusals in without_the_region(DEV) {
        let scenario = Scenario::begin(&ungated()).await;
        let which = refusals[0].error.code.clone();
        for one in refusals {
            refuse(&scenario, one);
        }
        let arn = scenario.create(&scenario.test, "churn").await;
        scenario.fail_next("churn", "Train", "bad luck");
        scenario.start(&scenario.test, "churn", "first").await;
        scenario.pass(until_tonight(&which) * HOUR).await;
        // It owns pipelines, too, and is to be told of a run: three functions
        // are refused, and people hear of it once.
        let told = problems(&scenario, DEV);
        assert_eq!(told.len(), 1, "{which}: {told:#?}");
        assert_eq!(scenario.dead_letters(), 0, "{which}");
        assert!(scenario.shared.sees(&arn).await, "{which}");
        let shared = statuses(&scenario.estate.mailbox(SHARED));
        assert_eq!(shared, ["Failed"], "{which}");
    }
}

#[tokio::test]
async fn a_session_that_died_is_replaced_without_anybody_being_told() {
    for (status, code) in [
        (403, "ExpiredTokenException"),
        (400, "UnrecognizedClientException"),
        (403, "InvalidClientTokenId"),
    ] {
        let scenario = Scenario::begin(&ungated()).await;
        scenario.pass(20 * 60).await;
        let before = scenario.calls("AssumeRole");
        for (service, operation) in [
            ("sagemaker", "ListPipelines"),
            ("ram", "GetResourceShareInvitations"),
            ("events", "PutEvents"),
        ] {
            scenario.break_calls(service, operation, &[refusal(status, code)]);
        }
        let arn = scenario.create(&scenario.test, "churn").await;
        scenario.start(&scenario.test, "churn", "first").await;
        scenario.pass(HOUR).await;
        assert!(scenario.dev.sees(&arn).await, "{code}");
        let told = statuses(&scenario.estate.mailbox(DEV));
        assert_eq!(told, ["Succeeded"], "{code}");
        assert!(scenario.calls("AssumeRole") > before, "{code}");
        for account in [DEV, TEST, SHARED] {
            assert_eq!(problems(&scenario, account), [""; 0], "{code}");
        }
        assert_eq!(scenario.dead_letters(), 0, "{code}");
        let world = scenario.estate.sandbox.world();
        assert_eq!(world.faults().calls.len(), 0, "all of it happened: {code}");
    }
}

#[tokio::test]
async fn a_signature_that_came_too_late_is_made_anew() {
    let scenario = Scenario::begin(&ungated()).await;
    let late = "Signature expired: 20260105T090000Z is now earlier than 20260105T091000Z";
    let late = |code: &str| CallEffect::Refuse(ApiError::with_status(403, code, late));
    for (service, operation, effect) in [
        ("ssm", "GetParameter", late("InvalidSignatureException")),
        (
            "sagemaker",
            "ListPipelines",
            late("InvalidSignatureException"),
        ),
        (
            "ram",
            "CreateResourceShare",
            refusal(403, "RequestTimeTooSkewed"),
        ),
        ("dynamodb", "PutItem", late("InvalidSignatureException")),
        ("sns", "Publish", late("SignatureDoesNotMatch")),
    ] {
        scenario.break_calls(service, operation, &[effect.clone(), effect]);
    }
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(HOUR).await;
    assert!(scenario.dev.sees(&arn).await);
    let told = statuses(&scenario.estate.hub_mailbox());
    assert_eq!(told, ["Succeeded"]);
    assert_eq!(problems(&scenario, TEST), [""; 0]);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn what_the_hub_could_not_be_told_is_told_once_its_topic_takes_it_again() {
    for code in ["KMSDisabled", "AuthorizationError", "NotFound"] {
        let scenario = Scenario::begin(&ungated()).await;
        let arn = scenario.create(&scenario.test, "churn").await;
        scenario.pass(20 * 60).await;
        let to_hub = Refusal {
            mentions: Some(":pipeshare-hub".to_owned()),
            ..operation("sns", "Publish", code)
        };
        refuse(&scenario, to_hub);
        scenario.fail_next("churn", "Train", "bad luck");
        scenario.start(&scenario.test, "churn", "first").await;
        scenario.pass(5 * HOUR).await;
        // Accounts are served and told meanwhile.
        assert!(scenario.dev.sees(&arn).await, "{code}");
        let dev = || statuses(&scenario.estate.mailbox(DEV));
        let hub = || statuses(&scenario.estate.hub_mailbox());
        assert_eq!(dev(), ["Failed"], "{code}");
        assert_eq!(hub(), [""; 0], "{code}");
        assert!(
            counted(&scenario, "HubFailed") > 10,
            "{code}: by each reconciliation"
        );

        fix(&scenario);
        scenario.pass(HOUR).await;
        assert_eq!(hub(), ["Failed"], "{code}");
        assert_eq!(dev(), ["Failed"], "{code}: nobody is told twice");
        assert_eq!(scenario.dead_letters(), 0, "{code}");
        let before = counted(&scenario, "HubFailed");
        scenario.pass(HOUR).await;
        assert_eq!(counted(&scenario, "HubFailed"), before, "{code}");
    }
}

#[tokio::test]
async fn a_policy_that_may_not_be_read_changes_nothing_and_rings_the_alarm_of_the_hub() {
    let scenario = Scenario::begin(&ungated()).await;
    let first = scenario.create(&scenario.test, "first").await;
    scenario.pass(20 * 60).await;
    refuse(
        &scenario,
        operation("ssm", "GetParameter", "AccessDeniedException"),
    );
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.fail_next("churn", "Train", "bad luck");
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(3 * HOUR).await;
    assert!(scenario.dev.sees(&first).await);
    assert!(!scenario.dev.sees(&arn).await);
    assert!(counted(&scenario, "HubFailed") > 20, "by every function");
    assert_eq!(scenario.dead_letters(), 0);

    fix(&scenario);
    scenario.pass(HOUR).await;
    assert!(scenario.dev.sees(&arn).await);
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), ["Failed"]);
    assert_eq!(statuses(&scenario.estate.hub_mailbox()), ["Failed"]);
}

#[tokio::test]
async fn a_table_that_is_throttled_delays_and_loses_nothing() {
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
    ] {
        let scenario = Scenario::begin(&ungated()).await;
        let arn = scenario.create(&scenario.test, "churn").await;
        for operation in ["PutItem", "Query", "GetItem", "UpdateItem"] {
            scenario.break_calls("dynamodb", operation, &vec![refusal(400, code); 8]);
        }
        scenario.start(&scenario.test, "churn", "first").await;
        scenario.pass(2 * HOUR).await;
        assert!(scenario.dev.sees(&arn).await, "{code}");
        for mailbox in [DEV, SHARED] {
            assert!(problems(&scenario, mailbox).is_empty(), "{code}");
        }
        let told = statuses(&scenario.estate.mailbox(DEV));
        // A message that is out before it is noted may come twice, never not at all.
        assert!((1..=2).contains(&told.len()), "{code}: {told:?}");
        assert_eq!(scenario.dead_letters(), 0, "{code}");
    }
}

#[tokio::test]
async fn a_topic_or_bus_of_a_consumer_that_refuses_is_told_to_the_hub_once_a_day() {
    for (service, name, code) in [
        ("sns", "Publish", "NotFound"),
        ("sns", "Publish", "KMSDisabled"),
        ("events", "PutEvents", "AccessDeniedException"),
    ] {
        let scenario = Scenario::begin(&ungated()).await;
        let arn = scenario.create(&scenario.test, "churn").await;
        scenario.pass(20 * 60).await;
        let to_dev = Refusal {
            account: Some(DEV.to_owned()),
            ..operation(service, name, code)
        };
        refuse(&scenario, to_dev);
        for run in ["first", "second"] {
            scenario.fail_next("churn", "Train", "bad luck");
            scenario.start(&scenario.test, "churn", run).await;
            scenario.pass(HOUR).await;
        }
        scenario.pass(4 * HOUR).await;
        let told = problems(&scenario, DEV);
        assert_eq!(told.len(), 1, "{code}: {told:#?}");
        assert!(told[0].contains(code), "{}", told[0]);
        let shared = statuses(&scenario.estate.mailbox(SHARED));
        assert_eq!(shared, ["Failed", "Failed"], "{code}");
        assert!(scenario.dev.sees(&arn).await, "{code}");
        assert_eq!(scenario.dead_letters(), 0, "{code}");
    }
}

#[tokio::test]
async fn pipelines_that_aws_manages_are_nobodys_to_share_and_no_warning() {
    let scenario = Scenario::begin(&ungated()).await;
    {
        let mut world = scenario.estate.sandbox.world();
        let made = world.now();
        world
            .sagemaker_mut()
            .managed
            .insert("Evaluate".to_owned(), made);
        world.readings_mut().managed_pipelines = ManagedPipelines::Unasked;
    }
    let arn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(HOUR).await;
    assert!(scenario.dev.sees(&arn).await);
    let pipelines = scenario.pipelines(&scenario.test).await;
    assert!(pipelines.iter().all(|it| it.1 == "churn"), "{pipelines:?}");
    assert!(!scenario.logs().contains("a pipeline is left out"));
}
