//! What programs are told of pictures: the documented JSON, and exit codes.

use std::path::Path;

use crate::common::{json, ok, sudal};
use serde_json::Value;
use sudal::data::{Raster, parts};

const DOCUMENT: &str = include_str!("../../docs/json.md");

/// A board that knows a good part and a defect, with pictures of both and of neither.
fn teach(dir: &Path) {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    ok(dir, &["flash", model.to_str().unwrap()]);
    let parts = parts::dataset(3, 8, 6, (64, 64));
    for (class, name) in [(0, "good"), (4, "bad")] {
        let mut enroll = vec!["enroll".to_owned(), "--force".to_owned(), name.to_owned()];
        for index in 0..6 {
            let file = format!("{name}{index}.png");
            let picture = parts.get(class, index).unwrap();
            picture.save(&dir.join(&file)).unwrap();
            enroll.extend((index < 5).then_some(file));
        }
        let enroll: Vec<_> = enroll.iter().map(String::as_str).collect();
        ok(dir, &enroll);
    }
    ok(dir, &["role", "good", "good"]);
    ok(dir, &["role", "bad", "defect"]);
    let stripes = (0..64 * 64).map(|i| if i / 8 % 2 == 0 { 0 } else { 255 });
    let stripes = Raster::new(64, 64, stripes.collect()).unwrap();
    stripes.save(&dir.join("other.png")).unwrap();
}

/// The keys of a value, with those within it behind a dot.
fn keys(value: &Value, before: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{before}{key}");
                keys(value, &format!("{path}."), all);
                all.push(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, before, all)),
        _ => {}
    }
}

#[test]
fn what_programs_are_told_is_documented_and_says_what_people_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    teach(dir);
    let pictures = ["good0.png", "bad0.png", "other.png"];
    for head in ["prototype", "memory"] {
        ok(dir, &["head", head]);
        let answer = json(dir, &[&["classify"][..], &pictures].concat());
        assert_eq!(answer["schema"], 1);
        let text = ok(dir, &[&["classify"][..], &pictures].concat());
        let mut lines = text.lines().filter(|line| line.contains(".png: "));
        for (verdict, class, said) in [
            ("ok", Some("good"), "OK: good"),
            ("ng", Some("bad"), "NOT OK: bad"),
            ("unknown", None, "UNKNOWN"),
        ] {
            let line = lines.next().unwrap();
            let at = pictures
                .iter()
                .position(|picture| line.starts_with(picture));
            let result = &answer["results"][at.unwrap()];
            assert_eq!(result["verdict"], verdict, "{result}");
            assert_eq!(result["class"].as_str(), class, "{result}");
            assert!(line.contains(&format!(": {said}  ")), "{line}");
            // The same measures in both.
            for near in result["distances"].as_array().unwrap() {
                let name = near["name"].as_str().unwrap();
                let shown = match near["distance"].as_f64() {
                    Some(distance) => format!("  {name} {distance:.3}"),
                    None => format!("  {name} {:.1} %", near["share_percent"].as_f64().unwrap()),
                };
                assert!(line.contains(&shown), "{shown}: {line}");
            }
        }
        let mut all = Vec::new();
        keys(&answer, "", &mut all);
        for key in all {
            assert!(
                DOCUMENT.contains(&format!("`{key}`")),
                "{key} is not documented"
            );
        }
    }
    ok(dir, &["decide", "--rate", "2.5"]);
    assert_eq!(json(dir, &["decide"])["rate_percent"], 2.5);
    assert_eq!(
        json(dir, &["info"])["info"]["deciding"]["rate_percent"],
        2.5
    );
}

#[test]
fn a_script_stops_at_the_verdicts_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    teach(dir);
    let code = |fail_on: &str, picture: &str| {
        let output = sudal(dir, &["classify", picture, "--json", "--fail-on", fail_on]);
        // The answer is there all the same.
        if output.status.code() != Some(2) {
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["results"][0]["picture"], picture);
        }
        output.status.code().unwrap()
    };
    assert_eq!(code("ng,unknown", "good0.png"), 0);
    assert_eq!(code("ng,unknown", "bad0.png"), 3);
    assert_eq!(code("ng,unknown", "other.png"), 3);
    assert_eq!(code("ng", "other.png"), 0);
    assert_eq!(code("unclear,unknown", "bad0.png"), 0);
    assert_eq!(code("wrong", "bad0.png"), 2);
    // Nothing is half changed by an option that is refused.
    let refused = ["decide", "--rate", "5", "--frames", "4", "--agree", "1"];
    assert_eq!(sudal(dir, &refused).status.code(), Some(1));
    assert_eq!(json(dir, &["decide"])["rate_percent"], 1.0);
    let region = sudal(dir, &["region", "0", "0", "9999", "9999"]);
    let said = String::from_utf8(region.stderr).unwrap();
    assert!(
        region.status.code() == Some(1) && said.contains("larger than any frame"),
        "{said}"
    );
    assert_eq!(code("ng", "good0.png"), 0);
}
