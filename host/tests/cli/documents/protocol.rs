//! The example of the serial protocol, word for word, at a port.

use std::fs;
use std::process::Command;

use super::markdown::{Document, root};
use crate::plugged::{Plugged, image};

#[test]
fn the_protocols_example_teaches_and_asks_a_board() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let page = Document::open(&root().join("firmware/docs/protocol.md"));
    let [example] = &page.blocks("python")[..] else {
        panic!("the page has one example");
    };
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let board = Plugged::new(&dir.join("board"), &image());
    fs::write(dir.join("ask.py"), example).unwrap();
    let mut python = Command::new("python3");
    let output = python
        .current_dir(dir)
        .arg("ask.py")
        .arg(board.port())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    println!("{said}");
    assert!(
        said.contains("board host") && said.contains("bar: 2 shots"),
        "{said}"
    );
    assert!(said.contains("nearest: disc"), "{said}");
    // It leaves nothing behind.
    assert_eq!(board.json(dir, &["list"]).as_array().unwrap().len(), 0);
}
