//! What the page on licences says is what the project holds.

use std::collections::BTreeSet;
use std::fs;

use super::markdown::{Document, root};

fn page() -> String {
    Document::open(&root().join("host/docs/licences.md")).text
}

#[test]
fn the_page_names_the_licences_that_are_allowed() {
    let allowed = fs::read_to_string(root().join(".ci/deny.toml")).unwrap();
    let (_, licences) = allowed.split_once("[licenses]").unwrap();
    let licences = licences.split("\n[").next().unwrap();
    let quoted: BTreeSet<&str> = licences.split('"').skip(1).step_by(2).collect();
    assert!(quoted.len() > 15, "{quoted:?}");
    let page = page();
    for name in &quoted {
        assert!(
            page.contains(&format!("`{name}`")),
            "{name} of .ci/deny.toml is not on the page"
        );
    }
    // And none that is not.
    let (_, dependencies) = page.split_once("## Dependencies").unwrap();
    for row in dependencies.lines().filter(|line| line.starts_with("| `")) {
        let names = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2);
        for name in names.filter(|name| *name != "epaint_default_fonts") {
            assert!(quoted.contains(name), "{name} is not in .ci/deny.toml");
        }
    }
}

#[test]
fn the_page_names_every_model() {
    let page = page();
    let mut count = 0;
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let path = entry.unwrap().path();
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or("");
        if ["onnx", "sudal", "ckpt"].contains(&end) {
            count += 1;
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                page.contains(&format!("`{name}`")),
                "{name} is not on the page"
            );
            assert!(path.with_extension("md").exists(), "{name} has no card");
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn each_crate_that_is_given_on_brings_its_licences() {
    let text = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let own = text(&format!("host/{name}"));
        assert!(own.len() > 1000, "{name}");
        for member in [
            "firmware",
            "firmware/boards/mps2-an500",
            "firmware/boards/openmv-h7",
            "firmware/boards/openmv-n6",
            "firmware/boards/pico",
        ] {
            assert_eq!(text(&format!("{member}/{name}")), own, "{member}");
        }
    }
}

#[test]
fn the_changelog_names_the_formats() {
    let changelog = Document::open(&root().join("host/docs/changelog.md")).text;
    let protocol = sudal_firmware::protocol::VERSION;
    let image = sudal_firmware::image::VERSION;
    let formats = format!("protocol {protocol}, model image {image}");
    assert!(
        changelog.contains(&formats),
        "the changelog should say: {formats}"
    );
}
