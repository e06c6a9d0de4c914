//! Programs that tests need.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
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

/// A folder below `target` with packages for Node, `name@version` each, installed by npm if need be; none,
/// and that is said, where that can't be.
#[must_use]
pub fn node_packages(folder: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target")
        .join(folder);
    fs::create_dir_all(&folder).unwrap();
    // Two tests at once would install it into each other's way.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let there = |package: &&str| {
        let (name, _) = package.rsplit_once('@').unwrap();
        folder.join("node_modules").join(name).is_dir()
    };
    if !packages.iter().all(there) {
        let npm = program("npm", &["npm"])?;
        let installed = Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--prefix", "."])
            .args(packages)
            .current_dir(&folder)
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            println!("skipped: npm can't install {packages:?}");
            return None;
        }
    }
    Some(folder)
}

/// A Python of its own below `target` with packages from PyPI, `name==version` each; none, and that is
/// said, where that can't be.
#[must_use]
pub fn python_with(folder: &str, packages: &[&str]) -> Option<PathBuf> {
    let python = program("python3", &["python3", "python3-venv"])?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target")
        .join(folder);
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let own = folder.join("bin/python");
    let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let mark = folder.join("installed");
    let wanted = packages.join(" ");
    if fs::read_to_string(&mark).is_ok_and(|have| have == wanted) {
        return Some(own);
    }
    let made = done(Command::new(python).args(["-m", "venv"]).arg(&folder))
        && done(
            Command::new(&own)
                .args(["-m", "pip", "install", "--quiet"])
                .args(packages),
        );
    if !made {
        println!("skipped: pip can't install {packages:?}");
        return None;
    }
    fs::write(mark, wanted).unwrap();
    Some(own)
}
