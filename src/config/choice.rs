//! Settings that are one of a few words.

use std::fmt;
use std::str::FromStr;

/// Makes an enum whose variants are written as the words beside them.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident, $expected:literal { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// As written in the configuration.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                [$($name::$variant),*].into_iter().find(|one| one.name() == word).ok_or(())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl super::field::Plain for $name {
            const EXPECTED: &'static str = $expected;
            const QUOTED: bool = true;
        }
    };
}

choice! {
    /// What becomes of a record that cannot be understood.
    OnMalformed, "stall or dead_letter" {
        /// Its partition waits at its offset until an operator skips it or a new version understands it.
        Stall = "stall",
        /// It is copied to `TOPIC.dlq`, and its partition goes on.
        DeadLetter = "dead_letter",
    }
}

choice! {
    /// The form of the log's lines.
    LogFormat, "text or json" {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// The least that the log tells.
    LogLevel, "error, warn, info, debug or trace" {
        /// Only what somebody must act on.
        Error = "error",
        /// That, and what is to be noticed.
        Warn = "warn",
        /// That, and what happens now and then.
        Info = "info",
        /// That, and what developers read.
        Debug = "debug",
        /// All there is.
        Trace = "trace",
    }
}
