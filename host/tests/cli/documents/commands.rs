//! Every command in the documents: those in blocks of `sh` run, page by page, in a folder like the
//! project's; those that can't run here, and those in lines and tables, are taken by the program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::markdown::{self, Document, root};

/// How a block begins that the tests don't run.
const MARK: &str = "# not run by the tests: ";

/// What `sudal` and `cargo` are while a page runs: a server ends by Ctrl-C, the demo leaves out the emulated
/// board, which other tests show, and the program is built.
const RUN: &str = r#"
sudal() {
    if [ "$1" = demo ]; then command sudal "$@" --board host
    elif [ "$1" != serve ]; then command sudal "$@"
    elif [ "$BASHPID" != "$$" ]; then exec sudal "$@"
    elif [[ " $* " == *" --listen "* ]]; then timeout --preserve-status --signal=INT 5 sudal "$@"
    else timeout --preserve-status --signal=INT 5 sudal "$@" --listen 127.0.0.1:0
    fi
}
cargo() {
    case "$*" in
        "run --release -- "*) shift 3; sudal "$@" ;;
        demo*) sudal "$@" ;;
        "install --path host"*) ;;
        *) echo "the tests do not know cargo $*" >&2; return 1 ;;
    esac
}
"#;

/// What they are where a command is only looked at: `--help` ends the program where all before it is
/// understood. Other programs are not there.
const LOOK: &str = r#"
set -f +eu
sudal() { command sudal "$@" --help >/dev/null 2>said || echo "sudal $*: $(<said)"; }
cargo() { if [ "$1 $2 $3" = "run --release --" ]; then shift 3; sudal "$@"; fi; }
command_not_found_handle() { return 0; }
"#;

/// Data sets as the documents call them.
const DATA: [&str; 5] = [
    "omniglot",
    "x-sdd/x-sdd.zip",
    "inspection/figures.zip",
    "inspection/solar-poly.zip",
    "inspection/piped.zip",
];

/// A folder like the project's, with boards that are switched off in the end.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    /// With models, and the data sets that are there.
    pub(crate) fn new() -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        let dir = workspace.0.path();
        // Copies: some commands write over a model.
        fs::create_dir(dir.join("models")).unwrap();
        for entry in fs::read_dir(root().join("models")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), dir.join("models").join(entry.file_name())).unwrap();
        }
        let data = std::env::var_os("SUDAL_DATA")
            .map_or_else(|| root().join("../shared/data"), std::path::PathBuf::from);
        for set in DATA {
            let path = data.join(set);
            if path.exists() {
                symlink(&path, dir.join(path.file_name().unwrap())).unwrap();
            }
        }
        workspace
    }

    fn bash(&self, script: &str, path: &Path) -> Output {
        let mut command = Command::new("/bin/bash");
        command.args(["-euc", script]).current_dir(self.0.path());
        for name in ["SUDAL_BOARD", "SUDAL_BOARD_DIR", "SUDAL_PORT", "SUDAL_KEY"] {
            command.env_remove(name);
        }
        command
            .env("PATH", path)
            .env("SUDAL_STATE", self.0.path().join("state"))
            .output()
            .unwrap()
    }

    /// Runs a script.
    pub(crate) fn run(&self, script: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_sudal"));
        let mut path = program.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        self.bash(&format!("{RUN}{script}"), Path::new(&path))
    }

    /// What the program does not understand of a script.
    pub(crate) fn look(&self, script: &str) -> String {
        let only = self.0.path().join("bin");
        if !only.exists() {
            fs::create_dir(&only).unwrap();
            symlink(env!("CARGO_BIN_EXE_sudal"), only.join("sudal")).unwrap();
        }
        let output = self.bash(&format!("{LOOK}{script}\ntrue"), &only);
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            said.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        said
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.run("sudal stop --board emulator");
    }
}

/// Runs what a page says, in order, but for n blocks; what was printed.
fn follow(page: &str, marked: usize) -> String {
    let document = Document::open(&root().join(page));
    let blocks = document.blocks("sh");
    let (left, run): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block.starts_with(MARK));
    assert_eq!(left.len(), marked, "{page}: blocks that begin by {MARK:?}");
    let workspace = Workspace::new();
    for block in left {
        let said = workspace.look(block);
        assert!(said.is_empty(), "{page}: {block}{said}");
    }
    let script: String = run.into_iter().map(String::as_str).collect();
    let output = workspace.run(&script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let steps = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "{page}: {script}\n{said}\n{steps}");
    said
}

/// A test for each page with blocks of commands, and how many of these are marked.
macro_rules! pages {
    ($($name:ident $page:literal $marked:literal)*) => {
        $(#[test]
        fn $name() {
            follow($page, $marked);
        })*
        const PAGES: &[&str] = &[$($page),*];
    };
}

pages! {
    the_readme "README.md" 0
    access "host/docs/access.md" 0
    boards "host/docs/boards.md" 5
    budget "firmware/docs/budget.md" 1
    camera "host/docs/camera.md" 0
    c "firmware/docs/c.md" 1
    contributing "host/docs/contributing.md" 1
    decisions "host/docs/decisions.md" 0
    fleet "host/docs/fleet.md" 2
    http "host/docs/http.md" 0
    inspection "host/docs/inspection.md" 0
    page "host/docs/page.md" 0
    plc "host/docs/plc.md" 0
    training "host/docs/training.md" 4
}

/// The page whose answers are looked at, too.
const GUIDE: &str = "host/docs/guide.md";

#[test]
fn every_page_with_commands_is_followed() {
    for document in markdown::all() {
        let page = document.name();
        let is_page = page == "README.md" || page.contains("/docs/");
        let followed = PAGES.contains(&&*page) || page == GUIDE;
        if is_page && !document.blocks("sh").is_empty() {
            assert!(followed, "the commands of {page} are not run");
        }
    }
}

#[test]
fn the_program_takes_every_command_in_a_line_or_table() {
    let workspace = Workspace::new();
    let mut count = 0;
    let mut script = String::new();
    for document in markdown::all() {
        for code in document
            .code()
            .iter()
            .filter(|code| code.starts_with("sudal "))
        {
            count += 1;
            script.push_str(&format!("{code} || true\n"));
        }
    }
    let said = workspace.look(&script);
    assert!(said.is_empty(), "{said}");
    println!("{count} commands");
    assert!(count > 100, "{count}");
}

#[test]
fn a_command_that_the_program_does_not_take_is_found() {
    let workspace = Workspace::new();
    let wrong = "sudal classify a.png --no-such-option\nsudal no-such-command\nsudal list\n";
    let said = workspace.look(wrong);
    assert!(
        said.contains("--no-such-option") && said.contains("no-such-command"),
        "{said}"
    );
    assert!(!said.contains("sudal list"), "{said}");
}

#[test]
fn the_way_from_unboxing_to_inspecting_works_word_for_word() {
    let said = follow(GUIDE, 0);
    assert!(said.contains("PASS") && !said.contains("FAIL"), "{said}");

    // "parts/0004-nut/06.png: nut  0004-nut 0.9  ...": the folder of the class says what the nearest,
    // behind the verdict, should be.
    let answers: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once(".png: "))
        .filter_map(|(picture, answer)| {
            let folder = picture.strip_prefix("parts/")?.split('/').next()?;
            let nearest = answer.split("  ").nth(1)?;
            let (name, _distance) = nearest.rsplit_once(' ')?;
            Some((folder.to_owned(), name.to_owned()))
        })
        .collect();
    assert!(answers.len() >= 24, "{said}");
    let right = answers
        .iter()
        .filter(|(folder, name)| folder.ends_with(name.as_str()));
    let right = right.count();
    println!("{right} of {} answers are right", answers.len());
    assert!(10 * right >= 9 * answers.len(), "{answers:?}");
}

#[test]
fn the_readme_is_short() {
    let readme = Document::open(&root().join("README.md"));
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "{lines} lines");
}

/// `cargo demo` is the demo in a build that leaves out what it does not need; `cargo run` names no
/// program and takes this one.
#[test]
fn cargo_knows_the_demo_and_which_program_is_meant() {
    let cargo = |args: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let commands = cargo(&["--list"]);
    let demo = commands
        .lines()
        .find(|line| line.trim_start().starts_with("demo "));
    assert!(demo.is_some_and(|demo| demo.contains("--no-default-features -- demo")));

    let metadata: serde_json::Value = serde_json::from_str(&cargo(&[
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version=1",
    ]))
    .unwrap();
    let default = metadata["workspace_default_members"].as_array().unwrap();
    let programs: Vec<_> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| default.contains(&package["id"]))
        .filter_map(|package| package["default_run"].as_str())
        .collect();
    assert_eq!(programs, ["sudal"]);
}
