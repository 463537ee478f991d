//! The feeder's beginning anew, by another consumer, where its own would never read again.

use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, anyhow};
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
        let another = client::consumer(&context.client, context.succeed());
        let another = another.map_err(|_| anyhow!("cannot make another consumer"))?; // the first was made of the same
        another.subscribe(&context.names.all())?;
        let ours: Vec<_> = context.ledger().ours().collect();
        context.ledger().revoke(ours);
        let old = std::mem::replace(&mut self.consumer, another);
        self.commits = Commits::default();
        // Aside, since it may wait for brokers.
        thread::Builder::new()
            .name("old consumer".to_owned())
            .spawn(move || drop(old))
            .context("cannot start a thread")?;
        Ok(())
    }
}
