//! What documents would do that are not in force.

use std::{collections::BTreeSet, time::Duration};

use runtime::lambda::Deadline;
use serde_json::{Value, json};

use super::{
    CREATED, OF_PROD, PARTNERS, POLICY_WRITTEN, PROD, READERS, Run, SCHEDULED, Scenario, TEST,
    document,
};

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
        if next() & 1 == 1 {
            settle(&scenario).await;
        }
        let run = plan(&scenario, json!({ "root": after })).await;
        let foreseen = [TEST, PROD].map(|id| foreseen(&scenario, &run, id));
        let planned = steps(&run);
        scenario.hub.write_policy(&after);
        let done = steps(&scenario.run(&[POLICY_WRITTEN]).await);
        assert_eq!(planned, done, "from\n{before}\nto\n{after}");
        changes += planned.len();
        settle(&scenario).await;
        let held = [TEST, PROD].map(|id| access(&scenario, id));
        assert_eq!(foreseen, held, "from\n{before}\nto\n{after}");
    }
    assert!(changes > 100, "{changes} steps");
}

/// RAM does what takes it seconds, and the function what follows, until nothing is left to do.
async fn settle(scenario: &Scenario) {
    for _ in 0..4 {
        for id in [TEST, PROD] {
            scenario.change(id, model::Account::settle);
        }
        scenario.run(&[SCHEDULED]).await;
    }
}

type Access = BTreeSet<(String, String, &'static str)>;

/// Who may do what, or will once they accept; who may execute may read.
fn without_doubles(access: &Access) -> Access {
    let executes = |(who, name, word): &(String, String, &'static str)| {
        *word == "read" && access.contains(&(who.clone(), name.clone(), "execute"))
    };
    let all = access.iter();
    all.filter(|it| !executes(it)).cloned().collect()
}

fn word(text: &str) -> &'static str {
    if text.ends_with("AllowExecution") || text == "execute" {
        "execute"
    } else {
        "read"
    }
}

fn access(scenario: &Scenario, id: &str) -> Access {
    let grants = scenario.change(id, |account| account.grants()).into_iter();
    let access = grants.map(|(who, name, permission)| (who, name, word(&permission)));
    without_doubles(&access.collect())
}

/// The access in an account now, with the changes of a plan.
fn foreseen(scenario: &Scenario, run: &Run, id: &str) -> Access {
    let mut access = access(scenario, id);
    let accounts = run.summary["accounts"].as_array().unwrap().iter();
    let of_account = accounts.filter(|it| it["account"] == id);
    for change in of_account.flat_map(|it| it["access"]["changes"].as_array().unwrap()) {
        let who = change["principal"].as_str().unwrap().to_owned();
        for name in change["pipelines"].as_array().unwrap() {
            let name = name.as_str().unwrap().to_owned();
            access.retain(|(principal, pipeline, _)| (principal, pipeline) != (&who, &name));
            for held in change["after"].as_array().unwrap() {
                let word = word(held["access"].as_str().unwrap());
                access.insert((who.clone(), name.clone(), word));
            }
        }
    }
    without_doubles(&access)
}

#[tokio::test]
async fn a_plan_says_who_gains_and_loses_and_by_which_rule() {
    let scenario = Scenario::new(&[READERS]);
    scenario.run(&[CREATED]).await;
    let next = document(&[&format!("{PARTNERS}, why: an audit, until: 2099-12-31")]);
    let run = plan(&scenario, json!({ "root": next })).await;
    let account = &run.summary["accounts"][0];
    assert_eq!(account["name"], "test");
    let access = &account["access"];
    let counts = json!({ "grants": 1, "changes": 0, "withdrawals": 1, "refused": 0 });
    assert_eq!(access["counts"], counts);
    let gain = json!({
        "change": "gain", "principal": "444444444444", "name": "partner",
        "pipelines": ["churn"], "before": [],
        "after": [{ "access": "read", "pending": true }],
        "rules": [{ "name": "partners", "why": "an audit", "until": "2099-12-31" }],
    });
    assert_eq!(access["changes"][0], gain);
    let loss = &access["changes"][1];
    assert_eq!(loss["change"], "loss");
    assert_eq!(
        (&loss["name"], &loss["reason"]),
        (&json!("dev"), &json!("rule-gone"))
    );
    assert_eq!(access["shares"], json!(["pipeshare-partners.444444444444"]));
    assert_eq!(access["invitations"][0]["consumer"], "444444444444");
    assert_eq!(access["pendingInvitations"], 1);
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_said_to_be_and_the_others_are_planned() {
    let scenario = Scenario::new(&[]);
    scenario.change(TEST, |account| {
        account
            .failures
            .next("GetResourceShares", "AccessDeniedException");
    });
    let next = document(&[READERS, OF_PROD]);
    let run = plan(&scenario, json!({ "root": next })).await;
    let accounts = run.summary["accounts"].as_array().unwrap();
    assert!(accounts[0]["error"].is_string(), "{}", accounts[0]);
    assert!(accounts[0].get("access").is_none());
    assert_eq!(accounts[1]["access"]["counts"]["grants"], 1);
}

#[tokio::test]
async fn an_account_without_time_is_the_next_one_unless_it_is_the_first() {
    let next = document(&[READERS, OF_PROD]);
    for hanging in [TEST, PROD] {
        let scenario = Scenario::new(&[]);
        scenario.accounts.hanging.set(Some(hanging));
        let mut from = None;
        let mut planned = Vec::new();
        let mut answers = 0;
        while answers < 3 && (answers == 0 || from.is_some()) {
            let command = json!({ "action": "plan", "root": next, "from": from });
            let deadline = Deadline::of_invocation(Duration::ZERO);
            let run = scenario.invoke_within(&command.to_string(), deadline).await;
            let accounts = run.summary["accounts"].as_array().unwrap().iter();
            planned.extend(accounts.map(|it| (it["account"].clone(), it["error"].is_string())));
            from = run.summary["next"].as_str().map(str::to_owned);
            answers += 1;
        }
        assert_eq!(from, None, "it ends");
        let expected = [TEST, PROD].map(|id| (json!(id), id == hanging));
        assert_eq!(planned, expected);
        assert_eq!(answers, if hanging == TEST { 1 } else { 2 });
    }
}

/// The plan for both accounts in as many answers as it takes, and how many these are.
async fn in_parts(answer_bytes: usize) -> (Vec<Value>, usize) {
    let scenario = Scenario {
        answer_bytes,
        ..Scenario::new(&[])
    };
    for id in [TEST, PROD] {
        scenario.change(id, |account| {
            for number in 0..20 {
                account.create_pipeline(&format!("pipeline-{number}"));
            }
        });
    }
    let next = document(&[READERS, OF_PROD]);
    let mut from = None;
    let mut accounts = Vec::new();
    for answers in 1..=2 {
        let run = plan(&scenario, json!({ "root": next, "from": from })).await;
        accounts.extend(run.summary["accounts"].as_array().unwrap().clone());
        from = run.summary["next"].as_str().map(str::to_owned);
        if from.is_none() {
            return (accounts, answers);
        }
    }
    panic!("it does not end: {from:?}")
}

#[tokio::test]
async fn an_answer_that_gets_large_says_where_to_go_on() {
    let (whole, answers) = in_parts(1 << 20).await;
    assert_eq!((whole.len(), answers), (2, 1));
    let size = whole[0].to_string().len();
    assert_eq!(in_parts(size + 1_000).await, (whole.clone(), 2));

    // What no answer can hold is left out, and said to be.
    let (short, answers) = in_parts(size - 1_000).await;
    assert_eq!(answers, 2);
    for (short, whole) in short.iter().zip(&whole) {
        let steps = whole["steps"].as_array().unwrap();
        assert_eq!(short["stepsLeftOut"], steps.len());
        assert_eq!(short["access"], whole["access"]);
    }
    let (none, answers) = in_parts(100).await;
    assert_eq!((none.len(), answers), (2, 2));
    for account in &none {
        let error = account["error"].as_str().unwrap();
        assert!(error.ends_with("more than an answer can hold"), "{error}");
    }
}
