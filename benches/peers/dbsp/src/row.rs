//! A detection as the circuit holds it: a record that rkyv can store, ordered by its id first.

use dbsp::algebra::F64;
use feldera_macros::{IsNone, OrdRepr};
use size_of::SizeOf;

#[derive(
    Clone,
    Debug,
    Default,
    Eq,
    Hash,
    IsNone,
    Ord,
    OrdRepr,
    PartialEq,
    PartialOrd,
    SizeOf,
    rkyv::Archive,
    rkyv::Deserialize,
    rkyv::Serialize,
)]
#[archive_attr(derive(Eq, Ord, PartialEq, PartialOrd))]
pub struct Detection {
    pub detection_id: String,
    pub frame_id: String,
    pub citylens_track_id: String,
    pub org_id: Option<String>,
    pub request_id: String,
    pub detector: String,
    pub class_name: String,
    pub confidence: F64,
    pub bbox: [F64; 4],
    pub lat: F64,
    pub lon: F64,
    pub detected_at: i64,
    pub updated_at: i64,
}
