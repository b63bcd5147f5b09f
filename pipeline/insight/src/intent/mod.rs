//! What the customer wants.
