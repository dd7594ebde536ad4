//! Evaluates references, functions and conditions, and with them the order of the resources.
//!
//! A resource is resolved when something refers to it for the first time; so
//! resources come out after those that they depend on, and a resource that is
//! met again while it is being resolved depends on itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Problem, Stack,
    resources::{Identity, Resource},
    syntax::{Kind, Node},
    template::{Declaration, Named, Template},
};

/// What is known about a template in a stack so far.
pub(super) struct Resolver<'t> {
    template: &'t Template,
    stack: &'t Stack<'t>,
    parameters: BTreeMap<String, Value>,
    resolved: Vec<Resource>,
    /// The resources and conditions that wait for one another.
    waiting: Vec<String>,
}

impl<'t> Resolver<'t> {
    pub(super) fn new(
        template: &'t Template,
        stack: &'t Stack<'t>,
        parameters: BTreeMap<String, Value>,
    ) -> Self {
        Self {
            template,
            stack,
            parameters,
            resolved: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// The resources, each after those that it depends on.
    pub(super) fn into_resources(self) -> Vec<Resource> {
        self.resolved
    }

    /// Resolves a resource, unless it is already or its condition does not hold.
    pub(super) fn resource(&mut self, declaration: &'t Declaration) -> Result<(), Problem> {
        let id = declaration.logical_id.as_str();
        if self.identity(id).is_some() || !self.is_wanted(declaration.condition.as_ref())? {
            return Ok(());
        }
        self.enter(id, declaration.line)?;
        for dependency in &declaration.depends_on {
            let dependency = self.declaration(&dependency.name, dependency.line)?;
            self.resource(dependency)?;
        }
        let properties = match &declaration.properties {
            Some(node) => self.value(node)?.unwrap_or_default(),
            None => Value::Object(Map::new()),
        };
        self.waiting.pop();
        let resource = Resource::new(declaration, self.stack, properties);
        self.resolved.push(resource);
        Ok(())
    }

    /// Whether something with this condition is a part of the stack.
    pub(super) fn is_wanted(&mut self, condition: Option<&'t Named>) -> Result<bool, Problem> {
        condition.map_or(Ok(true), |named| {
            self.named_condition(&named.name, named.line)
        })
    }

    /// A value that must come out as a text.
    pub(super) fn text(&mut self, node: &'t Node, what: &str) -> Result<String, Problem> {
        match self.value(node)? {
            Some(Value::String(text)) => Ok(text),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            _ => Err(Problem::new(node.line, format!("{what} must be a text"))),
        }
    }

    /// The value of a node; none if it is `AWS::NoValue`.
    fn value(&mut self, node: &'t Node) -> Result<Option<Value>, Problem> {
        match &node.kind {
            Kind::Scalar(value) => Ok(Some(value.clone())),
            Kind::List(items) => self.list(items).map(|items| Some(Value::Array(items))),
            Kind::Map(entries) => {
                let mut object = Map::new();
                for entry in entries {
                    if let Some(value) = self.value(&entry.value)? {
                        object.insert(entry.key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(object)))
            }
            Kind::Function(name, argument) => self.function(node.line, name, argument),
        }
    }

    fn list(&mut self, items: &'t [Node]) -> Result<Vec<Value>, Problem> {
        let values: Result<Vec<_>, _> = items.iter().map(|item| self.value(item)).collect();
        Ok(values?.into_iter().flatten().collect())
    }

    fn function(
        &mut self,
        line: usize,
        name: &str,
        argument: &'t Node,
    ) -> Result<Option<Value>, Problem> {
        match name {
            "Ref" => self.reference(line, argument.text(name)?),
            "Fn::GetAtt" => self.get_att(line, argument).map(Some),
            "Fn::Sub" => self.sub(argument).map(|text| Some(text.into())),
            "Fn::Join" => self.join(argument).map(|text| Some(text.into())),
            "Fn::Split" => self.split(argument).map(Some),
            "Fn::Select" => self.select(line, argument).map(Some),
            "Fn::If" => {
                let [condition, then, otherwise] = arguments(argument, name)?;
                let name = condition.text("the condition of Fn::If")?;
                let chosen = if self.named_condition(name, condition.line)? {
                    then
                } else {
                    otherwise
                };
                self.value(chosen)
            }
            _ => {
                let message = format!("{name} is a condition and cannot stand for a value");
                Err(Problem::new(line, message))
            }
        }
    }

    fn reference(&mut self, line: usize, name: &str) -> Result<Option<Value>, Problem> {
        let Stack {
            account,
            region,
            name: stack,
            ..
        } = *self.stack;
        let value = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => account.into(),
            "AWS::Region" => region.into(),
            "AWS::Partition" => "aws".into(),
            "AWS::StackName" => stack.into(),
            "AWS::StackId" => self
                .stack
                .arn("cloudformation", &format!("stack/{stack}/{stack}"))
                .into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => self.resource_reference(name, line)?,
            },
        };
        Ok(Some(value))
    }

    fn get_att(&mut self, line: usize, argument: &'t Node) -> Result<Value, Problem> {
        let (id, attribute) = match &argument.kind {
            Kind::List(_) => {
                let [id, attribute] = arguments(argument, "Fn::GetAtt")?;
                let attribute = self.text(attribute, "the attribute of Fn::GetAtt")?;
                (id.text("the resource of Fn::GetAtt")?, attribute)
            }
            _ => argument
                .text("Fn::GetAtt")?
                .split_once('.')
                .map(|(id, attribute)| (id, attribute.to_owned()))
                .ok_or_else(|| {
                    Problem::new(line, "Fn::GetAtt needs a resource and an attribute")
                })?,
        };
        self.attribute(id, &attribute, line)
    }

    fn attribute(&mut self, id: &str, attribute: &str, line: usize) -> Result<Value, Problem> {
        let value = self.identity_of(id, line)?.attribute(attribute);
        value.ok_or_else(|| Problem::new(line, format!("{id} has no attribute {attribute}")))
    }

    fn sub(&mut self, argument: &'t Node) -> Result<String, Problem> {
        let mut own = BTreeMap::new();
        let node = match &argument.kind {
            Kind::List(_) => {
                let [text, variables] = arguments(argument, "Fn::Sub")?;
                for entry in variables.entries("the variables of Fn::Sub")? {
                    let value = self.text(&entry.value, "a variable of Fn::Sub")?;
                    own.insert(entry.key.as_str(), value);
                }
                text
            }
            _ => argument,
        };
        let mut result = String::new();
        let mut rest = node.text("Fn::Sub")?;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| Problem::new(node.line, "Fn::Sub has a ${ without a }"))?;
            result.push_str(before);
            result.push_str(&self.variable(name, &own, node.line)?);
            rest = after;
        }
        Ok(result + rest)
    }

    /// What stands for `${NAME}` in the text of `Fn::Sub`.
    fn variable(
        &mut self,
        name: &str,
        own: &BTreeMap<&str, String>,
        line: usize,
    ) -> Result<String, Problem> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        if let Some(value) = own.get(name) {
            return Ok(value.clone());
        }
        let value = match name.split_once('.') {
            Some((id, attribute)) => Some(self.attribute(id, attribute, line)?),
            None => self.reference(line, name)?,
        };
        match value {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Problem::new(line, format!("${{{name}}} is not a text"))),
        }
    }

    fn join(&mut self, argument: &'t Node) -> Result<String, Problem> {
        let [delimiter, items] = arguments(argument, "Fn::Join")?;
        let delimiter = delimiter.text("the delimiter of Fn::Join")?;
        let texts = self.texts(items, "Fn::Join")?;
        Ok(texts.join(delimiter))
    }

    fn split(&mut self, argument: &'t Node) -> Result<Value, Problem> {
        let [delimiter, text] = arguments(argument, "Fn::Split")?;
        let delimiter = delimiter.text("the delimiter of Fn::Split")?;
        let text = self.text(text, "the text of Fn::Split")?;
        Ok(text.split(delimiter).collect())
    }

    fn select(&mut self, line: usize, argument: &'t Node) -> Result<Value, Problem> {
        let [index, items] = arguments(argument, "Fn::Select")?;
        let index = self.text(index, "the index of Fn::Select")?;
        let Some(Value::Array(items)) = self.value(items)? else {
            return Err(Problem::new(line, "Fn::Select needs a list"));
        };
        let item = index.parse().ok().and_then(|index: usize| items.get(index));
        item.cloned()
            .ok_or_else(|| Problem::new(line, format!("Fn::Select has no item {index}")))
    }

    fn texts(&mut self, node: &'t Node, what: &str) -> Result<Vec<String>, Problem> {
        let problem = || Problem::new(node.line, format!("{what} needs a list of texts"));
        let Some(Value::Array(items)) = self.value(node)? else {
            return Err(problem());
        };
        let text = |item: &Value| match item {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(item.to_string()),
            _ => Err(problem()),
        };
        items.iter().map(text).collect()
    }

    fn resource_reference(&mut self, id: &str, line: usize) -> Result<Value, Problem> {
        let reference = self.identity_of(id, line)?.reference.clone();
        reference
            .map(Value::from)
            .ok_or_else(|| Problem::new(line, format!("the sandbox has no Ref of {id}")))
    }

    /// What another resource is known by; it is resolved first.
    fn identity_of(&mut self, id: &str, line: usize) -> Result<&Identity, Problem> {
        let declaration = self.declaration(id, line)?;
        self.resource(declaration)?;
        self.identity(id).ok_or_else(|| {
            let message = format!("{id} is not made, since its condition does not hold");
            Problem::new(line, message)
        })
    }

    fn identity(&self, id: &str) -> Option<&Identity> {
        let resource = self.resolved.iter().find(|r| r.logical_id == id)?;
        Some(&resource.identity)
    }

    fn declaration(&self, id: &str, line: usize) -> Result<&'t Declaration, Problem> {
        let mut declarations = self.template.resources.iter();
        declarations
            .find(|declaration| declaration.logical_id == id)
            .ok_or_else(|| Problem::new(line, format!("the template has no {id}")))
    }

    fn named_condition(&mut self, name: &str, line: usize) -> Result<bool, Problem> {
        let node =
            self.template.conditions.get(name).ok_or_else(|| {
                Problem::new(line, format!("the template has no condition {name}"))
            })?;
        self.enter(&format!("condition {name}"), line)?;
        let holds = self.condition(node)?;
        self.waiting.pop();
        Ok(holds)
    }

    /// Whether a condition, or the assertion of a rule, holds.
    pub(super) fn condition(&mut self, node: &'t Node) -> Result<bool, Problem> {
        match &node.kind {
            Kind::Function("Fn::Equals", argument) => {
                let [left, right] = arguments(argument, "Fn::Equals")?;
                let left = self.text(left, "Fn::Equals")?;
                Ok(left == self.text(right, "Fn::Equals")?)
            }
            Kind::Function("Fn::Contains", argument) => {
                let [list, text] = arguments(argument, "Fn::Contains")?;
                let list = self.texts(list, "Fn::Contains")?;
                Ok(list.contains(&self.text(text, "Fn::Contains")?))
            }
            Kind::Function("Fn::Not", argument) => {
                let [condition] = arguments(argument, "Fn::Not")?;
                self.condition(condition).map(|holds| !holds)
            }
            Kind::Function("Fn::And", argument) => Ok(self
                .conditions(argument, "Fn::And")?
                .iter()
                .all(|holds| *holds)),
            Kind::Function("Fn::Or", argument) => Ok(self
                .conditions(argument, "Fn::Or")?
                .iter()
                .any(|holds| *holds)),
            Kind::Function("Condition", argument) => {
                self.named_condition(argument.text("Condition")?, node.line)
            }
            Kind::Map(entries) if entries.len() == 1 && entries[0].key == "Condition" => {
                self.named_condition(entries[0].value.text("Condition")?, node.line)
            }
            _ => Err(Problem::new(node.line, "this is not a condition")),
        }
    }

    fn conditions(&mut self, argument: &'t Node, name: &str) -> Result<Vec<bool>, Problem> {
        let items = argument.items(name)?;
        items.iter().map(|item| self.condition(item)).collect()
    }

    /// Notes that something is being resolved, unless it already is.
    fn enter(&mut self, name: &str, line: usize) -> Result<(), Problem> {
        if let Some(start) = self.waiting.iter().position(|waiting| *waiting == name) {
            let circle = self.waiting[start..].join(" -> ");
            let message = format!("circular dependency: {circle} -> {name}");
            return Err(Problem::new(line, message));
        }
        self.waiting.push(name.to_owned());
        Ok(())
    }
}

/// The arguments of a function that takes exactly N.
fn arguments<'n, const N: usize>(node: &'n Node, name: &str) -> Result<[&'n Node; N], Problem> {
    let items = node.items(&format!("the argument of {name}"))?;
    let items: Vec<&Node> = items.iter().collect();
    items
        .try_into()
        .map_err(|_| Problem::new(node.line, format!("{name} takes {N} arguments")))
}
