//! A dump's lines, a block at a time: no file is ever whole in memory.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

use crate::buffers::Buffers;

/// Bytes read at a time.
const BLOCK_BYTES: usize = 256 << 10;

/// The longest line: Kafka's largest record is far smaller.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Whole lines of a dump, one after another.
#[derive(Debug, Default)]
pub struct Block {
    /// Name of the dump they are from.
    pub dump: Arc<str>,
    /// The lines, each ended by a newline, but perhaps for the last; beyond them whatever the buffer held.
    bytes: Vec<u8>,
    /// Where each line ends: its newline's place, or the end of all.
    ends: Vec<u32>,
    /// The number in the dump of the first line, from 1.
    first_line: u64,
    /// Where the buffer goes when nobody needs the lines any more.
    buffers: Buffers,
}

impl Drop for Block {
    fn drop(&mut self) {
        self.buffers.put(std::mem::take(&mut self.bytes));
    }
}

impl Block {
    /// The lines in the first `length` of `bytes`.
    fn new(dump: &Arc<str>, bytes: Vec<u8>, length: usize, first_line: u64, buffers: &Buffers) -> Self {
        let lines = &bytes[..length];
        let rest = (!lines.ends_with(b"\n") && !lines.is_empty()).then_some(length);
        let ends = memchr_iter(b'\n', lines).chain(rest);
        let ends = ends.map(|end| u32::try_from(end).expect("blocks are at most MAX_LINE_BYTES + BLOCK_BYTES long"));
        Block { dump: Arc::clone(dump), ends: ends.collect(), bytes, first_line, buffers: buffers.clone() }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of line `index`, its newline left out.
    pub fn line(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        &self.bytes[start..self.ends[index] as usize]
    }

    /// The number in the dump of line `index`, from 1.
    pub fn number(&self, index: usize) -> u64 {
        self.first_line + index as u64
    }
}

/// Reads a dump block by block.
pub struct Lines {
    dump: Arc<str>,
    input: Box<dyn Read + Send>,
    /// The beginning of a line whose end was not read yet.
    carry: Vec<u8>,
    next_line: u64,
    ended: Result<bool, String>,
    buffers: Buffers,
}

impl Lines {
    /// Reads `input`, the unpacked bytes of the dump of that name.
    pub fn new(dump: &str, input: Box<dyn Read + Send>, buffers: &Buffers) -> Self {
        let (carry, buffers) = (Vec::new(), buffers.clone());
        Lines { dump: dump.into(), input, carry, next_line: 1, ended: Ok(false), buffers }
    }

    /// The next block, if there is one. An error ends the dump: whole lines before it were given out.
    pub fn next_block(&mut self) -> Result<Option<Block>, String> {
        match std::mem::replace(&mut self.ended, Ok(true)) {
            Ok(false) => self.ended = Ok(false),
            Ok(true) => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = self.buffers.take(self.carry.len() + BLOCK_BYTES);
        let mut length = self.carry.len();
        bytes[..length].copy_from_slice(&self.carry);
        let cut = loop {
            match self.fill(&mut bytes, &mut length) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = Ok(true);
                    break length;
                }
                Err(error) => {
                    let cut = memrchr(b'\n', &bytes[..length]).map_or(0, |at| at + 1);
                    self.ended = Err(error);
                    break cut;
                }
            }
            if let Some(at) = memrchr(b'\n', &bytes[..length]) {
                self.carry.clear();
                self.carry.extend_from_slice(&bytes[at + 1..length]);
                break at + 1;
            }
            if length > MAX_LINE_BYTES {
                let line = self.next_line;
                self.ended = Ok(true);
                return Err(format!("{}:{line}: the line is longer than {MAX_LINE_BYTES} bytes", self.dump));
            }
        };
        if cut == 0 {
            return self.next_block_after_nothing();
        }
        let block = Block::new(&self.dump, bytes, cut, self.next_line, &self.buffers);
        self.next_line += block.len() as u64;
        if let Err(error) = &mut self.ended {
            *error = format!("{}:{}: {error}", self.dump, self.next_line);
        }
        Ok(Some(block))
    }

    /// No whole line was left: says how the dump ended.
    fn next_block_after_nothing(&mut self) -> Result<Option<Block>, String> {
        match std::mem::replace(&mut self.ended, Ok(true)) {
            Ok(_) => Ok(None),
            Err(error) => Err(format!("{}:{}: {error}", self.dump, self.next_line)),
        }
    }

    /// Reads up to a block of bytes to behind the first `length`; `false` at the end.
    fn fill(&mut self, bytes: &mut Vec<u8>, length: &mut usize) -> Result<bool, String> {
        let (before, until) = (*length, *length + BLOCK_BYTES);
        bytes.resize(bytes.len().max(until), 0);
        while *length < until {
            match self.input.read(&mut bytes[*length..until]) {
                Ok(0) => break,
                Ok(count) => *length += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    let what = "the file ends too early, it was cut off: copy it again; what was read before is kept";
                    return Err(what.to_owned());
                }
                Err(error) => return Err(format!("cannot be read on: {error}; what was read before is kept")),
            }
        }
        Ok(*length > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let count = self.0.min(buffer.len());
            buffer[..count].iter_mut().for_each(|b| *b = b'x');
            buffer[count - 1] = b'\n';
            self.0 -= count;
            Ok(count)
        }
    }

    fn lines_of(input: impl Read + Send + 'static) -> Lines {
        Lines::new("d", Box::new(input), &Buffers::default())
    }

    fn all(mut lines: Lines) -> (Vec<(u64, String)>, Option<String>) {
        let mut seen = Vec::new();
        loop {
            match lines.next_block() {
                Ok(Some(block)) => {
                    let text = |index| String::from_utf8_lossy(block.line(index)).into_owned();
                    seen.extend((0..block.len()).map(|index| (block.number(index), text(index))));
                }
                Ok(None) => return (seen, None),
                Err(error) => return (seen, Some(error)),
            }
        }
    }

    #[test]
    fn lines_are_whole_and_numbered_however_they_are_cut() {
        let text: String = (1..200_000).map(|n| format!("line {n}\n")).collect();
        let (lines, error) = all(lines_of(std::io::Cursor::new(text.trim_end().to_owned())));
        assert_eq!((lines.len(), error), (199_999, None));
        assert!(lines.iter().all(|(number, line)| *line == format!("line {number}")));
    }

    #[test]
    fn what_was_read_before_an_error_is_kept() {
        let (lines, error) = all(lines_of(Broken(100)));
        assert_eq!(lines.len(), 1);
        assert!(error.unwrap().starts_with("d:2: the file ends too early"));
        let (lines, error) = all(lines_of(Broken(0)));
        assert_eq!(lines.len(), 0);
        assert!(error.unwrap().starts_with("d:1: "));
    }
}
