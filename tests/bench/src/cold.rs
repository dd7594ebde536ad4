//! Cold starts: each function on its main events, beside who makes the same calls.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use sandbox::{
    Sandbox, World,
    services::{codepipeline, sagemaker},
};
use serde_json::{Value, json};

use crate::{
    Cold, Outcome, calls,
    estate::{self, HUB, REGION, Size},
    isolation::Names,
    limit::Limit,
    peers,
    report::{self, Figure, Row},
    stage::{FUNCTIONS, Program, Ran, Stage, converge},
};

/// How much later calls are answered while their sequence is looked at.
const APART: Duration = Duration::from_millis(40);

/// How long an estate is given to come to rest.
const REST: Duration = Duration::from_mins(20);

/// How often a process with the share of 128 MB is started, at most.
const LIMITED_RUNS: usize = 5;

/// An event, and the world that it meets.
struct Case {
    name: &'static str,
    function: &'static str,
    payload: Value,
    world: String,
}

/// A process that is started again and again.
struct Subject {
    name: String,
    case: usize,
    payload: Value,
    program: Program,
    runs: Vec<Ran>,
    limited: Vec<Ran>,
    /// The calls in sequence, and by operation.
    sequence: usize,
    calls: BTreeMap<String, usize>,
    problem: Option<String>,
}

pub(crate) async fn run(arguments: &Cold, names: Names) -> Outcome<()> {
    let stage = Stage::set(names).await?;
    let limit = (!arguments.common.unlimited).then(Limit::find).flatten();
    let cases = cases(&arguments.common.functions).await?;
    let (mut subjects, mut lacks) = subjects(arguments, &stage, &cases).await?;
    let latency = Duration::from_millis(arguments.common.latency.unwrap_or_default());
    for subject in &mut subjects {
        look(&stage, &cases, subject).await;
    }
    for run in 0..=arguments.runs {
        eprintln!("run {run} of {}", arguments.runs);
        for subject in &mut subjects {
            let ran = once(&stage, &cases, subject, None, latency).await;
            // The first one finds nothing in the page cache.
            if let (Ok(ran), 1..) = (ran, run) {
                subject.runs.push(ran);
            }
        }
    }
    match &limit {
        None => lacks
            .push("128 MB: there is no cgroup to limit a process by, or --unlimited".to_owned()),
        Some(limit) => {
            for _ in 0..arguments.runs.min(LIMITED_RUNS) {
                for subject in &mut subjects {
                    let ran = once(&stage, &cases, subject, Some(limit), latency).await;
                    subject.limited.extend(ran);
                }
                limit.clear();
            }
        }
    }
    let mut archives = BTreeMap::new();
    for subject in &subjects {
        let binary = &subject.program.command[0];
        // Only what is started by itself is all there is.
        if subject.program.command.len() == 1 && !archives.contains_key(binary) {
            archives.insert(binary.clone(), archive(Path::new(binary))?);
        }
    }
    let rows = subjects.iter().map(|subject| row(subject, &archives));
    let rows: Vec<Row> = rows.collect();
    report::cold(&arguments.common.out, names.in_words(), &rows, &lacks)
}

/// The functions of one or two builds, and the peers of the first of their events.
async fn subjects(
    arguments: &Cold,
    stage: &Stage,
    cases: &[Case],
) -> Outcome<(Vec<Subject>, Vec<String>)> {
    let builds = [
        Some((
            &arguments.common.functions,
            "",
            arguments.common.system_roots,
        )),
        arguments.against.as_ref().map(|it| (it, "before: ", true)),
    ];
    let mut subjects = Vec::new();
    let mut lacks = Vec::new();
    for (folder, prefix, system_roots) in builds.into_iter().flatten() {
        for (at, case) in cases.iter().enumerate() {
            let binary = folder.join(case.function);
            if !binary.is_file() {
                lacks.push(format!(
                    "{prefix}{}: {} is not there",
                    case.name,
                    binary.display()
                ));
                continue;
            }
            let roots = if system_roots {
                "system.pem"
            } else {
                "amazon.pem"
            };
            let program = Program {
                command: vec![binary.display().to_string()],
                roots,
                limit: None,
            };
            subjects.push(subject(
                format!("{prefix}{}", case.name),
                at,
                &case.payload,
                program,
            ));
        }
    }
    // What peers are told to do is what the first function does.
    let first = subjects.first().ok_or("there is no function")?;
    let ran = once(stage, cases, first, None, APART).await?;
    let plan = calls::plan(&ran.calls, &ran.seen, cases[0].function);
    let (peers, missing) = peers::all(arguments, &plan);
    for peer in peers {
        subjects.push(subject(peer.name.to_owned(), 0, &peer.plan, peer.program));
    }
    lacks.extend(missing);
    subjects.retain(|subject| subject.name.contains(&arguments.only));
    Ok((subjects, lacks))
}

fn subject(name: String, case: usize, payload: &Value, program: Program) -> Subject {
    Subject {
        name,
        case,
        payload: payload.clone(),
        program,
        runs: Vec::new(),
        limited: Vec::new(),
        sequence: 0,
        calls: BTreeMap::new(),
        problem: None,
    }
}

async fn once(
    stage: &Stage,
    cases: &[Case],
    subject: &Subject,
    limit: Option<&Limit>,
    latency: Duration,
) -> Outcome<Ran> {
    let case = &cases[subject.case];
    let program = Program {
        limit: limit.cloned(),
        ..subject.program.clone()
    };
    let ran = stage.invoke(
        &case.world,
        case.function,
        &program,
        &subject.payload,
        latency,
    );
    ran.await
}

/// Looks once at which calls are made, and which of them wait for others.
async fn look(stage: &Stage, cases: &[Case], subject: &mut Subject) {
    match once(stage, cases, subject, None, APART).await {
        Ok(ran) => {
            subject.sequence = calls::in_sequence(&ran.seen);
            let operations = ran.seen.iter().map(|call| call.operation.as_str());
            subject.calls = calls::by_operation(operations);
        }
        Err(error) => {
            eprintln!("{}: {error}", subject.name);
            subject.problem = Some(error.to_string());
        }
    }
}

fn row(subject: &Subject, archives: &BTreeMap<String, (usize, usize)>) -> Row {
    let of =
        |figure: &dyn Fn(&Ran) -> Option<f64>| Figure::of(subject.runs.iter().filter_map(figure));
    let first = |ran: &Ran| ran.served.first().cloned();
    Row {
        name: subject.name.clone(),
        calls: subject.calls.clone(),
        sequence: subject.sequence,
        connections: of(&|ran| u32::try_from(ran.connections).ok().map(f64::from)),
        cpu: of(&|ran| Some(first(ran)?.after.cpu)),
        init: of(&|ran| Some(first(ran)?.init.cpu)),
        handler: of(&|ran| first(ran).map(|it| it.after.cpu - it.init.cpu)),
        wall: of(&|ran| first(ran).map(|it| it.init_wall + it.wall)),
        peak: of(&|ran| Some(first(ran)?.after.peak)),
        faults: of(&|ran| Some(first(ran)?.after.faults)),
        limited: Figure::of(
            subject
                .limited
                .iter()
                .filter_map(|ran| Some(first(ran)?.wall)),
        ),
        archive: archives.get(&subject.program.command[0]).copied(),
        problem: subject.problem.clone(),
    }
}

/// How large a binary is, alone and in its archive, in bytes.
fn archive(binary: &Path) -> Outcome<(usize, usize)> {
    let bytes = fs::read(binary)?;
    let packed = miniz_oxide::deflate::compress_to_vec(&bytes, 9);
    Ok((bytes.len(), packed.len()))
}

/// The main events of each function, and "nothing to do"; the first one is what peers do.
async fn cases(folder: &Path) -> Outcome<Vec<Case>> {
    eprintln!("preparing the events");
    let mut cases = vec![first_share(folder).await?];
    let (shared, offer) = shared(folder).await?;
    cases.push(new_pipeline(&shared).await?);
    cases.push(Case {
        name: "share-pipeline: nothing to do",
        function: "share-pipeline",
        payload: json!({ "action": "share", "owner": estate::owner(0) }),
        world: shared.clone(),
    });
    cases.push(offer);
    cases.push(failed_run(&shared).await?);
    cases.push(first_job(folder).await?);
    Ok(cases)
}

/// A run has succeeded of the only pipeline of a rule that waited for it.
async fn first_share(folder: &Path) -> Outcome<Case> {
    let world = estate::world(Size::of_one(0), "succeeded")?;
    let sandbox = converge(world, folder, &FUNCTIONS, REST).await?;
    let world = saved(sandbox).await?;
    let sandbox = unattended(&world).await?;
    estate::create_pipeline(&mut sandbox.world(), &estate::owner(0), "churn")?;
    sandbox.run_for(Duration::from_secs(30)).await;
    estate::start_pipeline(&mut sandbox.world(), &estate::owner(0), "churn", 0)?;
    let words = [
        "\\\"currentPipelineExecutionStatus\\\":\\\"Succeeded\\\"",
        "Succeeded",
    ];
    event(
        "share-pipeline: first share",
        "share-pipeline",
        sandbox,
        &words,
    )
    .await
}

/// An estate in which a pipeline is shared and accepted, and the offer that led there.
async fn shared(folder: &Path) -> Outcome<(String, Case)> {
    let world = estate::world(Size::of_one(1), "created")?;
    let others = ["share-pipeline", "forward-status", "codepipeline-hook"];
    let sandbox = converge(world, folder, &others, Duration::from_mins(3)).await?;
    let name = "accept-invitation: offer";
    let offer = event(name, "accept-invitation", sandbox, &["Share Offered"]).await?;
    let world = World::load(&offer.world, sandbox::readings::Readings::default())?;
    let sandbox = converge(world, folder, &FUNCTIONS, REST * 2).await?;
    Ok((saved(sandbox).await?, offer))
}

/// A pipeline is created that a rule shares at once, by a share that is there.
async fn new_pipeline(shared: &str) -> Outcome<Case> {
    let sandbox = unattended(shared).await?;
    estate::create_pipeline(&mut sandbox.world(), &estate::owner(0), "fraud")?;
    let name = "share-pipeline: new pipeline, existing share";
    event(name, "share-pipeline", sandbox, &["CreatePipeline"]).await
}

/// A run fails of which one consumer is notified.
async fn failed_run(shared: &str) -> Outcome<Case> {
    let sandbox = unattended(shared).await?;
    {
        let mut world = sandbox.world();
        let owner = estate::owner(0);
        sagemaker::fail_step(&mut world, &owner, "pipeline-0", "Train", "out of memory");
        estate::start_pipeline(&mut world, &owner, "pipeline-0", 0)?;
    }
    let name = "forward-status: failed run, one consumer";
    event(name, "forward-status", sandbox, &["Failed"]).await
}

/// An action of CodePipeline asks the hook for the first time.
async fn first_job(folder: &Path) -> Outcome<Case> {
    let world = estate::world(Size::of_one(1), "hook")?;
    let sandbox = converge(world, folder, &FUNCTIONS, REST).await?;
    let sandbox = unattended(&saved(sandbox).await?).await?;
    let action = codepipeline::Action {
        pipeline: "deploy".to_owned(),
        stage: "Test".to_owned(),
        name: "Share".to_owned(),
        execution: "11111111-2222-3333-4444-555555555555".to_owned(),
        function: "pipeshare-codepipeline-hook".to_owned(),
        user_parameters: json!({
            "pipeline": "pipeline-0",
            "owner": estate::owner(0),
            "execution": "#{codepipeline.PipelineExecutionId}",
            "action": "Share",
        })
        .to_string(),
    };
    let artifacts = codepipeline::Artifacts::default();
    codepipeline::begin_with(&mut sandbox.world(), HUB, REGION, action, artifacts)
        .map_err(|error| error.to_string())?;
    let name = "codepipeline-hook: first job";
    event(name, "codepipeline-hook", sandbox, &["CodePipeline.job"]).await
}

/// A world in which no function has a binary, so that events find nobody.
async fn unattended(world: &str) -> Outcome<Sandbox> {
    let world = World::load(world, sandbox::readings::Readings::default())?;
    Ok(Sandbox::start(world, sandbox::Options::default()).await?)
}

async fn saved(sandbox: Sandbox) -> Outcome<String> {
    let text = sandbox.world().save()?;
    sandbox.stop().await;
    Ok(text)
}

/// Waits for an event with these words that a function would have been given,
/// and saves the world as it would have met it.
async fn event(
    name: &'static str,
    function: &'static str,
    sandbox: Sandbox,
    words: &[&str],
) -> Outcome<Case> {
    let is_it = |value: &Value| {
        let text = value.to_string();
        words.iter().any(|words| text.contains(words))
    };
    let mut payload = None;
    for _ in 0..60 {
        sandbox.run_for(Duration::from_secs(3)).await;
        let invocations = sandbox.invocations().into_iter();
        let given = invocations.filter(|it| it.function.ends_with(function));
        payload = given.map(|it| it.payload).find(is_it);
        if payload.is_some() {
            break;
        }
    }
    let mut payload = payload.ok_or_else(|| format!("{name}: there was no such event"))?;
    if let Some(records) = payload["Records"].as_array_mut() {
        records.retain(is_it);
        records.truncate(1);
    }
    estate::purge(&mut sandbox.world())?;
    Ok(Case {
        name,
        function,
        payload,
        world: saved(sandbox).await?,
    })
}
