//! Many short lists of numbers in one.

/// Lists by number, one after the other in memory.
#[derive(Debug)]
pub(super) struct Lists {
    /// Where each begins; one more at the end.
    from: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    pub(super) fn new(lists: &[Vec<u32>]) -> Self {
        let mut from = Vec::with_capacity(lists.len() + 1);
        let mut items = Vec::new();
        for list in lists {
            from.push(items.len() as u32);
            items.extend_from_slice(list);
        }
        from.push(items.len() as u32);
        Self { from, items }
    }

    pub(super) fn get(&self, number: u32) -> &[u32] {
        let (from, to) = (self.from[number as usize], self.from[number as usize + 1]);
        &self.items[from as usize..to as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_stay_as_they_were(lists in proptest::collection::vec(proptest::collection::vec(0..9u32, 0..4), 0..9)) {
            let kept = Lists::new(&lists);
            for (number, list) in (0..).zip(&lists) {
                prop_assert_eq!(kept.get(number), list.as_slice());
            }
        }
    }
}
