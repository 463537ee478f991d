//! What the three messages have in common here: each has older versions, and one that no track was announced for.

use std::borrow::Cow;

use hexflow_dataflows::messages::citylens::{Detection, Frame, Track};
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::messages::value::{Finite, Fraction, Id, Latitude, TrackStatus};
use hexflow_dataflows::time::Instant;
use serde::Serialize;

use super::id::{self, GHOST, Ids, Kind};
use super::random::{Random, to_parts};

/// Serial numbers of what a message speaks of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    /// Of its track.
    pub(super) track: u64,
    /// Of its frame.
    pub(super) frame: u64,
    /// Of its detection.
    pub(super) detection: u64,
}

/// A message of one of the three topics.
pub(super) trait Message: Serialize {
    /// The topic that carries it.
    const TOPIC: Topic;

    /// Becomes an older version of the same entity: updated earlier, and of other content.
    fn age(&mut self, random: &mut Random);

    /// Becomes an entity of its own, on a track that is never announced; false when there is no such thing.
    fn disown(&mut self, ids: Ids, numbers: Numbers) -> bool;
}

/// One to thirty seconds before.
fn earlier(instant: Instant, random: &mut Random) -> Instant {
    Instant::from_ms(instant.ms - 1_000 - random.below(29_000) as i64)
}

fn ghost(ids: Ids, kind: Kind, number: u64) -> Id<'static> {
    let mut text = String::new();
    id::write(&mut text, kind, ids.bits(kind, number | GHOST));
    Id(Cow::Owned(text))
}

impl Message for Track<'_> {
    const TOPIC: Topic = Topic::CitylensTracks;

    fn age(&mut self, random: &mut Random) {
        self.updated_at = earlier(self.updated_at, random);
        match self.status {
            TrackStatus::Started => self.device_id = None,
            TrackStatus::Recording => {
                self.status = TrackStatus::Started;
                self.distance_meters = None;
            }
            TrackStatus::Finished => {
                self.status = TrackStatus::Recording;
                self.ended_at = None;
            }
        }
    }

    fn disown(&mut self, _: Ids, _: Numbers) -> bool {
        false // a track event announces its own track
    }
}

impl Message for Frame<'_> {
    const TOPIC: Topic = Topic::CitylensFrames;

    fn age(&mut self, random: &mut Random) {
        self.updated_at = earlier(self.updated_at, random);
        // Before its fix was corrected: some ten metres off, and of unknown speed.
        self.location.lat = Latitude(to_parts(self.location.lat.0 + random.between(5e-5, 2e-4), 1e7));
        self.location.accuracy = Some(Finite(25.0));
        self.speed = None;
    }

    fn disown(&mut self, ids: Ids, numbers: Numbers) -> bool {
        self.track_id = ghost(ids, Kind::Track, numbers.track);
        self.frame_id = ghost(ids, Kind::Frame, numbers.frame);
        true
    }
}

impl Message for Detection<'_> {
    const TOPIC: Topic = Topic::CitylensDetections;

    fn age(&mut self, random: &mut Random) {
        self.updated_at = earlier(self.updated_at, random);
        // What a weaker model thought of it.
        self.confidence = Fraction(to_parts(self.confidence.0 * random.between(0.5, 0.9), 1e4));
    }

    fn disown(&mut self, ids: Ids, numbers: Numbers) -> bool {
        self.track_id = ghost(ids, Kind::Track, numbers.track);
        self.frame_id = ghost(ids, Kind::Frame, numbers.frame);
        self.detection_id = ghost(ids, Kind::Detection, numbers.detection);
        true
    }
}
