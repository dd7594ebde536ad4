//! The templates of the example of CI/CD, which have resources that the sandbox does not know.

use std::borrow::Cow;

use regex_lite::{Captures, Regex};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

use crate::templates::HUB_ACCOUNT;

/// A template with values for all that it refers to.
pub(crate) struct Example {
    pub(crate) file: &'static str,
    text: &'static str,
    values: &'static [(&'static str, &'static str)],
    /// The conditions that do not hold.
    without: &'static [&'static str],
}

/// What is in shared services.
pub(crate) const PIPELINE: Example = Example {
    file: "infra/cicd/pipeline.yaml",
    text: include_str!("../../../../infra/cicd/pipeline.yaml"),
    values: &[
        ("AWS::AccountId", HUB_ACCOUNT),
        ("AWS::Partition", "aws"),
        ("AWS::Region", "eu-west-1"),
        ("Name", "churn"),
        ("TestAccountId", "222222222222"),
        ("ProdAccountId", "444444444444"),
        ("Artifacts.Arn", "arn:aws:s3:::artifacts"),
    ],
    without: &["HasConnection"],
};

/// What is in test, and in prod.
pub(crate) const TARGET: Example = Example {
    file: "infra/cicd/target-account.yaml",
    text: include_str!("../../../../infra/cicd/target-account.yaml"),
    values: &[
        ("AWS::AccountId", "222222222222"),
        ("AWS::Partition", "aws"),
        ("AWS::Region", "eu-west-1"),
        ("Name", "churn"),
        ("SharedServicesAccountId", HUB_ACCOUNT),
        ("ArtifactBucket", "artifacts"),
    ],
    without: &[],
};

impl Example {
    /// The names and properties of all resources, with what cannot be known written as its name.
    pub(crate) fn resources(&self) -> Vec<(String, Value)> {
        let resources = self.declared().into_iter();
        resources
            .map(|(name, _, properties)| (name, properties))
            .collect()
    }

    /// The properties of all resources of a type.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let declared = self.declared().into_iter();
        let found = declared.filter(|(_, of, _)| of == kind);
        found.map(|(_, _, properties)| properties).collect()
    }

    fn declared(&self) -> Vec<(String, String, Value)> {
        let document = Yaml::load_from_str(self.text).unwrap().remove(0);
        let resources = document["Resources"].as_mapping().unwrap().iter();
        let resources = resources.map(|(name, resource)| {
            let text = |node: &Yaml<'_>| node.as_str().unwrap().to_owned();
            let properties = self.value(&resource["Properties"]).unwrap();
            (text(name), text(&resource["Type"]), properties)
        });
        resources.collect()
    }

    /// The value of a node; none for what is left out.
    fn value(&self, node: &Yaml<'_>) -> Option<Value> {
        Some(match node {
            Yaml::Tagged(tag, inner) => return self.intrinsic(&tag.suffix, inner),
            Yaml::Sequence(items) => items.iter().filter_map(|it| self.value(it)).collect(),
            Yaml::Mapping(members) => {
                let members = members.iter().filter_map(|(name, value)| {
                    Some((name.as_str()?.to_owned(), self.value(value)?))
                });
                Value::Object(members.collect::<Map<_, _>>())
            }
            Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
            Yaml::Value(Scalar::Integer(number)) => (*number).into(),
            Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
            other => panic!("{}: {other:?}", self.file),
        })
    }

    fn intrinsic(&self, name: &str, argument: &Yaml<'_>) -> Option<Value> {
        let text = argument.as_str();
        match (name, argument) {
            ("Ref", _) if text == Some("AWS::NoValue") => None,
            ("Ref" | "GetAtt", _) => Some(self.named(text?).into()),
            ("Sub", _) => {
                let reference = Regex::new(r"\$\{([^}]+)\}").unwrap();
                let filled = reference.replace_all(text?, |found: &Captures<'_>| {
                    self.named(&found[1]).into_owned()
                });
                Some(filled.into_owned().into())
            }
            ("If", Yaml::Sequence(items)) => {
                let holds = !self.without.contains(&items[0].as_str()?);
                self.value(&items[if holds { 1 } else { 2 }])
            }
            other => panic!("{}: {other:?}", self.file),
        }
    }

    fn named(&self, name: &str) -> Cow<'static, str> {
        let known = self.values.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| name.to_owned().into(), |(_, value)| (*value).into())
    }
}
