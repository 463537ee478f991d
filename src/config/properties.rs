//! Properties that are handed to a client library as they are: any name, text values.

use std::collections::BTreeMap;
use std::fmt;

use super::Origin;
use super::field::quote;

/// What stands for a secret.
const MASK: &str = "***";

/// Parts of names whose values are secrets.
const SECRET: [&str; 4] = ["password", "secret", ".pem", "oauthbearer.config"];

/// Properties by name, each with where it came from. `Debug` shows no secret.
#[derive(Clone, Default, PartialEq)]
pub struct Properties(BTreeMap<String, (String, Origin)>);

impl Properties {
    /// Names and values, the secrets among them: to be handed to the library, never to be printed.
    pub fn expose(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, (value, _))| (name.as_str(), value.as_str()))
    }

    /// Sets one; says whether the text may be its value.
    pub(super) fn set(&mut self, name: &str, text: &str, origin: Origin) -> bool {
        // As it was copied from what `hexflow config` prints.
        let genuine = !(is_secret(name) && text.contains(MASK));
        if genuine {
            self.0.insert(name.to_owned(), (text.to_owned(), origin));
        }
        genuine
    }

    /// The lines of a configuration in TOML, below `prefix`. The name is one key, since one may begin another.
    pub(super) fn render(&self, prefix: &str) -> String {
        let line = |(name, (value, origin)): (&String, &(String, Origin))| {
            let (shown, origin) = (quote(shown(name, value)), origin.to_string());
            format!("# handed to librdkafka as it is [{}]\n{prefix}{} = {shown}\n", origin.escape_debug(), quote(name))
        };
        self.0.iter().map(line).collect()
    }
}

/// Whether the value of a property is a secret.
pub fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.contains(part))
}

/// The value of a property, as it may be printed.
pub(super) fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) && !value.is_empty() { MASK } else { value }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, (value, _))| (name, shown(name, value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    const SETS: [&str; 3] = [
        "kafka.properties.security.protocol=SASL_SSL",
        "kafka.properties.sasl.password=hunter2",
        "kafka.properties.group.protocol.type=a \"b\"",
    ];

    #[test]
    fn any_name_is_taken_and_no_secret_shown() {
        let config = Config::load_with(None, [], &SETS.map(String::from)).unwrap();
        let exposed: Vec<_> = config.kafka.properties.expose().collect();
        assert!(
            exposed.contains(&("sasl.password", "hunter2")) && exposed.contains(&("security.protocol", "SASL_SSL"))
        );
        let shown = format!("{config:?}{}", config.render());
        assert!(!shown.contains("hunter2") && shown.contains("SASL_SSL"), "{shown}");
    }

    #[test]
    fn a_file_may_write_them_in_any_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hexflow.toml");
        let text = "[kafka.properties]\nsecurity.protocol = 'SSL'\n'session.timeout.ms' = 6000\ncheck.crcs = true\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load_with(Some(&path), [], &[]).unwrap();
        let expected = [("check.crcs", "true"), ("security.protocol", "SSL"), ("session.timeout.ms", "6000")];
        assert!(config.kafka.properties.expose().eq(expected));
        std::fs::write(&path, config.render()).unwrap();
        assert!(Config::load_with(Some(&path), [], &[]).unwrap().kafka.properties.expose().eq(expected));
        std::fs::write(&path, "kafka.properties.a = [1]").unwrap();
        let refused = Config::load_with(Some(&path), [], &[]).unwrap_err().to_string();
        assert!(refused.contains("kafka.properties.a"), "{refused}");
    }
}
