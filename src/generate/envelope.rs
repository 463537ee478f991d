//! What surrounds a payload: topic, key and headers.

use hexflow_dataflows::messages::topic::Topic;

/// Why a record is in the dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// It tells something new.
    Fresh,
    /// A fresh one again.
    Duplicate,
    /// An older version of a fresh one.
    Stale,
    /// A fresh one, broken.
    Malformed,
    /// Its track was never announced.
    Orphan,
    /// It tells something new, long after it was so.
    Late,
}

impl Cause {
    /// How many there are.
    pub(super) const COUNT: usize = 6;
}

/// What is wrong with a record's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flaw {
    /// Its message-type is none of the topic's.
    UnknownType,
    /// It has no request-id.
    NoRequestId,
}

/// What surrounds a payload. Ids are kept as their bits: an envelope is copied into every re-delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Envelope {
    /// Where it goes.
    pub(super) topic: Topic,
    /// Why it does.
    pub(super) cause: Cause,
    /// The tenant.
    pub(super) org_id: &'static str,
    /// Bits of the track id, which is the key.
    pub(super) track: u64,
    /// Bits of the request id.
    pub(super) request: u64,
    /// What is wrong with its headers.
    pub(super) flaw: Option<Flaw>,
}

impl Envelope {
    /// An envelope with nothing wrong.
    pub(super) fn new(topic: Topic, cause: Cause, org_id: &'static str, track: u64, request: u64) -> Self {
        Envelope { topic, cause, org_id, track, request, flaw: None }
    }

    /// The message-type header.
    pub(super) fn message_type(&self) -> &'static str {
        match self.flaw {
            Some(Flaw::UnknownType) => "citylens-unknown",
            _ => self.topic.message_types().first().copied().unwrap_or_default(),
        }
    }
}
