//! Flash and RAM that documents state of the models are those of their files.

use std::fs;

use sudal::engine::QuantizedModel;

use super::markdown::{Document, root};

/// A number as the documents write it, `60,112`.
fn with_commas(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_commas(number / 1000), number % 1000),
    }
}

#[test]
fn the_guide_and_each_card_state_what_a_model_takes() {
    let guide = Document::open(&root().join("host/docs/guide.md")).text;
    let mut count = 0;
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "sudal")
        {
            continue;
        }
        let image = fs::read(&path).unwrap();
        let flash = with_commas(image.len());
        let model = QuantizedModel::new(&image).unwrap();
        let ram = with_commas(model.model().unwrap().arena_len());
        let card = Document::open(&path.with_extension("md")).text;
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            card.contains(&format!("{flash} bytes of flash")),
            "{name}: {flash}"
        );
        assert!(card.contains(&format!("{ram} bytes")), "{name}: {ram}");
        let row = guide.lines().find(|line| {
            line.starts_with("| `")
                && line
                    .split('|')
                    .nth(1)
                    .unwrap()
                    .contains(&format!("`{name}`"))
        });
        if let Some(row) = row {
            assert!(row.contains(&flash) && row.contains(&ram), "{name}: {row}");
            count += 1;
        }
    }
    assert!(count > 5, "{count} models are in the guide");
}
