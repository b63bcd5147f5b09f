//! The columns of a body: like things side by side, so that they are short, compress well, and are read with
//! few allocations. What is borrowed points into the value that is written, or the bytes that are read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::slice::Iter;

use serde::{Deserialize, Serialize};

use crate::error::BodyError;

/// What a value may take in memory: five times a day of speech. Counted when writing as when reading, so
/// that what was written is read again.
const MAX_VALUE_BYTES: usize = 1 << 28;
/// What a text costs besides its letters.
const TEXT_BYTES: usize = 16;
/// Thousandths beyond this are not told from their neighbours by a float.
const MAX_THOUSANDTHS: f64 = (1 << 24) as f64;
/// In the column of floats: the next of `exact_floats` instead.
const IS_EXACT: u32 = 0;

/// What is written. Another order or another column is another encoding.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Columns<'a> {
    /// Texts that come often: each once, in the order they first came in.
    #[serde(borrow)]
    names: Vec<&'a str>,
    /// All other texts, one behind the other.
    #[serde(borrow)]
    text: Cow<'a, str>,
    /// Lengths of lists, which variant, whether there is a value.
    tags: Vec<u32>,
    /// Places in `names`.
    name_places: Vec<u32>,
    /// Bytes of `text`.
    text_lengths: Vec<u32>,
    /// Times, each less the one before.
    steps: Vec<i64>,
    /// Counts, durations, places.
    numbers: Vec<u64>,
    /// Thousandths with their sign in the lowest bit, plus one; or [`IS_EXACT`].
    floats: Vec<u32>,
    /// Bits of floats that are no thousandths.
    exact_floats: Vec<u32>,
}

/// Adds up what a value takes in memory.
#[derive(Debug, Default)]
struct Budget {
    n_bytes: usize,
}

impl Budget {
    const fn charge(&mut self, n_bytes: usize) -> Result<(), BodyError> {
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
        match self.n_bytes > MAX_VALUE_BYTES {
            true => Err(BodyError::TooLong),
            false => Ok(()),
        }
    }
}

/// Fills columns.
#[derive(Debug, Default)]
pub(crate) struct Writer<'a> {
    columns: Columns<'a>,
    places: HashMap<&'a str, u32>,
    last_ms: u64,
    budget: Budget,
}

impl<'a> Writer<'a> {
    pub(crate) fn finish(self) -> Columns<'a> {
        self.columns
    }

    pub(crate) fn tag(&mut self, tag: u32) {
        self.columns.tags.push(tag);
    }

    /// Begins a list of `n_items` that take `item_bytes` each, without what they point to.
    pub(crate) fn list(&mut self, n_items: usize, item_bytes: usize) -> Result<(), BodyError> {
        self.budget.charge(n_items.saturating_mul(item_bytes))?;
        self.tag(u32::try_from(n_items).map_err(|_| BodyError::TooLong)?);
        Ok(())
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.columns.numbers.push(number);
    }

    pub(crate) fn time(&mut self, time_ms: u64) {
        let step = time_ms.wrapping_sub(self.last_ms);
        self.columns.steps.push(step.cast_signed());
        self.last_ms = time_ms;
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), BodyError> {
        self.budget.charge(text.len() + TEXT_BYTES)?;
        let n_bytes = u32::try_from(text.len()).map_err(|_| BodyError::TooLong)?;
        self.columns.text_lengths.push(n_bytes);
        self.columns.text.to_mut().push_str(text);
        Ok(())
    }

    pub(crate) fn name(&mut self, name: &'a str) -> Result<(), BodyError> {
        self.budget.charge(name.len() + TEXT_BYTES)?;
        let next = u32::try_from(self.columns.names.len()).map_err(|_| BodyError::TooLong)?;
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.columns.names.push(name);
        }
        self.columns.name_places.push(place);
        Ok(())
    }

    pub(crate) fn float(&mut self, value: f32) {
        let word = thousandths(value).map_or(IS_EXACT, |count| zigzag(count) + 1);
        self.columns.floats.push(word);
        if word == IS_EXACT {
            self.columns.exact_floats.push(value.to_bits());
        }
    }
}

/// `value` in thousandths, where it is the float next to a whole number of them.
fn thousandths(value: f32) -> Option<i32> {
    let count = (f64::from(value) * 1000.0).round();
    if count.is_nan() || count.abs() > MAX_THOUSANDTHS {
        return None;
    }
    let count = count as i32;
    (of_thousandths(count).to_bits() == value.to_bits()).then_some(count)
}

fn of_thousandths(count: i32) -> f32 {
    count as f32 / 1000.0
}

/// 0, -1, 1, -2 … as 0, 1, 2, 3 …
const fn zigzag(count: i32) -> u32 {
    ((count << 1) ^ (count >> 31)).cast_unsigned()
}

const fn from_zigzag(word: u32) -> i32 {
    (word >> 1).cast_signed() ^ -(word & 1).cast_signed()
}

/// Takes out of columns what a [`Writer`] put in, in the same order.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    names: &'a [&'a str],
    text: &'a str,
    tags: Iter<'a, u32>,
    name_places: Iter<'a, u32>,
    text_lengths: Iter<'a, u32>,
    steps: Iter<'a, i64>,
    numbers: Iter<'a, u64>,
    floats: Iter<'a, u32>,
    exact_floats: Iter<'a, u32>,
    last_ms: u64,
    budget: Budget,
}

fn next<T: Copy>(column: &mut Iter<'_, T>) -> Result<T, BodyError> {
    column.next().copied().ok_or(BodyError::Damaged)
}

impl<'a> Reader<'a> {
    pub(crate) fn new(columns: &'a Columns<'_>) -> Self {
        Self {
            names: &columns.names,
            text: &columns.text,
            tags: columns.tags.iter(),
            name_places: columns.name_places.iter(),
            text_lengths: columns.text_lengths.iter(),
            steps: columns.steps.iter(),
            numbers: columns.numbers.iter(),
            floats: columns.floats.iter(),
            exact_floats: columns.exact_floats.iter(),
            last_ms: 0,
            budget: Budget::default(),
        }
    }

    /// An error where something was not taken.
    pub(crate) fn finish(self) -> Result<(), BodyError> {
        let n_left = self.text.len()
            + self.tags.len()
            + self.name_places.len()
            + self.text_lengths.len()
            + self.steps.len()
            + self.numbers.len()
            + self.floats.len()
            + self.exact_floats.len();
        match n_left {
            0 => Ok(()),
            _ => Err(BodyError::Damaged),
        }
    }

    pub(crate) fn tag(&mut self) -> Result<u32, BodyError> {
        next(&mut self.tags)
    }

    /// How many items a list has: memory for them may be taken at once.
    pub(crate) fn list(&mut self, item_bytes: usize) -> Result<usize, BodyError> {
        let n_items = self.tag()? as usize;
        self.budget.charge(n_items.saturating_mul(item_bytes))?;
        Ok(n_items)
    }

    pub(crate) fn number(&mut self) -> Result<u64, BodyError> {
        next(&mut self.numbers)
    }

    pub(crate) fn time(&mut self) -> Result<u64, BodyError> {
        let step = next(&mut self.steps)?;
        self.last_ms = self.last_ms.wrapping_add(step.cast_unsigned());
        Ok(self.last_ms)
    }

    pub(crate) fn text(&mut self) -> Result<String, BodyError> {
        let n_bytes = next(&mut self.text_lengths)? as usize;
        let (text, rest) = self
            .text
            .split_at_checked(n_bytes)
            .ok_or(BodyError::Damaged)?;
        self.budget.charge(n_bytes + TEXT_BYTES)?;
        self.text = rest;
        Ok(text.to_owned())
    }

    pub(crate) fn name(&mut self) -> Result<String, BodyError> {
        let place = next(&mut self.name_places)? as usize;
        let name = *self.names.get(place).ok_or(BodyError::Damaged)?;
        self.budget.charge(name.len() + TEXT_BYTES)?;
        Ok(name.to_owned())
    }

    pub(crate) fn float(&mut self) -> Result<f32, BodyError> {
        match next(&mut self.floats)? {
            IS_EXACT => Ok(f32::from_bits(next(&mut self.exact_floats)?)),
            word => Ok(of_thousandths(from_zigzag(word - 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(value: f32) -> (f32, usize) {
        let mut writer = Writer::default();
        writer.float(value);
        let columns = writer.finish();
        let mut reader = Reader::new(&columns);
        let read = reader.float().unwrap();
        reader.finish().unwrap();
        (read, columns.exact_floats.len())
    }

    #[test]
    fn thousandths_are_short_and_others_exact() {
        for value in [0.0, 1.0, -0.999, 0.922, 556.205, -21.511, 16_777.215] {
            assert_eq!(back(value), (value, 0));
        }
        for value in [
            -0.0,
            1.0 / 3.0,
            0.0004,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::INFINITY,
        ] {
            let (read, n_exact) = back(value);
            assert_eq!((read.to_bits(), n_exact), (value.to_bits(), 1), "{value}");
        }
    }

    proptest! {
        #[test]
        fn every_float_comes_back(bits: u32, count in -20_000_000_i32..20_000_000) {
            prop_assert_eq!(back(f32::from_bits(bits)).0.to_bits(), bits);
            let value = of_thousandths(count);
            prop_assert_eq!(back(value).0.to_bits(), value.to_bits());
        }

        #[test]
        fn every_time_comes_back(times: Vec<u64>) {
            let mut writer = Writer::default();
            times.iter().for_each(|time| writer.time(*time));
            let columns = writer.finish();
            let mut reader = Reader::new(&columns);
            for time in times {
                prop_assert_eq!(reader.time().unwrap(), time);
            }
            prop_assert!(reader.finish().is_ok());
        }
    }
}
