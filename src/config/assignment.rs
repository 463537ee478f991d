//! One `key = value` as somebody wrote it, before anything is known about the key.

use super::alerts;
use super::field::{Field, quote};
use super::keys::{Key, PROPERTIES};
use super::nearest::nearest;
use super::properties::shown;
use super::rules::expected;
use super::{Config, Origin, Problem};

/// A value on its way to its key. Without `Debug`: the text may be a secret, and only the key can tell.
pub(super) struct Assignment {
    /// The key as named, parts separated by dots.
    pub(super) key: String,
    /// The value's text, without TOML's quotes.
    pub(super) text: String,
    pub(super) form: Form,
    pub(super) origin: Origin,
}

/// How a value was written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// As text without a type: environment and `--set`.
    Plain,
    /// As a TOML string.
    String,
    /// As another TOML type, by its name.
    Bare(&'static str),
}

impl Assignment {
    /// Reads what follows `--set`. Blanks around the key are not part of it; those of the value are.
    pub(super) fn from_set(set: &str) -> Result<Assignment, Problem> {
        let set = set.trim_start();
        let is_key = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let (key, rest) = set.split_at(set.find(|c| !is_key(c)).unwrap_or(set.len()));
        // Not the first `=` anywhere: what stands before it may be a secret that ends in one.
        match rest.trim_start().strip_prefix('=') {
            Some(text) => Ok(Assignment { key: key.into(), text: text.into(), form: Form::Plain, origin: Origin::Set }),
            None => Err(Problem::NoValue { start: key.into() }),
        }
    }

    /// Sets the key and remembers where its value came from.
    pub(super) fn apply(self, config: &mut Config) -> Result<(), Problem> {
        if let Some(name) = self.key.strip_prefix(PROPERTIES).filter(|name| !name.is_empty()) {
            return self.apply_property(name, config);
        }
        if let Some((rule, name)) = alerts::split(&self.key) {
            return self.apply_rule(rule, name, config);
        }
        let Some(key) = Key::find(&self.key) else {
            let nearest = nearest(&self.key).to_owned();
            return Err(Problem::UnknownKey { origin: self.origin, key: self.key, nearest });
        };
        self.put((key.field)(config), |field| expected(key, field))?;
        config.origins.insert(key.name, self.origin);
        Ok(())
    }

    /// Takes the value into a field; `expected` completes "expected ..".
    fn put(&self, field: &mut dyn Field, expected: impl Fn(&dyn Field) -> String) -> Result<(), Problem> {
        let fits = match self.form {
            Form::Plain => true,
            Form::String => field.quoted(),
            Form::Bare(_) => !field.quoted(),
        };
        // Bytes that are not UTF-8 arrive as this character; a password must not be changed so.
        if fits && !self.text.contains(char::REPLACEMENT_CHARACTER) && field.set(&self.text) {
            return Ok(());
        }
        let shown = field.mask(&self.text);
        let value = if let Form::Bare(_) = self.form { shown } else { quote(&shown) };
        let mut expected = expected(field);
        match self.form {
            Form::Bare(kind) if !fits => expected.push_str(&format!(" (in quotes, not {kind})")),
            Form::String if !fits => expected.push_str(" (without quotes)"),
            _ => {}
        }
        Err(Problem::WrongValue { origin: self.origin.clone(), key: self.key.clone(), value, expected })
    }

    /// Sets a key of a rule of alerts, and makes the rule with its first.
    fn apply_rule(&self, rule: &str, name: &str, config: &mut Config) -> Result<(), Problem> {
        let key = alerts::find(name).map_err(|nearest| Problem::UnknownKey {
            origin: self.origin.clone(),
            key: self.key.clone(),
            nearest: format!("{}{rule}.{nearest}", alerts::PREFIX),
        })?;
        let rule = config.alerts.rules.entry(rule.to_owned()).or_default();
        rule.set_origin(key.name, self.origin.clone());
        self.put((key.field)(rule), |field| field.expected().to_owned())
    }

    /// Sets a property of librdkafka: whether there is such a one, only it can tell.
    fn apply_property(&self, name: &str, config: &mut Config) -> Result<(), Problem> {
        let one_value = !matches!(self.form, Form::Bare("an array" | "a table" | "a date or time"));
        let text = one_value && !self.text.contains(char::REPLACEMENT_CHARACTER);
        if text && config.kafka.properties.set(name, &self.text, self.origin.clone()) {
            return Ok(());
        }
        let (value, expected) = (quote(shown(name, &self.text)), "text, a number or true or false".to_owned());
        Err(Problem::WrongValue { origin: self.origin.clone(), key: self.key.clone(), value, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(set: &str) -> String {
        let applied = Assignment::from_set(set).and_then(|set| set.apply(&mut Config::default()));
        applied.err().map(|problem| problem.to_string()).unwrap_or_default()
    }

    #[test]
    fn sets_by_the_type_of_the_key() {
        let mut config = Config::default();
        for set in ["clickhouse.password=0123", "kafka.group = a=b", "objects.eps_meters=5", "on_malformed=dead_letter"]
        {
            assert!(Assignment::from_set(set).and_then(|set| set.apply(&mut config)).is_ok(), "{set}");
        }
        assert_eq!((config.clickhouse.password.expose(), config.kafka.group.as_str()), ("0123", " a=b"));
        assert_eq!(config.origin("kafka.group"), &Origin::Set);
        assert_eq!(config.origin("kafka.brokers"), &Origin::Default);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_key_and_what_was_expected() {
        assert_eq!(
            problem("retry_interval=soon"),
            "--set: retry_interval = \"soon\": expected a duration such as 500ms, 10s, 1h 30m or 7d, at least 1ms"
        );
        assert_eq!(problem("on_malformed=skip"), "--set: on_malformed = \"skip\": expected stall or dead_letter");
        assert_eq!(
            problem("api.listen=here"),
            "--set: api.listen = \"here\": expected an address and port such as 127.0.0.1:8080"
        );
    }

    #[test]
    fn no_secret_is_named() {
        for set in ["clickhouse.password hunter2", "clickhouse.password:hunter2==", " clickhouse.password"] {
            assert_eq!(problem(set), "--set clickhouse.password: expected key=value");
        }
        assert!(problem("clickhouse.password=hunter\u{FFFD}").contains("clickhouse.password = \"***\": expected"));
        assert!(problem("clickhouse.pasword=hunter2").ends_with("the nearest is `clickhouse.password`"));
    }
}
