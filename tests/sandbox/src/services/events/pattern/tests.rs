use serde_json::{Value, json};

use super::Pattern;

fn matches(pattern: &Value, event: &Value) -> bool {
    Pattern::parse(&pattern.to_string())
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .matches(event)
}

/// Checks rows of pattern, event and whether the pattern matches the event.
fn check(table: &[(Value, Value, bool)]) {
    for (pattern, event, expected) in table {
        assert_eq!(
            matches(pattern, event),
            *expected,
            "pattern {pattern}, event {event}"
        );
    }
}

#[test]
fn literals_compare_by_type_and_value() {
    check(&[
        (json!({"a": ["x"]}), json!({"a": "x"}), true),
        (json!({"a": ["x"]}), json!({"a": "X"}), false),
        (json!({"a": ["x", "y"]}), json!({"a": "y"}), true),
        (json!({"a": [""]}), json!({"a": ""}), true),
        (json!({"a": [""]}), json!({"a": null}), false),
        (json!({"a": [null]}), json!({"a": null}), true),
        (json!({"a": [null]}), json!({}), false),
        (json!({"a": [7]}), json!({"a": 7.0}), true),
        (json!({"a": [7]}), json!({"a": "7"}), false),
        (json!({"a": ["7"]}), json!({"a": 7}), false),
        (json!({"a": [true]}), json!({"a": true}), true),
        (json!({"a": [true]}), json!({"a": "true"}), false),
        (
            json!({"a": [1_623_000_000_000_i64]}),
            json!({"a": 1_623_000_000_000_i64}),
            true,
        ),
    ]);
}

#[test]
fn every_field_of_a_pattern_must_match_and_others_do_not_matter() {
    check(&[
        (
            json!({"a": [1], "b": [2]}),
            json!({"a": 1, "b": 2, "c": 3}),
            true,
        ),
        (json!({"a": [1], "b": [2]}), json!({"a": 1}), false),
        (json!({"a": {"b": [1]}}), json!({"a": {"b": 1}}), true),
        (json!({"a": {"b": [1]}}), json!({"a": 1}), false),
        (json!({"a": [1]}), json!({"a": {"b": 1}}), false),
    ]);
}

#[test]
fn a_list_in_an_event_matches_if_one_of_its_values_does() {
    check(&[
        (json!({"a": [2]}), json!({"a": [1, 2]}), true),
        (json!({"a": [3]}), json!({"a": [1, 2]}), false),
        (json!({"a": [3]}), json!({"a": []}), false),
        (json!({"a": [2]}), json!({"a": [[1], [2, 3]]}), true),
        (
            json!({"a": [{"prefix": "y"}]}),
            json!({"a": ["x", "yz"]}),
            true,
        ),
    ]);
}

#[test]
fn fields_in_a_list_of_objects_must_match_in_the_same_object() {
    let users = json!({"users": [{"name": "ann", "age": 1}, {"name": "bob", "age": 2}]});
    check(&[
        (
            json!({"users": {"name": ["ann"], "age": [1]}}),
            users.clone(),
            true,
        ),
        (
            json!({"users": {"name": ["bob"], "age": [2]}}),
            users.clone(),
            true,
        ),
        (
            json!({"users": {"name": ["ann"], "age": [2]}}),
            users.clone(),
            false,
        ),
        (
            json!({"users": {"name": ["ann", "bob"], "age": [2]}}),
            users,
            true,
        ),
        (
            json!({"a": {"b": {"c": [1], "d": [2]}}}),
            json!({"a": [{"b": [{"c": 1}, {"d": 2}]}, {"b": [{"c": 1, "d": 2}]}]}),
            true,
        ),
        (
            json!({"a": {"b": {"c": [1], "d": [2]}}}),
            json!({"a": [{"b": [{"c": 1}, {"d": 2}]}]}),
            false,
        ),
        (
            json!({"a": {"x": [1]}, "b": {"y": [2]}}),
            json!({"a": [{"x": 0}, {"x": 1}], "b": [{"y": 2}, {"y": 0}]}),
            true,
        ),
    ]);
}

#[test]
fn prefix_and_suffix_compare_the_ends_of_a_text() {
    check(&[
        (json!({"a": [{"prefix": "ab"}]}), json!({"a": "abc"}), true),
        (json!({"a": [{"prefix": "ab"}]}), json!({"a": "Abc"}), false),
        (json!({"a": [{"prefix": "1"}]}), json!({"a": 12}), false),
        (
            json!({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}),
            json!({"a": "aBc"}),
            true,
        ),
        (
            json!({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}),
            json!({"a": "cab"}),
            false,
        ),
        (
            json!({"a": [{"suffix": ".png"}]}),
            json!({"a": "x.png"}),
            true,
        ),
        (
            json!({"a": [{"suffix": ".png"}]}),
            json!({"a": "x.pngs"}),
            false,
        ),
        (
            json!({"a": [{"suffix": {"equals-ignore-case": ".png"}}]}),
            json!({"a": "x.PNG"}),
            true,
        ),
        (json!({"a": [{"suffix": ".png"}]}), json!({}), false),
    ]);
}

#[test]
fn equals_ignore_case_compares_whole_texts() {
    check(&[
        (
            json!({"a": [{"equals-ignore-case": "AliCe"}]}),
            json!({"a": "alice"}),
            true,
        ),
        (
            json!({"a": [{"equals-ignore-case": "alice"}]}),
            json!({"a": "alice2"}),
            false,
        ),
        (
            json!({"a": [{"equals-ignore-case": "ä"}]}),
            json!({"a": "Ä"}),
            true,
        ),
    ]);
}

#[test]
fn a_wildcard_stands_for_any_text() {
    let wildcard = |pattern: &str| json!({"a": [{"wildcard": pattern}]});
    check(&[
        (wildcard("dir/*.png"), json!({"a": "dir/sub/x.png"}), true),
        (wildcard("dir/*.png"), json!({"a": "dir/.png"}), true),
        (wildcard("dir/*.png"), json!({"a": "dir/x.jpg"}), false),
        (wildcard("*"), json!({"a": ""}), true),
        (wildcard("a*b*c"), json!({"a": "aXbYbZc"}), true),
        (wildcard("a*b*c"), json!({"a": "acb"}), false),
        (wildcard("ab*ba"), json!({"a": "aba"}), false),
        (wildcard("plain"), json!({"a": "plain"}), true),
        (wildcard("plain"), json!({"a": "plains"}), false),
        (wildcard(r"a\*b"), json!({"a": "a*b"}), true),
        (wildcard(r"a\*b"), json!({"a": "axb"}), false),
        (wildcard(r"a\\*"), json!({"a": r"a\x"}), true),
        (wildcard("*"), json!({"a": 1}), false),
    ]);
}

#[test]
fn numeric_comparisons_have_one_or_two_bounds() {
    let numeric = |operands: Value| json!({"a": [{"numeric": operands}]});
    check(&[
        (numeric(json!(["=", 3])), json!({"a": 3.0}), true),
        (numeric(json!(["=", 3])), json!({"a": 3.1}), false),
        (numeric(json!([">", 0])), json!({"a": 0}), false),
        (numeric(json!([">=", 0])), json!({"a": 0}), true),
        (numeric(json!(["<", 10])), json!({"a": -1.5}), true),
        (numeric(json!(["<=", 10])), json!({"a": 10.5}), false),
        (numeric(json!([">", 0, "<=", 5])), json!({"a": 5}), true),
        (
            numeric(json!([">", 0, "<=", 5])),
            json!({"a": 5.001}),
            false,
        ),
        (numeric(json!([">", 0, "<", 5])), json!({"a": 5}), false),
        (numeric(json!(["=", 3])), json!({"a": "3"}), false),
    ]);
}

#[test]
fn cidr_matches_addresses_of_a_block() {
    let cidr = |block: &str| json!({"a": [{"cidr": block}]});
    check(&[
        (cidr("10.0.0.0/24"), json!({"a": "10.0.0.255"}), true),
        (cidr("10.0.0.0/24"), json!({"a": "10.0.1.0"}), false),
        (cidr("10.0.0.77/24"), json!({"a": "10.0.0.1"}), true),
        (cidr("0.0.0.0/0"), json!({"a": "200.1.2.3"}), true),
        (cidr("10.0.0.0/24"), json!({"a": "no address"}), false),
        (cidr("10.0.0.0/24"), json!({"a": "::ffff:10.0.0.1"}), false),
        (cidr("2001:db8::/32"), json!({"a": "2001:db8:1::1"}), true),
        (cidr("2001:db8::/32"), json!({"a": "2001:db9::1"}), false),
        (cidr("::/0"), json!({"a": "2001:db9::1"}), true),
    ]);
}

#[test]
fn exists_asks_for_a_value_and_not_for_an_object() {
    let exists = |exists: bool| json!({"a": [{"exists": exists}]});
    check(&[
        (exists(true), json!({"a": 1}), true),
        (exists(true), json!({"a": null}), true),
        (exists(true), json!({"a": ""}), true),
        (exists(true), json!({}), false),
        (exists(true), json!({"a": []}), false),
        (exists(true), json!({"a": {"b": 1}}), false),
        (exists(false), json!({}), true),
        (exists(false), json!({"b": 1}), true),
        (exists(false), json!({"a": 1}), false),
        (exists(false), json!({"a": null}), false),
        (exists(false), json!({"a": {"b": 1}}), true),
        (json!({"a": {"b": [{"exists": false}]}}), json!({}), true),
        (
            json!({"a": ["x", {"exists": false}]}),
            json!({"a": "x"}),
            true,
        ),
        (json!({"a": ["x", {"exists": false}]}), json!({}), true),
        (
            json!({"a": ["x", {"exists": false}]}),
            json!({"a": "y"}),
            false,
        ),
    ]);
}

#[test]
fn a_field_of_a_list_of_objects_is_absent_if_the_matching_object_lacks_it() {
    let absent = json!({"a": {"b": [1], "c": [{"exists": false}]}});
    let first = json!({"a": {"a": [{"exists": false}], "b": [1]}});
    let either = json!({"a": {"b": [1], "c": ["x", {"exists": false}]}});
    check(&[
        (absent.clone(), json!({"a": [{"b": 1}, {"c": 2}]}), true),
        (
            absent.clone(),
            json!({"a": [{"b": 1, "c": 2}, {"b": 0}]}),
            false,
        ),
        (absent, json!({"a": [{"b": 1, "c": 2}, {"b": 1}]}), true),
        (first, json!({"a": [{"b": 1}, {"a": 2}]}), true),
        (either.clone(), json!({"a": [{"b": 1, "c": "x"}]}), true),
        (either.clone(), json!({"a": [{"b": 1}, {"c": "y"}]}), true),
        (either, json!({"a": [{"b": 1, "c": "y"}]}), false),
    ]);
}

#[test]
fn anything_but_excludes_values_but_asks_for_one() {
    let but = |excluded: Value| json!({"a": [{"anything-but": excluded}]});
    check(&[
        (but(json!("x")), json!({"a": "y"}), true),
        (but(json!("x")), json!({"a": "x"}), false),
        (but(json!("x")), json!({"a": 1}), true),
        (but(json!("x")), json!({}), false),
        (but(json!("x")), json!({"a": []}), false),
        (but(json!(["x", "y"])), json!({"a": "y"}), false),
        (but(json!(["x", "y"])), json!({"a": "z"}), true),
        (but(json!(["x"])), json!({"a": ["x", "y"]}), true),
        (but(json!(["x"])), json!({"a": ["x", "x"]}), false),
        (but(json!(1)), json!({"a": 1.0}), false),
        (but(json!([1, 2])), json!({"a": 3}), true),
        (
            but(json!({"prefix": "init"})),
            json!({"a": "initial"}),
            false,
        ),
        (but(json!({"prefix": "init"})), json!({"a": "done"}), true),
        (
            but(json!({"prefix": ["a", "b"]})),
            json!({"a": "bc"}),
            false,
        ),
        (but(json!({"suffix": ".txt"})), json!({"a": "x.txt"}), false),
        (
            but(json!({"suffix": [".txt", ".rtf"]})),
            json!({"a": "x.png"}),
            true,
        ),
        (
            but(json!({"equals-ignore-case": "failed"})),
            json!({"a": "FAILED"}),
            false,
        ),
        (
            but(json!({"equals-ignore-case": ["a", "b"]})),
            json!({"a": "C"}),
            true,
        ),
        (
            but(json!({"wildcard": "*/lib/*"})),
            json!({"a": "/usr/lib/x"}),
            false,
        ),
        (
            but(json!({"wildcard": ["*/lib/*", "*/bin/*"]})),
            json!({"a": "/usr/share"}),
            true,
        ),
    ]);
}

#[test]
fn or_joins_fields_at_any_depth() {
    let top = json!({"s": ["x"], "$or": [{"a": [1]}, {"b": [2]}]});
    let nested =
        json!({"d": {"$or": [{"a": [1], "b": [1]}, {"c": {"$or": [{"e": [3]}, {"f": [4]}]}}]}});
    check(&[
        (top.clone(), json!({"s": "x", "a": 1}), true),
        (top.clone(), json!({"s": "x", "b": 2}), true),
        (top.clone(), json!({"s": "x", "b": 1}), false),
        (top, json!({"a": 1}), false),
        (nested.clone(), json!({"d": {"a": 1, "b": 1}}), true),
        (nested.clone(), json!({"d": {"a": 1}}), false),
        (nested.clone(), json!({"d": {"c": {"f": 4}}}), true),
        (nested, json!({"d": {"c": {"e": 4}}}), false),
        // An ordinary field that happens to have this name.
        (json!({"$or": ["x"]}), json!({"$or": "x"}), true),
        (
            json!({"$or": [{"prefix": "x"}, {"prefix": "y"}]}),
            json!({"$or": "yes"}),
            true,
        ),
    ]);
}

#[test]
fn the_documented_patterns_of_pipelines_match_their_events() {
    let event = json!({
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "account": "111111111111",
        "resources": ["arn:one", "arn:two"],
        "detail": {"currentPipelineExecutionStatus": "CompletedWithFailures", "pipelineArn": "arn:X"},
    });
    check(&[
        (
            json!({"source": ["aws.sagemaker"], "resources": ["arn:two"]}),
            event.clone(),
            true,
        ),
        (
            json!({"detail": {"currentPipelineExecutionStatus": [{"anything-but": ["Executing", "Stopping"]}]}}),
            event.clone(),
            true,
        ),
        (
            json!({"detail": {"pipelineArn": [{"equals-ignore-case": "arn:x"}]}}),
            event.clone(),
            true,
        ),
        (json!({"account": ["222222222222"]}), event.clone(), false),
        (
            json!({"detail": {"errorCode": [{"exists": false}]}}),
            event,
            true,
        ),
    ]);
}

#[test]
fn malformed_patterns_are_refused() {
    let combinations: Vec<Value> = (0..32).map(|n| json!({"a": [n]})).collect();
    let refused = [
        json!([]),
        json!("a"),
        json!({}),
        json!({"a": {}}),
        json!({"a": []}),
        json!({"a": "x"}),
        json!({"a": 1}),
        json!({"a": null}),
        json!({"a": [["x"]]}),
        json!({"a": [{}]}),
        json!({"a": [{"prefix": "x", "suffix": "y"}]}),
        json!({"a": [{"regexp": "x"}]}),
        json!({"a": [{"prefix": 1}]}),
        json!({"a": [{"prefix": {"suffix": "x"}}]}),
        json!({"a": [{"suffix": null}]}),
        json!({"a": [{"equals-ignore-case": ["x"]}]}),
        json!({"a": [{"wildcard": "a**b"}]}),
        json!({"a": [{"wildcard": r"a\b"}]}),
        json!({"a": [{"wildcard": r"a\"}]}),
        json!({"a": [{"exists": "yes"}]}),
        json!({"a": [{"numeric": []}]}),
        json!({"a": [{"numeric": [">"]}]}),
        json!({"a": [{"numeric": ["==", 1]}]}),
        json!({"a": [{"numeric": [">", "1"]}]}),
        json!({"a": [{"numeric": [">", 5, "<", 5]}]}),
        json!({"a": [{"numeric": ["<", 5, ">", 1]}]}),
        json!({"a": [{"numeric": ["=", 1, "<", 2]}]}),
        json!({"a": [{"numeric": [">", 6.0e9]}]}),
        json!({"a": [{"cidr": "10.0.0.0"}]}),
        json!({"a": [{"cidr": "10.0.0.0/33"}]}),
        json!({"a": [{"cidr": "10.0.0/8"}]}),
        json!({"a": [{"anything-but": []}]}),
        json!({"a": [{"anything-but": ["x", 1]}]}),
        json!({"a": [{"anything-but": null}]}),
        json!({"a": [{"anything-but": {"prefix": ""}}]}),
        json!({"a": [{"anything-but": {"numeric": ["=", 1]}}]}),
        json!({"$or": [{"a": [1]}]}),
        json!({"$or": []}),
        json!({"$or": [{"a": [1]}, {"b": 2}]}),
        json!({"b": {"$or": combinations}, "c": {"$or": combinations}}),
    ];
    for pattern in refused {
        assert!(
            Pattern::parse(&pattern.to_string()).is_err(),
            "{pattern} was accepted"
        );
    }
    assert!(Pattern::parse("{not json").is_err());
}
