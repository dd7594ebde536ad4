//! The deployment hook: what it takes for a request, and that its steps lead to an end.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::collections::BTreeMap;

use domain::{
    hook::{
        Access, FailureKind, Identity, Operation, Progress, Request, Round, Run, Seen, Shared,
        Started, Step, Token, check_started, grants, journal, next, policy_for,
    },
    id::{ExecutionArn, PipelineArn, Region},
    notification::FailedStep,
    policy::Policy,
    sharing::{Association, Pipeline},
    status::{AssociationStatus, ExecutionStatus},
};
use jiff::{SignedDuration, Timestamp};

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

fn region() -> Region {
    "us-east-1".parse().unwrap()
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
            "version": 0, "parameters": {"a": [], "b": "LONG", "c": ""}, "execution": "e", "action": "#{variables.x}"}"##
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
        "\"version\": expected the number of a version, 1 or more",
        "\"action\": a variable in it was not replaced by CodePipeline",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

#[test]
fn what_is_no_object_is_told_with_its_place_and_never_quoted() {
    let told = mistakes("{\"a\": hush}");
    assert!(
        told.starts_with("UserParameters: not JSON at line 1, column 7; CodePipeline inserts"),
        "{told}"
    );
    assert_eq!(
        mistakes("[\"hush\"]"),
        "UserParameters: expected a JSON object"
    );
}

#[test]
fn a_name_needs_an_owner_and_an_arn_has_one() {
    let region = region();
    assert!(mistakes(r#"{"pipeline": "churn"}"#).contains("\"owner\": it is missing"));
    let by_arn = Request::parse(&format!("{{\"pipeline\": \"{PIPELINE}\"}}")).unwrap();
    assert_eq!(
        by_arn.owner(None, &region).unwrap().as_str(),
        "222222222222"
    );

    let policy = policy();
    for (owner, expected) in [
        ("test", None),
        ("222222222222", None),
        ("dev", Some("names 222222222222, not 111111111111")),
        ("333333333333", Some("names 222222222222, not 333333333333")),
        ("tset", Some("did you mean \"test\"?")),
    ] {
        let both = format!("{{\"pipeline\": \"{PIPELINE}\", \"owner\": \"{owner}\"}}");
        let owner = Request::parse(&both).unwrap().owner(Some(&policy), &region);
        let mistake = owner.map_err(|mistakes| mistakes.to_string()).err();
        match expected {
            None => assert_eq!(mistake, None),
            Some(part) => assert!(mistake.as_ref().unwrap().contains(part), "{mistake:?}"),
        }
    }
    assert_eq!(
        request("").owner(Some(&policy), &region).unwrap().as_str(),
        "222222222222"
    );
    let misspelled = Request::parse(r#"{"pipeline": "churn", "owner": "tset"}"#).unwrap();
    let told = misspelled
        .owner(Some(&policy), &region)
        .unwrap_err()
        .to_string();
    assert!(told.contains("did you mean \"test\"?"), "{told}");
    let told = misspelled.owner(None, &region).unwrap_err().to_string();
    assert!(told.contains("no policy is in force"), "{told}");
}

#[test]
fn an_unknown_owner_is_told_together_with_what_is_wrong_beside_it() {
    let wrong = r#"{"pipeline": "churn", "owner": "tset", "rum": false}"#;
    let told = Request::parse(wrong).unwrap_err();
    let told = told.and_of_place(Some(&policy()), &region()).to_string();
    for expected in ["did you mean \"run\"?", "did you mean \"test\"?"] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    let elsewhere = PIPELINE.replace("us-east-1", "eu-west-1");
    let wrong = format!("{{\"pipeline\": \"{elsewhere}\", \"owner\": \"dve\", \"run\": 1}}");
    let told = Request::parse(&wrong).unwrap_err();
    let told = told.and_of_place(Some(&policy()), &region()).to_string();
    for expected in [
        "\"run\": expected true or false",
        "the pipeline is in eu-west-1, and this hook serves us-east-1",
        "did you mean \"dev\"?",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

#[test]
fn a_variable_that_codepipeline_left_is_refused_wherever_it_stands() {
    for (text, path) in [
        (
            r##"{"pipeline": "#{A.name}", "owner": "test"}"##,
            "pipeline",
        ),
        (r##"{"pipeline": "churn", "owner": "#{A.owner}"}"##, "owner"),
        (
            r##"{"pipeline": "churn", "owner": "test", "version": "#{A.version}"}"##,
            "version",
        ),
        (
            r##"{"pipeline": "churn", "owner": "test", "execution": "#{A.x}"}"##,
            "execution",
        ),
        (
            r#"{"pipeline": "churn", "owner": "test", "parameters": {"Rows": "a #{A.rows} b"}}"#,
            "parameters.Rows",
        ),
        (
            r##"{"pipeline": "churn", "owner": "test", "parameters": {"#{A.key}": 1}}"##,
            "parameters.#{A.key}",
        ),
        (
            r##"{"pipeline": "churn", "owner": "test", "#{A.key}": 1}"##,
            "#{A.key}",
        ),
    ] {
        let told = Request::parse(text).unwrap_err();
        let told = told.and_of_place(Some(&policy()), &region()).to_string();
        let expected = format!(
            "UserParameters: \"{path}\": a variable in it was not replaced by CodePipeline"
        );
        assert_eq!(told, expected, "and nothing else");
    }
    let deep = r##"{"pipeline": "churn", "owner": "test", "parameters": {"a": [{"b": "#{x}"}]}}"##;
    assert!(mistakes(deep).contains("\"parameters.a.0.b\": a variable"));
}

#[test]
fn a_version_is_a_number_that_a_variable_may_bring_and_needs_a_run() {
    assert_eq!(request(r#", "version": 3"#).version, Some(3));
    assert_eq!(request(r#", "version": "3""#).version, Some(3));
    assert_eq!(request("").version, None);
    for wrong in ["0", "-1", "1.5", "\"newest\"", "\"\"", "[]", "true"] {
        let text =
            format!("{{\"pipeline\": \"churn\", \"owner\": \"test\", \"version\": {wrong}}}");
        let told = mistakes(&text);
        assert!(told.contains("expected the number of a version"), "{told}");
    }
    let told = mistakes(r#"{"pipeline": "churn", "owner": "test", "run": false, "version": 3}"#);
    assert!(told.contains("\"version\": there is no run"), "{told}");
}

#[test]
fn the_hook_ends_before_codepipeline_does() {
    let told = mistakes(
        r#"{"pipeline": "churn", "owner": "test", "runMinutes": 1400, "accessMinutes": 60}"#,
    );
    assert!(told.contains("more than 1410"), "{told}");
    request(r#", "runMinutes": 1400, "share": false"#);
}

fn identity(more: &str, attempt: &str) -> Identity {
    Identity::of(&request(more), &pipeline(), attempt)
}

#[test]
fn attempts_of_one_deployment_have_one_run_and_other_deployments_have_others() {
    let deployment = r#", "execution": "e1", "action": "hook""#;
    let first = identity(deployment, "job1");
    let second = identity(deployment, "job2");
    assert_eq!(first.deployment(), second.deployment());
    assert_eq!(first.display_name(), second.display_name());
    assert_ne!(first.attempt(), second.attempt());
    for other in [
        &deployment.replace("e1", "e2"),
        &deployment.replace("hook", "h"),
        &format!("{deployment}, \"parameters\": {{\"a\": 1}}"),
        &format!("{deployment}, \"version\": 2"),
    ] {
        let other = identity(other, "job1");
        assert_ne!(first.deployment(), other.deployment());
        assert_ne!(first.work(), other.work());
    }
    assert_ne!(
        identity("", "job1").deployment(),
        identity("", "job2").deployment()
    );
    // What does not change the run changes what the attempt is about.
    let patient = identity(&format!("{deployment}, \"runMinutes\": 5"), "job1");
    assert_eq!(first.deployment(), patient.deployment());
    assert_ne!(first.attempt(), patient.attempt());
}

#[test]
fn the_display_name_says_which_deployment_it_is_in_the_letters_of_sagemaker() {
    let name = |more: &str| identity(more, "job1").display_name().to_owned();
    assert!(
        name(r#", "execution": "build-42", "action": "Share""#)
            .starts_with("pipeshare-build-42-Share-")
    );
    assert!(name("").starts_with("pipeshare-job1-"));
    let long = "é-".repeat(200);
    for name in [
        name(&format!(
            r#", "execution": "{}", "action": "{}""#,
            "x".repeat(500),
            "y".repeat(99)
        )),
        name(&format!(r#", "execution": "{long}", "action": "{long}""#)),
    ] {
        assert!(name.len() <= 82, "{name}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        );
    }
}

#[test]
fn a_token_says_which_attempt_it_is_and_nothing_else_is_one() {
    let identity = identity("", "job");
    let mut token = Token::new("job");
    assert_eq!(token.is_of(&identity), Ok(false));
    token.bind(&identity);
    token.failures = 3;
    let read = Token::parse(&token.text()).unwrap();
    assert_eq!(read, token);
    assert_eq!(read.is_of(&identity), Ok(true));
    assert!(
        read.is_of(&self::identity(r#", "runMinutes": 9"#, "job"))
            .is_err()
    );
    assert!(token.text().len() < 2048);
    for forged in [
        "",
        "{}",
        "null",
        &token.text().replace("\"v\":2", "\"v\":1"),
        &token
            .text()
            .replace("\"v\":2", "\"v\":2,\"sharing\":\"2026-01-05T09:00:00Z\""),
    ] {
        assert!(Token::parse(forged).is_err(), "{forged}");
    }
}

fn round(number: u32, operation: Operation) -> Round {
    Round {
        number,
        operation,
        token: "pipeshare-secret".to_owned(),
        at: begin(),
        execution: None,
    }
}

#[test]
fn what_is_written_down_is_read_again_for_the_pipeline_that_it_was_about() {
    let start = round(1, Operation::Start);
    let retry = round(2, Operation::Retry(execution()));
    let mut entries = vec![start.claim(begin())];
    assert_eq!(journal::latest(&entries, begin()), Some(start.clone()));
    entries.push(start.done(begin(), &execution()));
    let done = Round {
        execution: Some(execution()),
        ..start
    };
    assert_eq!(journal::latest(&entries, begin()), Some(done.clone()));
    assert_eq!(done.run(), Some(&execution()));
    entries.push(retry.claim(begin()));
    assert_eq!(journal::latest(&entries, begin()), Some(retry));
    // A pipeline that was made again has no run yet.
    let later = begin() + SignedDuration::from_millis(1);
    assert_eq!(journal::latest(&entries, later), None);

    let entries = [
        journal::began(begin(), later),
        journal::answers(7),
        journal::sharing(later),
    ];
    let expected = Progress {
        began: Some(begin()),
        created: Some(later),
        round: Some(7),
        sharing: Some(later),
    };
    assert_eq!(journal::progress(&entries), expected);
    assert_eq!(journal::progress(&[]), Progress::default());
}

#[test]
fn what_sagemaker_returns_is_taken_only_if_it_was_asked_for() {
    let request = request(r#", "version": 3, "parameters": {"Rows": 7, "Dry": true, "Name": "a"}"#);
    let round = round(1, Operation::Start);
    let parameters = [
        ("Rows", "7.0"),
        ("Dry", "True"),
        ("Name", "a"),
        ("More", "1"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let good = Started {
        pipeline: Some(pipeline()),
        created: Some(begin()),
        version: Some(3),
        parameters: parameters.into(),
    };
    let check = |started: &Started| {
        let checked = check_started(&request, &pipeline(), &round, &execution(), started);
        checked.map_err(|failure| failure.message)
    };
    assert_eq!(check(&good), Ok(()));
    let changed = |change: &dyn Fn(&mut Started)| {
        let mut started = good.clone();
        change(&mut started);
        check(&started).unwrap_err()
    };
    let other = || PIPELINE.replace("churn", "other").parse().ok();
    let told = changed(&|it| it.pipeline = other());
    assert!(told.contains("it is of another pipeline"), "{told}");
    let told = changed(&|it| it.version = Some(2));
    assert!(told.contains("it runs version 2, not 3"), "{told}");
    let told = changed(&|it| it.created = Some(begin() - SignedDuration::from_hours(1)));
    assert!(told.contains("it is older than the wish for it"), "{told}");
    for value in ["8", "", "a"] {
        let told = changed(&|it| drop(it.parameters.insert("Rows".to_owned(), value.to_owned())));
        assert!(told.contains("\"Rows\" is not as requested"), "{told}");
    }
    let told = changed(&|it| drop(it.parameters.remove("Name")));
    assert!(told.contains("\"Name\" is not as requested"), "{told}");
}

fn run(status: ExecutionStatus) -> Run {
    Run {
        status,
        ..Run::started(execution())
    }
}

/// A run of the first round.
fn seen(run: Option<Run>) -> Seen {
    let round = run.as_ref().map(|run| Round {
        execution: Some(run.arn.clone()),
        ..round(1, Operation::Start)
    });
    Seen {
        now: begin(),
        round,
        run,
        grants: None,
    }
}

/// An attempt that answers for the run from this round on.
fn since(round: u32) -> Progress {
    Progress {
        began: Some(begin()),
        round: Some(round),
        ..Progress::default()
    }
}

#[test]
fn a_run_that_failed_is_run_again_by_the_next_attempt_but_not_by_its_own() {
    let request = request("");
    let new = Progress::default();
    let start = Step::Begin(Operation::Start);
    assert_eq!(next(&request, &new, &seen(None)), start);
    let partly = run(ExecutionStatus::CompletedWithFailures);
    assert_eq!(next(&request, &new, &seen(Some(partly))), start);
    let failed = Run {
        failed_steps: vec![FailedStep {
            name: "Train".to_owned(),
            reason: Some("bad luck".to_owned()),
        }],
        ..run(ExecutionStatus::Failed)
    };
    let again = Step::Begin(Operation::Retry(execution()));
    assert_eq!(next(&request, &new, &seen(Some(failed.clone()))), again);
    // It has written down that the next round is its own, and was killed before it claimed it.
    assert_eq!(
        next(&request, &since(2), &seen(Some(failed.clone()))),
        again
    );
    let Step::Fail(failure) = next(&request, &since(1), &seen(Some(failed))) else {
        panic!("it failed");
    };
    assert_eq!(failure.kind, FailureKind::JobFailed);
    let expected = format!(
        "{} ended as Failed: step Train failed: bad luck",
        execution()
    );
    assert_eq!(failure.message, expected);
}

#[test]
fn a_run_is_adopted_unless_it_ends_badly() {
    use ExecutionStatus::{Executing, Failed, Stopped, Stopping, Succeeded};
    let step = |status| next(&request(""), &Progress::default(), &seen(Some(run(status))));
    assert_eq!(step(Executing), Step::Adopt(1));
    assert!(matches!(step(Stopping), Step::Wait(_)));
    assert_eq!(step(Succeeded), Step::Share);
    for status in [Stopped, Failed] {
        assert_eq!(step(status), Step::Begin(Operation::Retry(execution())));
    }
}

#[test]
fn what_was_begun_is_finished_by_whoever_comes_next() {
    use ExecutionStatus::{Executing, Failed, Stopping, Succeeded};
    let start = round(1, Operation::Start);
    let mut unfinished = seen(None);
    unfinished.round = Some(start.clone());
    let step = |seen: &Seen| next(&request(""), &Progress::default(), seen);
    assert_eq!(step(&unfinished), Step::Perform(start));
    let retry = round(2, Operation::Retry(execution()));
    unfinished.round = Some(retry.clone());
    let mut step = |status| {
        unfinished.run = Some(run(status));
        step(&unfinished)
    };
    assert_eq!(step(Failed), Step::Perform(retry.clone()));
    assert!(matches!(step(Stopping), Step::Wait(_)));
    for status in [Executing, Succeeded] {
        assert_eq!(step(status), Step::Settle(retry.clone(), execution()));
    }
}

#[test]
fn a_run_that_takes_too_long_is_not_waited_for() {
    let request = request(r#", "runMinutes": 10"#);
    for status in [ExecutionStatus::Executing, ExecutionStatus::Stopping] {
        let mut seen = seen(Some(run(status.clone())));
        assert!(matches!(next(&request, &since(1), &seen), Step::Wait(_)));
        seen.now = begin() + SignedDuration::from_mins(10);
        let Step::Fail(failure) = next(&request, &since(1), &seen) else {
            panic!("it is over");
        };
        let told = format!("still {status} after 10 minutes");
        assert!(failure.message.contains(&told), "{failure}");
    }
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
    let mut progress = Progress::default();
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
