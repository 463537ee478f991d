//! What values must keep to beyond their type: bounds, and what one key demands of another.
//!
//! Upper bounds are far above any use; they keep a slip of the finger from exhausting memory or overflowing a clock.

use std::time::Duration;

use hexflow_dataflows::messages::topic::Topic;

use super::alerts;
use super::field::Field;
use super::keys::Key;
use super::secret::mask;
use super::{Config, Problem, SecretUrl};
use crate::locations::source::TABLE;

/// A demand on the configuration, laid at one key's door.
struct Rule {
    key: &'static str,
    /// Completes "expected a number, ..".
    demand: &'static str,
    holds: fn(&Config) -> bool,
}

const fn rule(key: &'static str, demand: &'static str, holds: fn(&Config) -> bool) -> Rule {
    Rule { key, demand, holds }
}

static RULES: &[Rule] = &[
    rule("retry_interval", "at least 1ms", |c| some_time(c.retry_interval)),
    rule("progress_timeout", "at least 1ms", |c| some_time(c.progress_timeout)),
    rule("kafka.citylens.batch_size", "1 to 1000000", |c| (1..=1_000_000).contains(&c.kafka.citylens.batch_size)),
    rule("kafka.citylens.max_concurrency", "1 to 1024", |c| (1..=1024).contains(&c.kafka.citylens.max_concurrency)),
    rule("kafka.citylens.linger_ms", "at most 3600000", |c| c.kafka.citylens.linger_ms <= 3_600_000),
    rule("clickhouse.url", "starting with http:// or https://, without credentials", |c| is_http(&c.clickhouse.url)),
    rule("postgres.url", "starting with postgres:// or postgresql://, or of key=value pairs", |c| {
        c.postgres.url.as_ref().map(SecretUrl::expose).is_none_or(|url| {
            is_address(url, &["postgres://", "postgresql://"])
                || url.split("://").next().is_some_and(|start| start.contains('='))
        })
    }),
    rule("object_store.url", "file:///folder or s3://bucket/prefix, without credentials", |c| {
        c.object_store.url.as_ref().is_none_or(|url| is_address(url, &["file:///", "s3://"]) && is_open(url))
    }),
    rule("object_store.endpoint", "starting with http:// or https://, without credentials", |c| {
        c.object_store.endpoint.as_ref().is_none_or(|url| is_http(url))
    }),
    rule("archive.url", "file:///folder or s3://bucket/prefix, without credentials", |c| {
        c.archive.url.as_ref().is_none_or(|url| is_address(url, &["file:///", "s3://"]) && is_open(url))
    }),
    rule("archive.topics", "of topics that hexflow knows", |c| {
        c.archive.topics.split(',').all(|name| Topic::named(name.trim()).is_some())
    }),
    rule("archive.roll_interval", "at least 1ms", |c| some_time(c.archive.roll_interval)),
    rule("archive.roll_bytes", "1024 to 1073741824", |c| (1 << 10..=1 << 30).contains(&c.archive.roll_bytes)),
    rule("objects.eps_meters", "above 0, at most 100000", |c| is_distance(c.objects.eps_meters)),
    rule("objects.min_points", "at least 1", |c| c.objects.min_points >= 1),
    rule("photos.radius_meters", "above 0, at most 100000", |c| is_distance(c.photos.radius_meters)),
    rule("photos.window", "at least 1ms", |c| some_time(c.photos.window)),
    rule("photos.min_photos", "at least 1", |c| c.photos.min_photos >= 1),
    rule("sensors.window", "at least 1ms", |c| some_time(c.sensors.window)),
    rule("sensors.slide", "at least 1ms, with a common measure of at least a 100000th of sensors.window", |c| {
        let (window, slide) = (c.sensors.window.as_millis(), c.sensors.slide.as_millis());
        slide > 0 && window / common_measure(window, slide) <= 100_000
    }),
    rule("sensors.visit_gap", "at least 1ms", |c| some_time(c.sensors.visit_gap)),
    rule("cameras.window", "at least 1ms", |c| some_time(c.cameras.window)),
    rule("cameras.keep", "1s to 10000d", |c| (1..=10_000 * 86_400).contains(&c.cameras.keep.as_secs())),
    rule("cameras.locations", "a file, or postgres:TABLE with postgres.url set", |c| {
        let table = c.cameras.locations.as_deref().and_then(|text| text.strip_prefix(TABLE));
        table.is_none_or(|table| !table.is_empty() && c.postgres.url.is_some())
    }),
    rule("cameras.history", "file:///folder or s3://bucket/prefix, without credentials", |c| {
        c.cameras.history.as_ref().is_none_or(|url| is_address(url, &["file:///", "s3://"]) && is_open(url))
    }),
    rule("cameras.history_rows", "1 to 1000000000", |c| (1..=1_000_000_000).contains(&c.cameras.history_rows)),
    rule("cameras.history_step", "1s to 1d", |c| (1..=86_400).contains(&c.cameras.history_step.as_secs())),
    rule("cameras.refresh", "at least 1ms", |c| some_time(c.cameras.refresh)),
    rule("alerts.webhook", alerts::WEB, |c| alerts::is_web(c.alerts.webhook.as_ref())),
];

fn some_time(duration: Duration) -> bool {
    !duration.is_zero()
}

/// The greatest that both are multiples of.
fn common_measure(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Not a number is no distance either.
fn is_distance(meters: f64) -> bool {
    meters > 0.0 && meters <= 100_000.0
}

fn is_http(url: &str) -> bool {
    is_address(url, &["http://", "https://"]) && is_open(url)
}

/// Whether something follows one of the prefixes.
fn is_address(url: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| url.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
}

/// Whether there is nothing to hide in it: these addresses are shown as they are.
fn is_open(url: &str) -> bool {
    mask(url) == url
}

/// Completes "expected ..": what the field's type and the key's rules ask for.
pub(super) fn expected(key: &Key, field: &dyn Field) -> String {
    let demands = RULES.iter().filter(|rule| rule.key == key.name).map(|rule| rule.demand);
    std::iter::once(field.expected()).chain(demands).collect::<Vec<_>>().join(", ")
}

/// The rules that `config` breaks.
pub(super) fn broken(config: &Config) -> impl Iterator<Item = Problem> {
    let mut shown = config.clone();
    RULES.iter().filter(|rule| !(rule.holds)(config)).filter_map(move |rule| {
        let key = Key::find(rule.key)?;
        let field = (key.field)(&mut shown);
        let (value, expected) = (field.show(), expected(key, field));
        let (origin, key) = (config.origin(key.name).clone(), key.name.into());
        Some(Problem::WrongValue { origin, key, value, expected })
    })
}

#[cfg(test)]
mod tests {
    use super::super::keys::KEYS;
    use super::*;

    #[test]
    fn every_rule_belongs_to_a_key_and_the_defaults_keep_them_all() {
        assert!(RULES.iter().all(|rule| KEYS.iter().any(|key| key.name == rule.key)));
        assert_eq!(broken(&Config::default()).count(), 0);
    }

    #[test]
    fn a_slide_may_be_any_that_leaves_windows_of_few_parts() {
        let load = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| (*set).into()).collect();
            Config::load_with(None, [], &sets).map_err(|error| error.to_string())
        };
        for sets in [&["sensors.window=90s", "sensors.slide=45s"][..], &["sensors.window=25s"], &["sensors.slide=120s"]]
        {
            assert!(load(sets).is_ok(), "{sets:?}");
        }
        assert!(load(&["sensors.slide=7s"]).is_ok() && load(&["sensors.slide=13ms"]).is_ok());
        let expected = "--set: sensors.slide = \"7ms\": expected a duration such as 500ms, 10s, 1h 30m or 7d, at least \
                        1ms, with a common measure of at least a 100000th of sensors.window";
        assert_eq!(load(&["sensors.window=1h", "sensors.slide=7ms"]).err().as_deref(), Some(expected));
    }

    #[test]
    fn out_of_bounds_is_refused() {
        for set in [
            "retry_interval=0s",
            "kafka.citylens.batch_size=0",
            "kafka.citylens.batch_size=1000001",
            "kafka.citylens.max_concurrency=0",
            "kafka.citylens.linger_ms=3600001",
            "objects.eps_meters=0",
            "objects.eps_meters=-1",
            "objects.eps_meters=NaN",
            "objects.eps_meters=inf",
            "objects.min_points=0",
            "photos.radius_meters=1e6",
            "photos.window=0s",
            "photos.min_photos=0",
            "sensors.window=0s",
            "sensors.slide=0s",
            "sensors.visit_gap=0s",
            "cameras.window=0s",
            "cameras.keep=0s",
            "cameras.keep=10001d",
            "cameras.history=/tmp/history",
            "cameras.history_rows=0",
            "cameras.history_step=999ms",
            "cameras.history_step=25h",
            "clickhouse.url=127.0.0.1:8123",
            "clickhouse.url=http://",
            "postgres.url=mysql://127.0.0.1/hexflow",
            "object_store.url=/tmp/gps",
            "object_store.endpoint=127.0.0.1:9000",
            "archive.url=/tmp/archive",
            "archive.topics=movements,moovements",
            "archive.roll_interval=0s",
            "archive.roll_bytes=1",
        ] {
            let refused = Config::load_with(None, [], &[set.into()]);
            let key = set.split('=').next().unwrap_or_default();
            assert!(refused.is_err_and(|error| error.to_string().contains(key)), "{set}");
        }
    }

    #[test]
    fn addresses_shown_in_full_hold_no_credentials() {
        for set in [
            "clickhouse.url=https://app:hunter2@127.0.0.1:8443",
            "clickhouse.url=http://127.0.0.1:8123/?user=app&password=hunter2",
            "object_store.url=s3://key:hunter2@bucket/prefix",
            "object_store.endpoint=http://key:hunter2@127.0.0.1:9000",
            "archive.url=s3://key:hunter2@bucket/prefix",
            "cameras.history=s3://key:hunter2@bucket/prefix",
        ] {
            let refused = Config::load_with(None, [], &[set.into()]).map_err(|error| error.to_string());
            assert!(refused.is_err_and(|text| text.contains("***") && !text.contains("hunter2")), "{set}");
        }
    }
}
