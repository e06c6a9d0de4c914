//! Programs in C get from the library what Rust does, on this computer and on an emulated Cortex-M7.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sudal_firmware::camera::{Frame, Geometry, PixelFormat};
use sudal_firmware::engine;
use sudal_firmware::heads::{Head, Quantization};
use sudal_firmware::image::{Aligned, Model};
use sudal_firmware::preprocess::{self, Fit, Region};
use sudal_firmware::store::Known;
use sudal_tests::picture;
use sudal_tests::program;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TARGET: &str = "thumbv7em-none-eabihf";
static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../models/parts.sudal"));

/// Classes and numbers of pictures: enrolled, then asked.
const SHOTS: [(u64, u64); 4] = [(0, 0), (1, 1), (2, 2), (0, 3)];
const QUERIES: [(u64, u64); 3] = [(0, 50), (1, 51), (2, 52)];
const SIDE: u16 = 28;

/// A folder with the model, the pictures and what the program is to be told of them.
fn folder() -> (tempfile::TempDir, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("m"), &IMAGE.0).unwrap();
    let mut arguments = vec!["m".to_owned()];
    let shots = SHOTS.iter().map(|&shot| (shot, true));
    for ((class, number), enrolled) in shots.chain(QUERIES.iter().map(|&query| (query, false))) {
        let mut file = format!("P5\n{SIDE} {SIDE}\n255\n").into_bytes();
        file.extend(picture(class, number));
        let name = format!("{number}.pgm");
        fs::write(dir.path().join(&name), file).unwrap();
        arguments.push(if enrolled {
            format!("c{class}={name}")
        } else {
            name
        });
    }
    (dir, arguments)
}

/// What the program is to print.
fn expected() -> String {
    let model = Model::parse(&IMAGE.0).unwrap();
    let [height, width, channels] = model.input_shape();
    let quantization = Quantization {
        scale: model.output_scale(),
        zero_point: model.header().output_zero_point as i8,
    };
    let mut arena = vec![0; model.arena_words()];
    let mut embed = |class, number| {
        let pixels = picture(class, number);
        let frame = Frame {
            geometry: Geometry {
                width: SIDE,
                height: SIDE,
                format: PixelFormat::Grey8,
            },
            pixels: &pixels,
        };
        let mut input = vec![0; model.input_len()];
        let region = Fit::default().of(Region::whole(&frame), (width as u16, height as u16));
        preprocess::run(&frame, region, [height, width, channels], &mut input).unwrap();
        engine::run(&model, &input, &mut arena).unwrap().to_vec()
    };
    let mut text = format!("model {} {:016x}\n", model.name(), model.id());
    let mut show = |text: &mut String, class, number| {
        let values = embed(class, number);
        let hex: String = values.iter().map(|value| format!("{value:02x}")).collect();
        writeln!(text, "{number}.pgm {hex}").unwrap();
        values
    };
    let mut known = Known::new();
    for (class, number) in SHOTS {
        let values = show(&mut text, class, number);
        let name = format!("c{class}");
        let id = known.enroll(&name, model.id(), &values).unwrap().id;
        writeln!(text, "enrolled {name} as {id}").unwrap();
    }
    for (class, number) in QUERIES {
        let values = show(&mut text, class, number);
        for (position, head) in Head::ALL.into_iter().enumerate() {
            let answer = known.classify(head, &values, model.id(), quantization);
            let answer = answer.unwrap();
            let of = |position: usize| answer.scores[position];
            let (first, second) = (of(answer.ranking.first), of(answer.ranking.second.unwrap()));
            let name = &known.class(first.class).unwrap().name;
            let bits = [first, second].map(|score| score.value.to_bits());
            let line = format!("{name} {:08x} {} {:08x}", bits[0], second.class, bits[1]);
            writeln!(text, "{position} {line}").unwrap();
        }
    }
    text
}

/// The static library for a target, or for this computer.
fn library(target: Option<&str>) -> PathBuf {
    let dir = Path::new(ROOT).join("target/firmware");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(ROOT)
        .args(["build", "--package", "sudal-capi", "--profile", "firmware"])
        .arg("--target-dir")
        .arg(&dir)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "--cfg\u{1f}sha2_backend_soft=\"compact\"",
        );
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    assert!(cargo.status().unwrap().success());
    dir.join(target.unwrap_or(""))
        .join("firmware/libsudal_capi.a")
}

fn source(name: &str) -> PathBuf {
    Path::new(ROOT).join("firmware/capi/examples").join(name)
}

fn compile(compiler: &Path, arguments: &[&str], library: &Path, to: &Path) {
    let include = format!("-I{ROOT}/firmware/capi/include");
    let done = Command::new(compiler)
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", &include])
        .arg(source("classify.c"))
        .args(arguments)
        .arg(library)
        .arg("-o")
        .arg(to)
        .status();
    assert!(done.unwrap().success());
}

fn output(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn a_program_in_c_gets_the_same_bits_on_this_computer() {
    let Some(compiler) = program("cc", &["gcc", "libc6-dev"]) else {
        return;
    };
    let (dir, arguments) = folder();
    let classify = dir.path().join("classify");
    compile(&compiler, &[], &library(None), &classify);
    let run = |arguments: &[String]| {
        let mut command = Command::new(&classify);
        command.args(arguments).current_dir(dir.path());
        command
    };
    assert_eq!(output(&mut run(&arguments)), expected());
    // What is wrong is said.
    let refused = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let output = run(&arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(refused(&["0.pgm", "1.pgm"]).contains("no sound model image"));
    assert!(refused(&["m", "1.pgm"]).contains("there is no such class"));
    assert!(refused(&["m", "=1.pgm"]).contains("a name has 1 to 96 bytes"));
    let black = [format!("P5 {SIDE} {SIDE} 255\n").as_bytes(), &[0; 784]].concat();
    fs::write(dir.path().join("black.pgm"), black).unwrap();
    assert!(refused(&["m", "black.pgm"]).contains("black"));
}

#[test]
fn a_program_in_c_gets_the_same_bits_on_an_emulated_cortex_m7() {
    let packages = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];
    let (Some(compiler), Some(qemu)) = (
        program("arm-none-eabi-gcc", &packages),
        program("qemu-system-arm", &["qemu-system-arm"]),
    ) else {
        return;
    };
    let (dir, arguments) = folder();
    let classify = dir.path().join("classify.elf");
    let script = format!("-T{}", source("mps2.ld").display());
    let start = source("mps2.c");
    let flags = [
        "-mcpu=cortex-m7",
        "-mthumb",
        "-mfpu=fpv5-d16",
        "-mfloat-abi=hard",
        "--specs=rdimon.specs",
        "-ffunction-sections",
        "-Wl,--gc-sections",
        &script,
        start.to_str().unwrap(),
    ];
    compile(&compiler, &flags, &library(Some(TARGET)), &classify);
    let mut run = Command::new(qemu);
    run.current_dir(dir.path())
        .args([
            "-M",
            "mps2-an500",
            "-display",
            "none",
            "-monitor",
            "none",
            "-kernel",
        ])
        .arg(&classify)
        .arg("-semihosting-config")
        .arg(format!(
            "enable=on,target=native,arg=classify,arg={}",
            arguments.join(",arg=")
        ));
    assert_eq!(output(&mut run), expected());
}
