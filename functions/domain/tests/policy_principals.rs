//! Whom RAM shares pipelines with, and by which permissions: what is said about anybody or anything else.

use domain::policy::Policy;

#[path = "support/documents.rs"]
mod documents;

use documents::{refused, refused_line, with_line};

const UNIT: &str =
    "such an ARN ends in ou/o-ORGANIZATION/ou-UNIT, for instance ou/o-example1234/ou-ab12-cdef3456";

#[test]
fn principals_are_those_that_ram_takes() {
    let wrong = |arn: &str, problem: &str| {
        let line = format!("line 11, column 12: {arn:?}: {problem}");
        refused_line(11, &format!("    with: [\"{arn}\"]"), &[&line]);
    };
    wrong(
        "arn:aws:sts::111111111111:assumed-role/engineer/eve",
        "this is a session; name its role, such as arn:aws:iam::111111111111:role/engineer",
    );
    wrong(
        "arn:aws:sts::111111111111:federated-user/eve",
        "this is not the ARN of an IAM role or user, an organizational unit or an organization",
    );
    wrong(
        "arn:aws:iam::111111111111:root",
        r#"this is the whole account; write "111111111111""#,
    );
    wrong(
        "arn:aws:iam::111111111111:group/engineers",
        "RAM takes no groups of IAM; name a role, or each user",
    );
    wrong(
        "arn:aws:organizations::999999999999:account/o-example1234/111111111111",
        r#"this is an account; write "111111111111""#,
    );
    wrong(
        "arn:aws:organizations::999999999999:root/o-example1234/r-ab12",
        "RAM takes no root of an organization; name the organization, arn:…:organization/o-ORGANIZATION",
    );
    for arn in [
        "arn:aws:iam:us-east-1:111111111111:role/engineer",
        "arn:aws:organizations:us-east-1:999999999999:organization/o-example1234",
    ] {
        wrong(
            arn,
            "such an ARN has no Region, only two colons in its place",
        );
    }
    for arn in [
        "arn:aws:iam::111111111111:role/engineers/",
        "arn:aws:iam::111111111111:role/engineer#1",
        &format!("arn:aws:iam::111111111111:user/{}", "e".repeat(65)),
    ] {
        let shown = if arn.len() > 80 {
            format!("{:?}…", &arn[..80])
        } else {
            format!("{arn:?}")
        };
        refused_line(
            11,
            &format!("    with: [\"{arn}\"]"),
            &[&format!(
                "line 11, column 12: {shown}: the name of a role or user, after the last '/', has 1 to 64 letters, digits and characters of \"+=,.@_-\""
            )],
        );
    }
    for service in ["sagemaker.amazonaws.com", "codepipeline.amazonaws.com.cn"] {
        wrong(
            service,
            "RAM shares pipelines with no service of AWS; name accounts or ARNs",
        );
    }
    wrong("*", "RAM takes no wildcards; name each principal");
    wrong(
        "arn:aws:iam::111111111111:role/*",
        "RAM takes no wildcards; name each principal",
    );
    wrong("arn:aws:organizations::999999999999:ou/o-example1234", UNIT);
    for unit in [
        "ou-",
        "ou-ab12",
        "ou-ab12-CDEFGH34",
        "ou-ab12-cdef",
        "r-ab12",
    ] {
        let arn = format!("arn:aws:organizations::999999999999:ou/o-example1234/{unit}");
        wrong(&arn, UNIT);
    }
    wrong(
        "arn:aws:organizations::999999999999:organization/r-root",
        "such an ARN ends in organization/o-ORGANIZATION",
    );
    wrong(
        "arn:aws:organizations::999999999999:ou/o-another123/ou-ab12-cdefgh34",
        "RAM shares only within the own organization, o-example1234",
    );
}

#[test]
fn roles_and_users_that_iam_cannot_tell_apart_are_named_once() {
    refused_line(
        11,
        "    with: [arn:aws:iam::111111111111:role/Engineer, arn:aws:iam::111111111111:role/ml/engineer, arn:aws:iam::111111111111:user/engineer, arn:aws:iam::333333333333:role/engineer]",
        &[
            r#"line 11, column 53: "arn:aws:iam::111111111111:role/ml/engineer": there is only one of this name in the account, and "arn:aws:iam::111111111111:role/Engineer" is in this list already"#,
        ],
    );
}

#[test]
fn an_organization_has_one_management_account() {
    let second = r#"  - { name: units, owner: test, pipelines: [a], with: ["arn:aws:organizations::888888888888:ou/o-example1234/ou-ab12-cdefgh34"] }"#;
    let document = with_line(
        11,
        r#"    with: ["arn:aws:organizations::999999999999:organization/o-example1234"]"#,
    );
    refused(
        &format!("{document}\n{second}"),
        &[
            r#"line 15, column 56: "arn:aws:organizations::888888888888:ou/o-example1234/ou-ab12-cdefgh34": an organization has one management account, and line 11 says 999999999999"#,
        ],
    );
    assert!(Policy::parse(&format!("{document}\n{}", second.replace('8', "9"))).is_ok());
}

#[test]
fn who_is_outside_the_organization_shares_with_no_part_of_it() {
    let external = with_line(5, "  test: { id: \"222222222222\", external: true }");
    let document = external.replace(
        "[dev]",
        "[\"arn:aws:organizations::999999999999:organization/o-example1234\"]",
    );
    refused(
        &document,
        &[
            r#"line 11, column 12: "arn:aws:organizations::999999999999:organization/o-example1234": the rule's owner is external, and only members of an organization share with it"#,
        ],
    );
}

#[test]
fn a_unit_needs_ram_sharing() {
    let unit = "arn:aws:organizations::999999999999:ou/o-example1234/ou-ab12-cdefgh34";
    for organization in ["", "organization: { id: o-example1234, ramSharing: false }"] {
        let document = with_line(2, organization).replace("[dev]", &format!("[\"{unit}\"]"));
        let line = if organization.is_empty() { 10 } else { 11 };
        refused(
            &document,
            &[&format!(
                "line {line}, column 12: {unit:?}: RAM shares with this only where \"organization\" says \"ramSharing: true\""
            )],
        );
    }
}

#[test]
fn a_permission_is_aws_own_or_of_the_owner() {
    let wrong = |arn: &str, problem: &str| {
        let line = format!("line 12, column 13: {arn:?}: {problem}");
        refused_line(12, &format!("    access: {arn}"), &[&line]);
    };
    wrong(
        "arn:aws:ram:eu-west-1:111111111111:permission/mine",
        "the permission has to be of the owner, 222222222222",
    );
    for arn in [
        "arn:aws:iam::222222222222:policy/mine",
        "arn:aws:ram::222222222222:permission/mine",
    ] {
        wrong(
            arn,
            "the ARN of a customer managed permission is arn:aws:ram:REGION:ACCOUNT:permission/NAME",
        );
    }
    let own = "    access: arn:aws:ram:eu-west-1:222222222222:permission/mine";
    assert!(Policy::parse(&with_line(12, own)).is_ok());
    wrong(
        "arn:aws:ram:eu-west-1:222222222222:permission/not/mine",
        "the name of a permission has 1 to 36 letters, digits, '_', '.' and '-'",
    );
}

#[test]
fn of_the_permissions_that_aws_made_only_those_for_pipelines_will_do() {
    let wrong = |name: &str, problem: &str| {
        let arn = format!("arn:aws:ram::aws:permission/{name}");
        let line = format!("line 12, column 13: {arn:?}: {problem}");
        refused_line(12, &format!("    access: {arn}"), &[&line]);
    };
    for other in [
        "AWSRAMDefaultPermissionSubnet",
        "AWSRAMPermissionGlueTableReadWrite",
        "x",
    ] {
        wrong(
            other,
            "this is none of AWS's permissions for pipelines, which are AWSRAMDefaultPermissionSageMakerPipeline (\"read\") and AWSRAMPermissionSageMakerPipelineAllowExecution (\"execute\")",
        );
    }
    for (slip, meant) in [
        (
            "AWSRAMDefaultPermissionSageMakerPipelines",
            "AWSRAMDefaultPermissionSageMakerPipeline",
        ),
        (
            "awsramdefaultpermissionsagemakerpipeline",
            "AWSRAMDefaultPermissionSageMakerPipeline",
        ),
        (
            "AWSRAMPermissionSagemakerPipelineAllowExcution",
            "AWSRAMPermissionSageMakerPipelineAllowExecution",
        ),
    ] {
        wrong(
            slip,
            &format!("AWS has no such permission; did you mean {meant}?"),
        );
    }
    refused_line(
        12,
        "    access: arn:aws:ram:us-east-1:aws:permission/AWSRAMDefaultPermissionSageMakerPipeline",
        &[
            r#"line 12, column 13: "arn:aws:ram:us-east-1:aws:permission/AWSRAMDefaultPermissionSageMakerPipeline": AWS's own permissions have no Region in their ARN"#,
        ],
    );
    for own in [
        "AWSRAMDefaultPermissionSageMakerPipeline",
        "AWSRAMPermissionSageMakerPipelineAllowExecution",
    ] {
        let line = format!("    access: arn:aws:ram::aws:permission/{own}");
        assert!(Policy::parse(&with_line(12, &line)).is_ok());
    }
}
