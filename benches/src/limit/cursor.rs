//! A place in a line, what can be read there, and how objects are made of it.
//!
//! A payload is JSON within a JSON string: its quotes come as `\"`, and it is read as it stands. Whatever is unusual, be it
//! white space, other escapes, other alphabets, unknown fields or twice the same, reads as none: then the whole line
//! is read by the library, see `unusual`.

use super::lanes::plain;
use super::number::{Count, Number};
use super::time::{Clock, Time};
use super::unusual::Field;

/// A place in a line.
pub(super) struct Cursor<'a, 'c> {
    pub(super) rest: &'a [u8],
    pub(super) clock: &'c mut Clock,
}

impl<'a> Cursor<'a, '_> {
    /// Passes a text of constant length if it is what comes next.
    #[inline(always)]
    pub(super) fn pass<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        match self.rest.split_first_chunk::<N>() {
            Some((first, rest)) if first == text => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// As much of plain text as comes next.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let (text, rest) = self.rest.split_at_checked(plain(self.rest)?)?;
        self.rest = rest;
        Some(text)
    }

    /// A payload's string.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a [u8]> {
        let text = if self.pass(br#"\""#) { self.text()? } else { return None };
        self.pass(br#"\""#).then_some(text)
    }

    /// The name of a field.
    pub(super) fn name(&mut self) -> Option<&'a [u8]> {
        let name = self.string()?;
        self.pass(b":").then_some(name)
    }

    /// Passes what follows a field's value: whether there is another field.
    #[inline(always)]
    pub(super) fn more(&mut self) -> Option<bool> {
        let (&next, rest) = self.rest.split_first()?;
        self.rest = rest;
        matches!(next, b',' | b'}').then_some(next == b',')
    }

    #[inline(always)]
    fn take<T>(&mut self, scan: impl FnOnce(&[u8]) -> Option<(T, usize)>) -> Option<T> {
        let (value, length) = scan(self.rest)?;
        self.rest = self.rest.get(length..)?;
        Some(value)
    }
}

/// What a field may hold.
pub(super) trait Value<'a>: Sized {
    /// Reads it in a line.
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self>;
    /// Takes it from what the library read.
    fn of(field: &'a Field) -> Option<Self>;
    /// What it is where its field is missing.
    fn missing() -> Option<Self> {
        None
    }
}

/// A string, written the way it is to be written.
impl<'a> Value<'a> for &'a [u8] {
    #[inline(always)]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        cursor.string()
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::Text(text) = field { Some(text.as_bytes()) } else { None }
    }
}

impl<'a> Value<'a> for Number {
    #[inline(always)]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        cursor.take(Number::scan)
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::Number(number) = field { Number::of(number.as_f64()?) } else { None }
    }
}

impl<'a> Value<'a> for Count {
    #[inline(always)]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        cursor.take(Count::scan)
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::Number(number) = field { Some(Count::of(number.as_u64()?.try_into().ok()?)) } else { None }
    }
}

impl<'a> Value<'a> for Time {
    #[inline(always)]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        let text = cursor.string()?;
        cursor.clock.read(text)
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::Text(text) = field { Time::parse(text) } else { None }
    }
}

impl<'a, T: Value<'a>> Value<'a> for Option<T> {
    #[inline(always)]
    fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
        if cursor.pass(b"null") { Some(None) } else { T::scan(cursor).map(Some) }
    }
    fn of(field: &'a Field) -> Option<Self> {
        if let Field::Null = field { Some(None) } else { T::of(field).map(Some) }
    }
    fn missing() -> Option<Self> {
        Some(None)
    }
}

/// Defines an object that a field, or a payload, may hold. Its fields are tried in the order given, which is that of most
/// senders; what comes in another order is found by name.
macro_rules! object {
    ($(#[$doc:meta])* $object:ident $(<$life:lifetime>)? { $($field:ident: $type:ty = $name:literal,)+ }) => {
        $(#[$doc])*
        pub(super) struct $object $(<$life>)? { $(pub(super) $field: $type,)+ }

        impl<'a> Value<'a> for $object $(<$life>)? {
            #[inline(always)]
            fn scan(cursor: &mut Cursor<'a, '_>) -> Option<Self> {
                $(let mut $field: Option<$type> = None;)+
                let mut more = cursor.pass(b"{");
                $(if more && cursor.pass(const { &crate::limit::cursor::quoted::<{ $name.len() + 5 }>($name) }) {
                    $field = Some(Value::scan(cursor)?);
                    more = cursor.more()?;
                })+
                while more {
                    let name = cursor.name()?;
                    $(if name == $name.as_bytes() && $field.is_none() {
                        $field = Some(Value::scan(cursor)?);
                        more = cursor.more()?;
                        continue;
                    })+
                    return None;
                }
                Some($object { $($field: $field.or_else(<$type as Value>::missing)?,)+ })
            }

            fn of(field: &'a Field) -> Option<Self> {
                Some($object { $($field: field.get($name).map_or_else(<$type as Value>::missing, Value::of)?,)+ })
            }
        }
    };
}
pub(super) use object;

/// A field's name as it stands in a payload, and the colon.
pub(super) const fn quoted<const N: usize>(name: &str) -> [u8; N] {
    let (mut quoted, name) = ([b':'; N], name.as_bytes());
    let mut at = 0;
    while at < name.len() {
        quoted[at + 2] = name[at];
        at += 1;
    }
    (quoted[0], quoted[1], quoted[at + 2], quoted[at + 3]) = (b'\\', b'"', b'\\', b'"');
    quoted
}
