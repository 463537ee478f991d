//! The citylens messages as nearly all producers write them, read without the general parser: see [`Scan`].
//!
//! `None` says nothing about the message but that it is not plain: the general parser reads it then, and says what is wrong
//! with it if something is.

use std::borrow::Cow;

use super::citylens::{Detection, Frame, Track};
use super::gps::Gps;
use super::scan::Scan;
use super::value::{BoundingBox, Finite, Fraction, Heading, Id, LatLon, Latitude, Location, Longitude, TrackStatus};

/// Reads an object's members, each at most once and in any order, into variables of their names: required ones and, behind
/// the bar, optional ones, which may be null, too.
macro_rules! members {
    ($scan:ident, { $($name:literal => $slot:ident: $read:expr,)* | $($maybe_name:literal => $maybe:ident: $read_maybe:expr,)* }) => {
        $(let mut $slot = None;)*
        $(let mut $maybe = None;)*
        $scan.begin()?;
        while let Some(name) = $scan.name()? {
            match name {
                $($name => once(&mut $slot, $read)?,)*
                $($maybe_name => once(&mut $maybe, if $scan.null() { None } else { Some($read_maybe) })?,)*
                _ => return None,
            }
        }
        $(let $slot = $slot?;)*
        $(let $maybe = $maybe.flatten();)*
    };
}

/// Fills a slot; a member that comes twice is wrong.
#[inline]
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Reads a `citylens-track`.
pub fn track<const ESCAPED: bool>(text: &str) -> Option<Track<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        b"trackId" => track_id: Id::new(scan.text()?)?,
        b"status" => status: TrackStatus::named(scan.text()?)?,
        b"startedAt" => started_at: scan.instant()?,
        b"updatedAt" => updated_at: scan.instant()?,
        |
        b"deviceId" => device_id: Id::new(scan.text()?)?,
        b"endedAt" => ended_at: scan.instant()?,
        b"distanceMeters" => distance_meters: Finite::new(scan.number()?)?,
    });
    scan.ended().then_some(Track { track_id, status, device_id, started_at, ended_at, distance_meters, updated_at })
}

/// Reads a `citylens-frame`.
pub fn frame<const ESCAPED: bool>(text: &str) -> Option<Frame<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        b"frameId" => frame_id: Id::new(scan.text()?)?,
        b"trackId" => track_id: Id::new(scan.text()?)?,
        b"sequence" => sequence: scan.integer()?,
        b"capturedAt" => captured_at: scan.instant()?,
        b"location" => location: read_location(scan)?,
        b"updatedAt" => updated_at: scan.instant()?,
        |
        b"heading" => heading: Heading::new(scan.number()?)?,
        b"speed" => speed: Finite::new(scan.number()?)?,
        b"imageUrl" => image_url: scan.text()?.into(),
        b"gps" => gps: read_gps(scan)?,
    });
    let frame =
        Frame { frame_id, track_id, sequence, captured_at, location, heading, speed, image_url, gps, updated_at };
    scan.ended().then_some(frame)
}

/// Reads a `citylens-detection`.
pub fn detection<const ESCAPED: bool>(text: &str) -> Option<Detection<'_>> {
    let scan = &mut Scan::<ESCAPED>::new(text);
    members!(scan, {
        b"detectionId" => detection_id: Id::new(scan.text()?)?,
        b"frameId" => frame_id: Id::new(scan.text()?)?,
        b"trackId" => track_id: Id::new(scan.text()?)?,
        b"detector" => detector: scan.text()?.into(),
        b"className" => class_name: scan.text()?.into(),
        b"confidence" => confidence: Fraction::new(scan.number()?)?,
        b"bbox" => bbox: read_bounding_box(scan)?,
        b"location" => location: read_lat_lon(scan)?,
        b"detectedAt" => detected_at: scan.instant()?,
        b"updatedAt" => updated_at: scan.instant()?,
        |
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
        b"lat" => lat: Latitude::new(scan.number()?)?,
        b"lon" => lon: Longitude::new(scan.number()?)?,
        |
        b"altitude" => altitude: Finite::new(scan.number()?)?,
        b"accuracy" => accuracy: Finite::new(scan.number()?)?,
    });
    Some(Location { lat, lon, altitude, accuracy })
}

fn read_lat_lon<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<LatLon> {
    members!(scan, {
        b"lat" => lat: Latitude::new(scan.number()?)?,
        b"lon" => lon: Longitude::new(scan.number()?)?,
        |
    });
    Some(LatLon { lat, lon })
}

fn read_bounding_box<const ESCAPED: bool>(scan: &mut Scan<'_, ESCAPED>) -> Option<BoundingBox> {
    members!(scan, {
        b"x" => x: Finite::new(scan.number()?)?,
        b"y" => y: Finite::new(scan.number()?)?,
        b"width" => width: Finite::new(scan.number()?)?,
        b"height" => height: Finite::new(scan.number()?)?,
        |
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
        b"at" => _at: scan.instant()?,
        b"lat" => _lat: Latitude::new(scan.number()?)?,
        b"lon" => _lon: Longitude::new(scan.number()?)?,
        |
        b"altitude" => _altitude: Finite::new(scan.number()?)?,
        b"accuracy" => _accuracy: Finite::new(scan.number()?)?,
        b"speed" => _speed: Finite::new(scan.number()?)?,
        b"heading" => _heading: Heading::new(scan.number()?)?,
    });
    Some(())
}
