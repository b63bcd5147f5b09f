//! From what was said to dates.

use time::{Date, Duration, PrimitiveDateTime, Time, Weekday};

use super::CallbackTime;
use super::clause::{Clause, Clock, Day, Holiday, Month, MonthPart, Period, Wait};

/// When calls are welcome where only a day was named.
const DAY: (u8, u8) = (9, 21);

/// The time that `asked` names, seen from `now`; `None` where there is no such day or hour.
pub(super) fn resolve(asked: &Clause, now: PrimitiveDateTime) -> Option<CallbackTime> {
    if let Some(Wait::Minutes(minutes)) = asked.wait {
        return exact(now.checked_add(Duration::minutes(minutes))?);
    }
    let days = days(asked, now.date())?;
    match asked.clock {
        Some(clock) => at_clock(asked, clock, days, now),
        None => in_period(asked, days, now),
    }
}

const fn exact(at: PrimitiveDateTime) -> Option<CallbackTime> {
    Some(CallbackTime {
        at: Some(at),
        until: None,
    })
}

const fn span(at: PrimitiveDateTime, until: PrimitiveDateTime) -> Option<CallbackTime> {
    Some(CallbackTime {
        at: Some(at),
        until: Some(until),
    })
}

fn hour(date: Date, hour: u8, minute: u8) -> Option<PrimitiveDateTime> {
    match hour {
        24 => Some(date.next_day()?.midnight()),
        _ => Some(PrimitiveDateTime::new(
            date,
            Time::from_hms(hour, minute, 0).ok()?,
        )),
    }
}

/// The first and last day that were named; today where none was.
fn days(asked: &Clause, today: Date) -> Option<(Option<Date>, Option<Date>)> {
    let both = |date: Date| (Some(date), Some(date));
    match (asked.day, asked.wait) {
        (Some(day), _) => {
            let (first, last) = named(day, asked.is_after, today)?;
            Some((Some(first), Some(last)))
        }
        (None, Some(Wait::Days(days))) => Some(both(later(today, days)?)),
        (None, Some(Wait::Months(months))) => {
            let (year, month) = month_from(today, months)?;
            let last = time::Month::try_from(month).ok()?.length(year);
            Some(both(date(year, month, today.day().min(last))?))
        }
        _ => Some((None, None)),
    }
}

fn later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Duration::days(days))
}

fn date(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()
}

fn month_from(today: Date, months: i64) -> Option<(i32, u8)> {
    let months = i64::from(today.year()) * 12 + i64::from(u8::from(today.month())) - 1 + months;
    let year = i32::try_from(months.div_euclid(12)).ok()?;
    Some((year, months.rem_euclid(12) as u8 + 1))
}

fn named(day: Day, is_after: bool, today: Date) -> Option<(Date, Date)> {
    let monday = |week: i64| {
        let since = i64::from(today.weekday().number_days_from_monday());
        later(today, week * 7 - since)
    };
    let one = |date: Date| Some((date, date));
    match day {
        Day::From(first, last) => Some((later(today, first)?, later(today, last)?)),
        Day::Weekday {
            week: Some(week),
            day,
        } => one(later(monday(week)?, i64::from(day) - 1)?),
        Day::Weekday { week: None, day } => one(next_weekday(today, day)?),
        Day::Weekend { week } => {
            let saturday = later(monday(week)?, 5)?;
            Some((saturday, later(saturday, 1)?))
        }
        Day::Week { week } => Some((monday(week)?, later(monday(week)?, 6)?)),
        Day::Date { month, day } => one(day_of_month(month, day, today)?),
        Day::MonthPart { month, part } => part_of_month(month, part, today),
        Day::Holiday(holiday) => one(holiday_day(holiday, is_after, today)?),
    }
}

/// The next such day after today.
fn next_weekday(today: Date, day: u8) -> Option<Date> {
    let weekday = Weekday::Monday.nth_next(day.checked_sub(1)?);
    let days =
        (7 + weekday.number_days_from_monday() - today.weekday().number_days_from_monday()) % 7;
    later(today, if days == 0 { 7 } else { i64::from(days) })
}

fn day_of_month(month: Month, day: u8, today: Date) -> Option<Date> {
    match month {
        Month::From(months) => {
            let (year, month) = month_from(today, months)?;
            date(year, month, day)
        }
        Month::Named { years, month } => {
            let this_year = date(today.year() + years.unwrap_or(0), month, day);
            match years {
                None if this_year.is_none_or(|date| date < today) => {
                    date(today.year() + 1, month, day)
                }
                _ => this_year,
            }
        }
        // A month may be too short for the day.
        Month::Next => (0..4).find_map(|months| {
            let (year, month) = month_from(today, months)?;
            date(year, month, day).filter(|date| *date >= today)
        }),
    }
}

fn part_of_month(month: Month, part: MonthPart, today: Date) -> Option<(Date, Date)> {
    let (year, month) = match month {
        Month::Next => month_from(today, 0)?,
        Month::From(months) => month_from(today, months)?,
        Month::Named { years, month } => {
            let is_past = years.is_none() && month < u8::from(today.month());
            (today.year() + years.unwrap_or(i32::from(is_past)), month)
        }
    };
    let last = time::Month::try_from(month).ok()?.length(year);
    let first = match part {
        MonthPart::Start => 1,
        MonthPart::Middle => 14,
        MonthPart::End => last - 2,
    };
    Some((date(year, month, first)?, date(year, month, first + 2)?))
}

/// First day of the lunar year, 2024 to 2035 (the calendar of the Purple Mountain Observatory).
const SPRING: [(u8, u8); 12] = [
    (2, 10),
    (1, 29),
    (2, 17),
    (2, 6),
    (1, 26),
    (2, 13),
    (2, 3),
    (1, 23),
    (2, 11),
    (1, 31),
    (2, 19),
    (2, 8),
];

/// The holiday's day, or the first day that is surely none: the days off are set anew each year.
fn holiday_day(holiday: Holiday, is_after: bool, today: Date) -> Option<Date> {
    let days_off = match holiday {
        Holiday::NewYear => 1,
        Holiday::Labour => 5,
        Holiday::National | Holiday::Spring => 7,
    };
    let of_year = |year: i32| match holiday {
        Holiday::NewYear => Some((1, 1)),
        Holiday::Labour => Some((5, 1)),
        Holiday::National => Some((10, 1)),
        Holiday::Spring => {
            let place = usize::try_from(year - 2024).ok()?;
            SPRING.get(place).copied()
        }
    };
    (today.year()..=today.year() + 1).find_map(|year| {
        let (month, day) = of_year(year)?;
        let day = later(date(year, month, day)?, if is_after { days_off } else { 0 })?;
        (day >= today).then_some(day)
    })
}

fn at_clock(
    asked: &Clause,
    clock: Clock,
    days: (Option<Date>, Option<Date>),
    now: PrimitiveDateTime,
) -> Option<CallbackTime> {
    let at = on_clock(clock, asked.period, days.0, now)?;
    if asked.is_before {
        let opens = hour(
            at.date(),
            asked.period.map_or(DAY.0, |period| hours(period).0),
            0,
        )?;
        return span(opens.max(now).min(at), at);
    }
    match asked.clock_end {
        Some(Clock::At { hour: last, minute }) => {
            // The end is the first such time after the start.
            let ends = [last, last + 12].into_iter().filter(|last| *last <= 24);
            let mut ends = ends.filter_map(|last| hour(at.date(), last, minute));
            match ends.find(|end| *end > at) {
                Some(end) => span(at, end),
                None => exact(at),
            }
        }
        _ => exact(at),
    }
}

fn on_clock(
    clock: Clock,
    period: Option<Period>,
    day: Option<Date>,
    now: PrimitiveDateTime,
) -> Option<PrimitiveDateTime> {
    let Clock::At { hour: said, minute } = clock else {
        return Some(PrimitiveDateTime::new(
            day.unwrap_or(now.date()),
            now.time(),
        ));
    };
    if let Some(said) = period.and_then(|period| hour_in(period, said)) {
        let at = hour(day.unwrap_or(now.date()), said, minute)?;
        // `早上八点`, said in the evening, is tomorrow's.
        return match day.is_none() && at < now {
            true => at.checked_add(Duration::days(1)),
            false => Some(at),
        };
    }
    match day.filter(|day| *day != now.date()) {
        Some(day) => {
            let said = if (1..=7).contains(&said) {
                said + 12
            } else {
                said
            };
            hour(day, said, minute)
        }
        None => {
            let today = [said, said + 12].into_iter().filter(|said| *said <= 23);
            let mut today = today.filter_map(|said| hour(now.date(), said, minute));
            match today.find(|at| *at > now) {
                Some(at) => Some(at),
                None => hour(now.date().next_day()?, said, minute),
            }
        }
    }
}

/// The hour of the day that was meant by `said` o'clock; `None` where it does not lie in that period.
const fn hour_in(period: Period, said: u8) -> Option<u8> {
    match (period, said) {
        (_, 13..) => Some(said),
        (Period::Morning | Period::Forenoon, 5..=12) => Some(said),
        (Period::Noon, 11 | 12) => Some(said),
        (Period::Noon, 1..=3) => Some(said + 12),
        (Period::Afternoon, 12) => Some(12),
        (Period::Afternoon, 1..=7) => Some(said + 12),
        (Period::Dusk, 4..=8) => Some(said + 12),
        (Period::Evening, 12) => Some(24),
        (Period::Evening, 5..=11) => Some(said + 12),
        (Period::Daytime, 8..=12) => Some(said),
        (Period::Daytime, 1..=6) => Some(said + 12),
        _ => None,
    }
}

/// From and until when a period lasts.
const fn hours(period: Period) -> (u8, u8) {
    match period {
        Period::Morning => (8, 10),
        Period::Forenoon => (9, 12),
        Period::Noon => (12, 14),
        Period::Afternoon => (14, 18),
        Period::Dusk => (17, 19),
        Period::Evening => (19, 21),
        Period::Daytime => (9, 18),
    }
}

fn in_period(
    asked: &Clause,
    days: (Option<Date>, Option<Date>),
    now: PrimitiveDateTime,
) -> Option<CallbackTime> {
    let (opens, closes) = asked.period.map_or(DAY, hours);
    let (first, last) = match days {
        (Some(first), Some(last)) => (first, last),
        _ => {
            asked.period?;
            let is_over = hour(now.date(), closes, 0)? <= now;
            let day = later(now.date(), i64::from(is_over))?;
            (day, day)
        }
    };
    let (opens, closes) = (hour(first, opens, 0)?, hour(last, closes, 0)?);
    match asked.is_before {
        true => span(now.min(closes), closes),
        false => span(opens, closes),
    }
}
