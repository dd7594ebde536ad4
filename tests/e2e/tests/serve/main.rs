//! `cargo demo serve`: the estate as a process of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot look at its process has failed"
)]

mod own_policy;
mod state;

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use demo::{binaries, estate::POLICY, functions};
use sandbox::readings::TABLE;

const PAGE: &str = include_str!("../../../demo/README.md");

/// How a shell shows the end of a program whose reader went away.
const NOBODY_READS: i32 = 141;

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
        self.told_until(text);
    }

    /// What it tells until it tells this, with that line.
    fn told_until(&mut self, text: &str) -> String {
        let mut told = String::new();
        for line in self.lines.by_ref().map(Result::unwrap) {
            told += &line;
            told.push('\n');
            if line.contains(text) {
                return told;
            }
        }
        panic!("it ended before it told {text}: {told}");
    }

    fn end(&mut self) {
        self.signal("TERM");
        assert!(self.process.wait().unwrap().success());
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

/// A file that is gone with the test.
struct File(PathBuf);

impl File {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    /// A file that is not there yet.
    fn absent(name: &str) -> Self {
        let file = Self::with(name, "");
        fs::remove_file(&file.0).unwrap();
        file
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn endpoint(told: &str) -> String {
    let (_, rest) = told.split_once("AWS_ENDPOINT_URL=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
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
fn a_browser_sees_the_page_of_the_function_and_what_was_told() {
    let mut served = Served::begin(&[]);
    let mut address = String::new();
    for line in served.lines.by_ref().map(Result::unwrap) {
        if let Some((_, found)) = line.split_once("in a browser: http://") {
            found.clone_into(&mut address);
            break;
        }
    }
    served.wait_for("ssm:LabelParameterVersion /pipeshare/policy");
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = format!(
        "GET /?theme=dark HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    for part in [
        "No pipeline is named by a rule or shared",
        "<cwdb-action action=\"call\"",
        "What dev was told",
        "What the hub was told",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    served.signal("TERM");
    assert!(served.process.wait().unwrap().success());
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
fn it_plays_the_readings_that_it_is_told_to_and_no_others() {
    let mut served = Served::begin(&[
        "--without-templates",
        "--reading",
        "ram-rejection=failed",
        "--reading",
        "ssm-labels=with",
    ]);
    served.wait_for("Ctrl-C ends it.");
    served.signal("TERM");
    assert!(served.process.wait().unwrap().success());

    let demo = demo();
    for (reading, said) in [
        ("ram-rejection", "it has the form QUESTION=ANSWER"),
        (
            "ram-refusal=failed",
            "the questions are ram-permission-keys, ",
        ),
        (
            "ram-rejection=maybe",
            "its answers are disassociated, failed",
        ),
    ] {
        let arguments = ["serve", "--reading", reading];
        let refused = Command::new(&demo).args(arguments).output().unwrap();
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{text}");
    }
    let help = Command::new(&demo).args(["serve", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    for question in TABLE {
        assert!(help.contains(&format!("  {}=", question.name)), "{help}");
    }
}

#[test]
fn it_shows_the_policy_and_commands_that_read_what_was_told() {
    let mut served = Served::begin(&[]);
    let mut told = String::new();
    for line in served.lines.by_ref().map(Result::unwrap) {
        told += &line;
        told.push('\n');
        if line.contains("hub-mailbox") {
            break;
        }
    }
    for line in POLICY.lines() {
        assert!(told.contains(&format!("    {line}\n")), "{line}");
    }
    assert!(told.contains("aws ssm get-parameter --name /pipeshare/policy:in-force"));
    assert!(told.contains("AWS_ACCESS_KEY_ID=111111111111 aws sqs receive-message"));
    let (_, shown) = PAGE.split_once("$ cargo demo serve --speed 30\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let (_, port) = told.split_once("http://127.0.0.1:").unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let shown = shown.replace(":4566", &format!(":{port}"));
    for passage in shown.replace("30 times", "1 times").split("\n[...]\n") {
        assert!(
            told.contains(passage),
            "not what it prints:{passage}\n{told}"
        );
    }
    served.signal("TERM");
    assert!(served.process.wait().unwrap().success());
}

#[test]
fn it_ends_quietly_once_nobody_reads_what_it_prints() {
    let demo = demo();
    let mut process = Command::new(&demo)
        .args(["serve", "--port", "0", "--speed", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Cargo speaks of the functions on the standard error, until there is output.
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("A local AWS"));
    drop(lines);
    let output = process.wait_with_output().unwrap();
    assert_quiet(&output);

    let mut played = Command::new(&demo)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(played.stdout.take());
    assert_quiet(&played.wait_with_output().unwrap());
}

fn assert_quiet(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(NOBODY_READS), "{said}");
    assert!(!said.contains("error"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn functions_come_from_a_folder_from_cargo_or_from_beside_the_demo() {
    let demo = demo();
    let built = demo.parent().unwrap();
    let mut served = Served::begin(&["--functions", &built.to_string_lossy()]);
    served.wait_for("ssm:LabelParameterVersion /pipeshare/policy");
    served.signal("TERM");
    assert!(served.process.wait().unwrap().success());

    let nowhere = std::env::temp_dir().join(format!("pipeshare-demo-{}", std::process::id()));
    fs::create_dir_all(&nowhere).unwrap();
    let refused = Command::new(&demo)
        .args(["serve", "--functions", &nowhere.to_string_lossy()])
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("has not all functions: neither "));

    // Where there is no cargo, what lies beside the demo will do.
    let moved = nowhere.join("demo");
    fs::copy(&demo, &moved).unwrap();
    let without_cargo = || {
        let mut command = Command::new(&moved);
        command.env("CARGO", "/nowhere/cargo").arg("--json");
        command
    };
    let refused = without_cargo().output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(
        said.contains("say where they are with --functions"),
        "{said}"
    );
    for function in functions::all() {
        symlink(built.join(function), nowhere.join(function)).unwrap();
    }
    let played = without_cargo().output().unwrap();
    let said = String::from_utf8_lossy(&played.stderr).into_owned();
    assert!(played.status.success(), "{said}");
    assert!(said.is_empty(), "{said}");
    fs::remove_dir_all(&nowhere).unwrap();
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
