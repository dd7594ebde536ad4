//! What browsers see: pages of whoever starts the sandbox.
//!
//! A browser signs nothing and asks for HTML, which no client of AWS does.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures::future::BoxFuture;

use super::{SharedWorld, lock, request};
use crate::world::World;

/// Pages for browsers.
#[derive(Clone)]
pub struct Pages(Arc<dyn Fn(Visit) -> BoxFuture<'static, String> + Send + Sync>);

impl Pages {
    /// Pages that are made so.
    pub fn new(page: impl Fn(Visit) -> BoxFuture<'static, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(page))
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

/// A browser asks for a page.
#[derive(Debug, Clone)]
pub struct Visit {
    world: Arc<Mutex<World>>,
    /// What stands behind the question mark of the address.
    pub query: String,
}

impl Visit {
    /// The world, which must not be held while the page waits for anything.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// Answers browsers with pages, and leaves everything else to the services.
pub(crate) async fn serve(
    State((world, pages)): State<(SharedWorld, Pages)>,
    request: Request,
    next: Next,
) -> Response {
    let head = request.headers();
    let accepts = head.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let is_browser = request.method() == Method::GET
        && request.uri().path() == "/"
        && request::credential(head).is_none()
        && accepts.is_some_and(|accepts| accepts.contains("text/html"));
    if !is_browser {
        return next.run(request).await;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let page = (pages.0)(Visit { world, query }).await;
    // Nothing but the page's own script runs, and nothing is loaded from elsewhere.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'self'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(page)).into_response()
}
