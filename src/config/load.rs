//! Reads the layers, the later over the earlier, and refuses what is wrong with all its reasons.

use std::path::Path;

use super::assignment::Assignment;
use super::{Config, ConfigError, Origin, alerts, environment, file, rules};

impl Config {
    /// Reads the defaults, then the TOML `file`, this process's environment and `sets` (`key=value`); later wins.
    pub fn load(file: Option<&Path>, sets: &[String]) -> Result<Config, ConfigError> {
        // What is not UTF-8 must not panic: in our own variables it is refused later, in others it does not matter.
        let variables = std::env::vars_os();
        let lossy = variables.map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()));
        Config::load_with(file, lossy, sets)
    }

    /// As [`Config::load`], in another environment than this process's.
    ///
    /// ```
    /// use hexflow::config::Config;
    ///
    /// let environment = [("HEXFLOW__CLICKHOUSE__PASSWORD".into(), "0123".into())];
    /// let config = Config::load_with(None, environment, &["dedup.window=7d".into()])?;
    /// assert_eq!(config.clickhouse.password.expose(), "0123");
    /// assert_eq!(config.dedup.window.as_secs(), 7 * 24 * 60 * 60);
    /// # Ok::<(), hexflow::config::ConfigError>(())
    /// ```
    pub fn load_with(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        sets: &[String],
    ) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        let mut problems = Vec::new();
        let from_file = match file.map_or(Ok(Vec::new()), file::read) {
            Ok(assignments) => assignments,
            Err(problem) => {
                problems.push(problem);
                Vec::new()
            }
        };
        let from_environment = environment::assignments(environment);
        let layers = from_file.into_iter().chain(from_environment).map(Ok);
        for assignment in layers.chain(sets.iter().map(|set| Assignment::from_set(set))) {
            if let Err(problem) = assignment.and_then(|assignment| assignment.apply(&mut config)) {
                problems.push(problem);
            }
        }
        problems.extend(rules::broken(&config));
        problems.extend(alerts::broken(&config));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `text` into a file that lasts as long as the first of the two.
    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("hexflow.toml");
        std::fs::write(&path, text).expect("a temporary file");
        (folder, path)
    }

    fn variable(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn later_layers_win() {
        let (_folder, path) = file("env = 'a'\n[kafka]\ngroup = 'a'\nbrokers = 'a'\n");
        let variables = [variable("HEXFLOW__KAFKA__GROUP", "b"), variable("HEXFLOW__KAFKA__BROKERS", "b")];
        let config = Config::load_with(Some(&path), variables, &["kafka.brokers=c".into(), "kafka.brokers=d".into()]);
        let Ok(config) = config else { panic!("{config:?}") };
        assert_eq!([config.env, config.kafka.group, config.kafka.brokers], ["a", "b", "d"]);
        assert_eq!(config.clickhouse.database, "hexflow");
    }

    #[test]
    fn all_problems_are_told_by_layer() {
        let (_folder, path) = file("[kafka.citylens]\nbatch_size = 0\nbatchsize = 1\n");
        let refused = Config::load_with(Some(&path), [variable("HEXFLOW__ENVS", "dev")], &["env".into()]);
        let text = refused.map_err(|error| error.to_string()).err().unwrap_or_default();
        let path = path.display();
        assert_eq!(
            text,
            format!(
                "{path}:3:1: no key `kafka.citylens.batchsize`; the nearest is `kafka.citylens.batch_size`\n\
             environment variable HEXFLOW__ENVS: no key `envs`; the nearest is `env`\n\
             --set env: expected key=value\n\
             {path}:2:1: kafka.citylens.batch_size = 0: expected a whole number, 1 to 1000000"
            )
        );
    }
}
