//! The sections of a template, and the order in which its resources are made.

use std::collections::BTreeMap;

use super::{
    Problem, Stack,
    intrinsics::Resolver,
    parameters::{self, Parameter},
    resources::{Resource, ResourceType},
    rules::Rule,
    syntax::{Entry, Kind, Node},
};

/// A template whose sections are understood.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) parameters: Vec<Parameter>,
    pub(super) rules: Vec<Rule>,
    pub(super) conditions: BTreeMap<String, Node>,
    pub(super) resources: Vec<Declaration>,
    pub(super) outputs: Vec<Output>,
}

/// A resource as the template declares it.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) logical_id: String,
    pub(super) line: usize,
    pub(super) kind: &'static ResourceType,
    pub(super) condition: Option<Named>,
    pub(super) depends_on: Vec<Named>,
    pub(super) properties: Option<Node>,
}

/// An output as the template declares it.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) condition: Option<Named>,
    pub(super) value: Node,
}

/// The name of something that the template declares elsewhere.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) line: usize,
}

/// What a template comes to in a stack.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The resources, each after those that it depends on.
    pub(super) resources: Vec<Resource>,
    pub(super) outputs: BTreeMap<String, String>,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let root = Node::parse(text)?;
        let mut template = Self {
            parameters: Vec::new(),
            rules: Vec::new(),
            conditions: BTreeMap::new(),
            resources: Vec::new(),
            outputs: Vec::new(),
        };
        for section in root.into_entries("a template")? {
            let Entry { line, key, value } = section;
            match key.as_str() {
                "AWSTemplateFormatVersion" | "Description" | "Metadata" => {}
                "Parameters" => {
                    let parameters = value.entries(&key)?.iter().map(Parameter::read);
                    template.parameters = parameters.collect::<Result<_, _>>()?;
                }
                "Rules" => template.rules = read_each(value, &key, Rule::read)?,
                "Conditions" => {
                    let conditions = value.into_entries(&key)?.into_iter();
                    template.conditions = conditions.map(|c| (c.key, c.value)).collect();
                }
                "Resources" => template.resources = read_each(value, &key, Declaration::read)?,
                "Outputs" => template.outputs = read_each(value, &key, Output::read)?,
                other => {
                    let message = format!("section {other} is not supported");
                    return Err(Problem::new(line, message));
                }
            }
        }
        Ok(template)
    }

    /// Evaluates everything for a stack.
    pub(super) fn resolve(&self, stack: &Stack<'_>) -> Result<Resolved, Problem> {
        let values = parameters::values(&self.parameters, &stack.parameters)?;
        let mut resolver = Resolver::new(self, stack, values);
        for rule in &self.rules {
            rule.check(&mut resolver)?;
        }
        for declaration in &self.resources {
            resolver.resource(declaration)?;
        }
        let mut outputs = BTreeMap::new();
        for output in &self.outputs {
            if resolver.is_wanted(output.condition.as_ref())? {
                let value = resolver.text(&output.value, "the Value of an output")?;
                outputs.insert(output.name.clone(), value);
            }
        }
        let resources = resolver.into_resources();
        Ok(Resolved { resources, outputs })
    }
}

impl Node {
    pub(super) fn into_entries(self, what: &str) -> Result<Vec<Entry>, Problem> {
        match self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(Problem::new(self.line, format!("{what} must be a map"))),
        }
    }

    pub(super) fn into_items(self, what: &str) -> Result<Vec<Node>, Problem> {
        match self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(Problem::new(self.line, format!("{what} must be a list"))),
        }
    }
}

fn read_each<T>(
    section: Node,
    name: &str,
    read: fn(Entry) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    section.into_entries(name)?.into_iter().map(read).collect()
}

impl Declaration {
    fn read(entry: Entry) -> Result<Self, Problem> {
        let Entry { line, key, value } = entry;
        let (mut kind, mut condition, mut depends_on, mut properties) =
            (None, None, Vec::new(), None);
        for attribute in value.into_entries(&key)? {
            let value = attribute.value;
            match attribute.key.as_str() {
                "Type" => kind = Some(resource_type(&key, &value)?),
                "Condition" => condition = Some(Named::read(&value)?),
                "DependsOn" => depends_on = Named::read_list(&value)?,
                "Properties" => properties = Some(value),
                // They matter when a stack changes or goes away, which none does here.
                "DeletionPolicy" | "UpdateReplacePolicy" | "Metadata" => {}
                other => {
                    let message = format!("{key}: {other} is not supported");
                    return Err(Problem::new(attribute.line, message));
                }
            }
        }
        let kind = kind.ok_or_else(|| Problem::new(line, format!("{key} has no Type")))?;
        if let Some(properties) = &properties {
            check_properties(&key, kind, properties)?;
        }
        Ok(Self {
            logical_id: key,
            line,
            kind,
            condition,
            depends_on,
            properties,
        })
    }
}

/// Refuses a property that the sandbox neither acts on nor knows to make no difference to it.
fn check_properties(
    logical_id: &str,
    kind: &ResourceType,
    properties: &Node,
) -> Result<(), Problem> {
    let entries = properties.entries("Properties")?;
    match entries.iter().find(|entry| !kind.knows(&entry.key)) {
        Some(entry) => {
            let message = format!(
                "{logical_id}: the sandbox has no property {} of {}",
                entry.key, kind.name
            );
            Err(Problem::new(entry.line, message))
        }
        None => Ok(()),
    }
}

fn resource_type(logical_id: &str, node: &Node) -> Result<&'static ResourceType, Problem> {
    let name = node.text("Type")?;
    ResourceType::find(name).ok_or_else(|| {
        let message = format!("{logical_id}: the sandbox has no resource type {name}");
        Problem::new(node.line, message)
    })
}

impl Output {
    fn read(entry: Entry) -> Result<Self, Problem> {
        let Entry { line, key, value } = entry;
        let (mut condition, mut result) = (None, None);
        for attribute in value.into_entries(&key)? {
            match attribute.key.as_str() {
                "Value" => result = Some(attribute.value),
                "Condition" => condition = Some(Named::read(&attribute.value)?),
                "Description" => {}
                other => {
                    let message = format!("{key}: {other} is not supported");
                    return Err(Problem::new(attribute.line, message));
                }
            }
        }
        Ok(Self {
            value: result.ok_or_else(|| Problem::new(line, format!("{key} has no Value")))?,
            name: key,
            condition,
        })
    }
}

impl Named {
    fn read(node: &Node) -> Result<Self, Problem> {
        Ok(Self {
            name: node.text("a name")?.to_owned(),
            line: node.line,
        })
    }

    fn read_list(node: &Node) -> Result<Vec<Self>, Problem> {
        match &node.kind {
            Kind::List(items) => items.iter().map(Self::read).collect(),
            _ => Ok(vec![Self::read(node)?]),
        }
    }
}
