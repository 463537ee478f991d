//! Shows the effective configuration, as `hexflow config` prints it.

use super::keys::{KEYS, PROPERTIES};
use super::{Config, Origin};

impl Config {
    /// The configuration as TOML, secrets masked. A line above each key says what it is and, unless it is the default,
    /// where its value came from. The keys are dotted, as they stand after `--set`.
    pub fn render(&self) -> String {
        // A key leads to its field through `&mut`; a copy spares the table a second accessor.
        let mut config = self.clone();
        let mut text = String::new();
        for key in KEYS {
            let origin = match self.origin(key.name) {
                Origin::Default => String::new(),
                // A path may hold a line break, which would end the comment.
                origin => format!(" [{}]", origin.to_string().escape_debug()),
            };
            let value = (key.field)(&mut config).show();
            text.push_str(&format!("# {}{origin}\n{} = {value}\n", key.comment, key.name));
        }
        text + &self.kafka.properties.render(PROPERTIES) + &self.alerts.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_reads_back() {
        let sets = ["kafka.group=a \"b\" \\", "photos.radius_meters=0.1", "dedup.window=7d", "cameras.locations=l.csv"];
        let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
        let rendered = Config::load_with(None, [], &sets).map(|config| config.render()).unwrap_or_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("hexflow.toml");
        std::fs::write(&path, &rendered).expect("a temporary file");
        let again = Config::load_with(Some(&path), [], &[]);
        let Ok(mut again) = again else { panic!("{again:?}") };
        again.origins.clear();
        for set in ["kafka.group", "photos.radius_meters", "dedup.window", "cameras.locations"] {
            again.origins.insert(set, Origin::Set);
        }
        assert_eq!(again.render(), rendered);
    }

    #[test]
    fn comments_say_what_and_whence() {
        let rendered = Config::load_with(None, [], &["kafka.citylens.linger_ms=5".into()]).map(|c| c.render());
        let rendered = rendered.unwrap_or_default();
        assert!(rendered.contains("# records in one batch, at most\nkafka.citylens.batch_size = 500\n"), "{rendered}");
        let line = "# milliseconds that a batch waits to be filled [--set]\nkafka.citylens.linger_ms = 5\n";
        assert!(rendered.contains(line), "{rendered}");
        assert!(rendered.lines().all(|line| line.starts_with("# ") || line.contains(" = ")));
    }

    #[test]
    fn secrets_show_nowhere() {
        let sets = [
            "clickhouse.password=hunter2",
            "object_store.access_key=hunter2",
            "object_store.secret_key=hunter2",
            "postgres.url=postgres://app:hunter2@127.0.0.1/hexflow",
        ];
        let config = Config::load_with(None, [], &sets.map(String::from));
        let Ok(config) = config else { panic!("{config:?}") };
        let (rendered, debug) = (config.render(), format!("{config:?} {config:#?}"));
        assert!(!rendered.contains("hunter2") && !debug.contains("hunter2"), "{rendered}{debug}");
        assert!(
            rendered.contains("clickhouse.password = \"***\"") && rendered.contains("app:***@127.0.0.1"),
            "{rendered}"
        );
    }
}
