//! Gates hold whatever RAM holds: only what was proved of a pipeline lets it into a share.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    policy::{Gate, Policy},
    sharing::{Action, Association, Call, Evidence, Flaw, Plan, Reason, Share, ShareName},
    status::AssociationStatus,
};
use jiff::Timestamp;
use model::{
    Model, OWNER,
    policies::{EXECUTE, READ, policy},
};
use proptest::{prelude::*, sample::subsequence};

const CUSTOM: &str = "arn:aws:ram:us-east-1:222222222222:permission/custom";

fn rule(name: &str, with: &str, access: &str, after: &str) -> String {
    format!(
        "  - {{ name: {name}, owner: test, pipelines: ['*'], with: [{with}], access: \"{access}\", after: {after} }}\n"
    )
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.steps().iter().map(|step| step.reason).collect()
}

/// What is in the shares of this name.
fn inside(model: &Model, name: &str) -> BTreeSet<String> {
    let shares = model.shares.iter();
    shares
        .filter(|share| share.live && share.name == name)
        .flat_map(|share| &share.resources)
        .filter(|resource| resource.status.is_present())
        .map(|resource| resource.entity.rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_tag_on_another_rules_share_lets_nothing_through_the_gate_of_the_rule() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = policy(
        &(rule("ops", "shared", "execute", "created")
            + &rule("partners", "partner", "execute", "hook")),
    );
    model.converge(&policy);
    model.shares[0].rule = Some("partners".to_owned());
    let plan = model.plan(&policy);
    assert_eq!(plan.steps()[0].reason, Reason::ConsumerGone);
    model.converge(&policy);
    model.accept_all();
    model.converge(&policy);
    let ours = ("333333333333", "churn", EXECUTE);
    let ours = (ours.0.to_owned(), ours.1.to_owned(), ours.2.to_owned());
    assert_eq!(model.grants(), BTreeSet::from([ours]));
}

#[test]
fn what_somebody_put_into_a_share_leaves_it_and_goes_nowhere_else() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.succeed("churn");
    let policy = policy(&rule("readers", "dev, partner", "read", "succeeded"));
    model.converge(&policy);
    model.accept_all();
    let mut foreign = model.shares[0].resources[0].clone();
    foreign.entity = foreign.entity.replace("churn", "fraud");
    model.shares[0].resources.push(foreign);
    let plan = model.plan(&policy);
    assert_eq!(reasons(&plan), [Reason::GateNotPassed]);
    assert_eq!(plan.waiting.len(), 1, "it still waits");
    model.converge(&policy);
    assert_eq!(model.grants().len(), 2, "churn for both");
}

#[test]
fn a_pipeline_that_was_made_again_before_it_was_associated_leaves() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.succeed("churn");
    let policy = policy(&rule("readers", "dev", "read", "succeeded"));
    let plan = model.plan(&policy);
    // Between look and association, somebody deletes it and makes it again.
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    model.execute(&plan);
    model.settle();
    assert_eq!(reasons(&model.plan(&policy)), [Reason::GateNotPassed]);
    model.converge(&policy);
    assert_eq!(model.grants(), BTreeSet::new());
}

#[test]
fn a_stricter_gate_takes_back_what_has_not_passed_it() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(&policy(&rule("r", "dev", "read", "created")));
    assert_eq!(inside(&model, "pipeshare-r").len(), 2);
    model.succeed("churn");
    model.converge(&policy(&rule("r", "shared", "read", "succeeded")));
    assert_eq!(
        inside(&model, "pipeshare-r"),
        BTreeSet::from(["churn".to_owned()])
    );
    let principals: BTreeSet<_> = model.grants().into_iter().map(|grant| grant.0).collect();
    assert_eq!(principals, BTreeSet::from(["333333333333".to_owned()]));
    model.converge(&policy(&rule("r", "shared", "read", "hook")));
    assert_eq!(inside(&model, "pipeshare-r"), BTreeSet::new());
    model.pass_hook("other", "churn");
    model.converge(&policy(&rule("r", "shared", "read", "hook")));
    assert_eq!(inside(&model, "pipeshare-r"), BTreeSet::new());
    model.pass_hook("r", "churn");
    model.converge(&policy(&rule("r", "shared", "read", "hook")));
    assert_eq!(inside(&model, "pipeshare-r").len(), 1);
}

#[test]
fn an_invitation_to_what_has_not_passed_the_gate_is_withdrawn_at_once() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&policy(&rule("r", "partner", "read", "created")));
    let stricter = policy(&rule("r", "partner", "read", "hook"));
    assert_eq!(
        reasons(&model.plan(&stricter)),
        [Reason::PendingInvitation],
        "nothing can leave it, and accepting would give access"
    );
    model.converge(&stricter);
    assert_eq!(model.grants(), BTreeSet::new());
}

#[test]
fn items_about_pipelines_that_are_no_more_are_found_and_those_of_others_are_left() {
    let mut model = Model::new();
    let policy = policy(&rule("r", "dev", "read", "hook"));
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.succeed("churn");
    model.pass_hook("r", "churn");
    model.pass_hook("r", "fraud");
    let owner = OWNER.parse().unwrap();
    let evidence = model.items.clone();
    assert_eq!(evidence.of_gone(&owner, &model.pipelines), []);
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    let gone = evidence.of_gone(&owner, &model.pipelines);
    assert_eq!(gone.len(), 1);
    assert!(gone[0].sk.starts_with("r|") && gone[0].sk.contains("/churn|"));
    assert_eq!(inside(&model, "pipeshare-r"), BTreeSet::new());
    assert_eq!(model.plan(&policy).waiting.len(), 1, "the new one waits");
}

#[test]
fn a_permission_that_cannot_be_given_leaves_every_share_as_it_is() {
    let flaws = [
        Flaw::Missing,
        Flaw::OtherType {
            resource_type: "ec2:Subnet".to_owned(),
        },
        Flaw::NotAttachable {
            status: "UNATTACHABLE".to_owned(),
        },
        Flaw::Unreadable {
            message: "AccessDenied".to_owned(),
        },
    ];
    for flaw in flaws {
        let mut model = Model::new();
        model.create_pipeline("churn");
        model.converge(&policy(&rule("r", "dev, shared", "execute", "created")));
        model.flaws.insert(CUSTOM.parse().unwrap(), flaw.clone());
        let before = model.grants();

        let broken = policy(&rule("r", "dev, shared", CUSTOM, "created"));
        let plan = model.plan(&broken);
        assert_eq!(reasons(&plan), [], "{flaw}");
        assert_eq!(plan.flawed[0].flaw, flaw);
        // Under another name, too, and for another audience.
        for rules in [
            rule("renamed", "dev, shared", CUSTOM, "created"),
            rule("r", "dev, shared, partner", CUSTOM, "created"),
        ] {
            model.converge(&policy(&rules));
            assert_eq!(model.grants(), before, "{flaw}: {rules}");
        }
        // What the rule does not give is taken away all the same, and nothing comes in.
        model.create_pipeline("fraud");
        let narrower = policy(&rule("r", "dev", CUSTOM, "created"));
        assert_eq!(reasons(&model.plan(&narrower)), [Reason::PrincipalNotNamed]);
        model.converge(&narrower);
        assert_eq!(model.grants().len(), 1);
        // Once it is fixed, everything follows.
        model.flaws.clear();
        model.converge(&narrower);
        assert_eq!(model.grants().len(), 2);
        assert!(model.grants().iter().all(|grant| grant.2 == CUSTOM));
    }
}

#[test]
fn a_rule_under_another_name_takes_over_before_the_old_share_goes() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&policy(&rule("old", "partner", "read", "created")));
    model.accept_all();
    let renamed = policy(&rule("new", "partner", "read", "created"));
    model.converge(&renamed);
    assert_eq!(inside(&model, "pipeshare-old.444444444444").len(), 1);
    model.accept_all();
    model.converge(&renamed);
    assert_eq!(inside(&model, "pipeshare-old.444444444444").len(), 0);
    assert_eq!(model.grants().len(), 1);

    // What gives more than the rule of the new name goes at once.
    for less in [
        rule("less", "shared", "read", "created"),
        rule("less", "partner", "read", "hook"),
        "  []\n".to_owned(),
    ] {
        let mut model = model.clone();
        let plan = model.plan(&policy(&less));
        assert_eq!(plan.steps()[0].reason, Reason::RuleGone, "{less}");
        assert_eq!(plan.steps()[0].call, Call::Change(Action::Delete));
        model.converge(&policy(&less));
        assert_eq!(inside(&model, "pipeshare-new.444444444444").len(), 0);
    }
}

#[test]
fn a_share_under_a_name_that_is_not_ours_is_left_to_people() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = policy(&rule("r", "dev", "read", "created"));
    model.converge(&policy);
    model.shares[0].name = "mine".to_owned();
    model.converge(&policy);
    let plan = model.plan(&policy);
    assert_eq!(plan.steps(), []);
    assert_eq!(plan.out_of_reach[0].share, "mine");
    assert_eq!(inside(&model, "pipeshare-r").len(), 1, "the rule is served");
}

#[test]
fn shares_that_serve_no_part_of_a_rule_do_not_vouch_for_each_other() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = policy(&rule("r", "dev", "read", "created"));
    model.converge(&policy);
    let mut twin = model.shares[0].clone();
    twin.arn = format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/twin")
        .parse()
        .unwrap();
    twin.name = "pipeshare-r.111111111111".to_owned();
    model.shares[0].name = "pipeshare-r.2.x".to_owned();
    model.shares.push(twin);
    let plan = model.plan(&policy);
    assert!(
        !plan
            .steps()
            .iter()
            .any(|step| step.call == Call::Change(Action::Delete))
    );
    model.converge(&policy);
    assert_eq!(model.shares.iter().filter(|share| share.live).count(), 1);
}

const PIPELINES: [&str; 4] = ["churn", "fraud", "eval", "X"];

/// A share that anybody may have made, tagged, named and filled.
fn any_share() -> impl Strategy<Value = Share> {
    const NAMES: &[&str] = &[
        "pipeshare-a",
        "pipeshare-a",
        "pipeshare-a.444444444444",
        "pipeshare-a.111111111111",
        "pipeshare-a.2",
        "pipeshare-b",
        "pipeshare-b.444444444444",
        "pipeshare-ops",
        "pipeshare-",
    ];
    const ENTITIES: &[&str] = &["churn", "fraud", "eval", "X", "ghost"];
    const PRINCIPALS: &[&str] = &[
        "111111111111",
        "333333333333",
        "444444444444",
        "999999999999",
    ];
    (
        proptest::sample::select(NAMES),
        proptest::option::weighted(0.9, proptest::sample::select(&["a", "b", "ops"][..])),
        proptest::sample::select(&[READ, EXECUTE][..]),
        subsequence(ENTITIES, 0..=5),
        subsequence(PRINCIPALS, 0..=3),
        (any::<bool>(), any::<bool>(), 0_i64..4000, 0_u32..1_000_000),
    )
        .prop_map(|(name, tag, permission, entities, principals, facts)| {
            let (external, associating, age, number) = facts;
            let created = Timestamp::from_second(1_767_600_000 - 2000 + age).unwrap();
            let association = |entity: String| Association {
                entity,
                status: if associating {
                    AssociationStatus::Associating
                } else {
                    AssociationStatus::Associated
                },
                message: None,
                created: Some(created),
                updated: Some(created),
            };
            let arn = |name: &&str| format!("arn:aws:sagemaker:us-east-1:{OWNER}:pipeline/{name}");
            Share {
                arn: format!("arn:aws:ram:us-east-1:{OWNER}:resource-share/{number}-{age}")
                    .parse()
                    .unwrap(),
                name: name.to_owned(),
                rule: tag.map(str::to_owned),
                created,
                updated: None,
                live: true,
                allow_external: external,
                permissions: vec![permission.parse().unwrap()],
                outdated: false,
                resources: entities.iter().map(arn).map(association).collect(),
                principals: principals
                    .iter()
                    .map(|principal| association((*principal).to_owned()))
                    .collect(),
            }
        })
}

#[derive(Debug, Clone)]
struct Spec {
    name: &'static str,
    with: Vec<&'static str>,
    execute: bool,
    gate: Gate,
}

fn spec(name: &'static str) -> impl Strategy<Value = Spec> {
    let principals = ["111111111111", "333333333333", "444444444444"];
    let gates = [Gate::Created, Gate::Succeeded, Gate::Hook];
    (
        subsequence(principals.to_vec(), 1..=3),
        any::<bool>(),
        proptest::sample::select(gates.to_vec()),
    )
        .prop_map(move |(with, execute, gate)| Spec {
            name,
            with,
            execute,
            gate,
        })
}

fn parse(specs: &[Spec]) -> Policy {
    let rules: String = specs
        .iter()
        .map(|spec| {
            let with: Vec<_> = spec.with.iter().map(|id| format!("'{id}'")).collect();
            let access = if spec.execute { "execute" } else { "read" };
            let after = serde_json::to_value(spec.gate).unwrap();
            rule(spec.name, &with.join(", "), access, after.as_str().unwrap())
        })
        .collect();
    policy(if rules.is_empty() { "  []\n" } else { &rules })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever shares there are, whoever tagged, named and filled them.
    #[test]
    fn no_pipeline_is_given_that_has_not_passed_the_gate_whatever_shares_there_are(
        shares in proptest::collection::vec(any_share(), 0..5),
        specs in ["a", "b"].map(|name| proptest::option::of(spec(name))),
        succeeded in subsequence(&PIPELINES[..], 0..=4),
        hooked in subsequence(&[("a", "churn"), ("a", "eval"), ("b", "X"), ("b", "churn")][..], 0..=4),
    ) {
        let specs: Vec<Spec> = specs.into_iter().flatten().collect();
        let mut model = Model::new();
        for name in PIPELINES {
            model.create_pipeline(name);
        }
        for name in succeeded.iter().copied() {
            model.succeed(name);
        }
        for (rule, name) in &hooked {
            model.pass_hook(rule, name);
        }
        model.shares = shares;
        model.shares.sort_by(|a, b| a.arn.cmp(&b.arn));
        model.shares.dedup_by(|a, b| a.arn == b.arn);

        let may_have = |rule: &str, pipeline: &str| {
            specs.iter().any(|spec| spec.name == rule && match spec.gate {
                Gate::Created => true,
                Gate::Succeeded => succeeded.contains(&pipeline),
                Gate::Hook => hooked.contains(&(spec.name, pipeline)),
            })
        };
        let policy = parse(&specs);
        for step in model.plan(&policy).steps() {
            if let Call::Change(Action::AddPipelines { pipelines }) = &step.call {
                let name: ShareName = step.share.parse().unwrap();
                for pipeline in pipelines {
                    prop_assert!(may_have(name.rule.as_str(), pipeline.name()), "{step}");
                }
            }
        }

        for _ in 0..3 {
            model.converge(&policy);
            model.expire_invitations();
            model.converge(&policy);
            model.accept_all();
        }
        model.converge(&policy);
        let mut expected = BTreeSet::new();
        for spec in &specs {
            for name in PIPELINES.iter().filter(|name| may_have(spec.name, name)) {
                for principal in &spec.with {
                    let permission = if spec.execute { EXECUTE } else { READ };
                    expected.insert(((*principal).to_owned(), (*name).to_owned(), permission.to_owned()));
                }
            }
        }
        prop_assert_eq!(model.grants(), expected);
    }
}

#[test]
fn evidence_of_a_namesake_is_none() {
    let mut model = Model::new();
    let policy = policy(&rule("r", "dev", "read", "succeeded"));
    model.create_pipeline("churn");
    let mut evidence = Evidence::default();
    evidence.note_success(&model.pipelines[0]);
    assert!(evidence.has_passed(&policy.rules[0], &model.pipelines[0]));
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    assert!(!evidence.has_passed(&policy.rules[0], &model.pipelines[0]));
}
