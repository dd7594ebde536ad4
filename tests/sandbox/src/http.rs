//! The wire: one router for every service and protocol.
//!
//! Signatures are not verified; the credential scope says who calls which
//! service in which Region, and the host name says nothing, unless it is that of a bucket.

mod dispatch;
mod invoke;
mod pages;
mod query;
mod request;
mod response;
mod s3;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, request::Parts},
    response::Response,
};
use futures::FutureExt;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

pub(crate) use self::pages::serve as serve_pages;
pub use self::{
    dispatch::{Failure, dispatch, perform},
    pages::{Pages, Visit},
};
use self::{
    request::{Credential, Protocol},
    response::{add_header, cut_connection, failure, success},
};
use crate::{
    services::{s3::LARGEST_REQUEST, sqs, sts},
    world::{ApiError, Call, World},
};

/// More than any service of the sandbox takes, apart from S3.
const MAX_BODY: usize = 16 << 20;

/// The world, which the router, the driver and the tests share.
pub(crate) type SharedWorld = Arc<Mutex<World>>;

/// The API of every service.
pub fn router(world: Arc<Mutex<World>>) -> Router {
    Router::new().fallback(handle).with_state(world)
}

/// Locks the world.
///
/// A panic has been told of where it happened. What it left of the world is
/// what everybody else goes on with.
pub(crate) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers a request, and dates the answer by the sandbox's clock.
async fn handle(State(world): State<SharedWorld>, request: Request<Body>) -> Response {
    answer_request(&world, request).await
}

/// The same for a request that came by no socket.
pub(crate) async fn answer_request(world: &SharedWorld, request: Request<Body>) -> Response {
    let protocol = Protocol::of_credential(request::credential(request.headers()).as_ref());
    let mut response = survive(world, protocol, answer(world, request)).await;
    let date = lock(world).now.strftime("%a, %d %b %Y %H:%M:%S GMT");
    add_header(&mut response, "date", &date.to_string());
    response
}

/// Answers for what panics, so that a defect costs one request and not the sandbox.
async fn survive(
    world: &SharedWorld,
    protocol: Protocol,
    answer: impl Future<Output = Response>,
) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        let message = "The sandbox has a defect; its standard error says where.";
        let error = ApiError::with_status(500, "InternalFailure", message);
        let request_id = lock(world).uuid("request");
        failure(protocol, &error, &request_id)
    })
}

async fn answer(world: &SharedWorld, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let wire = Wire::of(world, &head);
    let limit = match wire.protocol {
        Protocol::RestXml => LARGEST_REQUEST,
        _ => MAX_BODY,
    };
    if let (Protocol::RestXml, Err(error)) = (wire.protocol, s3::check_length(&head.headers)) {
        return wire.failure(&error);
    }
    let Ok(body) = to_bytes(body, limit).await else {
        return cut_connection();
    };
    let Some(credential) = &wire.credential else {
        return wire.failure(&ApiError::with_status(
            403,
            "MissingAuthenticationToken",
            "Missing Authentication Token",
        ));
    };
    let mut decoded = match request::decode(&credential.service, &head, body) {
        Ok(decoded) => decoded,
        Err(error) => return wire.failure(&error),
    };
    if let (true, Some(trace)) = (credential.service == "sqs", request::trace(&head.headers)) {
        sqs::pass_on(trace, &mut decoded.input);
    }
    let caller = match sts::caller(&lock(world), &credential.access_key) {
        Ok(caller) => caller,
        Err(error) => return wire.failure(&wire.protocol.name_error(error)),
    };
    let call = Call {
        caller,
        region: credential.region.clone(),
        service: credential.service.clone(),
        operation: decoded.operation,
        input: decoded.input,
    };
    let (outcome, payload, late) = {
        let mut world = lock(world);
        // Only S3 looks at it, and leaves in its place what goes with the answer.
        world.s3.bring(decoded.payload.clone());
        let outcome = dispatch(&mut world, &call, &credential.access_key);
        (outcome, world.s3.take(), world.faults.late.take())
    };
    if let Some(late) = late {
        sleep_until(Instant::now() + late).await;
    }
    match outcome {
        Ok(_) if invoke::is_invocation(&call) => {
            invoke::run(world, &call, &decoded.payload, &wire.request_id).await
        }
        Ok(output) => wire.success(&call.operation, &output, payload),
        Err(Failure::Api(error)) => wire.failure(&error),
        Err(Failure::ConnectionLost) => cut_connection(),
        // The process that waits here is about to be killed. An answer, or
        // the end of the connection, might let it act once more.
        Err(Failure::CallerKilled) => std::future::pending().await,
    }
}

/// How to talk to this client.
struct Wire {
    credential: Option<Credential>,
    protocol: Protocol,
    method: Method,
    request_id: String,
}

impl Wire {
    fn of(world: &SharedWorld, head: &Parts) -> Self {
        let credential = request::credential(&head.headers);
        Self {
            protocol: Protocol::of_credential(credential.as_ref()),
            credential,
            method: head.method.clone(),
            request_id: lock(world).uuid("request"),
        }
    }

    fn success(&self, operation: &str, output: &Value, payload: Bytes) -> Response {
        match self.protocol {
            Protocol::RestXml => {
                s3::success(&self.method, operation, output, payload, &self.request_id)
            }
            protocol => success(protocol, operation, output, &self.request_id),
        }
    }

    fn failure(&self, error: &ApiError) -> Response {
        failure(self.protocol, error, &self.request_id)
    }
}

#[cfg(test)]
mod tests;
