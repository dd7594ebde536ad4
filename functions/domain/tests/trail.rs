//! The trail: what its events say of an account is what has changed there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use domain::{
    policy::{InForce, Place, TeamVersions, Version},
    sharing::{Applied, Observed, StepOutcome},
    trail::{Context, Document, Documents, TrailEvent},
};
use model::{
    Failure, Model, OWNER,
    policies::{EXECUTE, READ, text},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

const READERS: &str =
    "  - { name: readers, owner: test, pipelines: ['*'], with: [dev], after: created }\n";
const OPERATORS: &str = "  - { name: readers, owner: test, pipelines: ['*'], with: [dev, shared], access: execute, after: created }\n";
const PARTNERS: &str = "  - { name: partners, owner: test, pipelines: ['churn*'], with: [partner, bank, dev], after: created, why: joint model, contact: ml@example.com, until: 2027-03-31 }\n";
const GATED: &str =
    "  - { name: gated, owner: test, pipelines: ['*'], with: [dev], after: succeeded }\n";

/// Who may use which pipeline by which rule and permission.
type Access = BTreeSet<(String, String, String, String)>;

/// A policy with these rules, and how the trail names it.
struct Estate {
    policy: InForce,
    documents: Documents,
    model: Model,
}

impl Estate {
    fn new() -> Self {
        let mut estate = Self {
            policy: in_force(""),
            documents: Documents::default(),
            model: Model::new(),
        };
        estate.write("");
        estate
    }

    fn write(&mut self, rules: &str) {
        self.policy = in_force(rules);
        let root = self.policy.root_version();
        let by = Some("arn:aws:iam::333333333333:user/ann".to_owned());
        let document = Document::new("/pipeshare/policy".to_owned(), &root, by);
        self.documents.by_team = [(None, document)].into();
    }

    /// Reconciles once; what went on the trail.
    fn reconcile(&mut self) -> Vec<TrailEvent> {
        let observed = self.model.observe(&self.policy.policy);
        let plan = self.model.plan(&self.policy.policy);
        let steps = self.model.apply(&plan);
        self.changes(&observed, &steps)
    }

    fn changes(&self, observed: &Observed, steps: &[Applied<Failure>]) -> Vec<TrailEvent> {
        self.context(observed).changes(steps, |_| false)
    }

    fn context<'a>(&'a self, observed: &'a Observed) -> Context<'a> {
        Context {
            policy: &self.policy,
            documents: &self.documents,
            observed,
            run: "message-1",
        }
    }

    /// What the shares of the account give now.
    fn access(&self) -> Access {
        let live = self.model.shares.iter().filter(|share| share.live);
        let each = live.flat_map(|share| {
            let present = |list: &[domain::sharing::Association]| -> Vec<String> {
                let present = list.iter().filter(|it| it.status.is_present());
                present.map(|it| it.entity.clone()).collect()
            };
            let (principals, resources) = (present(&share.principals), present(&share.resources));
            let permission = share.permissions[0].to_string();
            principals.into_iter().flat_map(move |principal| {
                let (rule, permission) = (share.rule.clone().unwrap(), permission.clone());
                resources.clone().into_iter().map(move |pipeline| {
                    (
                        rule.clone(),
                        principal.clone(),
                        name(&pipeline),
                        permission.clone(),
                    )
                })
            })
        });
        each.collect()
    }
}

fn name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap().to_owned()
}

fn in_force(rules: &str) -> InForce {
    let rules = if rules.is_empty() { "  []\n" } else { rules };
    let root = Version {
        version: 7,
        text: text(rules),
        written: "2026-01-05T09:00:00Z".parse().ok(),
    };
    let place = Place {
        partition: "aws".to_owned(),
        region: "us-east-1".parse().unwrap(),
    };
    InForce::of(root, TeamVersions::new(), &place, None).unwrap()
}

/// The access that there is after these events, if this was there before.
fn replay(mut access: Access, events: &[TrailEvent]) -> Access {
    for event in events {
        let text = |member: &str| event.detail[member].as_str().unwrap().to_owned();
        let permission = match text("access").as_str() {
            "read" => READ.to_owned(),
            "execute" => EXECUTE.to_owned(),
            arn => arn.to_owned(),
        };
        for pipeline in event.detail["pipelines"].as_array().unwrap() {
            let pipeline = pipeline.as_str().unwrap().to_owned();
            let (rule, principal) = (text("rule"), text("principal"));
            access.retain(|it| (&it.0, &it.1, &it.2) != (&rule, &principal, &pipeline));
            if text("change") != "withdrawn" {
                access.insert((rule, principal, pipeline, permission.clone()));
            }
        }
    }
    access
}

fn changes(events: &[TrailEvent]) -> Vec<String> {
    let line = |event: &TrailEvent| {
        let text = |member: &str| event.detail[member].as_str().unwrap_or("-").to_owned();
        let pipelines = &event.detail["pipelines"];
        let (change, principal) = (text("change"), text("principalName"));
        format!(
            "{change} {principal} {} {pipelines} {}",
            text("access"),
            text("reason")
        )
    };
    events.iter().map(line).collect()
}

#[test]
fn an_event_says_who_may_do_what_by_which_rule_of_whose_document_and_why() {
    let mut estate = Estate::new();
    estate.write(PARTNERS);
    estate.model.create_pipeline("churn");
    estate.model.create_pipeline("fraud");
    let events = estate.reconcile();
    assert_eq!(
        changes(&events),
        [
            r#"granted dev read ["churn"] pipeline-created"#,
            r#"offered partner read ["churn"] pipeline-created"#,
            r#"offered bank read ["churn"] pipeline-created"#,
        ]
    );
    let mut detail = events[1].detail.clone();
    let id = detail["id"].take();
    assert_eq!(id.as_str().map(str::len), Some(64));
    let digest = estate.policy.root_version().digest();
    assert_eq!(
        detail,
        json!({
            "version": "1",
            "id": Value::Null,
            "change": "offered",
            "owner": OWNER,
            "ownerName": "test",
            "principal": "444444444444",
            "principalName": "partner",
            "access": "read",
            "pipelines": ["churn"],
            "rule": "partners",
            "reason": "pipeline-created",
            "why": "joint model",
            "contact": "ml@example.com",
            "until": "2027-03-31",
            "document": "/pipeshare/policy",
            "documentVersion": 7,
            "documentDigest": digest,
            "writtenAt": "2026-01-05T09:00:00Z",
            "writtenBy": "arn:aws:iam::333333333333:user/ann",
            "run": "message-1",
        })
    );
}

#[test]
fn a_rule_that_changes_its_access_and_one_that_goes_are_a_change_and_a_withdrawal() {
    let mut estate = Estate::new();
    estate.write(READERS);
    estate.model.create_pipeline("churn");
    estate.reconcile();
    estate.model.settle();
    estate.write(OPERATORS);
    assert_eq!(
        changes(&estate.reconcile()),
        [
            r#"changed dev execute ["churn"] access-changed"#,
            r#"granted shared execute ["churn"] principal-named"#,
        ]
    );
    estate.model.settle();
    estate.write("");
    let events = estate.reconcile();
    assert_eq!(
        changes(&events),
        [
            r#"withdrawn dev execute ["churn"] rule-gone"#,
            r#"withdrawn shared execute ["churn"] rule-gone"#,
        ]
    );
    // Who wrote the version without the rule.
    assert_eq!(events[0].detail["documentVersion"], 7);
}

#[test]
fn a_recreated_pipeline_is_withdrawn_and_granted_anew() {
    let mut estate = Estate::new();
    estate.write(READERS);
    estate.model.create_pipeline("churn");
    estate.reconcile();
    estate.model.settle();
    estate.model.recreate_pipeline("churn");
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend(estate.reconcile());
        estate.model.settle();
    }
    assert_eq!(
        changes(&all),
        [
            r#"withdrawn dev read ["churn"] pipeline-recreated"#,
            r#"granted dev read ["churn"] pipeline-created"#,
        ]
    );
}

#[test]
fn all_access_is_recorded_as_it_is() {
    let mut estate = Estate::new();
    estate.write(&format!("{READERS}{PARTNERS}"));
    estate.model.create_pipeline("churn");
    estate.reconcile();
    estate.model.settle();
    let observed = estate.model.observe(&estate.policy.policy);
    let none: [Applied<Failure>; 0] = [];
    let recorded = estate.context(&observed).record(&none, |_| false);
    assert_eq!(
        changes(&recorded),
        [
            r#"offered partner read ["churn"] -"#,
            r#"offered bank read ["churn"] -"#,
            r#"held dev read ["churn"] -"#,
            r#"held dev read ["churn"] -"#,
        ]
    );
    assert_eq!(replay(Access::new(), &recorded), estate.access());
}

#[test]
fn a_step_that_aws_did_not_answer_is_recorded_as_uncertain_and_a_refused_one_is_not() {
    let mut estate = Estate::new();
    estate.write(READERS);
    estate.model.create_pipeline("churn");
    let observed = estate.model.observe(&estate.policy.policy);
    let plan = estate.model.plan(&estate.policy.policy);
    let mut steps = estate.model.apply(&plan);
    let last = steps.last_mut().unwrap();
    last.outcome = StepOutcome::Failed(Failure {
        operation: "AssociateResourceShare",
        code: "ThrottlingException".to_owned(),
        is_carried_out: true,
    });
    let context = estate.context(&observed);
    let events = context.changes(&steps, |_| true);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].detail["uncertain"], true);
    assert!(context.changes(&steps, |_| false).is_empty());
}

#[test]
fn an_event_names_few_enough_pipelines_to_be_one() {
    let mut estate = Estate::new();
    estate.write(READERS);
    for number in 0..900 {
        estate
            .model
            .create_pipeline(&format!("{}{number}", "x".repeat(250)));
    }
    let events = estate.reconcile();
    let counts = events
        .iter()
        .map(|it| it.detail["pipelines"].as_array().unwrap().len());
    assert_eq!(counts.collect::<Vec<_>>(), [400, 400, 100]);
    let heaviest = events.iter().map(|it| it.detail.to_string().len()).max();
    assert!(heaviest.unwrap() < 200 * 1024, "{heaviest:?}");
}

/// Something that happens in the account or to the policy.
#[derive(Debug, Clone)]
enum Happening {
    Policy(&'static str),
    Create(&'static str),
    Delete(&'static str),
    Recreate(&'static str),
    Succeed(&'static str),
    Settle,
    Accept,
    Expire,
}

fn happening() -> impl Strategy<Value = Happening> {
    let policies = select(vec!["", READERS, OPERATORS, PARTNERS, GATED]);
    let name = || select(vec!["churn", "churn-2", "fraud"]);
    prop_oneof![
        3 => policies.prop_map(Happening::Policy),
        3 => name().prop_map(Happening::Create),
        1 => name().prop_map(Happening::Delete),
        1 => name().prop_map(Happening::Recreate),
        1 => name().prop_map(Happening::Succeed),
        2 => Just(Happening::Settle),
        1 => Just(Happening::Accept),
        1 => Just(Happening::Expire),
    ]
}

fn happen(estate: &mut Estate, happening: &Happening) {
    let exists = |estate: &Estate, name: &str| estate.model.pipeline(name).is_some();
    match happening {
        Happening::Policy(rules) => estate.write(rules),
        Happening::Create(name) if !exists(estate, name) => {
            estate.model.create_pipeline(name);
        }
        Happening::Delete(name) if exists(estate, name) => estate.model.delete_pipeline(name),
        Happening::Recreate(name) if exists(estate, name) => {
            estate.model.recreate_pipeline(name);
        }
        Happening::Succeed(name) if exists(estate, name) => estate.model.succeed(name),
        Happening::Settle => estate.model.settle(),
        Happening::Accept => estate.model.accept_all(),
        Happening::Expire => estate.model.expire_invitations(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_happens_the_events_say_what_has_changed(happenings in vec(happening(), 1..20)) {
        let mut estate = Estate::new();
        for happening in &happenings {
            happen(&mut estate, happening);
            let before = estate.access();
            let events = estate.reconcile();
            prop_assert_eq!(replay(before, &events), estate.access(), "{:?}", changes(&events));
        }
    }
}
