//! What an epoch changes of alerts: it goes with the windows that it comes of, as one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::machine::Machine;
use crate::change::Change;
use crate::marks::Mark;

/// What an epoch changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Of `alerts`.
    pub alerts: Vec<AlertChange>,
    /// What is to be told, in order.
    pub notices: Vec<Notice>,
    /// Up to which number all sinks have taken what was told, if that has changed.
    pub told_upto: Option<i64>,
    /// What a later run begins with, as of `base_ms`; none of a key that is as if never heard of, or that no rule is of.
    pub states: Vec<Change<Owner, Machine>>,
    /// Up to which end windows were judged, if that has changed; ms since the epoch.
    pub judged_ms: Option<i64>,
    /// Up to which end windows can change no more, if that has changed; ms since the epoch.
    pub base_ms: Option<i64>,
}

/// Whose alert it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The rule.
    #[serde(with = "crate::shared_text")]
    pub rule: Arc<str>,
    /// The key.
    pub key: Key,
}

/// The primary key of `alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertKey {
    /// Rule and key.
    pub owner: Owner,
    /// When it fired: the end of a window, ms since the epoch.
    pub fired_at: i64,
}

/// The other columns of `alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The figure's name.
    pub figure: String,
    /// What was crossed; none of an absence.
    pub threshold: Option<f64>,
    /// The figure when it fired; none where there is none.
    pub value: Option<f64>,
    /// When it was over: the end of a window, ms since the epoch; none while it fires.
    pub resolved_at: Option<i64>,
    /// The figure when it was over.
    pub resolved_value: Option<f64>,
}

/// A change of `alerts`.
pub type AlertChange = Change<AlertKey, Alert>;

/// What is told of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its place among those of a pipeline that a store keeps, since not all sinks are known to have taken them.
    pub number: i64,
    /// Which alert.
    pub key: AlertKey,
    /// How it stands now.
    pub alert: Alert,
    /// What has become of it.
    pub news: News,
}

/// What has become of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
    /// Late data say that it should not have fired.
    Withdrawn,
}

impl News {
    /// All of them.
    pub const ALL: [News; 3] = [News::Firing, News::Resolved, News::Withdrawn];

    /// As messages have it.
    pub fn name(self) -> &'static str {
        match self {
            News::Firing => "firing",
            News::Resolved => "resolved",
            News::Withdrawn => "withdrawn",
        }
    }
}

impl Changes {
    /// How many things change.
    pub fn len(&self) -> usize {
        let marks = [self.judged_ms, self.base_ms, self.told_upto].iter().flatten().count();
        self.alerts.len() + self.notices.len() + self.states.len() + marks
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a store has kept for a run to go on from.
#[derive(Clone, Debug)]
pub struct Kept<W> {
    /// [`Changes::judged_ms`], the last.
    pub judged_ms: Option<i64>,
    /// [`Changes::base_ms`], the last.
    pub base_ms: Option<i64>,
    /// How far partitions had come.
    pub marks: Vec<Mark>,
    /// [`Changes::states`] that stand.
    pub states: Vec<(Owner, Machine)>,
    /// Alerts that fire, or that were over after the base.
    pub alerts: Vec<(AlertKey, Alert)>,
    /// What was told and not known to be taken, in order.
    pub notices: Vec<Notice>,
    /// Windows that end after the base.
    pub windows: Vec<W>,
}

impl<W> Kept<W> {
    /// Whether there is something to be told without any rule.
    pub fn may_tell(&self) -> bool {
        !self.notices.is_empty() || self.alerts.iter().any(|(_, alert)| alert.resolved_at.is_none())
    }
}

impl<W> Default for Kept<W> {
    fn default() -> Self {
        let (states, alerts, notices, windows, marks) = Default::default();
        Kept { judged_ms: None, base_ms: None, marks, states, alerts, notices, windows }
    }
}
