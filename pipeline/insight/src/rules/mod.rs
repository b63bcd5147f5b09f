//! Packs of rules.
