//! Classes are taught again after another model was flashed, and `sudal info` tells of failures, as a
//! user calls both.

mod common;

use std::path::Path;

use common::{json, ok, sudal};
use sudal::data::Gray;
use sudal::device::FileMedium;
use sudal_firmware::device::{Cause, Failure, History};
use sudal_firmware::store::nor::{Nor, SECTOR};

fn model(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn another_model_is_taught_from_the_pictures_that_were_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for number in 0..6_u8 {
        let pixels = (0..32 * 32).map(|i| (i * (3 + usize::from(number)) % 251) as u8);
        let picture = Gray::new(32, 32, pixels.collect()).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
    ok(dir, &["flash", &model("parts.sudal")]);
    ok(
        dir,
        &[
            "enroll", "--force", "gear", "0.png", "1.png", "--keep", "taught",
        ],
    );
    ok(
        dir,
        &["enroll", "--force", "a wheel", "2.png", "--keep", "taught"],
    );
    ok(
        dir,
        &["enroll", "--force", "a wheel", "3.png", "--keep", "taught"],
    );
    ok(dir, &["enroll", "--force", "not kept", "4.png"]);
    // Nothing is enrolled whose pictures can't be kept.
    let refused = sudal(
        dir,
        &["enroll", "--force", "..", "4.png", "--keep", "taught"],
    );
    assert_eq!(refused.status.code(), Some(1));
    let before = ok(dir, &["classify", "5.png"]);

    let said = ok(dir, &["flash", &model("omniglot.sudal")]);
    assert!(said.contains("3 of them are of other models"), "{said}");
    assert!(said.contains("sudal re-enroll"), "{said}");
    // One of the pictures is there already, as after a run that was cut short.
    ok(dir, &["enroll", "--force", "gear", "0.png"]);
    let said = json(dir, &["re-enroll", "taught"]);
    let row = |class: usize, what: &str| said["classes"][class][what].clone();
    assert_eq!(
        (row(0, "name"), row(0, "shots")),
        ("a wheel".into(), 2.into())
    );
    assert_eq!((row(0, "added"), row(1, "added")), (2.into(), 1.into()));
    assert_eq!((row(1, "name"), row(1, "shots")), ("gear".into(), 2.into()));
    assert_eq!(row(1, "others").as_array().unwrap().len(), 1);
    let there = json(dir, &["list"]);
    assert_eq!(there.as_array().unwrap().len(), 5);
    assert_eq!(json(dir, &["classify", "2.png"])[0]["name"], "a wheel");

    // The first model finds what it was taught.
    ok(dir, &["flash", &model("parts.sudal")]);
    let plain = |text: &str| text.split("  (").next().map(str::to_owned);
    assert_eq!(plain(&ok(dir, &["classify", "5.png"])), plain(&before));

    // With `--replace` it gives way, and nothing is added twice.
    ok(dir, &["flash", &model("omniglot.sudal")]);
    let said = ok(dir, &["re-enroll", "taught", "--replace"]);
    assert!(
        said.contains("0 of them new; replaced the one of another model"),
        "{said}"
    );
    let there = json(dir, &["list"]);
    let names: Vec<_> = there
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class["name"].clone())
        .collect();
    assert_eq!(names, ["not kept", "gear", "a wheel"]);
}

#[test]
fn info_tells_of_the_last_failure_until_it_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ok(dir, &["flash", &model("parts.sudal")]);
    assert!(ok(dir, &["info"]).contains("no failure is known"));

    // What a start after a panic leaves.
    let len = 2 * SECTOR;
    let file = FileMedium::open(&dir.join("board/history.bin"), len).unwrap();
    let mut mirror = vec![0; len];
    let flash = Nor::new(&mut mirror, file).unwrap();
    let failure = Failure::new(Cause::Panic, Some(("a.rs", 7)), format_args!("no way on"));
    History::open(flash, Cause::Panic, Some(failure));

    let said = ok(dir, &["info"]);
    assert!(said.contains("panic at a.rs:7: no way on"), "{said}");
    let said = ok(dir, &["info", "--clear"]);
    assert!(said.contains("no way on"), "{said}");
    assert!(ok(dir, &["info"]).contains("no failure is known"));
}
