//! The deployment hook: what it takes for a request, and that its steps lead to an end.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    hook::{
        Access, FailureKind, Grant, Identity, Progress, Request, Run, Seen, Shared, Step, grants,
        next, policy_for,
    },
    id::{ExecutionArn, PipelineArn},
    notification::FailedStep,
    policy::{Gate, Policy},
    sharing::{Association, Pipeline},
    status::{AssociationStatus, ExecutionStatus},
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";

fn pipeline() -> PipelineArn {
    PIPELINE.parse().unwrap()
}

fn execution() -> ExecutionArn {
    format!("{PIPELINE}/execution/abcdefghijkl")
        .parse()
        .unwrap()
}

fn request(more: &str) -> Request {
    Request::parse(&format!(
        "{{\"pipeline\":\"churn\",\"owner\":\"test\"{more}}}"
    ))
    .unwrap()
}

fn mistakes(text: &str) -> String {
    Request::parse(text).unwrap_err().to_string()
}

fn begin() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

fn policy() -> Policy {
    Policy::parse(
        "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\", ops: \"333333333333\" }\n\
         rules:\n\
         - { name: created, owner: test, pipelines: [\"*\"], with: [dev], after: created }\n\
         - { name: proved, owner: test, pipelines: [\"*\"], with: [ops], after: succeeded }\n\
         - { name: other, owner: test, pipelines: [other], with: [dev], after: created }\n",
    )
    .unwrap()
}

#[test]
fn every_mistake_of_a_request_is_told_at_once_with_what_may_be_meant() {
    let told = mistakes(
        &r##"{"pipline": "churn", "owner": 7, "run": "no", "runMinutes": 0, "accessMinutes": "long",
            "parameters": {"a": [], "b": "LONG", "c": ""}, "execution": "e", "action": "#{variables.x}"}"##
            .replace("LONG", &"é".repeat(1025)),
    );
    assert!(!told.contains("parameters.c"), "{told}");
    for expected in [
        "UserParameters: ",
        "unknown key \"pipline\"; did you mean \"pipeline\"?",
        "\"pipeline\": it is missing",
        "\"owner\": expected a text, but found a number",
        "\"run\": expected true or false, without quotes, but found a text",
        "\"runMinutes\": expected 1 to 1410",
        "\"accessMinutes\": expected a number of minutes, 1 to 1410, but found a text",
        "\"parameters.a\": expected a text, a number, true or false, but found a list",
        "\"parameters.b\": SageMaker takes at most 1024 characters",
        "\"action\": a variable in it was not replaced by CodePipeline",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

#[test]
fn what_is_no_object_is_told_with_its_place_and_never_quoted() {
    assert_eq!(
        mistakes("{\"a\": hush}"),
        "UserParameters: not JSON at line 1, column 7"
    );
    assert_eq!(
        mistakes("[\"hush\"]"),
        "UserParameters: expected a JSON object"
    );
}

#[test]
fn a_name_needs_an_owner_and_an_arn_has_one() {
    assert!(mistakes(r#"{"pipeline": "churn"}"#).contains("\"owner\": it is missing"));
    let by_arn = Request::parse(&format!("{{\"pipeline\": \"{PIPELINE}\"}}")).unwrap();
    assert_eq!(by_arn.owner(None).unwrap().as_str(), "222222222222");

    let policy = policy();
    for (owner, expected) in [
        ("test", None),
        ("222222222222", None),
        ("dev", Some("names 222222222222, not 111111111111")),
        ("333333333333", Some("names 222222222222, not 333333333333")),
        ("tset", Some("did you mean \"test\"?")),
    ] {
        let both = format!("{{\"pipeline\": \"{PIPELINE}\", \"owner\": \"{owner}\"}}");
        let owner = Request::parse(&both).unwrap().owner(Some(&policy));
        let mistake = owner.map_err(|mistakes| mistakes.to_string()).err();
        match expected {
            None => assert_eq!(mistake, None),
            Some(part) => assert!(mistake.as_ref().unwrap().contains(part), "{mistake:?}"),
        }
    }
    assert_eq!(
        request("").owner(Some(&policy)).unwrap().as_str(),
        "222222222222"
    );
    let misspelled = Request::parse(r#"{"pipeline": "churn", "owner": "tset"}"#).unwrap();
    let told = misspelled.owner(Some(&policy)).unwrap_err().to_string();
    assert!(told.contains("did you mean \"test\"?"), "{told}");
    let told = misspelled.owner(None).unwrap_err().to_string();
    assert!(told.contains("no policy is in force"), "{told}");
}

#[test]
fn the_hook_ends_before_codepipeline_does() {
    let told = mistakes(
        r#"{"pipeline": "churn", "owner": "test", "runMinutes": 1400, "accessMinutes": 60}"#,
    );
    assert!(told.contains("more than 1410"), "{told}");
    request(r#", "runMinutes": 1400, "share": false"#);
}

#[test]
fn attempts_of_one_deployment_have_one_run_and_other_deployments_have_others() {
    let name = |more: &str, attempt: &str| {
        Identity::of(&request(more), &pipeline(), attempt).display_name()
    };
    let deployment = r#", "execution": "e1", "action": "hook""#;
    let is_of = |name: &str, more: &str, attempt: &str| {
        Identity::of(&request(more), &pipeline(), attempt).is_of_deployment(name)
    };
    let first = name(deployment, "job1");
    assert!(is_of(&first, deployment, "job1") && is_of(&first, deployment, "job2"));
    assert_ne!(first, name(deployment, "job2"), "who started it is told");
    let other = format!("{deployment}, \"parameters\": {{\"a\": 1}}");
    for other in [
        &deployment.replace("e1", "e2"),
        &deployment.replace("hook", "h"),
        &other,
    ] {
        assert!(!is_of(&first, other, "job1"), "{other}");
    }
    assert!(!is_of(&name("", "job1"), "", "job2"));
    assert!(!is_of("by-hand", deployment, "job1"));

    let retry =
        |attempt: &str| Identity::of(&request(deployment), &pipeline(), attempt).retry_token();
    assert_ne!(retry("job1"), retry("job2"));
    assert!((32..=128).contains(&retry("job1").len()));
    assert!(name("", "job1").len() <= 82);
}

#[test]
fn a_token_brings_back_what_was_known_and_nothing_else_is_one() {
    let mut progress = Progress::new("job");
    progress.began = Some(begin());
    progress.execution = Some(execution());
    progress.sharing = Some(begin());
    assert_eq!(Progress::parse(&progress.token()).unwrap(), progress);
    assert!(progress.token().len() < 2048);
    for token in [
        "",
        "{}",
        "null",
        &progress.token().replace("\"v\":1", "\"v\":2"),
    ] {
        assert!(Progress::parse(token).is_err(), "{token}");
    }
}

fn run(status: ExecutionStatus) -> Run {
    Run {
        status,
        ..Run::started(execution())
    }
}

fn seen(run: Option<Run>) -> Seen {
    Seen {
        now: begin(),
        run,
        grants: None,
    }
}

#[test]
fn a_run_that_failed_is_run_again_by_the_next_attempt_but_not_by_its_own() {
    let request = request("");
    let first = Progress::new("job");
    assert_eq!(next(&request, &first, &seen(None)), Step::Start);
    let partly = run(ExecutionStatus::CompletedWithFailures);
    assert_eq!(next(&request, &first, &seen(Some(partly))), Step::Start);
    let failed = Run {
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: Some("bad luck".into()),
        }],
        ..run(ExecutionStatus::Failed)
    };
    let again = next(
        &request,
        &Progress::new("next"),
        &seen(Some(failed.clone())),
    );
    assert_eq!(again, Step::Retry(execution()));
    let mut own = first;
    own.execution = Some(execution());
    let Step::Fail(failure) = next(&request, &own, &seen(Some(failed))) else {
        panic!("it failed");
    };
    assert_eq!(failure.kind, FailureKind::JobFailed);
    let expected = format!(
        "{} ended as Failed: step Train failed: \"bad luck\"",
        execution()
    );
    assert_eq!(failure.message, expected);
}

#[test]
fn a_run_is_adopted_unless_somebody_else_started_it_and_it_ends_badly() {
    use ExecutionStatus::{Executing, Failed, Stopped, Stopping, Succeeded};
    for status in [Executing, Stopping, Stopped, Failed, Succeeded] {
        let own = run(status.clone());
        let other = Run {
            own: false,
            ..own.clone()
        };
        assert!(own.is_adoptable(), "{status}");
        assert_eq!(
            other.is_adoptable(),
            [Executing, Succeeded].contains(&status),
            "{status}"
        );
    }
}

#[test]
fn a_run_that_takes_too_long_is_not_waited_for() {
    let request = request(r#", "runMinutes": 10"#);
    let mut progress = Progress::new("job");
    progress.began = Some(begin());
    progress.execution = Some(execution());
    let mut seen = seen(Some(run(ExecutionStatus::Executing)));
    assert!(matches!(next(&request, &progress, &seen), Step::Wait(_)));
    seen.now = begin() + SignedDuration::from_mins(10);
    let Step::Fail(failure) = next(&request, &progress, &seen) else {
        panic!("it is over");
    };
    assert!(failure.message.contains("still Executing after 10 minutes"));
}

fn association(entity: &str, status: AssociationStatus) -> Association {
    Association {
        entity: entity.to_owned(),
        status,
        message: None,
        created: None,
    }
}

fn shared(name: &str, pipeline: AssociationStatus, principal: AssociationStatus) -> Shared {
    Shared {
        share: "arn:aws:ram:us-east-1:222222222222:resource-share/s"
            .parse()
            .unwrap(),
        name: name.to_owned(),
        pipeline: association(PIPELINE, pipeline),
        principals: vec![association("111111111111", principal)],
    }
}

#[test]
fn who_has_access_follows_from_the_rules_about_the_pipeline_and_their_shares() {
    use AssociationStatus::{Associated, Associating, Disassociated};
    let deployed = |created| Pipeline {
        arn: pipeline(),
        created,
    };
    let of = |shares: &[Shared]| {
        let grants = grants(&policy(), &deployed(begin()), shares);
        let access = grants
            .into_iter()
            .map(|it| (it.rule.to_string(), it.access));
        access.collect::<BTreeMap<_, _>>()
    };
    let share = |pipeline, principal| {
        vec![
            shared("pipeshare-created.111111111111", Disassociated, Associated),
            shared("pipeshare-created.111111111111", pipeline, principal),
            shared("pipeshare-proved.333333333333", Associated, Associated),
        ]
    };
    assert_eq!(
        of(&[]).into_keys().collect::<Vec<_>>(),
        ["created", "proved"]
    );
    assert_eq!(of(&[])["created"], Access::NotShared);
    assert_eq!(
        of(&share(Associated, Associated))["created"],
        Access::Granted
    );
    assert_eq!(
        of(&share(Associated, Associating))["created"],
        Access::Invited
    );
    assert_eq!(
        of(&share(Associating, Associated))["created"],
        Access::Invited
    );
    assert_eq!(
        of(&share(Associated, Disassociated))["created"],
        Access::NotShared
    );
    // The share of the other rule is for somebody else.
    assert_eq!(
        of(&share(Associated, Associated))["proved"],
        Access::NotShared
    );
    // What was associated before the pipeline was made is of a namesake.
    let mut old = share(Associated, Associated);
    for shared in &mut old {
        shared.pipeline.created = Some(begin() - SignedDuration::from_secs(1));
    }
    assert_eq!(of(&old)["created"], Access::NotShared);
}

#[test]
fn sharing_what_no_rule_names_is_a_mistake_that_is_told_at_once() {
    let policy = policy();
    let asked = |more: &str, policy: Option<&Policy>, arn: &str| {
        let policy = policy_for(&request(more), policy, &arn.parse().unwrap());
        policy
            .map(|policy| policy.is_some())
            .map_err(|failure| (failure.kind, failure.message))
    };
    assert_eq!(asked("", Some(&policy), PIPELINE), Ok(true));
    let unnamed = PIPELINE.replace("222222222222", "111111111111");
    assert_eq!(
        asked(r#", "share": false"#, Some(&policy), &unnamed),
        Ok(false)
    );
    assert_eq!(asked(r#", "share": false"#, None, &unnamed), Ok(false));
    let (kind, message) = asked("", Some(&policy), &unnamed).unwrap_err();
    assert_eq!(kind, FailureKind::ConfigurationError);
    assert!(
        message.contains("no rule") && message.contains(&unnamed),
        "{message}"
    );
    let (_, message) = asked("", None, PIPELINE).unwrap_err();
    assert!(message.contains("no policy is in force"), "{message}");
}

#[test]
fn whoever_lacks_access_in_the_end_is_named() {
    let request = request(r#", "run": false, "accessMinutes": 60"#);
    let mut progress = Progress::new("job");
    assert_eq!(next(&request, &progress, &seen(None)), Step::Share);
    progress.sharing = Some(begin());
    let mut seen = seen(None);
    let deployed = Pipeline {
        arn: pipeline(),
        created: begin(),
    };
    seen.grants = Some(grants(&policy(), &deployed, &[]));
    assert!(matches!(next(&request, &progress, &seen), Step::Wait(_)));
    seen.now = begin() + SignedDuration::from_hours(1);
    let Step::Fail(failure) = next(&request, &progress, &seen) else {
        panic!("it is over");
    };
    assert!(
        failure
            .message
            .contains("111111111111: not shared by rule created"),
        "{failure}"
    );
    let gated =
        "333333333333: not shared by rule proved yet, which asks for a run that has succeeded";
    assert!(failure.message.contains(gated), "{failure}");
    let impatient = Request::parse(
        r#"{"pipeline": "churn", "owner": "test", "run": false, "waitForAccess": false}"#,
    );
    assert_eq!(next(&impatient.unwrap(), &progress, &seen), Step::Succeed);
}

/// What may happen between two invocations.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    RunEnds(bool),
    Access,
    /// What the invocation knew is lost, as when it is killed.
    Forget,
    /// Somebody retries the stage.
    NewAttempt,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Nothing),
        any::<bool>().prop_map(Event::RunEnds),
        Just(Event::Access),
        Just(Event::Forget),
        Just(Event::NewAttempt),
    ]
}

/// SageMaker and RAM, as far as the hook touches them.
struct World {
    run: Option<Run>,
    starts: usize,
    retries: Vec<String>,
    access: bool,
}

/// One invocation: goes on until it has to wait, and returns how it ended.
fn invoke(world: &mut World, request: &Request, progress: &mut Progress, now: Timestamp) -> Step {
    progress.began.get_or_insert(now);
    if let Some(run) = world.run.as_ref().filter(|run| run.is_adoptable()) {
        progress.execution = Some(run.arn.clone());
    }
    for _ in 0..10 {
        let access = if world.access {
            Access::Granted
        } else {
            Access::Invited
        };
        let grant = Grant {
            rule: "r".parse().unwrap(),
            gate: Gate::Created,
            principal: "111111111111".parse().unwrap(),
            share: None,
            access,
        };
        let seen = Seen {
            now,
            run: world.run.clone(),
            grants: progress.sharing.map(|_| vec![grant]),
        };
        match next(request, progress, &seen) {
            Step::Start => {
                world.starts += 1;
                world.run = Some(run(ExecutionStatus::Executing));
                progress.execution = Some(execution());
            }
            Step::Retry(arn) => {
                world.retries.push(progress.attempt.clone());
                world.run = Some(run(ExecutionStatus::Executing));
                progress.execution = Some(arn);
            }
            Step::Share => progress.sharing = Some(now),
            end => return end,
        }
    }
    panic!("an invocation ends");
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Whatever happens: one start, no success without what it stands for, and always an end.
    #[test]
    fn every_deployment_ends_and_its_end_is_true(
        events in vec(event(), 0..40),
        run in any::<bool>(),
        share in any::<bool>(),
    ) {
        let request = request(&format!(
            ", \"run\": {run}, \"share\": {share}, \"runMinutes\": 100, \"accessMinutes\": 50"
        ));
        let mut world = World { run: None, starts: 0, retries: Vec::new(), access: false };
        let mut progress = Progress::new("job0");
        let mut attempts = 0;
        let mut now = begin();
        let quiet = std::iter::repeat_n(Event::Nothing, 200);
        let mut end = None;
        for event in events.into_iter().chain(quiet) {
            match event {
                Event::Nothing => {}
                Event::RunEnds(well) => {
                    let status = if well { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
                    if let Some(run) = world.run.as_mut().filter(|run| !run.status.is_terminal()) {
                        run.status = status;
                    }
                }
                Event::Access => world.access = true,
                Event::Forget => {
                    let began = progress.began;
                    progress = Progress::new(progress.attempt);
                    progress.began = began;
                }
                Event::NewAttempt => {
                    attempts += 1;
                    progress = Progress::new(format!("job{attempts}"));
                    if let Some(run) = &mut world.run {
                        run.own = false;
                    }
                }
            }
            now += SignedDuration::from_mins(1);
            let step = invoke(&mut world, &request, &mut progress, now);
            prop_assert_eq!(Progress::parse(&progress.token()), Ok(progress.clone()));
            match step {
                Step::Wait(_) => {}
                Step::Succeed => {
                    let succeeded = |run: &Run| run.status == ExecutionStatus::Succeeded;
                    prop_assert!(!run || world.run.as_ref().is_some_and(succeeded));
                    prop_assert!(!share || world.access);
                    end = Some(step);
                }
                Step::Fail(ref failure) => {
                    prop_assert!(!failure.message.is_empty());
                    end = Some(step);
                }
                other => prop_assert!(false, "{other:?} is no end"),
            }
            if end.is_some() {
                break;
            }
        }
        prop_assert!(end.is_some(), "it never ended");
        prop_assert!(world.starts <= 1);
        let once: BTreeSet<_> = world.retries.iter().collect();
        prop_assert_eq!(once.len(), world.retries.len(), "an attempt runs a failure again once");
    }
}
