//! What this computer has for boards, and what it lacks. Nothing is installed or changed.

use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::firmware;
use super::machine::TARGET;
use super::open::state_dir;
use super::openmv::OpenMv;
use super::programs::on_path;
use super::qemu;
use super::toolchain;

/// Where udev's rules are.
const RULES: [&str; 4] = [
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
];
/// The rule that lets users write to the loader in the camera board's chip.
const RULE: &str = "SUBSYSTEM==\"usb\", ATTRS{idVendor}==\"0483\", ATTRS{idProduct}==\"df11\", MODE=\"0660\", TAG+=\"uaccess\"";

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there and works.
    Ready,
    /// It is not there; something can't be done without it.
    Missing,
    /// It is there and does not work.
    Broken,
    /// There is nothing to say against it.
    Unneeded,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What it is for and how to get it, if it is not ready.
    pub advice: Option<String>,
}

impl Finding {
    /// It is there.
    #[must_use]
    pub fn ready(what: &'static str, found: impl ToString) -> Self {
        Self::new(what, State::Ready, found, None)
    }

    /// It is not.
    #[must_use]
    pub fn missing(what: &'static str, found: impl ToString, advice: impl ToString) -> Self {
        Self::new(what, State::Missing, found, Some(advice.to_string()))
    }

    fn broken(what: &'static str, found: impl ToString, advice: impl ToString) -> Self {
        Self::new(what, State::Broken, found, Some(advice.to_string()))
    }

    fn unneeded(what: &'static str, found: impl ToString) -> Self {
        Self::new(what, State::Unneeded, found, None)
    }

    fn new(what: &'static str, state: State, found: impl ToString, advice: Option<String>) -> Self {
        Self {
            what,
            state,
            found: found.to_string(),
            advice,
        }
    }
}

/// Looks at everything that has to do with boards.
#[must_use]
pub fn examine() -> Vec<Finding> {
    let mut all = vec![state()];
    all.extend(emulated());
    all.extend(plugged_in());
    all
}

/// What the emulated board needs: a compiler, its target, the firmware's sources and the emulator.
#[must_use]
pub fn emulated() -> Vec<Finding> {
    vec![compiler(), target(), sources(), emulator()]
}

fn state() -> Finding {
    let what = "state folder";
    let folder = state_dir("host");
    let written = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
    match written {
        Ok(_) => Finding::ready(what, folder.display()),
        Err(error) => Finding::broken(
            what,
            format!("{}: {error}", folder.display()),
            "boards keep there what they are taught: make it yours to write, or set SUDAL_STATE to another",
        ),
    }
}

/// What a program says of its version, in one line.
fn version_of(program: &Path) -> Option<String> {
    let said = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    Some(text.lines().next()?.trim().to_owned())
}

fn compiler() -> Finding {
    let what = "compiler";
    let advice = "builds firmware for the emulated board and for camera boards: install Rust from https://rustup.rs";
    let (Some(rustc), Some(_)) = (on_path("rustc"), on_path("cargo")) else {
        return Finding::missing(what, "no rustc and cargo", advice);
    };
    let found = version_of(&rustc).unwrap_or_else(|| rustc.display().to_string());
    if toolchain::is_new_enough() {
        return Finding::ready(what, found);
    }
    let (major, minor) = toolchain::OLDEST;
    Finding::missing(
        what,
        found,
        format!("{major}.{minor} or newer {advice}, or `rustup update`"),
    )
}

fn target() -> Finding {
    let what = "target";
    match toolchain::for_target(TARGET) {
        Some(by) => Finding::ready(what, format!("{TARGET}, {by}")),
        None => Finding::missing(
            what,
            format!("no {TARGET}"),
            format!("firmware is compiled for it: rustup target add {TARGET}"),
        ),
    }
}

fn sources() -> Finding {
    let what = "firmware";
    let given = env::var_os("SUDAL_FIRMWARE").map(PathBuf::from);
    if let Some(file) = given.filter(|path| path.is_file()) {
        return Finding::ready(what, format!("{} (SUDAL_FIRMWARE)", file.display()));
    }
    let root = firmware::root();
    if root.join("firmware/boards").is_dir() {
        return Finding::ready(what, format!("sources in {}", root.display()));
    }
    Finding::missing(
        what,
        format!("no sources in {}", root.display()),
        "boards other than host run it: set SUDAL_FIRMWARE to a checkout of sudal, or to a built firmware",
    )
}

fn emulator() -> Finding {
    let what = "emulator";
    match on_path(qemu::PROGRAM) {
        Some(path) => {
            let version = version_of(&path).unwrap_or_default();
            Finding::ready(what, format!("{} ({version})", path.display()))
        }
        None => Finding::missing(
            what,
            format!("no {}", qemu::PROGRAM),
            format!("runs the emulated board: {}", qemu::HOW),
        ),
    }
}

fn plugged_in() -> Vec<Finding> {
    let port = match OpenMv::plugged_in() {
        Ok(None) => Finding::unneeded(
            "board",
            "no camera board is plugged in; --board host needs none",
        ),
        Ok(Some(port)) => usable(&port),
        Err(error) => Finding::broken("board", error, "or unplug one"),
    };
    vec![port, ports(), rule()]
}

/// Whether a serial port can be used.
fn usable(port: &Path) -> Finding {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    match options.open(port) {
        Ok(_) => Finding::ready("board", port.display()),
        Err(error) => Finding::broken(
            "board",
            format!("{}: {error}", port.display()),
            "you may not use the port: sudo usermod -aG dialout $USER, then log in again",
        ),
    }
}

/// Whether ports that will come may be used.
fn ports() -> Finding {
    let what = "permissions";
    if !cfg!(target_os = "linux") {
        return Finding::unneeded(what, "serial ports are everybody's here");
    }
    let groups = Command::new("id").arg("-nG").output();
    let groups = groups.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let groups = groups.unwrap_or_default();
    let may = ["root", "dialout", "uucp"];
    match groups.split_whitespace().find(|group| may.contains(group)) {
        Some(group) => Finding::ready(what, format!("serial ports, by the group {group}")),
        None => Finding::missing(
            what,
            "you are not in the group dialout",
            "serial ports of camera boards: sudo usermod -aG dialout $USER, then log in again",
        ),
    }
}

/// Whether udev lets users write to the loader of the camera board's chip.
fn rule() -> Finding {
    let what = "udev rule";
    if !cfg!(target_os = "linux") {
        return Finding::unneeded(what, "this system has no udev");
    }
    let files = RULES.iter().filter_map(|folder| fs::read_dir(folder).ok());
    let files = files.flatten().flatten().map(|entry| entry.path());
    let has = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default().to_lowercase();
        text.contains("0483") && text.contains("df11")
    };
    if let Some(path) = files.into_iter().find(has) {
        return Finding::ready(what, path.display());
    }
    let root = Command::new("id").arg("-u").output();
    if root.is_ok_and(|said| said.stdout == b"0\n") {
        return Finding::unneeded(what, "root may flash over USB without one");
    }
    Finding::missing(
        what,
        "none for the loader of camera boards",
        format!(
            "flashing them over USB (--dfu): echo '{RULE}' | sudo tee /etc/udev/rules.d/70-sudal.rules, then sudo udevadm control --reload"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ready_says_what_to_do() {
        let all = examine();
        assert!(all.len() >= 8);
        for finding in all {
            let needs = matches!(finding.state, State::Missing | State::Broken);
            assert_eq!(finding.advice.is_some(), needs, "{finding:?}");
            assert!(!finding.found.is_empty(), "{finding:?}");
        }
    }

    #[test]
    fn a_port_that_can_t_be_opened_is_broken() {
        let port = usable(Path::new("/dev/tty-of-no-board"));
        assert_eq!(port.state, State::Broken);
    }
}
