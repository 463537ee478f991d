//! What stalls do to the book: partitions stand still, what is behind is cut, and reading goes back to where they stood.

use hexflow_operators::FixedMap;

use super::{End, Ledger, Reading, Stream};

/// What the consumer is to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Partitions to read no further.
    pub pause: Vec<Stream>,
    /// Partitions to read again from an offset.
    pub rewind: Vec<(Stream, u64)>,
}

impl Ledger {
    /// The partitions that stand still, and where.
    pub fn halted(&self) -> Vec<(Stream, u64)> {
        self.partitions.iter().filter_map(|(stream, reading)| Some((*stream, reading.halted?))).collect()
    }

    /// The workers hold partitions back at these offsets, until the record there has come again and gone on.
    pub fn hold(&mut self, held: FixedMap<Stream, u64>) -> &mut Self {
        self.held = held;
        self
    }

    /// The partitions of `standing` stand still, each at its lowest stall, told of by the epoch beside it: what is behind
    /// that was dropped. Those of `resolved` stood there, and can go on.
    pub fn stalls(
        &mut self,
        standing: &FixedMap<Stream, (u64, u64)>,
        resolved: &FixedMap<Stream, (u64, u64)>,
    ) -> Orders {
        let mut orders = Orders::default();
        for (&stream, &(offset, time)) in standing.iter().chain(resolved) {
            let Some(reading) = self.partitions.get_mut(&stream) else { continue };
            if reading.next.is_none_or(|next| next <= offset) || time < reading.again {
                continue; // it is still to come, or to be told of, and will stall again if it has to
            }
            // An assignment that began behind the stall has to show that the record can go on.
            let skipped = reading.began.replace(0).is_some_and(|began| offset < began);
            let at = reading.halted.map_or(offset, |halted| halted.min(offset));
            if reading.halted.replace(at).is_none() {
                orders.pause.push(stream);
            }
            self.cut(stream, at);
            if skipped || resolved.contains_key(&stream) {
                orders.rewind.extend(self.rewind(stream));
            }
        }
        // One that no longer stands has gone on without us: another process had it meanwhile.
        let gone_on = |(stream, reading): (&Stream, &Reading)| {
            (reading.halted.is_some() && !standing.contains_key(stream)).then_some(*stream)
        };
        let gone_on: Vec<_> = self.partitions.iter().filter_map(gone_on).collect();
        orders.rewind.extend(gone_on.into_iter().filter_map(|stream| self.rewind(stream)));
        orders
    }

    /// A record came that may not be read yet: its partition is to be read again from the first such. Says whether this is
    /// the first, of a partition of ours.
    pub fn refuse(&mut self, stream: Stream, offset: u64) -> bool {
        let reading = self.partitions.get_mut(&stream).filter(|reading| reading.halted.is_none());
        reading.map(|reading| reading.halted = Some(offset)).is_some()
    }

    /// A partition could not be read again from `offset` yet: it stands there once more. Says whether it is ours.
    pub fn stand(&mut self, stream: Stream, offset: u64) -> bool {
        let reading = self.partitions.get_mut(&stream);
        reading.map(|reading| reading.halted = Some(offset)).is_some()
    }

    /// A partition that stood still is ours and goes on: from where it stood.
    pub fn rewind(&mut self, stream: Stream) -> Option<(Stream, u64)> {
        let reading = self.partitions.get_mut(&stream)?;
        let offset = reading.halted.take()?;
        reading.next = Some(offset);
        reading.again = self.dealt + 1;
        Some((stream, offset))
    }

    /// Nothing of a partition at or behind `offset` is committed with any epoch in flight.
    pub(super) fn cut(&mut self, stream: Stream, offset: u64) {
        let open = self.epochs.iter_mut().map(|epoch| &mut epoch.ends).chain([&mut self.gathered]);
        for end in open.filter_map(|ends| ends.get_mut(&stream)).filter(|end| end.offset > offset) {
            *end = End { offset, ms: None };
        }
    }
}
