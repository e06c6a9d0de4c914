//! Programs that tests need.

use std::path::PathBuf;
use std::process::Command;

/// A program that a test needs: one on the `PATH`, else from Debian's packages, if this is Debian and
/// we may install. Says so where it can't be had, for the test to skip.
#[must_use]
pub fn program(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let find = || {
        let folders = std::env::var_os("PATH")?;
        // Servers lie where only the system's own user looks.
        std::env::split_paths(&folders)
            .chain(["/usr/sbin".into()])
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    };
    if let Some(path) = find() {
        return Some(path);
    }
    println!(
        "installing packages: apt-get install {}",
        packages.join(" ")
    );
    let apt = |arguments: &[&str]| {
        let done = Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments)
            .output();
        done.is_ok_and(|output| output.status.success())
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    if !apt(&install) && apt(&["update"]) {
        apt(&install);
    }
    let found = find();
    if found.is_none() {
        println!("skipped: {name} is missing and could not be installed");
    }
    found
}
