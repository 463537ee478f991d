//! What an error of an object store means: worth trying again, or final.

use object_store::Error;

use crate::patience::{Failure, chain};

/// What `error` of a store that is on this machine, or is not, means.
pub fn of(error: &Error, is_local: bool) -> Failure {
    // It holds addresses and no keys.
    let why = chain(error);
    match error {
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => {
            Failure::Final(why, "check object_store.access_key and object_store.secret_key, and what they may do")
        }
        Error::NotFound { .. } => Failure::Final(why, "make the bucket, or correct the URL of the place"),
        Error::InvalidPath { .. } | Error::NotSupported { .. } | Error::NotImplemented { .. } => {
            Failure::Final(why, "correct the URL of the place")
        }
        // A full or absent disk is for an operator; the same command completes the work.
        _ if is_local => Failure::Final(why, "make room for it and let it be written, then run the same again"),
        _ => Failure::Passing(why),
    }
}
