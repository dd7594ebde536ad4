//! A version that withdraws much waits until exactly that version is confirmed.

use runtime::metrics::Metric;
use serde_json::Value;

use super::{POLICY_WRITTEN, SCHEDULED, Scenario, TEST, document};

/// A rule for each of so many roles of dev.
fn rules(count: usize) -> Vec<String> {
    let rule = |number| {
        format!(
            "name: rule-{number}, owner: test, pipelines: ['*'], \
             with: ['arn:aws:iam::111111111111:role/role-{number}'], after: created"
        )
    };
    (0..count).map(rule).collect()
}

fn policy(count: usize) -> String {
    let rules = rules(count);
    document(&rules.iter().map(String::as_str).collect::<Vec<_>>())
}

/// So many grants are in force.
async fn scenario(count: usize) -> Scenario {
    let scenario = Scenario::new(&[]);
    scenario.hub.write_policy(&policy(count));
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST).len(), count);
    scenario
}

/// The command that the hub was told to confirm with.
fn command(scenario: &Scenario) -> String {
    let text = scenario.first_text();
    let (_, command) = text.split_once("--payload '").unwrap();
    command.split('\'').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_version_that_takes_everything_waits_until_it_is_confirmed() {
    let scenario = scenario(12).await;
    scenario.hub.write_policy("version: 1\n");
    for _ in 0..2 {
        let run = scenario.run(&[SCHEDULED]).await;
        let why = run.summary["policyRefused"].as_str().unwrap();
        assert!(
            why.ends_with(
                "it withdraws 12 of 12 grants, more than 25%, and waits for a confirmation"
            ),
            "{why}"
        );
        assert_eq!(run.counted(Metric::PolicyRefused), 1);
    }
    assert_eq!(scenario.shares(TEST).len(), 12);
    assert_eq!(
        scenario.subjects(),
        ["A version of the sharing policy waits for a confirmation (version 3)"]
    );
    let text = scenario.first_text();
    assert!(
        text.contains("role/role-3 loses read on \"*\" of test, by rule rule-3"),
        "{text}"
    );

    let run = scenario.invoke(&command(&scenario)).await;
    assert_eq!(run.summary["promoted"], true, "{}", run.summary);
    assert!(scenario.shares(TEST).is_empty());
}

#[tokio::test]
async fn a_confirmation_is_of_one_version_and_by_invocation_alone() {
    let scenario = scenario(12).await;
    scenario.hub.write_policy("version: 1\n");
    scenario.run(&[POLICY_WRITTEN]).await;
    let confirmation = command(&scenario);
    // Whoever may send to the queue may not confirm.
    let run = scenario.run(&[&confirmation]).await;
    assert_eq!(run.summary["ignored"][0]["code"], "not-direct");
    assert_eq!(scenario.shares(TEST).len(), 12);

    scenario.hub.write_policy("version: 1\nrules: []\n");
    let run = scenario.invoke(&confirmation).await;
    let why = run.summary["policyRefused"].as_str().unwrap();
    assert!(
        why.ends_with("the confirmation is of another version"),
        "{why}"
    );

    // A parameter that is made again counts from one.
    let mut other: Value = serde_json::from_str(&confirmation).unwrap();
    other["version"] = Value::from(4);
    let run = scenario.invoke(&other.to_string()).await;
    assert_eq!(run.summary["promoted"], false, "the text is another one");
    assert_eq!(scenario.shares(TEST).len(), 12);
}

#[tokio::test]
async fn a_few_grants_or_a_small_part_of_them_are_withdrawn_at_once() {
    let scenario = scenario(10).await;
    scenario.hub.write_policy("version: 1\n");
    scenario.run(&[POLICY_WRITTEN]).await;
    assert!(scenario.shares(TEST).is_empty(), "ten are few");
}

#[tokio::test]
async fn the_limit_is_that_of_the_policy_in_force() {
    let scenario = scenario(12).await;
    let open = "version: 1\nlimits: { withdraw: 100% }\n";
    scenario.hub.write_policy(open);
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST).len(), 12, "it does not free itself");

    let opened = format!("{}limits: {{ withdraw: 100% }}\n", policy(12));
    scenario.hub.write_policy(&opened);
    scenario.run(&[POLICY_WRITTEN]).await;
    scenario.hub.write_policy("version: 1\n");
    scenario.run(&[POLICY_WRITTEN]).await;
    assert!(scenario.shares(TEST).is_empty(), "the one before it did");
}

#[tokio::test]
async fn the_document_of_a_team_is_held_and_confirmed_by_itself() {
    let scenario = Scenario::new(&[]);
    let roles: Vec<_> = (0..12)
        .map(|number| format!("'arn:aws:iam::111111111111:role/role-{number}'"))
        .collect();
    let teams = "teams:\n  churn: { owner: test, with: [dev] }\n";
    let root = document(&[]).replace("rules:\n", &format!("{teams}rules:\n"));
    scenario.hub.write_policy(&root);
    let rule = |with: &str| {
        format!(
            "version: 1\nrules:\n  - {{ name: r, owner: test, pipelines: ['*'], with: [{with}], after: created }}\n"
        )
    };
    scenario
        .hub
        .write_document("churn", &rule(&roles.join(", ")));
    scenario.run(&[POLICY_WRITTEN]).await;
    scenario.hub.write_document("churn", &rule("dev"));
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(
        run.summary["documentsPromoted"][0], "churn",
        "dev includes its roles"
    );
    scenario
        .hub
        .write_document("churn", &rule(&roles.join(", ")));
    scenario.run(&[POLICY_WRITTEN]).await;

    scenario.hub.write_document("churn", "version: 1\n");
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    let why = run.summary["documentsRefused"]["churn"].as_str().unwrap();
    assert!(
        why.starts_with("version 4: it withdraws 12 of 12 grants"),
        "{why}"
    );
    assert_eq!(scenario.shares(TEST), ["pipeshare-r"]);
    let run = scenario.invoke(&command(&scenario)).await;
    assert_eq!(
        run.summary["documentsPromoted"][0], "churn",
        "{}",
        run.summary
    );
    assert!(scenario.shares(TEST).is_empty());
}

#[tokio::test]
async fn a_root_that_bounds_teams_more_is_held_for_what_it_takes_from_them() {
    let scenario = Scenario::new(&[]);
    let roles: Vec<_> = (0..12)
        .map(|number| format!("'arn:aws:iam::111111111111:role/role-{number}'"))
        .collect();
    let root = |access: &str| {
        let teams = format!("teams:\n  churn: {{ owner: test, with: [dev], access: {access} }}\n");
        document(&[]).replace("rules:\n", &format!("{teams}rules:\n"))
    };
    scenario.hub.write_policy(&root("execute"));
    let text = format!(
        "version: 1\nrules:\n  - {{ name: r, owner: test, pipelines: ['*'], with: [{}], access: execute, after: created }}\n",
        roles.join(", ")
    );
    scenario.hub.write_document("churn", &text);
    scenario.run(&[POLICY_WRITTEN]).await;
    scenario.hub.write_policy(&root("read"));
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    assert!(run.summary["policyRefused"].is_string(), "{}", run.summary);
    assert_eq!(scenario.shares(TEST), ["pipeshare-r"]);
}
