//! JSON that nobody would write.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
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
