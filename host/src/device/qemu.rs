//! The emulator's process and its control socket.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::error::BoardError;
use super::install::apt_install;
use super::machine::Machine;
use super::programs::on_path;

pub(super) const PROGRAM: &str = "qemu-system-arm";
/// How to get it.
pub(super) const HOW: &str = "install QEMU for Arm (Debian and Ubuntu: qemu-system-arm, Fedora: qemu-system-arm-core, macOS: brew install qemu)";
const CONTROL: &str = "control.sock";
const COMMANDS: &str = "commands.sock";

/// Finds the emulator, or installs it.
pub(super) fn find(step: &mut dyn FnMut(&str)) -> Result<PathBuf, BoardError> {
    if let Some(path) = on_path(PROGRAM) {
        step(&format!("the emulator is {}", path.display()));
        return Ok(path);
    }
    let installed = apt_install(&["qemu-system-arm"], step);
    on_path(PROGRAM).ok_or_else(|| BoardError::Missing {
        program: PROGRAM,
        advice: format!(
            "{}; {HOW}",
            installed
                .err()
                .unwrap_or_else(|| "its package does not have it".to_owned())
        ),
    })
}

/// Starts the emulator in a folder. It continues when this process ends.
///
/// The folder holds `firmware.elf` and `model.sudal`; the emulator makes the sockets, appends to
/// `logs.bin` and keeps `nor.bin`, whose path the firmware opens relative to the folder.
pub(super) fn spawn(qemu: &Path, dir: &Path, log: &str) -> Result<Child, BoardError> {
    let messages = dir.join("emulator.log");
    let messages = File::create(&messages).map_err(BoardError::io(messages.display()))?;
    let errors = messages
        .try_clone()
        .map_err(BoardError::io("emulator.log"))?;
    let server = |socket: &str| format!("unix:{socket},server=on,wait=off");
    for socket in [CONTROL, COMMANDS] {
        match fs::remove_file(dir.join(socket)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BoardError::io(dir.join(socket).display())(error));
            }
            _ => {}
        }
    }
    Command::new(qemu)
        .current_dir(dir)
        .args([
            "-machine",
            Machine::An500.name(),
            "-display",
            "none",
            "-monitor",
            "none",
        ])
        .args(["-icount", "shift=0"])
        .args(["-qmp", &server(CONTROL)])
        .args(["-serial", &server(COMMANDS)])
        .args(["-chardev", &format!("file,id=logs,path={log},append=on")])
        .args(["-serial", "chardev:logs"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .args(["-kernel", "firmware.elf"])
        .arg("-device")
        .arg(format!(
            "loader,file=model.sudal,addr={:#x},force-raw=on",
            Machine::An500.psram()
        ))
        .stdin(Stdio::null())
        .stdout(messages)
        .stderr(errors)
        // Ctrl-C is for this process, not for the board.
        .process_group(0)
        .spawn()
        .map_err(BoardError::io(qemu.display()))
}

/// Runs a program that ends by itself and says over semihosting what it found.
///
/// # Errors
/// [`BoardError::Failed`] with what it said when it fails or does not end in time.
pub(super) fn run(
    machine: Machine,
    program: &Path,
    image: Option<&Path>,
    icount: &str,
    limit: Duration,
) -> Result<String, BoardError> {
    let qemu = find(&mut |_| ())?;
    let said = tempfile::NamedTempFile::new().map_err(BoardError::io("a temporary file"))?;
    let file = || said.reopen().map_err(BoardError::io(said.path().display()));
    let mut command = Command::new(&qemu);
    command
        .args(["-machine", machine.name(), "-display", "none"])
        .args(["-monitor", "none", "-serial", "none", "-icount", icount])
        .args(["-semihosting-config", "enable=on,target=native"])
        .arg("-kernel")
        .arg(program);
    if let Some(image) = image {
        // A comma in the path is doubled, as the emulator's options want it.
        let file = image.to_string_lossy().replace(',', ",,");
        let address = machine.psram();
        command
            .arg("-device")
            .arg(format!("loader,file={file},addr={address:#x},force-raw=on"));
    }
    let mut process = command
        .stdin(Stdio::null())
        .stdout(file()?)
        .stderr(file()?)
        .spawn()
        .map_err(BoardError::io(qemu.display()))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        let status = process.try_wait().map_err(BoardError::io("the emulator"))?;
        if status.is_some() {
            break status;
        }
        if Instant::now() > deadline {
            process
                .kill()
                .and_then(|()| process.wait())
                .map_err(BoardError::io("killing the emulator"))?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let output =
        fs::read_to_string(said.path()).map_err(BoardError::io("the emulator's output"))?;
    match status {
        Some(status) if status.success() => Ok(output),
        Some(_) => Err(BoardError::Failed {
            what: format!("the program on {}", machine.name()),
            output,
        }),
        None => Err(BoardError::Failed {
            what: format!("the program on {} did not end and", machine.name()),
            output,
        }),
    }
}

/// Connects to the board's UART, which may have its socket and not listen yet.
pub(super) fn connect(dir: &Path) -> io::Result<UnixStream> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match open(&dir.join(COMMANDS)) {
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionRefused
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Whether an emulator runs in this folder.
pub(super) fn is_running(dir: &Path) -> bool {
    open(&dir.join(CONTROL)).is_ok()
}

/// Whether the emulator in this folder has come so far that its UART can be connected to.
pub(super) fn is_ready(dir: &Path) -> bool {
    is_running(dir) && dir.join(COMMANDS).exists()
}

/// Ends the emulator that runs in this folder, whoever started it, at whatever the board is doing.
pub(super) fn quit(dir: &Path) -> io::Result<()> {
    let Ok(stream) = open(&dir.join(CONTROL)) else {
        return Ok(());
    };
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut answers = BufReader::new(&stream);
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let mut commands = &stream;
    for command in ["qmp_capabilities", "quit"] {
        writeln!(commands, "{{\"execute\": \"{command}\"}}")?;
    }
    // The emulator closes the connection when it ends.
    loop {
        line.clear();
        match answers.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error),
        }
    }
    // It listens for a moment longer; whoever starts the board next must not take it for running.
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_running(dir) {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Connects to a socket, whose path may be longer than the system allows for one.
fn open(socket: &Path) -> io::Result<UnixStream> {
    /// What the shortest limit among Unix systems leaves for the path.
    const LONGEST: usize = 100;
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (Some(dir), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    if socket.as_os_str().len() <= LONGEST {
        return UnixStream::connect(socket);
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let link = std::env::temp_dir().join(format!("sudal-{}-{count}", process::id()));
    symlink(fs::canonicalize(dir)?, &link)?;
    let stream = UnixStream::connect(link.join(name));
    fs::remove_file(&link)?;
    stream
}
