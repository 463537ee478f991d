//! Where a run is told to begin: `--from`.

use std::str::FromStr;

use jiff::Timestamp;

/// Where reading begins instead of where the group has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first record that the brokers still have.
    Earliest,
    /// Behind the last that they have.
    Latest,
    /// At the first record of this time or later, ms since the epoch.
    Time(i64),
    /// One partition alone, at an offset.
    Offset {
        /// The topic's name as the brokers have it.
        topic: String,
        /// Partition number.
        partition: u32,
        /// The next record to read.
        offset: u64,
    },
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = || {
            let (topic, place) = text.rsplit_once('/')?;
            let (partition, offset) = place.split_once(':')?;
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            let in_bounds = partition < 1 << 24 && i64::try_from(offset).is_ok();
            (in_bounds && !topic.is_empty()).then(|| From::Offset { topic: topic.to_owned(), partition, offset })
        };
        match text.strip_prefix('@') {
            Some(time) => time
                .parse::<Timestamp>()
                .map(|time| From::Time(time.as_millisecond()))
                .map_err(|error| format!("{error}; expected @ and a time such as @2022-01-03T00:00:00Z")),
            None if text == "earliest" => Ok(From::Earliest),
            None if text == "latest" => Ok(From::Latest),
            None => place().ok_or_else(|| "expected earliest, latest, @TIME or TOPIC/PARTITION:OFFSET".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        assert_eq!("earliest".parse(), Ok(From::Earliest));
        assert_eq!("latest".parse(), Ok(From::Latest));
        assert_eq!("@2022-01-03T00:00:00.5Z".parse(), Ok(From::Time(1_641_168_000_500)));
        let place = From::Offset { topic: "a.b".to_owned(), partition: 3, offset: 14 };
        assert_eq!("a.b/3:14".parse(), Ok(place));
        for wrong in ["", "begin", "@yesterday", "@", "a/3", "a/x:1", "/3:1", "a/3:-1", "a/16777216:0"] {
            assert!(wrong.parse::<From>().is_err(), "{wrong}");
        }
    }
}
