//! The records that an operator has said are to be skipped: few, and known by topic, partition and offset.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use hexflow_operators::hold_back::Position;

/// A set of records' places.
pub type Places = BTreeSet<Position>;

/// The records to skip, as many threads know them; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Skips(Arc<RwLock<Arc<Places>>>);

impl Skips {
    /// Those known now. Whoever looks at many records asks once for all.
    pub fn known(&self) -> Arc<Places> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// These are to be skipped as well.
    pub fn add(&self, places: impl IntoIterator<Item = Position>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut known).extend(places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_adds_the_others_know() {
        let (skips, place) = (Skips::default(), Position { stream: 1, offset: 2 });
        let before = skips.known();
        skips.clone().add([place]);
        assert!(skips.known().contains(&place) && before.is_empty());
    }
}
