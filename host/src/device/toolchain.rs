//! Finds, and where that fails installs, what compiles firmware for a Cortex-M.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::BoardError;
use super::install::{apt_install, to_its_end};
use super::programs::on_path;

/// The oldest compiler that can build the firmware.
pub(super) const OLDEST: (u32, u32) = (1, 92);

/// Debian's compiler, which comes with the sources of the standard library as a package.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// The compiler that a stable Debian brings up to date for its browsers, then the release's own.
const DEBIAN_PACKAGES: [&[&str]; 2] = [
    &["rustc-web", "cargo-web", "rust-web-src"],
    &["rustc", "cargo", "rust-src", "lld"],
];

/// A cargo that can build for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The target's standard library is installed.
    Installed,
    /// Debian's compiler builds `core` itself, which it allows when told that this is a bootstrap.
    /// The linker is named if the compiler's own is not there.
    Debian { linker: Option<PathBuf> },
}

impl Toolchain {
    /// Looks for, in this order: an installed target, rustup, Debian's packages.
    ///
    /// # Errors
    /// When none is there and none can be installed.
    pub(super) fn find(target: &str, step: &mut dyn FnMut(&str)) -> Result<Self, BoardError> {
        if has_target(target) {
            step(&format!("the rust target {target} is installed"));
            return Ok(Self::Installed);
        }
        if on_path("rustup").is_some() {
            step(&format!(
                "installing the rust target: rustup target add {target}"
            ));
            let added = to_its_end(Command::new("rustup").args(["target", "add", target]));
            match added {
                Ok(()) if has_target(target) => return Ok(Self::Installed),
                Ok(()) => step("rustup installed it elsewhere than the compiler looks"),
                Err(why) => step(&format!("rustup could not install it: {why}")),
            }
        }
        if let Some(debian) = Self::debian(step) {
            return Ok(debian);
        }
        step("Debian's compiler and its sources are not installed");
        let mut why = String::new();
        for packages in DEBIAN_PACKAGES {
            match apt_install(packages, step) {
                Ok(()) => {
                    if let Some(debian) = Self::debian(step) {
                        return Ok(debian);
                    }
                    why = "the packages are too old".to_owned();
                }
                Err(reason) => why = reason,
            }
        }
        Err(BoardError::Missing {
            program: "a rust compiler for the board",
            advice: format!(
                "{why}; run `rustup target add {target}`, or on Debian install rustc ({}.{} or newer), cargo, rust-src and lld",
                OLDEST.0, OLDEST.1
            ),
        })
    }

    /// Whether Debian's compiler can build for a target.
    fn has_debian() -> bool {
        let sources = |root: PathBuf| root.join("lib/rustlib/src/rust/library/core").exists();
        version(DEBIAN_RUSTC).is_some_and(|version| version >= OLDEST)
            && sysroot(DEBIAN_RUSTC).is_some_and(sources)
            && Path::new(DEBIAN_CARGO).exists()
    }

    fn debian(step: &mut dyn FnMut(&str)) -> Option<Self> {
        if !Self::has_debian() {
            return None;
        }
        step("using Debian's compiler, which builds the core library from its sources");
        if on_path("rust-lld").is_some() {
            return Some(Self::Debian { linker: None });
        }
        let linker = linker().or_else(|| {
            apt_install(&["lld"], step).ok()?;
            linker()
        })?;
        step(&format!("using the linker {}", linker.display()));
        Some(Self::Debian {
            linker: Some(linker),
        })
    }

    /// `cargo build` for the target with these flags of the compiler, without those that are meant for
    /// the host's code.
    pub(super) fn cargo_build(&self, target: &str, flags: &[&str]) -> Command {
        let mut command = match self {
            Self::Installed => Command::new("cargo"),
            Self::Debian { .. } => Command::new(DEBIAN_CARGO),
        };
        command.args(["build", "--target", target]);
        for variable in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(variable);
        }
        // Set, even if empty, it also keeps out what a configuration file says.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        if let Self::Debian { linker } = self {
            command.arg("-Zbuild-std=core");
            command
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1");
            if let Some(linker) = linker {
                let target = target.to_uppercase().replace(['-', '.'], "_");
                command.env(format!("CARGO_TARGET_{target}_LINKER"), linker);
            }
        }
        command
    }
}

/// Whether the compiler that is found first can build the firmware.
pub(super) fn is_new_enough() -> bool {
    version("rustc").is_some_and(|version| version >= OLDEST)
}

/// What would compile for a target without anything being installed, in words.
pub(super) fn for_target(target: &str) -> Option<&'static str> {
    if has_target(target) {
        return Some("installed");
    }
    Toolchain::has_debian().then_some("by Debian's compiler, from its sources")
}

fn has_target(target: &str) -> bool {
    on_path("cargo").is_some()
        && version("rustc").is_some_and(|version| version >= OLDEST)
        && sysroot("rustc")
            .is_some_and(|root| root.join("lib/rustlib").join(target).join("lib").is_dir())
}

fn sysroot(rustc: impl AsRef<OsStr>) -> Option<PathBuf> {
    let output = Command::new(rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| path.trim_end().into())
}

fn version(rustc: impl AsRef<OsStr>) -> Option<(u32, u32)> {
    let output = Command::new(rustc).arg("--version").output().ok()?;
    parse_version(core::str::from_utf8(&output.stdout).ok()?)
}

/// Major and minor of what `rustc --version` prints.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("rustc ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// An LLD: that of an installed rust, else the system's.
fn linker() -> Option<PathBuf> {
    let bundled = sysroot("rustc").and_then(|root| {
        root.join("lib/rustlib")
            .read_dir()
            .ok()?
            .flatten()
            .map(|entry| entry.path().join("bin/rust-lld"))
            .find(|path| path.is_file())
    });
    bundled.or_else(|| {
        let named = ["ld.lld".to_owned()].into_iter();
        let versioned = (14..40).rev().map(|version| format!("ld.lld-{version}"));
        named.chain(versioned).find_map(on_path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(
            parse_version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some((1, 96))
        );
        assert_eq!(parse_version("rustc 1.100.0-nightly (0 1)"), Some((1, 100)));
        assert_eq!(parse_version("clang 1.2"), None);
        assert!((1, 100) > OLDEST && (1, 63) < OLDEST);
    }

    #[test]
    fn flags_of_the_host_stay_out() {
        let toolchain = Toolchain::Debian {
            linker: Some("/opt/ld.lld".into()),
        };
        let command = toolchain.cargo_build("thumbv7em-none-eabihf", &[]);
        let environment: Vec<_> = command.get_envs().collect();
        let value = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.map(|value| value.to_string_lossy().into_owned()))
        };
        assert_eq!(value("RUSTFLAGS"), Some(None));
        assert_eq!(value("CARGO_ENCODED_RUSTFLAGS"), Some(Some(String::new())));
        assert_eq!(
            value("CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER"),
            Some(Some("/opt/ld.lld".to_owned()))
        );
    }
}
