//! What an error of ClickHouse means: worth asking again, or final. One table of cases, each with its reason.

use clickhouse::error::Error;

use crate::patience::{Failure, chain};

/// Exceptions that pass by themselves, by ClickHouse's codes. Any other is final: the same again would fail again.
static PASSING: &[(u32, &str)] = &[
    (3, "UNEXPECTED_END_OF_FILE: the connection broke within a request"),
    (23, "CANNOT_READ_FROM_ISTREAM: the same"),
    (159, "TIMEOUT_EXCEEDED: it was busy"),
    (160, "TOO_SLOW: it was busy"),
    (201, "QUOTA_EXCEEDED: a quota is for an interval, which ends"),
    (202, "TOO_MANY_SIMULTANEOUS_QUERIES: others will end"),
    (203, "NO_FREE_CONNECTION: one will be free"),
    (209, "SOCKET_TIMEOUT: between servers"),
    (210, "NETWORK_ERROR: between servers"),
    (225, "NO_ZOOKEEPER: coordination comes back"),
    (236, "ABORTED: the server is stopping"),
    (241, "MEMORY_LIMIT_EXCEEDED: by all queries together; others will end"),
    (242, "TABLE_IS_READ_ONLY: a replica without its coordination"),
    (243, "NOT_ENOUGH_SPACE: merges or an operator make room"),
    (252, "TOO_MANY_PARTS: merges catch up, if they are let"),
    (285, "TOO_FEW_LIVE_REPLICAS: a quorum comes back"),
    (286, "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE: the same"),
    (319, "UNKNOWN_STATUS_OF_INSERT: what stands is looked up before it is sent again"),
    (341, "UNFINISHED: a mutation goes on behind"),
    (394, "QUERY_WAS_CANCELLED: somebody ended it, or the server is stopping"),
    (425, "SYSTEM_ERROR: threads or descriptors ran out"),
    (439, "CANNOT_SCHEDULE_TASK: the pool was full"),
    (473, "DEADLOCK_AVOIDED: the lock will be free"),
    (517, "CANNOT_ASSIGN_ALTER: another alteration of the table is under way"),
    (700, "USER_SESSION_LIMIT_EXCEEDED: others will end"),
    (745, "SERVER_OVERLOADED: it says so itself"),
    (999, "KEEPER_EXCEPTION: coordination comes back"),
];

/// Who must do what about some that are final.
static ADVICE: &[(&[u32], &str)] = &[
    (&[192, 193, 194, 195, 516], "check clickhouse.user and clickhouse.password"),
    (
        &[164, 497],
        "the user needs SELECT, INSERT, ALTER DELETE and ALTER UPDATE on the database, and must not be read-only",
    ),
    (&[16, 47, 53, 60, 81], "run `hexflow migrate` to make what is missing; it tells what differs"),
];

/// For whatever else is final.
const NO_ADVICE: &str = "what was stored stays, and the same command run again completes the work";

/// Bytes of an exception's text that are shown.
const SHOWN: usize = 400;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            // Refused, reset, cut off, unknown host: the server, or the way to it, comes back.
            Error::Network(_) | Error::TimedOut => Failure::Passing(chain(&error)),
            Error::BadResponse(text) => of_answer(text),
            _ => Failure::Final(chain(&error), NO_ADVICE),
        }
    }
}

/// Of an answer that is no good.
fn of_answer(text: &str) -> Failure {
    let shown = shorten(text);
    let Some(code) = code_of(text) else {
        // Not ClickHouse's own words: a proxy's, which says 502 or the like while there is nothing behind it. Only what
        // it says without a word more is known by its status.
        let denied = ["400 ", "401 ", "403 ", "404 "].iter().any(|status| text.starts_with(status));
        return if denied { Failure::Final(shown, "check clickhouse.url") } else { Failure::Passing(shown) };
    };
    if PASSING.iter().any(|(passing, _)| *passing == code) {
        return Failure::Passing(shown);
    }
    let advice = ADVICE.iter().find(|(codes, _)| codes.contains(&code)).map_or(NO_ADVICE, |(_, advice)| advice);
    Failure::Final(shown, advice)
}

/// The number in `Code: 252. DB::Exception: ..`.
fn code_of(text: &str) -> Option<u32> {
    let digits = text.split("Code: ").nth(1)?;
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

/// The first line, not too much of it.
fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().map(|(at, _)| at).find(|&at| at >= SHOWN).unwrap_or(line.len());
    line[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_passing(text: &str) -> bool {
        matches!(Failure::from(Error::BadResponse(text.to_owned())), Failure::Passing(_))
    }

    #[test]
    fn what_passes_is_asked_again() {
        for text in [
            "Code: 252. DB::Exception: Too many parts (3000). Merges are processing slower than inserts. (TOO_MANY_PARTS)",
            "Code: 202. DB::Exception: Too many simultaneous queries.",
            "Code: 159. DB::Exception: Timeout exceeded: elapsed 61 s",
            "Code: 242. DB::Exception: Table is in readonly mode",
            "Code: 999",
            "502 Bad Gateway",
            "<html><head><title>503 Service Temporarily Unavailable</title></head></html>",
        ] {
            assert!(is_passing(text), "{text}");
        }
        assert!(matches!(Failure::from(Error::TimedOut), Failure::Passing(_)));
        assert!(matches!(Failure::from(Error::Network("refused".into())), Failure::Passing(_)));
    }

    #[test]
    fn what_somebody_must_act_on_is_final() {
        for (text, advice) in [
            ("Code: 516. DB::Exception: app: Authentication failed: password is incorrect", "clickhouse.password"),
            ("Code: 60. DB::Exception: Table hexflow.tracks does not exist. (UNKNOWN_TABLE)", "hexflow migrate"),
            ("Code: 497. DB::Exception: app: Not enough privileges.", "INSERT"),
            ("Code: 164. DB::Exception: app: Cannot execute query in readonly mode.", "read-only"),
            ("Code: 62. DB::Exception: Syntax error", "completes the work"),
            ("404 Not Found", "clickhouse.url"),
        ] {
            let failure = Failure::from(Error::BadResponse(text.to_owned()));
            let Failure::Final(shown, told) = failure else { panic!("{text} is final") };
            assert!(shown == text && told.contains(advice), "{told}");
        }
    }

    #[test]
    fn no_case_stands_twice() {
        assert!(PASSING.is_sorted_by(|a, b| a.0 < b.0));
        let advised = ADVICE.iter().flat_map(|(codes, _)| *codes);
        assert!(advised.into_iter().all(|code| PASSING.iter().all(|(passing, _)| passing != code)));
    }

    #[test]
    fn long_answers_are_cut_between_characters() {
        assert_eq!(shorten(&"é".repeat(SHOWN)).len(), SHOWN);
    }
}
