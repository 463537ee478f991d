//! The merge by time, a batch of lines after another.
//!
//! A batch is read, then the places of its keys in the tables are touched, then it is applied. One after another, each
//! row would wait for memory; touched together, they wait together.

use anyhow::{Context, Result};

use super::lines::Input;
use super::message::{Record, Topic, head, record};
use super::state::{Named, State};
use super::unusual::Unusual;

/// Lines of a batch.
const BATCH: usize = 32;

/// Where the next line of a topic is.
#[derive(Clone, Copy)]
enum Next {
    /// It came in this time; headers begin there.
    Usual(u64, usize),
    /// It came in this time, and is the library's to read.
    Unusual(u64),
    /// In what is still to be read.
    Unread,
    Ended,
}

/// Takes a batch of lines; whether there were any.
pub(super) fn pass(inputs: &mut [Input; 3], state: &mut State) -> Result<bool> {
    for input in inputs.iter_mut() {
        input.lines()?;
    }
    let blocks = inputs.each_ref().map(Input::block);
    let lasts = inputs.each_ref().map(Input::is_last);
    let mut at = [0; 3];
    let mut next = [Next::Ended; 3];
    for topic in Topic::ALL {
        next[topic as usize] = look(blocks[topic as usize], lasts[topic as usize], topic)?;
    }
    let mut batch: Vec<Named<'_>> = Vec::with_capacity(BATCH);
    let mut unusual = None;
    while batch.len() < BATCH {
        let Some(topic) = earliest(&next) else { break };
        let which = topic as usize;
        let from = &blocks[which][at[which]..];
        let scanned = match next[which] {
            Next::Usual(_, headers) => record(&from[headers..], topic, &mut state.clock),
            _ => None,
        };
        let Some((record, rest)) = scanned else {
            unusual = Some(topic);
            break;
        };
        batch.extend(record.map(|record: Record<'_>| Named::of(record)));
        at[which] = blocks[which].len() - rest.len();
        next[which] = look(rest, lasts[which], topic)?;
    }
    batch.iter().for_each(|named| state.touch(named));
    for named in &batch {
        state.apply(named)?;
    }
    if let Some(topic) = unusual {
        let from = &blocks[topic as usize][at[topic as usize]..];
        let line = &from[..memchr::memchr(b'\n', from).map_or(from.len(), |end| end + 1)];
        let read = Unusual::read(line, topic).with_context(|| String::from_utf8_lossy(line).into_owned())?;
        if let Some(record) = read.record().with_context(|| String::from_utf8_lossy(line).into_owned())? {
            state.apply(&Named::of(record))?;
        }
        at[topic as usize] += line.len();
    }
    let taken: usize = at.iter().sum();
    for (input, count) in inputs.iter_mut().zip(at) {
        input.take(count);
    }
    Ok(taken > 0)
}

/// Looks at a topic's next line.
#[inline]
fn look(rest: &[u8], is_last: bool, topic: Topic) -> Result<Next> {
    if rest.is_empty() {
        return Ok(if is_last { Next::Ended } else { Next::Unread });
    }
    match head(rest, topic) {
        Some((ts, headers)) => Ok(Next::Usual(ts, headers)),
        None => {
            let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
            let read = Unusual::read(line, topic).with_context(|| String::from_utf8_lossy(line).into_owned())?;
            Ok(Next::Unusual(read.ts))
        }
    }
}

/// The topic whose line comes next, unless one must be read first. Of equal times the first.
#[inline]
fn earliest(next: &[Next; 3]) -> Option<Topic> {
    let mut earliest: Option<(u64, Topic)> = None;
    for topic in Topic::ALL {
        match next[topic as usize] {
            Next::Usual(ts, _) | Next::Unusual(ts) => {
                if earliest.is_none_or(|(before, _)| ts < before) {
                    earliest = Some((ts, topic));
                }
            }
            Next::Unread => return None,
            Next::Ended => {}
        }
    }
    earliest.map(|(_, topic)| topic)
}
