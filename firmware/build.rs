//! Tells the engine whether the target has the DSP instructions, Helium, or is of ARMv6-M, and what follows from
//! several features together.
//!
//! The compiler keeps ARM target features to itself on stable Rust, so `cfg(target_feature)` cannot
//! tell. What can is the name of the target, as all of `thumbv7em` (Cortex-M4 and M7) has them, and
//! for `thumbv8m.main` the processor: `-C target-cpu=cortex-m33` has the compiler assemble them, and
//! this file use them. A Cortex-M33 that was made without says `-C target-feature=-dsp` as well, a
//! Cortex-M55 or M85 without vector instructions `-C target-feature=-mve`.

use std::env;

/// Processors of `thumbv8m.main` for which the compiler assembles the DSP instructions.
const WITH_DSP: [&str; 4] = ["cortex-m33", "cortex-m35p", "cortex-m55", "cortex-m85"];

/// Those among them for which it assembles the vector instructions.
const WITH_HELIUM: [&str; 2] = ["cortex-m55", "cortex-m85"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(dsp, dsp_by_processor, helium, armv6m)");
    println!("cargo::rustc-check-cfg=cfg(by_pixel, every_format)");
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let compact = has("COMPACT");
    // Some frames are read pixel by pixel.
    if compact || has("COLOUR") && has("YUYV") {
        println!("cargo::rustc-cfg=by_pixel");
    }
    // Frames of every format are read, with their colours.
    if compact || ["COLOUR", "RGB565", "YUYV"].into_iter().all(has) {
        println!("cargo::rustc-cfg=every_format");
    }
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_one_of = |names: &[&str]| {
        target.starts_with("thumbv8m.main") && names.iter().any(|name| has_processor(&flags, name))
    };
    let by_processor = is_one_of(&WITH_DSP) && !flags.contains("-dsp");
    if target.starts_with("thumbv7em") || by_processor {
        println!("cargo::rustc-cfg=dsp");
    }
    if target.starts_with("thumbv6m") {
        println!("cargo::rustc-cfg=armv6m");
    }
    if by_processor {
        println!("cargo::rustc-cfg=dsp_by_processor");
        if is_one_of(&WITH_HELIUM) && !flags.contains("-mve") {
            println!("cargo::rustc-cfg=helium");
        }
    }
}

/// Whether the flags, which the character 0x1f separates, name a processor.
fn has_processor(flags: &str, name: &str) -> bool {
    let mut flags = flags.split('\u{1f}');
    flags.any(|flag| {
        let flag = flag.strip_prefix("-C").unwrap_or(flag);
        flag.strip_prefix("target-cpu=") == Some(name)
    })
}
