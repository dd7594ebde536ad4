//! The wire: one router for every service and protocol.
//!
//! Signatures are not verified; the credential scope says who calls which
//! service in which Region, and the host name says nothing.

mod dispatch;
mod invoke;
mod query;
mod request;
mod response;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use futures::FutureExt;

pub use self::dispatch::{Failure, dispatch, perform};
use self::{
    request::{Credential, Protocol},
    response::{add_header, cut_connection, failure, success},
};
use crate::{
    services::{sqs, sts},
    world::{ApiError, Call, World},
};

/// More than any service of the sandbox takes.
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
    let protocol = Protocol::of_credential(request::credential(request.headers()).as_ref());
    let mut response = survive(&world, protocol, answer(&world, request)).await;
    let date = lock(&world).now.strftime("%a, %d %b %Y %H:%M:%S GMT");
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
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return cut_connection();
    };
    let wire = Wire::of(world, request::credential(&head.headers));
    let Some(credential) = &wire.credential else {
        return wire.failure(&ApiError::with_status(
            403,
            "MissingAuthenticationToken",
            "Missing Authentication Token",
        ));
    };
    let (operation, mut input) = match request::decode(&credential.service, &head, &body) {
        Ok(decoded) => decoded,
        Err(error) => return wire.failure(&error),
    };
    if let (true, Some(trace)) = (credential.service == "sqs", request::trace(&head.headers)) {
        sqs::pass_on(trace, &mut input);
    }
    let caller = match sts::caller(&lock(world), &credential.access_key) {
        Ok(caller) => caller,
        Err(error) => return wire.failure(&wire.protocol.name_error(error)),
    };
    let call = Call {
        caller,
        region: credential.region.clone(),
        service: credential.service.clone(),
        operation,
        input,
    };
    let outcome = dispatch(&mut lock(world), &call, &credential.access_key);
    match outcome {
        Ok(_) if invoke::is_invocation(&call) => {
            invoke::run(world, &call, &body, &wire.request_id).await
        }
        Ok(output) => success(wire.protocol, &call.operation, &output, &wire.request_id),
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
    request_id: String,
}

impl Wire {
    fn of(world: &SharedWorld, credential: Option<Credential>) -> Self {
        Self {
            protocol: Protocol::of_credential(credential.as_ref()),
            credential,
            request_id: lock(world).uuid("request"),
        }
    }

    fn failure(&self, error: &ApiError) -> Response {
        failure(self.protocol, error, &self.request_id)
    }
}

#[cfg(test)]
mod tests;
