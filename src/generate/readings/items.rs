//! The names of what cameras see: a thing, then a thing and how it is, then any of that with a number.

use std::fmt::{self, Write};

const THINGS: [&str; 24] = [
    "car",
    "person",
    "bicycle",
    "truck",
    "bus",
    "motorcycle",
    "dog",
    "backpack",
    "umbrella",
    "stroller",
    "suitcase",
    "scooter",
    "van",
    "taxi",
    "skateboard",
    "bench",
    "traffic cone",
    "wheelchair",
    "shopping cart",
    "ambulance",
    "fire engine",
    "café table",
    "cat",
    "tram",
];
const LOOKS: [&str; 16] = [
    "white",
    "black",
    "grey",
    "red",
    "blue",
    "silver",
    "green",
    "yellow",
    "small",
    "large",
    "parked",
    "moving",
    "damaged",
    "wet",
    "covered",
    "bright orange",
];

/// Appends the name of the item of that number: no two have the same, and none needs an escape.
pub(super) fn write(text: &mut String, number: u64) -> fmt::Result {
    let (things, looks) = (THINGS.len() as u64, LOOKS.len() as u64 + 1);
    let (thing, rest) = (number % things, number / things);
    let (look, series) = (rest % looks, rest / looks);
    if look > 0 {
        text.push_str(LOOKS[look as usize - 1]);
        text.push(' ');
    }
    text.push_str(THINGS[thing as usize]);
    if series > 0 { write!(text, " {}", series + 1) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_plain() {
        let names: BTreeSet<String> = (0..5_000)
            .map(|number| {
                let mut text = String::new();
                write(&mut text, number).unwrap();
                assert!(serde_json::to_string(&text).unwrap() == format!("\"{text}\""), "{text}");
                text
            })
            .collect();
        assert_eq!(names.len(), 5_000);
        assert!(names.contains("car") && names.contains("white car") && names.contains("bright orange tram 2"));
    }
}
