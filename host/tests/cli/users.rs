//! `sudal users`: who may use the page.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn users(file: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .arg("users")
        .args(args)
        .arg("--file")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn users_are_added_listed_and_removed_and_no_password_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/users.json");
    let none = users(&file, &["list"], "");
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("users.json"), "{none:?}");
    // Where none is named and nobody was added yet, that is said.
    let nobody = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .args(["users", "list"])
        .env("SUDAL_STATE", dir.path())
        .output()
        .unwrap();
    assert!(nobody.status.success(), "{nobody:?}");
    assert!(
        text(&nobody.stdout).contains("sudal users add"),
        "{nobody:?}"
    );

    let added = users(
        &file,
        &["add", "김 반장", "--role", "teach"],
        "correct horse\n",
    );
    assert!(added.status.success(), "{added:?}");
    let kept = fs::read(&file).unwrap();
    assert!(!text(&kept).contains("correct horse"));
    for (args, input, why) in [
        (
            &["add", "kim", "--role", "teach"][..],
            "short\n",
            "8 to 128",
        ),
        (
            &["add", "", "--role", "teach"],
            "correct horse\n",
            "1 to 64",
        ),
        (
            &["add", "김 반장", "--role", "watch"],
            "correct horse\n",
            "--replace",
        ),
        (&["remove", "kim"], "", "there is no user"),
    ] {
        let refused = users(&file, args, input);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(text(&refused.stderr).contains(why), "{refused:?}");
        assert_eq!(fs::read(&file).unwrap(), kept, "{args:?}");
    }
    // A password is no argument, and a role is one of three.
    for wrong in [
        &["add", "kim", "--role", "teach", "correct horse"][..],
        &["add", "kim", "--role", "king"],
        &["add", "kim"],
    ] {
        assert_eq!(
            users(&file, wrong, "correct horse\n").status.code(),
            Some(2)
        );
    }
    let replaced = users(
        &file,
        &[
            "add",
            "김 반장",
            "--role",
            "administer",
            "--replace",
            "--json",
        ],
        "another horse\r\n",
    );
    let told: serde_json::Value = serde_json::from_slice(&replaced.stdout).unwrap();
    assert_eq!(told["name"], "김 반장");
    let listed = users(&file, &["list", "--json"], "");
    let told: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        told["users"],
        serde_json::json!([{ "name": "김 반장", "role": "administer" }])
    );
    assert!(users(&file, &["remove", "김 반장"], "").status.success());
    assert!(text(&users(&file, &["list"], "").stdout).trim().is_empty());
}
