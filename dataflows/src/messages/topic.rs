//! The topics: their names, sizes and the message types each may carry.

/// Message types of the citylens topics and of what is sent on.
pub mod kind {
    /// On axion.sense.citylens.track.lifecycle.
    pub const CITYLENS_TRACK: &str = "citylens-track";
    /// On axion.sense.citylens.frame.lifecycle.
    pub const CITYLENS_FRAME: &str = "citylens-frame";
    /// On axion.sense.citylens.detections.
    pub const CITYLENS_DETECTION: &str = "citylens-detection";
    /// On axion.sense.track.metadata.
    pub const TRACK: &str = "track";
    /// On axion.sense.track.metadata.
    pub const FRAME: &str = "frame";
    /// On clusterization_requests.
    pub const CLUSTERIZATION_REQUEST: &str = "clusterization-request";
    /// On axion.sense.audit.events.
    pub const AUDIT_EVENT: &str = "audit-event";
    /// On movements.
    pub const MOVEMENT: &str = "movement";
    /// On camera-detections.
    pub const CAMERA_DETECTION: &str = "camera-detection";
    /// On alerts.
    pub const ALERT: &str = "alert";
}

/// A topic that hexflow reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Topic {
    /// Tracks of citylens. First, so that of records with one `ts` a track precedes its frames.
    CitylensTracks,
    /// Frames of citylens.
    CitylensFrames,
    /// Detections of citylens.
    CitylensDetections,
    /// Remapped tracks and frames.
    TrackMetadata,
    /// Detections by H3 cell.
    ClusterizationRequests,
    /// One event for each row written.
    AuditEvents,
    /// Readings of sensors. New topics come last: streams' names hold the number of their topic.
    Movements,
    /// What cameras recognised.
    CameraDetections,
    /// Alerts that fire and that are over.
    Alerts,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 9] = [
        Topic::CitylensTracks,
        Topic::CitylensFrames,
        Topic::CitylensDetections,
        Topic::TrackMetadata,
        Topic::ClusterizationRequests,
        Topic::AuditEvents,
        Topic::Movements,
        Topic::CameraDetections,
        Topic::Alerts,
    ];

    /// The topic's name.
    pub fn name(self) -> &'static str {
        match self {
            Topic::CitylensTracks => "axion.sense.citylens.track.lifecycle",
            Topic::CitylensFrames => "axion.sense.citylens.frame.lifecycle",
            Topic::CitylensDetections => "axion.sense.citylens.detections",
            Topic::TrackMetadata => "axion.sense.track.metadata",
            Topic::ClusterizationRequests => "clusterization_requests",
            Topic::AuditEvents => "axion.sense.audit.events",
            Topic::Movements => "movements",
            Topic::CameraDetections => "camera-detections",
            Topic::Alerts => "alerts",
        }
    }

    /// The topic of that name, if it is one of hexflow's.
    pub fn named(name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// The number of partitions it is created with.
    pub fn partitions(self) -> u32 {
        match self {
            Topic::CitylensTracks | Topic::CitylensFrames | Topic::CitylensDetections => 24,
            Topic::TrackMetadata | Topic::ClusterizationRequests | Topic::Movements | Topic::CameraDetections => 12,
            Topic::AuditEvents | Topic::Alerts => 6,
        }
    }

    /// The message types that it may carry.
    pub fn message_types(self) -> &'static [&'static str] {
        match self {
            Topic::CitylensTracks => &[kind::CITYLENS_TRACK],
            Topic::CitylensFrames => &[kind::CITYLENS_FRAME],
            Topic::CitylensDetections => &[kind::CITYLENS_DETECTION],
            Topic::TrackMetadata => {
                &[kind::TRACK, kind::FRAME, "track-status-update", "track-matching-request", "track-matching-result"]
            }
            Topic::ClusterizationRequests => &[kind::CLUSTERIZATION_REQUEST],
            Topic::AuditEvents => &[kind::AUDIT_EVENT],
            Topic::Movements => &[kind::MOVEMENT],
            Topic::CameraDetections => &[kind::CAMERA_DETECTION],
            Topic::Alerts => &[kind::ALERT],
        }
    }
}

/// The partition that librdkafka's default partitioner gives a key: its CRC-32 modulo their number.
///
/// ```
/// # use hexflow_dataflows::messages::topic::partition_of;
/// assert_eq!(partition_of("ct-338148873", 24), 16);
/// ```
pub fn partition_of(key: &str, partitions: u32) -> u32 {
    crc32fast::hash(key.as_bytes()) % partitions
}
