//! Whether a file may have changed: what the system says of it, without reading it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What differs once a file was written to or another was put in its place. The time of the last change of status is among
/// it, which no program can set back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file that a path leads to.
    pub fn of(path: &Path) -> io::Result<Stamp> {
        let file = fs::metadata(path)?;
        Ok(Stamp {
            file: (file.dev(), file.ino()),
            bytes: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

/// The stamps of one file, look after look. A file is read once it is the same at two looks in turn: then nobody is writing
/// to it, and whatever is written later leaves another stamp, however coarse the system's clock.
#[derive(Debug, Default)]
pub struct Stamps {
    /// That of the file as it was read last, if it could be.
    read: Option<Stamp>,
    /// That of the last look.
    seen: Option<Stamp>,
}

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is as it was.
    Nothing,
    /// To look again before long: it has changed.
    Look,
    /// To read it.
    Read,
}

impl Stamps {
    /// The file has this stamp now.
    pub fn look(&mut self, stamp: Stamp) -> Next {
        if self.read.as_ref() == Some(&stamp) {
            return Next::Nothing;
        }
        if self.seen.as_ref() == Some(&stamp) { Next::Read } else { self.see(stamp) }
    }

    /// The file was read, and has this stamp now; false if it has changed meanwhile: what was read is worth nothing.
    pub fn done(&mut self, stamp: Stamp) -> bool {
        if self.seen.as_ref() != Some(&stamp) {
            self.see(stamp);
            return false;
        }
        self.read = Some(stamp);
        true
    }

    /// The file could not be read: it will be read again even if it stays as it is.
    pub fn failed(&mut self) {
        self.read = None;
    }

    fn see(&mut self, stamp: Stamp) -> Next {
        self.seen = Some(stamp);
        Next::Look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(changed: i64) -> Stamp {
        Stamp { file: (1, 2), bytes: 3, modified: (4, 5), changed: (changed, 0) }
    }

    #[test]
    fn a_file_is_read_once_it_is_still_and_again_when_it_changed() {
        let mut stamps = Stamps::default();
        assert_eq!(
            (stamps.look(stamp(1)), stamps.look(stamp(2)), stamps.look(stamp(2))),
            (Next::Look, Next::Look, Next::Read)
        );
        assert!(!stamps.done(stamp(3)), "it was written to while it was read");
        assert_eq!(stamps.look(stamp(3)), Next::Read);
        assert!(stamps.done(stamp(3)));
        assert_eq!((stamps.look(stamp(3)), stamps.look(stamp(3))), (Next::Nothing, Next::Nothing));
        assert_eq!((stamps.look(stamp(4)), stamps.look(stamp(4))), (Next::Look, Next::Read));
        stamps.failed();
        assert_eq!((stamps.look(stamp(4)), stamps.look(stamp(3))), (Next::Read, Next::Look), "both are to be read");
    }

    #[test]
    fn whatever_is_done_to_a_file_shows() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "x").unwrap();
        fs::write(&other, "x").unwrap();
        let before = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap(), before);
        fs::rename(&other, &path).unwrap();
        let after = Stamp::of(&path).unwrap();
        assert_ne!(after, before);
        fs::write(&path, "xy").unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), after);
        assert!(Stamp::of(&other).is_err());
    }
}
