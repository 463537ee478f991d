//! The rows of alerts, and the keys of those that go.

use super::columns::row;

row! {
    /// A row of `alerts`; times are ends of windows, ms since the epoch.
    AlertRow of alerts {
        rule: &'a str,
        key: String,
        fired_at: i64,
        figure: &'a str,
        state: &'static str,
        threshold: Option<f64>,
        value: Option<f64>,
        resolved_at: Option<i64>,
        resolved_value: Option<f64>,
    }
}

row! {
    /// The key of a row of `alerts`.
    AlertKeyRow of alerts {
        rule: &'a str,
        key: String,
        fired_at: i64,
    }
}

row! {
    /// A row of `alert_states`, which a later run goes on from: how a key stood at a time, ms since the epoch.
    AlertStateRow of alert_states {
        rule: &'a str,
        key: String,
        at: i64,
        pending_since: Option<i64>,
        fired_at: Option<i64>,
        value: Option<f64>,
        last_fired: Option<i64>,
    }
}

row! {
    /// A row of `alert_notices`: what was told, and is not known to be taken by all that it goes to.
    AlertNoticeRow of alert_notices {
        pipeline: &'a str,
        number: i64,
        rule: &'a str,
        key: String,
        fired_at: i64,
        figure: &'a str,
        state: &'static str,
        threshold: Option<f64>,
        value: Option<f64>,
        resolved_at: Option<i64>,
        resolved_value: Option<f64>,
    }
}

row! {
    /// What was told, up to a number.
    AlertNoticeKey of alert_notices {
        pipeline: &'a str,
        number: i64,
    }
}

row! {
    /// How a key stood, up to a time.
    AlertStateKey of alert_states {
        rule: &'a str,
        key: String,
        at: i64,
    }
}
