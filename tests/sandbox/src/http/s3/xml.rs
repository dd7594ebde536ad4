//! The documents in the bodies of requests and answers.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use crate::{http::query::escape, world::ApiError};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The elements that are lists, however many of them there are.
const LISTS: &[&str] = &["Object", "Part", "Tag"];

/// The name of the document's root, and its content.
pub(super) fn read(body: &[u8]) -> Result<(String, Value), ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let document = Document::parse(text).map_err(|_| malformed())?;
    let root = document.root_element();
    Ok((root.tag_name().name().to_owned(), content(root)))
}

fn malformed() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our \
                   published schema";
    ApiError::new("MalformedXML", message)
}

fn content(node: Node<'_, '_>) -> Value {
    let children: Vec<Node<'_, '_>> = node.children().filter(Node::is_element).collect();
    if children.is_empty() {
        return Value::from(node.text().unwrap_or_default());
    }
    let mut members = Map::new();
    for child in children {
        let name = child.tag_name().name();
        let value = content(child);
        if LISTS.contains(&name) {
            let list = members
                .entry(name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(value);
            }
        } else {
            members.insert(name.to_owned(), value);
        }
    }
    Value::Object(members)
}

/// The document of an answer.
pub(super) fn write(root: &str, document: &Value) -> String {
    let mut xml = format!("{HEADER}<{root} xmlns=\"{NAMESPACE}\">");
    write_members(&mut xml, document);
    xml.extend(["</", root, ">"]);
    xml
}

/// The document of an error, which has no namespace.
pub(super) fn write_error(document: &Value) -> String {
    let mut xml = HEADER.to_owned();
    write_element(&mut xml, "Error", document);
    xml
}

const HEADER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn write_members(xml: &mut String, document: &Value) {
    for (name, value) in document.as_object().into_iter().flatten() {
        match value {
            // The text of the root itself.
            Value::String(text) if name.is_empty() => xml.push_str(&escape(text)),
            // A list has no element of its own: its items repeat its name.
            Value::Array(items) => items.iter().for_each(|item| write_element(xml, name, item)),
            value => write_element(xml, name, value),
        }
    }
}

fn write_element(xml: &mut String, name: &str, value: &Value) {
    if value.is_null() || name.is_empty() {
        return;
    }
    xml.extend(["<", name, ">"]);
    match value {
        Value::Object(_) => write_members(xml, value),
        Value::String(text) => xml.push_str(&escape(text)),
        scalar => xml.push_str(&scalar.to_string()),
    }
    xml.extend(["</", name, ">"]);
}
