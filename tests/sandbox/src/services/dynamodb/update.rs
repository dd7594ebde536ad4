//! Updates: `SET`, `REMOVE`, `ADD` and `DELETE`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Item, attribute_value,
    expression::{Parser, Path, Placeholders},
    invalid,
};
use crate::world::ApiError;

/// What an update expression does.
#[derive(Debug, Default)]
pub(super) struct Update {
    actions: Vec<Action>,
}

#[derive(Debug)]
enum Action {
    Set(Path, Operand),
    Remove(Path),
    Add(Path, Value),
    Delete(Path, Value),
}

#[derive(Debug)]
enum Operand {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Operand>),
    ListAppend(Box<Operand>, Box<Operand>),
    Sum(Box<Operand>, Box<Operand>),
    Difference(Box<Operand>, Box<Operand>),
}

impl Update {
    /// Reads the update expression of the input; none changes nothing.
    pub(super) fn read(input: &Value, placeholders: &Placeholders<'_>) -> Result<Self, ApiError> {
        let Some(text) = input["UpdateExpression"].as_str() else {
            return Ok(Self::default());
        };
        let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
        let mut actions = Vec::new();
        let mut clauses = BTreeSet::new();
        while let Some(clause) = parser.keyword() {
            if !clauses.insert(clause.clone()) {
                return Err(invalid(format!(
                    "Invalid UpdateExpression: The \"{clause}\" section can only be used once in \
                     an update expression;"
                )));
            }
            parser.expect_keyword(&clause)?;
            actions.push(action(&mut parser, &clause)?);
            while parser.take_sign(",") {
                actions.push(action(&mut parser, &clause)?);
            }
        }
        parser.expect_end()?;
        Ok(Self { actions })
    }

    /// The attributes that it touches.
    pub(super) fn attributes(&self) -> BTreeSet<&str> {
        self.actions
            .iter()
            .map(|action| action.path().attribute())
            .collect()
    }

    /// Changes the item. Every operand is what it was before the update.
    pub(super) fn apply(&self, item: &mut Item) -> Result<(), ApiError> {
        let before = item.clone();
        for action in &self.actions {
            match action {
                Action::Set(path, operand) => path.set(item, operand.value(&before)?)?,
                Action::Remove(path) => path.remove(item)?,
                Action::Add(path, value) => path.set(item, added(path.get(&before), value)?)?,
                Action::Delete(path, value) => match path.get(&before) {
                    None => {}
                    Some(set) => match without(set, value)? {
                        Some(rest) => path.set(item, rest)?,
                        // DynamoDB has no empty sets.
                        None => path.remove(item)?,
                    },
                },
            }
        }
        Ok(())
    }
}

impl Action {
    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }
}

impl Operand {
    fn value(&self, item: &Item) -> Result<Value, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                invalid(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::IfNotExists(path, default) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => default.value(item),
            },
            Self::ListAppend(a, b) => {
                let (a, b) = (a.value(item)?, b.value(item)?);
                match (a["L"].as_array(), b["L"].as_array()) {
                    (Some(a), Some(b)) => {
                        let all: Vec<&Value> = a.iter().chain(b).collect();
                        Ok(json!({ "L": all }))
                    }
                    _ => Err(incorrect_type("list_append")),
                }
            }
            Self::Sum(a, b) => attribute_value::add(&a.value(item)?, &b.value(item)?, false),
            Self::Difference(a, b) => attribute_value::add(&a.value(item)?, &b.value(item)?, true),
        }
    }
}

fn action(parser: &mut Parser<'_>, clause: &str) -> Result<Action, ApiError> {
    let path = parser.path()?;
    match clause {
        "SET" => {
            parser.expect_sign("=")?;
            Ok(Action::Set(path, sum(parser)?))
        }
        "REMOVE" => Ok(Action::Remove(path)),
        "ADD" | "DELETE" => {
            let value = parser.value()?.ok_or_else(|| parser.unexpected())?;
            if clause == "ADD" {
                Ok(Action::Add(path, value))
            } else {
                Ok(Action::Delete(path, value))
            }
        }
        _ => Err(invalid(format!(
            "Invalid UpdateExpression: Syntax error; token: \"{clause}\""
        ))),
    }
}

fn sum(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    let first = operand(parser)?;
    if parser.take_sign("+") {
        return Ok(Operand::Sum(Box::new(first), Box::new(operand(parser)?)));
    }
    if parser.take_sign("-") {
        return Ok(Operand::Difference(
            Box::new(first),
            Box::new(operand(parser)?),
        ));
    }
    Ok(first)
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    let Some(function) = parser.take_function() else {
        return Ok(Operand::Path(parser.path()?));
    };
    let operand = match function.as_str() {
        "if_not_exists" => {
            let path = parser.path()?;
            parser.expect_sign(",")?;
            Operand::IfNotExists(path, Box::new(operand(parser)?))
        }
        "list_append" => {
            let first = operand(parser)?;
            parser.expect_sign(",")?;
            Operand::ListAppend(Box::new(first), Box::new(operand(parser)?))
        }
        _ => {
            return Err(invalid(format!(
                "Invalid UpdateExpression: Invalid function name; function: {function}"
            )));
        }
    };
    parser.expect_sign(")")?;
    Ok(operand)
}

/// Adds to a number, which begins at 0, or to a set, which begins empty.
fn added(before: Option<&Value>, value: &Value) -> Result<Value, ApiError> {
    match (before, attribute_value::parts(value)) {
        (None, Some(("N" | "SS" | "NS" | "BS", _))) => Ok(value.clone()),
        (Some(before), Some(("N", _))) => attribute_value::add(before, value, false),
        (Some(before), Some((kind @ ("SS" | "NS" | "BS"), more))) => {
            let (Some(before), Some(more)) = (before[kind].as_array(), more.as_array()) else {
                return Err(incorrect_type("ADD"));
            };
            let new = more.iter().filter(|member| !before.contains(member));
            let all: Vec<&Value> = before.iter().chain(new).collect();
            Ok(json!({ kind: all }))
        }
        _ => Err(incorrect_type("ADD")),
    }
}

/// What is left of a set; none if nothing is.
fn without(set: &Value, value: &Value) -> Result<Option<Value>, ApiError> {
    let Some((kind @ ("SS" | "NS" | "BS"), gone)) = attribute_value::parts(value) else {
        return Err(incorrect_type("DELETE"));
    };
    let (Some(set), Some(gone)) = (set[kind].as_array(), gone.as_array()) else {
        return Err(incorrect_type("DELETE"));
    };
    let rest: Vec<&Value> = set.iter().filter(|member| !gone.contains(member)).collect();
    Ok((!rest.is_empty()).then(|| json!({ kind: rest })))
}

fn incorrect_type(operator: &str) -> ApiError {
    invalid(format!(
        "Invalid UpdateExpression: Incorrect operand type for operator or function; \
         operator: {operator}"
    ))
}
