//! An AWS for tests: answers as recorded, and remembers what it was asked.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use domain::policy::Place;
use runtime::config::Identity;
use serde_json::{Value, json};

use crate::Aws;

/// Where the functions run in these tests.
pub(crate) fn identity() -> Identity {
    Identity {
        place: Place {
            partition: "aws".to_owned(),
            region: "eu-west-1".parse().expect("it is a Region"),
        },
        function: "test".to_owned(),
    }
}

/// The clients of a function there.
pub(crate) fn aws(config: SdkConfig) -> Aws {
    Aws::new(config, identity())
}

/// A request as it went out.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) target: String,
    pub(crate) access_key: String,
    pub(crate) text: String,
}

impl Request {
    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The path, with the query.
    pub(crate) fn path(&self) -> &str {
        let host = self.url.find("://").map_or(0, |at| at + 3);
        self.url[host..]
            .find('/')
            .map_or("/", |at| &self.url[host + at..])
    }

    fn new(request: &HttpRequest) -> Self {
        let header = |name| request.headers().get(name).unwrap_or_default().to_owned();
        let authorization = header("authorization");
        let key = authorization
            .split_once("Credential=")
            .map(|(_, rest)| rest);
        Self {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            target: header("x-amz-target"),
            access_key: key
                .and_then(|key| key.split('/').next())
                .unwrap_or_default()
                .to_owned(),
            text: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        }
    }
}

/// What AWS answers: a status and a body, or silence.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Http(u16, String),
    ConnectionCut,
    Timeout,
}

pub(crate) fn ok(body: &Value) -> Answer {
    Answer::Http(200, body.to_string())
}

pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::Http(
        status,
        json!({ "__type": code, "message": message }).to_string(),
    )
}

/// The XML in which STS hands over a session.
pub(crate) fn session(access_key: &str) -> Answer {
    Answer::Http(
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{access_key}</AccessKeyId>\
             <SecretAccessKey>a-secret</SecretAccessKey><SessionToken>a-token</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

/// The XML in which STS refuses one.
pub(crate) fn xml_refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::Http(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

type Script = Box<dyn FnMut(&Request) -> Answer + Send>;

#[derive(Clone)]
pub(crate) struct Replay {
    script: Arc<Mutex<Script>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Replay {
    /// Answers each request as the script says.
    pub(crate) fn by(script: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        Self {
            script: Arc::new(Mutex::new(Box::new(script))),
            requests: Arc::default(),
        }
    }

    /// Answers in this order, and with a cut connection after the last.
    pub(crate) fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers = answers.into_iter().collect::<Vec<_>>().into_iter();
        Self::by(move |_| answers.next().unwrap_or(Answer::ConnectionCut))
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// A configuration whose requests all come here, and are not tried again.
    pub(crate) async fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .credentials_provider(Credentials::new("HUBKEY", "hub-secret", None, None, "test"))
            .region(Region::from_static("eu-west-1"))
            .retry_config(RetryConfig::disabled())
            .load()
            .await
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay")
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = Request::new(&request);
        let answer = (self.script.lock().unwrap())(&request);
        self.requests.lock().unwrap().push(request);
        HttpConnectorFuture::ready(match answer {
            Answer::Http(status, body) => {
                Ok(HttpResponse::new(status.try_into().unwrap(), body.into()))
            }
            Answer::ConnectionCut => Err(ConnectorError::io("connection cut".into())),
            Answer::Timeout => Err(ConnectorError::timeout("no answer".into())),
        })
    }
}
