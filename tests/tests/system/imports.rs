//! Imports run one way: no circle of files in any crate, and each folder of `host` and `firmware` imports
//! only what stands before it.

use std::fs;
use std::path::Path;

use sudal_tests::Imports;
use tempfile::TempDir;

/// Folders and files of the host's library, each after all that it imports.
const HOST: [&str; 18] = [
    "similar",
    "table",
    "atomic_file",
    "cache",
    "data",
    "episodes",
    "engine",
    "measure",
    "models",
    "nets",
    "meta",
    "export",
    "device",
    "report",
    "docs",
    "fleet",
    "serve",
    "cli",
];

/// The same of the firmware.
const FIRMWARE: [&str; 21] = [
    "log",
    "docs",
    "clock",
    "random",
    "checksum",
    "frame",
    "key",
    "preprocess",
    "heads",
    "decision",
    "image",
    "engine",
    "camera",
    "patches",
    "store",
    "settings",
    "history",
    "lock",
    "protocol",
    "io",
    "device",
];

fn read(root: &str) -> Imports {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Imports::read(&repository.join(root))
}

fn check(root: &str, order: &[&str]) {
    let imports = read(root);
    let (files, edges) = (
        imports.files.len(),
        imports.files.values().map(|to| to.len()).sum::<usize>(),
    );
    println!("{root}: {files} files, {edges} imports");
    let circles = imports.circles();
    assert!(
        circles.is_empty(),
        "{root}: circles of files\n{}",
        circles.join("\n")
    );
    let against = imports.against(order);
    assert!(
        against.is_empty(),
        "{root}: imports against the order\n{}",
        against.join("\n")
    );
}

#[test]
fn the_host_imports_one_way() {
    check("host/src/lib.rs", &HOST);
    check("host/src/main.rs", &HOST);
}

#[test]
fn the_firmware_imports_one_way() {
    check("firmware/src/lib.rs", &FIRMWARE);
}

#[test]
fn boards_and_tests_import_one_way() {
    for root in [
        "firmware/boards/mps2-an500/src/main.rs",
        "firmware/boards/openmv-h7/src/main.rs",
        "firmware/boards/openmv-n6/src/main.rs",
        "firmware/boards/pico/src/main.rs",
        "firmware/tests/storage/main.rs",
        "host/tests/cli/main.rs",
        "tests/fuzz/src/lib.rs",
        "tests/src/lib.rs",
        "tests/tests/system/main.rs",
    ] {
        let circles = read(root).circles();
        assert!(
            circles.is_empty(),
            "{root}: circles of files\n{}",
            circles.join("\n")
        );
    }
}

/// A crate of these files.
fn crate_of(files: &[(&str, &str)]) -> (TempDir, Imports) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let imports = Imports::read(&folder.path().join("lib.rs"));
    (folder, imports)
}

#[test]
fn a_circle_is_found_whichever_way_it_is_written() {
    let root = ("lib.rs", "mod a; mod b; pub use a::A;");
    let a = ("a.rs", "pub struct A; fn f() -> u8 { crate::b::COUNT }");
    for b in [
        "pub const COUNT: u8 = 1; use super::a::A;",
        "pub const COUNT: u8 = 1; use crate::A;",
        "pub const COUNT: u8 = 1; use crate::A as Other;",
        "pub const COUNT: u8 = 1; use super::*; fn f(_: A) {}",
        "pub const COUNT: u8 = 1; use super::a; fn f(_: a::A) {}",
        "pub const COUNT: u8 = 1; fn f(_: crate::a::A) {}",
        "pub const COUNT: u8 = 1; fn f() { println!(\"{:?}\", super::a::A); }",
        "pub const COUNT: u8 = 1; fn f() { use crate::a::A; }",
        "pub const COUNT: u8 = 1; #[arg(value_parser = crate::a::A)] struct B;",
        "pub const COUNT: u8 = 1; mod inner { fn f(_: super::super::a::A) {} }",
        "pub const COUNT: u8 = 1; pub use crate::a::A; fn f(_: A) {}",
    ] {
        let (_folder, imports) = crate_of(&[root, a, ("b.rs", b)]);
        let circles = imports.circles();
        assert_eq!(circles.len(), 1, "{b}");
        assert!(
            circles[0].contains("a.rs -> b.rs: crate::b::COUNT"),
            "{}",
            circles[0]
        );
        assert!(circles[0].contains("b.rs -> a.rs"), "{}", circles[0]);
    }
}

#[test]
fn what_is_no_import_makes_no_circle() {
    let root = ("lib.rs", "mod a; mod b; pub use a::A;");
    let a = ("a.rs", "pub struct A; fn f() -> u8 { crate::b::COUNT }");
    for b in [
        "pub const COUNT: u8 = 1; #[cfg(test)] mod tests { use crate::a::A; }",
        "pub const COUNT: u8 = 1; #[cfg(test)] fn f(_: crate::a::A) {}",
        "pub const COUNT: u8 = 1; pub use crate::a::A;",
        "//! [`crate::a::A`]\npub const COUNT: u8 = 1;",
        "pub const COUNT: u8 = 1; use std::fmt; fn a() {}",
    ] {
        let (_folder, imports) = crate_of(&[root, a, ("b.rs", b)]);
        assert_eq!(imports.circles(), Vec::<String>::new(), "{b}");
    }
}

#[test]
fn a_child_may_not_import_what_its_parent_defines_if_that_uses_the_child() {
    let root = ("lib.rs", "mod outer;");
    let child = ("outer/child.rs", "pub fn f(_: super::Kind) {}");
    let declares = (
        "outer/mod.rs",
        "mod child; mod kind; pub use child::f; pub use kind::Kind;",
    );
    let kind = ("outer/kind.rs", "pub struct Kind;");
    let (_folder, imports) = crate_of(&[root, child, declares, kind]);
    assert_eq!(imports.circles(), Vec::<String>::new());
    let defines = (
        "outer/mod.rs",
        "mod child; pub struct Kind; fn g() { child::f(Kind) }",
    );
    let (_folder, imports) = crate_of(&[root, child, defines]);
    assert_eq!(imports.circles().len(), 1);
}

#[test]
fn an_import_against_the_order_is_found_behind_a_re_export() {
    let (_folder, imports) = crate_of(&[
        ("lib.rs", "mod low; mod middle; mod high;"),
        ("high.rs", "pub struct High; use crate::middle::Middle;"),
        ("low.rs", "use crate::middle::High;"),
        (
            "middle/mod.rs",
            "pub use crate::high::High; pub struct Middle;",
        ),
    ]);
    let wrong = imports.against(&["low", "middle", "high"]).join("\n");
    for found in ["low -> high", "low -> middle", "middle -> high"] {
        assert!(wrong.contains(found), "{found} is not in {wrong}");
    }
    assert!(!wrong.contains("high -> middle"), "{wrong}");
    let unknown = imports.against(&["low", "middle"]).join("\n");
    assert!(
        unknown.contains("high has no place in the order"),
        "{unknown}"
    );
}
