//! What outlives the process.

use std::{fs, process::Command};

use demo::{
    estate::{DEV, SHARED},
    people::Person,
};

use super::{File, Served, demo, endpoint};

const DEFINITION: &str =
    r#"{"Version":"2020-12-01","Steps":[{"Name":"A","Type":"Training","Arguments":{}}]}"#;

/// Begins with a state, and returns what was said and where it is.
fn begin(file: &File, more: &[&str]) -> (Served, String, String) {
    let arguments = ["--speed", "60", "--state", file.path()];
    let mut served = Served::begin(&[&arguments, more].concat());
    let told = served.told_until("hub-mailbox");
    let endpoint = endpoint(&told);
    (served, told, endpoint)
}

/// When a pipeline was created, by the sandbox's clock.
async fn created(person: &Person, pipeline: &str) -> f64 {
    let described = person.sagemaker.describe_pipeline().pipeline_name(pipeline);
    let described = described.send().await.unwrap();
    described.creation_time().unwrap().as_secs_f64()
}

/// The version of the policy that is in force.
async fn in_force(endpoint: &str) -> i64 {
    let parameter = Person::new(endpoint, SHARED).ssm.get_parameter();
    let parameter = parameter.name("/pipeshare/policy:in-force").send().await;
    parameter.unwrap().parameter().unwrap().version()
}

#[tokio::test]
async fn shares_policy_and_clock_go_on_where_they_stood() {
    let file = File::absent("estate.state");
    let (mut served, told, address) = begin(&file, &[]);
    assert!(
        told.contains("The walkthrough's policy is in force"),
        "{told}"
    );
    let dev = Person::new(&address, DEV);
    let churn = dev.create_pipeline("churn", DEFINITION).await.unwrap();
    served.wait_for("ram:AcceptResourceShareInvitation");
    served.end();

    let (mut served, told, address) = begin(&file, &[]);
    let said = format!("The accounts of {} go on", file.path());
    assert!(told.contains(&said), "{told}");
    assert!(
        told.contains("    dev              111111111111  owner and consumer\n"),
        "{told}"
    );
    assert_eq!(in_force(&address).await, 1);
    let (dev, shared) = (Person::new(&address, DEV), Person::new(&address, SHARED));
    assert!(shared.sees(&churn).await, "the share is there");
    let invitations = shared.invitations().await.unwrap();
    assert_eq!(invitations.len(), 1, "nobody is invited again");
    let fraud = dev.create_pipeline("fraud", DEFINITION).await.unwrap();
    assert!(created(&dev, &fraud).await > created(&dev, &churn).await);
    served.wait_for("ram:AssociateResourceShare fraud");
    served.end();
}

#[tokio::test]
async fn a_killed_process_loses_only_what_was_not_kept_yet() {
    let file = File::absent("killed.state");
    let (mut served, _, address) = begin(&file, &["--save-every", "1"]);
    let dev = Person::new(&address, DEV);
    let churn = dev.create_pipeline("churn", DEFINITION).await.unwrap();
    loop {
        created(&dev, &churn).await;
        let kept = fs::read_to_string(file.path()).unwrap_or_default();
        if kept.contains(&churn) {
            break;
        }
    }
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    let (mut served, _, address) = begin(&file, &[]);
    created(&Person::new(&address, DEV), &churn).await;
    served.end();
}

#[test]
fn a_state_that_cannot_be_used_is_refused_and_left_alone() {
    for (text, problem) in [
        ("half", "it is damaged: it has one line only"),
        ("{}\n{\"form\":1}", "it is damaged: missing field"),
        (
            "{}\n{\"form\":99}",
            "it has form 99, and this program knows form",
        ),
    ] {
        let file = File::with("unusable.state", text);
        let arguments = ["serve", "--port", "0", "--state", file.path()];
        let output = Command::new(demo()).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(problem), "{said}");
        assert!(said.contains("move it away to begin anew"), "{said}");
        assert!(output.stdout.is_empty(), "nothing was started");
        assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
    }
}
