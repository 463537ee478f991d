//! The server: a thread of its own, so that it answers however busy the workers are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{health, stalls, windows};
use crate::alerts::board;
use crate::query::Stored;
use crate::telemetry::metrics::{self, metrics};

/// Time between two attempts to get the address.
const RETRY: Duration = Duration::from_secs(5);

/// Questions that read the store at once; others wait for them.
const READERS: usize = 4;

/// Answers on `listen` for as long as the process lives; as many ports further as `neighbours` of its cluster are before it
/// on this machine, so that they share a configuration. Questions about windows are asked of `stored`.
///
/// An address that another program has is tried again: records matter more.
pub fn start(listen: SocketAddr, neighbours: usize, stored: Arc<Stored>) -> Result<()> {
    let mut listen = listen;
    if listen.port() != 0 {
        let port = u16::try_from(neighbours).ok().and_then(|further| listen.port().checked_add(further));
        listen.set_port(port.with_context(|| {
            format!("api.listen = {listen}: no port is left for one of {neighbours} processes more")
        })?);
    }
    on_a_thread(move |runtime| runtime.block_on(serve(listen, run_routes(stored))))
}

/// Answers on `listen` about a store alone, for as long as the process lives. Fails if another program has the address.
pub fn serve_store(listen: SocketAddr, stored: Arc<Stored>) -> Result<()> {
    let bind = || -> std::io::Result<_> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((listener, at))
    };
    let (listener, at) =
        bind().with_context(|| format!("cannot listen on {listen}; set api.listen to a free address"))?;
    on_a_thread(move |runtime| {
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            info!(listen = %at, "answers on http://{at}");
            axum::serve(listener, store_routes(stored)).await
        });
        if let Err(error) = served {
            tracing::error!("the API has stopped answering: {error}");
            std::process::exit(1);
        }
    })
}

fn on_a_thread(run: impl FnOnce(Runtime) + Send + 'static) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(READERS).build().context("cannot start a runtime")?;
    thread::Builder::new().name("api".to_owned()).spawn(move || run(runtime)).context("cannot start a thread")?;
    Ok(())
}

async fn serve(listen: SocketAddr, routes: Router) {
    let mut is_told = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => {
                let at = listener.local_addr().unwrap_or(listen);
                info!(listen = %at, "answers on http://{at}");
                // It ends only with its listener.
                let Err(error) = axum::serve(listener, routes.clone()).await else { return };
                warn!("the API has stopped answering: {error}");
            }
            Err(error) if !is_told => {
                is_told = true;
                warn!("the API cannot listen on {listen}: {error}; set api.listen to a free address; trying again");
            }
            Err(_) => {}
        }
        sleep(RETRY).await;
    }
}

/// What a run answers.
fn run_routes(stored: Arc<Stored>) -> Router {
    routes(stored)
        .route("/readyz", get(async || health::ready()))
        .route("/metrics", get(async || told()))
        .route("/alerts", get(async || board::list()))
        .route("/stalls", get(async || stalls::list()))
}

/// What is answered where nothing runs.
fn store_routes(stored: Arc<Stored>) -> Router {
    let ready = get(windows::ready).with_state(Arc::clone(&stored));
    routes(stored).route("/readyz", ready)
}

fn routes(stored: Arc<Stored>) -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/version", get(async || concat!(env!("CARGO_PKG_VERSION"), "\n")))
        .merge(windows::routes(stored))
}

fn told() -> Response {
    match metrics().text() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// An answer in JSON.
pub fn as_json(value: &serde_json::Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}
