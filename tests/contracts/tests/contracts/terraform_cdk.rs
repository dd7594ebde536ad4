//! The page about Terraform and the CDK names what the templates have.

use contracts::{fenced, section};
use regex_lite::Regex;

use crate::{
    functions::functions,
    templates::{CONSUMER, HUB, OWNER},
};

const PAGE: &str = include_str!("../../../../infra/terraform-cdk.md");

/// The only block under a heading.
fn block(heading: &str) -> String {
    let blocks = fenced(&section(PAGE, heading));
    let [block] = &blocks[..] else {
        panic!("{heading} has one block");
    };
    block.clone()
}

#[test]
fn the_parameters_that_are_given_are_those_of_the_templates() {
    let given = Regex::new(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:\s+=|:) ").unwrap();
    let mut known = HUB.parameters();
    known.extend(CONSUMER.parameters());
    for heading in ["Terraform", "CDK"] {
        let block = block(heading);
        let names = given.captures_iter(&block).map(|it| it[1].to_owned());
        let names: Vec<_> = names.filter(|it| it != "S3Bucket").collect();
        assert!(names.len() >= 4, "{heading}: {names:?}");
        for name in &names {
            assert!(known.contains_key(name), "{heading}: {name}");
        }
        let required = CONSUMER.parameters().into_iter();
        let required = required.filter(|(_, default)| default.is_none());
        for (name, _) in required {
            assert!(names.contains(&name), "{heading} leaves out {name}");
        }
    }
}

#[test]
fn terraform_puts_the_address_of_every_archive_into_the_template_of_the_hub() {
    let terraform = block("Terraform");
    let quoted = Regex::new(r#""/(Code: .*)/",\n\s*"([^\n]*)","#).unwrap();
    let replacing = quoted.captures(&terraform).unwrap();
    let archive = Regex::new(&replacing[1]).unwrap();
    // A release has the architecture in the path.
    let released = HUB.text.replace("/lambda/", "/lambda/arm64/");
    let address = replacing[2].replace("${local.bucket}", "BUCKET");
    let address = address.replace("${local.prefix}", "PREFIX");
    for template in [HUB.text, &released] {
        let replaced = archive.replace_all(template, address.as_str());
        assert!(!replaced.contains("bootstrap.zip"));
        for function in functions() {
            let key = format!("Code: {{ S3Bucket: BUCKET, S3Key: PREFIX/{function}.zip }}\n");
            let found = replaced.matches(&key).count();
            assert_eq!(found, 1, "{key}");
        }
    }
}

#[test]
fn account_templates_are_small_enough_to_be_given_directly() {
    for template in [&CONSUMER, &OWNER] {
        assert!(template.text.len() <= 51_200, "{}", template.file);
    }
}
