//! Keys of a call under way, in memory.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use auricle_contracts::PressedKey;

use super::Keep;

/// Keys of a call that are kept; a long menu has some fifty.
const MOST_KEYS: usize = 1_000;

/// Keys of a call under way; its legs share it. `Debug` shows none.
#[derive(Debug, Default)]
pub(crate) struct NotedKeys {
    keep: Keep,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    keys: Vec<PressedKey>,
    n_left_out: u64,
}

impl NotedKeys {
    pub(crate) fn new(keep: Keep) -> Self {
        Self {
            keep,
            noted: Mutex::default(),
        }
    }

    /// Notes a key, or as much of it as is kept.
    pub(crate) fn note(&self, pressed: PressedKey) {
        let key = match self.keep {
            Keep::None => return,
            Keep::Masked => None,
            Keep::Clear => pressed.key,
        };
        let mut noted = self.noted();
        match noted.keys.len() < MOST_KEYS {
            true => noted.keys.push(PressedKey { key, ..pressed }),
            false => noted.n_left_out = noted.n_left_out.saturating_add(1),
        }
    }

    /// All keys that were noted, by time, and what is to be said of those that were not. Nothing is left of them here.
    pub(crate) fn take(&self) -> (Vec<PressedKey>, Option<String>) {
        let Noted {
            mut keys,
            n_left_out,
        } = mem::take(&mut *self.noted());
        keys.sort_by_key(|pressed| pressed.at_ms);
        let left_out = (n_left_out > 0).then(|| {
            let n_pressed = n_left_out.saturating_add(MOST_KEYS as u64);
            format!("only {MOST_KEYS} of {n_pressed} keys that were pressed are kept")
        });
        (keys, left_out)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::{Party, PhoneKey};

    use super::*;

    fn pressed(at_ms: u64) -> PressedKey {
        PressedKey {
            party: Party::Customer,
            at_ms,
            duration_ms: None,
            key: PhoneKey::new('7'),
        }
    }

    #[test]
    fn as_much_is_kept_as_is_said() {
        let kept = |keep| {
            let noted = NotedKeys::new(keep);
            noted.note(pressed(2_000));
            noted.note(pressed(1_000));
            assert!(!format!("{noted:?}").contains('7'));
            let (keys, left_out) = noted.take();
            assert_eq!((left_out, noted.take().0), (None, Vec::new()));
            keys
        };
        assert_eq!(kept(Keep::Clear), [pressed(1_000), pressed(2_000)]);
        let masked = |at_ms| PressedKey {
            key: None,
            ..pressed(at_ms)
        };
        assert_eq!(kept(Keep::Masked), [masked(1_000), masked(2_000)]);
        assert!(kept(Keep::None).is_empty());
    }

    #[test]
    fn keys_beyond_the_most_are_counted() {
        let noted = NotedKeys::new(Keep::Clear);
        for at_ms in 0..MOST_KEYS as u64 + 2 {
            noted.note(pressed(at_ms));
        }
        let (keys, left_out) = noted.take();
        assert_eq!(keys.len(), MOST_KEYS);
        let expected = "only 1000 of 1002 keys that were pressed are kept";
        assert_eq!(left_out.as_deref(), Some(expected));
    }
}
