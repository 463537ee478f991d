//! Whether a column's pages hold together, before they are decoded: the decoder takes some of what they say of themselves
//! for granted, and a damaged file would end the process.

use parquet::basic::{Encoding, Type};
use parquet::column::page::Page;
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;

/// Looks at a column of a row group; says what does not hold.
pub fn check(rows: &dyn RowGroupReader, column: usize) -> Result<(), ParquetError> {
    let chunk = rows.metadata().column(column);
    let start = chunk.dictionary_page_offset().unwrap_or(0).min(chunk.data_page_offset());
    hold(start >= 0 && chunk.compressed_size() >= 0, "a column begins or ends before the file does")?;
    let are_texts = chunk.column_type() == Type::BYTE_ARRAY;
    let mut has_dictionary = false;
    for page in rows.get_column_page_reader(column)? {
        match page? {
            Page::DictionaryPage { buf, num_values, .. } => {
                has_dictionary = true;
                hold(!are_texts || holds_texts(&buf, num_values), "a dictionary is shorter than it says")?;
            }
            Page::DataPage { encoding, .. } => hold(has_dictionary || !needs_dictionary(encoding), "no dictionary")?,
            Page::DataPageV2 { buf, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
                hold(has_dictionary || !needs_dictionary(encoding), "no dictionary")?;
                let levels = u64::from(def_levels_byte_len) + u64::from(rep_levels_byte_len);
                hold(levels <= buf.len() as u64, "a page is shorter than its levels")?;
            }
        }
    }
    Ok(())
}

fn hold(holds: bool, problem: &str) -> Result<(), ParquetError> {
    if holds { Ok(()) } else { Err(ParquetError::General(problem.to_owned())) }
}

fn needs_dictionary(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY)
}

/// Whether there are so many texts, each behind its length.
fn holds_texts(bytes: &[u8], count: u32) -> bool {
    let mut rest = bytes;
    (0..count).all(|_| {
        let text = rest.split_first_chunk().and_then(|(length, rest)| rest.get(u32::from_le_bytes(*length) as usize..));
        text.map(|behind| rest = behind).is_some()
    })
}
