//! Who talks how much, silences, interruptions.
