//! How the windows that a key's sessions touch change: each window counts a key once, however many of its sessions touch it.
//!
//! ```text
//!   covered(sessions, tag)  =  union of the windows touching [entered, left], over sessions of that tag
//!   told                    =  covered(now) - covered(before)
//! ```
//!
//! Cost: a sort of a few bounds; a session that only goes on tells the windows at its end.

use std::ops::Range;

use crate::sessions::Session;
use crate::slides::Slides;

/// Tells which windows are covered `now` and were not `before` (1), and the reverse (-1).
///
/// Of each tag, sessions that overlap a window with one that changed must be in both lists: see
/// [`Sessions::tell`](crate::sessions::Sessions::tell) with the window's length as its reach.
pub fn coverage_changes<G: Clone + Ord>(
    slides: Slides,
    before: &[Session<G>],
    now: &[Session<G>],
    mut tell: impl FnMut(&G, Range<i64>, i64),
) {
    if let ([before], [now]) = (before, now)
        && (&before.tag, before.entered_ms) == (&now.tag, now.entered_ms)
        && before.left_ms <= now.left_ms
    {
        let (old, new) = (touched(slides, before).end, touched(slides, now).end);
        if old < new {
            tell(&now.tag, old..new, 1);
        }
        return;
    }
    let bounds = |sessions: &[Session<G>], is_now: bool| -> Vec<(G, i64, i64, bool)> {
        let bounds = sessions.iter().flat_map(|session| {
            let Range { start, end } = touched(slides, session);
            [(session.tag.clone(), start, 1, is_now), (session.tag.clone(), end, -1, is_now)]
        });
        bounds.collect()
    };
    let mut all = bounds(before, false);
    all.append(&mut bounds(now, true));
    all.sort_unstable();
    let (mut depths, mut from) = ([0i64; 2], 0);
    for (tag, at, step, is_now) in &all {
        // Each session's bounds are of one tag: between tags both depths are zero.
        if from < *at && (depths[0] > 0) != (depths[1] > 0) {
            tell(tag, from..*at, if depths[1] > 0 { 1 } else { -1 });
        }
        depths[usize::from(*is_now)] += step;
        from = *at;
    }
}

fn touched<G>(slides: Slides, session: &Session<G>) -> Range<i64> {
    slides.touching(session.entered_ms, session.left_ms)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::stats::Stats;

    fn covered(slides: Slides, sessions: &[Session<u8>]) -> BTreeSet<(u8, i64)> {
        sessions.iter().flat_map(|session| touched(slides, session).map(|k| (session.tag, k))).collect()
    }

    /// All pairs of short lists, against sets.
    #[test]
    fn tells_the_difference_of_two_sets() {
        let session = |n: i64| {
            let entered_ms = n % 7 * 3;
            let tag = u8::try_from(n % 2).unwrap();
            Session { tag, entered_ms, left_ms: entered_ms + n % 5 * 4, steps: Stats::default() }
        };
        let lists: Vec<Vec<_>> = (0..80).map(|n| (0..n % 4).map(|m| session(n * 3 + m * 11)).collect()).collect();
        let slides = Slides::new(10, 3).unwrap();
        for (before, now) in lists.iter().flat_map(|before| lists.iter().map(move |now| (before, now))) {
            let mut told = BTreeMap::new();
            coverage_changes(slides, before, now, |tag, windows, diff| {
                windows.for_each(|k| assert!(told.insert((*tag, k), diff).is_none()));
            });
            let (before, now) = (covered(slides, before), covered(slides, now));
            let expected = now.difference(&before).map(|at| (*at, 1));
            let expected = expected.chain(before.difference(&now).map(|at| (*at, -1))).collect();
            assert_eq!(told, expected);
        }
    }
}
