//! Writes records as the envelope that `kcat -C -J` prints.

/// A record on its way into a dump.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition.
    pub offset: u64,
    /// Creation time, ms since the epoch.
    pub ts: i64,
    /// Names and values.
    pub headers: &'a [(&'a str, Option<&'a str>)],
    /// The record's key.
    pub key: Option<&'a str>,
    /// The record's value.
    pub payload: Option<&'a str>,
}

/// Appends `record` to `line` as one line, newline included.
pub fn write_line(line: &mut Vec<u8>, record: &Outgoing<'_>) {
    line.extend_from_slice(b"{\"topic\":");
    write_text(line, record.topic);
    line.extend_from_slice(format!(",\"partition\":{},\"offset\":{},", record.partition, record.offset).as_bytes());
    line.extend_from_slice(format!("\"tstype\":\"create\",\"ts\":{},\"broker\":1", record.ts).as_bytes());
    if !record.headers.is_empty() {
        line.extend_from_slice(b",\"headers\":[");
        for (n, (name, value)) in record.headers.iter().enumerate() {
            if n > 0 {
                line.push(b',');
            }
            write_text(line, name);
            line.push(b',');
            write_maybe(line, *value);
        }
        line.push(b']');
    }
    for (name, text) in [("key", record.key), ("payload", record.payload)] {
        line.extend_from_slice(b",\"");
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        write_maybe(line, text);
    }
    line.extend_from_slice(b"}\n");
}

fn write_maybe(line: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => write_text(line, text),
        None => line.extend_from_slice(b"null"),
    }
}

/// Appends `text` as a JSON string.
pub fn write_text(line: &mut Vec<u8>, text: &str) {
    let written = serde_json::to_writer(&mut *line, text);
    debug_assert!(written.is_ok(), "writing text into memory cannot fail");
}
