//! Buffers that come back: blocks of a dump are large, and fresh memory costs as much as reading into it.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that wait for their next use; more come back only where many blocks are dropped at once.
const MOST: usize = 16;

/// The longest buffer that is kept: seldom is a line so long.
const LONGEST_BYTES: usize = 1 << 20;

/// Buffers that nobody uses, shared by those who may put one back.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// A buffer of `length` bytes or more. What they are is of no meaning.
    pub fn take(&self, length: usize) -> Vec<u8> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<u8>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST && (1..=LONGEST_BYTES).contains(&buffer.len()) {
            waiting.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_grows_when_asked_for_more() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(10);
        buffer.fill(7);
        buffers.put(buffer);
        assert_eq!(buffers.take(12), [[7; 10].as_slice(), &[0; 2]].concat());
        assert_eq!(buffers.take(1), [0]);
    }

    #[test]
    fn few_are_kept() {
        let buffers = Buffers::default();
        buffers.put(vec![0; LONGEST_BYTES + 1]);
        assert!(buffers.0.lock().unwrap().is_empty());
        (0..100).for_each(|_| buffers.put(vec![0; 8]));
        assert_eq!(buffers.0.lock().unwrap().len(), MOST);
    }
}
