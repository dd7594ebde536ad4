//! A policy that is valid somewhere, but can never work here.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use domain::policy::{Place, Policy};

fn place(partition: &str, region: &str) -> Place {
    Place {
        partition: partition.to_owned(),
        region: region.parse().unwrap(),
    }
}

/// What is said of a document in a place; nothing if it is good there.
fn said(document: &str, place: &Place) -> String {
    match Policy::parse_at(document, place) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

/// A document with an ARN of every kind in a partition, and a permission of a Region.
fn document(partition: &str, region: &str) -> String {
    format!(
        r#"version: 1
organization: {{ id: o-example1234, ramSharing: true }}
rules:
  - name: everybody
    owner: "222222222222"
    pipelines: ["*"]
    with:
      - arn:{partition}:iam::111111111111:role/engineer
      - arn:{partition}:iam::111111111111:user/eve
      - arn:{partition}:organizations::999999999999:ou/o-example1234/ou-ab12-cdefgh34
      - arn:{partition}:organizations::999999999999:organization/o-example1234
    access: arn:{partition}:ram:{region}:222222222222:permission/mine
  - name: known
    owner: "222222222222"
    pipelines: ["*"]
    with: ["111111111111"]
    access: arn:{partition}:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline
"#
    )
}

#[test]
fn every_arn_of_another_partition_is_refused_with_its_line_and_column() {
    for (partition, region) in [
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-eusc", "eusc-de-east-1"),
    ] {
        let foreign = document(partition, "us-east-1");
        let said = said(&foreign, &place("aws", "us-east-1"));
        let lines: Vec<_> = said.lines().collect();
        let places: Vec<_> = lines
            .iter()
            .map(|line| line.split(": ").next().unwrap())
            .collect();
        assert_eq!(
            places,
            [
                "line 8, column 9",
                "line 9, column 9",
                "line 10, column 9",
                "line 11, column 9",
                "line 12, column 13",
                "line 17, column 13",
            ]
        );
        let problem =
            format!("this ARN is of the partition {partition}, but all accounts here are in aws");
        assert!(lines.iter().all(|line| line.ends_with(&problem)), "{said}");
        // At home, the same document is good.
        let home = place(partition, region);
        assert_eq!(self::said(&document(partition, region), &home), "");
    }
}

#[test]
fn a_permission_of_another_region_is_refused_and_only_it_has_a_region() {
    let elsewhere = document("aws", "eu-west-1");
    assert_eq!(
        said(&elsewhere, &place("aws", "us-east-1")),
        "line 12, column 13: \"arn:aws:ram:eu-west-1:222222222222:permission/mine\": this ARN is of eu-west-1, but the pipelines are in us-east-1, and a share holds nothing of another Region"
    );
    assert_eq!(said(&elsewhere, &place("aws", "eu-west-1")), "");
}

#[test]
fn what_is_wrong_here_is_said_together_with_what_is_wrong_anywhere() {
    let both = document("aws-cn", "us-east-1").replace("pipelines:", "pipelnes:");
    let said = said(&both, &place("aws", "us-east-1"));
    assert_eq!(said.matches("partition aws-cn").count(), 6, "{said}");
    assert_eq!(
        said.matches("unknown key \"pipelnes\"").count(),
        2,
        "{said}"
    );
}

#[test]
fn whoever_knows_no_place_is_told_what_is_wrong_anywhere() {
    assert!(Policy::parse(&document("aws-cn", "us-east-1")).is_ok());
}
