//! The topics of the contract: their sizes, and how long they keep what is in them.

use crate::outgoing::letter;

/// A day, ms.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A topic as the contract has it.
struct Topic {
    name: &'static str,
    partitions: i32,
    retention_days: i64,
    /// Whether a pipeline reads it, so that some of it may have to be set aside.
    is_read: bool,
}

const fn topic(name: &'static str, partitions: i32, retention_days: i64, is_read: bool) -> Topic {
    Topic { name, partitions, retention_days, is_read }
}

static TOPICS: [Topic; 15] = [
    topic("axion.sense.citylens.track.lifecycle", 24, 7, true),
    topic("axion.sense.citylens.frame.lifecycle", 24, 7, true),
    topic("axion.sense.citylens.detections", 24, 7, true),
    topic("axion.sense.track.metadata", 12, 7, true),
    topic("recognition_requests", 12, 7, false),
    topic("recognition_requests.high", 12, 7, false),
    topic("vision_frames_lifecycle", 12, 7, true),
    topic("vision_frames_lifecycle.high", 12, 7, true),
    topic("clusterization_requests", 12, 7, true),
    topic("axion.sense.audit.events", 6, 30, false),
    topic("photo-uploads", 12, 7, true),
    topic("event-updates", 12, 7, false),
    topic("movements", 12, 7, true),
    topic("camera-detections", 12, 7, true),
    topic("alerts", 6, 30, false),
];

/// Partitions of a topic of dead letters, and how long they are kept.
const DEAD_LETTERS: (i32, i64) = (6, 30);

/// A topic that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name on the brokers.
    pub name: String,
    /// The number of its partitions.
    pub partitions: i32,
    /// How long it keeps messages, ms.
    pub retention_ms: i64,
}

/// All of them, `prefix` standing before each name.
pub fn wanted(prefix: &str) -> Vec<Wanted> {
    let wanted = |name: &str, partitions, days| Wanted {
        name: format!("{prefix}{name}"),
        partitions,
        retention_ms: days * DAY_MS,
    };
    let topics = TOPICS.iter().map(|topic| wanted(topic.name, topic.partitions, topic.retention_days));
    let (partitions, days) = DEAD_LETTERS;
    let read = TOPICS.iter().filter(|topic| topic.is_read);
    let letters = read.map(|topic| wanted(&format!("{}{}", topic.name, letter::SUFFIX), partitions, days));
    topics.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use hexflow_dataflows::messages::topic::Topic;

    use super::*;

    #[test]
    fn the_topics_of_pipelines_are_among_them_and_of_their_size() {
        let wanted = wanted("p-");
        for topic in Topic::ALL {
            let name = format!("p-{}", topic.name());
            let found = wanted.iter().find(|wanted| wanted.name == name).unwrap();
            assert_eq!(found.partitions.cast_unsigned(), topic.partitions(), "{name}");
        }
        assert_eq!(wanted.len(), 25);
        let letters = wanted.iter().find(|wanted| wanted.name == "p-movements.dlq").unwrap();
        assert_eq!((letters.partitions, letters.retention_ms), (6, 2_592_000_000));
    }
}
