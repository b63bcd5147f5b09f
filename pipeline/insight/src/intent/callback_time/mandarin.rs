//! Times in Mandarin.

use super::clause::{Clause, Clock, Day, Holiday, Month, MonthPart, Period, Wait};
use crate::week;

/// The clauses of a text: parted by punctuation, and where a second time begins.
pub(super) fn clauses(letters: &[char]) -> Vec<Clause> {
    let mut reader = Reader {
        letters,
        at: 0,
        clause: Clause::default(),
        done: Vec::new(),
        n_stops: 0,
    };
    while reader.at < letters.len() {
        reader.step();
    }
    reader.close();
    reader.done
}

struct Reader<'a> {
    letters: &'a [char],
    at: usize,
    clause: Clause,
    done: Vec<Clause>,
    n_stops: usize,
}

const PERIODS: &[(&str, Period)] = &[
    ("大清早", Period::Morning),
    ("早上", Period::Morning),
    ("早晨", Period::Morning),
    ("清早", Period::Morning),
    ("上午", Period::Forenoon),
    ("中午", Period::Noon),
    ("晌午", Period::Noon),
    ("午休", Period::Noon),
    ("下午", Period::Afternoon),
    ("午后", Period::Afternoon),
    ("傍晚", Period::Dusk),
    ("晚上", Period::Evening),
    ("夜里", Period::Evening),
    ("晚间", Period::Evening),
    ("白天", Period::Daytime),
];

/// Days by name, and the part of the day that is in the name.
const DAYS: &[(&str, Day, Option<Period>)] = &[
    ("明后天", Day::From(1, 2), None),
    ("明后两天", Day::From(1, 2), None),
    ("大后天", Day::From(3, 3), None),
    ("大后儿", Day::From(3, 3), None),
    ("后天", Day::From(2, 2), None),
    ("后儿个", Day::From(2, 2), None),
    ("后儿", Day::From(2, 2), None),
    ("明儿个", Day::From(1, 1), None),
    ("明儿", Day::From(1, 1), None),
    ("明天", Day::From(1, 1), None),
    ("明日", Day::From(1, 1), None),
    ("明早", Day::From(1, 1), Some(Period::Morning)),
    ("明晚", Day::From(1, 1), Some(Period::Evening)),
    ("今早", Day::From(0, 0), Some(Period::Morning)),
    ("今晚", Day::From(0, 0), Some(Period::Evening)),
    ("今儿个", Day::From(0, 0), None),
    ("今儿", Day::From(0, 0), None),
    ("今天", Day::From(0, 0), None),
    ("今日", Day::From(0, 0), None),
    ("当天", Day::From(0, 0), None),
    ("过几天", Day::From(3, 7), None),
    ("过些天", Day::From(3, 7), None),
    ("过些日子", Day::From(3, 7), None),
    ("几天后", Day::From(3, 7), None),
    ("几天以后", Day::From(3, 7), None),
    ("过一两天", Day::From(1, 2), None),
    ("过两三天", Day::From(2, 3), None),
    ("过年以后", Day::Holiday(Holiday::Spring), None),
    ("过完年", Day::Holiday(Holiday::Spring), None),
    ("国庆节", Day::Holiday(Holiday::National), None),
    ("国庆", Day::Holiday(Holiday::National), None),
    ("十一长假", Day::Holiday(Holiday::National), None),
    ("元旦", Day::Holiday(Holiday::NewYear), None),
    ("五一", Day::Holiday(Holiday::Labour), None),
    ("劳动节", Day::Holiday(Holiday::Labour), None),
    ("春节", Day::Holiday(Holiday::Spring), None),
];

const AFTER: &[&str] = &["以后", "之后", "过后", "后头", "往后", "后"];
const BEFORE: &[&str] = &["以前", "之前", "前"];
const TO: &[&str] = &["到", "至", "～", "~", "-"];
const NOW: &[&str] = &["这个时候", "这个时间", "这个点", "这会儿", "同样的时间"];

impl Reader<'_> {
    fn step(&mut self) {
        let from = self.at;
        if self.number_first() {
            return;
        }
        self.at = from;
        if self.name_first() {
            return;
        }
        self.at = from;
        let letter = self.letters[from];
        self.at += 1;
        match letter.is_alphanumeric() {
            true => self.clause.rest.push(letter),
            false if letter.is_whitespace() => {}
            false => {
                self.close();
                self.n_stops += 1;
            }
        }
    }

    fn close(&mut self) {
        let clause = std::mem::take(&mut self.clause);
        if clause != Clause::default() {
            let sentence = self.n_stops;
            self.done.push(Clause { sentence, ..clause });
        }
    }

    fn looks_at(&self, word: &str) -> bool {
        let mut letters = self.letters[self.at..].iter();
        word.chars().all(|wanted| letters.next() == Some(&wanted))
    }

    fn eat(&mut self, word: &str) -> bool {
        let is_there = self.looks_at(word);
        if is_there {
            self.at += word.chars().count();
        }
        is_there
    }

    fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    /// 0 to 999, in hanzi or digits.
    fn number(&mut self) -> Option<u32> {
        let (mut sum, mut digit, mut n_letters) = (0u32, None, 0);
        while let Some(&letter) = self.letters.get(self.at) {
            match (letter, digit) {
                ('十', _) => sum += digit.take().unwrap_or(1) * 10,
                ('百', Some(hundreds)) => {
                    sum += hundreds * 100;
                    digit = None;
                }
                ('0'..='9', before) => {
                    let value = u32::from(letter) - u32::from('0');
                    digit = Some(before.unwrap_or(0) * 10 + value);
                }
                _ => match DIGITS.iter().position(|&known| known == letter) {
                    Some(value) if digit.is_none_or(|before| before == 0) => {
                        digit = Some(value as u32);
                    }
                    _ if letter == '两' && digit.is_none() => digit = Some(2),
                    _ => break,
                },
            }
            self.at += 1;
            n_letters += 1;
            if n_letters > 4 {
                return None;
            }
        }
        (n_letters > 0).then_some(sum + digit.unwrap_or(0))
    }

    /// What begins with a number: a clock, a date, a time to wait.
    fn number_first(&mut self) -> bool {
        let from = self.at;
        let readings = [Self::wait, Self::clock, Self::date];
        readings.iter().any(|reading| {
            self.at = from;
            reading(self)
        })
    }

    fn clock(&mut self) -> bool {
        let is_short = self.eat("差");
        let lacking = match is_short {
            true => match (self.number(), self.eat_any(&["分钟", "分"])) {
                (Some(minutes @ 1..=30), _) => minutes,
                _ if self.eat("一刻") => 15,
                _ => return false,
            },
            false => 0,
        };
        let Some(hour @ 0..=24) = self.number() else {
            return false;
        };
        let Some(minute) = self.minutes() else {
            return false;
        };
        let minutes = (hour * 60 + minute).saturating_sub(lacking);
        self.put_clock(Clock::At {
            hour: (minutes / 60) as u8,
            minute: (minutes % 60) as u8,
        });
        true
    }

    /// What follows the hour: 点, and how much is past it.
    fn minutes(&mut self) -> Option<u32> {
        let is_written = self.eat(":") || self.eat("：");
        if is_written {
            return self.number().filter(|minutes| *minutes < 60);
        }
        if !self.eat_any(&["点钟", "点整", "点", "时"]) || self.looks_at("候") {
            return None;
        }
        let from = self.at;
        if self.eat("半") {
            return Some(30);
        }
        if self.eat("一刻") {
            return Some(15);
        }
        if self.eat("三刻") {
            return Some(45);
        }
        match self.number() {
            Some(minutes) if minutes < 60 && !self.looks_at("点") => {
                self.eat("分");
                Some(minutes)
            }
            _ => {
                self.at = from;
                Some(0)
            }
        }
    }

    fn put_clock(&mut self, clock: Clock) {
        if self.clause.clock.is_some() {
            let is_span = self.clause.clock_end.is_none()
                && TO.iter().any(|to| self.clause.rest.ends_with(to));
            if is_span {
                self.clause.clock_end = Some(clock);
                self.bounds();
                return;
            }
            self.close();
        }
        self.clause.clock = Some(clock);
        self.bounds();
    }

    /// 以后 or 以前, right after a time.
    fn bounds(&mut self) {
        self.clause.is_after |= self.eat_any(AFTER);
        self.clause.is_before |= self.eat_any(BEFORE);
    }

    fn put_day(&mut self, day: Day) {
        if self.clause.day.is_some() {
            self.close();
        }
        self.clause.day = Some(day);
        self.bounds();
    }

    fn put_period(&mut self, period: Period) {
        if self.clause.period.is_some() || self.clause.clock.is_some() {
            self.close();
        }
        self.clause.period = Some(period);
    }

    fn wait(&mut self) -> bool {
        let is_told = ["过", "等", "隔"]
            .iter()
            .any(|word| self.clause.rest.ends_with(word));
        let Some(wait) = self.length() else {
            return false;
        };
        let follows = self.eat_any(AFTER);
        let is_wait = follows || is_told || matches!(wait, Wait::Minutes(_));
        if !is_wait || self.looks_at("内") {
            return false;
        }
        if self.clause.wait.is_some() {
            self.close();
        }
        self.clause.wait = Some(wait);
        true
    }

    fn length(&mut self) -> Option<Wait> {
        const HALVES: &[(&str, Wait)] = &[
            ("半个多小时", Wait::Minutes(30)),
            ("半个小时", Wait::Minutes(30)),
            ("半个钟头", Wait::Minutes(30)),
            ("半小时", Wait::Minutes(30)),
            ("半个钟", Wait::Minutes(30)),
            ("半个月", Wait::Days(15)),
            ("一刻钟", Wait::Minutes(15)),
            ("三刻钟", Wait::Minutes(45)),
        ];
        if let Some((_, wait)) = HALVES.iter().find(|(word, _)| self.eat(word)) {
            return Some(*wait);
        }
        let number = i64::from(self.number()?);
        if self.eat_any(&["个半小时", "个半钟头"]) {
            return Some(Wait::Minutes(number * 60 + 30));
        }
        if self.eat_any(&["个多小时", "个小时", "个钟头", "小时", "个钟"]) {
            return Some(Wait::Minutes(number * 60));
        }
        if self.eat_any(&["来分钟", "多分钟", "分钟"]) {
            return Some(Wait::Minutes(number));
        }
        if self.eat_any(&["个星期", "个礼拜", "星期", "礼拜", "周"]) {
            return Some(Wait::Days(number * 7));
        }
        if self.eat("个月") {
            return Some(Wait::Months(number));
        }
        self.eat("天").then_some(Wait::Days(number))
    }

    fn date(&mut self) -> bool {
        let Some(number) = self.number() else {
            return false;
        };
        if self.eat_any(&["号", "日"]) {
            return self.day_of(Month::Next, number);
        }
        if !(1..=12).contains(&number) || self.looks_at("月份") || !self.eat("月") {
            return false;
        }
        self.in_month(Month::Named {
            years: None,
            month: number as u8,
        })
    }

    fn day_of(&mut self, month: Month, day: u32) -> bool {
        let is_day = (1..=31).contains(&day);
        if is_day {
            let day = day as u8;
            self.put_day(Day::Date { month, day });
        }
        is_day
    }

    /// What follows a month: a part of it, or a day.
    fn in_month(&mut self, month: Month) -> bool {
        let parts = [
            ("底", MonthPart::End),
            ("末", MonthPart::End),
            ("初", MonthPart::Start),
            ("中旬", MonthPart::Middle),
        ];
        if let Some((_, part)) = parts.iter().find(|(word, _)| self.eat(word)) {
            let part = *part;
            self.put_day(Day::MonthPart { month, part });
            return true;
        }
        match self.number() {
            Some(day) if self.eat_any(&["号", "日"]) => self.day_of(month, day),
            _ => false,
        }
    }

    /// What begins with a word.
    fn name_first(&mut self) -> bool {
        let from = self.at;
        if let Some((_, period)) = PERIODS.iter().find(|(word, _)| self.eat(word)) {
            self.put_period(*period);
            return true;
        }
        if let Some((word, day, period)) = DAYS.iter().find(|(word, ..)| self.eat(word)) {
            self.put_day(*day);
            self.clause.is_after |= word.contains("以后") || *word == "过完年";
            if let Some(period) = period {
                self.clause.period = Some(*period);
            }
            return true;
        }
        if self.eat_any(NOW) {
            self.put_clock(Clock::Now);
            return true;
        }
        self.at = from;
        if self.month_by_name() {
            return true;
        }
        self.at = from;
        self.week()
    }

    fn month_by_name(&mut self) -> bool {
        if self.eat("明年") {
            let month = self.number().filter(|month| (1..=12).contains(month));
            return match month {
                Some(month) if self.eat("月") => self.in_month(Month::Named {
                    years: Some(1),
                    month: month as u8,
                }),
                _ => false,
            };
        }
        if self.eat_any(&["下个月", "下月"]) {
            return self.in_month(Month::From(1));
        }
        if self.eat_any(&["这个月", "本月", "这月", "当月"]) {
            return self.in_month(Month::From(0));
        }
        // 月底 alone is this month's.
        self.looks_at("月底") && self.eat("月") && self.in_month(Month::From(0))
    }

    fn week(&mut self) -> bool {
        const WEEKS: &[(&str, i64)] = &[
            ("下下个", 2),
            ("下下", 2),
            ("下个", 1),
            ("下", 1),
            ("这个", 0),
            ("这", 0),
            ("本", 0),
        ];
        let before = self.at.checked_sub(1).map(|at| self.letters[at]);
        let week = WEEKS
            .iter()
            .find(|(word, _)| self.eat(word))
            .map(|(_, week)| *week);
        if !self.eat_any(&["周", "星期", "礼拜"]) {
            return false;
        }
        const NAMES: [char; 8] = ['一', '二', '三', '四', '五', '六', '日', '天'];
        let after = self.letters.get(self.at + 1..).unwrap_or_default();
        let is_named = week.is_some() || before.is_some_and(week::names_week);
        let next = self
            .letters
            .get(self.at)
            .filter(|next| !(is_named && week::begins_another_word(before, **next, after)));
        if let Some(place) = next.and_then(|next| NAMES.iter().position(|name| name == next)) {
            self.at += 1;
            let day = (place as u8 + 1).min(7);
            self.put_day(Day::Weekday { week, day });
            return true;
        }
        if self.eat("末") {
            self.put_day(Day::Weekend {
                week: week.unwrap_or(0),
            });
            return true;
        }
        match week {
            Some(week) => self.put_day(Day::Week { week }),
            None => return false,
        }
        true
    }
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
