//! Times in English.

use super::clause::{Clause, Clock, Day, Holiday, Month, MonthPart, Period, Wait};

/// The clauses of a text: parted by punctuation and by `but`.
pub(super) fn clauses(letters: &[char]) -> Vec<Clause> {
    let mut done = Vec::new();
    let text: String = letters.iter().collect();
    let text = text
        .replace("p.m.", "pm")
        .replace("a.m.", "am")
        .replace('’', "'");
    let breaks = |letter: char| matches!(letter, ',' | '.' | ';' | '?' | '!');
    for (sentence, part) in text.split(breaks).enumerate() {
        let words: Vec<&str> = part
            .split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '\'' | ':')))
            .filter(|word| !word.is_empty())
            .collect();
        for words in words.split(|word| *word == "but") {
            let clause = Reader {
                words,
                at: 0,
                clause: Clause::default(),
            }
            .read();
            if clause != Clause::default() {
                done.push(Clause { sentence, ..clause });
            }
        }
    }
    done
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    clause: Clause,
}

const NUMBERS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[(&str, u32)] = &[("twenty", 20), ("thirty", 30), ("forty", 40), ("fifty", 50)];
const ORDINALS: &[&str] = &[
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl Reader<'_> {
    fn read(mut self) -> Clause {
        while self.at < self.words.len() {
            let from = self.at;
            let readings = [
                Self::named_day,
                Self::wait,
                Self::period,
                Self::date,
                Self::clock,
            ];
            let is_time = readings.iter().any(|reading| {
                self.at = from;
                reading(&mut self)
            });
            if !is_time {
                self.at = from + 1;
                self.clause.rest.push_str(self.words[from]);
            }
        }
        self.clause
    }

    fn eat(&mut self, phrase: &str) -> bool {
        let n = phrase.split(' ').count();
        let is_there = self.words[self.at.min(self.words.len())..]
            .iter()
            .take(n)
            .copied()
            .eq(phrase.split(' '));
        if is_there {
            self.at += n;
        }
        is_there
    }

    fn eat_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.eat(phrase))
    }

    fn eat_one<T: Copy>(&mut self, phrases: &[(&str, T)]) -> Option<T> {
        let found = phrases.iter().find(|(phrase, _)| self.eat(phrase));
        found.map(|(_, value)| *value)
    }

    fn place_in(&mut self, words: &[&str]) -> Option<usize> {
        let word = self.words.get(self.at)?;
        let place = words.iter().position(|known| known == word)?;
        self.at += 1;
        Some(place)
    }

    fn number(&mut self) -> Option<u32> {
        let word = self.words.get(self.at)?;
        if let Ok(number) = word.parse::<u32>() {
            self.at += 1;
            return (number < 1000).then_some(number);
        }
        if let Some(tens) = self.eat_one(TENS) {
            let from = self.at;
            let ones = self.place_in(NUMBERS).filter(|ones| (1..10).contains(ones));
            if ones.is_none() {
                self.at = from;
            }
            return Some(tens + ones.unwrap_or(0) as u32);
        }
        self.place_in(NUMBERS).map(|number| number as u32)
    }

    fn named_day(&mut self) -> bool {
        const DAYS: &[(&str, Day)] = &[
            ("the day after tomorrow", Day::From(2, 2)),
            ("day after tomorrow", Day::From(2, 2)),
            ("tomorrow", Day::From(1, 1)),
            ("today", Day::From(0, 0)),
            ("in a few days", Day::From(3, 7)),
            ("in a couple of days", Day::From(2, 2)),
            ("next week", Day::Week { week: 1 }),
            ("later this week", Day::Week { week: 0 }),
            ("next weekend", Day::Weekend { week: 1 }),
            ("this weekend", Day::Weekend { week: 0 }),
            ("the weekend", Day::Weekend { week: 0 }),
            ("weekend", Day::Weekend { week: 0 }),
            ("after new year's", Day::Holiday(Holiday::NewYear)),
            ("after new year", Day::Holiday(Holiday::NewYear)),
        ];
        const MONTH_ENDS: &[(&str, Month)] = &[
            ("the end of next month", Month::From(1)),
            ("the end of the month", Month::From(0)),
            ("the end of this month", Month::From(0)),
            ("end of the month", Month::From(0)),
            ("end of month", Month::From(0)),
        ];
        if self.eat("tonight") {
            self.clause.day = Some(Day::From(0, 0));
            self.clause.period = Some(Period::Evening);
            return true;
        }
        let is_new_year = self.words[self.at..].starts_with(&["after", "new"]);
        let day = self.eat_one(DAYS);
        let end = |month| Day::MonthPart {
            month,
            part: MonthPart::End,
        };
        let day = day.or_else(|| self.eat_one(MONTH_ENDS).map(end));
        let day = day.or_else(|| self.weekday());
        self.clause.is_after |= is_new_year && day.is_some();
        self.clause.day = day.or(self.clause.day);
        day.is_some()
    }

    fn weekday(&mut self) -> Option<Day> {
        let week = self
            .eat_one(&[("next", Some(1)), ("this", Some(0))])
            .flatten();
        let day = self.place_in(&WEEKDAYS)? as u8 + 1;
        Some(Day::Weekday { week, day })
    }

    fn wait(&mut self) -> bool {
        let is_in = self.eat_any(&["in about", "in", "after", "give me"]);
        let halves = [
            ("half an hour", Wait::Minutes(30)),
            ("a half hour", Wait::Minutes(30)),
            ("an hour and a half", Wait::Minutes(90)),
            ("a quarter of an hour", Wait::Minutes(15)),
            ("an hour", Wait::Minutes(60)),
            ("a couple of hours", Wait::Minutes(120)),
            ("a week", Wait::Days(7)),
            ("a month", Wait::Months(1)),
            ("a day", Wait::Days(1)),
        ];
        let wait = match self.eat_one(&halves) {
            Some(wait) => Some(wait),
            None => self.number().and_then(|number| {
                let number = i64::from(number);
                let units = [
                    ("and a half hours", Wait::Minutes(number * 60 + 30)),
                    ("minutes", Wait::Minutes(number)),
                    ("minute", Wait::Minutes(number)),
                    ("hours", Wait::Minutes(number * 60)),
                    ("hour", Wait::Minutes(number * 60)),
                    ("days", Wait::Days(number)),
                    ("day", Wait::Days(number)),
                    ("weeks", Wait::Days(number * 7)),
                    ("months", Wait::Months(number)),
                ];
                self.eat_one(&units)
            }),
        };
        let follows = wait.is_some() && self.eat_any(&["from now", "later"]);
        let is_wait = wait.is_some() && (is_in || follows);
        if is_wait {
            self.clause.wait = wait;
        }
        is_wait
    }

    fn period(&mut self) -> bool {
        const PERIODS: &[(&str, Period)] = &[
            ("morning", Period::Forenoon),
            ("afternoon", Period::Afternoon),
            ("evening", Period::Evening),
            ("night", Period::Evening),
            ("lunchtime", Period::Noon),
            ("lunch", Period::Noon),
        ];
        self.eat_any(&["in the", "this", "at", "the"]);
        let period = self.eat_one(PERIODS);
        self.clause.period = period.or(self.clause.period);
        period.is_some()
    }

    /// `the fifth`, `on the 5th`, `march 5`, `the fifth of march`.
    fn date(&mut self) -> bool {
        self.eat("on");
        if let Some(month) = self.place_in(&MONTHS) {
            self.eat("the");
            let day = self.ordinal().or_else(|| self.number());
            return self.put_date(Some(month), day);
        }
        let the = self.eat("the");
        let day = self.ordinal().filter(|_| the);
        let month = match self.eat("of") {
            true if self.eat("next month") => return self.put_in(Month::From(1), day),
            true => self.place_in(&MONTHS),
            false => None,
        };
        self.put_date(month, day)
    }

    fn ordinal(&mut self) -> Option<u32> {
        let from = self.at;
        if let Some(tens) = self.eat_one(TENS) {
            return match self.place_in(ORDINALS) {
                Some(ones) => Some(tens + ones as u32),
                None => {
                    self.at = from;
                    None
                }
            };
        }
        if let Some(number) = self.place_in(ORDINALS) {
            return Some(number as u32);
        }
        let word = self.words.get(self.at)?;
        let digits = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| word.strip_suffix(end))?;
        self.at += 1;
        digits.parse().ok()
    }

    fn put_date(&mut self, month: Option<usize>, day: Option<u32>) -> bool {
        let month = month.map_or(Month::Next, |month| Month::Named {
            years: None,
            month: month as u8 + 1,
        });
        self.put_in(month, day)
    }

    fn put_in(&mut self, month: Month, day: Option<u32>) -> bool {
        let day = day.filter(|day| (1..=31).contains(day));
        if let Some(day) = day {
            let day = day as u8;
            self.clause.day = Some(Day::Date { month, day });
        }
        day.is_some()
    }

    fn clock(&mut self) -> bool {
        let is_after = self.eat_any(&["any time after", "anytime after", "after"]);
        let is_before = !is_after && self.eat_any(&["before", "by"]);
        let is_between = self.eat_any(&["between", "from"]);
        let is_at = self.eat_any(&["at around", "at about", "at", "around", "about"]);
        let is_bound = is_after || is_before || is_between || is_at;
        let Some((clock, is_sure)) = self.time_of_day() else {
            return false;
        };
        if !is_bound && !is_sure {
            return false;
        }
        self.clause.is_after |= is_after;
        self.clause.is_before |= is_before;
        self.clause.clock = Some(clock);
        let end_at = self.at;
        let end = match self.eat_any(&["and", "to", "until", "till"]) {
            true => self.time_of_day(),
            false => None,
        };
        match end {
            Some((end, _)) => self.clause.clock_end = Some(end),
            None => self.at = end_at,
        }
        true
    }

    /// A time, and whether it can be nothing else.
    fn time_of_day(&mut self) -> Option<(Clock, bool)> {
        let at = |hour, minute| Clock::At { hour, minute };
        if self.eat("noon") {
            return Some((at(12, 0), true));
        }
        if self.eat("half past") {
            let hour = self.number().filter(|hour| *hour <= 12)?;
            return Some((at(hour as u8, 30), true));
        }
        if self.eat("quarter past") {
            let hour = self.number().filter(|hour| *hour <= 12)?;
            return Some((at(hour as u8, 15), true));
        }
        if self.eat_any(&["quarter to", "a quarter to"]) {
            let hour = self.number().filter(|hour| (1..=12).contains(hour))?;
            return Some((at(hour as u8 - 1, 45), true));
        }
        let (hour, minute, is_written) = self.hour_and_minute()?;
        let is_sure = match () {
            () if self.eat("pm") => {
                self.clause.period = Some(if hour < 5 || hour == 12 {
                    Period::Afternoon
                } else {
                    Period::Evening
                });
                true
            }
            () if self.eat("am") => {
                self.clause.period = Some(Period::Forenoon);
                true
            }
            () => self.eat_any(&["o'clock", "oclock"]) || is_written,
        };
        Some((at(hour, minute), is_sure))
    }

    fn hour_and_minute(&mut self) -> Option<(u8, u8, bool)> {
        let word = self.words.get(self.at)?;
        let glued = word.strip_suffix("pm").or_else(|| word.strip_suffix("am"));
        let digits = glued.filter(|digits| !digits.is_empty()).unwrap_or(word);
        if let Some((hour, minute)) = digits.split_once(':') {
            let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
            return self.end_hour(hour, minute, glued.is_some(), true);
        }
        if let (true, Ok(hour)) = (glued.is_some(), digits.parse()) {
            return self.end_hour(hour, 0, true, true);
        }
        let hour = self.number().filter(|hour| *hour <= 24)? as u8;
        let from = self.at;
        let minute = self.number().filter(|minute| (1..60).contains(minute));
        if minute.is_none() {
            self.at = from;
        }
        Some((hour, minute.unwrap_or(0) as u8, minute.is_some()))
    }

    /// Passes over a word such as `3:30pm`, whose last letters tell the half of the day.
    fn end_hour(
        &mut self,
        hour: u8,
        minute: u8,
        is_glued: bool,
        is_written: bool,
    ) -> Option<(u8, u8, bool)> {
        let is_afternoon = is_glued && self.words[self.at].ends_with("pm");
        self.at += 1;
        let hour = match (is_afternoon, hour) {
            (true, 1..12) => hour + 12,
            _ => hour,
        };
        (hour <= 24 && minute < 60).then_some((hour, minute, is_written))
    }
}
