//! Texts that are never printed: what shows of them anywhere is `***`.

use std::fmt;

use super::field::{Field, quote};

/// What stands for a secret.
const MASK: &str = "***";

/// A password or a key. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

/// An address that may hold a password. `Debug` shows all but that.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretUrl(String);

impl Secret {
    /// The secret itself: to be handed to a server, never to be printed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretUrl {
    /// The address with its password: to be handed to a client, never to be printed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretUrl {
    fn from(url: &str) -> Self {
        SecretUrl(url.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

impl Field for Secret {
    fn set(&mut self, text: &str) -> bool {
        set(&mut self.0, text)
    }

    fn expected(&self) -> &'static str {
        "the secret itself as UTF-8 text"
    }

    /// An empty secret shows as such, so that a forgotten one is seen.
    fn show(&self) -> String {
        quote(&self.mask(&self.0))
    }

    fn mask(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { MASK.into() }
    }
}

impl Field for SecretUrl {
    fn set(&mut self, text: &str) -> bool {
        set(&mut self.0, text)
    }

    fn expected(&self) -> &'static str {
        "an address"
    }

    fn show(&self) -> String {
        quote(&self.mask(&self.0))
    }

    /// What has no form of an address may be a password that went astray.
    fn mask(&self, text: &str) -> String {
        if text.is_empty() || text.contains("://") || text.contains('=') { mask(text) } else { MASK.into() }
    }
}

/// Refuses what was copied from the output of `hexflow config`: a mask is not the secret that it hides.
fn set(target: &mut String, text: &str) -> bool {
    let genuine = !text.contains(MASK);
    if genuine {
        *target = text.into();
    }
    genuine
}

/// Hides the passwords of an address: from the first colon of its authority to its last `@`, and from the value of a
/// `password` parameter to the end. What is no address comes here too, on its way into an error; in doubt more is
/// hidden.
pub(super) fn mask(text: &str) -> String {
    let end = password_parameter(text).unwrap_or(text.len());
    let authority = text.find("://").map_or(0, |at| at + "://".len());
    let colon = text[authority..].find(':').map(|at| authority + at + 1);
    let tail = if end < text.len() { MASK } else { "" };
    match colon.zip(text.rfind('@')) {
        Some((from, to)) if from <= to && to <= end => [&text[..from], MASK, &text[to..end], tail].concat(),
        // The two overlap, and where one ends and the other begins cannot be told.
        Some((from, to)) if from <= to && from <= end => [&text[..from], MASK].concat(),
        _ => [&text[..end], tail].concat(),
    }
}

/// Where the value of the first `password = ..` begins, in a query or among key=value pairs.
fn password_parameter(text: &str) -> Option<usize> {
    let word = "password";
    text.to_ascii_lowercase().match_indices(word).find_map(|(at, _)| {
        let rest = &text[at + word.len()..];
        let value = rest.trim_start().strip_prefix('=')?;
        Some(text.len() - value.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_hidden() {
        for (text, shown) in [
            ("postgres://app@127.0.0.1:5432/hexflow", "postgres://app@127.0.0.1:5432/hexflow"),
            ("postgres://app:hunter2@127.0.0.1:5432/hexflow", "postgres://app:***@127.0.0.1:5432/hexflow"),
            ("postgres://app:hunt:er/2@hunter2@db/hexflow", "postgres://app:***@db/hexflow"),
            ("postgres://:hunter2@db", "postgres://:***@db"),
            ("postgres:/app:hunter2@db", "postgres:***@db"),
            ("app:hunter2@db", "app:***@db"),
            ("postgres://db/hexflow?user=app&password=hunter2&x=y", "postgres://db/hexflow?user=app&password=***"),
            ("postgres://app:hunter2@db/hexflow?Password=hunter2", "postgres://app:***@db/hexflow?Password=***"),
            ("postgres://app:xpassword=hunter2@db/hexflow", "postgres://app:***"),
            ("postgres://app:hunter2@db/?password=hunter2@hunter2", "postgres://app:***"),
            ("host=db user=app password = 'hunt er2' port=1", "host=db user=app password =***"),
            ("host=db user=app password=hunter2:x@y", "host=db user=app password=***"),
            ("127.0.0.1:9092,127.0.0.1:9093", "127.0.0.1:9092,127.0.0.1:9093"),
        ] {
            assert_eq!(mask(text), shown);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret("hunter2".into());
        let url = SecretUrl::from("postgres://app:hunter2@db");
        assert_eq!(format!("{secret:?} {url:?} {:?}", Secret::default()), "\"***\" \"postgres://app:***@db\" \"\"");
    }

    #[test]
    fn a_mask_is_not_taken_for_the_secret() {
        let (mut secret, mut url) = (Secret("hunter2".into()), SecretUrl::from("postgres://db"));
        assert!(!secret.set("***") && !url.set("postgres://app:***@db"));
        assert_eq!((secret.expose(), url.expose()), ("hunter2", "postgres://db"));
    }
}
