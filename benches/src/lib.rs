//! Figures measured beside peers: see README.md.
