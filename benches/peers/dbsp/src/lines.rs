//! The lines that begin in one of equal parts of a file, so that threads can read it together.

use std::fs::File;
use std::io::{BufRead, BufReader, Result, Seek, SeekFrom};
use std::path::Path;

pub struct Lines {
    file: BufReader<File>,
    position: u64,
    end: u64,
    line: Vec<u8>,
}

impl Lines {
    pub fn part(path: &Path, part: usize, parts: usize) -> Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let begin = size * part as u64 / parts as u64;
        let mut lines = Self {
            file: BufReader::with_capacity(1 << 18, file),
            position: begin,
            end: size * (part as u64 + 1) / parts as u64,
            line: Vec::new(),
        };
        if begin > 0 {
            // The line that covers the byte before belongs to the part before.
            lines.position = lines.file.seek(SeekFrom::Start(begin - 1))?;
            lines.read()?;
        }
        Ok(lines)
    }

    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        if self.position >= self.end || self.read()? == 0 {
            return Ok(None);
        }
        Ok(Some(self.line.trim_ascii_end()))
    }

    fn read(&mut self) -> Result<usize> {
        self.line.clear();
        let read = self.file.read_until(b'\n', &mut self.line)?;
        self.position += read as u64;
        Ok(read)
    }
}
