//! Who gets how much: frames are dealt to tracks, and detections to frames, so that the totals come out exactly.
//!
//! Each draw's mean is what is left divided by who is left, so that an excess is paid back by those who follow; the last
//! takes the rest, which by then is about its mean. Nothing but what is left is remembered.

use anyhow::{Result, ensure};

use super::args::{CitylensArgs, Options, ensure_writable};
use super::random::Random;

/// A track has at most this many times the mean of frames, but for the last.
const LONGEST_TRACK: f64 = 1.5;

/// What is left to be made.
#[derive(Debug)]
pub(super) struct Plan {
    tracks_left: u64,
    frames_untaken: u64,
    frames_left: u64,
    detections_left: u64,
    /// Between two frames of a vehicle, ms.
    pub(super) interval_ms: f64,
    /// Of a track, ms.
    pub(super) mean_track_ms: f64,
    /// How many vehicles drive.
    pub(super) vehicles: u32,
}

impl Plan {
    /// Checks that what is asked for can be made.
    pub(super) fn new(args: &Options) -> Result<Plan> {
        let detections = args.detections();
        let CitylensArgs { tracks: tracks_left, frames, detections_per_frame, vehicles, .. } = args.citylens;
        let frames = frames.unwrap_or((detections as f64 / detections_per_frame).ceil() as u64);
        ensure!(frames > 0 || detections == 0, "--detections {detections} need at least one frame");
        ensure!(tracks_left > 0 || frames == 0, "--tracks 0 leaves {frames} frames without a track");
        let tracks = tracks_left.max(1) as f64;
        let longest = frames as f64 / tracks * LONGEST_TRACK;
        ensure!(longest < f64::from(u32::MAX), "{frames} frames on {tracks} tracks: a track's sequence ends at 2^32");
        let vehicles = u64::from(vehicles).min(tracks_left.max(1)) as u32;
        let interval_ms = 1e3 / args.rate();
        let span_ms = (frames as f64 / f64::from(vehicles) + longest) * interval_ms * 1.2;
        ensure_writable(args.start, span_ms, "fewer frames, more --vehicles or a higher --rate")?;
        Ok(Plan {
            tracks_left,
            frames_untaken: frames,
            frames_left: frames,
            detections_left: detections,
            interval_ms,
            mean_track_ms: frames as f64 / tracks * interval_ms,
            vehicles,
        })
    }

    /// The frames of the next track, if there is one: half to one and a half times the mean.
    pub(super) fn take_track(&mut self, random: &mut Random) -> Option<u64> {
        self.tracks_left = self.tracks_left.checked_sub(1)?;
        let tracks = self.tracks_left + 1;
        let mean = self.frames_untaken as f64 / tracks as f64;
        let length = random.between(0.5, LONGEST_TRACK) * mean;
        let drawn = random.round(length);
        let frames = match self.frames_untaken.checked_sub(self.tracks_left) {
            _ if self.tracks_left == 0 => self.frames_untaken,
            // As long as there are enough, each track has one, and leaves one for each that follows.
            Some(most) if most > 0 => drawn.clamp(1, most),
            _ => drawn.min(self.frames_untaken),
        };
        self.frames_untaken -= frames;
        Some(frames)
    }

    /// The detections of the next frame: none to twice the mean.
    pub(super) fn take_frame(&mut self, random: &mut Random) -> u64 {
        let mean = self.detections_left as f64 / self.frames_left.max(1) as f64;
        self.frames_left = self.frames_left.saturating_sub(1);
        let number = random.between(0.0, 2.0 * mean);
        let drawn = random.round(number);
        let detections = if self.frames_left == 0 { self.detections_left } else { drawn.min(self.detections_left) };
        self.detections_left -= detections;
        detections
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::args;

    fn dealt(options: &[&str]) -> (Vec<u64>, Vec<u64>) {
        let (mut plan, mut random) = (Plan::new(&args(options)).unwrap(), Random::new(1, 0));
        let tracks: Vec<u64> = std::iter::from_fn(|| plan.take_track(&mut random)).collect();
        let frames = (0..tracks.iter().sum()).map(|_| plan.take_frame(&mut random)).collect();
        (tracks, frames)
    }

    #[test]
    fn all_is_dealt_evenly_and_exactly() {
        let (tracks, frames) = dealt(&["--tracks=50", "--detections=10000"]);
        assert_eq!((tracks.len(), tracks.iter().sum::<u64>()), (50, 5000));
        assert_eq!((frames.len(), frames.iter().sum::<u64>()), (5000, 10_000));
        assert!(tracks.iter().all(|n| (30..=200).contains(n)), "{tracks:?}");
        assert!(frames.iter().all(|&n| n <= 12) && frames.contains(&0), "{:?}", frames.iter().max());
    }

    #[test]
    fn scarcity_is_dealt_too() {
        let (tracks, frames) = dealt(&["--tracks=100", "--frames=30", "--detections=7"]);
        assert_eq!((tracks.len(), tracks.iter().sum::<u64>()), (100, 30));
        assert_eq!(frames.iter().sum::<u64>(), 7);
        assert!(dealt(&["--tracks=40", "--frames=40", "--detections=0"]).0.iter().all(|&n| n == 1));
        assert_eq!(dealt(&["--tracks=0", "--detections=0"]), (vec![], vec![]));
    }

    #[test]
    fn the_impossible_is_refused() {
        for (options, why) in [
            (&["--tracks=0", "--detections=9"][..], "without a track"),
            (&["--frames=0", "--detections=9"], "at least one frame"),
            (&["--tracks=1", "--frames=9000000000", "--rate=100"], "sequence"),
            (&["--tracks=1", "--frames=1000000000", "--start=9990-01-01T00:00:00Z"], "9998"),
            (&["--start=1969-01-01T00:00:00Z"], "1970"),
        ] {
            let error = Plan::new(&args(options)).unwrap_err().to_string();
            assert!(error.contains(why), "{options:?}: {error}");
        }
    }
}
