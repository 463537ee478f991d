//! Whether the topics that are written to are there.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{Producer, ThreadedProducer};

use super::context::Context;
use super::failure::missing;
use crate::patience::Failure;

/// How long the brokers may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds that all topics are there, or says which are not.
///
/// All topics are asked for, since brokers may be set to make one that is asked for by name, of another size.
pub fn all_there(producer: &ThreadedProducer<Context>, names: &[String]) -> Result<(), Failure> {
    let metadata = producer.client().fetch_metadata(None, PATIENCE).map_err(|error| {
        Failure::Passing(format!("the brokers do not answer: {error}; check kafka.brokers if that lasts"))
    })?;
    let there: BTreeSet<&str> = metadata.topics().iter().map(MetadataTopic::name).collect();
    let absent: Vec<&str> = names.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
    if absent.is_empty() { Ok(()) } else { Err(Failure::Passing(missing(&absent, "cannot write yet"))) }
}
