//! An alert as it is told: on the topic, to a webhook, by the API.

use hexflow_dataflows::alerts::changes::{Alert, AlertKey, News, Notice};
use hexflow_dataflows::alerts::key::Key;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_dataflows::rows::AXION_NAMESPACE;
use hexflow_dataflows::time::Instant;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// `alert` on the topic of alerts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// The rule's name.
    pub rule: String,
    /// Whose figure it is, as text.
    pub key: String,
    /// The same, part by part: sensor, type, location or item.
    pub labels: Map<String, Value>,
    /// The figure.
    pub figure: String,
    /// `firing`, `resolved` or `withdrawn`.
    pub state: &'static str,
    /// What was crossed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// When it fired: the end of a window.
    pub fired_at: Instant,
    /// The figure then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// When it was over: the end of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Instant>,
    /// The figure then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_value: Option<f64>,
}

impl Body {
    /// What is told of an alert of a pipeline.
    pub fn of(pipeline: Pipeline, key: &AlertKey, alert: &Alert, news: News) -> Body {
        let [place, kind] = Key::names(pipeline);
        let Key { place: at, kind: of } = &key.owner.key;
        let at = at.map(|at| (place.to_owned(), at.into()));
        let of = of.as_ref().map(|of| (kind.to_owned(), (**of).into()));
        Body {
            rule: key.owner.rule.to_string(),
            key: key.owner.key.text(pipeline),
            labels: at.into_iter().chain(of).collect(),
            figure: alert.figure.clone(),
            state: news.name(),
            threshold: alert.threshold,
            fired_at: Instant::from_ms(key.fired_at),
            value: alert.value,
            resolved_at: alert.resolved_at.map(Instant::from_ms),
            resolved_value: alert.resolved_value,
        }
    }

    /// The same of a notice.
    pub fn of_notice(pipeline: Pipeline, notice: &Notice) -> Body {
        Body::of(pipeline, &notice.key, &notice.alert, notice.news)
    }

    /// Keeps what is told of one key in one partition, in order.
    pub fn topic_key(&self) -> String {
        format!("{}/{}", self.rule, self.key)
    }

    /// When it became so, ms since the epoch.
    pub fn at_ms(&self) -> i64 {
        self.resolved_at.unwrap_or(self.fired_at).ms
    }

    /// Names what is told: the same whenever the same is told again.
    pub fn request_id(&self) -> String {
        let Body { rule, key, state, fired_at, .. } = self;
        let told = format!("alert/{rule}/{key}/{}/{state}/{}", fired_at.ms, self.at_ms());
        Uuid::new_v5(&AXION_NAMESPACE, told.as_bytes()).to_string()
    }

    /// As JSON.
    pub fn json(&self) -> Vec<u8> {
        let written = serde_json::to_vec(self);
        debug_assert!(written.is_ok(), "plain fields written into memory: {written:?}");
        written.unwrap_or_default()
    }
}
