//! Which part of the written form stands for which part of the spoken one.
//!
//! `一百二十块` is written `120块`: the codes both forms share, in order, stand for each other; what
//! lies between two shared ones stands for what lies between them in the other form.

use std::ops::Range;

/// Larger middles are taken as one piece: comparing them would cost too much.
const MOST_CELLS: usize = 250_000;

/// For each code of `from`, the codes of `to` that stand for it.
pub(crate) fn align(from: &[u16], to: &[u16]) -> Vec<Range<usize>> {
    let shared = shared_pairs(from, to);
    let mut map = Vec::with_capacity(from.len());
    let mut last = 0;
    for (i, j) in shared.into_iter().chain([(from.len(), to.len())]) {
        while map.len() < i {
            map.push(last..j);
        }
        if i < from.len() {
            map.push(j..j + 1);
            last = j + 1;
        }
    }
    map
}

/// The longest common subsequence, as pairs of places.
fn shared_pairs(from: &[u16], to: &[u16]) -> Vec<(usize, usize)> {
    let head = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let (rest_from, rest_to) = (&from[head..], &to[head..]);
    let tail = rest_from
        .iter()
        .rev()
        .zip(rest_to.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let middle_from = &rest_from[..rest_from.len() - tail];
    let middle_to = &rest_to[..rest_to.len() - tail];
    let mut pairs: Vec<_> = (0..head).map(|i| (i, i)).collect();
    pairs.extend(
        shared_middle(middle_from, middle_to)
            .into_iter()
            .map(|(i, j)| (head + i, head + j)),
    );
    pairs.extend((0..tail).map(|i| (from.len() - tail + i, to.len() - tail + i)));
    pairs
}

fn shared_middle(from: &[u16], to: &[u16]) -> Vec<(usize, usize)> {
    let width = to.len() + 1;
    if from.is_empty() || to.is_empty() || (from.len() + 1) * width > MOST_CELLS {
        return Vec::new();
    }
    // `longest[i][j]`: length of the longest common subsequence of `from[i..]` and `to[j..]`.
    let mut longest = vec![0u32; (from.len() + 1) * width];
    for i in (0..from.len()).rev() {
        for j in (0..to.len()).rev() {
            longest[i * width + j] = match from[i] == to[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < from.len() && j < to.len() {
        if from[i] == to[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::encode;
    use proptest::prelude::*;

    #[test]
    fn numbers_stand_for_numbers() {
        let map = align(&encode("一共一百二十块钱"), &encode("一共120块钱"));
        assert_eq!(map, [0..1, 1..2, 2..5, 2..5, 2..5, 2..5, 5..6, 6..7]);
        let back = align(&encode("一共120块钱"), &encode("一共一百二十块钱"));
        assert_eq!(back[2], 2..6);
    }

    proptest! {
        #[test]
        fn every_code_maps_within_the_other_form(
            from in prop::collection::vec(0u16..4, 0..20),
            to in prop::collection::vec(0u16..4, 0..20),
        ) {
            let map = align(&from, &to);
            prop_assert_eq!(map.len(), from.len());
            let mut last = 0;
            for range in map {
                prop_assert!(range.start <= range.end && range.end <= to.len());
                prop_assert!(range.start >= last || range.end >= last);
                last = range.start;
            }
        }
    }
}
