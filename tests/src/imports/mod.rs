//! Which file of a crate imports which, read from its source.
//!
//! A file imports another if its code names something that is defined there, by whatever way it was
//! re-exported. A `mod` is no import, nor is a `pub use` of names that the file itself does not use.
//! Code of tests does not count. What only types tell (a method on an inferred value) is not seen.

mod references;
mod resolve;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use references::{Reference, references};
use source::SourceTree;

/// The files of a crate and what they import.
pub struct Imports {
    /// For each file the files that it imports, each with the names that it takes from there. Paths are
    /// relative to the folder of the crate's root.
    pub files: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// For each pair of folders or files at the crate's root, the first of which names the second: the
    /// files that do so and how.
    pub folders: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Imports {
    /// Reads the crate whose root is `root`, a `lib.rs` or `main.rs`.
    ///
    /// # Panics
    /// If a file can't be read or is no Rust.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let source = SourceTree::read(root);
        let mut imports = Self {
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
        };
        for (index, module) in source.modules.iter().enumerate() {
            imports.files.entry(module.file.clone()).or_default();
            let references = references(&module.items);
            let by_glob = references
                .singles
                .iter()
                .filter(|name| module.is_by_glob(name));
            let by_glob = by_glob.map(|name| Reference::new(vec![name.clone()]));
            for reference in &by_glob
                .chain(references.paths.iter().cloned())
                .collect::<Vec<_>>()
            {
                let name = reference.path.join("::");
                let (passed, defined) = source.resolve(index, &reference.path);
                if let Some(from) = module.path.first() {
                    let folders = passed.iter().chain(&defined);
                    for to in folders.filter_map(|&at| source.modules[at].path.first()) {
                        if to != from {
                            let by = imports.folders.entry((from.clone(), to.clone()));
                            let line = format!("{}: {name}", module.file);
                            by.or_default().insert(line);
                        }
                    }
                }
                let Some(defined) = defined else { continue };
                let file = &source.modules[defined].file;
                if *file != module.file && (!reference.exported || references.used(reference)) {
                    let of = imports.files.entry(module.file.clone()).or_default();
                    of.entry(file.clone()).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// Circles of files, the largest sets of files each of which reaches all others, as text: each file
    /// with what it imports from the others.
    #[must_use]
    pub fn circles(&self) -> Vec<String> {
        let reached: BTreeMap<&str, BTreeSet<&str>> = self
            .files
            .keys()
            .map(|file| (file.as_str(), self.reached(file)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for (&file, others) in &reached {
            if !others.contains(file) || !seen.insert(file) {
                continue;
            }
            let back = |other: &&&str| reached[*other].contains(file);
            let circle: BTreeSet<&str> = others.iter().filter(back).copied().collect();
            seen.extend(&circle);
            let mut text = String::new();
            for &from in &circle {
                for (to, names) in &self.files[from] {
                    if circle.contains(to.as_str()) {
                        let names: Vec<_> = names.iter().map(String::as_str).collect();
                        text += &format!("  {from} -> {to}: {}\n", names.join(", "));
                    }
                }
            }
            circles.push(text);
        }
        circles
    }

    /// Files that are imported by `file`, by those, and so on.
    fn reached(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&String> = self.files[file].keys().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next.as_str()) {
                open.extend(self.files[next].keys());
            }
        }
        reached
    }

    /// Imports against `order`, in which each folder or file at the crate's root stands after all that it
    /// imports, as text; also those that have no place in it.
    #[must_use]
    pub fn against(&self, order: &[&str]) -> Vec<String> {
        let place = |folder: &str| order.iter().position(|&name| name == folder);
        let mut wrong = Vec::new();
        for ((from, to), by) in &self.folders {
            let lines: Vec<_> = by.iter().map(String::as_str).collect();
            match (place(from), place(to)) {
                (Some(from), Some(to)) if to < from => {}
                (Some(_), Some(_)) => {
                    wrong.push(format!("{from} -> {to}\n  {}\n", lines.join("\n  ")));
                }
                (None, _) => wrong.push(format!("{from} has no place in the order\n")),
                (_, None) => wrong.push(format!("{to} has no place in the order\n")),
            }
        }
        wrong.sort();
        wrong.dedup();
        wrong
    }
}
