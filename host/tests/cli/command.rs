//! The command from a training run to a classification, each step a process of its own, as a user
//! calls it.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{json, ok, sudal};
use sudal::data::parts;

/// What a call that fails says.
fn refused(dir: &Path, args: &[&str]) -> String {
    let output = sudal(dir, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn training_and_whitening_take_in_other_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    // Photographs without labels, in one folder, and classes in folders of their own.
    let photographs = parts::dataset(9, 12, 1, (96, 96));
    std::fs::create_dir(dir.join("photos")).unwrap();
    for class in 0..photographs.classes() {
        let path = dir.join(format!("photos/{class}.png"));
        photographs.get(class, 0).unwrap().save(&path).unwrap();
    }
    let labelled = parts::dataset(8, 3, 8, (32, 32));
    for class in 0..labelled.classes() {
        std::fs::create_dir_all(dir.join(format!("classes/{class}"))).unwrap();
        for index in 0..labelled.len(class) {
            let path = dir.join(format!("classes/{class}/{index}.png"));
            labelled.get(class, index).unwrap().save(&path).unwrap();
        }
    }
    let train = |out, also: &[&str]| {
        let train = "train --split val --size 32 --network conv4 --channels 8 --way 10 --episodes 6 \
            --validate none --out";
        let words = train.split_whitespace().chain([out]);
        let words: Vec<&str> = words.chain(also.iter().copied()).collect();
        json(dir, &words)["loss"].as_f64().unwrap()
    };
    let crops = ["--also", "photos", "--also-crops", "8"];
    let alone = train("alone.ckpt", &[]);
    let with_crops = train("crops.ckpt", &crops);
    let two = ["--also", "classes", "--also-classes", "0,2"];
    let with_classes = train("classes.ckpt", &two);
    assert!(alone != with_crops && alone != with_classes && with_crops != with_classes);
    assert_eq!(with_crops, train("again.ckpt", &crops));

    // A run resumes with what it began with only.
    let resume = ["train", "--resume", "--split", "val", "--out", "crops.ckpt"];
    let said = refused(dir, &resume);
    assert!(said.contains("8 crops of each picture of photos"), "{said}");
    ok(dir, &[&resume[..], &crops].concat());
    let unknown = [
        "train",
        "--out",
        "x.ckpt",
        "--also",
        "classes",
        "--also-classes",
        "7",
    ];
    assert!(refused(dir, &unknown).contains("there are 0, 1, 2"));

    ok(dir, &["export", "classes.ckpt", "--out", "plain.onnx"]);
    let whiten = [
        "whiten",
        "plain.onnx",
        "--split",
        "val",
        "--pictures",
        "400",
        "--out",
    ];
    let report = json(dir, &[&whiten[..], &["white.onnx"], &two].concat());
    assert_eq!(
        (report["classes"].as_u64(), report["pictures"].as_u64()),
        (Some(102), Some(416))
    );
    let data = report["data"].as_str().unwrap();
    assert_eq!(data, "synthetic parts and 0, 2 of classes");
    ok(
        dir,
        &["eval", "white.onnx", "--split", "val", "--episodes", "20"],
    );
    let measure = [
        "eval",
        "white.onnx",
        "--data",
        "photos",
        "--crops",
        "20",
        "--way",
        "5",
        "--episodes",
        "20",
    ];
    let report = json(dir, &measure);
    assert_eq!(
        report["data"], "20 crops of each picture of photos",
        "{report}"
    );
    // Folders of photographs say nothing, not even that there is no picture in them.
    std::fs::create_dir(dir.join("photos/notes")).unwrap();
    std::fs::write(dir.join("photos/notes/light.tga"), "no picture").unwrap();
    let convert = "convert white.onnx --data photos --crops 20 --frames 16 --episodes 5";
    let report = json(dir, &convert.split_whitespace().collect::<Vec<_>>());
    assert_eq!(report["accuracy"].as_array().unwrap().len(), 2, "{report}");
    let parts = ["eval", "white.onnx", "--crops", "20"];
    assert!(refused(dir, &parts).contains("folder or zip"));
    // The layer is replaced, not put on top of itself.
    let again = whiten.map(|word| match word {
        "plain.onnx" => "white.onnx",
        other => other,
    });
    ok(dir, &[&again[..], &["again.onnx"], &two].concat());
    let read = |name| std::fs::read(dir.join(name)).unwrap();
    assert!(read("again.onnx") == read("white.onnx"));
}

#[test]
fn patches_that_were_learned_are_written_beside_the_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let train = "train --method patches --split val --size 32 --channels 4 --way 4 --episodes 3 \
        --validate none --out learned.ckpt";
    json(dir, &train.split_whitespace().collect::<Vec<_>>());
    ok(dir, &["export", "learned.ckpt", "--out", "learned.onnx"]);
    let convert = [
        "convert",
        "learned.onnx",
        "--frames",
        "64",
        "--episodes",
        "20",
    ];
    let report = json(dir, &convert);
    assert_eq!(report["patches"]["shape"], serde_json::json!([4, 4, 64]));
    // A network that was trained so is a start like any other.
    let again = "train --method patches --split val --size 32 --channels 4 --network residual --way 4 \
        --episodes 1 --validate none --from learned.onnx --out again.ckpt";
    json(dir, &again.split_whitespace().collect::<Vec<_>>());
    let said = refused(
        dir,
        &[
            "train",
            "--method",
            "patches",
            "--network",
            "conv4",
            "--out",
            "none.ckpt",
        ],
    );
    assert!(said.contains("--network residual"), "{said}");
    let said = refused(dir, &["train", "--flaws", "1", "--out", "none.ckpt"]);
    assert!(said.contains("--method patches"), "{said}");
    let said = refused(dir, &["tune", "--method", "patches", "--out", "none.jsonl"]);
    assert!(said.contains("sudal train"), "{said}");
}

#[test]
fn patches_are_added_to_a_network_shown_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let train = "train --split val --size 32 --network conv4 --channels 8 --way 10 --episodes 2 \
        --validate none --out plain.ckpt";
    json(dir, &train.split_whitespace().collect::<Vec<_>>());
    ok(dir, &["export", "plain.ckpt", "--out", "plain.onnx"]);
    let patches = |onnx, out| {
        let words = [
            "patches",
            onnx,
            "--split",
            "val",
            "--pictures",
            "400",
            "--out",
            out,
        ];
        [&words[..], &["--channels", "6"]].concat()
    };
    let report = json(dir, &patches("plain.onnx", "patches.onnx"));
    assert_eq!(report["tap"], "value5", "{report}");
    assert_eq!(report["patches"], serde_json::json!([16, 16, 6]));
    let said = refused(dir, &patches("plain.onnx", "patches.onnx"));
    assert!(said.contains("exists"), "{said}");
    let mut many = patches("plain.onnx", "many.onnx");
    many[9] = "9";
    let said = refused(dir, &many);
    assert!(said.contains("ask for 1 to"), "{said}");
    // The output is replaced, not put beside itself.
    ok(dir, &patches("patches.onnx", "again.onnx"));
    let read = |name| std::fs::read(dir.join(name)).unwrap();
    assert!(read("again.onnx") == read("patches.onnx"));

    let convert = [
        "convert",
        "patches.onnx",
        "--frames",
        "64",
        "--episodes",
        "20",
    ];
    let report = json(dir, &convert);
    assert_eq!(report["patches"]["shape"], serde_json::json!([16, 16, 6]));
    let noise = report["patches"]["relative_error"].as_f64().unwrap();
    assert!(noise > 0.0 && noise < 0.1, "{report}");
    ok(
        dir,
        &[
            "eval",
            "patches.sudal",
            "--split",
            "val",
            "--episodes",
            "20",
        ],
    );
}

/// Sends Ctrl-C to `training` once `sign` has been there for a second, and returns how it ended.
#[cfg(unix)]
fn stopped(mut training: std::process::Child, sign: &Path) -> std::process::ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !sign.exists() {
        assert!(Instant::now() < deadline, "no {}", sign.display());
        assert!(training.try_wait().unwrap().is_none(), "it ended by itself");
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_secs(1));
    let pid = training.id().to_string();
    let kill = Command::new("kill").args(["-INT", &pid]).status();
    assert!(kill.unwrap().success());
    training.wait().unwrap()
}

#[test]
fn classes_that_a_network_finds_alike_make_families() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let words = |text: &'static str| -> Vec<&str> { text.split_whitespace().collect() };
    let parts =
        words("train --split val --size 32 --network conv4 --channels 8 --way 10 --validate none");
    let train = |more: &'static str| [parts.clone(), words(more)].concat();
    ok(dir, &train("--episodes 5 --out first.ckpt"));
    ok(dir, &words("export first.ckpt --out first.onnx"));
    let alike = "--episodes 5 --family 5 --alike first.onnx --out alike.ckpt";
    ok(dir, &train(alike));
    ok(dir, &train("--episodes 5 --family 5 --out plain.ckpt"));
    let [alike, plain] =
        ["alike.ckpt", "plain.ckpt"].map(|name| std::fs::read(dir.join(name)).unwrap());
    assert!(alike != plain, "the families are those of the data");

    let alone = refused(dir, &train("--family 1 --alike first.onnx --out x.ckpt"));
    assert!(alone.contains("say with --family"), "{alone}");
    let larger = refused(
        dir,
        &words("train --split val --size 48 --family 5 --alike first.onnx --out x.ckpt"),
    );
    assert!(larger.contains("pictures of 32x32"), "{larger}");
    let without = refused(dir, &train("--resume --out alike.ckpt"));
    assert!(
        without.contains("other pictures") || without.contains("--alike"),
        "{without}"
    );
}

#[cfg(unix)]
#[test]
fn a_run_with_a_teacher_is_stopped_and_resumes_to_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let words = |text: &'static str| -> Vec<&str> { text.split_whitespace().collect() };
    let parts = "--split val --size 32 --network conv4 --way 10 --validate none";
    let teacher = "--channels 16 --episodes 20 --out teacher.ckpt";
    ok(
        dir,
        &[words("train"), words(parts), words(teacher)].concat(),
    );
    ok(dir, &words("export teacher.ckpt --out teacher.onnx"));

    let pupil = "--method distilled --channels 8 --episodes 3000 --support 2 --query 2 --out";
    let train = |out, more: &[&'static str]| {
        [
            &words("train"),
            &words(parts),
            &words(pupil),
            &[out][..],
            more,
        ]
        .concat()
    };
    let with_teacher = ["--teacher", "teacher.onnx"];
    let without = refused(dir, &train("run.ckpt", &[]));
    assert!(without.contains("give it with --teacher"), "{without}");
    let smaller = train("run.ckpt", &with_teacher).into_iter();
    let smaller: Vec<&str> = smaller
        .map(|word| if word == "32" { "48" } else { word })
        .collect();
    let smaller = refused(dir, &smaller);
    assert!(smaller.contains("pictures of 32x32"), "{smaller}");

    ok(dir, &train("whole.ckpt", &with_teacher));
    let run = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .args(train("run.ckpt", &with_teacher))
        .spawn()
        .unwrap();
    let status = stopped(run, &dir.join("run.teacher"));
    assert!(
        !status.success() && dir.join("run.ckpt").exists(),
        "{status}"
    );
    let resume = |teacher| train("run.ckpt", &["--resume", "--teacher", teacher]);
    ok(dir, &words("export teacher.ckpt --name x --out other.onnx"));
    let other = refused(dir, &resume("other.onnx"));
    assert!(other.contains("another network"), "{other}");
    ok(dir, &resume("teacher.onnx"));
    assert!(!dir.join("run.teacher").exists() && !dir.join("whole.teacher").exists());
    let network = |name| {
        let checkpoint = format!("{name}.ckpt");
        ok(
            dir,
            &[
                "export",
                &checkpoint,
                "--name",
                "pupil",
                "--out",
                "pupil.onnx",
            ],
        );
        let bytes = std::fs::read(dir.join("pupil.onnx")).unwrap();
        std::fs::remove_file(dir.join("pupil.onnx")).unwrap();
        bytes
    };
    assert!(
        network("run") == network("whole"),
        "the resumed run went another way"
    );
}

#[test]
fn from_training_to_a_classification() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let train = [
        "train",
        "--split",
        "val",
        "--size",
        "32",
        "--network",
        "conv4",
        "--channels",
        "8",
        "--way",
        "20",
        "--episodes",
        "120",
        "--validate",
        "none",
        "--out",
        "run.ckpt",
    ];
    let report = json(dir, &train);
    assert_eq!(report["episodes"], 120);
    assert!(refused(dir, &train).contains("--resume"));

    json(dir, &["export", "run.ckpt", "--name", "small"]);
    let report = json(
        dir,
        &["verify", "run.onnx", "--checkpoint", "run.ckpt", "--setup"],
    );
    assert!(report["onnx_runtime"].as_f64().unwrap() < 1e-4);
    assert!(report["tract"].as_f64().unwrap() < 1e-4);

    let report = json(
        dir,
        &["convert", "run.onnx", "--frames", "64", "--episodes", "50"],
    );
    let mean = |kind: &str| report["accuracy"][1][kind]["mean"].as_f64().unwrap();
    assert!(mean("float") > 0.3, "chance is 0.2: {report}");
    assert!((mean("float") - mean("int8")).abs() < 0.03, "{report}");
    assert!(refused(dir, &["convert", "run.onnx", "--ram", "1KiB"]).contains("RAM"));
    let error = refused(dir, &["convert", "run.onnx", "--output", "nothing"]);
    assert!(
        error.contains("--output can be one of embedding"),
        "{error}"
    );
    let scale = ["convert", "run.onnx", "--mean", "128", "--std", "64"];
    assert!(refused(dir, &scale).contains("0.502 and 0.251"));

    assert!(refused(dir, &["list"]).contains("sudal flash"));
    let info = json(dir, &["flash", "run.sudal"]);
    assert_eq!(info["model"]["name"], "small");

    // Two parts that do not look alike, a few pictures of each.
    let pictures = parts::dataset(11, 8, 6, (48, 48)).subset(&[0, 4]);
    for class in 0..2 {
        for index in 0..6 {
            let picture = pictures.get(class, index).unwrap();
            picture
                .save(&dir.join(format!("{class}-{index}.png")))
                .unwrap();
        }
    }
    for class in ["0", "1"] {
        let shots: Vec<String> = (0..4).map(|i| format!("{class}-{i}.png")).collect();
        let mut call = vec!["enroll", "--force", class];
        call.extend(shots.iter().map(String::as_str));
        assert_eq!(json(dir, &call)["shots"], 4);
    }
    let before = json(dir, &["list"]);
    json(dir, &["run"]);
    assert_eq!(
        json(dir, &["list"]),
        before,
        "a power cycle keeps every class"
    );

    // An enrolled frame is nearer to its own class than to the other.
    let ask = || json(dir, &["classify", "0-0.png", "1-0.png"])["results"].clone();
    let verdicts = ask();
    assert_eq!(verdicts[0]["nearest"]["name"], "0");
    assert_eq!(verdicts[1]["nearest"]["name"], "1");
    assert_eq!(verdicts[1]["distances"].as_array().unwrap().len(), 2);

    assert_eq!(json(dir, &["head"])["head"], "prototype");
    for head in ["nearest", "memory", "linear"] {
        assert_eq!(json(dir, &["head", head])["head"], head);
        assert_eq!(
            json(dir, &["run"])["head"],
            head,
            "a power cycle keeps the head"
        );
        let verdicts = ask();
        assert_eq!(verdicts[0]["nearest"]["name"], "0", "{head}");
        assert_eq!(verdicts[1]["nearest"]["name"], "1", "{head}");
        assert_eq!(verdicts[1]["head"], head);
    }
    assert_eq!(sudal(dir, &["head", "tail"]).status.code(), Some(2));
    assert!(
        refused(
            dir,
            &["eval", "run.onnx", "--head", "memory", "--split", "val"]
        )
        .contains("model image")
    );

    json(dir, &["rename", "1", "one"]);
    assert!(refused(dir, &["remove", "1"]).contains("one"));
    json(dir, &["remove", "one"]);
    assert_eq!(json(dir, &["list"]).as_array().unwrap().len(), 1);
    assert!(refused(dir, &["reset"]).contains("--yes"));
    json(dir, &["reset", "--yes"]);
    assert!(refused(dir, &["classify", "0-0.png"]).contains("enrolled"));
}

#[test]
fn errors_say_what_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::write(dir.join("noise.bin"), [0x5a; 300]).unwrap();
    for (args, says) in [
        (&["eval", "missing.onnx"][..], "missing.onnx"),
        (
            &["eval", "noise.bin"],
            "neither a checkpoint nor a model image",
        ),
        (&["flash", "noise.bin"], "noise.bin"),
        (&["flash", "noise.bin", "--board", "toaster"], "mps2-an500"),
        (&["export", "noise.bin"], "noise.bin"),
        (&["convert", "noise.bin"], "no ONNX file"),
        (
            &["train", "--data", "nowhere", "--out", "a.ckpt"],
            "nowhere",
        ),
        (&["train", "--way", "2000", "--out", "a.ckpt"], "2000"),
        (&["train", "--resume", "--out", "a.ckpt"], "a.ckpt"),
        (&["demo", "--model", "noise.bin"], "noise.bin"),
    ] {
        let text = refused(dir, args);
        assert!(text.contains(says), "{args:?} says {text}");
    }
    let output = sudal(
        dir,
        &["train", "--network", "transformer", "--out", "a.ckpt"],
    );
    assert_eq!(output.status.code(), Some(2), "a wrong call");
    assert!(ok(dir, &["completions", "bash"]).contains("sudal"));
}

/// An image whose header asks for more working memory.
fn hungry(arena: u32) -> Vec<u8> {
    use sudal_firmware::image::{CRC_START, Header, crc};
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    let mut image = std::fs::read(path).unwrap();
    let mut header: Header = bytemuck::pod_read_unaligned(&image[..size_of::<Header>()]);
    header.arena_len = arena;
    image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    header.crc = crc(&image[CRC_START..]);
    image[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    image
}

#[test]
fn a_model_that_does_not_fit_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    // More than any firmware for the board sets aside.
    std::fs::write(dir.join("huge.sudal"), hungry(1 << 24)).unwrap();
    let said = refused(dir, &["flash", "huge.sudal", "--board", "mps2-an500"]);
    for part in ["16777216", "524288", "sudal profile"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // More than the firmware that is given was built for.
    std::fs::write(dir.join("hungry.sudal"), hungry(100_000)).unwrap();
    let target = "thumbv7em-none-eabihf";
    let firmware = sudal::device::build_firmware("mps2-an500", target, None, &mut |_| ()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .env("SUDAL_FIRMWARE", firmware)
        .args(["flash", "--board", "mps2-an500", "--board-dir"])
        .arg(dir.join("emulated"))
        .arg(dir.join("hungry.sudal"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["100000", "working memory", "built for it"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let mut board = sudal::device::open("mps2-an500", &dir.join("emulated")).unwrap();
    board.stop().unwrap();
}
