//! A function for the tests of the driver: it does what its payload says.
//!
//! It speaks the Runtime API by hand, so that the tests see what any runtime
//! would see.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process, thread,
};

use serde_json::{Value, json};

const PREFIX: &str = "/2018-06-01/runtime";

/// A response: its headers in lower case, and its body.
struct Response {
    headers: String,
    body: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::var("BROKEN").is_ok() {
        let error = json!({ "errorType": "Config", "errorMessage": "no queue" }).to_string();
        request("POST", &format!("{PREFIX}/init/error"), &error)?;
        process::exit(1);
    }
    let mut invocations = 0;
    loop {
        let next = request("GET", &format!("{PREFIX}/invocation/next"), "")?;
        invocations += 1;
        let id = next
            .header("lambda-runtime-aws-request-id")
            .unwrap_or_default()
            .to_owned();
        let order: Value = serde_json::from_str(&next.body)?;
        let (kind, body) = obey(&order, &next, invocations);
        request("POST", &format!("{PREFIX}/invocation/{id}/{kind}"), &body)?;
    }
}

/// The kind of the report and its body.
fn obey(order: &Value, next: &Response, invocations: u32) -> (&'static str, String) {
    let mut output = io::stdout();
    match order["do"].as_str().unwrap_or_default() {
        "log" => {
            let _ = writeln!(output, "to stdout");
            let _ = writeln!(io::stderr(), "to stderr");
            let _ = write!(output, "without an end");
            let _ = output.flush();
            ("response", String::new())
        }
        "fail" => {
            let error = json!({ "errorType": "Sad", "errorMessage": "as told" });
            ("error", error.to_string())
        }
        "exit" => process::exit(3),
        "hang" => loop {
            thread::park();
        },
        "mumble" => ("response", "not JSON".to_owned()),
        "call" => ("response", json!(call(&order["input"])).to_string()),
        _ => {
            let variables: Vec<(String, String)> = env::vars().collect();
            let deadline = next.header("lambda-runtime-deadline-ms");
            let arn = next.header("lambda-runtime-invoked-function-arn");
            let answer = json!({
                "variables": variables, "invocations": invocations,
                "deadline": deadline, "arn": arn,
            });
            ("response", answer.to_string())
        }
    }
}

/// Calls `ssm:PutParameter` with the function's own credentials.
fn call(input: &Value) -> Option<String> {
    let endpoint = env::var("AWS_ENDPOINT_URL").ok()?;
    let access_key = env::var("AWS_ACCESS_KEY_ID").ok()?;
    let headers = format!(
        "x-amz-target: AmazonSSM.PutParameter\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential={access_key}/20260101/eu-west-1/ssm/aws4_request\r\n"
    );
    let address = endpoint.strip_prefix("http://")?;
    let response = exchange(address, "POST", "/", &headers, &input.to_string());
    response.ok().map(|response| response.body)
}

fn request(method: &str, path: &str, body: &str) -> io::Result<Response> {
    let address = env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    exchange(&address, method, path, "", body)
}

fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )?;
    let mut reader = BufReader::new(stream);
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        if reader.read_line(&mut headers)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut body = String::new();
    reader.read_to_string(&mut body)?;
    let headers = headers.to_lowercase();
    Ok(Response { headers, body })
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
