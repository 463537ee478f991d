//! Outgoing topics as dumps: `DIR/<topic>.ndjson` in kcat's envelope, which the next hexflow can replay.
//!
//! Each run writes the files anew; a topic without a message gets no file. Sending a message again makes the same bytes, but
//! for the offset.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hexflow_dataflows::messages::topic::{Topic, partition_of};
use hexflow_dataflows::pipelines::Pipelines;
use hexflow_operators::upsert::Tally;

use super::{Rows, Sink, late};
use crate::dump::write::{Outgoing, write_line};
use crate::outgoing::{Maker, Message, Messages, letter};

/// Partitions of dead-letter topics.
const DEAD_LETTER_PARTITIONS: u32 = 6;

/// Writes outgoing messages into the dumps of a folder.
pub struct Emit {
    folder: PathBuf,
    maker: Maker,
    topics: BTreeMap<String, Dump>,
}

struct Dump {
    path: PathBuf,
    file: BufWriter<File>,
    /// The next offset of each partition.
    offsets: Vec<u64>,
    line: Vec<u8>,
}

impl Emit {
    /// Makes the folder, and removes from it the dumps of an earlier run.
    pub fn create(folder: &Path, env: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let maker = Maker::new(env, "");
        let dead_letters = Pipelines::all().topics().map(|topic| format!("{}{}", topic.name(), letter::SUFFIX));
        let alerts = maker.alerts().to_owned();
        for name in maker.names().iter().cloned().chain([alerts]).chain(dead_letters) {
            let path = path_of(folder, &name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        let lists = folder.join(late::FOLDER);
        match std::fs::remove_dir_all(&lists) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", lists.display()));
            }
            _ => {}
        }
        Ok(Emit { folder: folder.to_owned(), maker, topics: BTreeMap::new() })
    }

    /// The dump of a topic, made with its first message.
    fn dump(&mut self, topic: &str) -> Result<&mut Dump> {
        if !self.topics.contains_key(topic) {
            let dump = Dump::create(path_of(&self.folder, topic), topic)?;
            self.topics.insert(topic.to_owned(), dump);
        }
        self.topics.get_mut(topic).context("a topic's dump was made just now")
    }
}

fn path_of(folder: &Path, topic: &str) -> PathBuf {
    folder.join(format!("{topic}.ndjson"))
}

impl Dump {
    fn create(path: PathBuf, topic: &str) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let partitions = Topic::named(topic).map_or(DEAD_LETTER_PARTITIONS, Topic::partitions);
        let (file, offsets) = (BufWriter::with_capacity(1 << 18, file), vec![0; partitions as usize]);
        Ok(Dump { path, file, offsets, line: Vec::new() })
    }

    /// Appends a message at its partition's next offset. Of bytes that are no text a dump can hold only what is.
    fn append(&mut self, message: &Message<'_>) -> Result<()> {
        let (to, headers) = (message.to(), message.headers());
        let text = String::from_utf8_lossy;
        let headers: Vec<_> = headers.map(|(name, value)| (name, value.map(text))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        let (key, payload) = (message.key().map(text), message.payload().map(text));
        let partitions = u32::try_from(self.offsets.len()).unwrap_or(1);
        let partition = partition_of(key.as_deref().unwrap_or_default(), partitions);
        let offset = &mut self.offsets[partition as usize];
        self.line.clear();
        write_line(
            &mut self.line,
            &Outgoing {
                topic: to.topic,
                partition,
                offset: *offset,
                ts: to.ts,
                headers: &headers,
                key: key.as_deref(),
                payload: payload.as_deref(),
            },
        );
        *offset += 1;
        self.file.write_all(&self.line).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl Sink for Emit {
    type Work = Messages;

    fn preparer(&self) -> impl Fn(&Rows) -> Messages + Send + Sync + 'static {
        let maker = self.maker.clone();
        move |rows| maker.make(rows)
    }

    fn write(&mut self, messages: Messages) -> Result<()> {
        messages.iter().try_for_each(|message| self.dump(message.to().topic)?.append(&message))
    }

    fn commit(&mut self) -> Result<Tally> {
        let flush =
            |dump: &mut Dump| dump.file.flush().with_context(|| format!("cannot write {}", dump.path.display()));
        self.topics.values_mut().try_for_each(flush)?;
        Ok(Tally::default())
    }
}
