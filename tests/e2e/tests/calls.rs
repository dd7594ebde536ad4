//! What a scheduled reconciliation with nothing to do costs, beside the least that it could.

use std::collections::BTreeMap;

use e2e::{DEV, Plan, SHARED, SWEEP, Scenario, TEST};

/// Another owner.
const PROD: &str = "444444444444";

/// How long it is between two scheduled reconciliations, in seconds.
const SCHEDULE: u64 = 900;

/// How many accounts there are of a kind.
const OWNERS: usize = 2;
const CONSUMERS: usize = 2;

/// Two owners with so many pipelines, each shared with two consumers by so many rules.
async fn settled(pipelines: usize, rules: usize, is_in_organization: bool) -> Scenario {
    let plan = Plan {
        owners: vec![TEST, PROD],
        ram_sharing: is_in_organization,
        members: vec![DEV, TEST, SHARED, PROD],
        ..Plan::default()
    };
    let scenario = Scenario::on(plan).await;
    let organization = if is_in_organization {
        "organization: { id: o-sandbox123, ramSharing: true }\n"
    } else {
        ""
    };
    let rule = |owner: &str, number| {
        format!(
            "  - {{ name: {owner}-{number}, owner: {owner}, pipelines: [\"*\"], with: [dev, shared], access: read, after: created }}\n"
        )
    };
    let rules = (0..rules).flat_map(|number| ["test", "prod"].map(|owner| rule(owner, number)));
    let policy = format!(
        "version: 1\n{organization}accounts: {{ dev: \"{DEV}\", test: \"{TEST}\", shared: \"{SHARED}\", prod: \"{PROD}\" }}\nrules:\n{}",
        rules.collect::<String>()
    );
    scenario.write_policy(&policy).await;
    let prod = scenario.estate.person(PROD);
    for number in 0..pipelines {
        for owner in [&scenario.test, &prod] {
            scenario.create(owner, &format!("p{number:04}")).await;
        }
    }
    scenario.pass(4 * SWEEP).await;
    scenario
}

/// How often each operation was called between one scheduled reconciliation and the next.
async fn of_one_schedule(scenario: &Scenario) -> BTreeMap<String, usize> {
    let before = scenario.estate.sandbox.world().calls().len();
    scenario.pass(SCHEDULE).await;
    let world = scenario.estate.sandbox.world();
    let mut counts = BTreeMap::new();
    for call in &world.calls()[before..] {
        assert!(call.error.is_none(), "{call:?}");
        if call.caller.role.is_some() {
            let name = format!("{}:{}", call.service, call.operation);
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

/// The least that one scheduled reconciliation must ask of owners and consumers:
/// every list in pages as long as they can be.
struct Least {
    pipelines: usize,
    rules: usize,
    /// How many shares a rule has: one, or one for each consumer who must accept.
    shares_of_rule: usize,
}

impl Least {
    /// Of RAM and SageMaker, in all accounts.
    fn calls(&self) -> BTreeMap<&'static str, usize> {
        let shares = self.rules * self.shares_of_rule;
        let received = OWNERS * self.rules;
        BTreeMap::from([
            (
                "sagemaker:ListPipelines",
                OWNERS * self.pipelines.div_ceil(100),
            ),
            (
                "ram:GetResourceShares",
                OWNERS * shares.div_ceil(500) + CONSUMERS * received.div_ceil(500),
            ),
            (
                "ram:ListPermissionAssociations",
                OWNERS * shares.div_ceil(500),
            ),
            (
                "ram:GetResourceShareAssociations",
                OWNERS * (self.rules * CONSUMERS).div_ceil(500)
                    + OWNERS * (shares * self.pipelines).div_ceil(500),
            ),
            ("ram:GetResourceShareInvitations", CONSUMERS),
            (
                "ram:ListResources",
                CONSUMERS * (received * self.pipelines).div_ceil(500),
            ),
            // One proof in each account; the others have their turns.
            ("sagemaker:DescribePipeline", CONSUMERS),
        ])
    }
}

/// Reconciles once with nothing to do, and compares.
async fn costs_the_least(pipelines: usize, rules: usize, is_in_organization: bool) {
    let scenario = settled(pipelines, rules, is_in_organization).await;
    let least = Least {
        pipelines,
        rules,
        shares_of_rule: if is_in_organization { 1 } else { CONSUMERS },
    };
    let least = least.calls();
    let counts = of_one_schedule(&scenario).await;
    for (operation, least) in &least {
        let counted = counts.get(*operation).copied().unwrap_or_default();
        if *operation == "sagemaker:DescribePipeline" {
            let received = CONSUMERS * OWNERS * rules;
            assert!(
                (*least..=received).contains(&counted),
                "{operation}: {counted}"
            );
        } else {
            assert_eq!(counted, *least, "{operation} of {counts:#?}");
        }
    }
    let of_accounts = counts.keys().filter(|it| {
        let service = it.split(':').next().unwrap_or_default();
        matches!(service, "ram" | "sagemaker") && *it != "sagemaker:Search"
    });
    let of_accounts: Vec<_> = of_accounts.map(String::as_str).collect();
    assert_eq!(of_accounts, least.into_keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_to_do_costs_the_least_where_everybody_accepts() {
    costs_the_least(100, 3, false).await;
}

#[tokio::test]
async fn nothing_to_do_costs_the_least_within_an_organization() {
    costs_the_least(100, 3, true).await;
}

#[tokio::test]
async fn twice_as_many_pipelines_cost_only_the_pages_that_they_fill() {
    costs_the_least(200, 3, false).await;
}
