//! With the feature `vosk`: compiles the stand-in that the crate `vosk` is linked against, so that the
//! real library is needed neither to build nor to start. See native/vosk_forward.c.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "vosk")]
    {
        println!("cargo:rerun-if-changed=native/vosk_forward.c");
        // The name is what the crate's `#[link(name = "vosk")]` looks for: an archive in a folder of
        // the search path serves where a shared library is not beside it.
        cc::Build::new()
            .file("native/vosk_forward.c")
            .warnings(true)
            .cargo_metadata(false)
            .compile("vosk");
        let out_dir = std::env::var("OUT_DIR").unwrap_or_default();
        println!("cargo:rustc-link-search=native={out_dir}");
    }
}
