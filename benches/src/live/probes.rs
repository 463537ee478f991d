//! Looks for records in a store until a reader can see them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

use super::producer::Probe;
use super::reader::Reader;

/// Time between two looks: what is found was there for half of it, on average.
const PERIOD: Duration = Duration::from_millis(100);

/// Whoever was not found by then is lost.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks for all of `probes` until no more come; their latencies, ms.
pub(crate) fn look(reader: &Reader, probes: &Receiver<Probe>) -> Result<Histogram<u64>> {
    let mut latencies = Histogram::new_with_bounds(1, 600_000, 3)?;
    let mut wanted: BTreeMap<String, Instant> = BTreeMap::new();
    let mut is_over = false;
    while !(is_over && wanted.is_empty()) {
        loop {
            match probes.try_recv() {
                Ok((id, when)) => drop(wanted.insert(id, when)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_over = true;
                    break;
                }
            }
        }
        if !wanted.is_empty() {
            let ids: Vec<_> = wanted.keys().map(String::as_str).collect();
            for id in reader.find(&ids)? {
                if let Some(when) = wanted.remove(&id) {
                    latencies.record(u64::try_from(when.elapsed().as_millis())?)?;
                }
            }
        }
        if let Some((id, _)) = wanted.iter().find(|(_, when)| when.elapsed() > PATIENCE) {
            bail!("the row of {id} cannot be read after {} s", PATIENCE.as_secs());
        }
        sleep(PERIOD);
    }
    Ok(latencies)
}
