//! Catches a dead letter in Kafka that is not byte for byte its record, is lost, or cannot be sent back.
