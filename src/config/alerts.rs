//! The rules of alerts: tables that operators name, each with the same keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hexflow_dataflows::alerts::figure::Figure;
use hexflow_dataflows::alerts::key::Key;
use hexflow_dataflows::alerts::rule::{Condition, Pick, Rule};
use hexflow_dataflows::pipelines::Pipeline;
use strsim::normalized_damerau_levenshtein;

use super::field::{Field, Plain, quote};
use super::{Alerts, Config, Origin, Problem, Secret};

/// What the names of rules follow.
pub(super) const PREFIX: &str = "alerts.";

/// Durations beyond this overflow no clock, and are of no use.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A rule as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertRule {
    figure: String,
    sensor: Pick<i64>,
    traveler_type: Pick<String>,
    location: Pick<i64>,
    item: Pick<String>,
    above: Option<f64>,
    below: Option<f64>,
    resolve: Option<f64>,
    absent_for: Option<Duration>,
    hold: Duration,
    repeat: Option<Duration>,
    webhook: Option<Secret>,
    /// Where values came from.
    origins: BTreeMap<&'static str, Origin>,
}

/// A key of a rule.
pub(super) struct RuleKey {
    pub(super) name: &'static str,
    comment: &'static str,
    pub(super) field: fn(&mut AlertRule) -> &mut dyn Field,
}

macro_rules! key {
    ($name:literal, $field:ident, $comment:literal) => {
        RuleKey { name: $name, comment: $comment, field: |rule| &mut rule.$field }
    };
}

static KEYS: &[RuleKey] = &[
    key!("figure", figure, "what is looked at, such as sensors.avg_speed"),
    key!("sensor", sensor, "a sensor's id; *: each by itself; empty: all together"),
    key!("type", traveler_type, "a type of travelers; *: each by itself; empty: all together"),
    key!("location", location, "a location's oid; *: each by itself; empty: all together"),
    key!("item", item, "an item's name; *: each by itself; empty: all together"),
    key!("above", above, "it fires above this"),
    key!("below", below, "it fires below this"),
    key!("resolve", resolve, "it is over at this; empty: at the threshold itself"),
    key!("absent_for", absent_for, "it fires when there were no data for so long"),
    key!("for", hold, "it fires when all windows for so long were beyond the threshold"),
    key!("repeat", repeat, "time from one firing of a key to its next at least; empty: 5m"),
    key!("webhook", webhook, "address to POST to; empty: alerts.webhook"),
];

/// Least time between two firings where nobody has said otherwise.
const REPEAT: Duration = Duration::from_secs(5 * 60);

impl Plain for Pick<i64> {
    const EXPECTED: &'static str = "a whole number or *";
    const QUOTED: bool = true;
}

impl Plain for Pick<String> {
    const EXPECTED: &'static str = "text or *";
    const QUOTED: bool = true;
}

/// The rule and the key of it that a name is of, if it is of any.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PREFIX)?.split_once('.')
}

/// The key of a rule of that name, or the nearest.
pub(super) fn find(name: &str) -> Result<&'static RuleKey, &'static str> {
    let likeness = |key: &&RuleKey| normalized_damerau_levenshtein(name, key.name);
    let nearest = KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("", |key| key.name);
    KEYS.iter().find(|key| key.name == name).ok_or(nearest)
}

impl AlertRule {
    pub(super) fn set_origin(&mut self, key: &'static str, origin: Origin) {
        self.origins.insert(key, origin);
    }

    fn condition(&self) -> Option<Condition> {
        match (self.above, self.below, self.absent_for) {
            (Some(above), None, None) => Some(Condition::Above(above, self.resolve.unwrap_or(above))),
            (None, Some(below), None) => Some(Condition::Below(below, self.resolve.unwrap_or(below))),
            (None, None, Some(_)) => Some(Condition::Absent),
            _ => None,
        }
    }

    /// What pipelines are told; nothing of a rule that was refused.
    fn rule(&self, name: &str) -> Option<Rule> {
        let figure: Figure = self.figure.parse().ok()?;
        let (place, kind) = match figure.pipeline() {
            Pipeline::Cameras => (&self.location, &self.item),
            Pipeline::Sensors | Pipeline::Citylens => (&self.sensor, &self.traveler_type),
        };
        let kind = match kind {
            Pick::Together => Pick::Together,
            Pick::Each => Pick::Each,
            Pick::One(one) => Pick::One(Arc::from(one.as_str())),
        };
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Some(Rule {
            name: name.into(),
            figure,
            place: place.clone(),
            kind,
            condition: self.condition()?,
            for_ms: ms(self.absent_for.unwrap_or(self.hold)),
            repeat_ms: ms(self.repeat.unwrap_or(REPEAT)),
        })
    }

    /// What is wrong with it: the key, and what was expected.
    fn wrong(&self, name: &str) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, key, expected: &str| {
            if !holds {
                wrong.push((key, expected.to_owned()));
            }
        };
        let is_named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        expect(is_named, "figure", "a rule's name of letters, digits, _ and -");
        let Ok(figure) = self.figure.parse::<Figure>() else {
            expect(false, "figure", &figures(&self.figure));
            return wrong;
        };
        let of_cameras = figure.pipeline() == Pipeline::Cameras;
        let [place, kind] = Key::names(figure.pipeline());
        let fit = format!("nothing: {figure} is by {place} and {kind}");
        expect(!of_cameras || self.sensor == Pick::Together, "sensor", &fit);
        expect(!of_cameras || self.traveler_type == Pick::Together, "type", &fit);
        expect(of_cameras || self.location == Pick::Together, "location", &fit);
        expect(of_cameras || self.item == Pick::Together, "item", &fit);
        let apart = "one or *: the same traveler may be seen by several, and would count as often";
        expect(figure != Figure::Travelers || self.sensor != Pick::Together, "sensor", apart);
        expect(figure != Figure::Travelers || self.traveler_type != Pick::Together, "type", apart);
        let conditions = [self.above.is_some(), self.below.is_some(), self.absent_for.is_some()];
        let count = conditions.iter().filter(|some| **some).count();
        expect(count == 1, "above", "one of above, below and absent_for");
        let numbers = [("above", self.above), ("below", self.below), ("resolve", self.resolve)];
        for (key, number) in numbers {
            expect(number.is_none_or(f64::is_finite), key, "a number");
        }
        if let Some(resolve) = self.resolve {
            let is_right = match (self.above, self.below) {
                (Some(above), _) => resolve <= above,
                (_, Some(below)) => resolve >= below,
                (None, None) => false,
            };
            let side = match (self.above, self.below) {
                (Some(_), _) => "a number that is not above `above`: where it is over it must not fire",
                (_, Some(_)) => "a number that is not below `below`: where it is over it must not fire",
                (None, None) => "nothing: an absence is over when data are there",
            };
            expect(is_right, "resolve", side);
        }
        expect(self.absent_for.is_none() || self.hold.is_zero(), "for", "nothing: absent_for says how long");
        for (key, duration) in [("for", self.hold), ("absent_for", self.absent_for.unwrap_or_default())] {
            expect(duration <= LONGEST, key, "at most 366d");
        }
        expect(self.repeat.is_none_or(|repeat| repeat <= LONGEST), "repeat", "at most 366d");
        expect(is_web(self.webhook.as_ref()), "webhook", WEB);
        wrong
    }
}

/// What a webhook looks like.
pub(super) const WEB: &str = "starting with http:// or https://";

/// Whether something can be posted there, if it is anywhere.
pub(super) fn is_web(url: Option<&Secret>) -> bool {
    url.is_none_or(|url| ["http://", "https://"].iter().any(|start| url.expose().starts_with(start)))
}

/// The figures, and the one that was probably meant.
fn figures(name: &str) -> String {
    let likeness = |figure: &Figure| {
        let short = figure.name().split_once('.').map_or("", |(_, short)| short);
        normalized_damerau_levenshtein(name, figure.name()).max(normalized_damerau_levenshtein(name, short))
    };
    let names: Vec<_> = Figure::ALL.iter().map(|figure| figure.name()).collect();
    let nearest = Figure::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|_| !name.is_empty()).map(|figure| format!("; the nearest is `{figure}`"));
    format!("one of {}{}", names.join(", "), nearest.unwrap_or_default())
}

impl Alerts {
    /// The rules, by name.
    pub fn rules(&self) -> Vec<Rule> {
        self.rules.iter().filter_map(|(name, rule)| rule.rule(name)).collect()
    }

    /// Where a rule's alerts are posted to.
    pub fn webhook_of(&self, rule: &str) -> Option<&Secret> {
        self.rules.get(rule).and_then(|rule| rule.webhook.as_ref()).or(self.webhook.as_ref())
    }

    /// The lines of a configuration in TOML.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (name, rule) in &self.rules {
            let mut shown = rule.clone();
            for key in KEYS.iter().filter(|key| rule.origins.contains_key(key.name)) {
                let origin = rule.origins[key.name].to_string();
                let value = (key.field)(&mut shown).show();
                // Of what is not in quotes nothing is the same as no line.
                if value != quote("") {
                    let (comment, origin) = (key.comment, origin.escape_debug());
                    text.push_str(&format!("# {comment} [{origin}]\n{PREFIX}{name}.{} = {value}\n", key.name));
                }
            }
        }
        text
    }
}

/// What is wrong with the rules.
pub(super) fn broken(config: &Config) -> impl Iterator<Item = Problem> {
    config.alerts.rules.iter().flat_map(|(name, rule)| {
        let mut shown = rule.clone();
        let problem = move |(key, expected): (&'static str, String)| {
            let value = find(key).map_or_else(|_| quote(""), |key| (key.field)(&mut shown).show());
            let origin = shown.origins.get(key).or_else(|| shown.origins.values().next());
            let origin = origin.unwrap_or(&Origin::Default).clone();
            Problem::WrongValue { origin, key: format!("{PREFIX}{name}.{key}"), value, expected }
        };
        rule.wrong(name).into_iter().map(problem).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(sets: &[&str]) -> Result<Config, String> {
        let sets: Vec<String> = sets.iter().map(|set| format!("alerts.{set}")).collect();
        Config::load_with(None, [], &sets).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_is_what_was_said() {
        let file =
            "[alerts.slow]\nfigure = \"sensors.avg_speed\"\nsensor = \"*\"\nbelow = 3\nresolve = 4.5\nfor = \"1m\"\n";
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&path, file).unwrap();
        let environment = [("HEXFLOW__ALERTS__SLOW__REPEAT".into(), "10m".into())];
        let config = Config::load_with(Some(path.path()), environment, &["alerts.slow.type=a car".into()]).unwrap();
        let rule = Rule {
            name: "slow".into(),
            figure: Figure::AvgSpeed,
            place: Pick::Each,
            kind: Pick::One("a car".into()),
            condition: Condition::Below(3.0, 4.5),
            for_ms: 60_000,
            repeat_ms: 600_000,
        };
        assert_eq!(config.alerts.rules(), [rule]);
        let shown = config.render();
        for line in ["alerts.slow.below = 3\n", "alerts.slow.for = \"1m\"\n", "alerts.slow.sensor = \"*\"\n"] {
            assert!(shown.contains(line), "{shown}");
        }
        std::fs::write(&path, &shown).unwrap();
        let again = Config::load_with(Some(path.path()), [], &[]).unwrap();
        assert_eq!(again.alerts.rules(), config.alerts.rules());
    }

    #[test]
    fn what_is_wrong_is_named_with_what_was_meant() {
        let rule = ["x.figure=cameras.rate", "x.above=5"];
        assert!(load(&rule).is_ok());
        for (sets, words) in [
            (
                &["x.figure=sensors.avg_sped", "x.above=5"][..],
                &["alerts.x.figure", "nearest is `sensors.avg_speed`"][..],
            ),
            (&["x.figure=cameras.rate", "x.abov=5"], &["no key `alerts.x.abov`", "`alerts.x.above`"]),
            (&["x.above=5"], &["alerts.x.figure", "cameras.detections"]),
            (&["x.figure=cameras.rate"], &["one of above, below and absent_for"]),
            (&["x.figure=cameras.rate", "x.above=5", "x.below=3"], &["one of above"]),
            (&["x.figure=cameras.rate", "x.above=5", "x.resolve=6"], &["alerts.x.resolve = 6", "not above `above`"]),
            (&["x.figure=cameras.rate", "x.below=5", "x.resolve=4"], &["alerts.x.resolve = 4", "not below `below`"]),
            (&["x.figure=cameras.rate", "x.absent_for=1m", "x.resolve=4"], &["alerts.x.resolve"]),
            (&["x.figure=cameras.rate", "x.absent_for=1m", "x.for=1m"], &["alerts.x.for"]),
            (&["x.figure=cameras.rate", "x.above=NaN"], &["alerts.x.above", "a number"]),
            (&["x.figure=cameras.rate", "x.above=much"], &["alerts.x.above = \"much\""]),
            (&["x.figure=cameras.rate", "x.above=5", "x.sensor=1"], &["alerts.x.sensor", "location and item"]),
            (&["x.figure=sensors.samples", "x.above=5", "x.item=a"], &["alerts.x.item", "sensor and type"]),
            (&["x.figure=sensors.samples", "x.above=5", "x.location=1"], &["alerts.x.location", "sensor and type"]),
            (&["x.figure=sensors.samples", "x.above=5", "x.sensor=one"], &["alerts.x.sensor", "a whole number or *"]),
            (&["x.figure=sensors.travelers", "x.above=5", "x.sensor=*"], &["alerts.x.type", "traveler"]),
            (&["x.figure=cameras.rate", "x.above=5", "x.webhook=example"], &["alerts.x.webhook", "http://"]),
            (&["webhook=ftp://example"], &["alerts.webhook", "http://"]),
            (&["wiat=5s"], &["alerts.wiat", "alerts.wait"]),
        ] {
            let problem = load(sets).map(|_| ()).unwrap_err();
            assert!(words.iter().all(|word| problem.contains(word)), "{sets:?}: {problem}");
        }
        let secret = load(&["x.figure=cameras.rate", "x.above=5", "x.webhook=hunter2"]).map(|_| ()).unwrap_err();
        assert!(!secret.contains("hunter2"), "{secret}");
    }
}
