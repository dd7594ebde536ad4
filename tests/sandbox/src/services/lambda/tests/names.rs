//! How functions are named, and who may use them.

use super::*;

#[test]
fn a_function_answers_to_every_form_of_its_name() {
    let mut world = reporting();
    for name in [
        "work",
        "work:$LATEST",
        "111111111111:function:work",
        "111111111111:function:work:$LATEST",
        "arn:aws:lambda:eu-west-1:111111111111:function:work",
        "arn:aws:lambda:eu-west-1:111111111111:function:work:$LATEST",
    ] {
        for operation in ["Invoke", "GetFunction", "GetFunctionConfiguration"] {
            let request = asked(ACCOUNT, operation, json!({ "FunctionName": name }));
            call(&mut world, &request).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        invoke(&mut world, ACCOUNT, REGION, name, json!({})).unwrap();
    }
    let elsewhere = json!({ "Role": ROLE });
    create_function(&mut world, ACCOUNT, "eu-west-2", "work", &elsewhere).unwrap();
    for (input, code) in [
        (
            json!({ "FunctionName": "work:1" }),
            "ResourceNotFoundException",
        ),
        (
            json!({ "FunctionName": "work", "Qualifier": "live" }),
            "ResourceNotFoundException",
        ),
        (
            json!({ "FunctionName": "work:$LATEST", "Qualifier": "1" }),
            "InvalidParameterValueException",
        ),
        (json!({ "FunctionName": "a b" }), "ValidationException"),
        (json!({ "FunctionName": "work:1:2" }), "ValidationException"),
        (
            json!({ "FunctionName": "arn:aws:lambda:eu-west-2:111111111111:function:work" }),
            "ResourceNotFoundException",
        ),
    ] {
        let refused = call(&mut world, &asked(ACCOUNT, "Invoke", input.clone()));
        assert_eq!(refused.unwrap_err().code, code, "{input}");
    }
}

#[test]
fn nobody_uses_the_functions_of_another_account_or_learns_whether_they_exist() {
    let mut world = reporting();
    for name in ["work", "none"] {
        for (operation, action) in [
            ("Invoke", "lambda:InvokeFunction"),
            ("GetFunction", "lambda:GetFunction"),
        ] {
            let arn = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}");
            let request = asked("222222222222", operation, json!({ "FunctionName": arn }));
            let error = call(&mut world, &request).unwrap_err();
            assert_eq!(error.code, "AccessDeniedException");
            assert_eq!(error.status, 403);
            assert_eq!(
                error.message,
                format!(
                    "User: arn:aws:iam::222222222222:user/administrator is not authorized to \
                     perform: {action} on resource: {arn} because no resource-based policy \
                     allows the {action} action"
                )
            );
        }
    }
}

#[test]
fn what_would_be_ignored_of_an_invocation_is_refused() {
    let mut world = reporting();
    for (member, value, code) in [
        ("LogType", "Tail", "NotImplemented"),
        ("LogType", "Head", "InvalidParameterValueException"),
        ("ClientContext", "e30=", "NotImplemented"),
        ("TenantId", "t", "NotImplemented"),
    ] {
        let request = asked(
            ACCOUNT,
            "Invoke",
            json!({ "FunctionName": "work", member: value }),
        );
        assert_eq!(call(&mut world, &request).unwrap_err().code, code);
    }
    let plain = json!({ "FunctionName": "work", "LogType": "None" });
    call(&mut world, &asked(ACCOUNT, "Invoke", plain)).unwrap();
}
