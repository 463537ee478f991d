//! Settings in a TOML file, each with its line and column.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::assignment::{Assignment, Form};
use super::keys::{KEYS, PROPERTIES};
use super::{Origin, Problem};

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<Assignment>, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => assignments(path, &text),
        Err(reason) => Err(Problem::Unreadable { path: path.into(), reason }),
    }
}

/// The settings in `text`, in the order written.
fn assignments(path: &Path, text: &str) -> Result<Vec<Assignment>, Problem> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        // Not the error's own display: it quotes the line, which may hold a secret.
        Problem::Syntax { origin: origin(path, text, at), reason: error.message().into() }
    })?;
    let mut leaves = Vec::new();
    collect(table.get_ref(), "", &mut leaves);
    leaves.sort_by_key(|leaf| leaf.start);
    let assign = |leaf: Leaf| Assignment {
        key: leaf.key,
        text: leaf.text,
        form: leaf.form,
        origin: origin(path, text, leaf.start),
    };
    Ok(leaves.into_iter().map(assign).collect())
}

/// A key with a value that is no table.
struct Leaf {
    key: String,
    text: String,
    form: Form,
    /// Where the last part of the key begins, in bytes.
    start: usize,
}

/// Walks down the tables. An empty one is a leaf, to be refused, unless there are keys that could stand in it.
fn collect(table: &DeTable<'_>, prefix: &str, leaves: &mut Vec<Leaf>) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        let within = format!("{key}.");
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => collect(table, &within, leaves),
            DeValue::Table(_) if within == PROPERTIES || KEYS.iter().any(|known| known.name.starts_with(&within)) => {}
            value => {
                let (text, form) = written(value);
                leaves.push(Leaf { key, text, form, start: name.span().start });
            }
        }
    }
}

/// A value's text, and how it was written.
fn written(value: &DeValue<'_>) -> (String, Form) {
    match value {
        DeValue::String(text) => (text.to_string(), Form::String),
        DeValue::Integer(number) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            (decimal.map_or_else(|_| number.to_string(), |number| number.to_string()), Form::Bare("an integer"))
        }
        DeValue::Float(number) => (number.to_string(), Form::Bare("a float")),
        DeValue::Boolean(value) => (value.to_string(), Form::Bare("a boolean")),
        DeValue::Datetime(time) => (time.to_string(), Form::Bare("a date or time")),
        DeValue::Array(_) => ("[..]".into(), Form::Bare("an array")),
        DeValue::Table(_) => ("{..}".into(), Form::Bare("a table")),
    }
}

/// The place of byte `at`.
fn origin(path: &Path, text: &str, at: usize) -> Origin {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    Origin::File { path: path.into(), line, column }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    /// The settings of a file, or what is wrong with it.
    fn load(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let assignments = assignments(Path::new("hexflow.toml"), text).map_err(|problem| problem.to_string())?;
        let problems = assignments.into_iter().filter_map(|one| one.apply(&mut config).err());
        let problems: Vec<String> = problems.map(|problem| problem.to_string()).collect();
        if problems.is_empty() { Ok(config) } else { Err(problems.join("\n")) }
    }

    #[test]
    fn tables_dots_and_numbers_in_every_notation() {
        let config = load(concat!(
            "env = 'dev'\nobjects.eps_meters = 5\nphotos = { radius_meters = 2.5 }\n[sensors]\n",
            "[kafka.citylens]\nbatch_size = 1_000\nlinger_ms = 0x10\n",
        ));
        let Ok(config) = config else { panic!("{config:?}") };
        assert_eq!((config.env.as_str(), config.objects.eps_meters, config.photos.radius_meters), ("dev", 5.0, 2.5));
        assert_eq!((config.kafka.citylens.batch_size, config.kafka.citylens.linger_ms), (1000, 16));
        assert_eq!(config.origin("kafka.citylens.linger_ms").to_string(), "hexflow.toml:7:1");
    }

    #[test]
    fn every_wrong_line_is_told_in_the_order_written() {
        let refused = load(concat!(
            "retry_interval = 10\n\n[kafka]\n  brokers = ['a:1', 'b:2']\n  brokeers = 'a'\n",
            "  citylens = { batch_size = '500', linger_ms = 1.5 }\n[clickhouse]\nuser = 123\n[dedupe]\n",
        ));
        assert_eq!(
            refused.err().unwrap_or_default(),
            concat!(
                "hexflow.toml:1:1: retry_interval = 10: expected a duration such as 500ms, 10s, 1h 30m or 7d, ",
                "at least 1ms (in quotes, not an integer)\n",
                "hexflow.toml:4:3: kafka.brokers = [..]: expected text (in quotes, not an array)\n",
                "hexflow.toml:5:3: no key `kafka.brokeers`; the nearest is `kafka.brokers`\n",
                "hexflow.toml:6:16: kafka.citylens.batch_size = \"500\": expected a whole number, 1 to 1000000 ",
                "(without quotes)\n",
                "hexflow.toml:6:36: kafka.citylens.linger_ms = 1.5: expected a whole number, at most 3600000\n",
                "hexflow.toml:8:1: clickhouse.user = 123: expected text (in quotes, not an integer)\n",
                "hexflow.toml:9:2: no key `dedupe`; the nearest is `dedup.window`",
            )
        );
    }

    #[test]
    fn no_error_quotes_a_secret() {
        for text in [
            "[clickhouse]\npassword = 4711",
            "[clickhouse]\npassword = hunter4711",
            "[clickhouse]\npassword = \"hunter4711",
            "[clickhouse]\npassword = ['4711']",
            "clickhouse.password = 'a'\nclickhouse.password = '4711'",
            "object_store = { secret_key = 4711.0, access_key = 4711 }",
            "postgres.uri = 'postgres://app:4711@db'",
            "postgres.url = 4711",
        ] {
            let refused = load(text).err().unwrap_or_default();
            assert!(refused.starts_with("hexflow.toml:") && !refused.contains("4711"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_file_that_is_not_toml_is_refused_at_its_place() {
        let refused = load("env = 'dev'\nkafka = \n").err().unwrap_or_default();
        assert!(refused.starts_with("hexflow.toml:2:"), "{refused}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let refused = read(Path::new("no/such.toml")).err().map(|problem| problem.to_string()).unwrap_or_default();
        assert!(refused.starts_with("no/such.toml: "), "{refused}");
    }
}
