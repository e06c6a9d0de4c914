//! Links in documents lead somewhere, on the disk and in rustdoc.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::markdown::{Document, all, root};

/// What is wrong with a link of a document, if something is.
fn fault(document: &Document, link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return None;
    }
    let (file, anchor) = link
        .split_once('#')
        .map_or((link, None), |(f, a)| (f, Some(a)));
    let path = match file {
        "" => document.path.clone(),
        file => document.path.parent().unwrap().join(file),
    };
    if !path.exists() {
        return Some(format!("{link}: there is no such file"));
    }
    let anchor = anchor?;
    let there = path.extension().is_some_and(|end| end == "md")
        && Document::open(&path).anchors().contains(anchor);
    (!there).then(|| format!("{link}: there is no such heading"))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut count = 0;
    let mut faults = Vec::new();
    for document in all() {
        for link in document.links() {
            count += 1;
            let fault = fault(&document, &link);
            faults.extend(fault.map(|fault| format!("{}: {fault}", document.name())));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{count} links");
    assert!(count > 50, "{count}");
}

/// Sources that documents name, from the project's folder or from that of a library.
#[test]
fn every_source_that_is_named_is_there() {
    let mut count = 0;
    for document in all() {
        for code in document.code() {
            let is_path = code.contains('/') && !code.contains([' ', '*', '<']);
            if !is_path || !code.ends_with(".rs") {
                continue;
            }
            count += 1;
            let places = ["", "host/src", "firmware/src", "firmware"].map(|at| root().join(at));
            let there = places.iter().any(|place| place.join(&code).is_file());
            assert!(there, "{}: there is no {code}", document.name());
        }
    }
    println!("{count} sources");
    assert!(count > 5, "{count}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.md");
    let text =
        "# One heading\n[a](b.md) [c](#no) [d](#one-heading) [e][f] [g](https://example.org)\n";
    fs::write(&path, text).unwrap();
    let document = Document::open(&path);
    let faults: Vec<_> = document
        .links()
        .iter()
        .filter_map(|link| fault(&document, link))
        .collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
}

/// Pages are part of rustdoc, where the links between them are others.
#[test]
fn every_page_is_in_rustdoc_with_the_same_links() {
    for member in ["host", "firmware"] {
        let folder = root().join(member).join("docs");
        let module = fs::read_to_string(root().join(member).join("src/docs.rs")).unwrap();
        let known: HashSet<&str> = module
            .lines()
            .filter_map(|line| {
                line.strip_prefix('[')?
                    .split_once("]: ")
                    .map(|(name, _)| name)
            })
            .collect();
        let mut pages = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "md") {
                continue;
            }
            pages += 1;
            let file = path.file_name().unwrap().to_str().unwrap();
            assert!(
                module.contains(&format!("\"../docs/{file}\"")),
                "{member}/docs/{file} is no part of rustdoc"
            );
            within(&Document::open(&path), &known);
        }
        assert!(pages > 3, "{member}: {pages}");
    }
}

/// Each relative link of a page is a reference that rustdoc has under the same name.
fn within(page: &Document, known: &HashSet<&str>) {
    for link in page
        .links()
        .iter()
        .filter(|link| !link.starts_with("https://") && !link.starts_with('#'))
    {
        let defined = page.text.lines().find_map(|line| {
            let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
            (target == link.as_str()).then_some(name)
        });
        let name = defined.unwrap_or_else(|| {
            panic!(
                "{}: {link} is no reference, [text][name] and [name]: {link}",
                page.name()
            )
        });
        assert!(
            known.contains(name),
            "{}: rustdoc does not know [{name}]",
            page.name()
        );
        let file = Path::new(link.split('#').next().unwrap());
        assert!(
            file.extension().is_some_and(|end| end == "md"),
            "{}: {link}",
            page.name()
        );
    }
}
