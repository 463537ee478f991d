//! The feeder's beginning anew, by another consumer, where its own would never read again.

use std::sync::Arc;

use rdkafka::consumer::Consumer;

use super::Feeder;
use crate::sources::kafka::client;
use crate::sources::kafka::commits::Commits;

impl Feeder {
    /// Puts another consumer in the place of one whose library has forgotten the brokers. What is in flight is read again.
    pub(super) fn begin_anew(&mut self) -> anyhow::Result<()> {
        let context = Arc::clone(self.consumer.context());
        if !context.brokers.are_forgotten() {
            return Ok(());
        }
        context.watch.say("the client has forgotten the brokers: another takes its place");
        client::replace(&mut self.consumer, &context.client, context.succeed(), &context.names.all())?;
        let ours: Vec<_> = context.ledger().ours().collect();
        context.ledger().revoke(ours);
        self.commits = Commits::default();
        Ok(())
    }
}
