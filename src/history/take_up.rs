//! Before a run writes: whose history it is, and what an earlier run has left in it that its store does not know.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use hexflow_dataflows::cameras::changes::{Changes, Stored};
use hexflow_dataflows::marks::Mark;
use serde::{Deserialize, Serialize};

use super::name::{self, FOLDER, STORE};
use crate::objects::Store;
use crate::sinks::{Rows, Sink};
use crate::telemetry::events;

/// Names the store that a history is of.
#[derive(Serialize, Deserialize)]
struct Owner {
    store: i64,
}

/// Makes `history` that of a store, of which `stored` is known and which `sink` writes, and takes away the files that the store
/// knows nothing of: of rows that are settled later than its mark. Fails if it is another store's.
///
/// Each store has a number, so that a new one does not go on with what another has written: it would have rows twice.
pub fn take_up(history: &mut Store, stored: &[Stored], sink: &mut impl Sink) -> Result<()> {
    let marks = || stored.iter().filter_map(|stored| if let Stored::Mark(mark) = stored { Some(*mark) } else { None });
    let number = match marks().find_map(|mark| if let Mark::Store(number) = mark { Some(number) } else { None }) {
        Some(number) => number,
        None => numbered(sink)?,
    };
    claim(history, number)?;
    let settled_ms = marks().find_map(|mark| if let Mark::Settled(ms) = mark { Some(ms) } else { None });
    let listed = match settled_ms {
        None => history.list(FOLDER, None)?,
        // What is settled later is no earlier.
        Some(ms) => history.list(FOLDER, Some(&name::day(ms)))?,
    };
    let is_unknown = |name: &String| name::upto_ms(name).is_some_and(|upto_ms| Some(upto_ms) > settled_ms);
    let unknown: Vec<String> = listed.into_iter().map(|listed| listed.name).filter(is_unknown).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    history.delete_all(&unknown)?;
    events::history_set_back(unknown.len());
    Ok(())
}

/// Gives a store its number.
fn numbered(sink: &mut impl Sink) -> Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let number = i64::try_from(now).unwrap_or(i64::MAX);
    let changes = Changes { marks: vec![Mark::Store(number)], ..Changes::default() };
    let work = sink.preparer()(&Rows::Cameras(Arc::new(changes)));
    sink.write(work)?;
    sink.commit()?;
    Ok(number)
}

/// Writes down whose history it is, or looks whether it is this store's.
fn claim(history: &mut Store, number: i64) -> Result<()> {
    let shown = history.shown().to_owned();
    match history.get_all(&[STORE])?.pop().flatten() {
        Some(bytes) => {
            let owner: Owner =
                serde_json::from_slice(&bytes).with_context(|| format!("{shown}: {STORE} cannot be understood"))?;
            if owner.store != number {
                bail!(
                    "cameras.history: {shown} has rows of another store, and would have rows twice: name another place"
                );
            }
            Ok(())
        }
        None if history.list(FOLDER, None)?.is_empty() => {
            history.put_all(vec![(STORE.to_owned(), serde_json::to_vec(&Owner { store: number })?)])
        }
        None => bail!("cameras.history: {shown} has files in {FOLDER}, and no {STORE}: name another place"),
    }
}
