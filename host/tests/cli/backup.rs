//! `sudal backup` and `sudal restore` as a user calls them, from one board to another.

use std::path::Path;
use std::process::{Command, Output};

use sudal::data::Raster;

fn sudal(dir: &Path, board: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .env("SUDAL_BOARD", "host")
        .env("SUDAL_BOARD_DIR", dir.join(board))
        .args(args)
        .output()
        .unwrap()
}

/// Standard output of a call that succeeds.
fn ok(dir: &Path, board: &str, args: &[&str]) -> String {
    let output = sudal(dir, board, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a call that fails says.
fn refused(dir: &Path, board: &str, args: &[&str]) -> String {
    let output = sudal(dir, board, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn one_boards_enrolment_goes_to_others_and_a_damaged_or_foreign_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let [parts, omniglot] = ["parts.sudal", "omniglot.sudal"].map(|name| models.join(name));
    let (parts, omniglot) = (parts.to_str().unwrap(), omniglot.to_str().unwrap());
    for number in 0..6_u8 {
        let pixels = (0..32 * 32).map(|i| (i * (3 + usize::from(number)) % 251) as u8);
        let picture = Raster::new(32, 32, pixels.collect()).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
    ok(dir, "first", &["flash", parts]);
    ok(
        dir,
        "first",
        &["enroll", "--force", "gear", "0.png", "1.png"],
    );
    ok(
        dir,
        "first",
        &["enroll", "--force", "wheel", "2.png", "3.png"],
    );
    ok(dir, "first", &["head", "nearest"]);
    let said = ok(dir, "first", &["backup", "line.sudalbak"]);
    assert!(said.contains("2 classes"), "{said}");
    let verdict = ok(dir, "first", &["classify", "5.png"]);

    for board in ["second", "third"] {
        ok(dir, board, &["flash", parts]);
        assert!(ok(dir, board, &["restore", "line.sudalbak"]).contains("restored 2 classes"));
        ok(dir, board, &["backup", "again.sudalbak"]);
        let [first, again] =
            ["line.sudalbak", "again.sudalbak"].map(|f| std::fs::read(dir.join(f)));
        assert_eq!(first.unwrap(), again.unwrap());
        // All but the time it took.
        let plain = |text: &str| text.split("  (").next().map(str::to_owned);
        let there = ok(dir, board, &["classify", "5.png"]);
        assert_eq!(plain(&there), plain(&verdict));
    }

    // What was taught since is not lost unasked.
    ok(dir, "second", &["enroll", "--force", "gear", "4.png"]);
    let said = refused(dir, "second", &["restore", "line.sudalbak"]);
    assert!(
        said.contains("shots of gear that the backup lacks"),
        "{said}"
    );
    assert!(ok(dir, "second", &["list"]).contains("3 shots"));
    ok(dir, "second", &["restore", "line.sudalbak", "--replace"]);
    assert!(!ok(dir, "second", &["list"]).contains("3 shots"));

    let mut damaged = std::fs::read(dir.join("line.sudalbak")).unwrap();
    damaged[40] ^= 1;
    std::fs::write(dir.join("damaged.sudalbak"), damaged).unwrap();
    let said = refused(dir, "second", &["restore", "damaged.sudalbak"]);
    assert!(said.contains("damaged"), "{said}");

    ok(dir, "second", &["flash", omniglot]);
    let said = refused(dir, "second", &["restore", "line.sudalbak"]);
    assert!(
        said.contains("flash the model of the backup first"),
        "{said}"
    );
    let said = ok(dir, "second", &["info"]);
    assert!(said.contains("2 of them are of other models"), "{said}");
    assert!(ok(dir, "second", &["list"]).contains("of another model"));
    let said = ok(dir, "second", &["backup", "none.sudalbak"]);
    assert!(said.contains("not in it: 2 classes"), "{said}");
}

#[test]
fn a_backup_holds_what_good_frames_taught() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let surfaces = models.join("surfaces.sudal");
    let surfaces = surfaces.to_str().unwrap();
    for number in 0..5_usize {
        let level = |i: usize| 100 + ((i * 7919 + number * 104_729) % 31) as u8;
        let picture = Raster::new(96, 96, (0..96 * 96).map(level).collect()).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
    ok(dir, "first", &["flash", surfaces]);
    let said = ok(dir, "first", &["backup", "empty.sudalbak"]);
    assert!(!said.contains("good frames"), "{said}");
    ok(dir, "first", &["good", "0.png", "1.png", "2.png"]);
    let said = ok(dir, "first", &["backup", "line.sudalbak"]);
    assert!(said.contains("with what 3 good frames taught"), "{said}");
    assert!(!said.contains("not in it"), "{said}");

    ok(dir, "second", &["flash", surfaces]);
    ok(dir, "second", &["good", "4.png"]);
    let said = ok(dir, "second", &["restore", "line.sudalbak", "--json"]);
    assert!(said.contains("\"good_frames\":3"), "{said}");
    let verdict = |board| {
        let said = ok(dir, board, &["classify", "3.png"]);
        said.lines().skip(1).collect::<String>()
    };
    assert_eq!(verdict("second"), verdict("first"));
    let said = ok(dir, "second", &["inspection"]);
    assert!(said.contains("3 good frames"), "{said}");
    let said = ok(dir, "second", &["inspection", "--undo"]);
    assert!(said.contains("1 good frame"), "{said}");
}
