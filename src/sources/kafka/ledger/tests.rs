//! Tells the ledger stories of stalls, rewinds and rebalances, and looks at what it would commit.

use super::*;

/// A ledger with partitions 1 and 2, and records 0 to 9 of each in epochs of five.
fn book() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.assign([1, 2]);
    for (time, offsets) in [(1, 0..5), (2, 5..10)] {
        for offset in offsets {
            assert_eq!([1, 2].map(|stream| ledger.take(stream, offset, None)), [Taken::First; 2]);
        }
        ledger.deal(time);
    }
    ledger
}

fn commits(ledger: &Ledger) -> Vec<(u32, u64)> {
    let mut commits = ledger.to_commit(None);
    commits.sort_unstable();
    commits
}

/// A stall that the latest epoch has told of.
fn told(stream: u32, offset: u64) -> FixedMap<u32, (u64, u64)> {
    [(stream, (offset, u64::MAX))].into_iter().collect()
}

/// No stall.
fn none() -> FixedMap<u32, (u64, u64)> {
    FixedMap::default()
}

#[test]
fn what_is_durable_is_committed_once() {
    let mut ledger = book();
    ledger.settle(Some(1));
    assert_eq!(commits(&ledger), []);
    ledger.settle(Some(2));
    assert_eq!(commits(&ledger), [(1, 5), (2, 5)]);
    ledger.committed(1, 5);
    assert_eq!(commits(&ledger), [(2, 5)]);
    ledger.settle(None);
    assert_eq!((commits(&ledger), ledger.in_flight()), (vec![(1, 10), (2, 10)], 0));
}

#[test]
fn a_stall_caps_its_partition_alone_until_it_was_read_again() {
    let mut ledger = book();
    let orders = ledger.stalls(&told(1, 3), &none());
    assert_eq!(orders, Orders { pause: vec![1], rewind: vec![] });
    assert_eq!((ledger.take(1, 10, None), ledger.take(2, 10, None)), (Taken::Not, Taken::First));
    ledger.deal(3);
    ledger.settle(Some(4));
    assert_eq!(commits(&ledger), [(1, 3), (2, 11)]);

    // Resolved: it leaves the board, and is read once more from there.
    assert_eq!(ledger.stalls(&none(), &told(1, 3)), Orders { pause: vec![], rewind: vec![(1, 3)] });
    assert_eq!(ledger.stalls(&none(), &none()), Orders::default());
    assert_eq!(
        [ledger.take(1, 3, None), ledger.take(1, 9, None), ledger.take(1, 10, None)],
        [Taken::Again, Taken::Again, Taken::First]
    );
    ledger.deal(5);
    assert_eq!(commits(&ledger), [(1, 3), (2, 11)]);
    ledger.settle(Some(6));
    assert_eq!(commits(&ledger), [(1, 11), (2, 11)]);
}

/// Tried again without being resolved, it goes through: what the board still says of the first attempt cuts nothing.
#[test]
fn an_old_word_of_a_stall_does_not_cut_what_was_read_again() {
    let mut ledger = book();
    let first = [(1, (3, 2))].into_iter().collect();
    ledger.stalls(&first, &none());
    ledger.settle(Some(3));
    assert_eq!(ledger.rewind(1), Some((1, 3)));
    (3..10).for_each(|offset| assert_eq!(ledger.take(1, offset, None), Taken::Again));
    ledger.deal(3);
    assert_eq!(ledger.stalls(&first, &none()), Orders::default());
    assert_eq!(ledger.stalls(&none(), &first), Orders::default());
    assert_eq!(ledger.stalls(&none(), &none()), Orders::default());
    ledger.settle(Some(4));
    assert_eq!(commits(&ledger), [(1, 10), (2, 10)]);
}

/// What was in flight behind the stall when it was resolved was dropped: it is not committed before it came again.
#[test]
fn what_was_dropped_is_not_committed_by_an_old_epoch() {
    let mut ledger = book();
    assert_eq!(ledger.stalls(&none(), &told(1, 3)), Orders { pause: vec![1], rewind: vec![(1, 3)] });
    ledger.take(1, 3, None);
    ledger.deal(3);
    ledger.settle(Some(3));
    assert_eq!(commits(&ledger), [(1, 3), (2, 10)]);
    ledger.settle(Some(4));
    assert_eq!(commits(&ledger), [(1, 4), (2, 10)]);
}

#[test]
fn a_stall_that_is_still_to_be_read_again_is_no_news() {
    let mut ledger = book();
    ledger.stalls(&none(), &told(1, 3));
    assert_eq!(ledger.stalls(&told(1, 3), &none()), Orders::default());
    ledger.take(1, 3, None);
    ledger.take(1, 4, None);
    ledger.deal(3);
    // And it stalls again.
    assert_eq!(ledger.stalls(&told(1, 3), &none()), Orders { pause: vec![1], rewind: vec![] });
    ledger.settle(None);
    assert_eq!(commits(&ledger), [(1, 3), (2, 10)]);
}

#[test]
fn a_second_stall_below_the_first_goes_back_to_the_lowest() {
    let mut ledger = book();
    ledger.stalls(&told(1, 7), &none());
    assert_eq!(ledger.stalls(&told(1, 4), &none()), Orders::default());
    ledger.settle(None);
    assert_eq!(commits(&ledger), [(1, 4), (2, 10)]);
    assert_eq!(ledger.stalls(&none(), &none()).rewind, [(1, 4)]);
}

#[test]
fn a_revoked_partition_is_forgotten_whoever_has_it_next() {
    let mut ledger = book();
    ledger.settle(Some(2));
    assert_eq!(ledger.to_commit(Some(&[1])), [(1, 5)]);
    ledger.revoke([1]);
    assert_eq!(ledger.take(1, 10, None), Taken::Not);
    ledger.assign([1]);
    ledger.settle(None);
    assert_eq!(commits(&ledger), [(2, 10)]);
    // Given back, it is read from what was committed.
    assert_eq!(ledger.take(1, 5, None), Taken::First);
}

/// A stall that another process got over while it had the partition: this one's workers have yet to see that.
#[test]
fn a_partition_that_begins_behind_its_stall_goes_back_to_it_once() {
    let mut ledger = Ledger::default();
    ledger.assign([1]);
    ledger.take(1, 20, None);
    ledger.deal(1);
    let standing = told(1, 15);
    assert_eq!(ledger.stalls(&standing, &none()), Orders { pause: vec![1], rewind: vec![(1, 15)] });
    ledger.take(1, 15, None);
    assert_eq!(ledger.stalls(&standing, &none()), Orders { pause: vec![1], rewind: vec![] });
    ledger.settle(None);
    assert_eq!(commits(&ledger), [(1, 15)]);
}

/// The same, of a partition that went while it stood and comes back when nothing is news.
#[test]
fn a_partition_that_comes_back_behind_its_stall_goes_back_to_it() {
    let mut ledger = book();
    ledger.hold([(1, 3)].into_iter().collect()).stalls(&told(1, 3), &none());
    ledger.revoke([1]);
    ledger.settle(None);
    ledger.assign([1]);
    assert_eq!(ledger.take(1, 8, None), Taken::Not, "the workers would drop it");
    ledger.deal(3);
    ledger.settle(None);
    assert_eq!((commits(&ledger), ledger.halted()), (vec![(2, 10)], vec![(1, 3)]));
    assert_eq!(ledger.rewind(1), Some((1, 3)));
    assert_eq!(ledger.take(1, 3, None), Taken::First);
}
