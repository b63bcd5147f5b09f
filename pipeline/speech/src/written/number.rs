//! Cardinal numbers with place words: 一百二十, 两万三, 三千零五, 一亿两千万.
//!
//! ```text
//! number  = section ['亿' [零] …] ['万' [零] …] section
//! section = [d 千] [零] [d 百] [零] [[d] 十] [零] [d]
//! ```
//! A last digit straight after 百, 千, 万 or 亿 counts the next lower place: 一百二 is 120.

use super::cells::Cells;
use super::rough::{is_rough_pair, skip_multipliers};

/// A number with place words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cardinal {
    /// What it counts; `None` when it is said roughly (十五六) and stays in hanzi.
    pub(super) value: Option<u64>,
    /// First cell behind it.
    pub(super) end: usize,
}

/// Words that count what follows: in 一千一个月 the second 一 belongs to the month.
const COUNTERS: &str = "个天年次月张份人台位件周期套条只家种本笔单户小分季起下共直定样些";

/// Reads the longest cardinal that begins at `start` and holds at least one place word.
pub(super) fn read_cardinal(cells: &Cells<'_>, start: usize) -> Option<Cardinal> {
    let mut number = Partial::new();
    let mut at = start;
    while number.take(cells, at) {
        at += 1;
    }
    (number.last_unit > 1).then(|| number.finish(cells, at))
}

/// Whether the cell counts what stands before it or belongs to a counting word.
pub(super) fn is_counter(cells: &Cells<'_>, at: usize) -> bool {
    let ch = cells.ch(at);
    ch != '\0' && COUNTERS.contains(ch)
}

/// 百 of 百分之 opens a percentage and is no place of the number before it.
fn is_percent_word(cells: &Cells<'_>, at: usize) -> bool {
    cells.follows(at, "百分之") || cells.follows(at, "千分之")
}

/// A number in the middle of being read.
struct Partial {
    total: u64,
    section: u64,
    digit: Option<u64>,
    /// Places of this section must be lower than this.
    ceiling: u64,
    last_unit: u64,
    after_zero: bool,
    has_yi: bool,
    has_wan: bool,
}

impl Partial {
    const fn new() -> Self {
        Self {
            total: 0,
            section: 0,
            digit: None,
            ceiling: 10_000,
            last_unit: 1,
            after_zero: false,
            has_yi: false,
            has_wan: false,
        }
    }

    /// Takes the cell when the grammar allows it next.
    fn take(&mut self, cells: &Cells<'_>, at: usize) -> bool {
        if let Some(digit) = cells.digit(at) {
            return match digit {
                0 => self.take_zero(cells, at),
                _ => self.take_digit(cells.ch(at), digit),
            };
        }
        if let Some(place) = cells.place(at) {
            return !is_percent_word(cells, at) && self.take_place(place);
        }
        cells.myriad(at).is_some_and(|unit| self.take_myriad(unit))
    }

    fn take_digit(&mut self, ch: char, digit: u8) -> bool {
        if self.digit.is_some() || ch == '幺' {
            return false;
        }
        self.digit = Some(u64::from(digit));
        true
    }

    fn take_zero(&mut self, cells: &Cells<'_>, at: usize) -> bool {
        let goes_on =
            cells.digit(at + 1).is_some_and(|digit| digit > 0) || cells.place(at + 1) == Some(10);
        let fits = self.digit.is_none() && !self.after_zero && self.last_unit > 10;
        self.after_zero |= fits && goes_on;
        fits && goes_on
    }

    fn take_place(&mut self, place: u64) -> bool {
        let bare_ten = place == 10 && self.digit.is_none();
        let Some(digit) = self.digit.or(bare_ten.then_some(1)) else {
            return false;
        };
        if place >= self.ceiling {
            return false;
        }
        self.section += digit * place;
        self.digit = None;
        self.ceiling = place;
        self.last_unit = place;
        self.after_zero = false;
        true
    }

    fn take_myriad(&mut self, unit: u64) -> bool {
        let below = self.section + self.digit.unwrap_or(0);
        let is_yi = unit > 10_000;
        let used = if is_yi { self.has_yi } else { self.has_wan };
        let counts_nothing = below == 0 && !self.has_wan;
        if used || counts_nothing {
            return false;
        }
        if is_yi {
            self.total = (self.total + below) * unit;
            self.has_yi = true;
            self.has_wan = false;
        } else {
            self.total += below * unit;
            self.has_wan = true;
        }
        self.section = 0;
        self.digit = None;
        self.ceiling = 10_000;
        self.last_unit = unit;
        self.after_zero = false;
        true
    }

    /// Decides what the last digit counts, or leaves it to what follows.
    fn finish(self, cells: &Cells<'_>, end: usize) -> Cardinal {
        let whole = self.total + self.section;
        let Some(digit) = self.digit else {
            return Cardinal {
                value: Some(whole),
                end,
            };
        };
        let before_digit = Cardinal {
            value: Some(whole),
            end: end - 1,
        };
        let opens_count = cells.ch(end) == '一' && is_counter(cells, end + 1);
        let paused = cells.get(end).is_some_and(|cell| cell.after_pause);
        let higher_follows = cells
            .multiplier(end + 1)
            .is_some_and(|unit| unit >= self.last_unit);
        // 一百二|一个, 两百三|两百四: the next digit begins something else.
        let begins_next = opens_count || paused || higher_follows;
        if cells.digit(end).is_some() && !begins_next {
            return match is_rough_pair(cells, end - 1) && cells.digit(end) != Some(0) {
                true => Cardinal {
                    value: None,
                    end: skip_multipliers(cells, end + 1),
                },
                false if self.counts_ones() => Cardinal {
                    value: Some(whole + digit),
                    end,
                },
                false => before_digit,
            };
        }
        if cells.multiplier(end).is_some() {
            return before_digit;
        }
        if self.counts_ones() {
            return Cardinal {
                value: Some(whole + digit),
                end,
            };
        }
        if is_counter(cells, end) {
            return before_digit;
        }
        Cardinal {
            value: Some(whole + digit * self.last_unit / 10),
            end,
        }
    }

    const fn counts_ones(&self) -> bool {
        self.after_zero || self.last_unit == 10
    }
}

/// Writes a cardinal the way amounts are read in a transcript.
///
/// Whole multiples of ten thousand keep 万 or 亿 (20万, 3500万, 1.2亿, 5万亿); everything else is plain
/// digits without separators (12000, 23500).
pub(super) fn format_cardinal(value: u64) -> String {
    const WAN: u64 = 10_000;
    const YI: u64 = 100_000_000;
    if value == 0 || !value.is_multiple_of(WAN) {
        return value.to_string();
    }
    if value < YI {
        return format!("{}万", value / WAN);
    }
    if value.is_multiple_of(YI * WAN) {
        return format!("{}万亿", value / (YI * WAN));
    }
    let fraction = format!("{:04}", value % YI / WAN);
    match fraction.trim_end_matches('0') {
        "" => format!("{}亿", value / YI),
        decimals => format!("{}.{decimals}亿", value / YI),
    }
}
