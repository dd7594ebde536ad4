//! `pipeshare plan` and `pipeshare explain`: the program asks the function, and is right.

#![expect(
    clippy::unwrap_used,
    reason = "a program that does not run fails the test"
)]

use std::{fs, path::PathBuf, process::Output, sync::OnceLock};

use demo::binaries;
use e2e::{POLICY, REGION, SHARED, SWEEP, Scenario, readers, refusal, ungated};
use serde_json::{Value, json};
use tokio::process::Command;

/// The program, which is built together with the functions.
fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let functions = binaries::build().expect("the functions compile");
        functions[0].binary.with_file_name("pipeshare")
    };
    BUILT.get_or_init(build).clone()
}

/// Runs the program in the hub, as somebody who may do everything there.
async fn pipeshare(scenario: &Scenario, arguments: &[&str]) -> (i32, String, String) {
    let mut program = Command::new(program());
    program
        .args(arguments)
        .env_remove("AWS_PROFILE")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_ENDPOINT_URL", scenario.estate.sandbox.endpoint())
        .env("AWS_ACCESS_KEY_ID", SHARED)
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_REGION", REGION);
    let mut output = None;
    let running = async { output = Some(program.output().await) };
    scenario.estate.sandbox.live(1, |_| {}, running).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A file of this test with a document.
fn file(name: &str, text: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plan");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The answer to why somebody has access.
async fn explained(scenario: &Scenario, pipeline: &str, account: &str) -> Value {
    let arguments = ["explain", "--format", "json", pipeline, account];
    let (code, stdout, stderr) = pipeshare(scenario, &arguments).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    serde_json::from_str(&stdout).unwrap()
}

#[tokio::test]
async fn what_the_program_plans_is_what_then_happens() {
    let before = readers("pipelines: [\"churn-*\"]");
    let scenario = Scenario::sharing(&before, &["churn-train", "fraud"]).await;
    let (churn, fraud) = ("churn-train", "fraud");
    let arn = |name| e2e::Person::pipeline_arn(e2e::TEST, name);
    assert!(scenario.dev.sees(&arn(churn)).await && !scenario.dev.sees(&arn(fraud)).await);

    let after = readers("pipelines: [\"fraud\"]\n    why: an audit @team");
    let file = file("policy.yaml", &after);
    let (code, stdout, stderr) = pipeshare(&scenario, &["plan", &file]).await;
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let gain = "+ dev gains read on fraud, by rule test-readers (an audit @team)";
    let loss = "- dev loses read on churn-train, by rule test-readers";
    for line in ["test 222222222222\n", gain, loss] {
        assert!(stdout.contains(line), "{stdout}");
    }
    let summary = "\nPlan: 1 grant, 0 changes, 1 withdrawal\n";
    assert!(stdout.ends_with(summary), "{stdout}");

    let json = ["plan", "--format", "json", "--owner", "test", &file];
    let (_, stdout, _) = pipeshare(&scenario, &json).await;
    let planned: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(planned["formatVersion"], "1.0");
    let counts = json!({ "grants": 1, "changes": 0, "withdrawals": 1, "refused": 0 });
    assert_eq!(planned["counts"], counts);
    assert_eq!(planned["needsConfirmation"], false);
    let markdown = ["plan", "--format", "markdown", &file];
    let (_, stdout, _) = pipeshare(&scenario, &markdown).await;
    assert!(
        stdout.starts_with("### Plan: 1 grant, 0 changes, 1 withdrawal\n"),
        "{stdout}"
    );
    assert!(!stdout.contains("@team"), "{stdout}");

    scenario.write_policy(&after).await;
    scenario.pass(SWEEP).await;
    assert!(!scenario.dev.sees(&arn(churn)).await && scenario.dev.sees(&arn(fraud)).await);
    let (code, stdout, _) = pipeshare(&scenario, &["plan", &file]).await;
    let nothing = "Plan: 0 grants, 0 changes, 0 withdrawals\n";
    assert_eq!(code, 0);
    assert!(stdout.ends_with(nothing), "{stdout}");
}

#[tokio::test]
async fn mistakes_and_a_hub_out_of_reach_are_told_apart() {
    let scenario = Scenario::begin(POLICY).await;
    let wrong = file("wrong.yaml", "version: 2\n");
    let (code, stdout, _) = pipeshare(&scenario, &["plan", &wrong]).await;
    assert_eq!(code, 1);
    assert!(
        stdout.contains(":1:10: unknown version \"2\"; the only one is 1"),
        "{stdout}"
    );
    let right = file("right.yaml", POLICY);
    // One that is yet to be onboarded is no failure.
    let new = POLICY.replace(
        "rules:\n",
        "rules:\n  - { name: new, owner: \"999999999999\", pipelines: [\"*\"], with: [dev] }\n",
    );
    let new = file("new.yaml", &new);
    let (code, stdout, stderr) = pipeshare(&scenario, &["plan", &new]).await;
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let todo = "999999999999\n  not onboarded: deploy infra/owner-account\n";
    assert!(stdout.contains(todo), "{stdout}");

    let (code, stdout, stderr) = pipeshare(&scenario, &["plan", "--function", "no", &right]).await;
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.starts_with("pipeshare: cannot invoke no: "),
        "{stderr}"
    );
    let (code, _, stderr) = pipeshare(&scenario, &["plan", "--owner", "tset", &right]).await;
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean \"test\"?"), "{stderr}");
}

#[tokio::test]
async fn access_is_explained_from_the_rule_to_the_invitation() {
    let scenario = Scenario::begin(&ungated()).await;
    let accepts = vec![refusal(500, "ServerInternalException"); 100];
    scenario.break_calls("ram", "AcceptResourceShareInvitation", &accepts);
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let awaited = explained(&scenario, "test/churn", "dev").await;
    assert_eq!(awaited["verdict"], "not-yet", "{awaited:#}");
    let text = awaited["text"].as_str().unwrap();
    let invitation = "not yet: read, by rule test-readers: invitation: it awaits acceptance since ";
    assert!(
        text.starts_with(invitation) && text.contains("in 11 hours"),
        "{text}"
    );

    scenario.estate.sandbox.world().faults_mut().calls.clear();
    scenario.pass(SWEEP).await;
    let has = explained(&scenario, "test/churn", "dev").await;
    assert_eq!(has["text"], "yes: read, by rule test-readers");
    let arguments = ["explain", "test/churn", "dev"];
    let (_, stdout, _) = pipeshare(&scenario, &arguments).await;
    assert!(
        stdout.starts_with("yes: read, by rule test-readers\n\nrule test-readers: read\n  ok ")
    );

    scenario
        .write_policy(&POLICY.replace("pipelines: [\"*\"]", "pipelines: [\"f*\"]"))
        .await;
    scenario.create(&scenario.test, "fraud").await;
    scenario.pass(SWEEP).await;
    let waits = explained(&scenario, "test/fraud", "dev").await;
    let gate = "not yet: read, by rule test-readers: gate: succeeded: no run has succeeded since";
    assert!(
        waits["text"].as_str().unwrap().starts_with(gate),
        "{waits:#}"
    );
    let no = explained(&scenario, "test/churn", "dev").await;
    let why = "no: no rule gives it; the nearest is test-readers: pipelines: only \"f*\" are named";
    assert_eq!(no["text"], why);
    let unknown = ["explain", "tset/churn", "dev"];
    let (code, _, stderr) = pipeshare(&scenario, &unknown).await;
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean \"test\"?"), "{stderr}");
}
