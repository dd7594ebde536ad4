//! The protocol of IAM, STS and SNS: a form in, XML out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::world::ApiError;

/// The members of outputs that are maps; every other object is a structure.
const MAPS: &[&str] = &["Attributes"];

/// How many parts a name may have; the longest that a service knows has eight.
const MAX_PARTS: usize = 20;

/// The operation and its input.
pub(super) fn decode(body: &[u8]) -> Result<(String, Value), ApiError> {
    let mut root = Node::default();
    for (name, value) in form_urlencoded::parse(body) {
        if name.split('.').count() > MAX_PARTS {
            let message = "The query string contains a syntax error.";
            return Err(ApiError::with_status(404, "MalformedQueryString", message));
        }
        root.insert(&name, value.into_owned());
    }
    let mut input = root.into_value();
    let members = input.as_object_mut();
    let action = members.and_then(|members| members.remove("Action"));
    match action.as_ref().and_then(Value::as_str) {
        Some(action) => Ok((action.to_owned(), input)),
        None => Err(ApiError::new(
            "MissingAction",
            "Could not find operation in the request.",
        )),
    }
}

/// A name such as `Tags.member.1.Key` is a path.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, path: &str, text: String) {
        match path.split_once('.') {
            None => self.children.entry(path.to_owned()).or_default().text = Some(text),
            Some((name, rest)) => {
                let child = self.children.entry(name.to_owned()).or_default();
                child.insert(rest, text);
            }
        }
    }

    fn into_value(mut self) -> Value {
        if let Some(list) = self.children.remove("member") {
            return list.in_order().map(Self::into_value).collect();
        }
        if let Some(map) = self.children.remove("entry") {
            return map.in_order().filter_map(Self::into_entry).collect();
        }
        match self.text {
            Some(text) => Value::from(text),
            None => self
                .children
                .into_iter()
                .map(|(name, child)| (name, child.into_value()))
                .collect(),
        }
    }

    /// The items of a list or map in the order of their numbers.
    fn in_order(self) -> impl Iterator<Item = Self> {
        let number = |name: &str| name.parse().unwrap_or(u64::MAX);
        let items = self.children.into_iter();
        let items: BTreeMap<u64, Self> = items.map(|(name, item)| (number(&name), item)).collect();
        items.into_values()
    }

    /// Maps call their parts `key` and `value`, or `Name` and `Value`.
    fn into_entry(mut self) -> Option<(String, Value)> {
        let mut part = |a: &str, b: &str| {
            let lower = self.children.remove(a);
            lower.or_else(|| self.children.remove(b))
        };
        let key = part("key", "Name")?.text?;
        Some((key, part("value", "Value")?.into_value()))
    }
}

/// The document that answers an operation.
pub(super) fn encode(namespace: &str, operation: &str, output: &Value, request_id: &str) -> String {
    let mut result = String::new();
    write(&mut result, &format!("{operation}Result"), output);
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata>\
         <RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

/// The document that tells an error.
pub(super) fn encode_error(namespace: &str, error: &ApiError, request_id: &str) -> String {
    let fault = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message)
    )
}

fn write(xml: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    open(xml, name);
    match value {
        Value::Object(map) if MAPS.contains(&name) => write_map(xml, map),
        Value::Object(members) => {
            for (name, value) in members {
                write(xml, name, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                write(xml, "member", item);
            }
        }
        Value::String(text) => xml.push_str(&escape(text)),
        scalar => xml.push_str(&scalar.to_string()),
    }
    close(xml, name);
}

fn open(xml: &mut String, name: &str) {
    xml.extend(["<", name, ">"]);
}

fn close(xml: &mut String, name: &str) {
    xml.extend(["</", name, ">"]);
}

fn write_map(xml: &mut String, map: &Map<String, Value>) {
    for (key, value) in map {
        open(xml, "entry");
        write(xml, "key", &Value::from(key.as_str()));
        write(xml, "value", value);
        close(xml, "entry");
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
