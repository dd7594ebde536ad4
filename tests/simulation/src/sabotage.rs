//! Functions one of whose doings goes wrong, to see that the checks notice.
//!
//! What a function does is what it sends and what it reads. So it is broken on
//! the wire: its calls have no effect, come twice, or it believes another
//! answer. No build is needed for it, and `cargo test` tries each.

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response},
};
use sandbox::in_process::Wire;
use serde_json::{Value, json};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing is ever taken out of a share.
    TakesNothingOut,
    /// No share is ever deleted.
    DeletesNothing,
    /// A permission is never replaced.
    KeepsPermissions,
    /// Nothing is ever put into a share.
    PutsNothingIn,
    /// Every pipeline is taken to have succeeded.
    OpensGates,
    /// No newer version of the policy is put in force.
    KeepsThePolicy,
    /// No invitation is accepted.
    AcceptsNothing,
    /// Consumers are notified of nothing.
    NotifiesNobody,
    /// Consumers are notified of everything twice.
    NotifiesTwice,
    /// Nobody ever ends waiting for an answer about pipelines.
    Hangs,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::TakesNothingOut,
        Self::DeletesNothing,
        Self::KeepsPermissions,
        Self::PutsNothingIn,
        Self::OpensGates,
        Self::KeepsThePolicy,
        Self::AcceptsNothing,
        Self::NotifiesNobody,
        Self::NotifiesTwice,
        Self::Hangs,
    ];

    /// The end of the path, or of the target, of the calls that are struck.
    fn call(self) -> &'static str {
        match self {
            Self::TakesNothingOut => "/disassociateresourceshare",
            Self::DeletesNothing => "/deleteresourceshare",
            Self::KeepsPermissions => "/associateresourcesharepermission",
            Self::PutsNothingIn => "/associateresourceshare",
            Self::OpensGates => ".ListPipelineExecutions",
            Self::KeepsThePolicy => ".LabelParameterVersion",
            Self::AcceptsNothing => "/acceptresourceshareinvitation",
            Self::NotifiesNobody | Self::NotifiesTwice => ".PutEvents",
            Self::Hangs => ".ListPipelines",
        }
    }

    /// Answers a call, wrongly if it is one of those.
    pub(crate) async fn serve(self, wire: &Wire, request: Request<Vec<u8>>) -> Response<Body> {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let path = request.uri().path();
        let is_struck = path.ends_with(self.call()) || target.ends_with(self.call());
        // The hub's own bus is not a consumer's.
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let is_of_hub =
            body.contains("event-bus/pipeshare-hub") || body.contains("\"pipeshare-hub\"");
        if !is_struck || (target.ends_with(".PutEvents") && is_of_hub) {
            return wire.serve(request.map(Body::from)).await;
        }
        match self {
            Self::NotifiesNobody => answered(&json!({
                "FailedEntryCount": 0,
                "Entries": [{ "EventId": "11111111-1111-4111-a111-111111111111" }],
            })),
            Self::NotifiesTwice => {
                wire.serve(request.clone().map(Body::from)).await;
                wire.serve(request.map(Body::from)).await
            }
            Self::OpensGates => success(wire.serve(request.map(Body::from)).await, wire).await,
            Self::Hangs => std::future::pending().await,
            _ => answered(&json!({})),
        }
    }
}

fn answered(body: &Value) -> Response<Body> {
    Response::new(Body::from(body.to_string()))
}

/// The same executions, and one that has succeeded.
async fn success(response: Response<Body>, wire: &Wire) -> Response<Body> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(runs) = body["PipelineExecutionSummaries"].as_array_mut() {
        runs.push(json!({
            "PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:222222222222:pipeline/x/execution/abcdefghijkl",
            "PipelineExecutionStatus": "Succeeded",
            "StartTime": wire.now().as_second(),
        }));
    }
    let mut head = head;
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(body.to_string()))
}
