//! Whether the client library knows any broker still.
//!
//! A lone broker that is coming up may say that there are no brokers. The library believes it, forgets those that it knows
//! and never asks again, whatever comes (librdkafka issue 5301, all versions since 2.10). It tells so by its statistics;
//! its client has then to be replaced by another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rdkafka::ClientConfig;
use serde::Deserialize;

/// How often the library tells, ms.
const PERIOD_MS: &str = "2000";

/// What is told so often in a row is so: brokers that are replaced by others are gone for a moment, too.
const TIMES: u32 = 2;

/// What a client's library has told of brokers.
#[derive(Debug, Default)]
pub struct Brokers {
    /// How often in a row it has told that there are none.
    none: AtomicU32,
}

/// What is of interest in the library's statistics.
#[derive(Deserialize)]
struct Statistics {
    brokers: HashMap<String, Broker>,
}

#[derive(Deserialize)]
struct Broker {
    source: String,
}

impl Brokers {
    /// A client's configuration by which its library tells.
    pub fn told(client: &ClientConfig) -> ClientConfig {
        let mut client = client.clone();
        client.set("statistics.interval.ms", PERIOD_MS);
        client
    }

    /// Hears the library's statistics, as JSON.
    pub fn hear(&self, statistics: &[u8]) {
        let Ok(Statistics { brokers }) = serde_json::from_slice(statistics) else { return };
        let is_broker = |broker: &Broker| ["learned", "configured"].contains(&broker.source.as_str());
        if brokers.values().any(is_broker) {
            self.none.store(0, Relaxed);
        } else {
            self.none.fetch_add(1, Relaxed);
        }
    }

    /// Whether it knows none, and never will.
    pub fn are_forgotten(&self) -> bool {
        self.none.load(Relaxed) >= TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_forgotten_when_none_is_left_twice_in_a_row() {
        let brokers = Brokers::default();
        let known = br#"{"name":"a","brokers":{"a:1/1":{"source":"learned"},"c":{"source":"logical"}},"topics":{}}"#;
        let none = br#"{"brokers":{":0/internal":{"source":"internal"},"c":{"source":"logical","state":"UP"}}}"#;
        let told = |all: &[&[u8]]| {
            all.iter().for_each(|statistics| brokers.hear(statistics));
            brokers.are_forgotten()
        };
        assert!(!told(&[br#"{"brokers":{"a:1/bootstrap":{"source":"configured"}}}"#]));
        assert!(!told(&[known, none, known, none]));
        assert!(!told(&[b"{}", known]));
        assert!(told(&[none, none]));
    }
}
