//! The set itself: names by oid, and how one set differs from another.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hexflow_dataflows::cameras::LocationChange;

/// Names of locations by their oids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations(BTreeMap<i64, String>);

/// How many locations came, went, and have another name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Not there before.
    pub added: usize,
    /// Not there any more.
    pub removed: usize,
    /// There under another name.
    pub corrected: usize,
}

impl Locations {
    /// Adds a location, which may be there already; fails if it is there under another name.
    pub fn add(&mut self, oid: i64, name: String) -> Result<(), String> {
        match self.0.entry(oid) {
            Entry::Vacant(new) => {
                new.insert(name);
            }
            Entry::Occupied(known) if *known.get() == name => {}
            Entry::Occupied(known) => {
                return Err(format!("location {oid} is {name:?} here and {:?} above", known.get()));
            }
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What makes this set of `before`.
    pub fn changes(&self, before: &Locations) -> Vec<LocationChange> {
        let lacks = |set: &Locations, (oid, name): &(&i64, &String)| set.0.get(oid) != Some(*name);
        let gone = before.0.iter().filter(|known| lacks(self, known)).map(|known| (known, -1));
        let new = self.0.iter().filter(|known| lacks(before, known)).map(|known| (known, 1));
        gone.chain(new).map(|((oid, name), diff)| ((*oid, name.clone()), diff)).collect()
    }

    /// How many are not as in `before`.
    pub fn difference(&self, before: &Locations) -> Difference {
        let added = self.0.keys().filter(|oid| !before.0.contains_key(oid)).count();
        let corrected = self.0.iter().filter(|(oid, name)| before.0.get(oid).is_some_and(|was| was != *name)).count();
        Difference { added, removed: before.len() + added - self.len(), corrected }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A set of so many.
    pub(in crate::locations) fn set(names: &[(i64, &str)]) -> Locations {
        let mut set = Locations::default();
        names.iter().for_each(|(oid, name)| set.add(*oid, (*name).to_owned()).unwrap());
        set
    }

    #[test]
    fn differences_make_one_set_of_another() {
        let before = set(&[(-1, "gate"), (1, "bridge"), (2, "square"), (9, "")]);
        let after = set(&[(1, "new bridge"), (2, "square"), (3, "tower"), (9, "")]);
        let change = |oid, name: &str, diff| ((oid, name.to_owned()), diff);
        let expected =
            [change(-1, "gate", -1), change(1, "bridge", -1), change(1, "new bridge", 1), change(3, "tower", 1)];
        assert_eq!(after.changes(&before), expected);
        assert_eq!(after.difference(&before), Difference { added: 1, removed: 1, corrected: 1 });
        assert_eq!((after.changes(&after), after.difference(&after)), (Vec::new(), Difference::default()));
        assert_eq!(Locations::default().difference(&before), Difference { removed: 4, ..Difference::default() });
    }

    #[test]
    fn a_location_has_one_name() {
        let mut locations = set(&[(7, "gate")]);
        assert_eq!(locations.add(7, "gate".to_owned()), Ok(()));
        assert_eq!(
            locations.add(7, "bridge".to_owned()),
            Err("location 7 is \"bridge\" here and \"gate\" above".to_owned())
        );
        assert_eq!(locations, set(&[(7, "gate")]));
    }
}
