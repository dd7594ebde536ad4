//! What anybody may write into a queue, a bus, a parameter, a table or a token:
//! whatever it is, it is understood or refused, and nothing panics.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

#[path = "support/changed.rs"]
mod changed_support;
#[path = "support/json.rs"]
mod json_support;

use std::thread;

use changed_support::changed;
use domain::{
    execution::{Details, Execution, ExecutionChange, Source},
    hook::{
        GrantState, Identity, JobOutcome, NextStep, Operation, PipelineRef, Progress, Request,
        Round, State, Token, Wait, next,
    },
    notification::{Decision, DeliveryRecord, decide},
    policy::Policy,
    sharing::Pipeline,
    status::ExecutionStatus,
    trigger::{self, TriggerKind},
};
use jiff::{SignedDuration, Timestamp};
use json_support::any_json;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::RngSeed,
};

const EVENTS: &[&str] = &[
    include_str!("events/execution-succeeded.json"),
    include_str!("events/execution-started-of-aws-pipeline.json"),
    include_str!("events/create-pipeline.json"),
    include_str!("events/share-associated.json"),
    include_str!("events/policy-updated.json"),
    include_str!("events/scheduled.json"),
    include_str!("events/share-offered.json"),
    r#"{"action": "share", "owner": "222222222222", "dryRun": true}"#,
    r#"{"action": "sweep"}"#,
];

const POLICY: &str = r#"
version: 1
organization: { id: o-example1234, ramSharing: true }
accounts: { dev: "111111111111", test: { id: "222222222222", external: true } }
rules:
  - { name: readers, owner: test, pipelines: ["churn*"], except: ["*-x"], with: [dev], after: hook,
      access: execute, notify: [Failed, Succeeded] }
"#;

const REQUEST: &str = r#"{"pipeline": "churn", "owner": "test", "parameters": {"a": "b", "c": 1},
    "runMinutes": 60, "accessMinutes": 5, "execution": "e", "action": "a"}"#;

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";

/// As much stack as a thread of the tests has, and less than any function.
const STACK: usize = 1024 * 1024;

/// Runs something that would overflow a small stack if it went as deep as its input.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let small = thread::Builder::new().stack_size(STACK).spawn(work);
    small.unwrap().join().unwrap();
}

fn time() -> impl Strategy<Value = Timestamp> {
    let near = |second: i64| Timestamp::from_second(1_767_600_000 + second).unwrap();
    prop_oneof![
        4 => (-200_i64..200).prop_map(near),
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::MAX),
        1 => any::<i64>().prop_map(|n| Timestamp::from_nanosecond(n.into()).unwrap()),
        1 => (0..90_i64).prop_map(|n| Timestamp::MAX.checked_sub(SignedDuration::from_secs(n)).unwrap()),
        1 => (0..90_i64).prop_map(|n| Timestamp::MIN.checked_add(SignedDuration::from_secs(n)).unwrap()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        select(vec![
            "-009999-01-02T01:59:59Z",
            "9999-12-30T22:00:00.999999999Z",
            "9999-12-31T23:59:60Z",
            "-000000-01-01T00:00:00Z",
            "2026-01-05T09:00:00+25:59:59",
            "2026-01-05T09:00:00[Europe/Berlin]",
            "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/",
            "arn::::::",
            "222222222222\n",
            "２２２２２２２２２２２２",
            "Failed\nConsole: https://evil.example",
            "\u{202e}\u{0}",
        ])
        .prop_map(str::to_owned),
        select(vec!["x", "é", "-", ":", "/", "9", "\\", "\u{200d}"])
            .prop_map(|piece| piece.repeat(9_000)),
    ]
}

fn status() -> impl Strategy<Value = ExecutionStatus> {
    prop_oneof![
        select(ExecutionStatus::KNOWN.to_vec()),
        text().prop_map(ExecutionStatus::from),
    ]
}

fn begin() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

fn source() -> impl Strategy<Value = Source> {
    select(vec![Source::Event, Source::Reconciliation])
}

fn execution(status: ExecutionStatus) -> Execution {
    Execution {
        arn: format!("{PIPELINE}/execution/abc").parse().unwrap(),
        pipeline: PIPELINE.parse().unwrap(),
        status,
        display_name: None,
        started: None,
    }
}

/// Tells of an event what forward-status would, to somebody who was told of another.
fn tell(kind: TriggerKind, time: Option<Timestamp>, history: &[DeliveryRecord]) {
    let TriggerKind::Execution {
        execution,
        previous,
        at,
    } = kind
    else {
        return;
    };
    for at in [execution.started, at, time].into_iter().flatten() {
        let news = ExecutionChange::of_event((*execution).clone(), previous.clone(), at);
        if let Decision::Send { key } = decide(history, &news, None) {
            assert!(key.len() < 1024, "DynamoDB takes no longer key");
        }
    }
}

proptest! {
    // The same cases in every run: a failure is repeated by running it again.
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_message_in_a_queue_is_a_hint_or_ignored_with_a_short_reason(
        event in select(EVENTS),
        changes in vec((any::<Index>(), any_json(text(), text())), 1..4),
        told in vec((status(), time(), source()), 0..3),
    ) {
        let message = changed(event, changes).to_string();
        let told: Vec<_> = told.into_iter().map(|(status, at, source)| DeliveryRecord { status, at, source }).collect();
        match trigger::parse(&message) {
            Ok(trigger) => tell(trigger.kind, trigger.time, &told),
            Err(ignored) => {
                let reason = ignored.to_string();
                prop_assert!(reason.len() < 500 && !reason.contains('\n'), "{}", reason);
            }
        }
    }

    #[test]
    fn any_bytes_in_a_queue_are_ignored(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(trigger::parse(&String::from_utf8_lossy(&bytes)).is_err());
    }

    #[test]
    fn a_change_at_any_time_is_told_or_known_whatever_was_told_before(
        told in vec((status(), time(), source()), 0..4),
        (status_now, previous, at, by) in (status(), option::of(status()), time(), source()),
        present in option::of(status()),
    ) {
        let mut told: Vec<_> = told.into_iter().map(|(status, at, source)| DeliveryRecord { status, at, source }).collect();
        let news = ExecutionChange {
            execution: execution(status_now),
            previous,
            at,
            source: by,
        };
        let present = present.map(Details::of);
        if let Decision::Send { .. } = decide(&told, &news, present.as_ref()) {
            // What was told just now is not news.
            told.push(DeliveryRecord::of(&news));
            let again = ExecutionChange { previous: None, ..news };
            let again = decide(&told, &again, present.as_ref());
            let is_known = matches!(again, Decision::AlreadySent | Decision::Overtaken);
            prop_assert!(is_known, "{:?}", again);
        }
    }

    #[test]
    fn any_request_to_the_hook_is_one_or_its_mistakes_are_told(
        changes in vec((any::<Index>(), any_json(text(), text())), 1..4),
        bytes in vec(any::<u8>(), 0..60),
    ) {
        let document = changed(REQUEST, changes).to_string();
        let garbled = String::from_utf8_lossy(&bytes);
        for text in [document.as_str(), garbled.as_ref()] {
            match Request::parse(text) {
                Ok(request) => {
                    let policy = Policy::parse(POLICY).unwrap();
                    let region = "eu-west-1".parse().unwrap();
                    let owner = request.owner(Some(&policy), &region);
                    let pipeline = PIPELINE.parse().unwrap();
                    let identity = Identity::of(&request, &pipeline, "attempt");
                    prop_assert!(identity.display_name().len() <= 82);
                    prop_assert!(owner.is_ok() || !owner.unwrap_err().to_string().is_empty());
                    let name = request.pipeline.as_str().len();
                    prop_assert!(matches!(request.pipeline, PipelineRef::Arn(_)) || name <= 256);
                }
                Err(mistakes) => prop_assert!(!mistakes.to_string().contains('\n')),
            }
        }
    }

    #[test]
    fn any_continuation_token_is_one_or_is_refused(
        changes in vec((any::<Index>(), any_json(text(), text())), 0..3),
        failures in any::<u32>(),
    ) {
        let mut token = Token::new("attempt");
        token.failures = failures;
        let text = changed(&token.text(), changes).to_string();
        if let Ok(token) = Token::parse(&text) {
            let request = Request::parse(REQUEST).unwrap();
            let identity = Identity::of(&request, &PIPELINE.parse().unwrap(), &token.attempt);
            prop_assert!(!matches!(token.is_of(&identity), Ok(true)), "it was bound to nothing");
        }
    }

    #[test]
    fn whatever_was_remembered_of_a_deployment_leads_to_a_step(
        (began, sharing, now) in (option::of(time()), option::of(time()), time()),
        (status, number, at) in (option::of(status()), option::of(any::<u32>()), time()),
        grants in option::of(Just(Vec::new())),
    ) {
        let progress = Progress { began, created: Some(begin()), round: number, sharing };
        let round = number.map(|number| Round {
            number,
            operation: Operation::Start,
            token: "token".to_owned(),
            at,
            execution: None,
        });
        let request = Request::parse(REQUEST).unwrap();
        let run = status.map(|status| Details {
            failure_reason: Some("x\ny".repeat(2_000).into()),
            ..Details::of(status)
        });
        let mut state = State::new(request, Token::new("attempt"));
        let policy = Policy::parse(POLICY).unwrap();
        state.read_policy(Some(policy), &"eu-west-1".parse().unwrap());
        state.found_pipeline("222222222222".parse().unwrap(), Pipeline { arn: PIPELINE.parse().unwrap(), created: begin(), last_run: None }, Some(now));
        state.read_progress(progress);
        state.looked_at_run(round, run);
        state.opened_gates();
        if let Some(grants) = grants {
            state.looked_for_access(grants);
        }
        match next(&state) {
            NextStep::End(JobOutcome::Failed(failure)) => {
                prop_assert!(!failure.message.contains('\n'));
            }
            NextStep::End(JobOutcome::Waiting(Wait::Access(lacking))) => {
                prop_assert!(!lacking.contains('\n'));
            }
            _ => {}
        }
    }

    #[test]
    fn any_text_in_the_parameter_is_a_policy_or_an_error_of_one_line_each(
        cuts in vec((any::<Index>(), text()), 1..4),
        bytes in vec(any::<u8>(), 0..200),
    ) {
        let mut document = POLICY.to_owned();
        for (at, insert) in cuts {
            let at = document.floor_char_boundary(at.index(document.len() + 1));
            let insert: String = insert.chars().take(2_000).collect();
            document.insert_str(at, &insert);
        }
        for text in [document.as_str(), String::from_utf8_lossy(&bytes).as_ref()] {
            if let Err(errors) = Policy::parse(text) {
                for error in &errors {
                    let error = error.to_string();
                    prop_assert!(!error.contains('\n') && error.len() < 5_000, "{}", error);
                }
            }
        }
    }
}

#[test]
fn a_message_nested_as_deep_as_a_queue_allows_is_ignored() {
    for begin in [
        "[",
        "{\"a\":",
        "{\"detail-type\":\"x\",\"detail\":",
        "{\"action\":[",
    ] {
        let message = begin.repeat(250_000 / begin.len());
        on_a_small_stack(move || {
            assert_eq!(trigger::parse(&message).unwrap_err().code(), "not-json");
            assert!(Request::parse(&message).is_err());
            assert!(Token::parse(&message).is_err());
        });
    }
}

#[test]
fn a_policy_nested_as_deep_as_its_parameter_allows_is_refused() {
    for begin in [
        "[", "{", "{a: ", "[{", "- ", "? ", "a: [", "- - ", "!!x [", "&a [", "\"", "'", "|\n ",
        "a:\n ",
    ] {
        for end in ["", "]", "}"] {
            let times = 8_000 / (begin.len() + end.len());
            let policy = format!("{}{}", begin.repeat(times), end.repeat(times));
            on_a_small_stack(move || assert!(Policy::parse(&policy).is_err()));
        }
    }
    let stairs = (0..120).map(|depth| " ".repeat(depth) + "a:\n");
    let stairs: String = stairs.collect();
    on_a_small_stack(move || assert!(Policy::parse(&stairs).is_err()));
}

#[test]
fn a_word_of_megabytes_costs_no_memory_to_say_that_it_is_unknown() {
    let text = format!(
        "{{\"{}\": 1, \"owner\": \"{}\"}}",
        "k".repeat(3_000_000),
        "o".repeat(3_000_000)
    );
    let mistakes = Request::parse(&text).unwrap_err().to_string();
    assert!(mistakes.len() < 2_000, "{}", mistakes.len());
}

#[test]
fn what_ram_says_of_a_refusal_stays_in_quotation_marks() {
    let refused = GrantState::Refused("no\n111111111111: has access by rule readers".to_owned());
    let grant = domain::hook::Grant {
        rule: "readers".parse().unwrap(),
        gate: domain::policy::Gate::Created,
        principal: "111111111111".parse().unwrap(),
        share: None,
        access: refused,
    };
    assert_eq!(
        grant.to_string(),
        "111111111111: RAM refuses it in rule readers: \"no 111111111111: has access by rule readers\""
    );
}
