//! What the documents show works: every block of every Markdown file is tried, or says why not.
//!
//! A block is known by what it holds, never by where it stands, so documents
//! can be moved and rewritten. What the AWS CLI itself makes of their commands
//! is asked by `tests/conformance/test_documents.py`.

mod assumptions;
mod blocks;
mod commands;
mod queries;
mod samples;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
};

use domain::policy::{Policy, TeamDocument};
use e2e::{DEV, Plan, REGION, SHARED, Scenario, TEST};
use sandbox::services::codepipeline::{self, Action, Status};
use serde_json::Value;

use blocks::{Block, Kind, all, of_kind, root};

/// What is not tried here, by something that the block holds, and why.
const NOT_TRIED: &[(&str, &str)] = &[
    ("flowchart LR", "a drawing"),
    (
        "Attributes: kind=",
        "a sample of functions/notification-samples.md, which a test of domain makes",
    ),
    ("\"textType\": \"client-markdown\"", "the same for a chat"),
    (
        "17:41:07  event",
        "what a served sandbox told once: times and ids differ in every run",
    ),
    (
        "target/lambda/share-pipeline/bootstrap.zip  x86_64",
        "the end of what tests/infra/package prints, which takes 20 minutes of CPU time",
    ),
    (
        "kms:EncryptionContext:PARAMETER_ARN",
        "a statement for a role of people, which no template makes",
    ),
    (
        "resource \"aws_cloudformation_stack\"",
        "Terraform is not installed here; the page says how it was tried, and tests/contracts holds it against the templates",
    ),
    (
        "new CfnInclude(",
        "the CDK is not installed here; the page says how it was tried, and tests/contracts holds it against the templates",
    ),
    (
        "ssm:GetParameterHistory",
        "a statement for a role of people, which no template makes",
    ),
    (
        "cargo install --locked --git",
        "a workflow for a repository elsewhere; tests/contracts holds its actions against ours",
    ),
    (
        "id: pipeshare-check",
        "what pre-commit reads; tests/contracts holds it against .pre-commit-hooks.yaml",
    ),
];

/// Commands that are parsed here and not run, by how they begin, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo demo serve", "tests/e2e/tests/serve runs it"),
    (
        "cargo demo",
        "tests/e2e/tests/walkthrough.rs runs it and compares what it prints",
    ),
    (
        "cargo sandbox serve",
        "tests/sandbox/tests/process.rs runs it and compares what it prints",
    ),
    ("cargo test", "it is what runs this test"),
    (
        "PIPESHARE_MUTATIONS=all cargo test",
        ".ci/run tries one of 500",
    ),
    (
        "PIPESHARE_READINGS=",
        "the templates and the walkthrough are tried under every reading",
    ),
    ("tests/conformance/run", ".ci/run runs it"),
    ("tests/pages/run", ".ci/run runs it"),
    (
        "tests/bench/run",
        "it builds for half an hour, and then measures",
    ),
    ("cargo bench", "what it prints is for the eyes of people"),
    ("tests/infra/", ".ci/run runs it, or it says itself why not"),
    (
        "infra/build",
        "it takes 20 minutes of CPU time; tests/infra/package runs it",
    ),
    (
        "infra/release",
        "it builds twice what infra/build does; tests/infra/release looks at what it makes",
    ),
    (
        "tar -xzf ",
        "it needs a release; tests/infra/release unpacks one",
    ),
    ("sha256sum ", "as the command before it"),
    (
        "infra/verify",
        "tests/conformance/test_verify.py runs it and compares what it prints",
    ),
    (
        "pipeshare ",
        "functions/pipeshare/tests/program.rs runs it and compares what it prints",
    ),
    (
        "sam deploy",
        "the SAM CLI is not installed here; it was run once by hand",
    ),
    (
        "for t in owner-account consumer-account",
        "a loop of the shell; the conformance suite tries `aws s3 cp` with files of its own",
    ),
    ("export ", "it sets a variable"),
    ("request=", "it needs jq; its payload is tried by itself"),
    ("jq -n", "it needs jq; such a payload is tried by itself"),
];

#[test]
fn every_block_of_the_documents_is_tried_or_says_why_not() {
    let all = all();
    assert!(all.len() > 30, "the documents have blocks");
    let excuse = |block: &Block| {
        let mut known = NOT_TRIED.iter();
        known.find(|(marker, _)| block.text.contains(marker))
    };
    let neither = all
        .iter()
        .filter(|(block, kind)| kind.is_none() && excuse(block).is_none());
    let neither: Vec<_> = neither.map(|(block, _)| block.place()).collect();
    assert!(
        neither.is_empty(),
        "neither tried nor excused: make them of a kind that blocks.rs knows, or add them to \
         NOT_TRIED with a reason: {neither:#?}"
    );
    let stale = NOT_TRIED.iter().filter(|(marker, _)| {
        let mut blocks = all.iter();
        !blocks.any(|(block, kind)| kind.is_none() && block.text.contains(marker))
    });
    let stale: Vec<_> = stale.collect();
    assert!(stale.is_empty(), "excuses without a block: {stale:#?}");
}

#[test]
fn every_document_of_a_team_is_right_beside_the_policy_before_it() {
    let documents = of_kind(Kind::TeamDocument);
    assert!(
        !documents.is_empty(),
        "the documents show what a team writes"
    );
    for document in documents {
        let mut policies = of_kind(Kind::Policy).into_iter();
        let root = policies.rfind(|it| it.text.contains("\nteams:"));
        let root = root.unwrap_or_else(|| panic!("{}: no root has teams", document.place()));
        let team = TeamDocument {
            team: "churn",
            text: &document.text,
        };
        let read = Policy::parse_all(&root.text, &[team], None);
        read.unwrap_or_else(|errors| panic!("{}: {errors}", document.place()));
    }
}

/// The accounts of the documents: dev, test, shared services, and prod of the example of CI/CD.
const PROD: &str = "444444444444";

/// Whom owners may share with at most, as the commands for deployment say.
fn documented_ceiling() -> String {
    let commands = of_kind(Kind::Commands).into_iter();
    let words = commands.flat_map(|block| {
        let words = block.text.split_whitespace().map(str::to_owned);
        words.collect::<Vec<_>>()
    });
    let mut ceilings: BTreeSet<String> = words
        .filter_map(|word| Some(word.strip_prefix("AllowedPrincipals=")?.to_owned()))
        .collect();
    let ceiling = ceilings.pop_first();
    assert!(ceilings.is_empty(), "the documents deploy two ceilings");
    ceiling.unwrap_or_else(|| panic!("the documents deploy no ceiling"))
}

/// An estate of the documents' accounts and ceilings, with a pipeline in each owner account.
async fn documented() -> Scenario {
    let scenario = Scenario::on(Plan {
        owners: vec![DEV, TEST, PROD],
        consumers: vec![DEV, SHARED],
        members: vec![DEV, TEST, SHARED, PROD],
        owner_parameters: vec![("AllowedPrincipals", documented_ceiling())],
        ..Plan::default()
    })
    .await;
    for owner in [DEV, TEST, PROD] {
        let person = scenario.estate.person(owner);
        scenario.create(&person, "churn-train").await;
    }
    scenario
}

/// What the hub was told that needs people, and how often a function was refused something.
fn complaints(scenario: &Scenario) -> Vec<String> {
    let mut told = scenario.estate.hub_mailbox();
    told.retain(|text| text.contains("is not valid") || text.starts_with("In "));
    told
}

#[tokio::test]
async fn every_policy_is_put_in_force_within_the_documented_ceilings_and_nothing_is_refused() {
    let policies = of_kind(Kind::Policy);
    assert!(!policies.is_empty(), "the documents show policies");
    for block in policies {
        let scenario = documented().await;
        scenario.write_policy(&block.text).await;
        scenario.pass(1200).await;
        assert_eq!(complaints(&scenario), [""; 0], "{}", block.place());
        // Without its gates, every rule asks for its share.
        let open = block.text.replace("after: succeeded", "after: created");
        scenario
            .write_policy(&open.replace("after: hook", "after: created"))
            .await;
        scenario.pass(1200).await;
        assert_eq!(complaints(&scenario), [""; 0], "{}", block.place());
        let rules = block
            .text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- name: "));
        let mut shares = Vec::new();
        for owner in [DEV, TEST, PROD] {
            shares.extend(scenario.shares(&scenario.estate.person(owner)).await);
        }
        for rule in rules {
            let name = format!("pipeshare-{}", rule.trim());
            assert!(
                shares
                    .iter()
                    .any(|share| share.split('.').next() == Some(&name)),
                "{}: {rule} shares nothing: {shares:?}",
                block.place()
            );
        }
        assert_eq!(scenario.dead_letters(), 0);
    }
}

#[tokio::test]
async fn every_wrong_policy_is_refused_in_the_words_of_the_document() {
    let wrong = of_kind(Kind::RefusedPolicy);
    let said = of_kind(Kind::Refusal);
    assert!(!wrong.is_empty() && wrong.len() == said.len());
    for (block, said) in wrong.iter().zip(said) {
        let scenario = documented().await;
        scenario.write_policy(&block.text).await;
        scenario.pass(60).await;
        let told = complaints(&scenario);
        let [told] = told.as_slice() else {
            panic!("{}: {told:#?}", block.place());
        };
        let (_, lines) = told.split_once('\n').unwrap_or_default();
        assert_eq!(lines.trim_end(), said.text.trim_end(), "{}", block.place());
    }
}

#[tokio::test]
async fn every_action_of_codepipeline_is_served_by_the_hook() {
    let blocks = of_kind(Kind::Hook);
    assert!(!blocks.is_empty(), "the documents show the hook");
    for block in blocks {
        let value = |key: &str| {
            let mut lines = block.text.lines();
            let found = lines.find_map(|line| line.trim().strip_prefix(key));
            let found = found.unwrap_or_else(|| panic!("{}: no {key}", block.place()));
            found.trim().trim_matches('\'').to_owned()
        };
        let parameters = value("UserParameters:");
        let asked: Value = serde_json::from_str(&parameters).unwrap_or_default();
        let pipeline = asked["pipeline"].as_str().unwrap_or_default().to_owned();
        let scenario = Scenario::begin(e2e::POLICY).await;
        scenario.create(&scenario.test, &pipeline).await;
        if asked["run"] == false {
            scenario.start(&scenario.test, &pipeline, "before").await;
        }
        scenario.pass(300).await;
        let execution = "12345678-1234-4234-8234-123456789012";
        let action = Action {
            pipeline: "deploy".to_owned(),
            stage: "Test".to_owned(),
            name: "Share".to_owned(),
            execution: execution.to_owned(),
            function: value("FunctionName:"),
            user_parameters: parameters,
        };
        let begun = {
            let mut world = scenario.estate.sandbox.world();
            codepipeline::begin(&mut world, SHARED, REGION, action)
        };
        let begun = begun.unwrap_or_else(|error| panic!("{error}"));
        scenario.pass(1200).await;
        let world = scenario.estate.sandbox.world();
        let status = codepipeline::action(&world, &begun).map(|run| run.status.clone());
        let done = matches!(status, Some(Status::Succeeded { .. }));
        assert!(done, "{}: {status:?}", block.place());
    }
}

#[test]
fn every_command_can_be_parsed_and_is_known() {
    let mut used = BTreeSet::new();
    let mut problems = Vec::new();
    for block in of_kind(Kind::Commands) {
        let commands = commands::typed(&block.language, &block.text);
        if commands.is_empty() {
            problems.push(format!("{}: no command", block.place()));
        }
        for command in commands {
            if let Some(error) = shell_mistake(&command) {
                problems.push(format!("{command}: {error}"));
            }
            let calls = commands::of_aws(&command);
            for words in &calls {
                problems.extend(commands::mistakes(words));
            }
            let excuse = NOT_RUN.iter().find(|(start, _)| command.starts_with(start));
            match excuse {
                Some((start, _)) => {
                    used.insert(*start);
                    problems.extend(missing_script(&command));
                }
                None if command.starts_with("aws ") => {}
                None => problems.push(format!("neither run nor excused: {command}")),
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let stale: Vec<_> = NOT_RUN
        .iter()
        .filter(|(start, _)| !used.contains(start))
        .collect();
    assert!(stale.is_empty(), "excuses without a command: {stale:#?}");
}

/// What a shell finds wrong with the form of a command.
fn shell_mistake(command: &str) -> Option<String> {
    let mut shell = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut stdin = shell.stdin.take().expect("it was asked for");
    stdin
        .write_all(command.as_bytes())
        .expect("the shell reads");
    drop(stdin);
    let done = shell.wait_with_output().expect("the shell ends");
    (!done.status.success()).then(|| String::from_utf8_lossy(&done.stderr).into_owned())
}

/// A command of the repository must be there.
fn missing_script(command: &str) -> Option<String> {
    let program = command.split_whitespace().next()?;
    let is_ours = program.contains('/') && !program.contains('=');
    (is_ours && !root().join(program).is_file()).then(|| format!("there is no {program}"))
}

#[tokio::test]
async fn every_direct_invocation_and_every_message_is_understood() {
    let blocks = of_kind(Kind::Commands).into_iter();
    let calls: Vec<Vec<String>> = blocks
        .flat_map(|block| commands::typed(&block.language, &block.text))
        .flat_map(|command| commands::of_aws(&command))
        .collect();
    let scenario = Scenario::begin(e2e::POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let mut tried = 0;
    for words in calls {
        let payload = commands::option(&words, "--payload");
        // A variable of a script holds what another command shows.
        if let Some(payload) = payload.filter(|payload| !payload.starts_with('$')) {
            let function = commands::option(&words, "--function-name").unwrap_or_default();
            let function = function.trim_start_matches("pipeshare-");
            let payload: Value =
                serde_json::from_str(payload).unwrap_or_else(|e| panic!("{payload}: {e}"));
            let answer = scenario.invoke(function, payload.clone()).await;
            let report = answer.outcome.unwrap_or_else(|e| panic!("{payload}: {e}"));
            assert!(report.get("ignored").is_none(), "{payload}: {report}");
            assert!(report.get("stopped").is_none(), "{payload}: {report}");
            tried += 1;
        }
        if let Some(body) = commands::option(&words, "--message-body") {
            scenario.send("share-pipeline", body);
            scenario.pass(60).await;
            assert!(!scenario.logs().contains("\"ignored\":["), "{body}");
            tried += 1;
        }
    }
    assert!(tried > 4, "the documents invoke functions");
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn every_widget_shows_a_page() {
    let widgets = of_kind(Kind::Widget);
    assert!(!widgets.is_empty(), "the documents show a widget");
    let scenario = Scenario::begin(e2e::POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    for block in widgets {
        let widget = block.json().unwrap_or_default();
        let properties = &widget["properties"];
        let endpoint = properties["endpoint"].as_str().unwrap_or_default();
        let function = endpoint.rsplit("pipeshare-").next().unwrap_or_default();
        let mut payload = properties["params"].clone();
        payload["widgetContext"] = serde_json::json!({ "params": properties["params"] });
        let answer = scenario.invoke(function, payload).await;
        let page = answer.outcome.unwrap_or_else(|error| panic!("{error}"));
        let page = page.as_str().unwrap_or_default();
        assert!(page.contains(">churn<"), "{}: {page}", block.place());
    }
}

#[test]
fn every_line_of_rust_stands_in_a_test() {
    let folder = root().join("tests/e2e/tests");
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = files.map(|entry| entry.path());
    // The example of the sandbox's documentation is run as one of its tests.
    let files = files.chain([root().join("tests/sandbox/src/lib.rs")]);
    let texts = files.filter_map(|path| fs::read_to_string(path).ok());
    let known: String = texts.collect();
    for block in of_kind(Kind::Code) {
        for line in block
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            assert!(known.contains(line), "{}: {line}", block.place());
        }
    }
}
