//! What is seen as it is remembered is not kept, and comparing comes to the same without it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use domain::{
    id::{PipelineArn, ShareArn},
    notification::{
        Contents, Grant, Held, Holdings, Inside, Place, Recorded, Sighting, Sightings, compare,
    },
    policy::Access,
};
use jiff::Timestamp;
use proptest::{collection::btree_map, prelude::*};

const SHARES: usize = 4;
const PIPELINES: usize = 5;

fn grant(rule: usize) -> Grant {
    Grant {
        rule: ["readers", "runners"][rule].parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + seconds).unwrap()
}

fn arn(number: usize) -> PipelineArn {
    format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/P{number}")
        .parse()
        .unwrap()
}

fn share(number: usize) -> ShareArn {
    format!("arn:aws:ram:eu-west-1:222222222222:resource-share/s{number}")
        .parse()
        .unwrap()
}

fn name(rule: usize) -> String {
    format!("pipeshare-{}", grant(rule).rule)
}

fn held(place: usize, made: Option<i64>, missing: bool, rule: usize) -> Held {
    Held {
        place: Place {
            share: share(place),
            name: name(rule).into(),
            made: made.map(at),
        },
        since: at(0),
        missing: missing.then(|| at(50)),
    }
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![4 => Just(Access::Read), 1 => Just(Access::Execute)]
}

fn made() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 4 => (1..3i64).prop_map(Some)]
}

/// What is held by a rule: mostly in shares that serve it, which have its number.
fn holdings(rule: usize) -> impl Strategy<Value = Holdings> {
    let place = prop_oneof![6 => Just(rule), 2 => Just(rule + 2), 1 => 0..SHARES];
    let missing = prop::bool::weighted(0.1);
    let each = (place, made(), missing)
        .prop_map(move |(place, made, missing)| held(place, made, missing, rule));
    let pipelines = btree_map((0..PIPELINES).prop_map(arn), each, 0..=PIPELINES);
    (access(), pipelines).prop_map(|(access, pipelines)| Holdings { access, pipelines })
}

/// How a share differs from what is held by it.
#[derive(Debug, Clone)]
struct Look {
    rule: usize,
    is_renamed: bool,
    trust: Option<bool>,
    without: Option<usize>,
    others: BTreeMap<usize, Option<i64>>,
}

fn look() -> impl Strategy<Value = Look> {
    let others = prop_oneof![
        3 => Just(BTreeMap::new()),
        1 => btree_map(0..PIPELINES, made(), 0..3),
    ];
    let without = prop::option::weighted(0.2, 0..PIPELINES);
    let trust = prop::option::weighted(0.9, prop::bool::weighted(0.7));
    let is_renamed = prop::bool::weighted(0.1);
    (0..2usize, is_renamed, trust, without, others).prop_map(
        |(rule, is_renamed, trust, without, others)| Look {
            rule,
            is_renamed,
            trust,
            without,
            others,
        },
    )
}

impl Look {
    fn at(&self, number: usize, owned: &BTreeMap<Grant, Holdings>) -> Sighting {
        // Mostly it serves the rule of its number.
        let rule = if self.is_renamed {
            self.rule
        } else {
            number % 2
        };
        let all = owned.values().flat_map(|holdings| &holdings.pipelines);
        let own = all.filter(|(_, held)| held.place.share == share(number));
        let mut inside: Inside = own
            .map(|(pipeline, held)| (pipeline.clone(), held.place.made))
            .collect();
        if let Some(without) = self.without {
            inside.remove(&arn(without));
        }
        let others = self.others.iter();
        inside.extend(others.map(|(number, made)| (arn(*number), made.map(at))));
        Sighting {
            share: share(number),
            name: name(rule).into(),
            grant: Some(grant(rule)),
            contents: match self.trust {
                None => Contents::Unknown,
                Some(false) => Contents::Distrusted(inside),
                Some(true) => Contents::Trusted(inside),
            },
        }
    }
}

fn beside_recorded(
    contents: Contents,
    share: &ShareArn,
    grant: &Grant,
    owned: &BTreeMap<Grant, Holdings>,
) -> Contents {
    let recorded: BTreeMap<_, _> = owned
        .iter()
        .map(|(grant, held)| (grant, Recorded::from(held)))
        .collect();
    let recorded = recorded.iter().map(|(grant, held)| (*grant, held));
    contents.beside(share, grant, &recorded.collect())
}

fn beside(sighting: &Sighting, owned: &BTreeMap<Grant, Holdings>) -> Sighting {
    let grant = sighting.grant.as_ref().unwrap();
    let contents = sighting.contents.clone();
    Sighting {
        contents: beside_recorded(contents, &sighting.share, grant, owned),
        ..sighting.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn comparing_comes_to_the_same_without_what_is_remembered(
        readers in holdings(0),
        runners in holdings(1),
        looks in prop::collection::vec(look(), 0..=SHARES),
        complete in prop::bool::weighted(0.8),
        access in prop::option::weighted(0.9, access()),
    ) {
        let owned = BTreeMap::from([(grant(0), readers), (grant(1), runners)]);
        let looks = looks.iter().enumerate();
        let shares: Vec<_> = looks.map(|(number, look)| look.at(number, &owned)).collect();
        let kept = shares.iter().map(|it| beside(it, &owned)).collect();
        let seen = Sightings { shares, complete };
        let kept = Sightings { shares: kept, complete };
        for (grant, before) in &owned {
            let expected = compare(grant, before, access.as_ref(), &seen, at(100));
            let compared = compare(grant, before, access.as_ref(), &kept, at(100));
            prop_assert_eq!(&compared, &expected);
            let is_settled = Recorded::from(before).is_settled(grant, access.as_ref(), &kept);
            let is_same = compared.after == *before
                && compared.delta.is_empty()
                && !compared.unsettled;
            prop_assert!(!is_settled || is_same, "{expected:?}");
        }
    }
}

fn owned(pipelines: &[(usize, usize)]) -> BTreeMap<Grant, Holdings> {
    let held = pipelines
        .iter()
        .map(|(pipeline, share)| (arn(*pipeline), held(*share, Some(1), false, 0)));
    let holdings = Holdings {
        access: Access::Read,
        pipelines: held.collect(),
    };
    BTreeMap::from([(grant(0), holdings)])
}

fn inside(pipelines: &[usize]) -> Inside {
    let each = pipelines.iter();
    each.map(|number| (arn(*number), Some(at(1)))).collect()
}

#[test]
fn only_what_differs_from_what_is_held_is_kept() {
    let owned = owned(&[(0, 0), (1, 0), (2, 1)]);
    let beside = |contents| beside_recorded(contents, &share(0), &grant(0), &owned);
    let both = || inside(&[0, 1]);
    assert_eq!(beside(Contents::Trusted(both())), Contents::AsHeld);
    assert_eq!(beside(Contents::Distrusted(both())), Contents::StillHolds);
    // What nobody holds is nothing that could be lost.
    let more = Contents::Distrusted(inside(&[0, 1, 3, 4]));
    assert_eq!(beside(more), Contents::StillHolds);
    let fewer = Contents::Distrusted(inside(&[0, 3, 4]));
    assert_eq!(beside(fewer), Contents::Distrusted(inside(&[0])));
    for other in [
        inside(&[0]),
        inside(&[0, 1, 2]),
        inside(&[]),
        inside(&[0, 3]),
    ] {
        let contents = Contents::Trusted(other);
        assert_eq!(beside(contents.clone()), contents);
    }
    let mut again = both();
    again.insert(arn(1), Some(at(2)));
    let contents = Contents::Trusted(again);
    assert_eq!(beside(contents.clone()), contents, "it was put in again");
}

#[test]
fn what_is_kept_as_text_says_what_is_held_by_which_share() {
    let owned = owned(&[(0, 0), (1, 0), (2, 1)]);
    let recorded = Recorded::from(&owned[&grant(0)]);
    assert_eq!(recorded.holdings(), owned[&grant(0)]);
    assert_eq!(recorded.shares(), [(share(0), 2), (share(1), 1)].into());
    let is_as_seen =
        |access, pipelines: &[usize]| recorded.is_as_seen(&share(0), &access, &inside(pipelines));
    assert!(is_as_seen(Access::Read, &[0, 1]));
    assert!(!is_as_seen(Access::Execute, &[0, 1]));
    for other in [&[0][..], &[1], &[0, 2], &[0, 1, 2], &[]] {
        assert!(!is_as_seen(Access::Read, other), "{other:?}");
    }
    let mut missing = owned[&grant(0)].clone();
    missing.pipelines.get_mut(&arn(1)).unwrap().missing = Some(at(9));
    let missing = Recorded::from(&missing);
    assert!(!missing.is_as_seen(&share(0), &Access::Read, &inside(&[0, 1])));
}

#[test]
fn nothing_is_compared_where_all_shares_of_a_rule_are_as_they_are_held_under_their_names() {
    let owned = owned(&[(0, 0), (1, 0), (2, 2)]);
    let recorded = Recorded::from(&owned[&grant(0)]);
    let sighting = |number| Sighting {
        share: share(number),
        name: name(0).into(),
        grant: Some(grant(0)),
        contents: Contents::AsHeld,
    };
    let is_settled = |access, shares: Vec<Sighting>| {
        let seen = Sightings {
            shares,
            complete: true,
        };
        recorded.is_settled(&grant(0), Some(&access), &seen)
    };
    let both = || vec![sighting(0), sighting(2)];
    assert!(is_settled(Access::Read, both()));
    assert!(!is_settled(Access::Execute, both()));
    assert!(!is_settled(Access::Read, vec![sighting(0)]));
    let changes: [fn(&mut Sighting); 4] = [
        |it| it.name = name(1).into(),
        |it| it.grant = Some(grant(1)),
        |it| it.contents = Contents::Unknown,
        |it| it.contents = Contents::Trusted(Inside::new()),
    ];
    for change in changes {
        let mut shares = both();
        change(&mut shares[1]);
        assert!(!is_settled(Access::Read, shares));
    }
    let mut new = sighting(3);
    new.contents = Contents::Trusted(inside(&[4]));
    assert!(!is_settled(Access::Read, [both(), vec![new]].concat()));
}
