//! Takes notices out of what epochs change, shows them and has them posted.

use std::collections::BTreeMap;

use anyhow::Result;
use hexflow_dataflows::alerts::changes::Notice;
use hexflow_dataflows::pipelines::Pipeline;
use hexflow_operators::upsert::Tally;

use super::board;
use super::webhook::Webhook;
use crate::config::Config;
use crate::outgoing::alert::Body;
use crate::sinks::{Rows, Sink};

/// Shows and posts alerts; waits for nobody.
pub struct Alerts {
    webhooks: Vec<Webhook>,
    /// Which of them is a rule's.
    of_rules: BTreeMap<String, usize>,
}

impl Alerts {
    /// Starts what the rules need: one thread for each address.
    pub fn new(config: &Config) -> Result<Self> {
        let (mut urls, mut webhooks, mut of_rules) = (Vec::new(), Vec::new(), BTreeMap::new());
        for rule in config.alerts.rules() {
            let Some(url) = config.alerts.webhook_of(&rule.name) else { continue };
            let known = urls.iter().position(|known| *known == url);
            let at = match known {
                Some(at) => at,
                None => {
                    urls.push(url);
                    webhooks.push(Webhook::start(url, config.retry_interval)?);
                    webhooks.len() - 1
                }
            };
            of_rules.insert(rule.name.to_string(), at);
        }
        Ok(Alerts { webhooks, of_rules })
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
            if let Some(webhook) = self.of_rules.get(&body.rule).and_then(|at| self.webhooks.get(*at)) {
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
