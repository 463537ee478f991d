//! Messages that hexflow sends: made of rows in one way, whether they go to Kafka or into dumps.
//!
//! ```text
//!   rows --> maker: a row's message, and its audit --> messages: a block of bytes --> the sink of Kafka, or of dumps
//! ```
//! A message is made of its record alone, so that sent again it is the same, and whoever receives it twice can drop it.

pub mod alert;
pub mod letter;
pub mod maker;
pub mod messages;

pub use maker::Maker;
pub use messages::{Message, Messages};
