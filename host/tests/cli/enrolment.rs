//! Classes are taught again after another model was flashed, and `sudal info` tells of failures, as a
//! user calls both.

use std::path::Path;

use crate::common::{json, ok, sudal};
use sudal::data::Raster;
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
        let picture = Raster::new(32, 32, pixels.collect()).unwrap();
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
    assert_eq!(
        json(dir, &["classify", "2.png"])["results"][0]["nearest"]["name"],
        "a wheel"
    );

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

/// What the board keeps, as bytes.
fn kept(dir: &Path) -> Vec<u8> {
    ok(dir, &["backup", "kept.sudalbak"]);
    std::fs::read(dir.join("kept.sudalbak")).unwrap()
}

#[test]
fn all_pictures_of_an_enrolment_are_taken_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let parts = sudal::data::parts::dataset(4, 24, 4, (64, 64));
    for number in 0..24 {
        let picture = parts.get(number, 0).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
    let black = Raster::new(64, 64, vec![0; 64 * 64]).unwrap();
    black.save(&dir.join("black.png")).unwrap();
    std::fs::write(
        dir.join("cut.png"),
        &std::fs::read(dir.join("0.png")).unwrap()[..500],
    )
    .unwrap();
    ok(dir, &["flash", &model("parts.sudal")]);
    ok(dir, &["head", "memory"]);
    ok(dir, &["enroll", "--force", "gear", "0.png", "1.png"]);
    ok(dir, &["role", "gear", "good"]);
    ok(dir, &["enroll", "--force", "nut", "8.png", "9.png"]);
    let before = kept(dir);
    let more: Vec<_> = (2..23).map(|number| format!("{number}.png")).collect();
    let more: Vec<_> = more.iter().map(String::as_str).collect();
    for (name, pictures, says) in [
        ("gear", &["2.png", "3.png", "black.png"][..], "black.png"),
        ("new", &["2.png", "3.png", "black.png"], "black.png"),
        ("gear", &["2.png", "cut.png"], "cut.png"),
        // More than the class has room for, and than any class has.
        ("gear", &more[..19], "full"),
        ("new", &more, "21 pictures"),
        // Nor is any taken that does not fit.
        ("nut", &["0.png", "1.png"], "0.png looks like gear"),
    ] {
        let force = if says.contains("looks") {
            &[][..]
        } else {
            &["--force"]
        };
        let enroll = ["enroll", name, "--keep", "taught"];
        let output = sudal(dir, &[&enroll[..], force, pictures].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{pictures:?}: {said}");
        assert!(said.contains(says), "{says}: {said}");
        assert!(kept(dir) == before, "{name} {pictures:?} changed the board");
        let files = std::fs::read_dir(dir.join("taught").join(name));
        assert_eq!(files.map_or(0, Iterator::count), 0, "{name}");
    }
}

#[test]
fn a_class_of_another_model_is_replaced_when_the_new_one_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let parts = sudal::data::parts::dataset(4, 2, 2, (64, 64));
    std::fs::create_dir_all(dir.join("taught/gear")).unwrap();
    let picture = dir.join("taught/gear/0.png");
    parts.get(0, 0).unwrap().save(&picture).unwrap();
    ok(dir, &["flash", &model("parts.sudal")]);
    ok(dir, &["enroll", "--force", "gear", "taught/gear/0.png"]);
    ok(dir, &["flash", &model("omniglot.sudal")]);
    let before = json(dir, &["list"]);
    let black = Raster::new(64, 64, vec![0; 64 * 64]).unwrap();
    black.save(&dir.join("taught/gear/1.png")).unwrap();
    let output = sudal(dir, &["re-enroll", "taught", "--replace"]);
    assert_eq!(output.status.code(), Some(1));
    let there = json(dir, &["list"]);
    assert_eq!(there[0], before[0], "{there}");
}

#[test]
fn a_name_is_one_however_it_is_written_and_steers_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let parts = sudal::data::parts::dataset(4, 1, 4, (64, 64));
    for number in 0..4 {
        let picture = parts.get(0, number).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
    ok(dir, &["flash", &model("parts.sudal")]);
    let names = [
        "부품",
        "\u{1107}\u{116e}\u{1111}\u{116e}\u{11b7}",
        " 부\u{200b}품 ",
        "부품\t",
    ];
    for (number, name) in names.iter().enumerate() {
        let picture = format!("{number}.png");
        let enrolled = json(dir, &["enroll", "--force", name, &picture]);
        assert_eq!(enrolled["shots"], number + 1, "{name:?}");
    }
    ok(dir, &["role", names[1], "good"]);
    // Sixty-three bytes of Hangul, and a name that would clear the screen.
    let long = "가나다라마바사아자차카타파하거너더러머버서";
    ok(dir, &["rename", names[2], long]);
    ok(dir, &["enroll", "--force", "a\u{1b}[2J\u{9b}m", "0.png"]);
    let listed = ok(dir, &["list"]);
    assert!(
        listed.contains(long) && listed.contains("[good]"),
        "{listed}"
    );
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let missing = sudal(dir, &["classify", "\u{1b}[2J.png"]);
    for text in [listed.into_bytes(), missing.stderr, missing.stdout] {
        let text = String::from_utf8(text).unwrap();
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n'),
            "{text:?}"
        );
    }
    for (name, says) in [
        ("\u{200b}", "can be seen"),
        (&*"가".repeat(40), "32 of its 40"),
    ] {
        let output = sudal(dir, &["enroll", name, "0.png"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(1) && said.contains(says),
            "{said}"
        );
    }
}

#[test]
fn info_tells_of_the_last_failure_until_it_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ok(dir, &["flash", &model("parts.sudal")]);
    let said = ok(dir, &["info"]);
    assert!(said.contains("no failure is known"), "{said}");
    // In words, not as a program's structure.
    assert!(
        said.contains("0 frames, of which 0 were classified"),
        "{said}"
    );
    assert!(!said.contains(['{', '}', '_', '"']), "{said}");

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
