//! Arguments of steps, against the requests of the APIs that run them.
//!
//! `arguments/shapes.json` has names, types and limits of the service model of
//! SageMaker; `tests/conformance/shapes.py` writes it.
//!
//! Patterns are left to the jobs, and so are instance types, of which AWS has
//! more every year. What the request itself needs is not asked for: the schema
//! of definitions does not ask for it either, a job gets its name from the
//! pipeline, and the pipeline's role serves a step without one.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    definition::{Parameter, ParameterType, Step},
    functions,
    problem::{Problem, array, given, missing, object, required, string},
};

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("arguments/shapes.json"))
        .expect("the table of shapes is written by a script")
});

#[derive(Deserialize)]
struct Table {
    /// The shape of the arguments, by type of step.
    steps: BTreeMap<String, String>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    /// The shapes of the members of a structure.
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
    /// The shape of the items of a list, or of the values of a map.
    #[serde(default)]
    of: String,
    min: Option<f64>,
    max: Option<f64>,
    /// What a text may be, if that is all it may be.
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Float,
    Boolean,
}

/// Checks the arguments of a step, if it runs by an API that is known.
pub(super) fn check(step: &Step, parameters: &[Parameter]) -> Result<(), Problem> {
    let Some(arguments) = step.document.get("Arguments") else {
        return Ok(());
    };
    let checker = Checker { parameters };
    match step.kind.as_str() {
        "EMR" => check_emr(arguments),
        "Fail" => checker.check_fail(arguments),
        kind => match TABLE.steps.get(kind) {
            Some(shape) => checker.check_request(kind, shape, arguments),
            None => Ok(()),
        },
    }
}

/// What a request must have for a step to run at all, according to the schema of definitions.
fn needs(kind: &str) -> &'static [&'static str] {
    match kind {
        "AutoML" => &["InputDataConfig", "OutputDataConfig"],
        "Endpoint" => &["EndpointConfigName"],
        "EndpointConfig" => &["ProductionVariants"],
        "Tuning" => &["HyperParameterTuningJobConfig"],
        _ => &[],
    }
}

/// A step of EMR runs on a cluster that is there or is made for it.
///
/// How the cluster is made is EMR's own.
fn check_emr(arguments: &Value) -> Result<(), Problem> {
    let known = [
        "ClusterId",
        "ClusterConfig",
        "ExecutionRoleArn",
        "StepConfig",
    ];
    let arguments = only(arguments, &known)?;
    if !arguments.contains_key("ClusterId") && !arguments.contains_key("ClusterConfig") {
        return Err(missing("ClusterId"));
    }
    let known = [
        "ActionOnFailure",
        "HadoopJarStep",
        "Name",
        "StepMonitoringConfiguration",
    ];
    let step = only(required(arguments, "StepConfig")?, &known)?;
    given(step, "Name").map(string).transpose()?;
    let known = ["Args", "Jar", "MainClass", "Properties"];
    let jar = only(required(step, "HadoopJarStep")?, &known)?;
    for list in ["Args", "Properties"] {
        given(jar, list).map(array).transpose()?;
    }
    required(jar, "Jar").map(drop)
}

/// The members of an argument that has no others.
fn only<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Problem> {
    let members = object(value)?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(unknown_member(unknown)),
        None => Ok(members),
    }
}

fn unknown_member(name: &str) -> Problem {
    format!("Unknown Argument member '{name}'.").into()
}

struct Checker<'a> {
    parameters: &'a [Parameter],
}

impl Checker<'_> {
    fn check_request(&self, kind: &str, shape: &str, arguments: &Value) -> Result<(), Problem> {
        let members = object(arguments)?;
        needs(kind)
            .iter()
            .try_for_each(|name| required(members, name).map(drop))?;
        let Some(shape) = TABLE.shapes.get(shape) else {
            return Ok(());
        };
        self.check_members(shape, arguments)
    }

    fn check_fail(&self, arguments: &Value) -> Result<(), Problem> {
        match object(arguments)?.get("ErrorMessage") {
            Some(message) => self.check_scalar(Kind::String, message).map(drop),
            None => Ok(()),
        }
    }

    fn check_members(&self, shape: &Shape, value: &Value) -> Result<(), Problem> {
        for (name, member) in object(value)? {
            let shape = shape
                .members
                .get(name)
                .ok_or_else(|| unknown_member(name))?;
            self.check(shape, member)?;
        }
        Ok(())
    }

    /// Checks a value against the shape of this name; null is what is not set.
    fn check(&self, name: &str, value: &Value) -> Result<(), Problem> {
        if value.is_null() {
            return Ok(());
        }
        let Some(shape) = TABLE.shapes.get(name) else {
            return self.check_scalar(Kind::plain(name), value).map(drop);
        };
        match shape.kind {
            Kind::Structure => {
                let members = object(value)?;
                shape
                    .required
                    .iter()
                    .try_for_each(|name| required(members, name).map(drop))?;
                self.check_members(shape, value)
            }
            Kind::List => {
                let items = array(value)?;
                shape.check_length(name, "list", items.len())?;
                items
                    .iter()
                    .try_for_each(|item| self.check(&shape.of, item))
            }
            Kind::Map => {
                let members = object(value)?;
                shape.check_length(name, "map", members.len())?;
                let mut values = members.values();
                values.try_for_each(|value| self.check(&shape.of, value))
            }
            kind => match self.check_scalar(kind, value)? {
                Some(value) => shape.check_limits(name, value),
                None => Ok(()),
            },
        }
    }

    /// The value itself, unless a function stands for it.
    fn check_scalar<'v>(&self, kind: Kind, value: &'v Value) -> Result<Option<&'v Value>, Problem> {
        if !value.is_object() {
            let taken = kind.admits(value).then_some(Some(value));
            return taken.ok_or_else(|| format!("Expecting a Json {kind:?}.").into());
        }
        let found = functions::check(value, self.parameters)?;
        match found {
            Some(found) if !kind.takes(found) => Err(unassignable(value, kind)),
            _ => Ok(None),
        }
    }
}

fn unassignable(function: &Value, kind: Kind) -> Problem {
    let what = match function.get("Get").and_then(Value::as_str) {
        Some(path) => format!("property reference [{path}]"),
        None => "function [Std:Join]".to_owned(),
    };
    Problem::Reference(format!(
        "Cannot assign {what} to argument of type [{kind:?}]."
    ))
}

impl Kind {
    /// The kind that a shape without limits is called after.
    fn plain(name: &str) -> Self {
        match name {
            "Integer" => Self::Integer,
            "Float" => Self::Float,
            "Boolean" => Self::Boolean,
            _ => Self::String,
        }
    }

    fn admits(self, value: &Value) -> bool {
        match self {
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Float => value.is_number(),
            Self::Boolean => value.is_boolean(),
            _ => value.is_string(),
        }
    }

    /// Whether a value of the type may stand here; no number is ever written as a text.
    fn takes(self, found: ParameterType) -> bool {
        match found {
            ParameterType::String => self == Self::String,
            ParameterType::Integer => matches!(self, Self::Integer | Self::Float),
            ParameterType::Float => self == Self::Float,
            ParameterType::Boolean => self == Self::Boolean,
        }
    }
}

impl Shape {
    fn check_length(&self, name: &str, what: &str, length: usize) -> Result<(), Problem> {
        let length = u32::try_from(length).map_or(f64::INFINITY, f64::from);
        self.check_bounds(name, what, &format!("length={length}"), length)
    }

    fn check_limits(&self, name: &str, value: &Value) -> Result<(), Problem> {
        let Some(text) = value.as_str() else {
            let number = value.as_f64().unwrap_or_default();
            return self.check_bounds(name, "number", &format!("value={value}"), number);
        };
        if !self.values.is_empty() && !self.values.iter().any(|known| known == text) {
            let values = self.values.join(", ");
            return Err(failed(&format!(
                "Value '{text}' for '{name}' failed to satisfy enum value set: [{values}]"
            )));
        }
        self.check_length(name, &format!("string '{text}'"), text.chars().count())
    }

    fn check_bounds(&self, name: &str, what: &str, is: &str, size: f64) -> Result<(), Problem> {
        let bound = match (self.min, self.max) {
            (Some(min), _) if size < min => format!("less than min={min:?}"),
            (_, Some(max)) if size > max => format!("greater than max={max:?}"),
            _ => return Ok(()),
        };
        Err(failed(&format!(
            "{what} with {is} cannot be {bound} defined for {name}."
        )))
    }
}

fn failed(message: &str) -> Problem {
    format!("Model Validation failed: {message}").into()
}

#[cfg(test)]
mod tests;
