//! What the customer wants.

pub mod similarity;
