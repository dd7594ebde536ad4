//! What all expressions share: words, placeholders and paths.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::Value;

use super::{Item, attribute_value, invalid};
use crate::world::ApiError;

const RESERVED_WORDS: &str = include_str!("reserved_words.txt");

/// How long an expression may be, in bytes.
const MAX_SIZE: usize = 4096;

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 100;

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a function, an attribute, or a placeholder.
    Word(String),
    /// One of `( ) , . [ ] = <> < <= > >= + -`.
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "<>", "<=", ">=", "(", ")", ",", ".", "[", "]", "=", "<", ">", "+", "-",
];

/// The placeholders of one call, and which of them its expressions use.
pub(super) struct Placeholders<'a> {
    input: &'a Value,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Placeholders<'a> {
    pub(super) fn new(input: &'a Value) -> Self {
        Self {
            input,
            used: RefCell::default(),
        }
    }

    fn name(&self, word: &str) -> Result<String, ApiError> {
        let name = self.look_up("ExpressionAttributeNames", word)?.as_str();
        name.map(str::to_owned)
            .ok_or_else(|| invalid("ExpressionAttributeNames contains a value that is no text"))
    }

    fn value(&self, word: &str) -> Result<Value, ApiError> {
        let value = self.look_up("ExpressionAttributeValues", word)?;
        attribute_value::check(value)?;
        Ok(value.clone())
    }

    fn look_up(&self, member: &str, word: &str) -> Result<&'a Value, ApiError> {
        let found = self.input[member].get(word);
        self.used.borrow_mut().insert(word.to_owned());
        found.ok_or_else(|| {
            let kind = member.trim_start_matches("ExpressionAttribute");
            let kind = kind.trim_end_matches('s').to_lowercase();
            invalid(format!(
                "Invalid expression: An expression attribute {kind} used in the document path is \
                 not defined; attribute {kind}: {word}"
            ))
        })
    }

    /// DynamoDB refuses placeholders that no expression uses.
    pub(super) fn check_all_used(&self) -> Result<(), ApiError> {
        for member in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            let words = self.input[member].as_object().into_iter().flatten();
            for (word, _) in words {
                if !self.used.borrow().contains(word) {
                    return Err(invalid(format!(
                        "Value provided in {member} unused in expressions: keys: {{{word}}}"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Reads an expression piece by piece.
pub(super) struct Parser<'a> {
    tokens: Vec<Token>,
    position: usize,
    placeholders: &'a Placeholders<'a>,
}

impl<'a> Parser<'a> {
    /// Takes the expression of this member of an input apart.
    pub(super) fn new(
        member: &str,
        text: &str,
        placeholders: &'a Placeholders<'a>,
    ) -> Result<Self, ApiError> {
        let refused = |problem: String| invalid(format!("Invalid {member}: {problem}"));
        if text.len() > MAX_SIZE {
            return Err(refused(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let tokens = tokens(text)?;
        match parentheses(&tokens) {
            Parentheses::Fine => {}
            Parentheses::Redundant => {
                let problem = "The expression has redundant parentheses;";
                return Err(refused(problem.to_owned()));
            }
            // ASSUMED: DynamoDB documents no such limit; here it keeps the stack small.
            Parentheses::TooDeep => {
                let problem = format!("Parentheses are nested more than {MAX_DEPTH} deep;");
                return Err(refused(problem));
            }
        }
        Ok(Self {
            tokens,
            position: 0,
            placeholders,
        })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    /// The next word in upper case, whether it is a keyword or not.
    pub(super) fn keyword(&self) -> Option<String> {
        match self.peek()? {
            Token::Word(word) => Some(word.to_uppercase()),
            Token::Sign(_) => None,
        }
    }

    /// Takes the next piece if it is this sign.
    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.position += usize::from(is_next);
        is_next
    }

    /// Takes the next piece if it is this keyword.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.keyword().is_some_and(|next| next == keyword);
        self.position += usize::from(is_next);
        is_next
    }

    /// Takes a function's name and its opening parenthesis.
    pub(super) fn take_function(&mut self) -> Option<String> {
        let is_call = self.tokens.get(self.position + 1) == Some(&Token::Sign("("));
        match self.peek() {
            Some(Token::Word(name)) if is_call && !name.starts_with([':', '#']) => {
                let name = name.clone();
                self.position += 2;
                Some(name)
            }
            _ => None,
        }
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<(), ApiError> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Result<(), ApiError> {
        if self.take_keyword(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn expect_end(&self) -> Result<(), ApiError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// What is wrong with the next piece.
    pub(super) fn unexpected(&self) -> ApiError {
        let token = match self.peek() {
            Some(Token::Word(word)) => word.as_str(),
            Some(Token::Sign(sign)) => sign,
            None => "<EOF>",
        };
        invalid(format!(
            "Invalid expression: Syntax error; token: \"{token}\""
        ))
    }

    /// Takes a placeholder of a value.
    pub(super) fn value(&mut self) -> Result<Option<Value>, ApiError> {
        match self.peek() {
            Some(Token::Word(word)) if word.starts_with(':') => {
                let value = self.placeholders.value(word)?;
                self.position += 1;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    /// Takes a document path.
    pub(super) fn path(&mut self) -> Result<Path, ApiError> {
        let mut steps = vec![Step::Name(self.name()?)];
        loop {
            if self.take_sign(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.take_sign("[") {
                steps.push(Step::Index(self.index()?));
                self.expect_sign("]")?;
            } else {
                return Ok(Path { steps });
            }
        }
    }

    fn name(&mut self) -> Result<String, ApiError> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.unexpected());
        };
        let name = match word.chars().next() {
            Some('#') => self.placeholders.name(word)?,
            Some(':') | None => return Err(self.unexpected()),
            Some(_) if is_reserved(word) => {
                return Err(invalid(format!(
                    "Invalid expression: Attribute name is a reserved keyword; \
                     reserved keyword: {word}"
                )));
            }
            Some(_) => word.clone(),
        };
        self.position += 1;
        Ok(name)
    }

    fn index(&mut self) -> Result<usize, ApiError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let index = word.parse().map_err(|_| self.unexpected())?;
                self.position += 1;
                Ok(index)
            }
            _ => Err(self.unexpected()),
        }
    }
}

fn is_reserved(word: &str) -> bool {
    let word = word.to_uppercase();
    RESERVED_WORDS
        .split_whitespace()
        .any(|reserved| reserved == word)
}

fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_:#".contains(c);
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let length = if end > 0 {
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| {
                invalid(format!(
                    "Invalid expression: Syntax error; near: \"{rest}\""
                ))
            })?;
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Whether the parentheses of an expression can be read.
enum Parentheses {
    Fine,
    /// Two pairs hold the same.
    Redundant,
    TooDeep,
}

fn parentheses(tokens: &[Token]) -> Parentheses {
    let mut open = Vec::new();
    let mut last_pair = None;
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign("(") if open.len() == MAX_DEPTH => return Parentheses::TooDeep,
            Token::Sign("(") => open.push(position),
            Token::Sign(")") => {
                // One that is not open is for whoever reads on to refuse.
                let Some(start) = open.pop() else { continue };
                if last_pair == Some((start + 1, position - 1)) {
                    return Parentheses::Redundant;
                }
                last_pair = Some((start, position));
            }
            _ => {}
        }
    }
    Parentheses::Fine
}

/// Where in an item something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl Path {
    /// The attribute that the path begins with.
    pub(super) fn attribute(&self) -> &str {
        match &self.steps[0] {
            Step::Name(name) => name,
            Step::Index(_) => "",
        }
    }

    /// Whether the path is an attribute and not something in one.
    pub(super) fn is_attribute(&self) -> bool {
        self.steps.len() == 1
    }

    /// What an item has there.
    pub(super) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        let first = item.get(self.attribute())?;
        self.steps[1..]
            .iter()
            .try_fold(first, |value, step| match step {
                Step::Name(name) => value.get("M")?.get(name),
                Step::Index(index) => value.get("L")?.get(index),
            })
    }

    /// Puts a value there. What the path goes through must exist; a list
    /// grows if the index is past its end.
    pub(super) fn set(&self, item: &mut Item, value: Value) -> Result<(), ApiError> {
        let Some((last, parent)) = self.parent(item)? else {
            item.insert(self.attribute().to_owned(), value);
            return Ok(());
        };
        match (last, parent) {
            (Step::Name(name), Value::Object(members)) => {
                members.insert(name.clone(), value);
            }
            (Step::Index(index), Value::Array(items)) if *index < items.len() => {
                items[*index] = value;
            }
            (Step::Index(_), Value::Array(items)) => items.push(value),
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// Takes away what is there, if anything is.
    pub(super) fn remove(&self, item: &mut Item) -> Result<(), ApiError> {
        let Some((last, parent)) = self.parent(item)? else {
            item.remove(self.attribute());
            return Ok(());
        };
        match (last, parent) {
            (Step::Name(name), Value::Object(members)) => {
                members.remove(name);
            }
            (Step::Index(index), Value::Array(items)) if *index < items.len() => {
                items.remove(*index);
            }
            _ => {}
        }
        Ok(())
    }

    /// The last step and the members or items that it leads into; none for an attribute.
    fn parent<'a>(&self, item: &'a mut Item) -> Result<Option<(&Step, &'a mut Value)>, ApiError> {
        let Some((last, middle)) = self.steps[1..].split_last() else {
            return Ok(None);
        };
        let mut value = item.get_mut(self.attribute()).ok_or_else(invalid_path)?;
        for step in middle {
            value = enter(value, step)
                .and_then(|content| match step {
                    Step::Name(name) => content.get_mut(name),
                    Step::Index(index) => content.get_mut(index),
                })
                .ok_or_else(invalid_path)?;
        }
        let content = enter(value, last).ok_or_else(invalid_path)?;
        Ok(Some((last, content)))
    }
}

/// The content of the map or the list that a step needs.
fn enter<'a>(value: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Name(_) => value.get_mut("M"),
        Step::Index(_) => value.get_mut("L"),
    }
}

fn invalid_path() -> ApiError {
    invalid("The document path provided in the update expression is invalid for update")
}
