//! Reads the project's templates and makes what they declare.
//!
//! The templates are plain CloudFormation in YAML. What the loader does not
//! know is an error that names the line, so that a template never half works.

mod intrinsics;
mod parameters;
mod pipeline;
mod properties;
mod resources;
mod rules;
mod schema;
mod syntax;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{services::key::ResourceKey, world::World};

use template::{Resolved, Template};

/// What was deployed before.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The properties of pipelines of SageMaker, by account, Region and name.
    #[serde(with = "crate::state::pairs")]
    pipelines: BTreeMap<ResourceKey, Value>,
    /// The properties of resources by logical id and name, by account, Region, name and file of the stack.
    stacks: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A template to deploy into an account.
#[derive(Debug, Clone)]
pub struct Stack<'a> {
    /// The account.
    pub account: &'a str,
    /// The Region.
    pub region: &'a str,
    /// The stack's name.
    pub name: &'a str,
    /// Where the template comes from, for messages.
    pub file: &'a str,
    /// The template.
    pub template: &'a str,
    /// Values of the template's parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Stack<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            account, region, ..
        } = self;
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }

    /// Tells the stack from others; two templates may have one name.
    fn key(&self) -> String {
        let Self {
            account,
            region,
            name,
            file,
            ..
        } = self;
        format!("{account} {region} {name} {file}")
    }

    fn resolve(&self) -> Result<Resolved, TemplateError> {
        Template::parse(self.template)
            .and_then(|template| template.resolve(self))
            .map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: Problem) -> TemplateError {
        TemplateError {
            file: self.file.to_owned(),
            line: problem.line,
            message: problem.message,
        }
    }
}

/// A template that cannot be deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and with which construct.
    pub message: String,
}

/// A [`TemplateError`] before it is known in which file.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: usize,
    message: String,
}

impl Problem {
    fn new(line: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { line, message }
    }
}

/// A resource as a stack declares it, with every reference and condition resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The name that the template has for it.
    pub logical_id: String,
    /// The type, for instance `AWS::SQS::Queue`.
    pub kind: &'static str,
    /// The properties.
    pub properties: Value,
}

/// What the stack declares, each resource after those that it depends on; nothing is made.
///
/// It shows what the sandbox does not act on, too, such as alarms.
pub fn declared(stack: &Stack<'_>) -> Result<Vec<Declared>, TemplateError> {
    let declared = stack.resolve()?.resources.into_iter();
    let declared = declared.map(|resource| Declared {
        logical_id: resource.logical_id,
        kind: resource.kind.name,
        properties: resource.properties,
    });
    Ok(declared.collect())
}

/// Makes every resource of the stack, and returns its outputs.
///
/// A stack that was deployed before is updated: what has the same properties
/// stays as it is, and what has others takes them.
pub fn deploy(
    world: &mut World,
    stack: &Stack<'_>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let resolved = stack.resolve()?;
    let key = stack.key();
    for resource in &resolved.resources {
        let before = world.cloudformation.stacks.get(&key);
        let before = before.and_then(|before| before.get(&resource.key()));
        let made = match before {
            Some(before) if *before == resource.properties && !resource.is_pipeline() => continue,
            Some(_) => resource.update(world, stack),
            None => resource.make(world, stack),
        };
        made.map_err(|error| {
            let subject = format!("{} ({})", resource.logical_id, resource.kind.name);
            stack.error(Problem::new(resource.line, format!("{subject}: {error}")))
        })?;
        let stacks = &mut world.cloudformation.stacks;
        let made = stacks.entry(key.clone()).or_default();
        made.insert(resource.key(), resource.properties.clone());
    }
    Ok(resolved.outputs)
}
