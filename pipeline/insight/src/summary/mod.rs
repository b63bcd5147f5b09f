//! Reason, outcome, promises and numbers, in the call's own words.
