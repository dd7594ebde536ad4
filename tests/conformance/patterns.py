"""Event patterns and what to try them on.

The expectations of `TRAPS` are those of the user guide of EventBridge and of
the README of AWS's event-ruler; what is paired from `MATCHERS` and `VALUES`
has none of its own, since two implementations are asked for it.
"""

GUIDE = "EventBridge user guide, Comparison operators; aws/event-ruler README"

# What may stand in the list of a field.
MATCHERS = [
    "x", "", "7", 7, 7.0, -1.5, 3.0e2, 0, True, False, None,
    {"prefix": "x"}, {"prefix": "x-"}, {"prefix": "7"}, {"prefix": {"equals-ignore-case": "XY"}},
    {"suffix": "x"}, {"suffix": ".png"}, {"suffix": "7"}, {"suffix": {"equals-ignore-case": ".PNG"}},
    {"equals-ignore-case": "X"}, {"equals-ignore-case": "xY"}, {"equals-ignore-case": "TRUE"},
    {"wildcard": "x*"}, {"wildcard": "*x"}, {"wildcard": "x*y"}, {"wildcard": "*x*"}, {"wildcard": "*"},
    {"wildcard": "x*y*z"}, {"wildcard": "xy"}, {"wildcard": "x\\*y"}, {"wildcard": "x\\\\y"},
    {"exists": True}, {"exists": False},
    {"numeric": ["=", 7]}, {"numeric": ["<", 7]}, {"numeric": ["<=", 7]}, {"numeric": [">", 7]},
    {"numeric": [">=", 7]}, {"numeric": [">", 0, "<", 7]}, {"numeric": [">=", 0, "<=", 7]},
    {"numeric": [">", -2, "<=", 0]}, {"numeric": ["=", 300]}, {"numeric": ["<", 0]},
    {"cidr": "10.0.0.0/8"}, {"cidr": "10.0.0.0/24"}, {"cidr": "10.1.2.3/31"}, {"cidr": "0.0.0.0/0"},
    {"cidr": "2001:db8::/32"}, {"cidr": "2001:db8::/64"},
    {"anything-but": "x"}, {"anything-but": 7}, {"anything-but": ["x", "xy"]}, {"anything-but": [7, 0]},
    {"anything-but": {"prefix": "x"}}, {"anything-but": {"prefix": ["x", "7"]}},
    {"anything-but": {"suffix": "y"}}, {"anything-but": {"suffix": ["y", ".png"]}},
    {"anything-but": {"equals-ignore-case": "X"}}, {"anything-but": {"equals-ignore-case": ["X", "XY"]}},
    {"anything-but": {"wildcard": "x*y"}}, {"anything-but": {"wildcard": ["*x", "*y"]}},
]

MISSING = object()

# What the field may be in an event.
VALUES = [
    MISSING, None, True, False, 0, 7, 7.0, 7.5, -1, -1.5, 300, 4_999_999_999,
    "", "x", "X", "xy", "xY", "x-y", "x*y", "x\\y", "xyz", "xx", "yx", "7", "7.0", "true", "null", "a.png", "a.PNG",
    "10.0.0.1", "10.1.2.2", "11.0.0.1", "2001:db8::1", "2001:db9::1", "10.0.0.0/8", "ß", "ümlaut",
    [], ["x"], ["y"], ["x", "y"], ["y", 7], [7, 8], [True], [None], ["", "xy"], [["x"], ["y"]],
    {}, {"g": "x"}, [{"g": "x"}],
]

# Patterns that EventBridge refuses.
INVALID = [
    "", "x", "[]", "7", "null", "{", '{"source": ["x"]', "{}",
    {"f": "x"}, {"f": 7}, {"f": None}, {"f": True}, {"f": []}, {"f": {}}, {"f": [[]]}, {"f": [["x"]]}, {"f": [{}]},
    {"f": [{"unknown": "x"}]}, {"f": [{"prefix": "x", "suffix": "y"}]}, {"f": [{"Prefix": "x"}]},
    {"f": [{"prefix": 7}]}, {"f": [{"prefix": None}]}, {"f": [{"prefix": ["x"]}]}, {"f": [{"prefix": {"wildcard": "x"}}]},
    {"f": [{"prefix": {"equals-ignore-case": 7}}]}, {"f": [{"prefix": {}}]},
    {"f": [{"suffix": 7}]}, {"f": [{"suffix": ["x"]}]}, {"f": [{"suffix": {"prefix": "x"}}]},
    {"f": [{"equals-ignore-case": 7}]}, {"f": [{"equals-ignore-case": ["x"]}]}, {"f": [{"equals-ignore-case": None}]},
    {"f": [{"exists": "true"}]}, {"f": [{"exists": 1}]}, {"f": [{"exists": None}]}, {"f": [{"exists": [True]}]},
    {"f": [{"wildcard": "a**b"}]}, {"f": [{"wildcard": 7}]}, {"f": [{"wildcard": ["x"]}]}, {"f": [{"wildcard": "a\\b"}]},
    {"f": [{"wildcard": "a\\"}]},
    {"f": [{"numeric": 7}]}, {"f": [{"numeric": []}]}, {"f": [{"numeric": ["="]}]}, {"f": [{"numeric": ["=", "7"]}]},
    {"f": [{"numeric": ["!=", 7]}]}, {"f": [{"numeric": ["==", 7]}]}, {"f": [{"numeric": ["<", 7, ">", 0]}]},
    {"f": [{"numeric": [">", 7, "<", 0]}]}, {"f": [{"numeric": [">", 7, "<", 7]}]}, {"f": [{"numeric": [">", 0, ">", 7]}]},
    {"f": [{"numeric": ["=", 7, "<", 9]}]}, {"f": [{"numeric": [">", 0, "<", 7, "<", 9]}]}, {"f": [{"numeric": ["=", 5_000_000_001]}]},
    {"f": [{"numeric": [">", 0, "<"]}]}, {"f": [{"numeric": [7]}]}, {"f": [{"numeric": {"=": 7}}]},
    {"f": [{"cidr": "10.0.0.0"}]}, {"f": [{"cidr": "10.0.0.0/33"}]}, {"f": [{"cidr": "10.0.0/8"}]}, {"f": [{"cidr": 7}]},
    {"f": [{"cidr": "x/8"}]}, {"f": [{"cidr": "10.0.0.0/x"}]}, {"f": [{"cidr": "10.0.0.0/-1"}]}, {"f": [{"cidr": "2001:db8::/129"}]},
    {"f": [{"cidr": ["10.0.0.0/8"]}]}, {"f": [{"cidr": ""}]},
    {"f": [{"anything-but": []}]}, {"f": [{"anything-but": ["x", 7]}]}, {"f": [{"anything-but": {}}]},
    {"f": [{"anything-but": {"numeric": ["=", 7]}}]}, {"f": [{"anything-but": {"prefix": ""}}]},
    {"f": [{"anything-but": {"suffix": ""}}]}, {"f": [{"anything-but": {"prefix": 7}}]}, {"f": [{"anything-but": {"prefix": []}}]},
    {"f": [{"anything-but": {"exists": True}}]}, {"f": [{"anything-but": {"prefix": "x", "suffix": "y"}}]},
    {"f": [{"anything-but": {"equals-ignore-case": 7}}]}, {"f": [{"anything-but": {"wildcard": "a**b"}}]},
    {"f": [{"anything-but": [["x"]]}]}, {"f": [{"anything-but": {"equals-ignore-case": ["x", 7]}}]},
    {"f": [{"anything-but": None}]}, {"f": [{"anything-but": True}]}, {"f": [{"anything-but": [None]}]},
    {"$or": [{"f": "x"}, {"g": ["y"]}]}, {"$or": [{"f": ["x"]}, {}]},
]

USERS = {"users": [{"name": "ann", "age": 1, "pet": {"kind": "cat"}}, {"name": "bob", "age": 2, "pet": {"kind": "dog"}}]}
DEEP = {"a": [{"b": [{"c": 1}, {"d": 2}]}, {"b": [{"c": 1, "d": 3}]}]}

# Pattern of the detail, detail, and whether it matches.
TRAPS = [
    # The fields of one object of a list belong together.
    ({"users": {"name": ["ann"], "age": [1]}}, USERS, True),
    ({"users": {"name": ["ann"], "age": [2]}}, USERS, False),
    ({"users": {"name": ["ann", "bob"], "age": [2]}}, USERS, True),
    ({"users": {"name": ["bob"], "pet": {"kind": ["dog"]}}}, USERS, True),
    ({"users": {"name": ["bob"], "pet": {"kind": ["cat"]}}}, USERS, False),
    ({"users": {"name": [{"anything-but": "ann"}], "age": [2]}}, USERS, True),
    ({"users": {"name": [{"anything-but": "ann"}], "age": [1]}}, USERS, False),
    ({"users": {"name": [{"prefix": "a"}], "age": [{"numeric": [">", 1]}]}}, USERS, False),
    ({"users": {"name": [{"wildcard": "*b"}], "age": [{"numeric": [">", 1]}]}}, USERS, True),
    ({"a": {"b": {"c": [1], "d": [2]}}}, DEEP, False),
    ({"a": {"b": {"c": [1], "d": [3]}}}, DEEP, True),
    ({"a": {"b": {"d": [2]}}}, DEEP, True),
    ({"a": {"x": [1]}, "b": {"y": [2]}}, {"a": [{"x": 0}, {"x": 1}], "b": [{"y": 2}, {"y": 0}]}, True),
    ({"a": {"x": [1], "y": [2]}}, {"a": [{"x": [0, 1], "y": [2, 3]}]}, True),
    # A list of plain values is a choice.
    ({"a": ["x"], "b": ["y"]}, {"a": ["x", "z"], "b": ["z", "y"]}, True),
    ({"a": [{"anything-but": ["x"]}]}, {"a": ["x", "y"]}, True),
    ({"a": [{"anything-but": ["x"]}]}, {"a": ["x", "x"]}, False),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": ["xa", "b"]}, True),
    ({"a": [{"anything-but": ["x"]}]}, {"a": []}, False),
    # What is not there.
    ({"a": [{"anything-but": ["x"]}]}, {"b": "y"}, False),
    ({"a": [{"anything-but": ["x"]}, {"exists": False}]}, {"b": "y"}, True),
    ({"a": [{"exists": False}]}, {"a": None}, False),
    ({"a": [{"exists": False}], "b": ["y"]}, {"b": "y"}, True),
    ({"a": [{"exists": False}], "b": ["y"]}, {"a": "x", "b": "y"}, False),
    ({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}}, True),
    ({"a": {"b": [{"exists": False}]}}, {"c": 1}, True),
    ({"a": {"b": [{"exists": True}]}}, {"a": {"b": 0}}, True),
    ({"a": ["x", {"exists": False}]}, {"a": "x"}, True),
    ({"a": ["x", {"exists": False}]}, {}, True),
    ({"a": ["x", {"exists": False}]}, {"a": "y"}, False),
    # Different matchers in one list are a choice.
    ({"a": ["x", {"prefix": "y"}, {"numeric": [">", 5]}]}, {"a": "yz"}, True),
    ({"a": ["x", {"prefix": "y"}, {"numeric": [">", 5]}]}, {"a": 6}, True),
    ({"a": ["x", {"prefix": "y"}, {"numeric": [">", 5]}]}, {"a": 5}, False),
    # `$or`.
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, {"a": 2, "b": 1}, False),
    ({"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1}, False),
    ({"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2, "c": 3}, True),
    ({"n": {"$or": [{"a": [1]}, {"b": [2]}]}}, {"n": {"b": 2}}, True),
    ({"n": {"$or": [{"a": [1]}, {"b": [2]}]}}, {"b": 2}, False),
    ({"$or": [{"a": [1], "b": [1]}, {"$or": [{"c": [1]}, {"d": [1]}]}]}, {"d": 1}, True),
    ({"$or": [{"a": [1], "b": [1]}, {"$or": [{"c": [1]}, {"d": [1]}]}]}, {"a": 1}, False),
    ({"$or": [{"a": [{"exists": False}]}, {"b": [2]}]}, {"c": 1}, True),
    ({"users": {"$or": [{"name": ["ann"]}, {"name": ["eve"]}], "age": [2]}}, USERS, False),
    ({"$or": ["x"]}, {"$or": "x"}, True),
    ({"$or": [{"prefix": "x"}]}, {"$or": "xy"}, True),
    ({"$or": [{"prefix": "x"}, {"suffix": "y"}]}, {"$or": "zy"}, True),
    # Dots in names.
    ({"a.b": [1]}, {"a.b": 1}, True),
    ({"a": {"b.c": [1]}}, {"a": {"b.c": 1}}, True),
    # Names of matchers as names of fields.
    ({"prefix": ["x"]}, {"prefix": "x"}, True),
    ({"exists": {"numeric": [1]}}, {"exists": {"numeric": 1}}, True),
    # Numbers.
    ({"a": [300]}, {"a": 3.0e2}, True),
    ({"a": [0.1]}, {"a": 0.1}, True),
    ({"a": [0]}, {"a": -0.0}, True),
    ({"a": [{"numeric": ["=", 0.3]}]}, {"a": 0.30}, True),
    ({"a": [{"numeric": ["<", 0.3]}]}, {"a": 0.29999}, True),
    ({"a": [{"numeric": ["<=", 5_000_000_000]}]}, {"a": 5_000_000_000}, True),
    # Wildcards.
    ({"a": [{"wildcard": "*.*.png"}]}, {"a": "a.b.png"}, True),
    ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
    ({"a": [{"wildcard": "ab*ba"}]}, {"a": "aba"}, False),
    ({"a": [{"wildcard": "*ab*ab*"}]}, {"a": "xabyabz"}, True),
    ({"a": [{"wildcard": "*ab*ab*"}]}, {"a": "xabz"}, False),
    ({"a": [{"wildcard": "arn:aws:sagemaker:*:*:pipeline/*"}]}, {"a": "arn:aws:sagemaker:us-east-1:1:pipeline/x"}, True),
    # Case.
    ({"a": [{"equals-ignore-case": "Ünder"}]}, {"a": "ünDER"}, True),
    ({"a": [{"anything-but": {"equals-ignore-case": ["X"]}}]}, {"a": "x"}, False),
    ({"A": [1]}, {"a": 1}, False),
]
