//! Settings in the environment: `HEXFLOW__KAFKA__CITYLENS__BATCH_SIZE`, and the names that the seed system used.

use super::Origin;
use super::assignment::{Assignment, Form};

/// What our own variables begin with.
const OURS: &str = "HEXFLOW__";

/// What the seed system's begin with; its deployments go on using them.
const SEED: &str = "Kafka__Citylens__";

/// The seed system's names of keys in `kafka.citylens`.
const SEED_NAMES: [(&str, &str); 3] =
    [("BatchSize", "batch_size"), ("MaxConcurrency", "max_concurrency"), ("LingerMs", "linger_ms")];

/// The settings among `variables`, our own names after the seed system's, as the later wins. A variable that begins
/// like one and names no key is a setting too, to be refused; all others are none of our business.
pub(super) fn assignments(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Assignment> {
    let mut found: Vec<(bool, String, Assignment)> = Vec::new();
    for (name, text) in variables {
        let ours = strip(&name, OURS).map(|rest| rest.to_ascii_lowercase().replace("__", "."));
        let rank = ours.is_some();
        let Some(key) = ours.or_else(|| strip(&name, SEED).map(seed_key)) else { continue };
        let origin = Origin::Environment(name.clone());
        found.push((rank, name, Assignment { key, text, form: Form::Plain, origin }));
    }
    // By name as well, so that of two spellings of one key none wins by chance.
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().map(|(_, _, assignment)| assignment).collect()
}

/// What follows `prefix`, written in any case.
fn strip<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The key for a name of the seed system, which reads its environment in any case too.
fn seed_key(name: &str) -> String {
    let known = SEED_NAMES.iter().find(|(seed, _)| seed.eq_ignore_ascii_case(name));
    let part = known.map_or_else(|| name.to_ascii_lowercase(), |(_, part)| part.to_string());
    format!("kafka.citylens.{part}")
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError};

    fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load_with(None, variables.iter().map(|(name, value)| (name.to_string(), value.to_string())), &[])
    }

    #[test]
    fn every_part_in_any_case() {
        let config = load(&[
            ("HEXFLOW__KAFKA__CITYLENS__BATCH_SIZE", "7"),
            ("hexflow__Api__Listen", "[::1]:80"),
            ("HEXFLOW__ON_MALFORMED", "dead_letter"),
            ("HEXFLOW__CLICKHOUSE__PASSWORD", "0123"),
        ]);
        let Ok(config) = config else { panic!("{config:?}") };
        assert_eq!((config.kafka.citylens.batch_size, config.api.listen.port()), (7, 80));
        assert_eq!(config.clickhouse.password.expose(), "0123");
    }

    #[test]
    fn the_seed_systems_names_serve_until_our_own_are_given() {
        let seed = [
            ("Kafka__Citylens__BatchSize", "1000"),
            ("Kafka__Citylens__MaxConcurrency", "8"),
            ("Kafka__Citylens__LingerMs", "50"),
        ];
        let citylens = load(&seed).map(|config| config.kafka.citylens);
        assert!(citylens.is_ok_and(|it| (it.batch_size, it.max_concurrency, it.linger_ms) == (1000, 8, 50)));

        let ours = [("HEXFLOW__KAFKA__CITYLENS__BATCH_SIZE", "7")];
        for variables in [[ours, [seed[0]]].concat(), [[seed[0]], ours].concat()] {
            assert!(load(&variables).is_ok_and(|config| config.kafka.citylens.batch_size == 7));
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let config =
            load(&[("PATH", "/bin"), ("HEXFLOW", "1"), ("HEXFLOW_LOG", "debug"), ("Kafka__Servers", "b"), ("é", "")]);
        assert!(config.is_ok_and(|config| config == Config::default()));
    }

    #[test]
    fn errors_name_the_variable() {
        let refused = load(&[
            ("HEXFLOW__KAFKA__GRUOP", "x"),
            ("Kafka__Citylens__BatchSize", "many"),
            ("Kafka__Citylens__Linger", "1"),
        ]);
        let text = refused.map_err(|error| error.to_string());
        assert_eq!(
            text.err().as_deref(),
            Some(concat!(
                "environment variable Kafka__Citylens__BatchSize: kafka.citylens.batch_size = \"many\": ",
                "expected a whole number, 1 to 1000000\n",
                "environment variable Kafka__Citylens__Linger: no key `kafka.citylens.linger`; ",
                "the nearest is `kafka.citylens.linger_ms`\n",
                "environment variable HEXFLOW__KAFKA__GRUOP: no key `kafka.gruop`; the nearest is `kafka.group`",
            ))
        );
    }
}
