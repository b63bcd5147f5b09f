//! Silero VAD in pure Rust, for machines without ONNX Runtime.

