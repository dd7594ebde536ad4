//! Reads the project's templates and makes what they declare.

use std::collections::BTreeMap;

use crate::world::World;

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

/// Makes every resource of the stack, and returns its outputs.
pub fn deploy(
    _world: &mut World,
    _stack: &Stack<'_>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    unimplemented!()
}
