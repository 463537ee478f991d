//! Readings: travelers who pass sensors, and what cameras see; messages of one topic each, that tell of an instant.
//!
//! ```text
//! crowd: traveler             who is where, and is read when     movement          the messages,
//! cameras: zipf, locations    what is seen where                 detection, items
//! courier: transit            the way into the topic: late, out of order, repeated
//! ```

pub(super) mod cameras;
mod courier;
pub(super) mod crowd;
mod detection;
mod items;
mod locations;
mod movement;
#[cfg(test)]
mod tests;
mod transit;
mod traveler;
mod zipf;
