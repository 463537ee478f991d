//! What it means that a message was not taken: worth sending again, or final. One table of cases.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::outgoing::Message;
use crate::patience::Failure;

const TOO_LARGE: &str =
    "raise max.message.bytes of the topic, and kafka.properties.message.max.bytes as much, and run again";
const SIGN_IN: &str = "check kafka.properties.security.protocol and kafka.properties.sasl.*";

/// Errors that the same again would meet again, and who must do what. Any other passes: brokers come back, leaders are
/// elected, topics are made, and a producer that was fenced or lost its place is replaced by a new one.
static FINAL: &[(RDKafkaErrorCode, &str)] = &[
    (RDKafkaErrorCode::MessageSizeTooLarge, TOO_LARGE),
    (RDKafkaErrorCode::MessageBatchTooLarge, TOO_LARGE),
    (RDKafkaErrorCode::InvalidMessageSize, TOO_LARGE),
    (RDKafkaErrorCode::TopicAuthorizationFailed, "allow the user Describe and Write on the topic, and run again"),
    (
        RDKafkaErrorCode::ClusterAuthorizationFailed,
        "allow the user IdempotentWrite on the cluster, or Write on the topics, and run again",
    ),
    (RDKafkaErrorCode::Authentication, SIGN_IN),
    (RDKafkaErrorCode::SaslAuthenticationFailed, SIGN_IN),
    (RDKafkaErrorCode::UnsupportedSASLMechanism, SIGN_IN),
    (
        RDKafkaErrorCode::UnsupportedCompressionType,
        "set kafka.properties.compression.type to one that the brokers know",
    ),
    (RDKafkaErrorCode::UnsupportedForMessageFormat, "the topic's message format is too old for headers: upgrade it"),
    (RDKafkaErrorCode::InvalidTimestamp, "raise message.timestamp.before.max.ms of the topic, and run again"),
    (RDKafkaErrorCode::InvalidTopic, "check kafka.topic_prefix"),
    (RDKafkaErrorCode::InvalidRecord, "the topic refuses such records: it must not be compacted"),
    (RDKafkaErrorCode::PolicyViolation, "a policy of the brokers refuses such records: ask who set it"),
    (RDKafkaErrorCode::UnknownPartition, "the topic has no such partition: run `hexflow check`"),
];

/// Why a message was not taken, and what is to be done.
pub fn of(error: &KafkaError, message: &Message<'_>) -> Failure {
    let (topic, key) = (message.to().topic, String::from_utf8_lossy(message.key().unwrap_or_default()));
    let bytes = message.payload().unwrap_or_default().len();
    match error.rdkafka_error_code() {
        Some(code) if is_unknown_topic(error) => Failure::Passing(missing(&[topic], &code.to_string())),
        Some(code) => {
            let why = format!("topic {topic}, key {key:?}, {bytes} bytes: {code}");
            match advice(code) {
                Some(advice) => Failure::Final(why, advice),
                None => Failure::Passing(why),
            }
        }
        None => Failure::Final(format!("topic {topic}, key {key:?}: {error}"), "please report it"),
    }
}

/// Who must do what about an error that is final.
pub fn advice(code: RDKafkaErrorCode) -> Option<&'static str> {
    FINAL.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice)
}

/// Whether a topic is not there.
pub fn is_unknown_topic(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition))
}

/// Says that topics are not there, and what to do.
pub fn missing(topics: &[&str], why: &str) -> String {
    format!("{why}: there is no topic {}: run `hexflow migrate` to make what is missing", topics.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::Messages;
    use crate::outgoing::messages::Address;

    fn of_code(code: RDKafkaErrorCode) -> Failure {
        let mut messages = Messages::default();
        messages.push(Address { topic: "audit", partition: None, ts: 1 }, Some(b"r-1"), [], |_| true);
        of(&KafkaError::MessageProduction(code), &messages.iter().next().unwrap())
    }

    #[test]
    fn what_somebody_must_act_on_is_final_and_says_so() {
        let Failure::Final(why, advice) = of_code(RDKafkaErrorCode::MessageSizeTooLarge) else { panic!("final") };
        assert!(why.contains("audit") && why.contains("r-1") && advice.contains("max.message.bytes"), "{why} {advice}");
        assert!(matches!(of_code(RDKafkaErrorCode::TopicAuthorizationFailed), Failure::Final(..)));
    }

    #[test]
    fn the_rest_passes() {
        for code in [RDKafkaErrorCode::Fatal, RDKafkaErrorCode::MessageTimedOut, RDKafkaErrorCode::PurgeQueue] {
            assert!(matches!(of_code(code), Failure::Passing(_)), "{code}");
        }
        let Failure::Passing(why) = of_code(RDKafkaErrorCode::UnknownTopic) else { panic!("it may be made") };
        assert!(why.contains("hexflow migrate"), "{why}");
    }

    #[test]
    fn no_case_stands_twice() {
        let again = |n: usize| FINAL[n + 1..].iter().any(|(code, _)| *code == FINAL[n].0);
        assert!(!(0..FINAL.len()).any(again));
    }
}
