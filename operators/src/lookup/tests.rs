//! Lookups at odd times: keys that came long ago, changes ahead of rows, records that do not come again.

use std::cell::RefCell;
use std::rc::Rc;

use columnar::Index;
use differential_dataflow::input::Input as _;
use timely::dataflow::operators::generic::operator::empty;
use timely::dataflow::operators::{Input, Inspect, Probe};

use super::*;
use crate::standing::ArrangeStanding;
use crate::testing::{Batches, InspectRows};

/// A key must be found long after it came, whether or not the cache still has it.
#[test]
fn keys_of_earlier_times_are_found() {
    timely::execute_directly(|worker| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&seen);
        let (mut mapping, mut rows, probe) = worker.dataflow::<u64, _, _>(|scope| {
            let (mapping, collection) = scope.new_collection::<(Key, (u8, u64)), isize>();
            let (rows, stream) = scope.new_input::<Vec<(Key, u64)>>();
            let standing = collection.arrange_standing("Mapping", |_| 0);
            let position = |_: &Columns<'_, (Key, u64)>, _: usize| Position { stream: 0, offset: 0 };
            let none = empty(scope);
            let found = stream.batches().lookup(standing, none, |c, i| c.0.get(i), position, |c, i, v| c.1[i] = v);
            let hits = found.hits.inspect_rows(move |(key, value)| kept.borrow_mut().push((key, *value)));
            (mapping, rows, hits.probe().0)
        });
        let key = |n: u64| crate::hash::key_of(&n.to_le_bytes());
        let mut expected = Vec::new();
        for time in 0..300u64 {
            (0..7).for_each(|n| mapping.update((key(time * 7 + n), (0, time * 7 + n)), 1));
            for n in (0..=time * 7).step_by(5) {
                rows.send((key(n), 0));
                expected.push((key(n), n));
            }
            mapping.advance_to(time + 1);
            mapping.flush();
            rows.advance_to(time + 1);
            while probe.less_than(&(time + 1)) {
                worker.step();
            }
        }
        assert_eq!(*seen.borrow(), expected);
    });
}

/// The collection may be ahead of the rows: they travel by other ways. A row from before a change misses, and must
/// hear of it all the same, though the change came first. It once did not, and its partition stood until a retry.
#[test]
fn a_miss_hears_of_a_change_that_came_before_it() {
    timely::execute_directly(|worker| {
        let said = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&said);
        let (mut mapping, mut rows, probe) = worker.dataflow::<u64, _, _>(|scope| {
            let (mapping, collection) = scope.new_collection::<(Key, (u8, u64)), isize>();
            let (rows, stream) = scope.new_input::<Vec<(Key, u64)>>();
            let standing = collection.arrange_standing("Mapping", |_| 0);
            let position = |_: &Columns<'_, (Key, u64)>, _: usize| Position { stream: 1, offset: 2 };
            let none = empty(scope);
            let found = stream.batches().lookup(standing, none, |c, i| c.0.get(i), position, |c, i, v| c.1[i] = v);
            let barriers = found.barriers.inspect(move |barrier| kept.borrow_mut().push(*barrier));
            (mapping, rows, barriers.probe().0)
        });
        mapping.advance_to(5);
        mapping.update((7, (0, 70)), 1);
        mapping.advance_to(8);
        mapping.flush();
        rows.advance_to(4);
        for _ in 0..20 {
            worker.step();
        }
        rows.send((7, 0));
        rows.advance_to(8);
        while probe.less_than(&8) {
            worker.step();
        }
        let position = Position { stream: 1, offset: 2 };
        assert_eq!(*said.borrow(), [Barrier::Raised(position), Barrier::Resolved(position)]);
    });
}

/// A record that is to be skipped does not come again: it must not stand before those that do.
#[test]
fn a_skipped_miss_no_longer_hides_later_ones() {
    timely::execute_directly(|worker| {
        let said = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&said);
        let (mut rows, mut skipped, probe) = worker.dataflow::<u64, _, _>(|scope| {
            let (_, collection) = scope.new_collection::<(Key, (u8, u64)), isize>();
            let (rows, stream) = scope.new_input::<Vec<(Key, u64)>>();
            let (skipped, positions) = scope.new_input::<Vec<Position>>();
            let standing = collection.arrange_standing("Mapping", |_| 0);
            let position = |c: &Columns<'_, (Key, u64)>, row: usize| Position { stream: 1, offset: c.1[row] };
            let found = stream.batches().lookup(standing, positions, |c, i| c.0.get(i), position, |_, _, _: u64| {});
            let barriers = found.barriers.inspect(move |barrier| kept.borrow_mut().push(*barrier));
            (rows, skipped, barriers.probe().0)
        });
        let at = |offset| Position { stream: 1, offset };
        rows.send_batch(&mut vec![(7, 2), (8, 5)]);
        rows.advance_to(1);
        skipped.advance_to(1);
        skipped.send(at(2));
        rows.send((8, 5));
        rows.advance_to(2);
        skipped.advance_to(2);
        while probe.less_than(&2) {
            worker.step();
        }
        assert_eq!(*said.borrow(), [Barrier::Raised(at(2)), Barrier::Lifted(at(2)), Barrier::Raised(at(5))]);
    });
}
