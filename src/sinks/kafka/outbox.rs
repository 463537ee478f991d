//! Messages on their way to the brokers, kept until all of them are acknowledged.
//!
//! What a producer fails with is sent again, and with it all that is behind it in its topic: the last word on a key is then
//! still the last. Messages that were delivered already come twice, and are the same.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use super::courier::Courier;
use super::topics::all_there;
use super::{client, failure};
use crate::cli;
use crate::config;
use crate::outgoing::{Message, Messages};
use crate::patience::Failure;
use crate::patience::{Attempt, Patience};

/// Sends messages, in order.
pub struct Outbox {
    config: ClientConfig,
    /// Topics that must be there before the first message is sent.
    topics: Vec<String>,
    are_there: bool,
    courier: Courier,
    kept: Kept,
    patience: Patience,
}

impl Outbox {
    /// For topics of the configured brokers, with at most `longest` between two attempts. No broker is asked yet; a usage
    /// error if a property is wrong.
    pub fn new(kafka: &config::Kafka, topics: Vec<String>, longest: Duration) -> Result<Self, cli::Failure> {
        let config = client::config(kafka)?;
        let courier = Courier::new(&config)?;
        let patience = Patience::new(format!("Kafka at {}", kafka.brokers), longest);
        Ok(Outbox { config, topics, are_there: false, courier, kept: Kept::default(), patience })
    }

    /// Sends messages on their way; waits while the topics are missing or the client library is full.
    pub fn send(&mut self, messages: Messages) -> Result<()> {
        if !std::mem::replace(&mut self.are_there, true) {
            let Outbox { config, topics, courier, patience, .. } = self;
            patience.until_answered("send messages on", |_| {
                courier.replace_if_lost(config)?;
                all_there(courier.producer(), topics)
            })?;
        }
        let first = self.kept.next;
        for (number, message) in (first..).zip(messages.iter()) {
            self.courier.give(number, &message);
        }
        self.kept.next += messages.len() as u64;
        self.kept.blocks.push((first, messages));
        Ok(())
    }

    /// Waits until all are acknowledged, sending again what fails. Fails with what is final.
    pub fn settle(&mut self) -> Result<()> {
        let Outbox { config, topics, courier, kept, patience, .. } = self;
        let (mut failed, mut is_another) = (Vec::<(u64, KafkaError)>::new(), false);
        patience.until_answered("send messages on", |attempt| {
            if attempt == Attempt::Again {
                is_another |= courier.replace_if_lost(config)?;
                if failed.iter().any(|(_, error)| failure::is_unknown_topic(error)) {
                    all_there(courier.producer(), topics)?;
                }
                let from = (!std::mem::take(&mut is_another)).then(|| kept.behind(&failed));
                kept.iter()
                    .filter(|(number, message)| is_behind(from.as_ref(), *number, message))
                    .for_each(|(number, message)| courier.give(number, &message));
            }
            failed = courier.settle();
            kept.verdict(courier, &failed)
        })?;
        self.kept.blocks.clear();
        Ok(())
    }
}

/// Whether a message is to be sent again: it or one before it in its topic has failed, or all have.
fn is_behind(from: Option<&BTreeMap<String, u64>>, number: u64, message: &Message<'_>) -> bool {
    from.is_none_or(|from| from.get(message.to().topic).is_some_and(|first| *first <= number))
}

/// Messages that are not acknowledged yet, by running number.
#[derive(Default)]
struct Kept {
    /// Each with the number of its first message.
    blocks: Vec<(u64, Messages)>,
    next: u64,
}

impl Kept {
    fn iter(&self) -> impl Iterator<Item = (u64, Message<'_>)> {
        self.blocks.iter().flat_map(|(first, messages)| (*first..).zip(messages.iter()))
    }

    fn message(&self, number: u64) -> Option<Message<'_>> {
        let at = self.blocks.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, messages) = &self.blocks[at];
        messages.iter().nth(usize::try_from(number - first).ok()?)
    }

    /// Of each topic in which some have failed the first that has.
    fn behind(&self, failed: &[(u64, KafkaError)]) -> BTreeMap<String, u64> {
        let mut behind: BTreeMap<String, u64> = BTreeMap::new();
        for (number, message) in failed.iter().filter_map(|(number, _)| Some((*number, self.message(*number)?))) {
            let first = behind.entry(message.to().topic.to_owned()).or_insert(number);
            *first = number.min(*first);
        }
        behind
    }

    /// Whether all are acknowledged, and if not, what that means: what is final goes before what passes.
    fn verdict(&self, courier: &Courier, failed: &[(u64, KafkaError)]) -> Result<(), Failure> {
        if let Some((code, reason)) = courier.fatal() {
            let why = format!("the producer has failed: {reason}");
            return Err(match failure::advice(code) {
                Some(advice) => Failure::Final(why, advice),
                None => Failure::Passing(why),
            });
        }
        let mut passing = courier.keeps_some().then(|| "the client has forgotten the brokers".to_owned());
        for (number, error) in failed {
            let Some(message) = self.message(*number) else { continue };
            match failure::of(error, &message) {
                Failure::Passing(why) => passing = passing.or(Some(why)),
                last => return Err(last),
            }
        }
        passing.map_or(Ok(()), |why| Err(Failure::Passing(why)))
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaErrorCode;

    use super::*;
    use crate::outgoing::messages::Address;

    /// Messages 0 to 5 in two blocks, on topics a, b, a | b, a, b.
    fn kept() -> Kept {
        let mut kept = Kept::default();
        for topics in [["a", "b", "a"], ["b", "a", "b"]] {
            let mut messages = Messages::default();
            for topic in topics {
                messages.push(Address { topic, partition: None, ts: 1 }, None, [], |_| false);
            }
            kept.blocks.push((kept.next, messages));
            kept.next += 3;
        }
        kept
    }

    #[test]
    fn what_is_behind_a_failure_in_its_topic_is_sent_again_in_order() {
        let (kept, error) = (kept(), KafkaError::MessageProduction(RDKafkaErrorCode::PurgeQueue));
        let again = |failed: &[u64]| -> Vec<u64> {
            let from = kept.behind(&failed.iter().map(|number| (*number, error.clone())).collect::<Vec<_>>());
            let some = kept.iter().filter(|(number, message)| is_behind(Some(&from), *number, message));
            some.map(|(number, _)| number).collect()
        };
        assert!(again(&[]).is_empty());
        assert_eq!(again(&[4]), [4]);
        assert_eq!(again(&[4, 2]), [2, 4]);
        assert_eq!(again(&[5, 0]), [0, 2, 4, 5]);
        assert_eq!(again(&[1]), [1, 3, 5]);
        let all: Vec<u64> = kept.iter().filter(|(n, m)| is_behind(None, *n, m)).map(|(n, _)| n).collect();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        assert!(kept.message(6).is_none());
    }
}
