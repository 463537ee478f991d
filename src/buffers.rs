//! Buffers that come back: what is read and written in large blocks would else be fresh memory each time, which costs as much
//! as what is done with it.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that wait for their next use; more come back only where many blocks are dropped at once.
const MOST: usize = 16;

/// The longest buffer that is kept: seldom is one so long, and memory should come back then.
const LONGEST_BYTES: usize = 4 << 20;

/// Buffers that nobody uses, shared by those who may put one back.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// A buffer of `length` bytes or more, whatever they are.
    pub fn take(&self, length: usize) -> Vec<u8> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        buffer
    }

    /// An empty buffer, with room if one came back.
    pub fn empty(&self) -> Vec<u8> {
        let mut buffer = self.take(0);
        buffer.clear();
        buffer
    }

    /// Gives a buffer back.
    pub fn put(&self, buffer: Vec<u8>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST && (1..=LONGEST_BYTES).contains(&buffer.capacity()) {
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
        buffers.put(Vec::with_capacity(LONGEST_BYTES + 1));
        assert!(buffers.0.lock().unwrap().is_empty());
        (0..100).for_each(|_| buffers.put(vec![0; 8]));
        assert_eq!(buffers.0.lock().unwrap().len(), MOST);
    }
}
