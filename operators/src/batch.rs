//! A batch of rows in columns, and which of them are still live: what every stream carries.
//!
//! A row's fields lie in columns, so a batch of a thousand rows is a few dozen allocations, whatever its strings. Operators
//! that drop rows (a missing mapping, a repeat) only forget their indexes; no column is copied until rows change their
//! worker. Between processes the columns travel as the bytes they are, and are read in place on arrival.
//!
//! ```text
//!   columns   id  [ a  b  c  d ]      live   all, or [0, 2]: rows b and d were dropped
//!             lat [ .  .  .  . ]
//! ```

use std::io::Write;

use columnar::bytes::stash::Stash;
use columnar::{Borrow, Columnar, Container, Index, Len, Push, Ref};
use timely::bytes::arc::Bytes;
use timely::dataflow::channels::ContainerBytes;

/// The columns of a batch, borrowed: of row `n` the first of two columns is `columns.0.get(n)`, or of plain numbers `columns.0[n]`. Operators are told what they
/// need of a row as a function of these, since a whole row would be read column by column.
pub type Columns<'a, R> = <<R as Columnar>::Container as Borrow>::Borrowed<'a>;

/// Rows of `R` in columns, some of which may have been dropped.
pub struct Batch<R: Columnar> {
    columns: Stash<R::Container, Bytes>,
    /// Indexes of the rows still here, ascending; `None` means all of them.
    live: Option<Vec<u32>>,
}

impl<R: Columnar> Default for Batch<R> {
    fn default() -> Self {
        Batch { columns: Stash::default(), live: None }
    }
}

impl<R: Columnar> Clone for Batch<R> {
    fn clone(&self) -> Self {
        Batch { columns: self.columns.clone(), live: self.live.clone() }
    }
}

impl<R: Columnar> Batch<R> {
    /// The number of live rows.
    pub fn len(&self) -> usize {
        self.live.as_ref().map_or_else(|| self.columns.len(), Vec::len)
    }

    /// Whether no row is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The live rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Ref<'_, R>> {
        let columns = self.columns.borrow();
        self.indexes().map(move |index| columns.get(index))
    }

    /// What `read` makes of each live row, in order.
    pub fn read<T>(&self, read: impl Fn(&Columns<'_, R>, usize) -> T) -> impl Iterator<Item = T> {
        let columns = self.columns.borrow();
        self.indexes().map(move |index| read(&columns, index))
    }

    /// Keeps the live rows for which `keep` holds; sees them in order. Costs nothing where all are kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&Columns<'_, R>, usize) -> bool) {
        let columns = self.columns.borrow();
        let mut dropped = false;
        let mut kept = Vec::new();
        for (seen, index) in self.indexes().enumerate() {
            if keep(&columns, index) {
                if dropped {
                    kept.push(as_u32(index));
                }
            } else if !dropped {
                dropped = true;
                kept = self.indexes().take(seen).map(as_u32).collect();
            }
        }
        if dropped {
            self.live = Some(kept);
        }
    }

    /// The columns to write into, by the indexes that [`Batch::retain`] shows. Copies the batch if it came as bytes.
    pub fn columns_mut(&mut self) -> &mut R::Container {
        self.columns.make_typed()
    }

    /// Appends a row. Only a batch from which nothing was dropped takes rows.
    pub fn push<T>(&mut self, row: T)
    where
        R::Container: Push<T>,
    {
        assert!(self.live.is_none(), "a batch with dropped rows takes no new ones");
        self.columns.push(row);
    }

    fn indexes(&self) -> impl Iterator<Item = usize> + '_ {
        let all = if self.live.is_some() { 0 } else { self.columns.len() };
        let some = self.live.as_deref().unwrap_or_default();
        (0..all).chain(some.iter().map(|&index| index as usize))
    }
}

/// A batch holds fewer than 2^32 rows: sources cut theirs at a few thousand.
fn as_u32(index: usize) -> u32 {
    u32::try_from(index).expect("a batch holds fewer than 2^32 rows")
}

impl<R: Columnar> timely::Accountable for Batch<R> {
    fn record_count(&self) -> i64 {
        i64::try_from(self.len()).expect("a batch holds fewer than 2^63 rows")
    }
}

/// On the wire: the number of dropped-row indexes plus one (zero: all are live), the indexes, padding to eight bytes, and
/// the columns as `columnar` writes them.
impl<R: Columnar> ContainerBytes for Batch<R> {
    fn from_bytes(mut bytes: Bytes) -> Self {
        let word = |bytes: &Bytes| u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
        let header = word(&bytes);
        bytes.extract_to(8);
        let live = header.checked_sub(1).map(|count| {
            let length = usize::try_from(count).expect("a count that was written here") * 4;
            let indexes = bytes.extract_to(length.next_multiple_of(8));
            indexes[..length].chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
        });
        // A peer runs the same program: bytes that don't decode mean memory or wire corruption, so ending is right (I9).
        let columns = Stash::try_from_bytes(bytes).expect("columns as a peer of the same version wrote them");
        Batch { columns, live }
    }

    fn length_in_bytes(&self) -> usize {
        let live = self.live.as_ref().map_or(0, |live| (live.len() * 4).next_multiple_of(8));
        8 + live + self.columns.length_in_bytes()
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        let mut head = Vec::new();
        match &self.live {
            None => head.extend_from_slice(&0u64.to_le_bytes()),
            Some(live) => {
                head.extend_from_slice(&(live.len() as u64 + 1).to_le_bytes());
                live.iter().for_each(|index| head.extend_from_slice(&index.to_le_bytes()));
                head.resize(head.len().next_multiple_of(8), 0);
            }
        }
        writer.write_all(&head).expect("timely's buffers take what was announced");
        // Written anew, not copied: bytes received may be longer than what they hold.
        columnar::bytes::indexed::write(writer, &self.columns.borrow())
            .expect("timely's buffers take what was announced");
    }
}

impl<R: Columnar> Batch<R>
where
    R::Container: Container,
{
    /// Copies the live rows into a batch of their own.
    pub fn compacted(&self) -> Self {
        let mut copy = Batch::default();
        for row in self.iter() {
            copy.push(row);
        }
        copy
    }
}

/// Makes empty batches with room for about as much as batches had before: growing copies what there is.
pub struct Room<R: Columnar>(Batch<R>);

impl<R: Columnar> Default for Room<R> {
    fn default() -> Self {
        Room(Batch::default())
    }
}

impl<R: Columnar<Container: Container>> Room<R> {
    /// An empty batch.
    pub fn batch(&self) -> Batch<R> {
        let mut columns = R::Container::default();
        columns.reserve_for(std::iter::once(self.0.columns.borrow()));
        Batch { columns: Stash::Typed(columns), live: None }
    }

    /// Makes the room larger if `batch` is clearly larger than all before: then it is copied.
    pub fn fit(&mut self, batch: &Batch<R>) {
        if batch.len() > self.0.len() + self.0.len() / 4 {
            self.0 = batch.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u64) -> Batch<(u64, String)> {
        let mut batch = Batch::default();
        for n in 0..count {
            batch.push(&(n, format!("row {n}")));
        }
        batch
    }

    fn over_the_wire(batch: &Batch<(u64, String)>) -> Batch<(u64, String)> {
        let mut bytes = Vec::new();
        batch.into_bytes(&mut bytes);
        assert_eq!(bytes.len(), batch.length_in_bytes());
        let mut slab = timely::bytes::arc::BytesMut::from(bytes).freeze();
        let len = slab.len();
        ContainerBytes::from_bytes(slab.extract_to(len))
    }

    #[test]
    fn dropped_rows_stay_dropped_over_the_wire() {
        for keep in [1, 2, 3, 7, 100] {
            let mut batch = rows(20);
            batch.retain(|columns, row| columns.0[row] % keep == 0);
            let expected: Vec<u64> = (0..20).filter(|n| n % keep == 0).collect();
            let there = over_the_wire(&over_the_wire(&batch));
            assert_eq!(there.iter().map(|(n, _)| *n).collect::<Vec<_>>(), expected);
            assert!(there.iter().all(|(n, text)| text == format!("row {n}").as_bytes()));
        }
    }

    #[test]
    fn retain_twice_sees_only_the_living() {
        let mut batch = rows(10);
        batch.retain(|columns, row| columns.0[row] % 2 == 0);
        let mut seen = Vec::new();
        batch.retain(|columns, row| {
            let n = columns.0[row];
            seen.push((row as u64, n));
            n > 4
        });
        assert_eq!(seen, [(0, 0), (2, 2), (4, 4), (6, 6), (8, 8)]);
        assert_eq!(batch.compacted().iter().map(|(n, _)| *n).collect::<Vec<_>>(), [6, 8]);
    }

    #[test]
    fn columns_from_the_wire_can_be_written() {
        let mut batch = over_the_wire(&rows(3));
        batch.columns_mut().0[1] = 77;
        assert_eq!(batch.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 77, 2]);
    }
}
