//! The key that was probably meant.

use std::iter::successors;

use strsim::normalized_damerau_levenshtein;

use super::keys::KEYS;

/// The key nearest to `name`; there is always one. Leading parts may be missing: `batch_size` finds
/// `kafka.citylens.batch_size`.
pub(super) fn nearest(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let likeness = |key: &str| {
        successors(Some(key), |rest| Some(rest.split_once('.')?.1))
            .map(|rest| normalized_damerau_levenshtein(&name, rest))
            .fold(0.0, f64::max)
    };
    // Of several that are equally near the first: `max_by` would keep the last.
    let nearest = KEYS.iter().rev().max_by(|a, b| likeness(a.name).total_cmp(&likeness(b.name)));
    nearest.map_or("", |key| key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        for (name, meant) in [
            ("kafka.citylens.batchsize", "kafka.citylens.batch_size"),
            ("kafka.batch_size", "kafka.citylens.batch_size"),
            ("batch_size", "kafka.citylens.batch_size"),
            ("citylens.linger", "kafka.citylens.linger_ms"),
            ("Kafka.Brokers", "kafka.brokers"),
            ("kafak.brokers", "kafka.brokers"),
            ("kafka.bootstrap.servers", "kafka.brokers"),
            ("clickhouse.pasword", "clickhouse.password"),
            ("clickhouse_url", "clickhouse.url"),
            ("postgres.uri", "postgres.url"),
            ("onmalformed", "on_malformed"),
            ("sensors.gap", "sensors.visit_gap"),
            ("envs", "env"),
            ("dedupe", "dedup.window"),
            ("listen", "api.listen"),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
    }
}
