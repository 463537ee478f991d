//! ClickHouse's tables, as a run reads them that goes on from them.

use anyhow::Result;
use hexflow_dataflows::rows::text;

use super::sink::ClickHouse;
use crate::clickhouse::binary::Reader;
use crate::clickhouse::server::unreadable;
use crate::restored::{Tables, Values};

impl Tables for ClickHouse {
    fn rows<T>(
        &mut self,
        table: &str,
        columns: &str,
        condition: &str,
        read: impl Fn(&mut dyn Values) -> Option<T>,
    ) -> Result<Vec<T>> {
        let ClickHouse { server, patience, .. } = self;
        let query = format!("SELECT {columns} FROM {} WHERE {condition}", server.table(table));
        patience.until_answered(&format!("read the table {table} to go on from it"), |_| {
            let answer = server.ask(&query)?;
            let (mut reader, mut rows) = (Reader::new(&answer), Vec::new());
            while !reader.is_at_end() {
                rows.push(read(&mut reader).ok_or_else(unreadable)?);
            }
            Ok(rows)
        })
    }

    /// As a number, since the server does not read all times that there are.
    fn time(&self, ms: i64) -> String {
        format!("reinterpret(toInt64({ms}), 'DateTime64(3)')")
    }
}

impl Values for Reader<'_> {
    fn is_null(&mut self) -> Option<bool> {
        Some(self.byte()? == 1)
    }

    fn text(&mut self) -> Option<String> {
        Reader::text(self).map(|bytes| text(bytes).to_owned())
    }

    fn integer(&mut self) -> Option<i64> {
        self.signed()
    }

    fn number(&mut self) -> Option<u32> {
        Reader::number(self)
    }

    fn real(&mut self) -> Option<f64> {
        Reader::real(self)
    }
}
