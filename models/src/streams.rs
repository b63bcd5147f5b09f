//! The streams of one engine, each under a key that is never used again; and what waits in one.

use std::ops::Deref;

use crate::engine::{EngineError, StreamKey};

/// Values of one stream that wait for its next steps. Those that were used are not moved out one step at a time: what is
/// left behind them may be long.
#[derive(Default)]
pub(crate) struct Waiting {
    values: Vec<f32>,
    n_used: usize,
}

impl Waiting {
    /// Where more is added.
    pub(crate) fn more(&mut self) -> &mut Vec<f32> {
        self.values.drain(..self.n_used);
        self.n_used = 0;
        &mut self.values
    }

    /// The first `n_values` are used.
    pub(crate) fn pass(&mut self, n_values: usize) {
        self.n_used = (self.n_used + n_values).min(self.values.len());
    }

    /// Leaves at most `n_values`.
    pub(crate) fn truncate(&mut self, n_values: usize) {
        self.values.truncate(self.n_used + n_values);
    }
}

impl Deref for Waiting {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[self.n_used..]
    }
}

/// One stream's place; the generation tells its tenants apart.
struct Slot<S> {
    generation: u32,
    stream: Option<S>,
}

/// Open streams, in places that are used again.
pub(crate) struct Streams<S> {
    slots: Vec<Slot<S>>,
}

impl<S> Default for Streams<S> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<S> Streams<S> {
    /// Takes a stream in.
    pub(crate) fn open(&mut self, stream: S) -> StreamKey {
        let free = self.slots.iter().position(|slot| slot.stream.is_none());
        let place = free.unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                stream: None,
            });
            self.slots.len() - 1
        });
        let slot = &mut self.slots[place];
        slot.generation = slot.generation.wrapping_add(1);
        slot.stream = Some(stream);
        StreamKey::new(place as u32, slot.generation)
    }

    /// An open stream.
    ///
    /// # Errors
    /// When it was closed.
    pub(crate) fn get(&self, key: StreamKey) -> Result<&S, EngineError> {
        let slot = self.slots.get(key.place());
        let own = slot.filter(|slot| slot.generation == key.generation);
        own.and_then(|slot| slot.stream.as_ref())
            .ok_or(EngineError::NoSuchStream)
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// As [`Streams::get`].
    pub(crate) fn get_mut(&mut self, key: StreamKey) -> Result<&mut S, EngineError> {
        self.tenant(key)?.as_mut().ok_or(EngineError::NoSuchStream)
    }

    /// Gives a stream back and forgets it.
    ///
    /// # Errors
    /// As [`Streams::get`].
    pub(crate) fn close(&mut self, key: StreamKey) -> Result<S, EngineError> {
        self.tenant(key)?.take().ok_or(EngineError::NoSuchStream)
    }

    /// Where the streams stand that are so, in ascending order.
    pub(crate) fn places_where(&self, is_so: impl Fn(&S) -> bool) -> Vec<usize> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.stream.as_ref().is_some_and(&is_so))
            .map(|(place, _)| place)
            .collect()
    }

    /// The streams at some places, which must ascend.
    pub(crate) fn at_places(&mut self, places: &[usize]) -> Vec<&mut S> {
        let slots = self.slots.iter_mut().enumerate();
        slots
            .filter(|(place, _)| places.binary_search(place).is_ok())
            .filter_map(|(_, slot)| slot.stream.as_mut())
            .collect()
    }

    fn tenant(&mut self, key: StreamKey) -> Result<&mut Option<S>, EngineError> {
        let slot = self.slots.get_mut(key.place());
        slot.filter(|slot| slot.generation == key.generation)
            .map(|slot| &mut slot.stream)
            .ok_or(EngineError::NoSuchStream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_only_its_own_stream() {
        let mut streams = Streams::default();
        let [first, second] = ["a", "b"].map(|name| streams.open(name));
        assert_eq!(streams.get(second).unwrap(), &"b");
        assert_eq!(streams.close(first).unwrap(), "a");
        assert!(streams.get(first).is_err() && streams.close(first).is_err());
        let third = streams.open("c");
        assert_eq!(third.place(), first.place());
        assert!(streams.get_mut(first).is_err());
        assert_eq!(streams.places_where(|name| *name != "b"), [third.place()]);
        assert_eq!(streams.at_places(&[0, 1]), [&"c", &"b"]);
    }
}
