//! Keys of any columns: where they end in a row, and sets of them in a statement.

use crate::clickhouse::binary::Reader;
use crate::clickhouse::schema::{Column, Kind};
use crate::clickhouse::sql;

/// A value of a key.
enum Value<'a> {
    Text(&'a [u8]),
    Whole(i64),
    Real(f64),
}

/// The key that a row begins with, as it stands.
pub fn key<'a>(columns: &[Column], reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    reader.as_they_stand(|reader| columns.iter().try_for_each(|column| value(column, reader).map(drop)))
}

/// The condition that a row has one of `keys` in `columns`.
///
/// The values of each column are one text that the server splits, which is parsed in a tenth of the time of as many
/// literals. Times go as the numbers that they are: a text of one may be out of what the server can read.
pub fn within(columns: &[Column], keys: &[&[u8]]) -> String {
    let mut lists = vec![Vec::with_capacity(keys.len()); columns.len()];
    for key in keys {
        let mut reader = Reader::new(key);
        for (column, list) in columns.iter().zip(&mut lists) {
            list.extend(value(column, &mut reader).map(|value| value.told()));
        }
    }
    let names: Vec<_> = columns.iter().map(|column| sql::name(column.name)).collect();
    let places: Vec<_> = (0..columns.len()).map(|n| format!("k{n}")).collect();
    let arrays = columns.iter().zip(lists).zip(&places);
    let arrays: Vec<_> = arrays.map(|((column, list), place)| format!("{} AS {place}", array(column, &list))).collect();
    let places = places.join(", ");
    format!("({}) IN (SELECT {places} FROM (SELECT {}) ARRAY JOIN {places})", names.join(", "), arrays.join(", "))
}

fn value<'a>(column: &Column, reader: &mut Reader<'a>) -> Option<Value<'a>> {
    Some(match column.kind {
        Kind::Text | Kind::Word => Value::Text(reader.text()?),
        Kind::Integer | Kind::Time => Value::Whole(reader.signed()?),
        Kind::Number => Value::Whole(i64::from(reader.number()?)),
        Kind::Real => Value::Real(reader.real()?),
    })
}

impl Value<'_> {
    /// As it stands in a list: a text by its bytes, since it may hold anything.
    fn told(&self) -> String {
        match self {
            Value::Text(text) => hex(text),
            Value::Whole(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
        }
    }
}

/// The array that a list stands for.
fn array(column: &Column, list: &[String]) -> String {
    let split = format!("splitByChar(',', '{}')", list.join(","));
    match column.kind {
        Kind::Text | Kind::Word => format!("arrayMap(x -> unhex(x), {split})"),
        Kind::Time => format!("arrayMap(x -> reinterpret(toInt64(x), 'DateTime64(3)'), {split})"),
        Kind::Integer | Kind::Number | Kind::Real => format!("CAST({split}, 'Array({})')", column.sql_type()),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::schema::table;
    use crate::sinks::clickhouse::block::encode;
    use crate::tables::windows::TravelerKey;

    #[test]
    fn a_set_holds_the_values_of_each_column() {
        let table = table("sensor_travelers").expect("a table");
        let columns = &table.columns[..table.keys];
        let keys = [("a'", -7), ("", 9)].map(|(traveler_id, entered_at)| {
            let mut key = Vec::new();
            encode(table, &TravelerKey { sensor_id: 4, traveler_id, entered_at }, &mut key);
            assert_eq!(super::key(columns, &mut Reader::new(&[&key[..], b"more"].concat())), Some(&key[..]));
            assert_eq!(super::key(columns, &mut Reader::new(&key[1..])), None);
            key
        });
        let keys = [&keys[0][..], &keys[1]];
        assert_eq!(
            within(columns, &keys),
            "(`sensor_id`, `traveler_id`, `entered_at`) IN (SELECT k0, k1, k2 FROM (SELECT \
             CAST(splitByChar(',', '4,4'), 'Array(Int64)') AS k0, arrayMap(x -> unhex(x), splitByChar(',', '6127,')) AS k1, \
             arrayMap(x -> reinterpret(toInt64(x), 'DateTime64(3)'), splitByChar(',', '-7,9')) AS k2) ARRAY JOIN k0, k1, k2)"
        );
    }
}
