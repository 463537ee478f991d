//! The pipelines by name, and which topics each reads.

use serde::{Deserialize, Serialize};

use crate::messages::topic::Topic;

/// A pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pipeline {
    /// Tracks, frames and detections of citylens.
    Citylens,
    /// Speeds of travellers at sensors.
    Sensors,
    /// What cameras see.
    Cameras,
}

impl Pipeline {
    /// All of them.
    pub const ALL: [Pipeline; 3] = [Pipeline::Citylens, Pipeline::Sensors, Pipeline::Cameras];

    /// As it is typed and told.
    pub fn name(self) -> &'static str {
        match self {
            Pipeline::Citylens => "citylens",
            Pipeline::Sensors => "sensors",
            Pipeline::Cameras => "cameras",
        }
    }

    /// The one that reads a topic, if any does.
    pub fn of(topic: Topic) -> Option<Pipeline> {
        match topic {
            Topic::CitylensTracks | Topic::CitylensFrames | Topic::CitylensDetections => Some(Pipeline::Citylens),
            Topic::Movements => Some(Pipeline::Sensors),
            Topic::CameraDetections => Some(Pipeline::Cameras),
            Topic::TrackMetadata | Topic::ClusterizationRequests | Topic::AuditEvents | Topic::Alerts => None,
        }
    }
}

/// Some pipelines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pipelines([bool; Pipeline::ALL.len()]);

impl Pipelines {
    /// All there are.
    pub fn all() -> Self {
        Pipeline::ALL.into_iter().collect()
    }

    /// Whether a pipeline is one of them.
    pub fn contains(self, pipeline: Pipeline) -> bool {
        self.0[pipeline as usize]
    }

    /// They, in order.
    pub fn iter(self) -> impl Iterator<Item = Pipeline> {
        Pipeline::ALL.into_iter().filter(move |pipeline| self.contains(*pipeline))
    }

    /// The one of them that reads a topic, if any does.
    pub fn reader(self, topic: Topic) -> Option<Pipeline> {
        Pipeline::of(topic).filter(|pipeline| self.contains(*pipeline))
    }

    /// The topics that they read.
    pub fn topics(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.reader(*topic).is_some())
    }
}

impl FromIterator<Pipeline> for Pipelines {
    fn from_iter<I: IntoIterator<Item = Pipeline>>(pipelines: I) -> Self {
        let mut some = Pipelines::default();
        pipelines.into_iter().for_each(|pipeline| some.0[pipeline as usize] = true);
        some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_its_topics_only() {
        assert_eq!(Pipelines::all().topics().count(), 5);
        let some: Pipelines = [Pipeline::Cameras, Pipeline::Citylens].into_iter().collect();
        assert_eq!(some.iter().map(Pipeline::name).collect::<Vec<_>>(), ["citylens", "cameras"]);
        assert_eq!((some.reader(Topic::Movements), some.reader(Topic::AuditEvents)), (None, None));
        assert_eq!(some.reader(Topic::CameraDetections), Some(Pipeline::Cameras));
    }
}
