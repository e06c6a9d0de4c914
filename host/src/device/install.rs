//! Installs what is missing, and says why where that fails.

use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::programs::on_path;

/// Has apt wait so long for another that is at work.
const PATIENCE: &str = "DPkg::Lock::Timeout=60";
/// Most lines of a reason.
const LINES: usize = 4;

/// Installs Debian packages.
///
/// # Errors
/// Why not: this is no Debian, we are not root, or what apt says.
pub(super) fn apt_install(packages: &[&str], step: &mut dyn FnMut(&str)) -> Result<(), String> {
    let command = format!("apt-get install {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        return Err("there is no apt-get to install it with".to_owned());
    }
    let user = Command::new("id").arg("-u").output();
    if !user.is_ok_and(|user| user.stdout == b"0\n") {
        return Err(format!("only root may install packages (`sudo {command}`)"));
    }
    step(&format!(
        "installing packages: {command} (continues to its end if this is interrupted)"
    ));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-o", PATIENCE])
            .args(arguments);
        to_its_end(&mut apt)
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    let installed = apt(&install).or_else(|_| {
        // The package lists may be missing or old.
        apt(&["update"])?;
        apt(&install)
    });
    installed.map_err(|why| {
        let why = format!("`{command}` failed: {why}");
        step(&why);
        why
    })
}

/// Runs a program that must not be cut off: in a process group of its own, which Ctrl-C does not
/// reach, and with an output that stays when this process ends.
///
/// # Errors
/// Why it failed, in its own words.
pub(super) fn to_its_end(command: &mut Command) -> Result<(), String> {
    let mut run = || -> io::Result<_> {
        let mut said = tempfile::tempfile()?;
        let status = command
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?)
            .process_group(0)
            .status()?;
        let mut text = Vec::new();
        said.rewind()?;
        said.read_to_end(&mut text)?;
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    };
    match run() {
        Ok((status, _)) if status.success() => Ok(()),
        Ok((status, said)) => Err(reason(&said).unwrap_or_else(|| status.to_string())),
        Err(error) => Err(error.to_string()),
    }
}

/// The errors among the lines of a program, else its last line.
fn reason(said: &str) -> Option<String> {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.starts_with("E: ") || line.starts_with("error: ");
    let errors: Vec<&str> = lines().filter(is_error).take(LINES).collect();
    match errors[..] {
        [] => lines().next_back().map(str::to_owned),
        _ => Some(errors.join(" / ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_gives_its_own_reason() {
        let run = |script: &str| to_its_end(Command::new("sh").args(["-c", script]));
        assert_eq!(run("echo all is well"), Ok(()));
        let locked = "Reading package lists...
W: a warning
E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (dpkg)
E: Unable to acquire the dpkg frontend lock, is another process using it?
";
        let said = run(&format!("printf '{locked}' >&2; exit 100")).unwrap_err();
        assert!(
            said.starts_with("E: Could not get lock") && said.ends_with("using it?"),
            "{said}"
        );
        assert_eq!(run("echo one; echo two; exit 1"), Err("two".to_owned()));
        assert_eq!(run("exit 7"), Err("exit status: 7".to_owned()));
        let missing = to_its_end(&mut Command::new("/no/such/program"));
        assert!(missing.unwrap_err().contains("No such file"));
    }
}
