//! A table: which version of each row stands, and a file that rows are put into piece by piece.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::number::Number;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 18;

/// What a row takes at most, but for the texts that come from its line.
const ROW_BYTES: usize = 2048;

/// Texts are hashed; the lower half places them.
pub(super) type Key = u128;

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
pub(super) fn place(key: Key) -> u64 {
    key as u64
}

/// The version of a row that stands. Which of two came later is not kept: one partition's records come in the order of
/// their offsets, and a row's come from one partition.
pub(super) struct Version {
    pub(super) key: Key,
    pub(super) updated_ns: i64,
    pub(super) content: u64,
}

/// The versions that stand.
#[derive(Default)]
pub(super) struct Versions(HashTable<Version>);

impl Versions {
    /// Brings what a key's version takes into the caches.
    #[inline]
    pub(super) fn touch(&self, key: Key) -> bool {
        self.0.find(place(key), |version| version.key == key).is_some()
    }

    /// Whether a version wins: the newest does; of equal age with other content, the later.
    #[inline]
    pub(super) fn wins(&mut self, version: Version) -> bool {
        let is_same = |standing: &Version| standing.key == version.key;
        match self.0.entry(place(version.key), is_same, |standing| place(standing.key)) {
            Entry::Vacant(entry) => {
                entry.insert(version);
                true
            }
            Entry::Occupied(entry) => {
                let standing = entry.into_mut();
                let wins = version.updated_ns > standing.updated_ns
                    || version.updated_ns == standing.updated_ns && version.content != standing.content;
                if wins {
                    *standing = version;
                }
                wins
            }
        }
    }
}

/// A file of lines.
pub(super) struct Lines {
    file: File,
    buffer: Vec<u8>,
    at: usize,
}

impl Lines {
    pub(super) fn create(folder: &Path, table: &str) -> Result<Self> {
        let path = folder.join(table).with_extension("ndjson");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Lines { file, buffer: vec![0; WRITE_BYTES], at: 0 })
    }

    /// Makes room for a row, given how long its texts are together.
    #[inline]
    pub(super) fn row(&mut self, texts: usize) -> Result<()> {
        if self.buffer.len() - self.at < texts + ROW_BYTES {
            self.flush()?;
            let length = self.buffer.len().max(texts + ROW_BYTES);
            self.buffer.resize(length, 0);
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer[..self.at])?;
        self.at = 0;
        Ok(())
    }

    /// Puts a text of constant length.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &[u8; N]) -> &mut Self {
        if let Some(to) = self.buffer[self.at..].first_chunk_mut::<N>() {
            *to = *text;
        }
        self.at += N;
        self
    }

    /// Puts a text. Most are short, and copied without a call.
    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8]) -> &mut Self {
        let to = &mut self.buffer[self.at..][..text.len()];
        self.at += text.len();
        let copied = copy::<16>(text, to) || copy::<8>(text, to) || copy::<4>(text, to);
        if !copied {
            to.copy_from_slice(text);
        }
        self
    }

    #[inline(always)]
    pub(super) fn number(&mut self, number: &Number) -> &mut Self {
        let (text, length) = number.text();
        self.put(text);
        self.at -= text.len() - length;
        self
    }

    #[inline(always)]
    pub(super) fn number_or_null(&mut self, number: Option<&Number>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.put(b"null"),
        }
    }

    #[inline(always)]
    pub(super) fn text_or_null(&mut self, text: Option<&[u8]>) -> &mut Self {
        match text {
            Some(text) => self.put(b"\"").text(text).put(b"\""),
            None => self.put(b"null"),
        }
    }
}

/// Copies a text of N to 2N bytes, its first and its last N, which may overlap; whether it is of such a length.
#[inline(always)]
fn copy<const N: usize>(text: &[u8], to: &mut [u8]) -> bool {
    let ends = (text.first_chunk::<N>(), text.last_chunk::<N>());
    let (Some(first), Some(last), true) = (ends.0, ends.1, text.len() <= 2 * N) else { return false };
    if let Some(to) = to.first_chunk_mut::<N>() {
        *to = *first;
    }
    if let Some(to) = to.last_chunk_mut::<N>() {
        *to = *last;
    }
    true
}
