//! The citylens messages as nearly all producers write them, read without the general parser: see [`Scan`].
//!
//! `None` says nothing about the message but that it is not plain: the general parser reads it then, and says what is wrong
//! with it if something is.

use std::borrow::Cow;

use super::citylens::{Detection, Frame, Track};
use super::gps::Gps;
use super::scan::Scan;
use super::value::{BoundingBox, Finite, Fraction, Heading, Id, LatLon, Latitude, Location, Longitude, TrackStatus};

/// Reads an object's members into variables; optional ones may be missing, or null.
///
/// They are tried in the order given, the usual one, where a name costs one comparison; what is left may come in any order.
macro_rules! members {
    ($scan:ident, { $($name:literal => $kind:ident $slot:ident: $read:expr,)* }) => {
        $(let mut $slot = None;)*
        let mut more = $scan.begin()?;
        $(if more && $scan.member(concat!("\"", $name, "\":"), concat!("\\\"", $name, "\\\":")) {
            $slot = Some(members!(@$kind $scan, $read));
            more = $scan.more()?;
        })*
        while more {
            match $scan.name()? {
                $($name => once(&mut $slot, members!(@$kind $scan, $read))?,)*
                _ => return None,
            }
            more = $scan.more()?;
        }
        $(let $slot = members!(@$kind $slot);)*
    };
    (@required $scan:ident, $read:expr) => { $read };
    (@optional $scan:ident, $read:expr) => { if $scan.null() { None } else { Some($read) } };
    (@required $slot:ident) => { $slot? };
    (@optional $slot:ident) => { $slot.flatten() };
}

pub(super) use members;

/// Fills a slot; a member that comes twice is wrong.
pub(super) fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Reads a `citylens-track`.
pub fn track<const ESCAPED: bool>(text: &str) -> Option<Track<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        "trackId" => required track_id: Id::new(scan.text()?)?,
        "status" => required status: TrackStatus::named(scan.text()?)?,
        "deviceId" => optional device_id: Id::new(scan.text()?)?,
        "startedAt" => required started_at: scan.instant()?,
        "endedAt" => optional ended_at: scan.instant()?,
        "distanceMeters" => optional distance_meters: Finite::new(scan.number()?)?,
        "updatedAt" => required updated_at: scan.instant()?,
    });
    scan.ended().then_some(Track { track_id, status, device_id, started_at, ended_at, distance_meters, updated_at })
}

/// Reads a `citylens-frame`.
pub fn frame<const ESCAPED: bool>(text: &str) -> Option<Frame<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        "frameId" => required frame_id: Id::new(scan.text()?)?,
        "trackId" => required track_id: Id::new(scan.text()?)?,
        "sequence" => required sequence: scan.integer()?,
        "capturedAt" => required captured_at: scan.instant()?,
        "location" => required location: read_location(scan)?,
        "heading" => optional heading: Heading::new(scan.number()?)?,
        "speed" => optional speed: Finite::new(scan.number()?)?,
        "imageUrl" => optional image_url: scan.text()?.into(),
        "gps" => optional gps: read_gps(scan)?,
        "updatedAt" => required updated_at: scan.instant()?,
    });
    let frame =
        Frame { frame_id, track_id, sequence, captured_at, location, heading, speed, image_url, gps, updated_at };
    scan.ended().then_some(frame)
}

/// Reads a `citylens-detection`.
pub fn detection<const ESCAPED: bool>(text: &str) -> Option<Detection<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        "detectionId" => required detection_id: Id::new(scan.text()?)?,
        "frameId" => required frame_id: Id::new(scan.text()?)?,
        "trackId" => required track_id: Id::new(scan.text()?)?,
        "detector" => required detector: scan.text()?.into(),
        "className" => required class_name: scan.text()?.into(),
        "confidence" => required confidence: Fraction::new(scan.number()?)?,
        "bbox" => required bbox: read_bounding_box(scan)?,
        "location" => required location: read_lat_lon(scan)?,
        "detectedAt" => required detected_at: scan.instant()?,
        "updatedAt" => required updated_at: scan.instant()?,
    });
    scan.ended().then_some(Detection {
        detection_id,
        frame_id,
        track_id,
        detector,
        class_name,
        confidence,
        bbox,
        location,
        detected_at,
        updated_at,
    })
}

fn read_location<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<Location> {
    members!(scan, {
        "lat" => required lat: Latitude::new(scan.number()?)?,
        "lon" => required lon: Longitude::new(scan.number()?)?,
        "altitude" => optional altitude: Finite::new(scan.number()?)?,
        "accuracy" => optional accuracy: Finite::new(scan.number()?)?,
    });
    Some(Location { lat, lon, altitude, accuracy })
}

fn read_lat_lon<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<LatLon> {
    members!(scan, {
        "lat" => required lat: Latitude::new(scan.number()?)?,
        "lon" => required lon: Longitude::new(scan.number()?)?,
    });
    Some(LatLon { lat, lon })
}

fn read_bounding_box<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<BoundingBox> {
    members!(scan, {
        "x" => required x: Finite::new(scan.number()?)?,
        "y" => required y: Finite::new(scan.number()?)?,
        "width" => required width: Finite::new(scan.number()?)?,
        "height" => required height: Finite::new(scan.number()?)?,
    });
    Some(BoundingBox { x, y, width, height })
}

/// A list of points, each checked; its text without the backslashes that escape its quotes.
fn read_gps<'a, const ESCAPED: bool>(scan: &mut Scan<'a, ESCAPED>) -> Option<Gps<'a>> {
    let start = scan.at();
    let mut more = scan.skip(b'[').then(|| !scan.skip(b']'))?;
    while more {
        read_gps_point(scan)?;
        more = scan.skip(b',');
        if !more {
            scan.skip(b']').then_some(())?;
        }
    }
    let text = scan.since(start)?;
    Some(Gps(if ESCAPED { Cow::Owned(text.replace("\\\"", "\"")) } else { Cow::Borrowed(text) }))
}

fn read_gps_point<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<()> {
    members!(scan, {
        "at" => required _at: scan.instant()?,
        "lat" => required _lat: Latitude::new(scan.number()?)?,
        "lon" => required _lon: Longitude::new(scan.number()?)?,
        "altitude" => optional _altitude: Finite::new(scan.number()?)?,
        "accuracy" => optional _accuracy: Finite::new(scan.number()?)?,
        "speed" => optional _speed: Finite::new(scan.number()?)?,
        "heading" => optional _heading: Heading::new(scan.number()?)?,
    });
    Some(())
}
