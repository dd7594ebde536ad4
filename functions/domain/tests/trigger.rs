//! Which messages are triggers, and of what.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use domain::{
    account::AccountRef,
    execution::Execution,
    notification::Grant,
    policy::Policy,
    status::ExecutionStatus,
    trigger::{self, Command, CommandAction, Confirmation, Ignored, Offer, Trigger, TriggerKind},
};
use serde_json::{Value, json};

const EXECUTION: &str = include_str!("events/execution-succeeded.json");
const AWS_EXECUTION: &str = include_str!("events/execution-started-of-aws-pipeline.json");
const CREATE: &str = include_str!("events/create-pipeline.json");
const SHARE: &str = include_str!("events/share-associated.json");
const POLICY: &str = include_str!("events/policy-updated.json");
const SCHEDULED: &str = include_str!("events/scheduled.json");
const OFFER: &str = include_str!("events/share-offered.json");

const PIPELINE_ARN: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn-train";
const EXECUTION_ARN: &str =
    "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn-train/execution/p4jn9xou8a8s";

/// Takes a text for whatever is parsed from one.
fn of<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn kind(body: &str) -> TriggerKind {
    trigger::parse(body).unwrap().kind
}

fn ignored(body: &Value) -> Ignored {
    trigger::parse(&body.to_string()).unwrap_err()
}

/// An event in which one field, by JSON pointer, has another value.
fn with(event: &str, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut event: Value = serde_json::from_str(event).unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

/// An event that lacks one field.
fn without(event: &str, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut event: Value = serde_json::from_str(event).unwrap();
    let parent = event.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(name).unwrap();
    event
}

fn missing(field: &str) -> Ignored {
    let field = field.to_owned();
    Ignored::MissingField { field }
}

#[test]
fn an_execution_that_changed_its_status() {
    let trigger = trigger::parse(EXECUTION).unwrap();
    assert_eq!(
        trigger,
        Trigger {
            time: Some(of("2026-11-20T16:10:11Z")),
            replay: false,
            kind: TriggerKind::Execution {
                execution: Box::new(Execution {
                    arn: of(EXECUTION_ARN),
                    pipeline: of(PIPELINE_ARN),
                    status: ExecutionStatus::Succeeded,
                    display_name: Some("nightly".into()),
                    started: Some(of("2026-11-20T16:03:13Z")),
                }),
                previous: Some(ExecutionStatus::Executing),
                at: Some(of("2026-11-20T16:10:10Z")),
            },
        }
    );
}

#[test]
fn an_execution_of_a_pipeline_of_aws_runs_in_the_account() {
    let TriggerKind::Execution {
        execution,
        previous,
        at,
    } = kind(AWS_EXECUTION)
    else {
        panic!("no execution");
    };
    assert_eq!(*execution.arn.account(), of("222222222222"));
    assert_eq!(execution.status, ExecutionStatus::Executing);
    assert_eq!((previous, at), (None, Some(of("2026-11-20T16:03:14Z"))));
    assert!(!execution.is_of_own_pipeline());
}

#[test]
fn an_end_is_of_its_own_time_and_anything_else_of_the_events() {
    let at = |event: &Value| match kind(&event.to_string()) {
        TriggerKind::Execution { at, .. } => at,
        other => panic!("{other:?}"),
    };
    let sent = Some(of("2026-11-20T16:10:11Z"));
    let no_end = without(EXECUTION, "/detail/executionEndTime");
    assert_eq!(at(&no_end), sent);
    let status = "/detail/currentPipelineExecutionStatus";
    assert_eq!(at(&with(EXECUTION, status, json!("Executing"))), sent);
    assert_eq!(at(&without(&no_end.to_string(), "/time")), None);
}

#[test]
fn a_status_that_aws_adds_later_is_kept() {
    let event = with(
        EXECUTION,
        "/detail/currentPipelineExecutionStatus",
        json!("PartlySucceeded"),
    );
    let TriggerKind::Execution { execution, .. } = kind(&event.to_string()) else {
        panic!("no execution");
    };
    assert_eq!(execution.status.as_str(), "PartlySucceeded");
}

#[test]
fn a_call_that_changes_a_pipeline_is_one_of_its_account() {
    for name in [
        "CreatePipeline",
        "UpdatePipeline",
        "UpdatePipelineVersion",
        "DeletePipeline",
    ] {
        let event = with(CREATE, "/detail/eventName", json!(name));
        let expected = TriggerKind::Pipeline(of("222222222222"));
        assert_eq!(kind(&event.to_string()), expected);
    }
}

#[test]
fn what_ram_the_parameter_store_the_schedule_and_we_ourselves_send() {
    assert_eq!(kind(SHARE), TriggerKind::Share(of("111111111111")));
    assert_eq!(kind(POLICY), TriggerKind::Policy);
    assert_eq!(kind(SCHEDULED), TriggerKind::Schedule);
    let TriggerKind::Offer(offer) = kind(OFFER) else {
        panic!("no offer");
    };
    assert_eq!(offer.owner, of("222222222222"));
    assert_eq!(offer.consumer, of("111111111111"));
    assert_eq!(offer.rule, "test-readers");
}

#[test]
fn an_offer_that_is_sent_arrives_as_it_was() {
    let offer = Offer {
        owner: of("444444444444"),
        consumer: of("111111111111"),
        share: of("arn:aws:ram:eu-west-1:444444444444:resource-share/42"),
        rule: "all".to_owned(),
    };
    let event = json!({
        "source": trigger::OFFER_SOURCE,
        "detail-type": trigger::OFFER_DETAIL_TYPE,
        "detail": offer.detail(),
    });
    assert_eq!(kind(&event.to_string()), TriggerKind::Offer(offer));
}

#[test]
fn a_replayed_event_says_so() {
    let event = with(EXECUTION, "/replay-name", json!("after-the-outage"));
    assert!(trigger::parse(&event.to_string()).unwrap().replay);
}

#[test]
fn a_scheduler_may_send_its_own_event_or_a_command() {
    for (pointer, value) in [
        ("/source", json!("aws.scheduler")),
        ("/detail", json!("{}")),
    ] {
        let event = with(SCHEDULED, pointer, value);
        assert_eq!(kind(&event.to_string()), TriggerKind::Schedule);
    }
    let trigger =
        trigger::parse(r#"{"action": "reconcile", "time": "2026-11-20T10:15:00Z"}"#).unwrap();
    assert_eq!(trigger.kind, TriggerKind::Schedule);
    assert_eq!(trigger.time, Some(of("2026-11-20T10:15:00Z")));
}

#[test]
fn commands_may_name_an_account_and_ask_for_a_plan_only() {
    let command = |body: Value| kind(&body.to_string());
    let expected = |action, account: Option<&str>, dry_run| {
        TriggerKind::Command(Command {
            action,
            account: account.map(AccountRef::of),
            from: None,
            dry_run,
        })
    };
    assert_eq!(
        command(json!({"action": "share", "owner": "222222222222", "dryRun": true})),
        expected(CommandAction::Share, Some("222222222222"), true)
    );
    assert_eq!(
        command(json!({"action": "accept", "account": "111111111111"})),
        expected(CommandAction::Accept, Some("111111111111"), false)
    );
    assert_eq!(
        command(json!({"action": "share"})),
        expected(CommandAction::Share, None, false)
    );
    assert_eq!(
        command(json!({"action": "sweep", "dryRun": true})),
        expected(CommandAction::Reconcile, None, true)
    );
    assert_eq!(
        command(json!({"action": "sweep", "dryRun": false})),
        TriggerKind::Schedule
    );
}

#[test]
fn a_command_may_be_about_what_is_left_of_a_consumer() {
    let from = Grant {
        rule: "readers".parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
    };
    let account = "111111111111".parse().unwrap();
    for action in [CommandAction::Accept, CommandAction::Reconcile] {
        let text = Command::text_from(action, &account, &from);
        let TriggerKind::Command(command) = kind(&text) else {
            panic!("{text} is a command");
        };
        assert_eq!(command.from.as_ref(), Some(&from), "{text}");
        assert_eq!(command.account, Some(AccountRef::of("111111111111")));
    }
    let ignored = |body: Value| trigger::parse(&body.to_string()).unwrap_err().to_string();
    let from = json!({"rule": "readers", "owner": "222222222222"});
    let text = ignored(json!({"action": "share", "owner": "222222222222", "from": from}));
    assert!(text.contains("from"), "{text}");
    let text = ignored(json!({"action": "reconcile", "from": from}));
    assert!(text.contains("account"), "{text}");
    let odd = json!({"rule": "readers", "owner": "test"});
    let text = ignored(json!({"action": "accept", "account": "111111111111", "from": odd}));
    assert!(text.contains("from.owner"), "{text}");
}

#[test]
fn a_command_may_call_an_account_by_its_name_in_the_policy() {
    let policy =
        "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\" }\nrules: []\n";
    let policy = Policy::parse(policy).unwrap();
    let account = |text: &str| {
        let body = json!({"action": "share", "owner": text}).to_string();
        let TriggerKind::Command(command) = kind(&body) else {
            panic!("it is a command");
        };
        let account = trigger::account_of(&command.account.unwrap(), &policy);
        account
            .map(String::from)
            .map_err(|ignored| (ignored.code(), ignored.to_string()))
    };
    assert_eq!(account("test"), Ok("222222222222".to_owned()));
    assert_eq!(account("444444444444"), Ok("444444444444".to_owned()));
    for (text, message) in [
        ("tset", "unknown account \"tset\"; did you mean \"test\"?"),
        (
            "prod\u{1b}\u{202e}",
            "unknown account \"prod??\"; name it under accounts in the policy, or write its twelve digits",
        ),
    ] {
        assert_eq!(account(text), Err(("unknown-account", message.to_owned())));
    }
}

#[test]
fn a_command_is_taken_at_its_word_or_not_at_all() {
    assert_eq!(
        ignored(&json!({"action": "share", "account": "222222222222"})),
        Ignored::UnknownField {
            action: "share",
            field: "account".to_owned()
        }
    );
    assert_eq!(
        ignored(&json!({"action": "delete"})),
        Ignored::UnknownAction {
            action: "delete".to_owned()
        }
    );
    for (body, message) in [
        (
            json!({"action": "share", "dryRun": "yes"}),
            "dryRun is not true or false",
        ),
        (
            json!({"action": "share", "owner": 222_222_222_222_u64}),
            "owner is not a text",
        ),
        (json!({"action": ["sweep"]}), "action is not a text"),
    ] {
        assert_eq!(ignored(&body).to_string(), message);
    }
}

#[test]
fn what_is_not_needed_may_be_missing_or_odd() {
    let odd = [
        with(CREATE, "/version", json!(0)),
        with(CREATE, "/time", json!("yesterday")),
        with(CREATE, "/resources", json!({"odd": true})),
        with(
            CREATE,
            "/detail/requestParameters",
            json!({"omitted": true}),
        ),
        with(CREATE, "/detail/requestParameters", Value::Null),
        with(CREATE, "/detail/userIdentity", json!("nobody")),
        with(CREATE, "/detail/errorCode", Value::Null),
        with(CREATE, "/detail/responseElements", json!({"omitted": true})),
        with(CREATE, "/detail/responseElements", json!("too long")),
        with(CREATE, "/detail/eventSource", json!([])),
        without(CREATE, "/detail/requestParameters"),
        without(CREATE, "/time"),
        without(CREATE, "/region"),
    ];
    for event in odd {
        assert_eq!(kind(&event.to_string()), kind(CREATE), "{event}");
    }
    for field in [
        "executionStartTime",
        "executionEndTime",
        "previousPipelineExecutionStatus",
        "pipelineExecutionDisplayName",
    ] {
        let pointer = format!("/detail/{field}");
        let absent = kind(&without(EXECUTION, &pointer).to_string());
        for odd in [json!(1_763_654_400), json!({}), json!(""), Value::Null] {
            let event = with(EXECUTION, &pointer, odd);
            assert_eq!(kind(&event.to_string()), absent, "{event}");
        }
    }
    for event in [
        without(SHARE, "/detail"),
        with(SHARE, "/detail", json!("odd")),
    ] {
        assert_eq!(kind(&event.to_string()), kind(SHARE), "{event}");
    }
    assert_eq!(
        kind(&without(POLICY, "/detail").to_string()),
        TriggerKind::Policy
    );
}

#[test]
fn a_call_that_failed_or_changes_no_pipeline_is_ignored() {
    let failed = |code: Option<&str>| Ignored::FailedCall {
        event_name: "CreatePipeline".to_owned(),
        error_code: code.map(str::to_owned),
    };
    for (event, expected) in [
        (
            with(CREATE, "/detail/errorCode", json!("ValidationException")),
            failed(Some("ValidationException")),
        ),
        (
            with(CREATE, "/detail/responseElements", Value::Null),
            failed(None),
        ),
        (
            with(
                CREATE,
                "/detail/responseElements",
                json!({"errorCode": "AccessDenied", "errorMessage": "no"}),
            ),
            failed(Some("AccessDenied")),
        ),
        (
            with(CREATE, "/detail/eventName", json!("StartPipelineExecution")),
            Ignored::UninterestingCall {
                event_name: "StartPipelineExecution".to_owned(),
            },
        ),
    ] {
        assert_eq!(ignored(&event), expected);
    }
}

#[test]
fn what_tells_where_to_look_must_be_there() {
    for (event, pointer) in [
        (EXECUTION, "/account"),
        (EXECUTION, "/source"),
        (EXECUTION, "/detail"),
        (EXECUTION, "/detail/pipelineArn"),
        (EXECUTION, "/detail/pipelineExecutionArn"),
        (EXECUTION, "/detail/currentPipelineExecutionStatus"),
        (CREATE, "/detail/eventName"),
        (SHARE, "/account"),
        (OFFER, "/detail/consumer"),
        (OFFER, "/detail/share"),
    ] {
        let field = pointer[1..].replace('/', ".");
        assert_eq!(ignored(&without(event, pointer)), missing(&field));
        let odd = ignored(&with(event, pointer, json!([1])));
        assert_eq!(odd.code(), "bad-field", "{pointer}: {odd}");
    }
}

#[test]
fn an_event_that_contradicts_itself_is_ignored() {
    let other_pipeline = "arn:aws:sagemaker:eu-west-1:444444444444:pipeline/churn-train";
    let other_execution = format!("{other_pipeline}/execution/p4jn9xou8a8s");
    for (event, pointer, value) in [
        (EXECUTION, "/account", "444444444444"),
        (EXECUTION, "/detail/pipelineArn", other_pipeline),
        (EXECUTION, "/detail/pipelineExecutionArn", &other_execution),
        (AWS_EXECUTION, "/account", "444444444444"),
        (OFFER, "/detail/owner", "444444444444"),
    ] {
        let ignored = ignored(&with(event, pointer, json!(value)));
        assert_eq!(ignored.code(), "account-mismatch", "{pointer}");
    }
    let secret = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/other/execution/p4jn9xou8a8s";
    assert_eq!(
        ignored(&with(
            EXECUTION,
            "/detail/pipelineExecutionArn",
            json!(secret)
        )),
        Ignored::PipelineMismatch
    );
}

#[test]
fn an_execution_may_write_its_pipeline_in_another_case() {
    let arn = PIPELINE_ARN.replace("churn-train", "Churn-Train");
    let event = with(EXECUTION, "/detail/pipelineArn", json!(arn));
    assert!(matches!(
        kind(&event.to_string()),
        TriggerKind::Execution { .. }
    ));
}

#[test]
fn what_is_neither_event_nor_command_is_ignored() {
    assert_eq!(
        trigger::parse("{\n  \"action\": sweep}"),
        Err(Ignored::NotJson {
            line: 2,
            column: 13
        })
    );
    let job = json!({"CodePipeline.job": {"data": {"artifactCredentials": {"secretAccessKey": "s3cret"}}}});
    for body in [json!([]), json!(null), json!({}), job] {
        assert_eq!(ignored(&body), Ignored::NotAnEvent);
    }
    let unknown = with(
        EXECUTION,
        "/detail-type",
        json!("SageMaker Training Job State Change"),
    );
    assert_eq!(
        ignored(&unknown).to_string(),
        r#"nothing is triggered by the event "SageMaker Training Job State Change" of "aws.sagemaker""#
    );
    // Only AWS can send as "aws.ram"; the same text from elsewhere is not its event.
    let forged = with(SHARE, "/source", json!("example.ram"));
    assert_eq!(ignored(&forged).code(), "unknown-event");
}

#[test]
fn a_reason_as_data_has_its_code_and_its_text() {
    let reason = serde_json::to_value(ignored(&json!({"action": "delete"}))).unwrap();
    let text =
        "unknown action \"delete\"; there are share, accept, reconcile, plan, explain and confirm";
    assert_eq!(reason, json!({ "code": "unknown-action", "text": text }));
}

#[test]
fn names_in_a_reason_cannot_break_a_log_line() {
    let name = format!("a\n\u{1b}[31m{}", "x".repeat(1000));
    let Ignored::UnknownAction { action } = ignored(&json!({"action": name})) else {
        panic!("another reason");
    };
    assert!(
        action.starts_with("a???31mx") && action.len() == 64,
        "{action}"
    );
}

#[test]
fn a_confirmation_and_a_plan_are_read_whole_or_not_at_all() {
    let digest = "ab".repeat(32);
    let text = Confirmation::text(Some("churn"), 7, &digest);
    let TriggerKind::Confirmation(confirmation) = trigger::parse(&text).unwrap().kind else {
        panic!("{text}");
    };
    let expected = Confirmation {
        team: Some("churn".to_owned()),
        version: 7,
        digest,
    };
    assert_eq!(confirmation, expected);
    let code = |body: Value| ignored(&body).code();
    assert_eq!(
        code(json!({"action": "confirm", "version": 7})),
        "missing-field"
    );
    assert_eq!(
        code(json!({"action": "confirm", "version": "7", "digest": "a"})),
        "bad-field"
    );
    assert_eq!(
        code(json!({"action": "confirm", "version": 7, "digest": "a", "all": true})),
        "unknown-field"
    );
    assert_eq!(code(json!({"action": "plan"})), "missing-field");
    assert_eq!(code(json!({"action": "plan", "root": {}})), "bad-field");
    assert_eq!(
        code(json!({"action": "plan", "teams": {"churn": 1}})),
        "bad-field"
    );
    assert_eq!(
        code(json!({"action": "plan", "root": "x", "account": "test"})),
        "unknown-field"
    );
}

#[test]
fn a_question_about_access_names_a_pipeline_by_its_arn_or_its_owner() {
    let asked = |pipeline: &str| {
        let body = json!({ "action": "explain", "pipeline": pipeline, "account": "dev" });
        match kind(&body.to_string()) {
            TriggerKind::Explain(question) => question,
            other => panic!("{other:?}"),
        }
    };
    let by_name = asked("test/churn");
    assert_eq!(by_name.owner, AccountRef::Name("test".to_owned()));
    assert_eq!((by_name.pipeline.as_str(), by_name.region), ("churn", None));
    let by_arn = asked("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn");
    assert_eq!(by_arn.owner, AccountRef::of("222222222222"));
    assert_eq!(by_arn.pipeline, "churn");
    assert_eq!(by_arn.region.unwrap().as_str(), "eu-west-1");
    let code = |body: Value| ignored(&body).code();
    for wrong in ["churn", "/churn", "test/", "arn:aws:sagemaker:x"] {
        let body = json!({ "action": "explain", "pipeline": wrong, "account": "dev" });
        assert_eq!(code(body), "bad-field", "{wrong}");
    }
    let body = json!({ "action": "explain", "pipeline": "test/churn" });
    assert_eq!(code(body), "missing-field");
    let body = json!({ "action": "plan", "root": "x", "from": "test" });
    assert_eq!(code(body), "bad-field");
}
