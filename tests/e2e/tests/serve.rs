//! `cargo demo serve`: the estate as a process of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot look at its process has failed"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use demo::binaries;

/// The demo, which is built together with the functions.
fn demo() -> PathBuf {
    let functions = binaries::build().expect("the functions compile");
    functions[0].binary.with_file_name("demo")
}

/// A served estate; if a test fails, it does not outlive it.
struct Served {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Served {
    fn begin(arguments: &[&str]) -> Self {
        let mut process = Command::new(demo())
            .args(["serve", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn wait_for(&mut self, text: &str) {
        let told = self.lines.any(|line| line.unwrap().contains(text));
        assert!(told, "it ended before it told {text}");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let kill = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The processes whose parent this is.
fn children(parent: u32) -> Vec<PathBuf> {
    let is_child = |process: &PathBuf| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        // After the name, which may contain anything: the state, and the parent.
        let parent_of = stat.rsplit(')').next().unwrap_or_default();
        parent_of.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let processes = fs::read_dir("/proc").unwrap();
    let processes = processes.map(|entry| entry.unwrap().path());
    processes.filter(is_child).collect()
}

#[test]
fn it_puts_the_policy_in_force_and_ends_with_its_functions_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let mut served = Served::begin(&[]);
        served.wait_for("export AWS_ENDPOINT_URL=http://127.0.0.1:");
        served.wait_for("ssm:LabelParameterVersion /pipeshare/policy");
        let functions = children(served.process.id());
        assert!(!functions.is_empty(), "the functions are processes");
        served.signal(signal);
        assert!(served.process.wait().unwrap().success());
        let left = functions.iter().filter(|process| Path::exists(process));
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn it_can_serve_accounts_in_which_nothing_is_deployed() {
    let mut served = Served::begin(&["--without-templates"]);
    served.wait_for("Nothing is deployed in its accounts.");
    served.wait_for("Ctrl-C ends it.");
    served.signal("TERM");
    assert!(served.process.wait().unwrap().success());
    let told: String = served.lines.by_ref().map(Result::unwrap).collect();
    assert_eq!(told, "", "nobody is at work");
}

#[test]
fn a_port_that_is_taken_is_an_error_with_advice() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = Command::new(demo())
        .args(["serve", "--port", &port])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    let advice =
        format!("cannot listen on port {port} of 127.0.0.1; choose another one with --port");
    assert!(said.contains(&advice), "{said}");
}
