//! Who makes the same calls as a function: a probe in Rust, boto3, and the SDK for JavaScript.

use std::{env, path::Path};

use serde_json::{Value, json};

use crate::{Cold, stage::Program};

/// A row beside the functions.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) plan: Value,
}

/// Those that are installed; the others are named, with what they lack.
pub(crate) fn all(arguments: &Cold, plan: &Value) -> (Vec<Peer>, Vec<String>) {
    let (mut peers, mut lacks) = (Vec::new(), Vec::new());
    let nothing = json!({ "groups": [] });
    let one = json!({ "groups": [[plan["groups"][0][0]]] });
    let probe = arguments.common.functions.join("probe");
    if probe.is_file() {
        let probe = vec![probe.display().to_string()];
        let rows = [
            ("floor: the runtime alone", "amazon.pem", &nothing),
            ("floor: one call over TLS", "amazon.pem", &one),
            (
                "tuned probe, same calls, the system's roots",
                "system.pem",
                plan,
            ),
            (
                "tuned probe, same calls, Amazon's roots",
                "amazon.pem",
                plan,
            ),
        ];
        for (name, roots, plan) in rows {
            peers.push(peer(name, probe.clone(), roots, plan));
        }
    } else {
        lacks.push("floor and probe: there is no binary `probe` beside the functions".to_owned());
    }
    lacks.push(
        "stock Rust, with the SDK's default features: left out, since they would put a second \
         HTTP and TLS stack with open advisories into the lock file"
            .to_owned(),
    );
    let Some(folder) = &arguments.peers else {
        lacks.push("Python and Node: there is no --peers".to_owned());
        return (peers, lacks);
    };
    match python(folder) {
        Some(command) => peers.push(peer(
            "Python and boto3, same calls",
            command,
            "system.pem",
            plan,
        )),
        None => lacks.push("Python and boto3: they are not installed in --peers".to_owned()),
    }
    match node(folder) {
        Some(command) => peers.push(peer(
            "Node and SDK v3, bundled, same calls",
            command,
            "system.pem",
            plan,
        )),
        None => lacks.push("Node and the SDK v3: they are not installed in --peers".to_owned()),
    }
    (peers, lacks)
}

fn peer(name: &'static str, command: Vec<String>, roots: &'static str, plan: &Value) -> Peer {
    Peer {
        name,
        program: Program {
            command,
            roots,
            limit: None,
        },
        plan: plan.clone(),
    }
}

fn python(folder: &Path) -> Option<Vec<String>> {
    let python = folder.join("venv/bin/python");
    let handler = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/handler.py");
    python
        .is_file()
        .then(|| vec![python.display().to_string(), handler.display().to_string()])
}

fn node(folder: &Path) -> Option<Vec<String>> {
    let bundle = folder.join("handler.mjs");
    let paths = env::var_os("PATH")?;
    let node = env::split_paths(&paths)
        .map(|path| path.join("node"))
        .find(|node| node.is_file())?;
    bundle
        .is_file()
        .then(|| vec![node.display().to_string(), bundle.display().to_string()])
}
