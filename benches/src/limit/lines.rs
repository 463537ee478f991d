//! A dump's lines: read in large blocks, and looked at where they were read.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 18;

/// A dump of one topic.
pub(super) struct Input {
    /// None if there is no such dump, or all of it was read.
    file: Option<File>,
    buffer: Vec<u8>,
    /// Where what was not taken yet begins.
    start: usize,
    /// Where the whole lines end.
    whole: usize,
    /// Where what was read ends.
    end: usize,
}

impl Input {
    /// Opens a dump. Where there is none, nothing was recorded.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            opened => Some(opened.with_context(|| format!("cannot read {}", path.display()))?),
        };
        Ok(Input { file, buffer: vec![0; READ_BYTES], start: 0, whole: 0, end: 0 })
    }

    /// The whole lines that were read and not taken yet. Empty only at the end.
    pub(super) fn lines(&mut self) -> Result<()> {
        while self.start == self.whole {
            let Some(file) = &mut self.file else { return Ok(()) };
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.whole, self.end) = (0, 0, self.end - self.start);
            if self.end + 1 >= self.buffer.len() {
                self.buffer.resize(2 * self.buffer.len(), 0); // a line longer than the buffer
            }
            let last = self.buffer.len() - 1; // room for a line's end that is missing
            let from = self.end;
            let count = file.read(&mut self.buffer[from..last])?;
            self.end += count;
            if count == 0 {
                self.file = None;
                if from > 0 {
                    self.buffer[from] = b'\n';
                    self.end += 1;
                }
            }
            self.whole = memchr::memrchr(b'\n', &self.buffer[from..self.end]).map_or(0, |at| from + at + 1);
        }
        Ok(())
    }

    /// The whole lines that were read and not taken yet.
    pub(super) fn block(&self) -> &[u8] {
        &self.buffer[self.start..self.whole]
    }

    /// Whether no more can be read once this block was taken.
    pub(super) fn is_last(&self) -> bool {
        self.file.is_none()
    }

    /// Takes so many bytes of the block.
    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_come_whole() {
        let lines: Vec<_> = [0, 5, READ_BYTES - 2, READ_BYTES - 1, READ_BYTES, 3, 3 * READ_BYTES, 7]
            .into_iter()
            .map(|length| "x".repeat(length))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        for end in ["", "\n"] {
            let path = folder.path().join("lines");
            std::fs::write(&path, lines.join("\n") + end).unwrap();
            let (mut input, mut read) = (Input::open(&path).unwrap(), String::new());
            loop {
                input.lines().unwrap();
                if input.block().is_empty() {
                    break;
                }
                let line = memchr::memchr(b'\n', input.block()).unwrap() + 1;
                read.push_str(std::str::from_utf8(&input.block()[..line]).unwrap());
                input.take(line);
            }
            assert_eq!(read, lines.join("\n") + "\n");
        }
        let mut none = Input::open(&folder.path().join("none")).unwrap();
        none.lines().unwrap();
        assert!(none.block().is_empty());
    }
}
