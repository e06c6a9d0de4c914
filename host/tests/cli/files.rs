//! Files that the command writes: whole or not at all, at a place that was looked at first.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{json, ok, sudal};
use sudal::data::{Raster, parts};

fn model(name: &str) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    models.join(name).to_str().unwrap().to_owned()
}

/// A call for which no file can grow beyond n kilobytes, as on a disk that gets full.
#[cfg(unix)]
fn on_full_disk(dir: &Path, kilobytes: usize, args: &[&str]) -> Output {
    // POSIX counts blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {} && exec \"$@\"", 2 * kilobytes);
    Command::new("sh")
        .current_dir(dir)
        .env("SUDAL_BOARD", "host")
        .env("SUDAL_BOARD_DIR", dir.join("board"))
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_sudal")])
        .args(args)
        .output()
        .unwrap()
}

/// What it says when it fails.
#[cfg(unix)]
fn fails_on_full_disk(dir: &Path, kilobytes: usize, args: &[&str]) -> String {
    let output = on_full_disk(dir, kilobytes, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    said
}

/// What a call that fails says.
fn refused(dir: &Path, args: &[&str]) -> String {
    let output = sudal(dir, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    said
}

/// Names and contents of the files of a folder.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = files
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn pictures(dir: &Path) {
    let parts = parts::dataset(11, 8, 4, (48, 48));
    for index in 0..4 {
        let path = dir.join(format!("{index}.png"));
        parts.get(0, index).unwrap().save(&path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_every_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir);
    let (parts, omniglot) = (model("parts.sudal"), model("omniglot.sudal"));
    ok(dir, &["flash", &parts]);
    ok(
        dir,
        &[
            "enroll", "--force", "gear", "0.png", "1.png", "2.png", "3.png",
        ],
    );
    ok(dir, &["backup", "line.sudalbak"]);
    ok(dir, &["key", "new", "--sign", "maker.key"]);
    fs::copy(&parts, dir.join("mine.sudal")).unwrap();
    fs::copy(model("omniglot-anil.ckpt"), dir.join("net.ckpt")).unwrap();
    ok(dir, &["export", "net.ckpt"]);
    let before = contents(dir);
    let board = contents(&dir.join("board"));
    for (kilobytes, args) in [
        (0, &["backup", "line.sudalbak"][..]),
        (0, &["backup", "new.sudalbak"]),
        (8, &["sign", "mine.sudal", "--key", "maker.key"]),
        (8, &["export", "net.ckpt"]),
        (8, &["export", "net.ckpt", "--out", "small.ckpt"]),
        (0, &["key", "new", "board.key"]),
        (0, &["key", "new", "--sign", "other.key"]),
        (8, &["flash", &omniglot]),
    ] {
        let said = fails_on_full_disk(dir, kilobytes, args);
        assert!(said.contains("File too large"), "{args:?}: {said}");
        assert!(contents(dir) == before, "{args:?} changed a file");
    }
    // Nor does the board forget its model and what it was taught.
    let model_of = |board: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        let kept = ["model.sudal", "nor.bin", "settings.bin"];
        let files = board
            .iter()
            .filter(|(name, _)| kept.contains(&name.as_str()));
        files.cloned().collect()
    };
    let now = contents(&dir.join("board"));
    assert!(model_of(&now) == model_of(&board));
    assert_eq!(json(dir, &["list"])[0]["shots"], 4);
}

#[cfg(unix)]
#[test]
fn a_board_that_a_full_disk_left_half_made_is_made_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir);
    let parts = model("parts.sudal");
    // Room for the image, but for no flash; then for that, but not for the slots.
    for kilobytes in [100, 300] {
        fails_on_full_disk(dir, kilobytes, &["flash", &parts]);
    }
    ok(dir, &["flash", &parts]);
    ok(dir, &["enroll", "--force", "gear", "0.png"]);
    // As an older version left them.
    for (name, len) in [
        ("slot-b.bin", 12_345),
        ("slot-a.bin", 0),
        ("history.bin", 1),
    ] {
        fs::write(dir.join("board").join(name), vec![0xff; len]).unwrap();
        ok(dir, &["info"]);
    }
    assert_eq!(json(dir, &["list"])[0]["name"], "gear");
    let nor = dir.join("board/nor.bin");
    let whole = fs::read(&nor).unwrap();
    fs::write(&nor, &whole[..whole.len() / 2]).unwrap();
    let said = refused(dir, &["info"]);
    assert!(
        said.contains("nor.bin") && said.contains("move it away"),
        "{said}"
    );
    assert_eq!(fs::read(&nor).unwrap(), whole[..whole.len() / 2]);
    fs::write(&nor, &whole).unwrap();
    assert_eq!(json(dir, &["list"])[0]["name"], "gear");
}

#[test]
fn a_place_that_can_not_be_written_is_refused_before_the_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fs::write(dir.join("file"), b"no folder").unwrap();
    Raster::new(8, 8, vec![7; 64])
        .unwrap()
        .save(&dir.join("a.png"))
        .unwrap();
    let (image, onnx) = (model("parts.sudal"), model("parts.onnx"));
    let (image, onnx) = (image.as_str(), onnx.as_str());
    // The data is not there either: whoever looks at that first says so.
    for args in [
        &["train", "--out", "file/x"][..],
        &["train", "--resume", "--out", "file/x"],
        &["tune", "--out", "file/x"],
        &["convert", onnx, "--out", "file/x"],
        &["whiten", onnx, "--out", "file/x"],
        &["calibrate", image, "--out", "file/x"],
        &["sweep", image, "--out", "file/x"],
        &["explain", image, "--out", "file/x"],
        &["openset", image, "--plot", "file/x.png"],
    ] {
        let said = refused(dir, &[args, &["--data", "nowhere"]].concat());
        assert!(
            said.contains("file") && !said.contains("nowhere"),
            "{args:?}: {said}"
        );
    }
    for args in [
        &[
            "bench",
            "omniglot",
            "--data",
            "nowhere",
            "--roc",
            "file/x.png",
        ][..],
        &["profile", image, "--out", "file/x.png"],
        &["demo", "--board", "host", "--out", "file"],
        &["backup", "file/x"],
        &["capture", "--out", "file/x.png"],
        &["flash", image, "--board", "openmv-h7", "--out", "file/x"],
        &["export", "missing.ckpt", "--out", "file/x"],
    ] {
        let said = refused(dir, args);
        assert!(
            !said.contains("nowhere") && !said.contains("flashed yet"),
            "{args:?}: {said}"
        );
    }
    let mut left = contents(dir);
    left.retain(|(name, _)| name != "file" && name != "a.png");
    assert!(left.is_empty(), "{left:?}");
}
