//! Locations in a Parquet file: columns of 64-bit numbers and of texts, in any order, and others beside them.

use std::fs::File;
use std::path::Path;

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::pages::check;
use super::{COLUMNS, Locations};

/// Rows that are read at a time.
const ROWS: usize = 8_192;

/// Reads the locations of a file; what is wrong is told with file, row group, row (both counted from 0) and column.
///
/// A location whose name is null is one without a name, as if it were not there.
pub fn read(path: &Path) -> Result<Locations, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
    let reader = SerializedFileReader::new(file).map_err(|error| format!("{shown}: {error}"))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let oid = place(schema, COLUMNS[0], Type::INT64).map_err(|problem| format!("{shown}: {problem}"))?;
    let name = place(schema, COLUMNS[1], Type::BYTE_ARRAY).map_err(|problem| format!("{shown}: {problem}"))?;
    let mut locations = Locations::default();
    for group in 0..reader.num_row_groups() {
        let rows = reader.get_row_group(group).map_err(|error| format!("{shown}: row group {group}: {error}"))?;
        add(&*rows, (oid, name), &mut locations).map_err(|problem| format!("{shown}: row group {group}, {problem}"))?;
    }
    Ok(locations)
}

/// The number of a column, which must be there, of a type, and no list.
fn place(schema: &SchemaDescriptor, name: &str, physical: Type) -> Result<usize, String> {
    let is_it = |column: &ColumnDescriptor| column.path().parts() == [name] && column.max_rep_level() == 0;
    let found = (0..schema.num_columns()).find(|n| is_it(&schema.column(*n)));
    let number = found.ok_or_else(|| format!("there is no column {name}: expected {}", COLUMNS.join(" and ")))?;
    match schema.column(number).physical_type() {
        found if found == physical => Ok(number),
        found => Err(format!("column {name} is of type {found}, expected {physical}")),
    }
}

/// Adds the locations of a row group.
fn add(rows: &dyn RowGroupReader, (oid, name): (usize, usize), locations: &mut Locations) -> Result<(), String> {
    let [of_oid, of_name] = COLUMNS.map(|column| move |error: ParquetError| format!("column {column}: {error}"));
    check(rows, oid).map_err(of_oid)?;
    check(rows, name).map_err(of_name)?;
    let oids = match rows.get_column_reader(oid).map_err(of_oid)? {
        ColumnReader::Int64ColumnReader(reader) => values(reader, maximum(rows, oid)).map_err(of_oid)?,
        _ => return Err(format!("column {}: is not of its type", COLUMNS[0])),
    };
    let names = match rows.get_column_reader(name).map_err(of_name)? {
        ColumnReader::ByteArrayColumnReader(reader) => values(reader, maximum(rows, name)).map_err(of_name)?,
        _ => return Err(format!("column {}: is not of its type", COLUMNS[1])),
    };
    if oids.len() != names.len() {
        return Err(format!("columns of {} and of {} rows", oids.len(), names.len()));
    }
    for (row, (oid, name)) in oids.into_iter().zip(names).enumerate() {
        let oid = oid.ok_or_else(|| format!("row {row}: column {}: is null", COLUMNS[0]))?;
        let Some(name) = name else { continue };
        let name =
            std::str::from_utf8(name.data()).map_err(|_| format!("row {row}: column {}: not UTF-8", COLUMNS[1]))?;
        locations.add(oid, name.to_owned()).map_err(|problem| format!("row {row}: {problem}"))?;
    }
    Ok(())
}

/// The definition level of values that are not null.
fn maximum(rows: &dyn RowGroupReader, column: usize) -> i16 {
    rows.metadata().column(column).column_descr().max_def_level()
}

/// All values of a column, with its nulls.
fn values<T: DataType>(mut reader: ColumnReaderImpl<T>, maximum: i16) -> Result<Vec<Option<T::T>>, ParquetError> {
    let mut all = Vec::new();
    loop {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (rows, ..) = reader.read_records(ROWS, Some(&mut levels), None, &mut values)?;
        if rows == 0 {
            return Ok(all);
        }
        let mut values = values.into_iter();
        if maximum == 0 {
            all.extend(values.map(Some));
        } else {
            all.extend(levels.into_iter().map(|level| if level == maximum { values.next() } else { None }));
        }
    }
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
