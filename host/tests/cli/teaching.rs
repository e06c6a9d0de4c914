//! What was taught and will not work is said when it is taught, as a user calls it.

use std::path::Path;

use crate::common::{json, ok, sudal};
use sudal::data::parts;

/// Pictures of parts of different families, `CLASS-NUMBER.png`, on a board with their model.
fn board() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let family = parts::FAMILY as usize;
    let all = parts::dataset(11, 3 * family, 12, (64, 64));
    let data = all.subset(&[0, family, 2 * family]);
    for class in 0..data.classes() {
        for number in 0..data.len(class) {
            let path = dir.join(format!("{class}-{number}.png"));
            data.get(class, number).unwrap().save(&path).unwrap();
        }
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    ok(dir, &["flash", model.to_str().unwrap()]);
    folder
}

fn shots(class: u8, numbers: std::ops::Range<u8>) -> Vec<String> {
    numbers.map(|n| format!("{class}-{n}.png")).collect()
}

fn enroll<'a>(name: &'a str, pictures: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let pictures = pictures.iter().map(String::as_str);
    ["enroll", name]
        .into_iter()
        .chain(pictures)
        .chain(more.iter().copied())
        .collect()
}

/// Why a call was refused.
fn refused(dir: &Path, args: &[&str]) -> String {
    let output = sudal(dir, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_same_files_are_not_taken_under_a_second_name() {
    let folder = board();
    let dir = folder.path();
    let gear = shots(0, 0..5);
    let said = ok(dir, &enroll("gear", &gear, &[]));
    assert!(said.contains("5 of 5 right"), "{said}");
    for picture in &gear {
        let said = refused(dir, &["enroll", "wheel", picture]);
        assert!(said.contains("looks like gear"), "{said}");
    }
    assert_eq!(json(dir, &["list"]).as_array().unwrap().len(), 1);
    // Whoever insists is told at once what that leads to, and later too.
    let said = ok(dir, &enroll("wheel", &gear, &["--force"]));
    assert!(
        said.contains("gear and wheel are not told apart (10 of 10)"),
        "{said}"
    );
    let found = json(dir, &["validate"]);
    assert_eq!((&found["shots"], &found["right"]), (&10.into(), &0.into()));
    assert_eq!(found["confused"][0]["mistaken"], 10);
    let verdict = ok(dir, &["classify", "0-6.png"]);
    assert!(verdict.contains("TOO CLOSE TO CALL"), "{verdict}");
}

#[test]
fn parts_that_differ_are_told_apart_and_nothing_is_said_against_them() {
    let folder = board();
    let dir = folder.path();
    assert!(ok(dir, &["validate"]).contains("no class has two shots"));
    for (class, name) in [(0, "a"), (1, "b"), (2, "c")] {
        ok(dir, &enroll(name, &shots(class, 0..5), &[]));
    }
    let found = json(dir, &["validate"]);
    assert_eq!(found["shots"], 15);
    let none = serde_json::json!([]);
    assert_eq!(
        (&found["confused"], &found["same"]),
        (&none, &none),
        "{found}"
    );
    assert!(found["right"].as_u64().unwrap() >= 14, "{found}");
}

#[test]
fn a_picture_that_repeats_is_refused_and_what_to_do_is_said() {
    let folder = board();
    let dir = folder.path();
    let again = vec!["0-0.png".to_owned(); 5];
    let said = refused(dir, &enroll("gear", &again, &[]));
    assert!(said.contains("move or turn the part"), "{said}");
    ok(dir, &["enroll", "nut", "1-0.png", "1-1.png"]);
    let said = refused(dir, &["enroll", "nut", "1-1.png"]);
    assert!(
        said.contains("1-1.png") && said.contains("--force"),
        "{said}"
    );
    // Forced, the class is named for it.
    let said = ok(
        dir,
        &enroll("same", &vec!["2-0.png".to_owned(); 5], &["--force"]),
    );
    assert!(
        said.contains("the shots of same are all but the same"),
        "{said}"
    );
    assert_eq!(
        json(dir, &["validate"])["same"],
        serde_json::json!(["same"])
    );
}
