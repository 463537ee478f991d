//! How files are compressed.

use std::io::{self, Write};

use clap::ValueEnum;
use flate2::write::GzEncoder;

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// Plain text, `.ndjson`.
    None,
    /// `.ndjson.gz`.
    Gzip,
    /// `.ndjson.zst`.
    Zstd,
}

impl Compression {
    /// What is appended to a file's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }
}

/// Where bytes go.
type Out = Box<dyn Write>;

/// Compresses what is written to it, or not.
pub(super) enum Encoder {
    /// As it comes.
    Plain(Out),
    /// As gzip.
    Gzip(GzEncoder<Out>),
    /// As Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, Out>),
}

impl Encoder {
    /// Compresses into `out`, fast rather than well: dumps are made to be read once or twice.
    pub(super) fn new(out: Out, compress: Compression) -> io::Result<Self> {
        Ok(match compress {
            Compression::None => Encoder::Plain(out),
            Compression::Gzip => Encoder::Gzip(GzEncoder::new(out, flate2::Compression::fast())),
            Compression::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(out, 1)?),
        })
    }

    /// Writes all of `bytes`.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Encoder::Plain(out) => out.write_all(bytes),
            Encoder::Gzip(out) => out.write_all(bytes),
            Encoder::Zstd(out) => out.write_all(bytes),
        }
    }

    /// Writes what is still held back.
    pub(super) fn finish(self) -> io::Result<()> {
        let mut out = match self {
            Encoder::Plain(out) => out,
            Encoder::Gzip(out) => out.finish()?,
            Encoder::Zstd(out) => out.finish()?,
        };
        out.flush()
    }
}
