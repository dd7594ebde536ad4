//! What a policy document means, and what is said about a wrong one.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use domain::{
    id::{AccountId, Principal},
    policy::{Access, Account, Gate, Organization, Policy, Rule, RuleName},
    status::ExecutionStatus,
};

const EXAMPLE: &str = r#"version: 1
organization: { id: o-example1234, ramSharing: true }   # then members need no invitation
accounts:
  dev:    "111111111111"
  test:   "222222222222"
  shared: { id: "333333333333", external: true }
rules:
  - name: test-readers
    owner: test
    pipelines: ["*"]
    except: ["scratch-*"]
    with: [dev, "444444444444"]
    access: read
    after: succeeded
    notify: [Failed, Stopped, Succeeded]
  - name: test-operators
    owner: test
    pipelines: ["churn-*", "fraud-train"]
    with: ["arn:aws:iam::333333333333:role/engineer"]
    access: execute
    after: hook
  - name: dev-operators
    owner: "111111111111"
    pipelines: ["*"]
    with: ["arn:aws:organizations::999999999999:ou/o-example1234/ou-ab12-cdefgh34"]
    access: arn:aws:ram:eu-west-1:111111111111:permission/describe-only
    after: created
"#;

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn example() -> Policy {
    Policy::parse(EXAMPLE).unwrap()
}

fn rule<'a>(policy: &'a Policy, name: &str) -> &'a Rule {
    policy.rules_named(name).next().unwrap()
}

#[test]
fn names_accounts_and_the_organization() {
    let policy = example();
    let organization = Organization {
        id: "o-example1234".to_owned(),
        ram_sharing: true,
    };
    let account = |name: &str, text: &str, external| Account {
        name: name.to_owned(),
        id: id(text),
        external,
    };
    assert_eq!(policy.organization, Some(organization));
    assert_eq!(
        policy.accounts,
        [
            account("dev", "111111111111", false),
            account("shared", "333333333333", true),
            account("test", "222222222222", false),
        ]
    );
    assert_eq!(policy.display_name(&id("222222222222")), "test");
    assert_eq!(policy.display_name(&id("444444444444")), "444444444444");
    assert_eq!(policy.account(&id("444444444444")), None);
}

#[test]
fn three_rules_carry_pipelines_from_dev_to_test_and_back() {
    let policy = Policy::parse(
        r#"
version: 1
organization: { id: o-example1234, ramSharing: true }   # optional: then members need no invitation
accounts:                     # names for people; used in rules and notifications
  dev:    "111111111111"    # or { id: …, external: true } for one outside the organization
  test:   "222222222222"
  shared: "333333333333"
rules:
  - name: test-readers        # becomes the RAM share "pipeshare-test-readers"
    owner: test
    pipelines: ["*"]          # globs on the pipeline name; `except:` takes globs away
    with: [dev]               # account names or ids, OU or organization ARNs, IAM role ARNs
    access: read              # read | execute | ARN of a customer managed permission
    after: succeeded          # created | succeeded | hook
    notify: [Failed, Stopped, Succeeded]
  - name: test-operators
    owner: test
    pipelines: ["*"]
    with: [shared]
    access: execute
    after: succeeded
  - name: dev-operators
    owner: dev
    pipelines: ["*"]
    with: [shared]
    access: execute
    after: created
"#,
    )
    .unwrap();
    let flows: Vec<_> = policy
        .rules
        .iter()
        .map(|rule| {
            let to: Vec<_> = rule.with.iter().filter_map(Principal::account).collect();
            let names: Vec<_> = to.into_iter().map(|id| policy.display_name(id)).collect();
            format!(
                "{}: {} to {}, {:?} once {:?}",
                rule.name,
                policy.display_name(&rule.owner),
                names.join(" and "),
                rule.access,
                rule.after
            )
        })
        .collect();
    assert_eq!(
        flows,
        [
            "test-readers: test to dev, Read once Succeeded",
            "test-operators: test to shared, Execute once Succeeded",
            "dev-operators: dev to shared, Execute once Created",
        ]
    );
}

#[test]
fn reads_every_field_of_a_rule() {
    let policy = example();
    let readers = rule(&policy, "test-readers");
    assert_eq!(readers.name.as_str(), "test-readers");
    assert_eq!(readers.owner, id("222222222222"));
    assert!(readers.pipelines.matches("churn-train"));
    assert!(!readers.pipelines.matches("scratch-1"));
    assert_eq!(
        readers.with,
        [
            Principal::Account(id("111111111111")),
            Principal::Account(id("444444444444"))
        ]
    );
    assert_eq!(readers.access, Access::Read);
    assert_eq!(readers.after, Gate::Succeeded);
    assert_eq!(
        readers.notify,
        [
            ExecutionStatus::Failed,
            ExecutionStatus::Stopped,
            ExecutionStatus::Succeeded
        ]
        .into()
    );

    let operators = rule(&policy, "test-operators");
    let role = "arn:aws:iam::333333333333:role/engineer".to_owned();
    assert_eq!(
        operators.with,
        [Principal::Identity(id("333333333333"), role)]
    );
    assert_eq!(
        (&operators.access, operators.after),
        (&Access::Execute, Gate::Hook)
    );
    assert!(operators.notify.is_empty());

    let dev = rule(&policy, "dev-operators");
    assert_eq!(dev.owner, id("111111111111"));
    assert_eq!(
        dev.access.permission("aws").as_str(),
        "arn:aws:ram:eu-west-1:111111111111:permission/describe-only"
    );
    assert_eq!(dev.after, Gate::Created);
    assert!(matches!(dev.with[..], [Principal::OrganizationalUnit(_)]));
}

#[test]
fn knows_who_owns_and_who_consumes() {
    let policy = example();
    let texts = |ids: std::collections::BTreeSet<&AccountId>| {
        ids.into_iter()
            .map(AccountId::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(policy.owners()), ["111111111111", "222222222222"]);
    assert_eq!(
        texts(policy.consumers()),
        ["111111111111", "333333333333", "444444444444"]
    );
    let of_test: Vec<_> = policy
        .rules_of(&id("222222222222"))
        .map(|rule| rule.name.as_str())
        .collect();
    assert_eq!(of_test, ["test-readers", "test-operators"]);
    assert_eq!(policy.rules_named("nobody").next(), None);
}

#[test]
fn members_of_an_organization_with_ram_sharing_need_no_invitation() {
    let policy = example();
    let must_accept = |text: &str| policy.must_accept(&text.parse().unwrap());
    assert!(!must_accept("111111111111"));
    assert!(!must_accept("arn:aws:iam::111111111111:role/scientist"));
    assert!(!must_accept(
        "arn:aws:organizations::999999999999:ou/o-example1234/ou-ab12-cdefgh34"
    ));
    assert!(!must_accept(
        "arn:aws:organizations::999999999999:organization/o-example1234"
    ));
    assert!(must_accept("333333333333"), "external");
    assert!(
        must_accept("arn:aws:iam::333333333333:role/engineer"),
        "external"
    );
    assert!(must_accept("444444444444"), "not listed");
}

#[test]
fn without_ram_sharing_everyone_must_accept() {
    for organization in [
        "",
        "organization: { id: o-example1234, ramSharing: false }\n",
    ] {
        let text = format!("version: 1\n{organization}accounts: {{ dev: \"111111111111\" }}\n");
        let policy = Policy::parse(&text).unwrap();
        assert!(policy.must_accept(&"111111111111".parse().unwrap()));
    }
}

#[test]
fn what_is_not_written_is_the_cautious_default() {
    let policy = Policy::parse(
        "version: 1\nrules: [{name: r, owner: \"111111111111\", pipelines: [a], with: [\"222222222222\"]}]",
    )
    .unwrap();
    let rule = rule(&policy, "r");
    assert_eq!((&rule.access, rule.after), (&Access::Read, Gate::Succeeded));
    assert!(rule.notify.is_empty() && rule.pipelines.except.is_empty());
    assert_eq!(Policy::parse("version: 1"), Ok(Policy::default()));
}

#[test]
fn neither_key_order_nor_yaml_style_changes_the_meaning() {
    let json = r#"{
	"rules":	[
		{"with": ["test", "dev"], "name": "r", "owner": "333333333333", "pipelines": ["*"]}
	],
	"accounts":	{"test": "222222222222", "dev": {"external": false, "id": "111111111111"}},
	"version":	1
}"#;
    let yaml = "\u{feff}# a comment\r\nversion: 1\r\naccounts:\r\n  dev: 111111111111\r\n  test: '222222222222'\r\nrules:\r\n- name: r\r\n  owner: 333333333333\r\n  pipelines:\r\n  - '*'\r\n  with: [test, dev]\r\n";
    assert_eq!(Policy::parse(json), Policy::parse(yaml));
    assert!(Policy::parse(json).is_ok());
}

#[test]
fn an_account_id_without_quotes_keeps_its_leading_zero() {
    let policy = Policy::parse("version: 1\naccounts:\n  dev: 012345670123\n").unwrap();
    assert_eq!(policy.accounts[0].id, id("012345670123"));
}

#[test]
fn access_stands_for_the_managed_permission_of_the_partition() {
    assert_eq!(
        Access::Read.permission("aws-cn").as_str(),
        "arn:aws-cn:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline"
    );
    assert_eq!(
        Access::Execute.permission("aws").as_str(),
        "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution"
    );
}

#[test]
fn a_rule_name_fits_into_the_name_of_a_share() {
    let is_name = |text: &str| text.parse::<RuleName>().is_ok();
    assert!(is_name(&"r".repeat(RuleName::MAX_LENGTH)) && is_name("r") && is_name("Test-2"));
    for text in ["", "-r", "r-", "r.1", "r_1", "ré", &"r".repeat(101)] {
        assert!(!is_name(text), "{text:?}");
    }
}
