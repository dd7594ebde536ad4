//! The rules of a template, which refuse combinations of parameters.

use super::{
    Problem,
    intrinsics::Resolver,
    syntax::{Entry, Node},
};

/// A rule as the template declares it.
#[derive(Debug)]
pub(super) struct Rule {
    name: String,
    condition: Option<Node>,
    assertions: Vec<Assertion>,
}

#[derive(Debug)]
struct Assertion {
    line: usize,
    assert: Node,
    description: Option<String>,
}

impl Rule {
    pub(super) fn read(entry: Entry) -> Result<Self, Problem> {
        let Entry { line, key, value } = entry;
        let (mut condition, mut assertions) = (None, Vec::new());
        for attribute in value.into_entries(&key)? {
            match attribute.key.as_str() {
                "RuleCondition" => condition = Some(attribute.value),
                "Assertions" => assertions = attribute.value.into_items("Assertions")?,
                other => return Err(unsupported(attribute.line, &key, other)),
            }
        }
        if assertions.is_empty() {
            return Err(Problem::new(line, format!("{key} has no Assertions")));
        }
        let assertions = assertions.into_iter();
        let assertions = assertions.map(|node| Assertion::read(&key, node));
        Ok(Self {
            condition,
            assertions: assertions.collect::<Result<_, _>>()?,
            name: key,
        })
    }

    /// Refuses parameters of which an assertion does not hold.
    pub(super) fn check<'t>(&'t self, resolver: &mut Resolver<'t>) -> Result<(), Problem> {
        if let Some(condition) = &self.condition
            && !resolver.condition(condition)?
        {
            return Ok(());
        }
        for assertion in &self.assertions {
            if !resolver.condition(&assertion.assert)? {
                let reason = assertion.description.as_deref();
                let reason = reason.unwrap_or("an assertion does not hold");
                let message = format!("rule {}: {reason}", self.name);
                return Err(Problem::new(assertion.line, message));
            }
        }
        Ok(())
    }
}

impl Assertion {
    fn read(rule: &str, node: Node) -> Result<Self, Problem> {
        let line = node.line;
        let (mut assert, mut description) = (None, None);
        for attribute in node.into_entries("an assertion")? {
            match attribute.key.as_str() {
                "Assert" => assert = Some(attribute.value),
                "AssertDescription" => {
                    description = Some(attribute.value.text("AssertDescription")?.to_owned());
                }
                other => return Err(unsupported(attribute.line, rule, other)),
            }
        }
        let assert = assert
            .ok_or_else(|| Problem::new(line, format!("{rule}: an assertion has no Assert")))?;
        Ok(Self {
            line,
            assert,
            description,
        })
    }
}

fn unsupported(line: usize, rule: &str, what: &str) -> Problem {
    Problem::new(line, format!("{rule}: {what} is not supported"))
}
