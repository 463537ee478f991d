//! An archive as dumps that can be replayed: what is asked for is fetched before anything is read, and held against its
//! names.
//!
//! An archive is divided by hours, and a partition's order is that of its offsets, whatever their times. So each partition
//! becomes one dump, in the order of its offsets, in an unnamed file of TMPDIR: as much room is needed there as the objects
//! take.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use hexflow_dataflows::messages::topic::Topic;
use hexflow_dataflows::pipelines::Pipelines;
use xxhash_rust::xxh3::xxh3_128;

use super::hour::Hour;
use super::range::{MANIFEST, Range};
use super::untangle::untangle;
use crate::cli::Failure;
use crate::config::Config;
use crate::objects::{Place, Store};
use crate::sources::dump::files::Dump;

/// Objects that are fetched at a time, and held in memory.
const AT_ONCE: usize = 8;

/// What the folders of a topic's objects begin with.
const TOPIC: &str = "topic=";

/// What is wanted of an archive.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Whose topics.
    pub pipelines: Pipelines,
    /// The first hour.
    pub from: Option<Hour>,
    /// The first hour that is wanted no more.
    pub to: Option<Hour>,
}

/// The URL that a path is, if it is one.
pub fn url(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.starts_with("s3://") || text.starts_with("file://"))
}

/// The dumps of the archive at `url`, or of a topic, a day or an hour in it: one a partition.
///
/// A usage error if it is no URL of an archive. Fails if an object is not there, or does not hold what its name says.
pub fn dumps(url: &str, config: &Config, wanted: Wanted) -> Result<Vec<Dump>, Failure> {
    let (root, inside) = split(url);
    let place = Place::parse(root).map_err(Failure::usage)?;
    let mut store = Store::open(&place, config)?;
    let mut partitions: BTreeMap<(Topic, u32), BTreeSet<(u64, Range)>> = BTreeMap::new();
    for range in ranges(&mut store, url)? {
        let name = range.object_name();
        let is_inside = inside.is_empty() || name.strip_prefix(inside).is_some_and(|rest| rest.starts_with('/'));
        let is_wanted = wanted.from.is_none_or(|from| range.hour >= from)
            && wanted.to.is_none_or(|to| range.hour < to)
            && wanted.pipelines.reader(range.topic).is_some();
        if is_inside && is_wanted {
            partitions.entry((range.topic, range.partition)).or_default().insert((range.first, range));
        }
    }
    if partitions.is_empty() {
        return Err(Failure::Run(anyhow::anyhow!(
            "nothing of the archive {url} is asked for: check --from, --to and --pipelines, and the URL's \
             topic, day and hour"
        )));
    }
    let mut dumps = Vec::new();
    for ((topic, partition), ranges) in partitions {
        let ranges: Vec<Range> = ranges.into_iter().map(|(_, range)| range).collect();
        let mut spool = tempfile::tempfile().context("cannot make a temporary file: check TMPDIR")?;
        fetch(&mut store, &ranges, &mut spool)?;
        let bytes = spool.metadata().context("cannot look at a temporary file")?.len();
        dumps.push(Dump::spooled(format!("{} {} partition {partition}", store.shown(), topic.name()), bytes, spool));
    }
    Ok(dumps)
}

/// The archive's own URL, and what of it is meant: `topic=T/day=D/hour=H` or less.
fn split(url: &str) -> (&str, &str) {
    let url = url.trim_end_matches('/');
    url.find(&format!("/{TOPIC}")).map_or((url, ""), |at| (&url[..at], &url[at + 1..]))
}

/// What the manifest lists; where there is none, what the objects' names say.
fn ranges(store: &mut Store, url: &str) -> Result<Vec<Range>> {
    let listed = store.list(MANIFEST, None)?;
    let mut ranges = Vec::with_capacity(listed.len());
    for listed in &listed {
        match Range::of_entry_name(&listed.name) {
            Some(range) => ranges.push(range),
            None => bail!("{}/{}: no entry of a manifest has such a name: take it away", store.shown(), listed.name),
        }
    }
    if ranges.is_empty() {
        ranges = store.list("", None)?.iter().filter_map(|listed| Range::of_object_name(&listed.name)).collect();
    }
    if ranges.is_empty() {
        bail!("no archive at {url}: there is neither a {MANIFEST} nor an object of {TOPIC}..; check the URL");
    }
    Ok(ranges)
}

/// Writes the lines of a partition's objects, which are ordered by their first offsets, into `spool`.
fn fetch(store: &mut Store, ranges: &[Range], spool: &mut File) -> Result<()> {
    let mut overlapping: Vec<(Range, Vec<u8>)> = Vec::new();
    for ranges in ranges.chunks(AT_ONCE) {
        let names: Vec<String> = ranges.iter().map(Range::object_name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (range, object) in ranges.iter().zip(store.get_all(&names)?) {
            let object = verified(store.shown(), range, object)?;
            if overlapping.iter().all(|(before, _)| before.last < range.first) {
                append(&std::mem::take(&mut overlapping), spool)?;
            }
            overlapping.push((*range, object));
        }
    }
    append(&overlapping, spool)
}

/// The object, if it is what was archived.
fn verified(archive: &str, range: &Range, object: Option<Vec<u8>>) -> Result<Vec<u8>> {
    let name = range.object_name();
    let Some(object) = object else {
        bail!(
            "{archive}/{name} is not there, but the manifest lists it: bring it back, or take its entry {} away to \
             replay without it",
            range.entry_name()
        );
    };
    let hash = xxh3_128(&object);
    if hash != range.hash {
        bail!(
            "{archive}/{name} has the checksum {hash:032x}, not {:032x}: it is not what was \
             archived ({} bytes); bring it back",
            range.hash,
            object.len()
        );
    }
    Ok(object)
}

/// Appends objects: one as it is, since packed streams may follow one another; of several their lines.
fn append(objects: &[(Range, Vec<u8>)], spool: &mut File) -> Result<()> {
    match objects {
        [] => Ok(()),
        [(_, object)] => spool.write_all(object).context("cannot write a temporary file: check TMPDIR"),
        objects => untangle(objects, spool),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::*;
    use crate::archive::part::Part;
    use crate::dump::write::{Outgoing, write_line};
    use crate::sources::dump::envelope;

    const HOUR_MS: i64 = 3_600_000;

    /// Archives messages of partition 3 of movements, each an offset, as one object of an hour.
    fn put(store: &mut Store, hour: i64, offsets: &[u64]) {
        let mut part = Part::new(offsets[0], hour * HOUR_MS);
        for offset in offsets.iter().copied() {
            let (topic, ts) = ("movements", hour * HOUR_MS + i64::try_from(offset).unwrap());
            let record = Outgoing { topic, partition: 3, offset, ts, headers: &[], key: None, payload: None };
            part.push(offset, ts, |line| write_line(line, &record)).unwrap();
        }
        let sealed = part.seal(Topic::Movements, 3, Hour::of_ms(hour * HOUR_MS)).unwrap();
        store.put_all(vec![sealed.object, sealed.entry]).unwrap();
    }

    /// The offsets that are to be replayed, and the times' hours.
    fn fetched(url: &str, wanted: Wanted) -> Vec<(u64, i64)> {
        let dumps = dumps(url, &Config::default(), wanted).unwrap();
        assert_eq!(dumps.len(), 1);
        let mut text = String::new();
        dumps[0].open(Arc::default()).unwrap().read_to_string(&mut text).unwrap();
        let heads = text.lines().map(|line| envelope::head(line.as_bytes()).unwrap().0);
        heads.map(|head| (head.offset, head.ts / HOUR_MS)).collect()
    }

    #[test]
    fn a_partition_is_in_the_order_of_its_offsets_and_each_message_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", folder.path().display());
        let mut store = Store::open(&Place::parse(&url).unwrap(), &Config::default()).unwrap();
        put(&mut store, 10, &[0, 1, 4, 7]);
        put(&mut store, 11, &[2, 3, 5, 6]);
        // Another member archived some of it, too, and cut it elsewhere.
        put(&mut store, 10, &[1, 4]);
        // A clock ran back for hours.
        put(&mut store, 2, &[8, 9]);
        put(&mut store, 11, &[10]);
        let mut wanted = Wanted { pipelines: Pipelines::all(), from: None, to: None };
        let all = [10, 10, 11, 11, 10, 11, 11, 10, 2, 2, 11];
        assert_eq!(fetched(&url, wanted), (0..).zip(all).collect::<Vec<_>>());
        // Names say as much as the manifest does.
        std::fs::remove_dir_all(folder.path().join(MANIFEST)).unwrap();
        assert_eq!(fetched(&url, wanted), (0..).zip(all).collect::<Vec<_>>());
        (wanted.from, wanted.to) = (Some(Hour::of_ms(2 * HOUR_MS)), Some(Hour::of_ms(11 * HOUR_MS)));
        assert_eq!(fetched(&url, wanted), [(0, 10), (1, 10), (4, 10), (7, 10), (8, 2), (9, 2)]);
        let part = format!("{url}/topic=movements/day=1970-01-01/hour=02");
        assert_eq!(fetched(&part, Wanted { from: None, to: None, ..wanted }), [(8, 2), (9, 2)]);
    }

    #[test]
    fn a_url_names_an_archive_or_a_part_of_it() {
        assert_eq!(split("s3://b/archive/"), ("s3://b/archive", ""));
        assert_eq!(split("s3://b/topic=movements/day=2026-11-21"), ("s3://b", "topic=movements/day=2026-11-21"));
        assert_eq!(url(Path::new("dumps/s3://x")), None);
        assert_eq!(url(Path::new("file:///a")), Some("file:///a"));
    }
}
