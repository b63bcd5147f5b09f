//! How an utterance was said.
