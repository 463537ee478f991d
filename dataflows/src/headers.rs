//! The headers that every message has, found in one pass.

use crate::messages::topic::Topic;
use crate::record::Record;

/// The names of the headers that are read; any other may hold whatever it likes.
pub const NAMES: [&str; 5] = ["env", "message-type", "request-id", "org-id", "traceparent"];

/// What FORMATS names; of a header that comes twice the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The environment the message is meant for.
    pub env: Option<&'a str>,
    /// What the message is.
    pub message_type: Option<&'a str>,
    /// The request that it came of.
    pub request_id: &'a str,
    /// The tenant.
    pub org_id: Option<&'a str>,
    /// W3C trace context to continue.
    pub traceparent: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// The headers of `record`.
    pub fn of(record: &Record<'a>) -> Self {
        let [mut env, mut kind, mut request, mut org, mut trace] = [None; 5];
        for &(name, value) in record.headers {
            let slot = match name {
                "env" => &mut env,
                "message-type" => &mut kind,
                "request-id" => &mut request,
                "org-id" => &mut org,
                "traceparent" => &mut trace,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        Headers {
            env: env.flatten(),
            message_type: kind.flatten(),
            request_id: request.flatten().unwrap_or_default(),
            org_id: org.flatten(),
            traceparent: trace.flatten(),
        }
    }

    /// Checks that those are there which a message must have, and that its type belongs on `topic`.
    pub fn check(&self, topic: Topic) -> Result<(), String> {
        for (name, value) in [("env", self.env.unwrap_or_default()), ("request-id", self.request_id)] {
            if value.is_empty() {
                return Err(format!("header `{name}` is missing"));
            }
        }
        let kind = self.message_type.ok_or("header `message-type` is missing")?;
        if topic.message_types().contains(&kind) {
            return Ok(());
        }
        let known = topic.message_types().join(", ");
        Err(format!("header `message-type`: {kind:?} is not one of this topic's: {known}"))
    }
}
