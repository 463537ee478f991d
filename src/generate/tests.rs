//! The generator as a whole: what is read back from its dumps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use clap::Parser;
use hexflow_dataflows::messages::citylens::{Detection, Frame, Track};
use hexflow_dataflows::messages::topic::partition_of;
use hexflow_dataflows::messages::value::TrackStatus;
use serde_json::Value;

use super::city::CITIES;
use super::log::TOPICS;
use super::street::Grid;
use super::{GenerateArgs, Options, Summary, generate};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: GenerateArgs,
}

pub(super) fn parse(options: &[&str], dir: &Path) -> Result<Options, clap::Error> {
    let words = ["generate"].into_iter().chain(options.iter().copied()).map(Into::into);
    Line::try_parse_from(words.chain([dir.as_os_str().to_owned()])).map(|line| line.args.0)
}

pub(super) fn args_in(dir: &Path, options: &[&str]) -> Options {
    parse(options, dir).unwrap()
}

pub(super) fn args(options: &[&str]) -> Options {
    args_in(Path::new("nowhere"), options)
}

/// The three dumps that the options make.
fn dumps(options: &[&str]) -> ([String; 3], Summary) {
    let dir = tempfile::tempdir().unwrap();
    let summary = generate(&args_in(dir.path(), options)).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(format!("{name}.ndjson"))).unwrap();
    (TOPICS.map(|topic| read(topic.name())), summary)
}

/// A record as it is read back.
pub(super) struct Record {
    pub(super) partition: u64,
    pub(super) offset: u64,
    pub(super) ts: i64,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) key: String,
    pub(super) payload: Option<String>,
}

pub(super) fn records(dump: &str) -> Vec<Record> {
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let texts: Vec<String> = serde_json::from_value(value["headers"].clone()).unwrap();
        Record {
            partition: value["partition"].as_u64().unwrap(),
            offset: value["offset"].as_u64().unwrap(),
            ts: value["ts"].as_i64().unwrap(),
            headers: texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
            key: value["key"].as_str().unwrap().to_owned(),
            payload: value["payload"].as_str().map(str::to_owned),
        }
    };
    dump.lines().map(read).collect()
}

const ALL_FAULTS: [&str; 6] =
    ["--detections=3000", "--tracks=40", "--duplicates=0.2", "--stale=0.1", "--malformed=0.05", "--orphans=0.05"];

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let again = dumps(&ALL_FAULTS);
    assert!(dumps(&ALL_FAULTS) == again);
    let other = dumps(&[&ALL_FAULTS[..], &["--seed=8"]].concat());
    assert!((0..3).all(|n| other.0[n] != again.0[n]));
}

/// The bytes are part of what a seed promises: whoever changes them on purpose changes these sums.
#[test]
fn a_seed_gives_these_bytes_on_every_machine() {
    assert_eq!(dumps(&ALL_FAULTS).0.map(|dump| crc32fast::hash(dump.as_bytes())), CHECKSUMS);
}

const CHECKSUMS: [u32; 3] = [619_061_120, 3_993_997_260, 3_293_776_310];

#[test]
fn counts_are_exact_and_every_fresh_message_is_sound() {
    let ([tracks, frames, detections], summary) = dumps(&["--tracks=30", "--detections=4000", "--vehicles=12"]);
    let [tracks, frames, detections] = [records(&tracks), records(&frames), records(&detections)];
    assert_eq!((frames.len(), detections.len()), (2000, 4000));
    assert_eq!(summary.by_topic(), [tracks.len() as u64, 2000, 4000]);
    let mut statuses: BTreeMap<TrackName, usize> = BTreeMap::new();
    for record in &tracks {
        let track: Track<'_> = serde_json::from_str(record.payload.as_deref().unwrap()).unwrap();
        assert_eq!((&*track.track_id.0, track.updated_at.ms), (&*record.key, record.ts));
        assert_eq!(track.ended_at.is_some(), track.status == TrackStatus::Finished);
        *statuses.entry(track.status.as_str()).or_default() += 1;
    }
    assert_eq!((statuses["started"], statuses["finished"]), (30, 30));
    assert!(statuses["recording"] > 5, "{statuses:?}");
    let mut sequences: BTreeMap<String, u32> = BTreeMap::new();
    let (mut ids, mut fixes) = (BTreeSet::new(), 0);
    for record in &frames {
        let frame: Frame<'_> = serde_json::from_str(record.payload.as_deref().unwrap()).unwrap();
        assert_eq!((&*frame.track_id.0, frame.captured_at.ms), (&*record.key, record.ts));
        let next = sequences.entry(record.key.clone()).or_default();
        assert_eq!(frame.sequence, *next);
        *next += 1;
        fixes += usize::from(frame.gps.is_some()); // reading it checks its points
        assert!(ids.insert(frame.frame_id.0.into_owned()));
    }
    assert!((100..400).contains(&fixes) && sequences.len() == 30);
    let mut seen = BTreeSet::new();
    for record in &detections {
        let detection: Detection<'_> = serde_json::from_str(record.payload.as_deref().unwrap()).unwrap();
        assert_eq!((&*detection.track_id.0, detection.detected_at.ms), (&*record.key, record.ts));
        assert!(ids.contains(&*detection.frame_id.0));
        assert!(seen.insert(detection.detection_id.0.into_owned()));
    }
}

type TrackName = &'static str;

#[test]
fn offsets_are_contiguous_and_time_goes_forward() {
    for dump in dumps(&ALL_FAULTS).0 {
        let (mut next, mut last) = ([0; 24], 0);
        for record in records(&dump) {
            assert_eq!(record.partition, u64::from(partition_of(&record.key, 24)));
            assert_eq!(record.offset, next[record.partition as usize]);
            next[record.partition as usize] += 1;
            assert!(record.ts >= last);
            last = record.ts;
            assert_eq!(record.headers["env"], "prod");
            assert!(record.headers["org-id"].starts_with("org-"));
        }
    }
}

/// A dump with faults must lead to the tables of one without: they come on top of the same fresh messages.
#[test]
fn faults_come_on_top_at_their_rates() {
    let clean = dumps(&["--detections=3000", "--tracks=40"]).0;
    let (faulty, summary) = dumps(&ALL_FAULTS);
    let payloads = |dump: &str| records(dump).into_iter().map(|r| (r.headers.get("request-id").cloned(), r.payload));
    for (clean, faulty) in clean.iter().zip(&faulty) {
        let mut rest: Vec<_> = payloads(faulty).collect();
        let fresh = payloads(clean).filter(|record| rest.contains(record)).count();
        assert_eq!(fresh, records(clean).len());
        rest.sort_unstable();
        let all = rest.len();
        rest.dedup();
        assert!(rest.len() < all, "there are repeats");
    }
    let [fresh, duplicates, stale, malformed, orphans] =
        [0, 1, 2, 3, 4].map(|cause| summary.records.iter().map(|causes| causes[cause]).sum::<u64>() as f64);
    for (share, expected) in [(duplicates, 0.2), (stale, 0.1), (malformed, 0.05), (orphans, 0.05)] {
        assert!((share / fresh - expected).abs() < 0.02, "{share} of {fresh}, not {expected}");
    }
}

#[test]
fn stale_versions_are_older_and_orphans_have_no_track() {
    let ([tracks, _, detections], _) = dumps(&["--detections=500", "--stale=1", "--orphans=1"]);
    let known: BTreeSet<String> = records(&tracks).into_iter().map(|record| record.key).collect();
    let mut newest: BTreeMap<String, Detection<'_>> = BTreeMap::new();
    let records = records(&detections);
    let (mut orphans, mut stale) = (0, 0);
    for record in &records {
        let detection: Detection<'_> = serde_json::from_str(record.payload.as_deref().unwrap()).unwrap();
        if !known.contains(&record.key) {
            orphans += 1;
        } else if let Some(first) = newest.get(&*detection.detection_id.0) {
            assert!(detection.updated_at < first.updated_at && detection.confidence != first.confidence);
            stale += 1;
        } else {
            newest.insert(detection.detection_id.0.clone().into_owned(), detection);
        }
    }
    assert_eq!((newest.len(), orphans, stale), (500, 500, 500));
}

#[test]
fn detections_lie_along_streets_and_come_back_to_the_same_places() {
    let grids: Vec<Grid> = (0..).zip(&CITIES).map(|(number, city)| Grid::new(number, city)).collect();
    let dumps = dumps(&["--tracks=24", "--detections=5000", "--detections-per-frame=3"]).0;
    let mut squares: BTreeMap<(String, i64, i64), usize> = BTreeMap::new();
    for record in records(&dumps[2]) {
        let detection: Detection<'_> = serde_json::from_str(record.payload.as_deref().unwrap()).unwrap();
        let (lat, lon) = (detection.location.lat.0, detection.location.lon.0);
        let grid = grids.iter().find(|g| (g.city.lat - lat).abs() < 0.1 && (g.city.lon - lon).abs() < 0.1);
        let point = grid.unwrap().city.point(lat, lon);
        let meters = grid.unwrap().meters_to_street(point);
        assert!(meters < 20.0, "{meters} m from any street"); // blocks are 120 m: evenly spread, two of five would be
        let square = ((point.east / 10.0) as i64, (point.north / 10.0) as i64);
        *squares.entry((detection.class_name.0.into_owned(), square.0, square.1)).or_default() += 1;
    }
    let again = squares.values().filter(|&&count| count > 1).sum::<usize>();
    assert!(again > 2500, "{again} of 5000 are of a thing seen more than once");
}

#[test]
fn event_time_spans_what_the_vehicles_need() {
    let summary = dumps(&["--tracks=40", "--frames=4000", "--detections=0", "--vehicles=10", "--rate=2"]).1;
    let seconds = (summary.last_ms - summary.first_ms.unwrap()) as f64 / 1e3;
    assert!((200.0..400.0).contains(&seconds), "{seconds} s, of 4000 frames / (10 vehicles x 2 Hz) = 200 s");
    assert_eq!(summary.first_ms, Some(1_767_225_600_000));
}

#[test]
fn the_ends_of_every_range_can_be_made() {
    for (options, expected) in [
        (&["--rate=0.001", "--detections=20"][..], 20),
        (&["--rate=100", "--detections=20"], 20),
        (&["--tracks=1", "--frames=1", "--detections=500"], 500),
        (&["--tracks=3", "--detections=0"], 0),
        (&["--tracks=0", "--detections=0"], 0),
        (&["--detections=10", "--duplicates=1", "--stale=1", "--malformed=1", "--orphans=1"], 50),
    ] {
        assert_eq!(dumps(options).1.by_topic()[2], expected, "{options:?}");
    }
}

#[test]
fn options_out_of_range_are_refused() {
    for option in ["--duplicates=1.5", "--stale=-0.1", "--orphans=nan", "--rate=0", "--vehicles=0", "--start=noon"] {
        let error = parse(&[option], Path::new("d")).unwrap_err().to_string();
        let name = option.split('=').next().unwrap();
        assert!(error.contains(name) && error.contains(option.split('=').next_back().unwrap()), "{error}");
    }
}
