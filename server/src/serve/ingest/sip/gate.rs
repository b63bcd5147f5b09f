//! Who may say anything at all, and how many calls may begin.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;

use super::address::Network;
use super::config::SipConfig;

/// Requests outside of calls that are looked at in a second, for each call that may begin: others are questions whether
/// somebody is there, requests without a password and those that came before. What comes beyond that is dropped unread.
const REQUESTS_PER_SET_UP: u32 = 20;

/// Who may call.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    networks: Vec<Network>,
    has_users: bool,
}

/// What is done with somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// What is sent is heard.
    Open,
    /// Calls need a password.
    Password,
    /// Nothing is answered.
    Closed,
}

impl Gate {
    pub(super) fn new(config: &SipConfig) -> Result<Self> {
        Ok(Self {
            networks: config.networks()?,
            has_users: !config.users.is_empty(),
        })
    }

    pub(super) fn entry(&self, address: IpAddr) -> Entry {
        let is_here = address.to_canonical().is_loopback();
        let mut networks = self.networks.iter();
        let is_allowed = networks.any(|network| network.contains(address));
        match (is_allowed, self.has_users, self.networks.is_empty()) {
            (true, ..) => Entry::Open,
            (false, true, _) => Entry::Password,
            (false, false, true) if is_here => Entry::Open,
            (false, false, _) => Entry::Closed,
        }
    }
}

/// So many in a second, and as many at once.
#[derive(Debug)]
pub(super) struct Rate {
    per_sec: f64,
    left: Mutex<(f64, Instant)>,
}

impl Rate {
    pub(super) fn new(per_sec: u32, now: Instant) -> Self {
        let per_sec = f64::from(per_sec);
        Self {
            per_sec,
            left: Mutex::new((per_sec, now)),
        }
    }

    /// Of requests, where so many calls may begin.
    pub(super) fn of_requests(set_ups_per_sec: u32, now: Instant) -> Self {
        Self::new(set_ups_per_sec.saturating_mul(REQUESTS_PER_SET_UP), now)
    }

    /// Whether there is room for one more; it is taken then.
    pub(super) fn takes(&self, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (n_left, at) = *left;
        let passed = now.saturating_duration_since(at).as_secs_f64();
        let n_now = (n_left + passed * self.per_sec).min(self.per_sec);
        let takes = n_now >= 1.0;
        let n_after = if takes { n_now - 1.0 } else { n_now };
        *left = (n_after, now.max(at));
        takes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::serve::ingest::sip::config::SipUserConfig;

    #[test]
    fn others_are_not_heard() {
        use Entry::{Closed, Open, Password};
        let user = SipUserConfig {
            name: "a".to_owned(),
            password_file: "p".into(),
        };
        for (allow, users, address, expected) in [
            ("", 0, "127.0.0.1", Open),
            ("", 0, "::1", Open),
            ("", 0, "::ffff:127.0.0.1", Open),
            ("", 0, "10.0.0.1", Closed),
            ("10.0.0.0/8", 0, "10.0.0.1", Open),
            ("10.0.0.0/8", 0, "127.0.0.1", Closed),
            ("10.0.0.0/8", 0, "192.0.2.1", Closed),
            ("10.0.0.0/8", 1, "10.0.0.1", Open),
            ("10.0.0.0/8", 1, "192.0.2.1", Password),
            ("", 1, "127.0.0.1", Password),
        ] {
            let config = SipConfig {
                allow: allow.split_whitespace().map(str::to_owned).collect(),
                users: vec![user.clone(); users],
                ..SipConfig::default()
            };
            let gate = Gate::new(&config).unwrap();
            let told = gate.entry(address.parse().unwrap());
            assert_eq!(told, expected, "{allow} {users} {address}");
        }
    }

    #[test]
    fn no_more_than_so_many_in_a_second() {
        let began = Instant::now();
        let rate = Rate::new(50, began);
        let at = |ms| began + Duration::from_millis(ms);
        let taken = |ms| (0..1_000).filter(|_| rate.takes(at(ms))).count();
        assert_eq!(taken(0), 50);
        assert_eq!(taken(10), 0);
        assert_eq!(taken(110), 5);
        // Time that was not used is not kept for longer than a second.
        assert_eq!(taken(60_110), 50);
        // A clock that is read elsewhere may be a little behind.
        assert_eq!(taken(60_000), 0);
    }
}
