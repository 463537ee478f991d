//! The types that a setting may have: how each is read from text, and shown.
//!
//! Everything is read from text, by the type of the field it is for, so that a password `0123` stays what it is. A TOML
//! file says a little more than the text: whether it stood in quotes.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::secret::mask;

/// A setting's place in the configuration. Secrets are in no text that it hands out.
pub(super) trait Field {
    /// Takes the value that `text` stands for; says whether there is one, and keeps what it had otherwise.
    #[must_use]
    fn set(&mut self, text: &str) -> bool;

    /// Completes "expected ..".
    fn expected(&self) -> &'static str;

    /// Whether TOML writes it in quotes.
    fn quoted(&self) -> bool {
        true
    }

    /// The value as TOML.
    fn show(&self) -> String;

    /// A text that was meant for this field.
    fn mask(&self, text: &str) -> String {
        mask(text)
    }
}

/// `text` as a TOML string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

impl Field for String {
    fn set(&mut self, text: &str) -> bool {
        let some = !text.is_empty();
        if some {
            *self = text.into();
        }
        some
    }

    fn expected(&self) -> &'static str {
        "text"
    }

    fn show(&self) -> String {
        quote(&mask(self))
    }
}

impl Field for PathBuf {
    fn set(&mut self, text: &str) -> bool {
        *self = text.into();
        true
    }

    fn expected(&self) -> &'static str {
        "the path of a file"
    }

    fn show(&self) -> String {
        quote(&self.display().to_string())
    }
}

/// Empty text stands for nothing, so that a later layer can take back what an earlier one set.
impl<T: Field + Default> Field for Option<T> {
    fn set(&mut self, text: &str) -> bool {
        if text.is_empty() {
            *self = None;
            return true;
        }
        let mut value = T::default();
        let valid = value.set(text);
        if valid {
            *self = Some(value);
        }
        valid
    }

    fn expected(&self) -> &'static str {
        T::default().expected()
    }

    fn quoted(&self) -> bool {
        T::default().quoted()
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quote(""), T::show)
    }

    fn mask(&self, text: &str) -> String {
        T::default().mask(text)
    }
}

/// What Rust's own parsing and printing serve.
pub(super) trait Plain: FromStr + Display {
    /// What a value looks like.
    const EXPECTED: &'static str;
    /// Whether it is a text in a file.
    const QUOTED: bool = false;
}

impl Plain for bool {
    const EXPECTED: &'static str = "true or false";
}

impl Plain for usize {
    const EXPECTED: &'static str = "a whole number";
}

impl Plain for u64 {
    const EXPECTED: &'static str = "a whole number";
}

impl Plain for f64 {
    const EXPECTED: &'static str = "a number";
}

impl Plain for SocketAddr {
    const EXPECTED: &'static str = "an address and port such as 127.0.0.1:8080";
    const QUOTED: bool = true;
}

impl<T: Plain> Field for T {
    fn set(&mut self, text: &str) -> bool {
        text.parse().map(|value| *self = value).is_ok()
    }

    fn expected(&self) -> &'static str {
        T::EXPECTED
    }

    fn quoted(&self) -> bool {
        T::QUOTED
    }

    fn show(&self) -> String {
        if T::QUOTED { quote(&self.to_string()) } else { self.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_a_toml_string() {
        for text in ["", "a\"b\\c", "two\nlines\t\u{7f}\u{85}", "grün 🚢"] {
            let line = format!("text = {}", quote(text));
            let table = line.parse::<toml::Table>();
            assert_eq!(
                table.ok().and_then(|table| Some(table.get("text")?.as_str()?.to_owned())).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn what_does_not_parse_changes_nothing() {
        let (mut number, mut text, mut listen) =
            (500_usize, "prod".to_string(), SocketAddr::from(([127, 0, 0, 1], 80)));
        assert!(!number.set("-1") && !number.set("1.5") && !number.set("") && !number.set("0x10"));
        assert!(!text.set(""));
        assert!(!listen.set("localhost:8080") && !listen.set("8080"));
        assert_eq!((number, text.as_str(), listen.port()), (500, "prod", 80));
    }

    #[test]
    fn empty_text_takes_an_optional_value_back() {
        let mut url = Some("file:///gps".to_string());
        assert!(url.set(""));
        assert_eq!((url.show(), url), ("\"\"".to_string(), None));
    }
}
