//! Points, from hits.
