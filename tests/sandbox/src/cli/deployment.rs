//! What the options `--template` and `--function` say.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
};

/// A template and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployment {
    pub(crate) file: PathBuf,
    pub(crate) account: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Deployment {
    /// The name of the stack: that of the template's file.
    pub(crate) fn stack(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

impl FromStr for Deployment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (file, rest) = text
            .split_once('=')
            .ok_or("it has the form FILE=ACCOUNT[,Name=Value…]")?;
        let mut parts = rest.split(',');
        let account = parts.next().unwrap_or_default();
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("an account has twelve digits");
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for part in parts {
            match (parameter(part), parameters.last_mut()) {
                (Some((name, value)), _) => parameters.push((name.to_owned(), value.to_owned())),
                (None, Some((_, value))) => {
                    value.push(',');
                    value.push_str(part);
                }
                (None, None) => return Err("a parameter has the form Name=Value"),
            }
        }
        Ok(Self {
            file: file.into(),
            account: account.to_owned(),
            parameters: parameters.into_iter().collect(),
        })
    }
}

/// A name of CloudFormation, which has only letters and digits, and a value.
fn parameter(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}

/// A function and its executable.
pub(crate) fn function(text: &str) -> Result<(String, PathBuf), &'static str> {
    let (name, path) = text.split_once('=').ok_or("it has the form NAME=PATH")?;
    Ok((name.to_owned(), Path::new(path).to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_values_keeps_its_commas() {
        let text = "infra/queue.yaml=111111111111,Names=a,b,Size=3";
        let deployment: Deployment = text.parse().unwrap();
        assert_eq!(deployment.account, "111111111111");
        assert_eq!(deployment.stack(), "queue");
        let parameters: Vec<_> = deployment.parameters.into_iter().collect();
        let expected = [("Names", "a,b"), ("Size", "3")];
        assert_eq!(
            parameters,
            expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for text in ["queue.yaml", "queue.yaml=1111", "queue.yaml=111111111111,a"] {
            assert!(text.parse::<Deployment>().is_err(), "{text}");
        }
        assert!(function("no-path").is_err());
    }
}
