//! Runs functions on the sandbox, behind TLS and with their clocks read.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sandbox::{Function, Options, Sandbox, World, readings::Readings, world::RecordedCall};
use serde_json::Value;

use crate::{
    Outcome,
    calls::Seen,
    isolation::Names,
    limit::Limit,
    proxy::Proxy,
    shim::{Orders, Served},
    tls::Authority,
};

/// The functions that the bench is about.
pub(crate) const FUNCTIONS: [&str; 4] = [
    "share-pipeline",
    "accept-invitation",
    "forward-status",
    "codepipeline-hook",
];

/// Everything that a measured process talks to, and how it is led there.
pub(crate) struct Stage {
    pub(crate) names: Names,
    pub(crate) proxy: Proxy,
    folder: PathBuf,
}

/// A process to run as a function.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) command: Vec<String>,
    /// The bundle of roots that it is given, by the name of its file.
    pub(crate) roots: &'static str,
    pub(crate) limit: Option<Limit>,
}

/// What a run of a function, or of several, has left.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    pub(crate) served: Vec<Served>,
    pub(crate) calls: Vec<RecordedCall>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) connections: usize,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It is of the temporary kind.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    pub(crate) async fn set(names: Names) -> Outcome<Self> {
        let folder = env::temp_dir().join(format!("pipeshare-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let authority = Authority::new()?;
        authority.write_bundles(&folder)?;
        let port = if names == Names::Real { 443 } else { 0 };
        Ok(Self {
            names,
            proxy: Proxy::listen(port, authority.acceptor()?).await?,
            folder,
        })
    }

    /// Invokes one function once, in a new process, in a world that was saved.
    pub(crate) async fn invoke(
        &self,
        world: &str,
        function: &str,
        program: &Program,
        payload: &Value,
        latency: Duration,
    ) -> Outcome<Ran> {
        let world = World::load(world, Readings::default())?;
        let functions = vec![self.function(function, program)?];
        let sandbox = self.start(world, functions, latency).await?;
        let invocation = sandbox
            .invoke(&format!("pipeshare-{function}"), payload)
            .await;
        let ran = self.ended(sandbox, function).await?;
        match invocation.outcome {
            Ok(answer) if has_failures(&answer) => {
                Err(format!("it answered {answer}: {}", invocation.logs.join("\n")).into())
            }
            Ok(_) => Ok(ran),
            Err(error) => Err(format!("{error}: {}", invocation.logs.join("\n")).into()),
        }
    }

    /// Lets time pass in a world that was saved, in which this is the only function.
    pub(crate) async fn pass(
        &self,
        world: &str,
        function: &str,
        program: &Program,
        time: Duration,
        latency: Duration,
    ) -> Outcome<Ran> {
        let world = World::load(world, Readings::default())?;
        let functions = vec![self.function(function, program)?];
        let sandbox = self.start(world, functions, latency).await?;
        sandbox.run_for(time).await;
        for invocation in sandbox.invocations() {
            if let (true, Err(error)) =
                (invocation.function.ends_with(function), &invocation.outcome)
            {
                eprintln!("{function}: {error}");
            }
        }
        self.ended(sandbox, function).await
    }

    async fn start(
        &self,
        world: World,
        functions: Vec<Function>,
        latency: Duration,
    ) -> Outcome<Sandbox> {
        let options = Options {
            functions,
            ..Options::default()
        };
        let sandbox = Sandbox::start(world, options).await?;
        self.proxy.lead_to(sandbox.endpoint(), latency)?;
        Ok(sandbox)
    }

    async fn ended(&self, sandbox: Sandbox, function: &str) -> Outcome<Ran> {
        let calls = sandbox.world().calls().to_vec();
        let (seen, connections) = self.proxy.take();
        sandbox.stop().await;
        let report = fs::read_to_string(self.report(function)).unwrap_or_default();
        let served = report.lines().map(serde_json::from_str);
        Ok(Ran {
            served: served.collect::<Result<_, _>>()?,
            calls,
            seen,
            connections,
        })
    }

    fn report(&self, function: &str) -> PathBuf {
        self.folder.join(format!("{function}.report"))
    }

    /// A script in the place of the function, which starts the program behind a shim.
    fn function(&self, name: &str, program: &Program) -> Outcome<Function> {
        let report = self.report(name);
        // The one of an earlier run, if there was one.
        let _ = fs::remove_file(&report);
        let orders = Orders {
            command: program.command.clone(),
            set: self.variables(program),
            unset: vec!["AWS_ENDPOINT_URL".to_owned()],
            limit: program.limit.clone(),
            report,
        };
        let file = self.folder.join(format!("{name}.json"));
        fs::write(&file, serde_json::to_vec(&orders)?)?;
        let binary = self.folder.join(name);
        let bench = env::current_exe()?;
        let script = format!(
            "#!/bin/sh\nexec '{}' shim '{}'\n",
            bench.display(),
            file.display()
        );
        write_executable(&binary, &script)?;
        Ok(Function {
            name: format!("pipeshare-{name}"),
            binary,
        })
    }

    /// What leads to the endpoints, in the words of everybody who may read them.
    fn variables(&self, program: &Program) -> BTreeMap<String, String> {
        let bundle = self.folder.join(program.roots).display().to_string();
        let own = self.folder.join("own.pem").display().to_string();
        let mut variables = BTreeMap::from([
            ("SSL_CERT_FILE".to_owned(), bundle.clone()),
            ("AWS_CA_BUNDLE".to_owned(), bundle),
            ("NODE_EXTRA_CA_CERTS".to_owned(), own),
        ]);
        if self.names == Names::Endpoints {
            let endpoint = format!("https://localhost:{}", self.proxy.port);
            variables.insert("AWS_ENDPOINT_URL".to_owned(), endpoint);
        }
        variables
    }
}

/// Lets a world come to rest with the functions of a folder, all or only these.
pub(crate) async fn converge(
    world: World,
    folder: &Path,
    functions: &[&str],
    time: Duration,
) -> Outcome<Sandbox> {
    let functions = functions.iter().map(|name| Function {
        name: format!("pipeshare-{name}"),
        binary: folder.join(name),
    });
    let options = Options {
        functions: functions.collect(),
        ..Options::default()
    };
    let sandbox = Sandbox::start(world, options).await?;
    sandbox.run_for(time).await;
    Ok(sandbox)
}

fn write_executable(path: &Path, text: &str) -> Outcome<()> {
    // A new file: the old one may still be running.
    let _ = fs::remove_file(path);
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn has_failures(answer: &Value) -> bool {
    let failures = answer["batchItemFailures"].as_array();
    failures.is_some_and(|failures| !failures.is_empty())
}
