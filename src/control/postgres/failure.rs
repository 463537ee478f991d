//! What an error of PostgreSQL means: worth asking again, or final. One table of cases, each with its reason.

use std::error::Error as _;

use postgres::Error;

use crate::patience::{Failure, chain};

/// Errors that pass by themselves, by the beginning of their code. Any other that the server names is final.
static PASSING: &[(&str, &str)] = &[
    ("08", "connection exceptions: the connection broke"),
    ("25006", "read-only transaction: it is a standby, or has become one; the new primary will be found"),
    ("40", "transaction rollback: deadlocks and the like, the same again"),
    ("53", "insufficient resources: connections, memory or disk, which others free"),
    ("55006", "object in use: it will be free"),
    ("55P03", "lock not available: it will be free"),
    ("57014", "query cancelled: by somebody, or by a timeout of the server's"),
    ("57P01", "admin shutdown"),
    ("57P02", "crash shutdown"),
    ("57P03", "cannot connect now: it is starting up, shutting down or recovering"),
    ("57P05", "idle session timeout"),
    ("58", "system error: input and output, which somebody mends"),
];

/// Who must do what about some that are final.
static ADVICE: &[(&str, &str)] = &[
    ("28", "check user and password in postgres.url, and the server's pg_hba.conf"),
    ("3D000", "create the database, or correct postgres.url"),
    ("42501", "the user needs SELECT, INSERT, UPDATE and DELETE on the control tables"),
    ("42P01", "run `hexflow migrate` to make what is missing"),
    ("42703", "run `hexflow migrate`; it tells what differs"),
    ("42804", "run `hexflow migrate`; it tells what differs"),
];

/// For whatever else is final.
const NO_ADVICE: &str = "what was stored stays, and the same command run again completes the work";

/// What an error means.
pub fn of(error: &Error) -> Failure {
    let text = chain(error);
    match error.code() {
        Some(code) => of_code(code.code(), text),
        // Refused, reset, cut off, timed out, unknown host: the server, or the way to it, comes back.
        None if error.is_closed() || comes_of_io(error) || is_cut_off(&text) => Failure::Passing(text),
        None => Failure::Final(text, "check postgres.url"),
    }
}

fn of_code(code: &str, text: String) -> Failure {
    if PASSING.iter().any(|(passing, _)| code.starts_with(passing)) {
        return Failure::Passing(text);
    }
    let advice = ADVICE.iter().find(|(codes, _)| code.starts_with(codes)).map_or(NO_ADVICE, |(_, advice)| advice);
    Failure::Final(text, advice)
}

fn comes_of_io(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(next) = cause {
        if next.is::<std::io::Error>() {
            return true;
        }
        cause = next.source();
    }
    false
}

/// What only the text tells: a handshake that ended before its time, and not for what the certificate says.
fn is_cut_off(text: &str) -> bool {
    text.contains("timed out") || (text.contains("TLS handshake") && !text.contains("certificate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_asked_again() {
        for code in ["08006", "25006", "40P01", "53300", "57P01", "57P03", "58030"] {
            assert!(matches!(of_code(code, String::new()), Failure::Passing(_)), "{code}");
        }
    }

    #[test]
    fn what_somebody_must_act_on_is_final() {
        for (code, advice) in
            [("28P01", "password"), ("42P01", "hexflow migrate"), ("42501", "INSERT"), ("22001", "completes the work")]
        {
            let Failure::Final(_, told) = of_code(code, String::new()) else { panic!("{code} is final") };
            assert!(told.contains(advice), "{told}");
        }
    }
}
