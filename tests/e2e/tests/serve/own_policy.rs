//! Somebody's own policy, with accounts of its own.

use std::process::Command;

use aws_sdk_ssm::types::ParameterType;
use demo::people::Person;

use super::{File, Served, demo, endpoint};

const LAB: &str = "444444444444";
const PROD: &str = "555555555555";
const LATER: &str = "666666666666";
const HUB: &str = "999999999999";

const POLICY: &str = "\
version: 1
accounts: { lab: '444444444444', prod: '555555555555' }
rules:
  - { name: lab-readers, owner: lab, pipelines: ['*'], with: [prod], after: created }
";

#[tokio::test]
async fn accounts_that_a_policy_names_are_onboarded_now_and_later() {
    let file = File::with("policy.yaml", POLICY);
    let mut served = Served::begin(&["--speed", "60", "--policy", file.path(), "--hub", HUB]);
    let told = served.told_until("hub-mailbox");
    for line in [
        "    lab           444444444444  owner\n",
        "    prod          555555555555  consumer\n",
        "    999999999999  999999999999  hub\n",
        "What prod was notified of:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let endpoint = endpoint(&told);
    let definition =
        r#"{"Version":"2020-12-01","Steps":[{"Name":"A","Type":"Training","Arguments":{}}]}"#;
    let lab = Person::new(&endpoint, LAB);
    lab.create_pipeline("churn", definition).await.unwrap();
    served.wait_for("ram:AcceptResourceShareInvitation");

    let more = "  - { name: more, owner: prod, pipelines: ['*'], with: [lab, '666666666666'] }\n";
    let written = Person::new(&endpoint, HUB).ssm.put_parameter();
    let written = written.name("/pipeshare/policy").overwrite(true);
    let written = written.r#type(ParameterType::String);
    written
        .value(POLICY.to_owned() + more)
        .send()
        .await
        .unwrap();
    let told = served.told_until("account 666666666666 as consumer");
    for line in [
        "account 444444444444 as owner and consumer, since the policy names it",
        "account 555555555555 as owner and consumer, since the policy names it",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let prod = Person::new(&endpoint, PROD);
    let share = prod.create_pipeline("fraud", definition).await.unwrap();
    prod.start(&share, "now").await.unwrap();
    let told =
        served.told_until("accept-invitation  666666666666  ram:AcceptResourceShareInvitation");
    assert!(
        told.contains("ram:AssociateResourceShare 666666666666"),
        "{told}"
    );
    let seen = Person::new(&endpoint, LATER).sagemaker.describe_pipeline();
    seen.pipeline_name(share).send().await.unwrap();
    served.end();
}

#[test]
fn a_policy_with_mistakes_starts_nothing_and_says_where_they_are() {
    let file = File::with("wrong.yaml", &POLICY.replace("[prod]", "[prud]"));
    let run = |arguments: &[&str]| {
        let output = Command::new(demo()).arg("serve").args(arguments).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty(), "nothing was started");
        said
    };
    let said = run(&["--policy", file.path()]);
    let mistake = format!(
        "{}:4:63: unknown account \"prud\"; did you mean \"prod\"?",
        file.path()
    );
    assert!(said.contains(&mistake), "{said}");
    let said = run(&["--policy", "/nowhere/policy.yaml"]);
    assert!(
        said.contains("cannot read /nowhere/policy.yaml; name a policy that"),
        "{said}"
    );
    let said = run(&["--hub", HUB]);
    assert!(said.contains("--policy <FILE>"), "{said}");
    let said = run(&["--policy", file.path(), "--hub", "9999"]);
    assert!(said.contains("an account has twelve digits"), "{said}");
}
