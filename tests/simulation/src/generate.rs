//! Draws a history from a seed.
//!
//! Each history draws which kinds of operations take part at all, and how
//! often (swarm testing): what uniform mixing masks, such as hours without a
//! schedule in which nobody edits anything, is reached by some of them. Each
//! concern draws from a stream of its own, by its name, so one more draw in
//! one of them leaves the others as they were.

use std::hash::{DefaultHasher, Hash, Hasher};

use fastrand::Rng;

use self::{
    kinds::{KINDS, Kind, TOLD},
    policies::{Policies, RULES, TEAM_RULES, next_policy},
};
use crate::{
    history::{Edit, Effect, Fate, History, Knobs, Op, Owner, Policy, Who},
    oracle::PIPELINES,
};

mod kinds;
mod policies;

/// What AWS's documents leave open about shares, and what may be played; nothing is the default.
const READINGS: [(&str, &[&str]); 5] = [
    ("ram-recreated-pipeline", &["", "goes", "disassociated"]),
    ("ram-rejection", &["", "failed"]),
    ("ram-invitation-events", &["", "none"]),
    ("ram-pending-resources", &["", "associating"]),
    ("ram-client-tokens", &["", "an-hour"]),
];

/// The calls at which something may happen: those that functions make.
const CALLS: [(&str, &str); 27] = [
    ("ram", "CreateResourceShare"),
    ("ram", "AssociateResourceShare"),
    ("ram", "DisassociateResourceShare"),
    ("ram", "DeleteResourceShare"),
    ("ram", "UpdateResourceShare"),
    ("ram", "TagResource"),
    ("ram", "AssociateResourceSharePermission"),
    ("ram", "GetResourceShares"),
    ("ram", "GetResourceShareAssociations"),
    ("ram", "GetResourceShareInvitations"),
    ("ram", "AcceptResourceShareInvitation"),
    ("ram", "ListResources"),
    ("ram", "ListPendingInvitationResources"),
    ("sagemaker", "ListPipelines"),
    ("sagemaker", "ListPipelineExecutions"),
    ("sagemaker", "DescribePipeline"),
    ("sagemaker", "DescribePipelineExecution"),
    ("sts", "AssumeRole"),
    ("ssm", "GetParameter"),
    ("ssm", "LabelParameterVersion"),
    ("sqs", "SendMessage"),
    ("sns", "Publish"),
    ("events", "PutEvents"),
    ("dynamodb", "UpdateItem"),
    ("dynamodb", "PutItem"),
    ("dynamodb", "Query"),
    ("dynamodb", "TransactWriteItems"),
];

const EVENTS: [&str; 4] = [
    "AWS API Call via CloudTrail",
    "SageMaker Model Building Pipeline Execution Status Change",
    "Share Offered",
    "Parameter Store Change",
];

const SERVICES: [&str; 8] = [
    "ram",
    "sagemaker",
    "sts",
    "ssm",
    "sqs",
    "sns",
    "events",
    "dynamodb",
];

const ROLES: [&str; 5] = ["reader", "owner", "watcher", "consumer", "notifier"];

/// The streams of random numbers of one seed.
struct Streams {
    shape: Rng,
    policy: Rng,
    edits: Rng,
    faults: Rng,
    times: Rng,
    readings: Rng,
}

impl Streams {
    fn new(seed: u64) -> Self {
        let stream = |name: &str| {
            let mut hasher = DefaultHasher::new();
            (seed, name).hash(&mut hasher);
            Rng::with_seed(hasher.finish())
        };
        Self {
            shape: stream("shape"),
            policy: stream("policy"),
            edits: stream("edits"),
            faults: stream("faults"),
            times: stream("times"),
            readings: stream("readings"),
        }
    }
}

fn one<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

fn name(random: &mut Rng, of: &[&str]) -> String {
    one(random, of).to_owned()
}

impl History {
    /// The history of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut streams = Streams::new(seed);
        let random = &mut streams.shape;
        let knobs = Knobs {
            seed,
            latency: one(random, &[2, 20, 100, 400]),
            concurrency: one(random, &[1, 2, 8]),
            association: one(random, &[0, 2_000, 20_000]),
            delivery: one(random, &[0, 500, 5_000]),
            empty_pages: random.u8(..4) == 0,
            readings: readings(&mut streams.readings),
            unscheduled: random.u8(..6) == 0,
        };
        // A kind takes part or not, and has a weight of its own.
        let mut wheel = Vec::new();
        for kind in KINDS {
            if random.bool() && (!knobs.unscheduled || TOLD.contains(&kind)) {
                let weight = random.usize(1..=4);
                wheel.extend(std::iter::repeat_n(kind, weight));
            }
        }
        wheel.extend([Kind::Policy; 3]);
        let count = random.usize(3..=24);
        let mut policies = Policies::draw(&mut streams.policy);
        let mut ops = vec![Op::Write(policies.root.clone())];
        for owner in [Owner::Test, Owner::Dev] {
            let created = PIPELINES.map(|it| Op::Create(owner, it.to_owned()));
            ops.extend(created.into_iter().filter(|_| streams.policy.u8(..4) > 0));
        }
        if streams.shape.bool() {
            ops.push(Op::Settle);
        }
        for _ in 0..count {
            let kind = one(&mut streams.shape, &wheel);
            ops.extend(draw(kind, &mut streams, &mut policies));
            ops.push(Op::Wait(pause(&mut streams.times)));
        }
        ops.push(Op::Settle);
        Self { knobs, ops }
    }
}

/// One of the readings of each question.
fn readings(random: &mut Rng) -> Vec<String> {
    let mut readings = Vec::new();
    for (question, answers) in READINGS {
        let answer = one(random, answers);
        if !answer.is_empty() {
            readings.push(format!("{question}={answer}"));
        }
    }
    readings
}

/// Mostly moments, sometimes until the next schedule, seldom hours.
fn pause(random: &mut Rng) -> u64 {
    match random.u8(..16) {
        0 => random.u64(3_600..7_200),
        1..=2 => random.u64(300..1_200),
        3..=8 => random.u64(5..120),
        _ => random.u64(0..5),
    }
}

fn outage(random: &mut Rng) -> u64 {
    match random.u8(..8) {
        0 => random.u64(20_000..100_000),
        1..=2 => random.u64(3_600..10_000),
        _ => random.u64(30..1_800),
    }
}

fn draw(kind: Kind, streams: &mut Streams, policies: &mut Policies) -> Vec<Op> {
    match kind {
        Kind::Policy => {
            let next = next_policy(&mut streams.policy, &RULES, &mut policies.root);
            vec![Op::Write(next)]
        }
        Kind::Team => {
            let next = next_policy(&mut streams.policy, &TEAM_RULES, &mut policies.team);
            vec![Op::WriteTeam(next)]
        }
        Kind::Guests | Kind::Declined => {
            let next = next_policy(&mut streams.policy, &RULES, &mut policies.root);
            of_invited(kind, next, &mut streams.edits, &mut streams.times)
        }
        Kind::Settling => vec![Op::Settle],
        Kind::Pipelines | Kind::Recreation | Kind::Runs | Kind::Deployments => {
            vec![of_pipeline(kind, &mut streams.edits)]
        }
        Kind::Names
        | Kind::Tags
        | Kind::Members
        | Kind::Contents
        | Kind::Permissions
        | Kind::Outsiders => vec![edit(kind, &mut streams.edits)],
        Kind::Deletions => deletion(&mut streams.edits, &mut streams.times),
        Kind::Rejections | Kind::Strangers | Kind::Organization => {
            of_account(kind, &mut streams.edits, &mut streams.times)
        }
        Kind::Roles | Kind::Schedule | Kind::Outages => {
            long(kind, &mut streams.faults, &mut streams.times)
        }
        Kind::Slowness => {
            // Those who are slow have something to do, and the time for it.
            let kinds = [Kind::Runs, Kind::Pipelines];
            let done = of_pipeline(one(&mut streams.faults, &kinds), &mut streams.edits);
            let time = Op::Wait(streams.times.u64(0..240));
            let mut ops = vec![short(kind, &mut streams.faults), done, time];
            // What is to be told of a run is known where no policy changed before.
            if streams.faults.u8(..3) == 0 {
                ops.insert(0, Op::Settle);
            }
            ops
        }
        Kind::Faults | Kind::Kills | Kind::Events | Kind::Sweeps => {
            vec![short(kind, &mut streams.faults)]
        }
    }
}

fn owner(random: &mut Rng) -> Owner {
    one(random, &[Owner::Test, Owner::Test, Owner::Dev])
}

fn of_pipeline(kind: Kind, random: &mut Rng) -> Op {
    let (owner, pipeline) = (owner(random), name(random, &PIPELINES));
    match kind {
        Kind::Recreation => Op::Recreate(owner, pipeline),
        Kind::Runs => Op::Run {
            owner,
            pipeline,
            fails: random.bool(),
        },
        Kind::Deployments => Op::Deploy {
            owner,
            pipeline,
            rule: name(random, &RULES),
        },
        _ if random.bool() => Op::Create(owner, pipeline),
        _ => Op::Delete(owner, pipeline),
    }
}

fn edit(kind: Kind, random: &mut Rng) -> Op {
    let everybody = [
        Who::Dev,
        Who::Shared,
        Who::Partner,
        Who::Role,
        Who::Unit,
        Who::Organization,
    ];
    let edit = match kind {
        // A name of another kind takes the share out of reach, which is reported and left to people.
        Kind::Names => Edit::Rename(match random.u8(..3) {
            0 => "pipeshare-other".to_owned(),
            1 => "pipeshare-readers.444444444444".to_owned(),
            _ => "pipeshare-".to_owned() + one(random, &RULES),
        }),
        Kind::Tags if random.bool() => Edit::Untag,
        Kind::Tags => Edit::Tag(name(random, &RULES)),
        Kind::Members if random.bool() => Edit::AddPrincipal(one(random, &everybody)),
        Kind::Members => Edit::RemovePrincipal(one(random, &everybody)),
        Kind::Contents if random.bool() => Edit::AddPipeline(name(random, &PIPELINES)),
        Kind::Contents => Edit::RemovePipeline(name(random, &PIPELINES)),
        Kind::Permissions => Edit::Permission {
            execute: random.bool(),
        },
        Kind::Outsiders => Edit::External(random.bool()),
        _ => Edit::Delete,
    };
    Op::Edit {
        owner: owner(random),
        share: random.usize(..8),
        edit,
    }
}

fn of_account(kind: Kind, random: &mut Rng, times: &mut Rng) -> Vec<Op> {
    let who = one(random, &[Who::Dev, Who::Shared, Who::Partner]);
    match kind {
        Kind::Rejections => vec![Op::Reject(who)],
        Kind::Strangers => {
            let names = [
                "pipeshare-readers",
                "pipeshare-readers.444444444444",
                "gift",
            ];
            vec![Op::Stranger(who, name(random, &names))]
        }
        _ if random.bool() => vec![
            Op::Leave(Who::Dev),
            Op::Wait(pause(times)),
            Op::Join(Who::Dev),
        ],
        _ => vec![
            Op::RamSharing(false),
            Op::Wait(pause(times)),
            Op::RamSharing(true),
        ],
    }
}

/// A share is deleted; some are so long before anybody looks that RAM shows no trace of them.
fn deletion(random: &mut Rng, times: &mut Rng) -> Vec<Op> {
    let deleted = edit(Kind::Deletions, random);
    if random.u8(..3) > 0 {
        return vec![deleted];
    }
    let forgotten = Op::Wait(times.u64(7_200..9_000));
    vec![Op::Schedule(false), deleted, forgotten, Op::Schedule(true)]
}

/// Somebody is invited, and the policy changes while nobody answers.
fn of_invited(kind: Kind, next: Policy, random: &mut Rng, times: &mut Rng) -> Vec<Op> {
    if kind == Kind::Declined {
        let unanswered = Op::DeleteRole(Who::Partner, "consumer".to_owned());
        let offered = Op::Wait(times.u64(60..300));
        let declined = Op::Reject(Who::Partner);
        return vec![
            unanswered,
            Op::Write(next),
            offered,
            declined,
            Op::RestoreRoles,
        ];
    }
    let (owner, share) = (owner(random), random.usize(..8));
    let edit = |edit| Op::Edit { owner, share, edit };
    vec![
        edit(Edit::External(true)),
        edit(Edit::AddPrincipal(Who::Partner)),
        Op::Wait(times.u64(0..240)),
        Op::Write(next),
    ]
}

/// What lasts until faults end.
fn long(kind: Kind, random: &mut Rng, times: &mut Rng) -> Vec<Op> {
    let who = one(random, &[Who::Dev, Who::Shared, Who::Partner]);
    let (begin, end) = match kind {
        Kind::Roles => (Op::DeleteRole(who, name(random, &ROLES)), Op::RestoreRoles),
        Kind::Schedule => (Op::Schedule(false), Op::Schedule(true)),
        _ => (
            Op::Outage {
                service: name(random, &SERVICES),
                account: random.bool().then_some(who),
                throttles: random.bool(),
            },
            Op::Mend,
        ),
    };
    let mut ops = vec![begin];
    if random.bool() {
        // Other things happen meanwhile; the end comes with a later one, or when all faults end.
        ops.push(Op::Wait(outage(times)));
        ops.push(end);
    }
    ops
}

fn short(kind: Kind, random: &mut Rng) -> Op {
    match kind {
        Kind::Faults | Kind::Kills => {
            let (service, operation) = one(random, &CALLS);
            let effects: &[Effect] = match kind {
                Kind::Kills => &[Effect::KilledBefore, Effect::KilledAfter],
                _ => &[Effect::Unavailable, Effect::Throttled, Effect::AnswerLost],
            };
            Op::Fault {
                service: service.to_owned(),
                operation: operation.to_owned(),
                skip: random.usize(..4),
                effect: one(random, effects),
            }
        }
        Kind::Events => {
            let fates = [Fate::Lost, Fate::Tripled, Fate::Late(3), Fate::Late(200)];
            Op::Event(name(random, &EVENTS), one(random, &fates))
        }
        Kind::Slowness => Op::Slow {
            calls: random.u32(1..60),
            but_one_of: one(random, &[0, 3, 3]),
            seconds: random.u64(3..40),
        },
        _ => Op::Sweep(random.usize(1..4)),
    }
}
