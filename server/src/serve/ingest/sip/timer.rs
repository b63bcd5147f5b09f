//! Session timers: both sides know when a call is over of which nobody said so (RFC 4028).

use std::time::Duration;

/// No session may be shorter (RFC 4028, section 5).
pub(super) const LEAST_SECS: u64 = 90;
/// None is believed to be longer: a day.
const MOST_SECS: u64 = 86_400;

/// Who says again that the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answers it.
    Uas,
}

impl Refresher {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// What a request says of session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whether `Supported` or `Require` names them.
    pub(super) support: Support,
    expires_secs: Option<u64>,
    refresher: Option<Refresher>,
    least_secs: u64,
}

/// Whether the other side knows session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Support {
    #[default]
    None,
    Timer,
}

/// What was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionTimer {
    pub(super) secs: u64,
    pub(super) refresher: Refresher,
    support: Support,
}

/// Why no timer can be agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerRefusal {
    /// One of the headers cannot be read: status 400.
    Unreadable(&'static str),
    /// The session would be too short: status 422.
    TooShort,
}

impl Asked {
    /// Out of the values of `Session-Expires` and `Min-SE`.
    ///
    /// # Errors
    /// When one of them is no number of seconds.
    pub(super) fn read(
        support: Support,
        session_expires: Option<&str>,
        min_se: Option<&str>,
    ) -> Result<Self, TimerRefusal> {
        let secs = |name: &'static str, text: &str| {
            let digits = text.split(';').next().unwrap_or_default().trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|one| one.is_ascii_digit());
            // More digits than fit are a long time, too.
            is_number
                .then(|| digits.parse().unwrap_or(MOST_SECS).min(MOST_SECS))
                .ok_or(TimerRefusal::Unreadable(name))
        };
        let expires_secs = session_expires.map(|text| secs("Session-Expires", text));
        Ok(Self {
            support,
            expires_secs: expires_secs.transpose()?,
            refresher: session_expires.and_then(refresher),
            least_secs: match min_se {
                Some(text) => secs("Min-SE", text)?,
                None => 0,
            },
        })
    }

    /// What is agreed where `ours_secs` is what we would have (RFC 4028, section 9): never longer than what was asked for,
    /// never shorter than either side's least. `None` where neither side wants a timer that the other could keep.
    ///
    /// # Errors
    /// When the other side asks for a session that is too short.
    pub(super) fn agree(&self, ours_secs: u64) -> Result<Option<SessionTimer>, TimerRefusal> {
        let least = self.least_secs.max(LEAST_SECS);
        let agreed = |secs: u64, refresher| {
            Ok(Some(SessionTimer {
                secs,
                refresher,
                support: self.support,
            }))
        };
        match (self.support, self.expires_secs) {
            (Support::None, None) => Ok(None),
            (Support::Timer, None) => agreed(ours_secs.max(least), Refresher::Uac),
            (Support::Timer, Some(asked)) if asked < LEAST_SECS => Err(TimerRefusal::TooShort),
            (Support::Timer, Some(asked)) => {
                let refresher = self.refresher.unwrap_or(Refresher::Uac);
                agreed(asked.min(ours_secs.max(least)), refresher)
            }
            // A proxy asks for it, of which the other side knows nothing: we say it again.
            (Support::None, Some(asked)) => agreed(asked.min(ours_secs).max(least), Refresher::Uas),
        }
    }
}

impl SessionTimer {
    /// What a 2xx to our own request says, where we sent it with this timer; without it nothing changes.
    pub(super) fn answered(self, session_expires: Option<&str>) -> Self {
        let asked = Asked::read(Support::Timer, session_expires, None).unwrap_or_default();
        let who = session_expires.and_then(refresher);
        Self {
            secs: asked.expires_secs.unwrap_or(self.secs).max(LEAST_SECS),
            // Of that request we were the one who asked.
            refresher: match who {
                Some(Refresher::Uas) => Refresher::Uac,
                Some(Refresher::Uac) => Refresher::Uas,
                None => self.refresher,
            },
            ..self
        }
    }

    /// The value of `Session-Expires` in our answer.
    pub(super) fn session_expires(self) -> String {
        format!("{};refresher={}", self.secs, self.refresher.as_str())
    }

    /// The value of `Session-Expires` where we say ourselves that the session goes on: of that request we are the one who
    /// asks.
    pub(super) fn our_session_expires(self) -> String {
        format!("{};refresher=uac", self.secs)
    }

    /// Whether our answer says `Require: timer` (RFC 4028, section 9).
    pub(super) fn is_required(self) -> bool {
        self.support == Support::Timer && self.refresher == Refresher::Uac
    }

    /// When we say that the session goes on, after it was said last; `None` where the other side does.
    pub(super) fn refresh_after(self) -> Option<Duration> {
        let is_ours = self.refresher == Refresher::Uas;
        is_ours.then(|| Duration::from_secs(self.secs / 2))
    }

    /// When the session is over, after it was last said that it goes on (RFC 4028, section 10).
    pub(super) fn over_after(self) -> Duration {
        Duration::from_secs(self.secs - (self.secs / 3).min(32))
    }
}

fn refresher(session_expires: &str) -> Option<Refresher> {
    let mut parameters = session_expires.split(';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("refresher") {
            return None;
        }
        let all = [Refresher::Uac, Refresher::Uas];
        let mut all = all.into_iter();
        all.find(|one| value.trim().eq_ignore_ascii_case(one.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `secs;refresher` that is agreed where we would have 1,800 s.
    fn agree(support: Support, expires: Option<&str>, min_se: Option<&str>) -> Option<String> {
        let asked = Asked::read(support, expires, min_se).unwrap();
        let agreed = asked.agree(1_800).unwrap();
        agreed.map(SessionTimer::session_expires)
    }

    #[test]
    fn what_both_sides_can_keep_is_agreed() {
        use Support::{None as Nothing, Timer};
        for (support, expires, min_se, expected) in [
            (Nothing, None, None, None),
            (Timer, None, None, Some("1800;refresher=uac")),
            (Timer, None, Some("3600"), Some("3600;refresher=uac")),
            (Timer, Some("600"), None, Some("600;refresher=uac")),
            (Timer, Some("90"), None, Some("90;refresher=uac")),
            (Timer, Some("3600"), None, Some("1800;refresher=uac")),
            (
                Timer,
                Some("3600"),
                Some("2400"),
                Some("2400;refresher=uac"),
            ),
            (
                Timer,
                Some("600 ; refresher=UAS"),
                None,
                Some("600;refresher=uas"),
            ),
            (
                Timer,
                Some("600;refresher=uac;x"),
                None,
                Some("600;refresher=uac"),
            ),
            (Nothing, Some("600"), None, Some("600;refresher=uas")),
            (Nothing, Some("30"), None, Some("90;refresher=uas")),
            (
                Timer,
                Some("99999999999999999999999"),
                None,
                Some("1800;refresher=uac"),
            ),
        ] {
            let told = agree(support, expires, min_se);
            assert_eq!(told.as_deref(), expected, "{expires:?} {min_se:?}");
        }
    }

    #[test]
    fn what_is_too_short_or_no_number_is_refused() {
        let asked = Asked::read(Support::Timer, Some("89"), None).unwrap();
        assert_eq!(asked.agree(1_800), Err(TimerRefusal::TooShort));
        for (expires, min_se, name) in [
            (Some(""), None, "Session-Expires"),
            (Some("-1"), None, "Session-Expires"),
            (Some("1 h"), None, "Session-Expires"),
            (None, Some("x"), "Min-SE"),
        ] {
            let told = Asked::read(Support::Timer, expires, min_se);
            assert_eq!(told, Err(TimerRefusal::Unreadable(name)));
        }
    }

    #[test]
    fn a_session_is_over_a_little_before_its_time() {
        let timer = |secs, refresher| SessionTimer {
            secs,
            refresher,
            support: Support::Timer,
        };
        let secs = Duration::from_secs;
        assert_eq!(timer(90, Refresher::Uac).over_after(), secs(60));
        assert_eq!(timer(1_800, Refresher::Uac).over_after(), secs(1_768));
        assert_eq!(timer(1_800, Refresher::Uac).refresh_after(), None);
        assert_eq!(
            timer(1_800, Refresher::Uas).refresh_after(),
            Some(secs(900))
        );
        assert!(timer(90, Refresher::Uac).is_required());
        assert!(!timer(90, Refresher::Uas).is_required());
    }

    #[test]
    fn an_answer_to_us_may_change_it() {
        let timer = SessionTimer {
            secs: 1_800,
            refresher: Refresher::Uas,
            support: Support::Timer,
        };
        for (answer, secs, refresher) in [
            (None, 1_800, Refresher::Uas),
            (Some("900;refresher=uac"), 900, Refresher::Uas),
            (Some("900;refresher=uas"), 900, Refresher::Uac),
            (Some("10"), 90, Refresher::Uas),
            (Some("nothing"), 1_800, Refresher::Uas),
        ] {
            let told = timer.answered(answer);
            assert_eq!((told.secs, told.refresher), (secs, refresher), "{answer:?}");
        }
    }
}
