//! The one binary. Everything it does is in the library, where tests reach it.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Texts are judged in many small pieces of memory; with the allocator of glibc they are a quarter of the work.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    auricle::main()
}
