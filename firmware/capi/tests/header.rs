//! The header is that of the library. `SUDAL_HEADER=write cargo test -p sudal-capi` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_header_is_made_from_the_sources_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut header = Vec::new();
    cbindgen::generate(folder).unwrap().write(&mut header);
    let path = folder.join("include/sudal.h");
    if std::env::var("SUDAL_HEADER").is_ok_and(|value| value == "write") {
        fs::write(&path, &header).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, String::from_utf8(header).unwrap());
}
