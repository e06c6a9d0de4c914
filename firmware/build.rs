//! Tells the engine whether the target has the DSP instructions.
//!
//! The compiler keeps ARM target features to itself on stable Rust, so `cfg(target_feature)` cannot
//! tell; the name of the target can: all of `thumbv7em` (Cortex-M4 and M7) has them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp)");
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv7em")) {
        println!("cargo::rustc-cfg=dsp");
    }
}
