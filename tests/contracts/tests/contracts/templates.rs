//! The templates, each with an account and parameters to look at it with.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::cloudformation::{Declared, Stack, TemplateError, declared};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

pub(crate) const HUB_ACCOUNT: &str = "333333333333";
const ACCOUNT: &str = "222222222222";

/// A template of `infra/`.
pub(crate) struct Template {
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    /// The account that it is deployed into.
    pub(crate) account: &'static str,
    /// Values for the parameters that have no default, and some more.
    parameters: &'static [(&'static str, &'static str)],
}

pub(crate) const HUB: Template = Template {
    file: "infra/hub/template.yaml",
    text: include_str!("../../../../infra/hub/template.yaml"),
    account: HUB_ACCOUNT,
    parameters: &[("OrganizationId", "o-example1234")],
};

pub(crate) const OWNER: Template = Template {
    file: "infra/owner-account/template.yaml",
    text: include_str!("../../../../infra/owner-account/template.yaml"),
    account: ACCOUNT,
    parameters: &[
        ("HubAccountId", HUB_ACCOUNT),
        ("AllowedPrincipals", "111111111111,333333333333"),
    ],
};

pub(crate) const CONSUMER: Template = Template {
    file: "infra/consumer-account/template.yaml",
    text: include_str!("../../../../infra/consumer-account/template.yaml"),
    account: ACCOUNT,
    parameters: &[
        ("HubAccountId", HUB_ACCOUNT),
        ("AllowedOwners", "111111111111"),
    ],
};

pub(crate) const ORGANIZATION: Template = Template {
    file: "infra/organization/template.yaml",
    text: include_str!("../../../../infra/organization/template.yaml"),
    account: "444444444444",
    parameters: &[
        (
            "OwnerTemplateUrl",
            "https://bucket.s3.amazonaws.com/owner.yaml",
        ),
        (
            "ConsumerTemplateUrl",
            "https://bucket.s3.amazonaws.com/consumer.yaml",
        ),
        ("OwnerUnits", "ou-ab12-cdef3456"),
        ("ConsumerUnits", "r-ab12,ou-ab12-cdef3456"),
        ("Regions", "eu-west-1,us-gov-west-1"),
        ("HubAccountId", HUB_ACCOUNT),
        ("OrganizationId", "o-example1234"),
        (
            "AllowedPrincipals",
            "111111111111,arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-cdef3456",
        ),
        ("AllowedOwners", "111111111111,222222222222"),
    ],
};

impl Template {
    /// What it declares with the parameters above.
    pub(crate) fn declared(&self) -> Vec<Declared> {
        self.declared_with(&[]).unwrap()
    }

    /// What it declares with these parameters, and those above as far as these leave them.
    pub(crate) fn declared_with(
        &self,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<Declared>, TemplateError> {
        let all: BTreeMap<&str, &str> = self.parameters.iter().chain(parameters).copied().collect();
        self.declared_with_only(&all.into_iter().collect::<Vec<_>>())
    }

    /// What it declares with these parameters alone.
    pub(crate) fn declared_with_only(
        &self,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<Declared>, TemplateError> {
        let parameters = parameters.iter();
        declared(&Stack {
            account: self.account,
            region: "eu-west-1",
            name: "pipeshare",
            file: self.file,
            template: self.text,
            parameters: parameters
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        })
    }

    /// The properties of all resources of a type.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let declared = self.declared().into_iter();
        let found = declared.filter(|resource| resource.kind == kind);
        found.map(|resource| resource.properties).collect()
    }

    /// The parameters and their defaults.
    pub(crate) fn parameters(&self) -> BTreeMap<String, Option<String>> {
        let document = self.document();
        let entries = document["Parameters"].as_mapping().unwrap().iter();
        let parameters = entries.map(|(name, parameter)| {
            let default = parameter.as_mapping_get("Default");
            (name.as_str().unwrap().to_owned(), default.map(scalar))
        });
        parameters.collect()
    }

    /// The names in a section of the template.
    pub(crate) fn section(&self, section: &str) -> BTreeSet<String> {
        let document = self.document();
        let Some(section) = document.as_mapping_get(section) else {
            return BTreeSet::new();
        };
        let names = section.as_mapping().unwrap().keys();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    fn document(&self) -> Yaml<'static> {
        Yaml::load_from_str(self.text).unwrap().remove(0)
    }
}

fn scalar(yaml: &Yaml<'_>) -> String {
    match (yaml.as_str(), yaml.as_integer()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => panic!("{yaml:?} is no default"),
    }
}
