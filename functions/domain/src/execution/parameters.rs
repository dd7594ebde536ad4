//! With what an execution was started.

use serde::Serialize;
use serde_json::Value;

use crate::text::Untrusted;

/// A parameter that an execution has another value of than the definition says by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The name of the parameter.
    pub name: Untrusted,
    /// Its value in the execution.
    pub value: Untrusted,
    /// What the definition says; none if it has no default.
    pub default: Option<Untrusted>,
}

/// The parameters of an execution that are not what its definition says by default.
///
/// What is no definition has no defaults.
///
/// ```
/// use domain::execution::differing;
///
/// let definition = r#"{ "Parameters": [
///     { "Name": "Epochs", "Type": "Integer", "DefaultValue": 10 },
///     { "Name": "Data", "Type": "String", "DefaultValue": "s3://all" }
/// ] }"#;
/// let of_run = [("Epochs", "10"), ("Data", "s3://some")];
/// let differing = differing(definition, of_run);
/// assert_eq!(differing.len(), 1);
/// assert_eq!(differing[0].name.raw(), "Data");
/// ```
pub fn differing<'a>(
    definition: &str,
    of_run: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Parameter> {
    let definition: Value = serde_json::from_str(definition).unwrap_or_default();
    let parameters = of_run.into_iter().filter_map(|(name, value)| {
        let default = default_of(&definition, name);
        let is_default = default
            .as_deref()
            .is_some_and(|it| is_same_value(it, value));
        (!is_default).then(|| Parameter {
            name: name.into(),
            value: value.into(),
            default: default.map(Untrusted::from),
        })
    });
    parameters.collect()
}

/// Whether two texts are the same value of a parameter.
///
/// ASSUMED: SageMaker may write numbers and booleans in another way than they were given.
pub(crate) fn is_same_value(wanted: &str, found: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let are_numbers = || number(wanted).is_some() && number(wanted) == number(found);
    let is_boolean = || ["true", "false"].contains(&wanted.to_ascii_lowercase().as_str());
    wanted == found || are_numbers() || is_boolean() && wanted.eq_ignore_ascii_case(found)
}

fn default_of(definition: &Value, name: &str) -> Option<String> {
    let mut parameters = definition["Parameters"].as_array()?.iter();
    let parameter = parameters.find(|parameter| parameter["Name"] == name)?;
    match &parameter["DefaultValue"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_booleans_are_the_same_however_they_are_written() {
        let definition = r#"{ "Parameters": [
            { "Name": "Rate", "Type": "Float", "DefaultValue": 0.5 },
            { "Name": "Fast", "Type": "Boolean", "DefaultValue": true },
            { "Name": "Data", "Type": "String" }
        ] }"#;
        let names = |of_run: &[(&str, &str)]| {
            let differing = differing(definition, of_run.iter().copied());
            let names = differing.iter().map(|it| it.name.raw().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&[("Rate", "0.50"), ("Fast", "True")]), [""; 0]);
        assert_eq!(
            names(&[
                ("Rate", "0.6"),
                ("Fast", "false"),
                ("Data", "x"),
                ("New", "1")
            ]),
            ["Rate", "Fast", "Data", "New"]
        );
    }

    #[test]
    fn without_a_definition_every_parameter_is_shown() {
        let parameters = differing("no JSON", [("Data", "x")]);
        assert_eq!(parameters[0].default, None);
    }
}
