//! Takes notices out of what epochs change, shows them and has them posted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;
use hexflow_dataflows::alerts::changes::Notice;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_operators::upsert::Tally;

use super::board;
use super::webhook::Webhook;
use crate::config::{self, Config};
use crate::outgoing::alert::Body;
use crate::sinks::{Rows, Sink};

/// Shows and posts alerts; waits for nobody.
pub struct Alerts {
    config: config::Alerts,
    /// By address.
    webhooks: BTreeMap<String, Webhook>,
}

impl Alerts {
    /// Starts a thread for each address of the rules, and for that of rules that are gone.
    pub fn new(config: &Config) -> Result<Self> {
        let mut webhooks = BTreeMap::new();
        let rules = config.alerts.rules();
        let of_rules = rules.iter().filter_map(|rule| config.alerts.webhook_of(&rule.name));
        for url in of_rules.chain(&config.alerts.webhook) {
            if let Entry::Vacant(new) = webhooks.entry(url.expose().to_owned()) {
                new.insert(Webhook::start(url, config.retry_interval)?);
            }
        }
        Ok(Alerts { config: config.alerts.clone(), webhooks })
    }
}

fn bodies(pipeline: Pipeline, notices: &[Notice]) -> Vec<Body> {
    notices.iter().map(|notice| Body::of_notice(pipeline, notice)).collect()
}

impl Sink for Alerts {
    type Work = Vec<Body>;

    fn preparer(&self) -> impl Fn(&Rows) -> Vec<Body> + Send + Sync + 'static {
        |rows| match rows {
            Rows::Sensors(changes) => bodies(Pipeline::Sensors, &changes.alerts.notices),
            Rows::Cameras(changes) => bodies(Pipeline::Cameras, &changes.alerts.notices),
            _ => Vec::new(),
        }
    }

    fn write(&mut self, bodies: Vec<Body>) -> Result<()> {
        for body in bodies {
            let url = self.config.webhook_of(&body.rule);
            if let Some(webhook) = url.and_then(|url| self.webhooks.get(url.expose())) {
                webhook.post(body.clone());
            }
            board::show(body);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Tally> {
        Ok(Tally::default())
    }
}
