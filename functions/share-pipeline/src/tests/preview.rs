//! What documents would do that are not in force.

use serde_json::{Value, json};

use super::{CREATED, OF_PROD, POLICY_WRITTEN, PROD, READERS, Run, Scenario, TEST, document};

async fn plan(scenario: &Scenario, members: Value) -> Run {
    let mut command = json!({ "action": "plan" });
    command
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let before = (scenario.shares(TEST), scenario.subjects());
    let labelled = scenario.hub.labelled.get();
    let run = scenario.invoke(&command.to_string()).await;
    assert_eq!(
        (scenario.shares(TEST), scenario.subjects()),
        before,
        "nothing changed"
    );
    assert_eq!(scenario.hub.labelled.get(), labelled);
    run
}

/// The texts of the planned steps, of all accounts.
fn steps(run: &Run) -> Vec<String> {
    let accounts = run.summary["accounts"].as_array().unwrap().iter();
    let steps = accounts.flat_map(|it| it["steps"].as_array().unwrap());
    steps
        .map(|step| step["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_a_plan_says_is_what_happens() {
    let scenario = Scenario::new(&[READERS]);
    scenario.run(&[CREATED]).await;
    let next = document(&[OF_PROD]);
    let run = plan(&scenario, json!({ "root": next })).await;
    assert_eq!(
        run.summary["plan"]["withdrawn"],
        json!(["dev loses read on \"*\" of test, by rule readers"])
    );
    assert_eq!(run.summary["plan"]["needsConfirmation"], false);
    let planned = steps(&run);
    scenario.hub.write_policy(&next);
    let done = steps(&scenario.run(&[POLICY_WRITTEN]).await);
    assert_eq!(planned, done);
    assert_eq!(planned.len(), 4, "{planned:#?}");
    assert_eq!(scenario.shares(PROD), ["pipeshare-of-prod"]);
}

#[tokio::test]
async fn a_plan_is_for_one_owner_if_so_asked() {
    let scenario = Scenario::new(&[]);
    let next = document(&[READERS, OF_PROD]);
    let run = plan(&scenario, json!({ "root": next, "owner": "prod" })).await;
    assert_eq!(run.summary["accounts"].as_array().unwrap().len(), 1);
    assert!(
        steps(&run).iter().all(|step| step.contains("of-prod")),
        "{:?}",
        steps(&run)
    );
    let run = plan(&scenario, json!({ "root": next, "owner": "prdo" })).await;
    assert_eq!(run.summary["ignored"][0]["code"], "unknown-account");
}

#[tokio::test]
async fn mistakes_are_answered_and_nothing_is_read() {
    let scenario = Scenario::new(&[READERS]);
    let next = document(&[&READERS.replace("[dev]", "[dve]")]);
    let run = plan(&scenario, json!({ "root": next })).await;
    let mistakes = run.summary["plan"]["mistakes"].as_str().unwrap();
    assert!(
        mistakes.contains("unknown account \"dve\"; did you mean \"dev\"?"),
        "{mistakes}"
    );
    assert!(scenario.calls(TEST).is_empty());
    let team = plan(&scenario, json!({ "teams": { "churn": "version: 1" } })).await;
    let mistakes = team.summary["plan"]["mistakes"].as_str().unwrap();
    assert!(mistakes.starts_with("document churn, line 1"), "{mistakes}");
}

#[tokio::test]
async fn the_document_of_a_team_is_planned_beside_the_root_in_force() {
    let scenario = Scenario::new(&[]);
    let teams = "teams:\n  churn: { owner: test, with: [dev] }\n";
    let root = document(&[READERS]).replace("rules:\n", &format!("{teams}rules:\n"));
    scenario.hub.write_policy(&root);
    scenario.run(&[POLICY_WRITTEN]).await;
    let text = "version: 1\nrules: [{ name: more, owner: test, pipelines: ['*'], with: [dev], after: created }]\n";
    let run = plan(&scenario, json!({ "teams": { "churn": text } })).await;
    let steps = steps(&run);
    assert!(
        steps[0].starts_with("create share pipeshare-more with"),
        "{steps:?}"
    );
    assert_eq!(run.summary["plan"]["grants"], 1);
    assert_eq!(run.summary["plan"]["withdrawn"], json!([]));
}

#[tokio::test]
async fn a_plan_says_that_it_has_to_be_confirmed_and_works_without_a_policy_in_force() {
    let roles: Vec<_> = (0..12)
        .map(|number| format!("'arn:aws:iam::111111111111:role/role-{number}'"))
        .collect();
    let rule = format!(
        "name: roles, owner: test, pipelines: ['*'], with: [{}], after: created",
        roles.join(", ")
    );
    let scenario = Scenario::new(&[&rule]);
    let run = plan(&scenario, json!({ "root": "version: 1" })).await;
    assert_eq!(run.summary["plan"]["needsConfirmation"], true);

    let run = plan(&scenario, json!({ "root": document(&[READERS]), "rot": 1 })).await;
    assert_eq!(run.summary["ignored"][0]["code"], "unknown-field");

    scenario.hub.labelled.set(None);
    let run = plan(&scenario, json!({ "root": document(&[READERS]) })).await;
    assert_eq!(run.summary["plan"]["grants"], 0);
    assert!(!steps(&run).is_empty());
}

/// Rules of which an edit takes some and leaves some.
const POOL: [&str; 7] = [
    READERS,
    OF_PROD,
    "name: partners, owner: test, pipelines: ['*'], with: [partner], after: created",
    "name: runners, owner: test, pipelines: ['churn'], with: [dev], access: execute, after: created",
    "name: both, owners: [test, prod], pipelines: ['c*'], with: [partner], access: execute, after: created",
    "name: nothing, owner: prod, pipelines: ['other'], with: [dev], after: created",
    "name: gated, owner: prod, pipelines: ['*'], with: [partner], after: succeeded",
];

/// Some of the pool, by the bits of a number; a high bit changes the access of the first.
fn chosen(bits: u32) -> String {
    let rules = POOL.iter().enumerate();
    let rules: Vec<_> = rules
        .filter(|(number, _)| bits >> number & 1 == 1)
        .map(|(_, rule)| *rule)
        .collect();
    let text = document(&rules);
    match bits >> 7 & 1 {
        0 => text,
        _ => text.replace("with: [dev], after", "with: [dev], access: execute, after"),
    }
}

#[tokio::test]
async fn a_plan_of_any_edit_is_what_then_happens() {
    // Numbers without any order, the same in every run.
    let mut number: u32 = 1;
    let mut next = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number >> 16
    };
    let mut changes = 0;
    for _ in 0..40 {
        let (before, after) = (chosen(next()), chosen(next()));
        let scenario = Scenario::new(&[]);
        scenario.hub.write_policy(&before);
        for _ in 0..3 {
            scenario.run(&[POLICY_WRITTEN]).await;
        }
        let planned = steps(&plan(&scenario, json!({ "root": after })).await);
        scenario.hub.write_policy(&after);
        let done = steps(&scenario.run(&[POLICY_WRITTEN]).await);
        assert_eq!(planned, done, "from\n{before}\nto\n{after}");
        changes += planned.len();
    }
    assert!(changes > 100, "{changes} steps");
}
