//! One binary file for vocabulary, model and lexicon.
