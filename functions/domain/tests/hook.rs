//! The deployment hook: what it takes for a request, and that its steps lead to an end.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::collections::BTreeMap;

use domain::{
    execution::{Details, FailedStep},
    hook::{
        self, Act, Deployed, ErrorKind, FailedCall, FailureKind, GrantState, Identity, JobOutcome,
        NextStep, Operation, Progress, Question, Request, Round, Shared, Started, State, Token,
        Wait, check_started, grants, journal, policy_for, runs_already,
    },
    id::{AccountId, ExecutionArn, PipelineArn, Region},
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

fn run(status: ExecutionStatus) -> Details {
    Details::of(status)
}

fn deployed() -> Pipeline {
    Pipeline {
        arn: pipeline(),
        created: begin(),
        last_run: None,
    }
}

fn owner() -> AccountId {
    "222222222222".parse().unwrap()
}

fn site() -> Box<Deployed> {
    Box::new(Deployed {
        owner: owner(),
        pipeline: deployed(),
        identity: identity("", "job"),
    })
}

/// What is to be done next, here always for the same request.
fn next(state: &State) -> NextStep {
    match hook::next(state) {
        NextStep::Act(_, act) => NextStep::Act(site(), act),
        NextStep::Observe(Question::Progress(_)) => NextStep::Observe(Question::Progress(site())),
        NextStep::Observe(Question::Run(_)) => NextStep::Observe(Question::Run(site())),
        NextStep::Observe(Question::Access(_)) => NextStep::Observe(Question::Access(site())),
        step => step,
    }
}

/// An attempt that has begun, and answers for the run from this round on.
fn since(round: Option<u32>) -> Progress {
    Progress {
        began: Some(begin()),
        created: Some(begin()),
        round,
        sharing: None,
    }
}

/// An attempt that knows how far it is and what the run does, at this time.
fn at(
    now: Timestamp,
    more: &str,
    progress: Progress,
    round: Option<Round>,
    run: Option<Details>,
) -> State {
    let mut state = State::new(request(more), Token::new("job"));
    state.read_policy(Some(policy()), &region());
    state.found_pipeline(owner(), deployed(), Some(now));
    state.read_progress(progress);
    state.looked_at_run(round, run);
    state
}

/// What an attempt does about this run of the first round.
fn step(progress: Progress, run: Option<Details>) -> NextStep {
    next(&of_first_round(progress, run))
}

fn of_first_round(progress: Progress, run: Option<Details>) -> State {
    let round = run.as_ref().map(|_| Round {
        execution: Some(execution()),
        ..round(1, Operation::Start)
    });
    at(begin(), "", progress, round, run)
}

fn answer_from(round: u32) -> NextStep {
    NextStep::Act(site(), Act::Write(journal::answers(round)))
}

fn claim(operation: Operation) -> NextStep {
    NextStep::Act(site(), Act::Claim(operation))
}

/// The message of an end that is a failure of the job.
fn failure(step: NextStep) -> String {
    let NextStep::End(JobOutcome::Failed(failure)) = step else {
        panic!("it failed: {step:?}");
    };
    assert_eq!(failure.kind, FailureKind::JobFailed);
    failure.message
}

fn is_waiting(step: &NextStep) -> bool {
    matches!(step, NextStep::End(JobOutcome::Waiting(_)))
}

#[test]
fn what_is_not_known_is_found_out_first_and_the_beginning_is_written_down() {
    let mut state = State::new(request(""), Token::new("job"));
    assert_eq!(next(&state), NextStep::Observe(Question::Policy));
    state.read_policy(Some(policy()), &region());
    assert_eq!(next(&state), NextStep::Observe(Question::Pipeline(owner())));
    state.found_pipeline(owner(), deployed(), Some(begin()));
    assert_eq!(next(&state), NextStep::Observe(Question::Progress(site())));
    state.read_progress(Progress::default());
    let began = journal::began(begin(), begin());
    assert_eq!(
        next(&state),
        NextStep::Act(site(), Act::Write(began.clone()))
    );
    let mut slower = state.clone();
    slower.wrote(&began, false);
    assert_eq!(next(&slower), NextStep::Observe(Question::Progress(site())));
    state.wrote(&began, true);
    assert_eq!(next(&state), NextStep::Observe(Question::Run(site())));
    let identity = identity("", "job");
    assert_eq!(state.token().is_of(&identity), Ok(true));
}

#[test]
fn a_pipeline_that_took_the_place_of_the_one_that_ran_is_not_let_in() {
    let later = begin() + SignedDuration::from_millis(1);
    for progress in [since(None), since(Some(1))] {
        let mut state = State::new(request(""), Token::new("job"));
        state.read_policy(Some(policy()), &region());
        state.found_pipeline(
            owner(),
            Pipeline {
                created: later,
                ..deployed()
            },
            Some(later),
        );
        state.read_progress(progress);
        let told = failure(next(&state));
        assert!(told.contains("deleted and made again"), "{told}");
    }
}

#[test]
fn a_token_of_other_work_or_of_work_that_nobody_remembers_is_refused() {
    let bound = |more: &str| {
        let mut token = Token::new("job");
        token.bind(&identity(more, "job"));
        token
    };
    let end = |token: Token, progress: Progress| {
        let mut state = State::new(request(""), token);
        state.read_policy(Some(policy()), &region());
        state.found_pipeline(owner(), deployed(), Some(begin()));
        if next(&state) == NextStep::Observe(Question::Progress(site())) {
            state.read_progress(progress);
        }
        next(&state)
    };
    assert_eq!(
        end(bound(""), since(Some(1))),
        NextStep::Observe(Question::Run(site()))
    );
    for (token, progress) in [
        (bound(r#", "runMinutes": 9"#), since(Some(1))),
        (bound(""), Progress::default()),
    ] {
        let NextStep::End(JobOutcome::Failed(failure)) = end(token, progress) else {
            panic!("it is refused");
        };
        assert_eq!(failure.kind, FailureKind::ConfigurationError);
        assert!(failure.message.contains("belongs to no attempt"));
    }
}

#[test]
fn a_run_that_failed_is_run_again_by_the_next_attempt_but_not_by_its_own() {
    assert_eq!(step(since(None), None), answer_from(1));
    assert_eq!(step(since(Some(1)), None), claim(Operation::Start));
    let partly = run(ExecutionStatus::CompletedWithFailures);
    assert_eq!(
        step(since(Some(2)), Some(partly)),
        claim(Operation::Start),
        "SageMaker does not run it again"
    );
    let failed = Details {
        failed_steps: vec![FailedStep {
            name: "Train".into(),
            reason: Some("bad luck".into()),
        }],
        ..run(ExecutionStatus::Failed)
    };
    assert_eq!(step(since(None), Some(failed.clone())), answer_from(2));
    // It has written down that the next round is its own, and was killed before it claimed it.
    let again = claim(Operation::Retry(execution()));
    assert_eq!(step(since(Some(2)), Some(failed.clone())), again);
    let expected = format!(
        "{} ended as Failed: step Train failed: \"bad luck\"",
        execution()
    );
    assert_eq!(failure(step(since(Some(1)), Some(failed))), expected);
}

#[test]
fn a_round_that_another_attempt_was_faster_to_claim_serves_both() {
    let mut state = of_first_round(since(Some(2)), Some(run(ExecutionStatus::Failed)));
    let round = state.round(Operation::Retry(execution()), "secret".to_owned());
    assert_eq!((round.number, round.at), (2, begin()));
    let mut slower = state.clone();
    slower.claimed(round.clone(), false);
    assert_eq!(next(&slower), NextStep::Observe(Question::Run(site())));
    state.claimed(round.clone(), true);
    // A retry is about an execution that is known, and nobody has read it since.
    assert_eq!(state.execution(), Some(&execution()));
    assert_eq!(next(&state), NextStep::Act(site(), Act::Perform(round)));
}

#[test]
fn a_run_is_adopted_unless_it_ends_badly() {
    use ExecutionStatus::{Executing, Failed, Stopped, Stopping, Succeeded};
    let step = |status| step(since(None), Some(run(status)));
    assert_eq!(step(Executing), answer_from(1));
    assert!(is_waiting(&step(Stopping)));
    assert_eq!(step(Succeeded), NextStep::Act(site(), Act::Share));
    for status in [Stopped, Failed] {
        assert_eq!(step(status), answer_from(2));
    }
}

#[test]
fn what_was_begun_is_finished_by_whoever_comes_next() {
    use ExecutionStatus::{Executing, Failed, Stopping, Succeeded};
    let start = round(1, Operation::Start);
    let unfinished = |round: &Round, run| {
        let state = at(begin(), "", since(None), Some(round.clone()), run);
        next(&state)
    };
    let perform = |round: &Round| NextStep::Act(site(), Act::Perform(round.clone()));
    assert_eq!(unfinished(&start, None), perform(&start));
    let retry = round(2, Operation::Retry(execution()));
    let step = |status| unfinished(&retry, Some(run(status)));
    assert_eq!(step(Failed), perform(&retry));
    assert!(is_waiting(&step(Stopping)));
    let settle = NextStep::Act(site(), Act::Settle(retry.clone(), execution()));
    for status in [Executing, Succeeded] {
        assert_eq!(step(status), settle);
    }
}

#[test]
fn a_run_that_was_begun_just_now_is_for_the_next_invocation_to_see() {
    let first = round(1, Operation::Start);
    let begun = || {
        let mut state = at(begin(), "", since(Some(1)), Some(first.clone()), None);
        state.performed(execution());
        state
    };
    let waits = format!("{} is Executing", execution());
    let is_begun = |state: &State| match next(state) {
        NextStep::End(JobOutcome::Waiting(wait)) => wait.to_string() == waits,
        _ => false,
    };
    let mut state = begun();
    assert!(is_begun(&state));
    assert!(!state.is_as_asked(&first, None), "it is not visible yet");
    assert!(is_begun(&state));
    let mut started = Started {
        pipeline: Some(pipeline()),
        created: Some(begin()),
        version: None,
        parameters: BTreeMap::new(),
    };
    assert!(state.is_as_asked(&first, Some(&started)));
    assert!(is_begun(&state));
    started.pipeline = None;
    assert!(!state.is_as_asked(&first, Some(&started)));
    let told = failure(next(&state));
    assert!(told.contains("it is of another pipeline"), "{told}");
    assert_eq!(state.execution(), Some(&execution()), "people see which");
}

#[test]
fn a_retry_is_needed_only_of_a_run_that_is_over() {
    use ExecutionStatus::{Executing, Failed, Stopped, Stopping, Succeeded};
    for (status, runs) in [
        (Executing, true),
        (Stopping, true),
        (Succeeded, true),
        (Failed, false),
        (Stopped, false),
    ] {
        assert_eq!(runs_already(Some(&run(status.clone()))), runs, "{status}");
    }
    assert!(!runs_already(None), "it is gone");
}

#[test]
fn a_run_that_takes_too_long_is_not_waited_for() {
    let more = r#", "runMinutes": 10"#;
    let known = Round {
        execution: Some(execution()),
        ..round(1, Operation::Start)
    };
    for status in [ExecutionStatus::Executing, ExecutionStatus::Stopping] {
        let step = |minutes| {
            let now = begin() + SignedDuration::from_mins(minutes);
            let run = Some(run(status.clone()));
            next(&at(now, more, since(Some(1)), Some(known.clone()), run))
        };
        assert!(is_waiting(&step(0)));
        let told = failure(step(10));
        let expected = format!("still {status} after 10 minutes");
        assert!(told.contains(&expected), "{told}");
    }
}

fn association(entity: &str, status: AssociationStatus) -> Association {
    Association {
        entity: entity.to_owned(),
        status,
        message: None,
        created: None,
        updated: None,
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
    let of = |shares: &[Shared]| {
        let grants = grants(&policy(), &deployed(), shares);
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
    assert_eq!(of(&[])["created"], GrantState::NotShared);
    assert_eq!(
        of(&share(Associated, Associated))["created"],
        GrantState::Granted
    );
    assert_eq!(
        of(&share(Associated, Associating))["created"],
        GrantState::Invited
    );
    assert_eq!(
        of(&share(Associating, Associated))["created"],
        GrantState::Invited
    );
    assert_eq!(
        of(&share(Associated, Disassociated))["created"],
        GrantState::NotShared
    );
    // The share of the other rule is for somebody else.
    assert_eq!(
        of(&share(Associated, Associated))["proved"],
        GrantState::NotShared
    );
    // What was associated before the pipeline was made is of an earlier pipeline of its name.
    let mut old = share(Associated, Associated);
    for shared in &mut old {
        shared.pipeline.created = Some(begin() - SignedDuration::from_secs(1));
    }
    assert_eq!(of(&old)["created"], GrantState::NotShared);
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

/// An attempt that runs nothing and has asked for sharing.
fn sharing(more: &str, now: Timestamp) -> State {
    let progress = Progress {
        sharing: Some(begin()),
        ..since(None)
    };
    at(
        now,
        &format!(", \"run\": false{more}"),
        progress,
        None,
        None,
    )
}

#[test]
fn whoever_lacks_access_in_the_end_is_named() {
    let unshared = at(begin(), r#", "run": false"#, since(None), None, None);
    assert_eq!(next(&unshared), NextStep::Act(site(), Act::Share));
    let hour = begin() + SignedDuration::from_hours(1);
    let looked = |more: &str, now| {
        let mut state = sharing(more, now);
        // A rule that is new since then may wait for the hook, too.
        assert_eq!(next(&state), NextStep::Act(site(), Act::OpenGates));
        state.opened_gates();
        assert_eq!(next(&state), NextStep::Observe(Question::Access(site())));
        state.looked_for_access(grants(&policy(), &deployed(), &[]));
        next(&state)
    };
    assert!(is_waiting(&looked(r#", "accessMinutes": 60"#, begin())));
    let told = failure(looked(r#", "accessMinutes": 60"#, hour));
    assert!(
        told.contains("111111111111: not shared by rule created"),
        "{told}"
    );
    let gated =
        "333333333333: not shared by rule proved yet, which asks for a run that has succeeded";
    assert!(told.contains(gated), "{told}");
    let impatient = looked(r#", "waitForAccess": false"#, hour);
    assert_eq!(impatient, NextStep::End(JobOutcome::Succeeded));
}

#[test]
fn what_was_shared_once_stays_shared_whatever_becomes_of_the_run() {
    let progress = Progress {
        sharing: Some(begin()),
        ..since(Some(1))
    };
    let step = step(progress, Some(run(ExecutionStatus::Failed)));
    assert_eq!(step, NextStep::Act(site(), Act::OpenGates));
}

#[test]
fn a_success_says_who_has_access_and_later_actions_can_use_it() {
    use AssociationStatus::Associated;
    let mut state = of_first_round(since(Some(1)), Some(run(ExecutionStatus::Succeeded)));
    assert_eq!(state.success(), "run succeeded; not shared");
    state.asked_to_share();
    let shares = [shared("pipeshare-created", Associated, Associated)];
    state.looked_for_access(grants(&policy(), &deployed(), &shares));
    assert_eq!(state.success(), "run succeeded; 1 of 2 have access");
    let share = "arn:aws:ram:us-east-1:222222222222:resource-share/s";
    let known = |text: &str| Some(text.to_owned());
    assert_eq!(
        state.variables(),
        [
            ("pipelineArn", known(PIPELINE)),
            ("executionArn", known(execution().as_str())),
            ("shareArns", known(share)),
            ("consumers", known("111111111111")),
        ]
    );
    assert_eq!(
        sharing("", begin()).variables()[1..]
            .iter()
            .filter(|it| it.1.is_some())
            .count(),
        0
    );
    assert_eq!(
        sharing("", begin()).success(),
        "not run; 0 of 0 have access"
    );
}

#[test]
fn the_rules_that_wait_for_the_hook_are_those_about_the_pipeline_if_it_is_to_be_shared() {
    let gated = Policy::parse(
        "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\" }\nrules:\n\
         - { name: created, owner: test, pipelines: [\"*\"], with: [dev], after: created }\n\
         - { name: gated, owner: test, pipelines: [churn], with: [dev], after: hook }\n\
         - { name: other, owner: test, pipelines: [other], with: [dev], after: hook }\n",
    )
    .unwrap();
    let waiting = |more: &str| {
        let mut state = State::new(request(more), Token::new("job"));
        state.read_policy(Some(gated.clone()), &region());
        state.found_pipeline(owner(), deployed(), Some(begin()));
        let names = state.waiting_rules().map(|rule| rule.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(waiting(""), ["gated"]);
    assert_eq!(waiting(r#", "share": false"#), [""; 0]);
}

fn refused(is_denied: bool, code: Option<&str>) -> FailedCall<'_> {
    FailedCall {
        may_pass: false,
        is_denied,
        code,
        message: "no",
    }
}

#[test]
fn a_failed_call_is_somebodys_to_fix_or_may_pass() {
    for (call, kind) in [
        (
            refused(true, Some("AccessDeniedException")),
            FailureKind::PermissionError,
        ),
        (
            refused(false, Some("ResourceNotFound")),
            FailureKind::ConfigurationError,
        ),
        (
            refused(false, Some("ValidationException")),
            FailureKind::ConfigurationError,
        ),
        (
            refused(false, Some("ResourceLimitExceeded")),
            FailureKind::JobFailed,
        ),
        (refused(false, None), FailureKind::JobFailed),
    ] {
        assert_eq!(call.failure_kind(), Some(kind));
    }
    let passing = FailedCall {
        may_pass: true,
        ..refused(true, Some("ThrottlingException"))
    };
    assert_eq!(passing.failure_kind(), None);
}

#[test]
fn what_aws_does_not_serve_is_tried_again_nineteen_times_in_a_row() {
    let passing = FailedCall {
        may_pass: true,
        ..refused(false, None)
    };
    let mut state = State::new(request(""), Token::new("job"));
    for _ in 0..19 {
        let outcome = state.failed(passing);
        assert_eq!(
            outcome,
            JobOutcome::Waiting(Wait::Aws("no".to_owned())),
            "{:?}",
            state.token()
        );
        assert_eq!(outcome.state(), "waiting");
    }
    let mut other = state.clone();
    let JobOutcome::Failed(failure) = state.failed(passing) else {
        panic!("it is over");
    };
    assert_eq!(failure.kind, FailureKind::SystemUnavailable);
    assert_eq!(failure.message, "after 20 tries: no");
    other.ended();
    assert!(matches!(other.failed(passing), JobOutcome::Waiting(_)));
}

#[test]
fn only_an_account_that_somebody_has_named_is_one_that_fails() {
    let denied = |owner: &str| {
        let text = format!("{{\"pipeline\": \"churn\", \"owner\": \"{owner}\"}}");
        let mut state = State::new(Request::parse(&text).unwrap(), Token::new("job"));
        state.read_policy(Some(policy()), &region());
        let outcome = state.failed(refused(true, None));
        state.is_failed_account(&outcome)
    };
    assert!(denied("222222222222"));
    assert!(!denied("999999999999"), "nobody has named it");
}

#[test]
fn whoever_reads_the_result_alone_takes_only_a_success_for_one() {
    let waiting = JobOutcome::Waiting(Wait::Others);
    let failure = |kind| JobOutcome::Failed(domain::hook::Failure::new(kind, "why"));
    let failed = failure(FailureKind::JobFailed);
    for outcome in [&waiting, &JobOutcome::Succeeded] {
        assert_eq!(outcome.for_caller(), Ok(()));
    }
    assert_eq!(JobOutcome::Succeeded.for_nobody(), Ok(()));
    let kinds = [
        waiting.for_nobody(),
        failed.for_nobody(),
        failed.for_caller(),
    ];
    let kinds = kinds.map(|error| error.unwrap_err().kind.as_str());
    assert_eq!(kinds, ["Waiting", "JobFailed", "JobFailed"]);
}

#[test]
fn whose_fault_an_error_is_decides_whether_somebody_is_called() {
    let job = ErrorKind::Job;
    for (kind, is_the_callers) in [
        (job(FailureKind::JobFailed), true),
        (job(FailureKind::ConfigurationError), true),
        (job(FailureKind::PermissionError), true),
        (ErrorKind::Waiting, true),
        (ErrorKind::BadEvent, true),
        (job(FailureKind::SystemUnavailable), false),
        (ErrorKind::Unanswered, false),
    ] {
        assert_eq!(kind.is_the_callers(), is_the_callers, "{}", kind.as_str());
    }
}
