//! Pipeline definitions: the JSON document that says which steps there are.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{arguments, cache, form, problem::Problem, retries::Policy};

/// A definition whose references are known to lead somewhere.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) parameters: Vec<Parameter>,
    /// Every step, those in branches included, in the order of the document.
    pub(super) steps: Vec<Step>,
}

/// A parameter that an execution may set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Parameter {
    name: String,
    #[serde(rename = "Type", default)]
    kind: ParameterType,
    default_value: Option<Value>,
    enum_values: Option<Vec<Value>>,
}

/// The type of a parameter, a text if it does not say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize)]
pub(super) enum ParameterType {
    #[default]
    String,
    Integer,
    Float,
    Boolean,
}

/// A step of any type.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    /// For instance `Training`.
    pub(super) kind: String,
    pub(super) display_name: Option<String>,
    pub(super) description: Option<String>,
    /// The steps that must have succeeded before this one starts.
    pub(super) needs: BTreeSet<String>,
    /// The branch in which the step stands, if it stands in one.
    pub(super) branch: Option<Branch>,
    /// The retry policies, of which the first that covers a failure applies.
    pub(super) retries: Vec<Policy>,
    /// Whether earlier runs of the step may be used again.
    pub(super) cache: cache::Config,
    /// The step as the definition has it.
    pub(super) document: Value,
}

/// One of the two branches of a condition step.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) condition: String,
    pub(super) outcome: bool,
}

/// The versions of the format of definitions; there is one so far.
#[derive(Deserialize)]
enum SchemaVersion {
    #[serde(rename = "2020-12-01")]
    First,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<SchemaVersion>,
    #[serde(default)]
    parameters: Option<Vec<Parameter>>,
    steps: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StepDocument {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    display_name: Option<String>,
    description: Option<String>,
    depends_on: Option<Vec<String>>,
    retry_policies: Option<Vec<Policy>>,
    cache_config: Option<cache::Config>,
}

impl Definition {
    /// Reads a definition; what is wrong with it, if it is not one.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let document: Value = serde_json::from_str(text).map_err(|problem| unreadable(&problem))?;
        form::check_document(&document)?;
        let document = Document::deserialize(&document).map_err(|problem| unreadable(&problem))?;
        let parameters = document.parameters.unwrap_or_default();
        let mut steps = Vec::new();
        collect(&document.steps, None, &parameters, &mut steps)?;
        let definition = Self { parameters, steps };
        definition.check_parameters()?;
        definition.check_steps()?;
        for step in &definition.steps {
            arguments::check(step, &definition.parameters)?;
        }
        Ok(definition)
    }

    fn check_parameters(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for parameter in &self.parameters {
            let name = &parameter.name;
            if !names.insert(name) {
                return Err(format!("Duplicate parameter '{name}'."));
            }
            let choices = parameter.enum_values.iter().flatten();
            let mut values = parameter.default_value.iter().chain(choices);
            if !values.all(|value| parameter.kind.admits(value)) {
                return Err(format!("Parameter '{name}' has a value of another type."));
            }
        }
        Ok(())
    }

    fn check_steps(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for step in &self.steps {
            if !names.insert(&step.name) {
                return Err(format!("Duplicate step name '{}'.", step.name));
            }
        }
        for step in &self.steps {
            if let Some(unknown) = step.needs.iter().find(|name| !names.contains(name)) {
                let name = &step.name;
                return Err(format!("Step '{name}' refers to unknown step '{unknown}'."));
            }
            for path in references(&step.document, "Steps.") {
                self.check_property_file(path)?;
            }
            for reference in references(&step.document, "Parameters.") {
                if !self.parameters.iter().any(|known| known.name == reference) {
                    return Err(format!("Undefined parameter '{reference}'."));
                }
            }
        }
        self.check_order()
    }

    /// A property file must be one of its step (aws/sagemaker-python-sdk issue 3642).
    ///
    /// ASSUMED: the wording.
    fn check_property_file(&self, path: &str) -> Result<(), String> {
        let Some((name, file)) = path.split_once(".PropertyFiles.") else {
            return Ok(());
        };
        let files = self
            .step(name)
            .and_then(|step| step.document.get("PropertyFiles"));
        let mut files = files.and_then(Value::as_array).into_iter().flatten();
        if files.any(|known| known.get("PropertyFileName").is_some_and(|it| it == file)) {
            return Ok(());
        }
        Err(format!("Step '{name}' has no property file '{file}'."))
    }

    /// Refuses steps that wait for each other.
    fn check_order(&self) -> Result<(), String> {
        let mut ordered = BTreeSet::new();
        let mut waiting: Vec<&Step> = self.steps.iter().collect();
        while !waiting.is_empty() {
            let count = waiting.len();
            waiting.retain(|step| {
                let free = step.needs.iter().all(|name| ordered.contains(name));
                if free {
                    ordered.insert(&step.name);
                }
                !free
            });
            if waiting.len() == count {
                let names: Vec<&str> = waiting.iter().map(|step| step.name.as_str()).collect();
                return Err(format!("Cyclic dependency of steps {names:?}."));
            }
        }
        Ok(())
    }

    /// The value of every parameter, given the texts that a request has for some of them.
    ///
    /// ASSUMED: the wording of what is refused.
    pub(super) fn bind(
        &self,
        given: &[(String, String)],
    ) -> Result<BTreeMap<String, Value>, String> {
        for (position, (name, _)) in given.iter().enumerate() {
            if !self.parameters.iter().any(|known| known.name == *name) {
                return Err(format!("Parameter [{name}] is not a pipeline parameter."));
            }
            if given[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(format!("Parameter [{name}] is given more than once."));
            }
        }
        let mut values = BTreeMap::new();
        for parameter in &self.parameters {
            let text = given.iter().find(|(name, _)| *name == parameter.name);
            values.insert(parameter.name.clone(), parameter.value(text)?);
        }
        Ok(values)
    }

    /// The parameters that have a default, with its text.
    pub(super) fn defaults(&self) -> impl Iterator<Item = (&str, String)> {
        self.parameters.iter().filter_map(|parameter| {
            let value = match parameter.default_value.as_ref()? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((parameter.name.as_str(), value))
        })
    }

    /// The step of this name.
    pub(super) fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

fn unreadable(problem: &serde_json::Error) -> Problem {
    problem.to_string().into()
}

impl Parameter {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> ParameterType {
        self.kind
    }

    fn value(&self, given: Option<&(String, String)>) -> Result<Value, String> {
        let name = &self.name;
        let Some((_, text)) = given else {
            return self
                .default_value
                .clone()
                .ok_or_else(|| format!("Parameter [{name}] has no default and must be given."));
        };
        let value = self
            .kind
            .parse(text)
            .ok_or_else(|| format!("Parameter [{name}] is not of type {:?}.", self.kind))?;
        let choices = self.enum_values.as_deref().unwrap_or_default();
        if choices.is_empty() || choices.contains(&value) {
            Ok(value)
        } else {
            Err(format!("Parameter [{name}] has none of its enum values."))
        }
    }
}

impl ParameterType {
    fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Float => value.is_number(),
            Self::Boolean => value.is_boolean(),
        }
    }

    fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::String => Some(Value::from(text)),
            Self::Integer => text.parse::<i64>().ok().map(Value::from),
            Self::Float => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(Value::from),
            Self::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
        }
    }
}

/// Adds these steps and, recursively, those of their branches.
fn collect(
    documents: &[Value],
    branch: Option<&Branch>,
    parameters: &[Parameter],
    steps: &mut Vec<Step>,
) -> Result<(), Problem> {
    for document in documents {
        form::check_step(document, parameters)?;
        let step = step(document, branch)?;
        let name = step.name.clone();
        steps.push(step);
        for (member, outcome) in [("IfSteps", true), ("ElseSteps", false)] {
            let condition = name.clone();
            let branch = Branch { condition, outcome };
            let nested = branch_steps(document, member);
            collect(nested, Some(&branch), parameters, steps)?;
        }
    }
    Ok(())
}

fn branch_steps<'a>(document: &'a Value, member: &str) -> &'a [Value] {
    let steps = document.get("Arguments").and_then(|all| all.get(member));
    match (document.get("Type").and_then(Value::as_str), steps) {
        (Some("Condition"), Some(Value::Array(steps))) => steps,
        _ => &[],
    }
}

fn step(document: &Value, branch: Option<&Branch>) -> Result<Step, Problem> {
    let header = StepDocument::deserialize(document).map_err(|problem| unreadable(&problem))?;
    if !is_step_name(&header.name) {
        return Err(format!("Invalid step name '{}'.", header.name).into());
    }
    let retries = header.retry_policies.unwrap_or_default();
    let cache = header.cache_config.unwrap_or_default();
    let problem = retries.iter().find_map(Policy::problem);
    if let Some(problem) = problem.or_else(|| cache.problem()) {
        return Err(problem.into());
    }
    let mut document = document.clone();
    if header.kind == "Condition"
        && let Some(arguments) = document.get_mut("Arguments").and_then(Value::as_object_mut)
    {
        // What the branches refer to is theirs to wait for, not the condition's.
        arguments.retain(|member, _| member != "IfSteps" && member != "ElseSteps");
    }
    let mut needs: BTreeSet<String> = header.depends_on.into_iter().flatten().collect();
    needs.extend(references(&document, "Steps.").map(|path| {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        path[..end].to_owned()
    }));
    needs.extend(branch.map(|branch| branch.condition.clone()));
    Ok(Step {
        name: header.name,
        kind: header.kind,
        display_name: header.display_name,
        description: header.description,
        needs,
        branch: branch.cloned(),
        retries,
        cache,
        document,
    })
}

fn is_step_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// What follows the prefix in every `{"Get": "PREFIX…"}` within the value.
fn references<'a>(value: &'a Value, prefix: &str) -> impl Iterator<Item = &'a str> {
    let mut found = Vec::new();
    visit(value, prefix, &mut found);
    found.into_iter()
}

fn visit<'a>(value: &'a Value, prefix: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, prefix, found)),
        Value::Object(members) => {
            let path = members.get("Get").and_then(Value::as_str);
            found.extend(path.and_then(|path| path.strip_prefix(prefix)));
            members
                .values()
                .for_each(|member| visit(member, prefix, found));
        }
        _ => {}
    }
}
