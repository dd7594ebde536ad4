//! What the planner promises: the shares become what the policy says, and stay.

use std::collections::BTreeSet;

use domain::{
    policy::{Gate, Policy},
    sharing::{Action, Call, Evidence, Lookalike, Plan, Reason, should_requeue},
    status::AssociationStatus,
};
use model::{
    Model,
    policies::{EXECUTE, READ, policy},
};
use proptest::{prelude::*, sample::subsequence};

fn readers(with: &str) -> Policy {
    policy(&format!(
        "  - {{ name: readers, owner: test, pipelines: ['*'], with: {with}, after: created }}\n"
    ))
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps().iter().map(ToString::to_string).collect()
}

#[test]
fn members_of_one_rule_are_served_by_one_share() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let plan = model.plan(&readers("[dev, shared]"));
    assert_eq!(
        steps(&plan),
        [
            "create share pipeshare-readers with AWSRAMDefaultPermissionSageMakerPipeline: \
             the rule has a pipeline to share",
            "add churn to share pipeshare-readers: the pipeline exists",
            "share pipeshare-readers with 111111111111, 333333333333: the rule names the principal",
        ]
    );
    assert_eq!(plan.offered, []);
}

#[test]
fn each_account_that_must_accept_has_a_share_of_its_own_and_is_offered_it() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[partner, bank]");
    let plan = model.plan(&policy);
    let offered: Vec<_> = plan
        .offered
        .iter()
        .map(|offer| offer.share.as_str())
        .collect();
    assert_eq!(
        offered,
        [
            "pipeshare-readers.444444444444",
            "pipeshare-readers.555555555555"
        ]
    );
    let steps = plan.steps();
    let outsiders = steps.iter().filter(|step| {
        matches!(
            &step.call,
            Call::Create(new) if new.allow_external
        )
    });
    assert_eq!(outsiders.count(), 2);

    model.converge(&policy);
    assert_eq!(
        model.plan(&policy).offered.len(),
        2,
        "offered until accepted"
    );
    model.accept_all();
    assert_eq!(model.plan(&policy).offered, []);
}

#[test]
fn nothing_is_shared_before_the_gate_and_nothing_is_asked_once_an_item_says_that_it_was_passed() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = policy(
        "  - { name: readers, owner: test, pipelines: ['*'], with: [dev], after: succeeded }\n",
    );
    let plan = model.plan(&policy);
    assert_eq!(steps(&plan), [""; 0]);
    assert_eq!(plan.waiting.len(), 1);
    assert_eq!(plan.waiting[0].after, Gate::Succeeded);

    model.succeed("churn");
    model.converge(&policy);
    assert_eq!(model.grants().len(), 1);
    let observed = model.observe(&policy);

    // An item says so from then on, whatever SageMaker still lists.
    model.items = observed.evidence;
    model.successes = Evidence::default();
    let observed = model.observe(&policy);
    assert_eq!(domain::sharing::questions(&policy, &observed).succeeded, []);
    assert_eq!(steps(&model.plan(&policy)), [""; 0]);
    // Without, it has passed no gate, wherever it is.
    model.items = Evidence::default();
    let plan = model.plan(&policy);
    assert_eq!(plan.steps()[0].reason, Reason::GateNotPassed);
}

#[test]
fn a_later_pipeline_joins_with_one_call() {
    let mut model = Model::new();
    let policy = readers("[dev, partner]");
    model.create_pipeline("churn");
    model.converge(&policy);
    model.accept_all();
    model.create_pipeline("fraud");
    assert_eq!(
        steps(&model.plan(&policy)),
        [
            "add fraud to share pipeshare-readers: the pipeline exists",
            "add fraud to share pipeshare-readers.444444444444: the pipeline exists",
        ]
    );
}

#[test]
fn a_withdrawn_rule_takes_its_shares_with_it() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&readers("[dev, partner]"));
    let plan = model.plan(&policy("  []\n"));
    let reasons: BTreeSet<_> = plan.steps().iter().map(|step| step.reason).collect();
    assert_eq!(reasons, BTreeSet::from([Reason::RuleGone]));
    model.converge(&policy("  []\n"));
    assert_eq!(model.grants(), BTreeSet::new());
}

#[test]
fn access_is_narrowed_before_anything_is_added() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let rule = |access: &str, with: &str| {
        policy(&format!(
            "  - {{ name: r, owner: test, pipelines: ['*'], with: {with}, access: {access}, after: created }}\n"
        ))
    };
    model.converge(&rule("execute", "[dev, shared]"));
    model.create_pipeline("fraud");
    let plan = model.plan(&rule("read", "[dev]"));
    let reasons: Vec<_> = plan.steps().iter().map(|step| step.reason).collect();
    assert_eq!(
        reasons,
        [
            Reason::AccessChanged,
            Reason::PrincipalNotNamed,
            Reason::PipelineCreated
        ]
    );
}

#[test]
fn an_expired_invitation_is_sent_again() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[partner]");
    model.converge(&policy);
    model.expire_invitations();
    assert_eq!(
        steps(&model.plan(&policy)),
        [
            "share pipeshare-readers.444444444444 with 444444444444: the invitation expired or was declined"
        ]
    );
}

#[test]
fn a_recreated_pipeline_is_another_pipeline_and_passes_the_gate_again() {
    let mut model = Model::new();
    let policy = policy(
        "  - { name: readers, owner: test, pipelines: ['*'], with: [dev], after: succeeded }\n",
    );
    model.create_pipeline("churn");
    model.succeed("churn");
    model.converge(&policy);
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    model.converge(&policy);
    assert_eq!(
        model.grants(),
        BTreeSet::new(),
        "its predecessor's success proves nothing"
    );
    model.succeed("churn");
    model.converge(&policy);
    assert_eq!(model.grants().len(), 1);
}

#[test]
fn a_pipeline_that_was_recreated_unseen_is_taken_out_and_shared_anew() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    model.converge(&policy);
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    assert_eq!(
        steps(&model.plan(&policy)),
        [
            "remove churn from share pipeshare-readers: \
             the pipeline was deleted and created again",
            "add churn to share pipeshare-readers: the pipeline exists",
        ]
    );
    model.converge(&policy);
}

#[test]
fn nobody_is_added_to_a_share_with_nothing_inside() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.converge(&readers("[dev]"));
    model.delete_pipeline("churn");
    model.converge(&readers("[dev]"));
    assert_eq!(steps(&model.plan(&readers("[dev, shared]"))), [""; 0]);
}

#[test]
fn what_somebody_else_added_to_our_share_is_taken_out() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    model.converge(&policy);
    let mut foreign = model.shares[0].resources[0].clone();
    foreign.entity = "arn:aws:ec2:us-east-1:222222222222:subnet/subnet-1".to_owned();
    model.shares[0].resources.push(foreign);
    model.shares[0].allow_external = true;
    let mut stranger = model.shares[0].principals[0].clone();
    stranger.entity = "666666666666".to_owned();
    model.shares[0].principals.push(stranger);
    let reasons: Vec<_> = model
        .plan(&policy)
        .steps()
        .iter()
        .map(|s| s.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            Reason::PrincipalNotNamed,
            Reason::NotInRule,
            Reason::ExternalFlagChanged
        ]
    );
    model.converge(&policy);
}

#[test]
fn of_two_shares_with_one_name_the_older_stays() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    model.converge(&policy);
    let mut twin = model.shares[0].clone();
    twin.arn = "arn:aws:ram:us-east-1:222222222222:resource-share/0-twin"
        .parse()
        .unwrap();
    twin.created = model.now();
    model.shares.insert(0, twin);
    let plan = model.plan(&policy);
    assert_eq!(plan.steps().len(), 1);
    assert_eq!(plan.steps()[0].reason, Reason::Duplicate);
    assert!(
        plan.steps()[0]
            .arn
            .as_ref()
            .unwrap()
            .as_str()
            .ends_with("0-twin")
    );
}

#[test]
fn two_runs_that_see_the_same_ask_for_the_same_share_and_a_successor_for_another() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    let token = |plan: &Plan| match &plan.steps()[0].call {
        Call::Create(new) => new.client_token.clone(),
        other @ Call::Change(_) => panic!("{other:?}"),
    };
    let first = token(&model.plan(&policy));
    assert_eq!(first, token(&model.plan(&policy)));
    assert_eq!(first.len(), 64);
    model.converge(&policy);
    model.shares[0].live = false;
    assert_ne!(
        first,
        token(&model.plan(&policy)),
        "the deleted share must not be replayed"
    );
    model.shares[0].live = true;
    model.shares[0].name = "pipeshare-mine".to_owned();
    let plan = model.plan(&policy);
    assert_ne!(first, token(&plan), "nor the renamed one");
    let mut lookalike = model.clone();
    let renamed = lookalike.shares.remove(0);
    lookalike.lookalikes.push(Lookalike {
        share: "pipeshare-readers".to_owned(),
        arn: renamed.arn,
    });
    let plan = lookalike.plan(&policy);
    assert_ne!(first, token(&plan), "nor the one without tags");
    assert_eq!(
        plan.lookalikes, lookalike.lookalikes,
        "of which people hear"
    );
    // By and by RAM lists the deleted share no longer, but may know the token yet.
    model.shares.clear();
    model.create_pipeline("later");
    assert_eq!(
        first,
        token(&model.plan(&policy)),
        "one more changes nothing"
    );
    model.delete_pipeline("churn");
    model.create_pipeline("churn");
    assert_ne!(first, token(&model.plan(&policy)));
}

#[test]
fn members_move_without_losing_access_when_the_organization_starts_to_share() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let rule = "rules:\n  - { name: r, owner: '222222222222', pipelines: ['*'], with: [dev], after: created }\n";
    let outside = Policy::parse(&format!(
        "version: 1\naccounts: {{ dev: '111111111111' }}\n{rule}"
    ));
    let inside = Policy::parse(&format!(
        "version: 1\norganization: {{ id: o-example1234, ramSharing: true }}\naccounts: {{ dev: '111111111111' }}\n{rule}"
    ));
    model.converge(&outside.unwrap());
    model.accept_all();
    let inside = inside.unwrap();
    let plan = model.plan(&inside);
    assert!(
        !plan
            .steps()
            .iter()
            .any(|step| step.call == Call::Change(Action::Delete))
    );
    model.execute(&plan);
    assert_eq!(
        steps(&model.plan(&inside)),
        [""; 0],
        "the new share is not in force yet"
    );
    model.settle();
    let plan = model.plan(&inside);
    assert_eq!(plan.steps().len(), 1);
    assert_eq!(plan.steps()[0].reason, Reason::Moved);
    model.converge(&inside);
    assert_eq!(model.grants().len(), 1);
}

#[test]
fn what_a_share_grants_too_much_is_taken_away_whatever_becomes_of_its_successor() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    let policy = |sharing: bool, pipelines: &str, access: &str| {
        let organization = "organization: { id: o-example1234, ramSharing: true }\n";
        Policy::parse(&format!(
            "version: 1\n{}accounts: {{ dev: '111111111111' }}\nrules:\n  - {{ name: r, \
             owner: '222222222222', pipelines: [{pipelines}], with: [dev], access: {access}, after: created }}\n",
            if sharing { organization } else { "" },
        ))
        .unwrap()
    };
    let first = |model: &Model, policy: &Policy| {
        let plan = model.plan(policy);
        (plan.steps()[0].call.clone(), plan.steps()[0].reason)
    };
    let too_much = (Call::Change(Action::Delete), Reason::GrantsTooMuch);
    model.converge(&policy(false, "'*'", "execute"));
    model.accept_all();
    assert_eq!(first(&model, &policy(true, "churn", "execute")), too_much);
    assert_eq!(first(&model, &policy(true, "'*'", "read")), too_much);
    // Who moves and may do more than before keeps what there is, until there is more.
    let mut reader = Model::new();
    reader.create_pipeline("churn");
    reader.converge(&policy(false, "'*'", "read"));
    reader.accept_all();
    let plan = reader.plan(&policy(true, "'*'", "execute"));
    assert!(
        !plan
            .steps()
            .iter()
            .any(|step| step.call == Call::Change(Action::Delete))
    );
}

#[test]
fn nothing_is_widened_while_somebody_is_inside_who_should_not_be() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let rule = |access: &str, with: &str| {
        policy(&format!(
            "  - {{ name: r, owner: test, pipelines: ['*'], with: {with}, access: {access}, after: created }}\n"
        ))
    };
    model.converge(&rule("read", "[dev, shared]"));
    model.create_pipeline("fraud");
    let wider = rule("execute", "[dev]");
    let reasons: Vec<_> = model
        .plan(&wider)
        .steps()
        .iter()
        .map(|s| s.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            Reason::PrincipalNotNamed,
            Reason::AccessChanged,
            Reason::PipelineCreated
        ]
    );
    // While RAM removes nothing, nothing is given either.
    model.shares[0].resources[0].status = AssociationStatus::Associating;
    let plan = model.plan(&wider);
    assert_eq!(steps(&plan), [""; 0]);
    assert!(plan.unsettled);
}

#[test]
fn a_share_of_members_is_not_deleted_because_one_of_them_is_settling() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(&readers("[dev, shared]"));
    model.shares[0].principals[0].status = AssociationStatus::Associating;
    let narrowed = policy(
        "  - { name: readers, owner: test, pipelines: [churn], with: [dev, shared], after: created }\n",
    );
    let plan = model.plan(&narrowed);
    assert_eq!(steps(&plan), [""; 0]);
    assert!(plan.unsettled, "it is reconciled again soon");
    model.settle();
    model.converge(&narrowed);
    assert_eq!(model.grants().len(), 2);
}

#[test]
fn a_full_share_is_continued_in_another() {
    let mut model = Model::new();
    for number in 0..5_003 {
        model.create_pipeline(&format!("p-{number}"));
    }
    let policy = readers("[dev]");
    model.converge(&policy);
    let names: BTreeSet<_> = model
        .shares
        .iter()
        .map(|share| share.name.as_str())
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["pipeshare-readers", "pipeshare-readers.2"])
    );
    assert_eq!(model.grants().len(), 5_003);
    model.create_pipeline("one-more");
    let plan = model.plan(&policy);
    assert_eq!(plan.steps().len(), 1);
    assert_eq!(plan.steps()[0].share, "pipeshare-readers.2");
}

#[test]
fn a_failed_association_is_reported_and_left_to_the_sweep() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    let policy = readers("[dev]");
    model.converge(&policy);
    model.shares[0].resources[0].status = AssociationStatus::Failed;
    model.shares[0].resources[0].message = Some("no permission".to_owned());
    let plan = model.plan(&policy);
    assert_eq!(plan.problems[0].message.as_deref(), Some("no permission"));
    assert_eq!(plan.steps()[0].reason, Reason::AssociationFailed);
    let steps = model.execute(&plan);
    assert!(!should_requeue(plan.unsettled, &steps, false));
}

#[test]
fn what_must_leave_a_pending_share_does_not_wait_for_the_invitation_to_expire() {
    let mut model = Model::new();
    model.create_pipeline("churn");
    model.create_pipeline("fraud");
    model.converge(&readers("[partner]"));
    let narrowed = policy(
        "  - { name: readers, owner: test, pipelines: [churn], with: [partner], after: created }\n",
    );
    assert_eq!(
        model.plan(&narrowed).steps()[0].reason,
        Reason::PendingInvitation
    );
    model.converge(&narrowed);
    assert_eq!(model.grants().len(), 1);
}

const PIPELINES: [&str; 5] = ["churn", "churn-train", "fraud", "fraud-eval", "X"];

/// What somebody may call a share.
const NAMES: [&str; 4] = [
    "pipeshare-a",
    "pipeshare-a.2",
    "pipeshare-b.444444444444",
    "pipeshare-mine",
];

/// A rule as text, and what it means.
#[derive(Debug, Clone)]
struct RuleSpec {
    name: &'static str,
    patterns: Vec<&'static str>,
    except: Vec<&'static str>,
    with: Vec<&'static str>,
    execute: bool,
    succeeded: bool,
}

impl RuleSpec {
    fn yaml(&self) -> String {
        let (name, patterns, except, with) = (self.name, &self.patterns, &self.except, &self.with);
        let access = if self.execute { "execute" } else { "read" };
        let after = if self.succeeded {
            "succeeded"
        } else {
            "created"
        };
        format!(
            "  - {{ name: {name}, owner: test, pipelines: {patterns:?}, except: {except:?}, \
             with: {with:?}, access: {access}, after: {after} }}\n"
        )
    }

    fn matches(&self, pipeline: &str) -> bool {
        let any = |patterns: &[&str]| {
            patterns
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(prefix) => pipeline.starts_with(prefix),
                    None => *pattern == pipeline,
                })
        };
        any(&self.patterns) && !any(&self.except)
    }

    fn permission(&self) -> &'static str {
        if self.execute { EXECUTE } else { READ }
    }
}

fn rule_spec(name: &'static str) -> impl Strategy<Value = RuleSpec> {
    let some = |from: &'static [&'static str]| subsequence(from, 1..=from.len());
    (
        some(&["*", "churn*", "fraud", "X"]),
        subsequence(&["fraud*", "churn"][..], 0..=2),
        some(&[
            "111111111111",
            "333333333333",
            "444444444444",
            "555555555555",
        ]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            move |(patterns, except, with, execute, succeeded)| RuleSpec {
                name,
                patterns,
                except,
                with,
                execute,
                succeeded,
            },
        )
}

fn rules() -> impl Strategy<Value = Vec<RuleSpec>> {
    let some = ["a", "b", "c"].map(|name| proptest::option::of(rule_spec(name)));
    some.prop_map(|rules| rules.into_iter().flatten().collect())
}

fn parse(rules: &[RuleSpec]) -> Policy {
    let rules: String = rules.iter().map(RuleSpec::yaml).collect();
    policy(if rules.is_empty() { "  []\n" } else { &rules })
}

/// Something that happens in the account between two reconciliations.
#[derive(Debug, Clone)]
enum Happening {
    Create(&'static str),
    Delete(&'static str),
    Succeed(&'static str),
    Accept,
    Expire,
    LetIn(usize),
    Vanish(usize),
    Rename(usize, &'static str),
    Hours(i64),
    Policy(Vec<RuleSpec>),
    Look,
}

fn happening() -> impl Strategy<Value = Happening> {
    let pipeline = || proptest::sample::select(&PIPELINES[..]);
    prop_oneof![
        4 => pipeline().prop_map(Happening::Create),
        1 => pipeline().prop_map(Happening::Delete),
        3 => pipeline().prop_map(Happening::Succeed),
        2 => Just(Happening::Accept),
        1 => Just(Happening::Expire),
        1 => any::<usize>().prop_map(Happening::LetIn),
        1 => any::<usize>().prop_map(Happening::Vanish),
        1 => (any::<usize>(), proptest::sample::select(&NAMES[..])).prop_map(|(share, name)| Happening::Rename(share, name)),
        1 => (1_i64..1000).prop_map(Happening::Hours),
        2 => rules().prop_map(Happening::Policy),
        3 => Just(Happening::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happened before, in whatever order: what is granted in the end
    /// is what the rules say, and planning again is empty.
    #[test]
    fn an_executed_plan_is_a_fixed_point_and_grants_what_the_policy_says(
        happenings in proptest::collection::vec(happening(), 0..25),
        last in rules(),
    ) {
        let mut model = Model::new();
        let mut specs = Vec::new();
        for happening in happenings {
            match happening {
                Happening::Create(name) => {
                    if !model.pipelines.iter().any(|p| p.arn.name() == name) {
                        model.create_pipeline(name);
                    }
                }
                Happening::Delete(name) => model.delete_pipeline(name),
                Happening::Succeed(name) => model.succeed(name),
                Happening::Accept => model.accept_all(),
                Happening::Expire => model.expire_invitations(),
                Happening::LetIn(share) => {
                    let names = model.share_names();
                    let share = share.checked_rem(names.len()).map(|share| names[share].to_owned());
                    model.let_in(&share.unwrap_or_default(), "666666666666");
                }
                Happening::Vanish(share) => {
                    // It was deleted, and whoever looks comes too late.
                    if let Some(share) = share.checked_rem(model.shares.len()) {
                        model.shares.remove(share);
                    }
                    model.pass_hours(3);
                }
                Happening::Rename(share, name) => {
                    if let Some(share) = share.checked_rem(model.shares.len()) {
                        model.shares[share].name = name.to_owned();
                    }
                }
                Happening::Hours(hours) => model.pass_hours(hours),
                Happening::Policy(rules) => specs = rules,
                Happening::Look => {
                    let plan = model.plan(&parse(&specs));
                    model.execute(&plan);
                    model.settle();
                }
            }
        }
        let policy = parse(&last);
        // Nobody answers, everybody answers: neither may keep the rest from settling.
        model.converge(&policy);
        model.expire_invitations();
        model.converge(&policy);
        model.accept_all();
        model.converge(&policy);

        let mut expected = BTreeSet::new();
        for rule in &last {
            for pipeline in model.pipelines.iter().filter(|p| rule.matches(p.arn.name())) {
                for principal in &rule.with {
                    let grant = ((*principal).to_owned(), pipeline.arn.name().to_owned(), rule.permission().to_owned());
                    if !rule.succeeded || model.has_success(pipeline) {
                        expected.insert(grant);
                    }
                }
            }
        }
        prop_assert_eq!(model.grants(), expected);
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_in_which_things_were_seen(
        rules in rules(),
        order in Just(PIPELINES.to_vec()).prop_shuffle(),
        shuffled in proptest::collection::vec(any::<u32>(), 12),
    ) {
        let mut model = Model::new();
        for name in order {
            model.create_pipeline(name);
            model.succeed(name);
        }
        model.converge(&parse(&rules[..rules.len() / 2]));
        let policy = parse(&rules);
        let mut observed = model.observe(&policy);
        let plan = domain::sharing::plan(&policy, 1, &observed);
        let mut keys = shuffled.iter().cycle().copied();
        observed.pipelines.sort_by_cached_key(|_| keys.next());
        observed.shares.sort_by_cached_key(|_| keys.next());
        for share in &mut observed.shares {
            share.resources.sort_by_cached_key(|_| keys.next());
            share.principals.sort_by_cached_key(|_| keys.next());
        }
        let mut turned = policy.clone();
        turned.rules.reverse();
        prop_assert_eq!(domain::sharing::plan(&turned, 1, &observed), plan);
    }
}
