//! Personal data that is said.
