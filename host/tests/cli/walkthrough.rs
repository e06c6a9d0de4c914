//! README's way "From unboxing to inspecting", word for word on the emulated board.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const HEADING: &str = "\n## From unboxing to inspecting\n";

/// The commands of the section, in order.
fn commands() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, section) = readme.split_once(HEADING).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// A folder like the project's, with a board that is switched off in the end.
struct Bench(TempDir);

impl Bench {
    fn run(&self, script: &str) -> std::process::Output {
        let program = Path::new(env!("CARGO_BIN_EXE_sudal"));
        let mut path = program.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        Command::new("bash")
            .args(["-euc", script])
            .current_dir(self.0.path())
            .env("PATH", path)
            .env("SUDAL_STATE", self.0.path().join("state"))
            .env_remove("SUDAL_BOARD")
            .env_remove("SUDAL_BOARD_DIR")
            .env_remove("SUDAL_PORT")
            .output()
            .unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.run("sudal stop");
    }
}

#[test]
fn the_way_from_unboxing_to_inspecting_works_word_for_word() {
    let bench = Bench(tempfile::tempdir().unwrap());
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    symlink(
        models.canonicalize().unwrap(),
        bench.0.path().join("models"),
    )
    .unwrap();
    let script = commands();
    assert!(script.lines().count() > 8, "{script}");
    let output = bench.run(&script);
    let (said, steps) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{said}");
    assert!(output.status.success(), "{said}\n{steps}");
    assert!(said.contains("PASS") && !said.contains("FAIL"), "{said}");

    // "parts/0004-nut/06.png: nut  0004-nut 0.9  ...": the folder of the class says what the nearest,
    // behind the verdict, should be.
    let answers: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once(".png: "))
        .map(|(picture, answer)| {
            let folder = picture.split('/').nth(1).unwrap();
            let nearest = answer.split("  ").nth(1).unwrap();
            let (name, _distance) = nearest.rsplit_once(' ').unwrap();
            (folder.to_owned(), name.to_owned())
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
