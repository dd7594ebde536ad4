//! JSON that nobody would write, and documents of which parts are such JSON.

#![allow(dead_code, reason = "not all tests change documents")]

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::Index,
};
use serde_json::{Value, json};

/// Any JSON, with these texts in it and as the names of its members.
pub(crate) fn any_json<T, N>(texts: T, names: N) -> impl Strategy<Value = Value>
where
    T: Strategy<Value = String> + 'static,
    N: Strategy<Value = String> + 'static,
{
    let names = names.boxed();
    let deep =
        (0..100_usize).prop_map(|depth| (0..depth).fold(json!(1), |inner, _| json!([inner])));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        deep,
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(names.clone(), inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// The JSON pointers of everything within a value.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    collect(value, "", &mut all);
    all
}

fn collect(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    if let Value::Object(members) = value {
        for (name, member) in members {
            collect(member, &format!("{at}/{name}"), into);
        }
    }
}

/// A document in which some things are others.
pub(crate) fn changed(document: &str, changes: Vec<(Index, Value)>) -> Value {
    let mut document: Value =
        serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}"));
    for (index, value) in changes {
        let all = pointers(&document);
        if let Some(part) = document.pointer_mut(&all[index.index(all.len())]) {
            *part = value;
        }
    }
    document
}
