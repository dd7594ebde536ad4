//! The example of CI/CD: what was tested is what is deployed, and nobody can put something else there.

use sandbox::services::iam::policy::{Context, Decision, Principal, Request, evaluate};
use serde_json::{Value, json};

use crate::{
    examples::{Example, PIPELINE, TARGET},
    list, text,
};

/// The object of a key.
fn object(key: &str) -> String {
    format!("arn:aws:s3:::artifacts/{key}")
}

/// Whether the policies of a role let it do something with an object, those of the bucket left aside.
fn may(example: &Example, role: &str, action: &str, key: &str) -> bool {
    let roles = example.of_kind("AWS::IAM::Role");
    let role = roles
        .iter()
        .find(|found| found["RoleName"] == role)
        .unwrap();
    let documents = list(&role["Policies"]).into_iter();
    let statements = documents.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
    let anybody = statements.cloned().map(|mut statement| {
        // Policies of roles name no principal, which the evaluation of other policies asks for.
        statement["Principal"] = "*".into();
        statement
    });
    let policy = json!({ "Statement": anybody.collect::<Vec<_>>() });
    let resource = object(key);
    let request = Request {
        principal: Principal::Service("any".to_owned()),
        action,
        resource: &resource,
        context: Context::new(),
    };
    evaluate(&policy, &request).unwrap() == Decision::Allow
}

/// What the bucket's policy says to a role of shared services that writes an object.
fn bucket_says(role: &str, key: &str) -> Decision {
    let policy = PIPELINE.of_kind("AWS::S3::BucketPolicy").remove(0);
    let resource = object(key);
    let mut request = Request {
        principal: Principal::Service("any".to_owned()),
        action: "s3:PutObject",
        resource: &resource,
        context: Context::new(),
    };
    let arn = format!("arn:aws:iam::333333333333:role/{role}");
    request.add("aws:PrincipalArn", arn);
    evaluate(&policy["PolicyDocument"], &request).unwrap()
}

const BUILD: &str = "churn-build-eu-west-1";
const SEAL: &str = "churn-seal-eu-west-1";

#[test]
fn a_build_cannot_write_over_what_was_tested() {
    let deployed = "churn/Sealed/a1b2c3d";
    for action in ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"] {
        for key in [deployed, "churn/Source/a1b2c3d"] {
            assert!(!may(&PIPELINE, BUILD, action, key), "{action} of {key}");
        }
        let seals = action == "s3:PutObject";
        assert_eq!(may(&PIPELINE, SEAL, action, deployed), seals, "{action}");
    }
    assert!(may(&PIPELINE, BUILD, "s3:PutObject", "churn/Built/a1b2c3d"));
    assert!(!may(&PIPELINE, SEAL, "s3:PutObject", "churn/Built/a1b2c3d"));
    // Not even the role of CodePipeline, which may write artifacts, writes this one.
    for role in [BUILD, "churn-codepipeline-eu-west-1", "admin"] {
        assert_eq!(bucket_says(role, deployed), Decision::Deny, "{role}");
    }
    assert_ne!(bucket_says(SEAL, deployed), Decision::Deny);
}

#[test]
fn test_and_prod_read_what_was_sealed_and_no_other_template() {
    let deploy = "churn-deploy-eu-west-1";
    let reads = |key: &str| may(&TARGET, deploy, "s3:GetObject", key);
    assert!(reads("churn/Sealed/a1b2c3d"));
    assert!(!reads("churn/Built/a1b2c3d") && !reads("churn/Source/a1b2c3d"));
    let pipeline = PIPELINE.of_kind("AWS::CodePipeline::Pipeline").remove(0);
    let stages = list(&pipeline["Stages"]).into_iter();
    let actions: Vec<&Value> = stages.flat_map(|stage| list(&stage["Actions"])).collect();
    let deploys = actions
        .iter()
        .filter(|action| action["ActionTypeId"]["Category"] == "Deploy");
    let templates: Vec<_> = deploys
        .map(|action| text(&action["Configuration"]["TemplatePath"], "TemplatePath"))
        .collect();
    assert_eq!(templates, ["Sealed::template.json"; 2]);
}

#[test]
fn seal_runs_no_code_of_the_repository() {
    let projects = PIPELINE.of_kind("AWS::CodeBuild::Project");
    let seal = projects
        .iter()
        .find(|project| project["Name"] == "churn-seal");
    let commands = text(&seal.unwrap()["Source"]["BuildSpec"], "BuildSpec");
    assert!(commands.starts_with("version: 0.2\n"), "{commands}");
    assert!(commands.contains("files: [template.json]"), "{commands}");
}
