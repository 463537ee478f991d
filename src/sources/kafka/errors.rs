//! What the client library says is wrong: which of it is for people, and which of it ends the run.

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::names::Names;
use super::watch::Watch;
use crate::fault::Fault;

/// What the library logs of a consumer: of it only errors are for people; lost connections come as errors, too.
pub fn log(watch: &Watch, level: RDKafkaLogLevel, facility: &str, message: &str) {
    if level as i32 <= RDKafkaLogLevel::Critical as i32 {
        watch.say(&format!("{facility}: {message}"));
    }
}

/// What the library says is wrong with a consumer: it may end the run.
pub fn heard(watch: &Watch, fault: &Fault, error: &KafkaError, reason: &str) {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::Fatal) => {
            fault.raise(anyhow::anyhow!("Kafka has refused this consumer for good: {reason}; start it again"));
        }
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::Resolve,
        ) => watch.lost(reason),
        _ => watch.say(&format!("{error}: {reason}")),
    }
}

/// Says what is wrong with reading these topics, and what to do.
pub fn said(names: &Names, watch: &Watch, fault: &Fault, error: &KafkaError) {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            let topics = names.all().join(", ");
            watch.say(&format!("{error}: create the topics {topics}; waiting for them"));
        }
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset) => {
            fault.raise(anyhow::anyhow!("a partition has no offset to begin at: {error}; say so with --from"));
        }
        _ => watch.say(&error.to_string()),
    }
}
