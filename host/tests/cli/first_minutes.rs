//! The first five minutes and the first own part, as somebody who never saw the program calls it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::common::{json, ok, sudal};
use sudal::data::{Raster, parts};
use sudal::models::SHIPPED;

/// A call with no board named, as after installing; what boards keep is in `dir`.
fn fresh(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .env("SUDAL_STATE", dir.join("state"))
        .env_remove("SUDAL_BOARD")
        .env_remove("SUDAL_BOARD_DIR")
        .env_remove("SUDAL_PORT")
        .args(args)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Pictures of parts of different families: `FOLDER/CLASS/NUMBER.png`.
fn own(folder: &Path, classes: &[&str], each: usize) {
    let family = parts::FAMILY as usize;
    let data = parts::dataset(11, classes.len() * family, each, (80, 64));
    for (class, name) in classes.iter().enumerate() {
        fs::create_dir_all(folder.join(name)).unwrap();
        for number in 0..each {
            let path = folder.join(name).join(format!("{number:02}.png"));
            data.get(class * family, number)
                .unwrap()
                .save(&path)
                .unwrap();
        }
    }
}

/// What the board keeps, as bytes.
fn kept(dir: &Path) -> Vec<u8> {
    let file = dir.join("kept.sudalbak");
    ok(dir, &["backup", "kept.sudalbak"]);
    fs::read(file).unwrap()
}

fn classes(dir: &Path) -> Vec<(String, u64)> {
    let listed = json(dir, &["list"]);
    let classes = listed.as_array().unwrap().iter();
    classes
        .map(|class| {
            let name = class["name"].as_str().unwrap().to_owned();
            (name, class["shots"].as_u64().unwrap())
        })
        .collect()
}

fn refused(dir: &Path, args: &[&str]) -> String {
    let output = sudal(dir, args);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{args:?}: {}",
        stderr(&output)
    );
    stderr(&output)
}

#[test]
fn the_host_s_board_and_named_models_are_there_in_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let output = fresh(dir, &["list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("sudal models"),
        "{}",
        stderr(&output)
    );
    let output = fresh(dir, &["flash", "parts"]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    let lines = said.lines().filter(|line| line.starts_with("board: host"));
    assert_eq!(lines.count(), 1, "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("model parts"));
    let quiet = fresh(dir, &["list", "--quiet"]);
    assert_eq!(
        (quiet.status.code(), stderr(&quiet)),
        (Some(0), String::new())
    );
    let verbose = stderr(&fresh(dir, &["list", "-v"]));
    assert!(verbose.contains(" s] board host in "), "{verbose}");
    let boards = fresh(dir, &["boards", "--json"]);
    let boards: serde_json::Value = serde_json::from_slice(&boards.stdout).unwrap();
    assert_eq!(
        (
            &boards[0]["name"],
            &boards[0]["default"],
            &boards[0]["model"]
        ),
        (&"host".into(), &true.into(), &"parts".into())
    );
    assert_eq!(boards[1]["name"], "emulator");

    // A file goes before a name.
    fs::write(dir.join("surfaces"), b"no model").unwrap();
    assert!(!fresh(dir, &["flash", "surfaces"]).status.success());
    for (args, says) in [
        (&["flash", "part"][..], "did you mean parts?"),
        (
            &["flash", "elsewhere/omniglot.sudal"],
            "did you mean omniglot?",
        ),
        (&["eval", "surface"], "did you mean surfaces?"),
        (
            &["flash", "parts", "--board", "emulater"],
            "did you mean emulator?",
        ),
        (&["calibrate", "parts"], "--out FILE"),
        (&["list", "--port", "/dev/tty-of-no-board"], "plugged in"),
        (&["list", "--board", "/dev/tty-of-no-board"], "plugged in"),
    ] {
        let output = fresh(dir, args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
    }
}

#[test]
fn a_folder_is_taught_with_one_command_to_a_new_board() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    own(&dir.join("own"), &["cam", "gear", "nut"], 8);
    fs::write(dir.join("own/nut/notes.txt"), "").unwrap();
    let output = sudal(dir, &["teach", "own", "--shots", "5"]);
    let (said, steps) = (String::from_utf8_lossy(&output.stdout), stderr(&output));
    assert!(output.status.success(), "{steps}");
    assert!(
        steps.contains("3 classes, 24 pictures") && steps.contains("nut/notes.txt"),
        "{steps}"
    );
    assert!(steps.contains("the board has no model"), "{steps}");
    assert!(said.contains("from 8 pictures spread evenly"), "{said}");
    let five = |names: &[&str]| -> Vec<(String, u64)> {
        names.iter().map(|name| ((*name).to_owned(), 5)).collect()
    };
    assert_eq!(classes(dir), five(&["cam", "gear", "nut"]));
    // A picture that was not taught is found.
    let verdict = json(dir, &["classify", "own/gear/01.png"]);
    assert_eq!(verdict["results"][0]["nearest"]["name"], "gear");
    let all = json(dir, &["classify", "own/gear"]);
    assert_eq!(all["results"].as_array().unwrap().len(), 8);

    // Nothing is taught twice, or over what is there, unasked.
    let before = kept(dir);
    let said = refused(dir, &["teach", "own"]);
    assert!(
        said.contains("--replace") && said.contains("cam, gear, nut"),
        "{said}"
    );
    assert!(kept(dir) == before);
    let added = json(dir, &["teach", "own/gear", "--add", "--shots", "2"]);
    assert_eq!(added["classes"][0]["shots"], 7, "{added}");
    json(dir, &["teach", "own/gear", "--replace", "--shots", "3"]);
    assert!(classes(dir).contains(&("gear".to_owned(), 3)));
    let said = ok(dir, &["enroll", "toothed wheel", "own/gear", "--force"]);
    assert!(said.contains("toothed wheel: 8 shots"), "{said}");
    let said = refused(dir, &["enroll", "all", "own"]);
    assert!(said.contains("sudal teach"), "{said}");
}

#[test]
fn all_of_a_folder_is_taught_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    own(&dir.join("own"), &["cam", "gear"], 6);
    ok(dir, &["flash", "parts"]);
    ok(dir, &["teach", "own/cam", "--shots", "2"]);
    let before = kept(dir);

    let spoil = |name: &str, bytes: &[u8]| {
        let path = dir.join("own/gear").join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    // Each that can't be read is named, before anything is changed.
    let whole = fs::read(dir.join("own/gear/00.png")).unwrap();
    let cut = [spoil("98.png", &whole[..200]), spoil("99.png", b"text")];
    let said = refused(dir, &["teach", "own", "--replace"]);
    assert!(said.contains("98.png") && said.contains("99.png"), "{said}");
    assert!(kept(dir) == before);
    cut.iter().for_each(|path| fs::remove_file(path).unwrap());
    // One that the board refuses, the last of all, in a class that is new, after one that was replaced.
    let black = dir.join("own/gear/97.png");
    Raster::new(64, 64, vec![0; 64 * 64])
        .unwrap()
        .save(&black)
        .unwrap();
    for how in ["--replace", "--add"] {
        let said = refused(dir, &["teach", "own", how]);
        assert!(
            said.contains("97.png") && said.contains("nothing was taught"),
            "{said}"
        );
        assert!(kept(dir) == before, "{how}");
    }
    // Nor does a model change for it.
    let said = refused(dir, &["teach", "own", "--add", "--model", "surfaces"]);
    assert!(said.contains("97.png"), "{said}");
    assert!(kept(dir) == before);
    assert_eq!(json(dir, &["info"])["info"]["model"]["name"], "parts");
    fs::remove_file(&black).unwrap();
    let copy = dir.join("own/gear/01 again.png");
    fs::copy(dir.join("own/gear/01.png"), &copy).unwrap();
    let said = refused(dir, &["teach", "own/gear", "--strict"]);
    assert!(said.contains("all but the same"), "{said}");
    assert!(kept(dir) == before);
    let taught = json(dir, &["teach", "own/gear"]);
    assert_eq!(taught["unfit"].as_array().unwrap().len(), 1, "{taught}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_all_of_it_taught_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let names: Vec<String> = (0..12).map(|class| format!("class {class:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    own(&dir.join("own"), &names, 20);
    ok(dir, &["flash", "parts"]);
    let before = kept(dir);
    let mut stopped = 0;
    for wait in [120, 250, 400, 600, 900] {
        let teaching = Command::new(env!("CARGO_BIN_EXE_sudal"))
            .current_dir(dir)
            .env("SUDAL_BOARD", "host")
            .env("SUDAL_BOARD_DIR", dir.join("board"))
            .args(["teach", "own"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let pid = teaching.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        let output = teaching.wait_with_output().unwrap();
        if output.status.success() {
            assert_eq!(classes(dir).len(), 12);
            ok(dir, &["reset", "--yes"]);
        } else {
            // By the signal where it came before the program listened.
            let code = output.status.code();
            assert!(matches!(code, Some(130) | None), "{}", stderr(&output));
            stopped += usize::from(code == Some(130));
            assert!(kept(dir) == before, "after {wait} ms");
        }
    }
    println!("{stopped} of 5 were stopped while they taught");
}

fn zipped(from: &Path, to: &Path) {
    let mut zip = zip::ZipWriter::new(fs::File::create(to).unwrap());
    let mut folders: Vec<PathBuf> = fs::read_dir(from)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(from)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            std::io::Write::write_all(&mut zip, &fs::read(&path).unwrap()).unwrap();
        }
    }
    zip.finish().unwrap();
}

#[test]
fn own_pictures_are_checked_and_what_to_take_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    own(&dir.join("own"), &["cam", "gear", "nut"], 6);
    let found = json(dir, &["check", "own", "--out", "check.png"]);
    assert_eq!(found["trial"], "leave-one-out");
    assert_eq!(
        found["tried"].as_array().unwrap().len(),
        4 * SHIPPED.len(),
        "each model, four heads"
    );
    assert!(
        found["best"]["accuracy"].as_f64().unwrap() > 0.8,
        "{}",
        found["best"]
    );
    let asked: u64 = found["best"]["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(asked, 18);
    assert!(dir.join("check.png").exists());
    let text = ok(dir, &["check", "own", "--model", "parts"]);
    assert!(
        text.contains("take parts") && text.contains("sudal teach own --model parts"),
        "{text}"
    );
    // A zip is checked as the folder is; more shots than there are pictures are refused.
    zipped(&dir.join("own"), &dir.join("own.zip"));
    let by_zip = json(dir, &["check", "own.zip"]);
    assert_eq!(by_zip["best"], found["best"]);
    let drawn = json(dir, &["check", "own", "--shots", "3", "--draws", "10"]);
    assert_eq!(drawn["trial"]["drawn"]["shots"], 3, "{}", drawn["trial"]);
    assert!(refused(dir, &["check", "own", "--shots", "6"]).contains("6 pictures"));
    assert!(refused(dir, &["check", "own/nut/00.png"]).contains("is a file"));
    assert!(refused(dir, &["check", "nowhere"]).contains("does not exist"));

    // The same part under two names is told apart by nobody.
    fs::create_dir(dir.join("own/wheel")).unwrap();
    for number in 0..6 {
        let from = dir.join(format!("own/gear/{number:02}.png"));
        fs::copy(from, dir.join(format!("own/wheel/{number:02}.png"))).unwrap();
    }
    let found = json(dir, &["check", "own"]);
    let hopeless: Vec<_> = found["hopeless"].as_array().unwrap().iter().collect();
    assert!(
        hopeless.contains(&&"gear".into()) || hopeless.contains(&&"wheel".into()),
        "{found}"
    );
    assert_eq!(
        found["confused"][0]["classes"],
        serde_json::json!(["gear", "wheel"])
    );
    let text = ok(dir, &["check", "own"]);
    assert!(text.contains("gear and wheel are not told apart"), "{text}");
    assert!(
        text.contains("hopeless") && text.contains("closer"),
        "{text}"
    );
}

#[test]
fn good_and_flawed_parts_lead_to_inspection() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    own(&dir.join("nut/train"), &["good"], 4);
    own(&dir.join("nut/test"), &["good", "bent"], 2);
    let text = ok(dir, &["check", "nut"]);
    for says in [
        "4 good parts to show",
        "sudal inspect surfaces --data nut",
        "sudal good nut/train/good",
        "commission",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let found = json(dir, &["check", "nut"]);
    assert_eq!(found["products"], serde_json::json!(["nut"]));
    let said = refused(dir, &["teach", "nut"]);
    assert!(said.contains("sudal good"), "{said}");
    // One class alone, too; and the folder can be shown as it is.
    let text = ok(dir, &["check", "nut/train"]);
    assert!(
        text.contains("there is one class, good") && text.contains("sudal good nut/train"),
        "{text}"
    );
    ok(dir, &["flash", "surfaces"]);
    let shown = ok(dir, &["good", "nut/train/good"]);
    assert!(shown.contains("4 good frames"), "{shown}");
}

#[test]
fn real_defects_are_checked_and_taught_from_their_zip() {
    let root = std::env::var_os("SUDAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let zip = root.join("x-sdd/x-sdd.zip");
    if !zip.exists() {
        println!("skipped: no {} (set SUDAL_DATA)", zip.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let zip = zip.to_str().unwrap();
    let found = json(dir, &["check", zip, "--pictures", "20", "--draws", "10"]);
    assert_eq!(found["best"]["model"], "world", "{}", found["best"]);
    assert!(
        found["best"]["accuracy"].as_f64().unwrap() > 0.7,
        "{}",
        found["best"]
    );
    let taught = json(dir, &["teach", zip, "--model", "surfaces", "--shots", "5"]);
    assert_eq!(taught["separation"]["shots"], 35);
    assert_eq!(classes(dir).len(), 7);
}

#[test]
fn the_demo_ends_in_plain_words_with_and_without_an_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let small = "demo --classes 2 --shots 2 --queries 2 --out out".split(' ');
    let small: Vec<&str> = small.collect();
    // Nothing but the program: no compiler, no emulator.
    let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .env("SUDAL_STATE", dir.join("state"))
        .env("PATH", dir)
        .env_remove("SUDAL_BOARD")
        .args(&small)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", stderr(&output));
    for says in [
        "right,",
        "not sure,",
        "in this process",
        "--board emulator",
        "sudal check FOLDER",
        "sudal teach FOLDER",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    let sheet = image::image_dimensions(dir.join("out/contact-sheet.png")).unwrap();
    assert_eq!(sheet.0, 1660, "twice a README's column");

    let emulated = fresh(
        dir,
        &[&small[..], &["--json", "--board", "emulator"]].concat(),
    );
    assert!(emulated.status.success(), "{}", stderr(&emulated));
    let report: serde_json::Value = serde_json::from_slice(&emulated.stdout).unwrap();
    assert_eq!(report["same_as_host"], true);
    let decided =
        ["right", "not_sure", "wrong"].map(|what| report["decided"][what].as_u64().unwrap());
    assert_eq!(decided.iter().sum::<u64>(), 4, "{report}");
    assert!(report["cost_median"]["instructions"].as_u64().unwrap() > 4_000_000);
}

#[test]
fn the_doctor_says_what_is_missing_and_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .env("SUDAL_STATE", dir)
        .env("PATH", dir)
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ready"], false);
    let findings = report["findings"].as_array().unwrap();
    let of = |what: &str| findings.iter().find(|f| f["what"] == what).unwrap();
    for (what, says) in [("compiler", "rustup.rs"), ("emulator", "qemu-system-arm")] {
        assert_eq!(of(what)["state"], "missing", "{what}");
        assert!(
            of(what)["advice"].as_str().unwrap().contains(says),
            "{what}"
        );
    }
    for what in [
        "target",
        "firmware",
        "board",
        "permissions",
        "udev rule",
        "ONNX Runtime",
    ] {
        assert!(of(what)["found"].is_string(), "{what}");
    }
}

#[test]
fn help_is_in_groups_and_a_wrong_word_leads_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let help = ok(dir, &["--help"]);
    for group in [
        "Everyday",
        "Station",
        "Fleet",
        "Measuring",
        "Training",
        "Words",
    ] {
        assert!(help.contains(&format!("\n{group}")), "{group}: {help}");
    }
    assert!(
        help.contains("sudal teach parts/") && help.contains("novelty"),
        "{help}"
    );
    assert!(
        help.lines().all(|line| line.chars().count() <= 110),
        "{help}"
    );
    for (word, says) in [
        ("flahs", "sudal flash"),
        ("learn", "sudal teach"),
        ("shot", "one picture"),
        ("novelty", "no command"),
    ] {
        let output = sudal(dir, &[word]);
        assert_eq!(output.status.code(), Some(2), "{word}");
        assert!(
            stderr(&output).contains(says),
            "{word}: {}",
            stderr(&output)
        );
    }
    ok(dir, &["flash", "parts"]);
    let output = sudal(dir, &["remove", "gear"]);
    assert!(stderr(&output).contains("enrolled are: none"));
}

#[cfg(unix)]
#[test]
fn whoever_reads_only_the_head_of_it_sees_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_sudal");
    for call in ["completions bash", "--help", "models --json", "models"] {
        let script = format!("set -o pipefail; {program} {call} | true");
        let output = Command::new("bash")
            .args(["-c", &script])
            .env("SUDAL_STATE", folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{call}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{call}");
    }
}
