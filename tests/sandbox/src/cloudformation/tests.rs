mod pipeline;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Stack, TemplateError, declared, deploy, template::Template};
use crate::{
    services::sagemaker,
    world::{Call, Caller, World},
};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";

fn stack<'a>(template: &'a str, parameters: &[(&str, &str)]) -> Stack<'a> {
    Stack {
        account: ACCOUNT,
        region: REGION,
        name: "stack",
        file: "infra/template.yaml",
        template,
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// The properties of every resource by logical id, and the order of the resources.
fn resolve(template: &str, parameters: &[(&str, &str)]) -> (BTreeMap<String, Value>, Vec<String>) {
    let stack = stack(template, parameters);
    let resolved = Template::parse(template)
        .and_then(|template| template.resolve(&stack))
        .unwrap();
    let order = resolved.resources.iter().map(|r| r.logical_id.clone());
    let order = order.collect();
    let resources = resolved.resources.into_iter();
    let properties = resources.map(|r| (r.logical_id, r.properties)).collect();
    (properties, order)
}

/// The properties of the alarm `A`, since an alarm takes any properties.
fn alarm(rest: &str, parameters: &[(&str, &str)]) -> Value {
    let template =
        format!("Resources:\n  A:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n{rest}");
    resolve(&template, parameters).0.remove("A").unwrap()
}

fn error(template: &str, parameters: &[(&str, &str)]) -> String {
    let stack = stack(template, parameters);
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    deploy(&mut world, &stack).unwrap_err().to_string()
}

#[test]
fn functions_evaluate_in_short_and_long_form() {
    let properties = alarm(
        r#"
      Sub: !Sub "arn:${AWS::Partition}:x:${AWS::Region}:${AWS::AccountId}:${!Literal}"
      LongSub: { "Fn::Sub": ["${A}-${AWS::StackName}", { A: !Ref AWS::Region }] }
      LongRef: [Ref: AWS::AccountId]
      Join: !Join ["-", [a, 1, !Ref AWS::URLSuffix]]
      JoinSplit: { "Fn::Join": ["+", { "Fn::Split": ["-", "a-b-c"] }] }
      Select: !Select [1, [a, b]]
      SelectSplit: !Select ["2", !Split [":", "a:b:c"]]
      Plain: { Number: 5, Flag: true, Text: "5", Date: 2012-10-17 }
"#,
        &[],
    );
    assert_eq!(
        properties,
        json!({
            "Sub": "arn:aws:x:eu-west-1:111111111111:${Literal}",
            "LongSub": "eu-west-1-stack",
            "LongRef": ["111111111111"],
            "Join": "a-1-amazonaws.com",
            "JoinSplit": "a+b+c",
            "Select": "b",
            "SelectSplit": "c",
            "Plain": { "Number": 5, "Flag": true, "Text": "5", "Date": "2012-10-17" },
        })
    );
}

#[test]
fn resources_refer_to_each_other_as_cloudformation_documents() {
    let (properties, _) = resolve(
        r#"
Resources:
  All:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Queue: [!Ref Queue, !GetAtt Queue.Arn, !GetAtt [Queue, QueueName]]
      Topic: [!Ref Topic, !GetAtt Topic.TopicName, !GetAtt Topic.TopicArn]
      Function: [!Ref Function, "Fn::GetAtt": [Function, Arn]]
      Role: [!Ref Role, !GetAtt Role.Arn]
      Bus: [!Ref Bus, !GetAtt Bus.Arn, !GetAtt Bus.Name]
      Rules: [!Ref Rule, !GetAtt Rule.Arn, !Ref BusRule, !GetAtt BusRule.Arn]
      Table: [!Ref Table, !GetAtt Table.Arn]
      Parameter: [!Ref Parameter, !GetAtt Parameter.Value, !GetAtt Parameter.Type]
      Logs: [!Ref Logs, !Sub "${Logs.Arn}"]
      Policy: !Ref Policy
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: q } }
  Topic: { Type: AWS::SNS::Topic }
  Function: { Type: AWS::Lambda::Function, Properties: { FunctionName: f } }
  Role: { Type: AWS::IAM::Role, Properties: { RoleName: r, Path: /team/ } }
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: b } }
  Rule: { Type: AWS::Events::Rule, Properties: { Name: r } }
  BusRule: { Type: AWS::Events::Rule, Properties: { Name: r, EventBusName: !Ref Bus } }
  Table: { Type: AWS::DynamoDB::Table, Properties: { TableName: t } }
  Parameter: { Type: AWS::SSM::Parameter, Properties: { Name: /p, Type: String, Value: v } }
  Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /l } }
  Policy: { Type: AWS::IAM::ManagedPolicy, Properties: { ManagedPolicyName: p } }
"#,
        &[],
    );
    assert_eq!(
        properties["All"],
        json!({
            "Queue": [
                "https://sqs.eu-west-1.amazonaws.com/111111111111/q",
                "arn:aws:sqs:eu-west-1:111111111111:q",
                "q",
            ],
            "Topic": [
                "arn:aws:sns:eu-west-1:111111111111:stack-Topic",
                "stack-Topic",
                "arn:aws:sns:eu-west-1:111111111111:stack-Topic",
            ],
            "Function": ["f", "arn:aws:lambda:eu-west-1:111111111111:function:f"],
            "Role": ["r", "arn:aws:iam::111111111111:role/team/r"],
            "Bus": ["b", "arn:aws:events:eu-west-1:111111111111:event-bus/b", "b"],
            "Rules": [
                "r",
                "arn:aws:events:eu-west-1:111111111111:rule/r",
                "b|r",
                "arn:aws:events:eu-west-1:111111111111:rule/b/r",
            ],
            "Table": ["t", "arn:aws:dynamodb:eu-west-1:111111111111:table/t"],
            "Parameter": ["/p", "v", "String"],
            "Logs": ["/l", "arn:aws:logs:eu-west-1:111111111111:log-group:/l:*"],
            "Policy": "arn:aws:iam::111111111111:policy/p",
        })
    );
}

#[test]
fn resources_come_after_what_they_depend_on() {
    let (_, order) = resolve(
        r#"
Resources:
  A: { Type: AWS::Logs::LogGroup, DependsOn: [D, B] }
  B: { Type: AWS::Logs::LogGroup, Properties: { X: !Sub "${C.Arn}" } }
  C: { Type: AWS::Logs::LogGroup, Properties: { X: [{ Y: !Ref D }] } }
  D: { Type: AWS::Logs::LogGroup }
"#,
        &[],
    );
    assert_eq!(order, ["D", "C", "B", "A"]);
}

const CONDITIONAL: &str = r#"
Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
  Region: { Type: String, Default: any }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsHere: { "Fn::Equals": [!Ref Region, !Ref AWS::Region] }
  Either: !Or [!Condition IsProd, Condition: IsHere]
  Both: !And [!Condition IsProd, !Condition IsHere]
  Neither: !Not [!Condition Either]
Resources:
  A:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Either: !If [Either, yes, no]
      Both: !If [Both, yes, no]
      Neither: !If [Neither, yes, no]
      Gone: !If [Both, yes, !Ref AWS::NoValue]
      Items: [a, !If [Both, b, !Ref AWS::NoValue]]
      Lazy: !If [IsProd, !Ref Prod, none]
  Prod:
    Type: AWS::Logs::LogGroup
    Condition: IsProd
Outputs:
  Prod: { Condition: IsProd, Value: !Ref Prod }
  Stage: { Description: always, Value: !Ref Stage }
"#;

#[test]
fn conditions_choose_values_resources_and_outputs() {
    let (properties, order) = resolve(CONDITIONAL, &[("Region", REGION)]);
    assert_eq!(order, ["A"]);
    assert_eq!(
        properties["A"],
        json!({ "Either": "yes", "Both": "no", "Neither": "no", "Items": ["a"], "Lazy": "none" })
    );

    let (properties, order) = resolve(CONDITIONAL, &[("Region", REGION), ("Stage", "prod")]);
    assert_eq!(order, ["Prod", "A"]);
    assert_eq!(properties["A"]["Both"], "yes");
    assert_eq!(properties["A"]["Items"], json!(["a", "b"]));
    assert_eq!(properties["A"]["Lazy"], "stack-Prod");
}

#[test]
fn outputs_are_those_whose_condition_holds() {
    let outputs = |stage: &str| {
        let parameters = [("Stage", stage)];
        let stack = stack(CONDITIONAL, &parameters);
        deploy(&mut World::new(Timestamp::UNIX_EPOCH), &stack).unwrap()
    };
    assert_eq!(outputs("dev"), [("Stage".into(), "dev".into())].into());
    let both = [
        ("Prod".into(), "stack-Prod".into()),
        ("Stage".into(), "prod".into()),
    ];
    assert_eq!(outputs("prod"), both.into());
}

#[test]
fn parameters_are_texts_lists_and_numbers() {
    let template = r#"
Parameters:
  List: { Type: CommaDelimitedList, Default: "a, b" }
  Days: { Type: Number, Default: 365 }
  Hub: { Type: String, AllowedPattern: "[0-9]{12}" }
Resources:
  A:
    Type: AWS::CloudWatch::Alarm
    Properties: { List: !Ref List, Joined: !Join ["-", !Ref List], Days: !Ref Days, Hub: !Ref Hub }
"#;
    let (properties, _) = resolve(template, &[("Hub", "012345678901")]);
    assert_eq!(
        properties["A"],
        json!({ "List": ["a", "b"], "Joined": "a-b", "Days": "365", "Hub": "012345678901" })
    );
}

#[test]
fn a_parameter_refuses_values_that_it_does_not_allow() {
    let template = r#"
Parameters:
  Hub:
    Type: String
    AllowedPattern: "[0-9]{12}"
    ConstraintDescription: must be twelve digits
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
  Days: { Type: Number, Default: 1 }
Resources: {}
"#;
    let hub = ("Hub", "111111111111");
    let refused = [
        (vec![], "3: parameter Hub has no value"),
        (
            vec![("Hub", "1111111111111")],
            "3: parameter Hub is \"1111111111111\", but must be twelve digits",
        ),
        (
            vec![hub, ("Stage", "test")],
            "7: parameter Stage is \"test\", but is not allowed",
        ),
        (
            vec![hub, ("Days", "one")],
            "8: parameter Days is \"one\", which is not a number",
        ),
        (
            vec![hub, ("Tset", "x")],
            "1: the template has no parameter Tset",
        ),
    ];
    for (parameters, expected) in refused {
        let expected = format!("infra/template.yaml:{expected}");
        assert_eq!(error(template, &parameters), expected);
    }
}

#[test]
fn a_parameter_has_a_least_and_a_greatest_length_and_value() {
    let template = r"
Parameters:
  Name: { Type: String, Default: abc, MinLength: 2, MaxLength: 3 }
  Days: { Type: Number, Default: 5, MinValue: 1, MaxValue: 10, ConstraintDescription: must be few }
Resources: {}
";
    for allowed in [
        ("Name", "ab"),
        ("Name", "äöü"),
        ("Days", "1"),
        ("Days", "10"),
    ] {
        resolve(template, &[allowed]);
    }
    let refused = [
        (
            ("Name", "a"),
            "3: parameter Name is \"a\", but is not allowed",
        ),
        (
            ("Name", "abcd"),
            "3: parameter Name is \"abcd\", but is not allowed",
        ),
        (("Days", "0"), "4: parameter Days is \"0\", but must be few"),
        (
            ("Days", "11"),
            "4: parameter Days is \"11\", but must be few",
        ),
    ];
    for (parameter, expected) in refused {
        let expected = format!("infra/template.yaml:{expected}");
        assert_eq!(error(template, &[parameter]), expected);
    }
}

#[test]
fn rules_refuse_combinations_of_parameters() {
    let template = r#"
Parameters:
  Stage: { Type: String, Default: dev }
  Accounts: { Type: CommaDelimitedList, Default: "1,2" }
Rules:
  Production:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - Assert: !Contains [!Ref Accounts, "3"]
        AssertDescription: production needs account 3
      - Assert: !Not [!Contains [!Ref Accounts, "1"]]
Resources: {}
"#;
    resolve(template, &[]);
    resolve(template, &[("Stage", "prod"), ("Accounts", "2,3")]);
    assert_eq!(
        error(template, &[("Stage", "prod")]),
        "infra/template.yaml:9: rule Production: production needs account 3"
    );
    assert_eq!(
        error(template, &[("Stage", "prod"), ("Accounts", "1,3")]),
        "infra/template.yaml:11: rule Production: an assertion does not hold"
    );
}

#[test]
fn what_a_stack_declares_can_be_looked_at_without_making_it() {
    let template = r"
Resources:
  A: { Type: AWS::CloudWatch::Alarm, Properties: { Dimensions: [!GetAtt Queue.QueueName] } }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: q } }
";
    let declared = declared(&stack(template, &[])).unwrap();
    let named = |id: &str| declared.iter().find(|d| d.logical_id == id).unwrap();
    assert_eq!(named("A").kind, "AWS::CloudWatch::Alarm");
    assert_eq!(named("A").properties, json!({ "Dimensions": ["q"] }));
    assert_eq!(declared.len(), 2);
}

#[test]
fn errors_name_the_file_the_line_and_the_construct() {
    let resource = |properties: &str| {
        format!(
            "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      X: {properties}\n"
        )
    };
    let refused = [
        (
            "Transform: AWS::Serverless-2016-10-31\n".to_owned(),
            "1: section Transform is not supported",
        ),
        (
            "Resources:\n  A: { Type: AWS::S3::Bucket }\n".to_owned(),
            "2: A: the sandbox has no resource type AWS::S3::Bucket",
        ),
        (
            "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    CreationPolicy: {}\n".to_owned(),
            "4: A: CreationPolicy is not supported",
        ),
        (
            "Resources:\n  A:\n    Properties: {}\n".to_owned(),
            "2: A has no Type",
        ),
        (
            "Resources:\n  A: { Type: AWS::Logs::LogGroup, DependsOn: B }\n".to_owned(),
            "2: the template has no B",
        ),
        (
            "Resources:\n  A: { Type: AWS::Logs::LogGroup, Condition: B }\n".to_owned(),
            "2: the template has no condition B",
        ),
        ("Resources:\n  A: &a [\n".to_owned(), "3: "),
        (
            "Resources:\n  A: { Type: AWS::Logs::LogGroup }\n  A: { Type: AWS::SNS::Topic }\n"
                .to_owned(),
            "3: duplicated key in mapping",
        ),
        (resource("!Base64 x"), "5: unknown function !Base64"),
        (
            resource("{ Fn::Base64: x }"),
            "5: unknown function Fn::Base64",
        ),
        (
            resource("{ Ref: A, B: c }"),
            "5: Ref cannot stand beside other keys",
        ),
        (resource("!Ref Nothing"), "5: the template has no Nothing"),
        (resource("!GetAtt A.Arn"), "2: circular dependency: A -> A"),
        (
            resource("!GetAtt Arn"),
            "5: Fn::GetAtt needs a resource and an attribute",
        ),
        (
            resource("!Sub \"${Nothing}\""),
            "5: the template has no Nothing",
        ),
        (
            resource("!Sub \"${AWS::Region\""),
            "5: Fn::Sub has a ${ without a }",
        ),
        (resource("!Join [a]"), "5: Fn::Join takes 2 arguments"),
        (
            resource("!Join [a, b]"),
            "5: Fn::Join needs a list of texts",
        ),
        (
            resource("!Select [2, [a, b]]"),
            "5: Fn::Select has no item 2",
        ),
        (
            resource("!Equals [a, b]"),
            "5: Fn::Equals is a condition and cannot stand for a value",
        ),
        (
            resource("!If [B, a, b]"),
            "5: the template has no condition B",
        ),
        (
            resource("012345678901"),
            "5: this number reads as 12345678901: put it in quotes if it is a text",
        ),
        (resource(""), "5: CloudFormation does not allow null values"),
        (
            "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties: [a]\n".to_owned(),
            "4: Properties must be a map",
        ),
        (
            resource("{ <<: { a: b } }"),
            "5: CloudFormation does not merge keys with <<",
        ),
    ];
    for (template, expected) in refused {
        let message = error(&template, &[]);
        let expected = format!("infra/template.yaml:{expected}");
        assert!(message.starts_with(&expected), "{message}, not {expected}");
    }
}

#[test]
fn properties_and_parts_of_rules_that_are_not_known_are_errors() {
    let refused = [
        (
            "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      FifoQueue: true\n",
            "5: A: the sandbox has no property FifoQueue of AWS::SQS::Queue",
        ),
        (
            "Rules:\n  R: { RuleCondition: x }\n",
            "2: R has no Assertions",
        ),
        (
            "Rules:\n  R:\n    Assertions:\n      - Asert: x\n",
            "4: R: Asert is not supported",
        ),
    ];
    for (template, expected) in refused {
        let expected = format!("infra/template.yaml:{expected}");
        assert_eq!(error(template, &[]), expected);
    }
}

#[test]
fn missing_attributes_and_references_are_errors() {
    let template = r"
Resources:
  A: { Type: AWS::Logs::LogGroup, Properties: { X: !GetAtt [B, Size] } }
  B: { Type: AWS::SQS::Queue }
";
    assert!(error(template, &[]).ends_with(":3: B has no attribute Size"));
    let template = r"
Resources:
  A: { Type: AWS::Logs::LogGroup, Properties: { X: !Ref B } }
  B: { Type: AWS::SQS::QueuePolicy }
";
    assert!(error(template, &[]).ends_with(":3: the sandbox has no Ref of B"));
}

#[test]
fn circles_are_errors() {
    let template = r#"
Resources:
  A: { Type: AWS::Logs::LogGroup, DependsOn: B }
  B: { Type: AWS::Logs::LogGroup, Properties: { X: !Ref C } }
  C: { Type: AWS::Logs::LogGroup, Properties: { X: !Sub "${A}" } }
"#;
    assert!(error(template, &[]).ends_with("circular dependency: A -> B -> C -> A"));
    let template = r"
Conditions:
  A: !Not [!Condition B]
  B: !Not [!Condition A]
Resources:
  A: { Type: AWS::Logs::LogGroup, Condition: A }
";
    let message = error(template, &[]);
    assert!(message.ends_with("circular dependency: condition A -> condition B -> condition A"));
}

#[test]
fn what_a_service_refuses_is_an_error_at_the_resource() {
    let template = r"
Resources:
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: b } }
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: { source: aws.ram }
";
    let stack = stack(template, &[]);
    let error = deploy(&mut World::new(Timestamp::UNIX_EPOCH), &stack).unwrap_err();
    let expected = TemplateError {
        file: "infra/template.yaml".to_owned(),
        line: 4,
        message: "Rule (AWS::Events::Rule): InvalidEventPatternException: Event pattern is not \
                  valid. Reason: \"source\" must be an object or an array"
            .to_owned(),
    };
    assert_eq!(error, expected);
}

#[test]
fn a_stack_that_is_deployed_again_keeps_what_is_the_same_and_changes_what_is_not() {
    let template = r#"
Parameters:
  Friends: { Type: CommaDelimitedList }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: jobs } }
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { AWS: !Ref Friends } }] }
  Ceiling:
    Type: AWS::SSM::Parameter
    Properties: { Name: /friends, Type: String, Value: !Join [",", !Ref Friends] }
"#;
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    for friends in ["222222222222", "222222222222,333333333333"] {
        deploy(&mut world, &stack(template, &[("Friends", friends)])).unwrap();
    }
    let role = world.iam.role(ACCOUNT, "reader").unwrap();
    let trusted = &role.trust["Statement"][0]["Principal"]["AWS"];
    assert_eq!(*trusted, json!(["222222222222", "333333333333"]));
    let call = |operation, input| Call::by_administrator(ACCOUNT, REGION, "ssm", operation, input);
    let asked = call("GetParameter", json!({ "Name": "/friends" }));
    let answer = world.call(&asked).unwrap();
    assert_eq!(answer["Parameter"]["Value"], "222222222222,333333333333");
    assert_eq!(answer["Parameter"]["Version"], 2);
}
