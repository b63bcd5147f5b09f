//! What one clause says of a time.

/// A clause, in parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Clause {
    pub(super) day: Option<Day>,
    pub(super) period: Option<Period>,
    pub(super) clock: Option<Clock>,
    /// End of a span: `三点到五点`.
    pub(super) clock_end: Option<Clock>,
    pub(super) wait: Option<Wait>,
    /// `以后`: from the time named on.
    pub(super) is_after: bool,
    /// `以前`: up to the time named.
    pub(super) is_before: bool,
    /// Words that are no time, without spaces.
    pub(super) rest: String,
    /// Clauses of the same number have no punctuation between them.
    pub(super) sentence: usize,
}

/// A day, or several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Day {
    /// Days from today, the first and the last.
    From(i64, i64),
    /// Monday 1 to Sunday 7, in the week so many weeks on; without one, the next such day.
    Weekday { week: Option<i64>, day: u8 },
    /// Saturday and Sunday.
    Weekend { week: i64 },
    /// Monday to Sunday.
    Week { week: i64 },
    /// A day of a month.
    Date { month: Month, day: u8 },
    /// First, middle or last three days of a month.
    MonthPart { month: Month, part: MonthPart },
    /// A holiday, or the first working day after it.
    Holiday(Holiday),
}

/// Which month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Month {
    /// The one in which the day comes next.
    Next,
    /// So many months from this one.
    From(i64),
    /// January 1 to December 12, so many years on; without years, when it comes next.
    Named { years: Option<i32>, month: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MonthPart {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holiday {
    NewYear,
    Spring,
    Labour,
    National,
}

/// A part of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Period {
    Morning,
    Forenoon,
    Noon,
    Afternoon,
    Dusk,
    Evening,
    Daytime,
}

/// A time on the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Clock {
    /// As it was said: `三点` may be 3 or 15 o'clock. Hour 0 to 24.
    At { hour: u8, minute: u8 },
    /// The time it is now.
    Now,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wait {
    Minutes(i64),
    Days(i64),
    Months(i64),
}

impl Clause {
    /// Whether it names any time.
    pub(super) const fn names_time(&self) -> bool {
        self.day.is_some() || self.period.is_some() || self.clock.is_some() || self.wait.is_some()
    }

    /// How closely it names it.
    pub(super) const fn closeness(&self) -> u32 {
        (self.day.is_some() as u32)
            + (self.period.is_some() as u32)
            + 2 * (self.clock.is_some() as u32)
            + 2 * (self.wait.is_some() as u32)
    }
}
