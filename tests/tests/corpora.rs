//! The bytes that the fuzz targets keep, run as ordinary tests.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut count = 0;
    for entry in fs::read_dir(folder.join(target)).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        run(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{count} inputs for {target}");
}

#[test]
fn frame() {
    replay("frame", sudal_fuzz::frame::run);
}

#[test]
fn session() {
    replay("session", sudal_fuzz::session::run);
}

#[test]
fn image() {
    replay("image", sudal_fuzz::image::run);
}

#[test]
fn store() {
    replay("store", sudal_fuzz::store::run);
}

#[test]
fn onnx() {
    replay("onnx", sudal_fuzz::onnx::run);
}
