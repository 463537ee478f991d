//! Questions about windows over HTTP: parameters as `hexflow windows` has them, answers in JSON.
//!
//! Reading a store blocks, so it has threads of its own: neither workers nor the other answers wait for it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::server::as_json;
use crate::query::cameras::Cameras;
use crate::query::output::Format;
use crate::query::parameters::{self, Span};
use crate::query::sensors::Sensors;
use crate::query::top::Top;
use crate::query::{Problem, Question, Stored};

/// Reads a question's parameters.
type Parse = fn(&mut Given) -> Result<Question, Problem>;

/// The routes, over a store.
pub fn routes(stored: Arc<Stored>) -> Router {
    let asked = |parse: Parse| get(move |State(stored): State<Arc<Stored>>, uri: Uri| answer(stored, uri, parse));
    Router::new()
        .route("/sensors/windows", asked(sensors))
        .route("/cameras/windows", asked(cameras))
        .route("/cameras/top", asked(top))
        .with_state(stored)
}

/// 200 when a store can be read, 503 and the reason when it cannot.
pub async fn ready(State(stored): State<Arc<Stored>>) -> Response {
    match blocking(move || stored.check()).await {
        Ok(()) => as_json(&json!({ "ready": true, "reasons": [] })),
        Err(problem) => {
            let told = as_json(&json!({ "ready": false, "reasons": [problem.why()] }));
            (StatusCode::SERVICE_UNAVAILABLE, told).into_response()
        }
    }
}

async fn answer(stored: Arc<Stored>, uri: Uri, parse: Parse) -> Response {
    let question = Given::of(&uri).and_then(|mut given| {
        let question = parse(&mut given)?;
        given.end().map(|()| question)
    });
    let question = match question {
        Ok(question) => question,
        Err(refused) => return refused.response(),
    };
    match blocking(move || stored.answer(&question, Format::Json)).await {
        Ok(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(problem) => Refused::from(problem).response(),
    }
}

async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| Err(Problem::Store(error.into())))
}

fn sensors(given: &mut Given) -> Result<Question, Problem> {
    let (span, sensor) = (given.span()?, given.maybe("sensor", parameters::number)?);
    let (traveler_type, step_ms) = (given.maybe("type", text)?, given.maybe("step", parameters::step)?);
    Ok(Question::Sensors(Sensors { span, step_ms, sensor, traveler_type }))
}

fn cameras(given: &mut Given) -> Result<Question, Problem> {
    let (span, step_ms) = (given.span()?, given.maybe("step", parameters::step)?);
    let (location, item) = (given.maybe("location", parameters::number)?, given.maybe("item", text)?);
    let fill = given.maybe("fill", |word| word.parse().map_err(|_| format!("{word:?} is neither true nor false")))?;
    Ok(Question::Cameras(Cameras { span, step_ms, location, item, fill: fill.unwrap_or(false) }))
}

fn top(given: &mut Given) -> Result<Question, Problem> {
    let (span, k) = (given.span()?, given.needed("k", parameters::count)?);
    Ok(Question::Top(Top { span, k, location: given.maybe("location", parameters::number)? }))
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Parameters that were given and not read yet.
struct Given(Vec<(String, String)>);

impl Given {
    fn of(uri: &Uri) -> Result<Self, Refused> {
        match Query::try_from_uri(uri) {
            Ok(Query(pairs)) => Ok(Given(pairs)),
            Err(error) => Err(Refused { status: StatusCode::BAD_REQUEST, parameter: None, why: error.body_text() }),
        }
    }

    fn maybe<T>(&mut self, name: &'static str, read: fn(&str) -> Result<T, String>) -> Result<Option<T>, Problem> {
        let Some(at) = self.0.iter().position(|(given, _)| given == name) else { return Ok(None) };
        read(&self.0.remove(at).1).map(Some).map_err(|why| Problem::Parameter(name, why))
    }

    fn needed<T>(&mut self, name: &'static str, read: fn(&str) -> Result<T, String>) -> Result<T, Problem> {
        self.maybe(name, read)?.ok_or_else(|| Problem::Parameter(name, "it is missing".to_owned()))
    }

    fn span(&mut self) -> Result<Span, Problem> {
        Span::new(self.needed("from", parameters::time)?, self.needed("to", parameters::time)?)
    }

    /// Refuses what nobody has read: with a slip of the pen in its name a filter would be none.
    fn end(self) -> Result<(), Refused> {
        let Some((name, _)) = self.0.into_iter().next() else { return Ok(()) };
        let why = "there is no such parameter, or it is given twice".to_owned();
        Err(Refused { status: StatusCode::BAD_REQUEST, parameter: Some(name), why })
    }
}

/// An answer that is none.
struct Refused {
    status: StatusCode,
    parameter: Option<String>,
    why: String,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let (status, parameter) = match &problem {
            Problem::Parameter(name, _) => (StatusCode::BAD_REQUEST, Some((*name).to_owned())),
            Problem::TooMany => (StatusCode::BAD_REQUEST, None),
            Problem::Mismatch(_) => (StatusCode::CONFLICT, None),
            Problem::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
        };
        Refused { status, parameter, why: problem.why() }
    }
}

impl Refused {
    fn response(self) -> Response {
        (self.status, as_json(&json!({ "error": self.why, "parameter": self.parameter }))).into_response()
    }
}
