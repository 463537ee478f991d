//! Topic dumps: the envelope that `kcat -J` writes, one JSON object a line.

pub mod write;
