//! Which characters of an utterance's written form stand for which of its spoken form.

use std::ops::Range;

use super::digits::written;

/// Longer texts than this many cells are not aligned: all of one goes with all of the other.
const MOST_CELLS: usize = 1 << 22;

/// Characters of two texts laid side by side.
pub(super) struct Alignment {
    /// Pairs of places with the same letter or digit, both rising.
    pairs: Vec<(usize, usize)>,
    n_right: usize,
}

impl Alignment {
    /// Lays two texts side by side so that as many letters and digits as can be go together; hanzi digits go
    /// with written ones.
    pub(super) fn new(left: &[char], right: &[char]) -> Self {
        let n_right = right.len();
        let left = letters(left);
        let right = letters(right);
        let n_same = left.iter().zip(&right).take_while(|(a, b)| a.1 == b.1);
        let n_same = n_same.count();
        let mut pairs: Vec<(usize, usize)> = (0..n_same)
            .map(|place| (left[place].0, right[place].0))
            .collect();
        let (left, right) = (&left[n_same..], &right[n_same..]);
        if (left.len() + 1) * (right.len() + 1) <= MOST_CELLS {
            pairs.extend(common(left, right));
        }
        Self { pairs, n_right }
    }

    /// What on the right stands for `range` on the left: all between the nearest characters outside that are
    /// sure to go together, so that nothing of the range is left out.
    pub(super) fn right_of(&self, range: Range<usize>) -> Range<usize> {
        let before = self.pairs.partition_point(|(left, _)| *left < range.start);
        let from = before
            .checked_sub(1)
            .map_or(0, |place| self.pairs[place].1 + 1);
        let after = self.pairs.partition_point(|(left, _)| *left < range.end);
        let to = self.pairs.get(after).map_or(self.n_right, |pair| pair.1);
        from..to.max(from)
    }
}

/// Letters and digits with their places, in the form in which they are compared.
fn letters(text: &[char]) -> Vec<(usize, char)> {
    let all = text.iter().enumerate();
    all.filter(|(_, ch)| ch.is_alphanumeric())
        .map(|(at, &ch)| {
            let same = written(ch).and_then(|digit| char::from_digit(digit.into(), 10));
            (
                at,
                same.unwrap_or_else(|| ch.to_lowercase().next().unwrap_or(ch)),
            )
        })
        .collect()
}

/// A longest common subsequence.
fn common(left: &[(usize, char)], right: &[(usize, char)]) -> Vec<(usize, usize)> {
    let width = right.len() + 1;
    let mut best = vec![0u32; (left.len() + 1) * width];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            best[i * width + j] = match left[i].1 == right[j].1 {
                true => best[(i + 1) * width + j + 1] + 1,
                false => best[(i + 1) * width + j].max(best[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < left.len() && j < right.len() {
        if left[i].1 == right[j].1 {
            found.push((left[i].0, right[j].0));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &str, range: Range<usize>, right: &str, expected: &str) {
        let (left, right): (Vec<char>, Vec<char>) =
            (left.chars().collect(), right.chars().collect());
        let found: String = right[Alignment::new(&left, &right).right_of(range)]
            .iter()
            .collect();
        assert_eq!(found, expected, "{left:?} {right:?}");
    }

    #[test]
    fn spoken_ranges_cover_what_they_are_written_as() {
        check("电话幺三八零", 2..6, "电话1380。", "1380。");
        check("花了三千五买幺三八", 6..9, "花了3500，买138", "138");
        check("花了三千五买", 2..5, "花了3,500买", "3,500");
        check(
            "张三艾特QQ点com好",
            0..10,
            "zhangsan@qq.com好",
            "zhangsan@qq.com",
        );
        check("一二", 0..2, "", "");
        check("", 0..0, "12", "12");
    }
}
