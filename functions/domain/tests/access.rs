//! What an account has, how that changes, and what is said of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AccountId, PipelineArn, ShareArn},
    invitation::Refusal,
    notification::{
        AccessChange, Comparison, Contents, Delta, Expired, Grant, Held, Holdings, Inside, Moved,
        Notification, Place, Recorded, RefusedPolicy, Sighting, Sightings, Unsent,
        access_notification, compare, excess_key, excess_notification, expired_notification,
        policy_refused_notification,
    },
    policy::{Access, Policy},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const READERS: &str = "pipeshare-readers.111111111111";

fn grant() -> Grant {
    Grant {
        rule: "readers".parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

fn arn(name: &str) -> PipelineArn {
    format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/{name}")
        .parse()
        .unwrap()
}

fn share(id: &str) -> ShareArn {
    format!("arn:aws:ram:eu-west-1:222222222222:resource-share/{id}")
        .parse()
        .unwrap()
}

fn inside(pipelines: &[(&str, i64)]) -> Inside {
    let each = pipelines.iter();
    each.map(|(name, made)| (arn(name), Some(at(*made))))
        .collect()
}

fn sighting(id: &str, name: &str, contents: Contents) -> Sighting {
    Sighting {
        share: share(id),
        name: name.into(),
        grant: Some(grant()),
        contents,
    }
}

fn seen(shares: Vec<Sighting>) -> Sightings {
    Sightings {
        shares,
        complete: true,
    }
}

fn trusted(pipelines: &[(&str, i64)]) -> Sightings {
    let contents = Contents::Trusted(inside(pipelines));
    seen(vec![sighting("s", READERS, contents)])
}

/// An account that is compared again and again.
#[derive(Default)]
struct Account {
    held: Holdings,
    runs: i64,
}

impl Account {
    /// Looks a minute later, twice, so that what is missing is lost; returns what is told.
    fn look(&mut self, access: &Access, seen: &Sightings) -> Vec<(Vec<String>, Vec<String>)> {
        let mut told = Vec::new();
        for _ in 0..2 {
            let delta = self.glance(access, seen).delta;
            if !delta.is_empty() {
                told.push((names(&delta.gained), names(&delta.lost)));
            }
        }
        told
    }

    fn glance(&mut self, access: &Access, seen: &Sightings) -> Comparison {
        self.runs += 1;
        let now = at(60 * self.runs);
        let compared = compare(&grant(), &self.held, Some(access), seen, now);
        self.held = compared.after.clone();
        compared
    }
}

fn names(moved: &[Moved]) -> Vec<String> {
    let names = moved
        .iter()
        .map(|moved| moved.pipeline_arn.name().to_owned());
    names.collect()
}

fn told(gained: &[&str], lost: &[&str]) -> Vec<(Vec<String>, Vec<String>)> {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    vec![(owned(gained), owned(lost))]
}

#[test]
fn a_state_that_returns_is_news_and_one_that_stays_is_not() {
    let mut account = Account::default();
    let both = trusted(&[("a", 0), ("b", 0)]);
    assert_eq!(account.look(&Access::Read, &both), told(&["a", "b"], &[]));
    assert_eq!(account.look(&Access::Read, &both), []);
    for made in 1..4 {
        let one = account.look(&Access::Read, &trusted(&[("a", 0)]));
        assert_eq!(one, told(&[], &["b"]), "{made}");
        let again = account.look(&Access::Read, &trusted(&[("a", 0), ("b", made)]));
        assert_eq!(again, told(&["b"], &[]), "{made}");
    }
    assert_eq!(
        account.look(&Access::Read, &seen(vec![])),
        told(&[], &["a", "b"])
    );
}

#[test]
fn a_loss_must_be_seen_twice_and_what_flickers_is_not_told() {
    let mut account = Account::default();
    account.look(&Access::Read, &trusted(&[("a", 0)]));
    let first = account.glance(&Access::Read, &seen(vec![]));
    assert!(first.unsettled && first.delta.is_empty());
    let now = at(60 * account.runs) + SignedDuration::from_secs(5);
    let soon = compare(&grant(), &account.held, None, &seen(vec![]), now);
    assert!(soon.unsettled && soon.delta.is_empty(), "it is too early");
    let back = account.glance(&Access::Read, &trusted(&[("a", 0)]));
    assert!(!back.unsettled && back.delta.is_empty());
    let gone = account.glance(&Access::Read, &seen(vec![]));
    assert!(
        gone.unsettled && gone.delta.is_empty(),
        "it is counted anew"
    );
}

#[test]
fn a_clock_that_goes_back_delays_a_loss_and_does_not_swallow_it() {
    let mut account = Account {
        runs: 1_000_000,
        ..Account::default()
    };
    account.glance(&Access::Read, &trusted(&[("a", 0)]));
    account.glance(&Access::Read, &seen(vec![]));
    account.runs = 0;
    assert_eq!(
        account.look(&Access::Read, &seen(vec![])),
        told(&[], &["a"])
    );
}

#[test]
fn where_nobody_could_look_nothing_is_lost() {
    let unknown = seen(vec![sighting("s", READERS, Contents::Unknown)]);
    let mut elsewhere = seen(vec![]);
    elsewhere.complete = false;
    let distrusted = Contents::Distrusted(inside(&[("a", 0), ("foreign", 0)]));
    let distrusted = seen(vec![sighting("s", READERS, distrusted)]);
    let mut renamed = seen(vec![sighting("s", "mine", Contents::Unknown)]);
    renamed.shares[0].grant = None;
    for looked in [unknown, elsewhere, distrusted, renamed] {
        let mut account = Account::default();
        account.look(&Access::Read, &trusted(&[("a", 0)]));
        assert_eq!(account.look(&Access::Read, &looked), [], "{looked:?}");
        assert_eq!(account.held.pipelines.len(), 1);
    }
}

#[test]
fn a_pipeline_that_leaves_a_share_that_is_not_trusted_is_lost_all_the_same() {
    let mut account = Account::default();
    account.look(&Access::Read, &trusted(&[("a", 0), ("b", 0)]));
    let left = Contents::Distrusted(inside(&[("a", 0), ("foreign", 0)]));
    let left = seen(vec![sighting("s", READERS, left)]);
    assert_eq!(account.look(&Access::Read, &left), told(&[], &["b"]));
}

#[test]
fn a_handover_between_shares_of_a_rule_is_no_news_and_keeps_since_when() {
    let mut account = Account::default();
    account.look(&Access::Read, &trusted(&[("a", 0)]));
    let since = account.held.pipelines[&arn("a")].since;
    let contents = |made| Contents::Trusted(inside(&[("a", made)]));
    let both = seen(vec![
        sighting("s", READERS, contents(0)),
        sighting("t", "pipeshare-readers", contents(90)),
    ]);
    let new = seen(vec![sighting("t", "pipeshare-readers", contents(90))]);
    let next = seen(vec![sighting("u", "pipeshare-readers.2", contents(95))]);
    for looked in [both, new, next] {
        assert_eq!(account.look(&Access::Read, &looked), []);
    }
    let held = &account.held.pipelines[&arn("a")];
    assert_eq!(
        (held.since, &*held.place.name),
        (since, "pipeshare-readers.2")
    );
}

#[test]
fn what_was_taken_out_and_put_in_again_between_two_looks_was_lost_and_gained() {
    let mut account = Account::default();
    account.look(&Access::Read, &trusted(&[("a", 0), ("b", 0)]));
    let again = trusted(&[("a", 0), ("b", 130)]);
    assert_eq!(account.look(&Access::Read, &again), told(&["b"], &["b"]));
    // So it was if the share itself was deleted and made again under its name.
    let contents = Contents::Trusted(inside(&[("a", 200), ("b", 200)]));
    let anew = seen(vec![sighting("other", READERS, contents)]);
    assert_eq!(
        account.look(&Access::Read, &anew),
        told(&["a", "b"], &["a", "b"])
    );
}

#[test]
fn another_level_of_access_is_told_with_the_one_before() {
    let mut account = Account::default();
    let a = trusted(&[("a", 0)]);
    account.look(&Access::Read, &a);
    let delta = account.glance(&Access::Execute, &a).delta;
    assert_eq!(delta.access_before, Some(Access::Read));
    assert!(account.glance(&Access::Execute, &a).delta.is_empty());
    let delta = account.glance(&Access::Read, &a).delta;
    assert_eq!(delta.access_before, Some(Access::Execute), "and back");
}

#[test]
fn what_is_had_is_kept_as_text_in_parts() {
    let mut account = Account::default();
    let names: Vec<String> = (0..50).map(|n| format!("pipeline-{n}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), 7)).collect();
    let custom = "arn:aws:ram:eu-west-1:222222222222:permission/custom";
    account.look(&Access::Permission(custom.parse().unwrap()), &trusted(&all));
    account.glance(&Access::Read, &seen(vec![]));
    for max in [1, 100, 1_000, 1_000_000] {
        let parts = Recorded::from(&account.held).parts(max);
        assert!(parts.iter().all(|part| part.len() <= max.max(200)), "{max}");
        assert_eq!(Holdings::from(&*parts.concat()), account.held, "{max}");
    }
    assert_eq!(Holdings::from(""), Holdings::default());
    assert_eq!(
        Holdings::from("nonsense\n\nshare x\n1 2\n"),
        Holdings::default()
    );
    // The 5,000 pipelines of a full share, with names of a usual length, fit into one item.
    assert!(Recorded::from(&account.held).parts(1_000_000)[0].len() < 50 * 60);
}

/// Something that happens to a rule's shares.
#[derive(Debug, Clone)]
enum Event {
    Put(usize, usize),
    Take(usize, usize),
    Doubt(usize, bool),
    Hide(usize),
    Look,
}

fn event() -> impl Strategy<Value = Event> {
    let (shares, pipelines) = (0..3usize, 0..4usize);
    prop_oneof![
        (shares.clone(), pipelines.clone()).prop_map(|(s, p)| Event::Put(s, p)),
        (shares.clone(), pipelines).prop_map(|(s, p)| Event::Take(s, p)),
        (shares.clone(), any::<bool>()).prop_map(|(s, doubt)| Event::Doubt(s, doubt)),
        shares.prop_map(Event::Hide),
        Just(Event::Look),
    ]
}

/// The shares of a rule: what is inside, and whether reading them succeeds.
#[derive(Default)]
struct World {
    shares: [BTreeMap<PipelineArn, i64>; 3],
    doubtful: [bool; 3],
    clock: i64,
}

impl World {
    fn happen(&mut self, event: &Event) {
        self.clock += 7;
        match event {
            Event::Put(share, pipeline) => {
                let pipeline = arn(&format!("p{pipeline}"));
                self.shares[*share].entry(pipeline).or_insert(self.clock);
            }
            Event::Take(share, pipeline) => {
                self.shares[*share].remove(&arn(&format!("p{pipeline}")));
            }
            Event::Doubt(share, doubt) => self.doubtful[*share] = *doubt,
            Event::Hide(share) => self.shares[*share].clear(),
            Event::Look => {}
        }
    }

    fn see(&self) -> Sightings {
        let shares = self
            .shares
            .iter()
            .enumerate()
            .filter(|(_, inside)| !inside.is_empty());
        let sighted = shares.map(|(number, inside)| {
            let inside = inside
                .iter()
                .map(|(arn, made)| (arn.clone(), Some(at(*made))));
            let contents = if self.doubtful[number] {
                Contents::Unknown
            } else {
                Contents::Trusted(inside.collect())
            };
            let name = format!("{READERS}.{}", number + 2);
            sighting(&number.to_string(), &name, contents)
        });
        seen(sighted.collect())
    }
}

fn apply(told: &mut BTreeMap<PipelineArn, Timestamp>, delta: &Delta) {
    for lost in &delta.lost {
        let had = told.remove(&lost.pipeline_arn);
        assert_eq!(had, Some(lost.since), "only what one had can be lost");
    }
    for gained in &delta.gained {
        let had = told.insert(gained.pipeline_arn.clone(), gained.since);
        assert_eq!(had, None, "only what one had not can be gained");
    }
}

proptest! {
    #[test]
    fn what_was_told_adds_up_to_what_an_account_has(events in prop::collection::vec(event(), 1..40)) {
        let mut world = World::default();
        let mut held = Holdings::default();
        let mut known = BTreeMap::new();
        let look = |world: &World, held: &mut Holdings, known: &mut BTreeMap<_, _>| {
            let now = at(world.clock);
            let compared = compare(&grant(), held, Some(&Access::Read), &world.see(), now);
            apply(known, &compared.delta);
            // What is kept between two reconciliations is kept as text.
            *held = Holdings::from(&*Recorded::from(&compared.after).parts(80).concat());
            assert_eq!(*held, compared.after);
            let have: BTreeMap<_, _> = held.pipelines.iter().map(|(arn, held)| (arn.clone(), held.since)).collect();
            assert_eq!(&have, &*known, "who adds up what was told knows what one has");
        };
        for event in &events {
            world.happen(event);
            if matches!(event, Event::Look) {
                look(&world, &mut held, &mut known);
            }
        }
        world.doubtful = [false; 3];
        for _ in 0..2 {
            world.clock += 60;
            look(&world, &mut held, &mut known);
        }
        let has: BTreeSet<_> = world.shares.iter().flat_map(BTreeMap::keys).cloned().collect();
        prop_assert_eq!(known.keys().cloned().collect::<BTreeSet<_>>(), has);
        let again = compare(&grant(), &held, Some(&Access::Read), &world.see(), at(world.clock + 60));
        prop_assert!(again.delta.is_empty() && again.after == held, "nothing new, nothing said");
    }
}

fn policy() -> Policy {
    let text = r#"
version: 1
accounts: { dev: "111111111111", test: "222222222222" }
rules: [{ name: readers, owner: test, pipelines: ["*"], with: [dev] }]
"#;
    Policy::parse(text).unwrap()
}

fn consumer() -> AccountId {
    "111111111111".parse().unwrap()
}

fn said(delta: &Delta, now: &Holdings) -> Notification {
    let change = AccessChange {
        consumer: &consumer(),
        grant: &grant(),
        delta,
        now,
        at: at(100),
        generation: 3,
        unobserved: false,
    };
    access_notification(&policy(), &change)
}

fn holding(names: &[&str]) -> Holdings {
    let held = Held {
        place: Place {
            share: share("s"),
            name: READERS.into(),
            made: None,
        },
        since: at(0),
        missing: None,
    };
    let pipelines = names.iter().map(|name| (arn(name), held.clone()));
    Holdings {
        access: Access::Read,
        pipelines: pipelines.collect(),
    }
}

fn some(names: &[&str]) -> Vec<Moved> {
    let moved = names.iter().map(|name| Moved {
        pipeline_arn: arn(name),
        since: at(0),
    });
    moved.collect()
}

#[test]
fn a_notification_says_what_was_gained_and_lost_by_which_rule_and_since_when() {
    let delta = Delta {
        gained: some(&["b"]),
        lost: some(&["c", "d"]),
        access_before: None,
    };
    let notification = said(&delta, &holding(&["a", "b"]));
    assert_eq!(
        notification.subject,
        "dev gained 1 and lost 2 pipelines of test"
    );
    assert_eq!(
        notification.text,
        "dev (111111111111) gained 1 and lost 2 pipelines of test (222222222222), by rule readers.\n\
         Gained:\n  \
         + arn:aws:sagemaker:eu-west-1:222222222222:pipeline/b, since 2026-01-05T08:00:00Z\n\
         Lost:\n  \
         - arn:aws:sagemaker:eu-west-1:222222222222:pipeline/c, had since 2026-01-05T08:00:00Z\n  \
         - arn:aws:sagemaker:eu-west-1:222222222222:pipeline/d, had since 2026-01-05T08:00:00Z\n\
         \n\
         See the executions of b:\n  \
           aws sagemaker list-pipeline-executions \
         --pipeline-name arn:aws:sagemaker:eu-west-1:222222222222:pipeline/b --region eu-west-1\n\
         \n\
         Seen at: 2026-01-05T08:01:40Z\n\
         By this rule now: 2 pipelines\n"
    );
    assert_eq!(notification.detail_type, "Pipelines Shared");
    let detail = &notification.detail;
    assert_eq!(detail["gained"][0]["pipelineArn"], arn("b").as_str());
    assert_eq!(detail["lost"][1]["since"], "2026-01-05T08:00:00Z");
    assert_eq!(
        (&detail["gainedCount"], &detail["lostCount"]),
        (&1.into(), &2.into())
    );
    assert_eq!(detail["pipelineArns"].as_array().map(Vec::len), Some(2));
    assert_eq!(detail["since"], "2026-01-05T08:01:40Z");
}

#[test]
fn a_subject_says_which_kind_of_change_it_is() {
    let delta = |gained: &[&str], lost: &[&str]| Delta {
        gained: some(gained),
        lost: some(lost),
        access_before: None,
    };
    let level = Delta {
        access_before: Some(Access::Execute),
        ..Delta::default()
    };
    for (delta, now, subject, detail_type) in [
        (
            delta(&["a"], &[]),
            &["a"][..],
            "dev can see 1 pipeline of test",
            "Pipelines Shared",
        ),
        (
            delta(&["b", "c"], &[]),
            &["a", "b", "c"],
            "dev can see 2 more pipelines of test",
            "Pipelines Shared",
        ),
        (
            delta(&[], &["a"]),
            &[],
            "dev lost access to 1 pipeline of test",
            "Pipelines Withdrawn",
        ),
        (
            delta(&["a"], &["a"]),
            &["a"],
            "dev gained 1 and lost 1 pipeline of test",
            "Pipelines Shared",
        ),
        (
            level,
            &["a", "b"],
            "dev can see 2 pipelines of test that it could see and run",
            "Pipelines Shared",
        ),
    ] {
        let notification = said(&delta, &holding(now));
        assert_eq!(
            (notification.subject.as_str(), notification.detail_type),
            (subject, detail_type)
        );
    }
}

#[test]
fn the_largest_change_of_thousands_of_the_longest_names_fits_into_an_event() {
    let names: Vec<String> = (0..5_000).map(|n| format!("{n:-<255}z")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let delta = Delta {
        gained: some(&names),
        lost: some(&names),
        access_before: None,
    };
    let notification = said(&delta, &holding(&names));
    assert!(notification.detail.to_string().len() < 250_000);
    assert!(notification.text.contains("and 4900 more"));
    assert_eq!(notification.detail["gainedCount"], 5_000);
}

#[test]
fn what_has_not_been_sent_is_kept_as_it_is() {
    let delta = Delta {
        gained: some(&["a"]),
        ..Delta::default()
    };
    for hub_only in [false, true] {
        let unsent = Unsent {
            notification: said(&delta, &holding(&["a"])),
            hub_only,
        };
        assert_eq!(Unsent::from_values(&unsent.to_values()), Some(unsent));
    }
    assert_eq!(Unsent::from_values(&BTreeMap::new()), None);
}

#[test]
fn an_eleventh_foreign_pipeline_is_another_state_although_ten_are_shown() {
    let foreign = |count: usize| Refusal::TooMuch {
        resources: (0..count)
            .map(|n| arn(&format!("foreign-{n:02}")).to_string())
            .collect(),
    };
    assert_ne!(excess_key(&foreign(10)), excess_key(&foreign(11)));
    assert_eq!(excess_key(&foreign(11)), excess_key(&foreign(11)));
    let at = (&share("s"), READERS);
    let notification = excess_notification(&policy(), at, &consumer(), &foreign(11), 2);
    assert!(
        notification.text.contains("foreign-09 and 1 more"),
        "{}",
        notification.text
    );
    assert!(!notification.text.contains("foreign-10"));
    assert_eq!(notification.detail["resourceCount"], 11);
    assert_eq!(
        notification.detail["refusal"]["resources"]
            .as_array()
            .map(Vec::len),
        Some(10)
    );
}

#[test]
fn a_refused_policy_is_known_by_when_it_was_written_and_not_by_its_number() {
    let refused = |written, document| {
        let refused = RefusedPolicy {
            parameter: "/p",
            version: 2,
            written: Some(at(written)),
            document,
        };
        let errors = Policy::parse(document).unwrap_err();
        policy_refused_notification(&refused, &errors).id
    };
    assert_eq!(refused(0, "version: 2"), refused(0, "version: 2"));
    assert_ne!(refused(0, "version: 2"), refused(1, "version: 2"));
    assert_ne!(refused(0, "version: 2"), refused(0, "version: 3"));
}

#[test]
fn an_expiry_is_said_once_each_and_a_refusal_once_a_day() {
    let id = |invited: i64, now: i64| {
        let expired = Expired {
            rule: "readers".parse().unwrap(),
            consumer: "111111111111".to_owned(),
            invited: Some(at(invited)),
        };
        let owner = grant().owner;
        expired_notification(&policy(), &owner, &[expired], at(now)).id
    };
    let hours = |hours: i64| hours * 3_600;
    assert_eq!(id(0, hours(12)), id(0, hours(13)));
    assert_ne!(id(0, hours(12)), id(hours(12), hours(24)));
    assert_eq!(id(0, 60), id(100, 200), "declined again and again");
    assert_ne!(id(0, 60), id(hours(24), hours(24) + 60));
}
