//! Which notices all sinks have taken: until then a store keeps them, for a later run to tell again.
//!
//! ```text
//!   notices of a time, numbered --> sinks --> the frontier passes that time --> taken up to the last of these numbers
//! ```
//!
//! A store may have an alert whose notice was never sent: a run was killed between the two. What the store has makes no
//! difference any more, so nothing would ever tell of it.

use std::collections::VecDeque;

use super::changes::Changes;

/// Notices on their way.
#[derive(Debug, Default)]
pub struct Told {
    /// Times, and the last number of each.
    under_way: VecDeque<(u64, i64)>,
    upto: Option<i64>,
}

impl Told {
    /// What an item at `time` tells is on its way; times never fall.
    pub fn sent(&mut self, time: u64, changes: &Changes) {
        self.under_way.extend(changes.notices.last().map(|last| (time, last.number)));
    }

    /// Looks which were taken.
    pub fn look(&mut self, is_done: impl Fn(&u64) -> bool) {
        while let Some((_, number)) = self.under_way.pop_front_if(|(time, _)| is_done(time)) {
            self.upto = Some(number);
        }
    }

    /// The number up to which all were taken, if that has not been said.
    pub fn upto(&mut self) -> Option<i64> {
        self.upto.take()
    }

    /// Whether there is something yet to be said.
    pub fn is_open(&self) -> bool {
        self.upto.is_some() || !self.under_way.is_empty()
    }

    /// The last time of which some are on their way.
    pub fn last(&self) -> Option<u64> {
        self.under_way.back().map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::changes::{Alert, AlertKey, News, Notice, Owner};
    use super::super::key::Key;
    use super::*;

    fn notices(numbers: &[i64]) -> Changes {
        let notice = |number: &i64| {
            let owner = Owner { rule: Arc::from("rule"), key: Key { place: None, kind: None } };
            let (figure, value) = (String::new(), None);
            let alert = Alert { figure, threshold: None, value, resolved_at: None, resolved_value: None };
            Notice { number: *number, key: AlertKey { owner, fired_at: 0 }, alert, news: News::Firing }
        };
        Changes { notices: numbers.iter().map(notice).collect(), ..Changes::default() }
    }

    #[test]
    fn what_was_taken_is_said_once_and_in_order() {
        let mut told = Told::default();
        for (time, numbers) in [(3, &[1, 2][..]), (4, &[]), (4, &[3]), (6, &[4])] {
            told.sent(time, &notices(numbers));
        }
        told.look(|time| *time < 3);
        assert_eq!((told.upto(), told.last()), (None, Some(6)));
        told.look(|time| *time < 5);
        assert_eq!((told.upto(), told.upto(), told.is_open()), (Some(3), None, true));
        told.look(|_| true);
        assert_eq!((told.last(), told.is_open(), told.upto(), told.is_open()), (None, true, Some(4), false));
    }
}
