//! The server: a thread of its own, so that it answers however busy the workers are.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{health, stalls};
use crate::alerts::board;
use crate::telemetry::metrics::{self, metrics};

/// Time between two attempts to get the address.
const RETRY: Duration = Duration::from_secs(5);

/// Answers on `listen` for as long as the process lives; as many ports further as `neighbours` of its cluster are before it
/// on this machine, so that they share a configuration.
///
/// An address that another program has is tried again: records matter more.
pub fn start(listen: SocketAddr, neighbours: usize) -> Result<()> {
    let mut listen = listen;
    if listen.port() != 0 {
        let port = u16::try_from(neighbours).ok().and_then(|further| listen.port().checked_add(further));
        listen.set_port(port.with_context(|| {
            format!("api.listen = {listen}: no port is left for one of {neighbours} processes more")
        })?);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
    let run = move || runtime.block_on(serve(listen));
    thread::Builder::new().name("api".to_owned()).spawn(run).context("cannot start a thread")?;
    Ok(())
}

async fn serve(listen: SocketAddr) {
    let mut is_told = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => {
                let at = listener.local_addr().unwrap_or(listen);
                info!(listen = %at, "answers on http://{at}");
                // It ends only with its listener.
                let Err(error) = axum::serve(listener, routes()).await else { return };
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

fn routes() -> Router {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async || health::ready()))
        .route("/metrics", get(async || told()))
        .route("/alerts", get(async || board::list()))
        .route("/stalls", get(async || stalls::list()))
        .route("/version", get(async || concat!(env!("CARGO_PKG_VERSION"), "\n")))
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
