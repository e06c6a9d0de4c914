//! The project's Markdown files, and what stands in them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// The top-level folders and files with documents.
const PLACES: [&str; 5] = ["README.md", "host", "firmware", "models", "tests"];

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// All of them, by path.
pub(crate) fn all() -> Vec<Document> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = PLACES.iter().map(|place| root().join(place)).collect();
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && !["target", "node_modules"].contains(&&*name) {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if name.ends_with(".md") {
            found.push(Document::open(&path));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A Markdown file.
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn open(path: &Path) -> Self {
        let text = fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.to_owned();
        Self { path, text }
    }

    /// Its path in the project's folder.
    pub(crate) fn name(&self) -> String {
        let path = self.path.strip_prefix(root()).unwrap_or(&self.path);
        path.display().to_string()
    }

    fn events(&self) -> impl Iterator<Item = Event<'_>> {
        // A reference that is defined nowhere becomes a link that leads nowhere.
        let broken = |link: pulldown_cmark::BrokenLink<'_>| {
            let used = matches!(link.link_type, LinkType::Reference | LinkType::Collapsed);
            used.then(|| {
                let destination = format!("no definition of [{}]", link.reference);
                (CowStr::from(destination), CowStr::from(""))
            })
        };
        Parser::new_with_broken_link_callback(&self.text, Options::ENABLE_TABLES, Some(broken))
    }

    /// Where its links and pictures lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let target = |event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.into_string())
            }
            _ => None,
        };
        self.events().filter_map(target).collect()
    }

    /// What a link to a heading ends in, as GitHub and rustdoc make it.
    pub(crate) fn anchors(&self) -> HashSet<String> {
        let mut heading = None;
        let mut anchors = HashSet::new();
        for event in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let text = heading.take().unwrap_or_default().to_lowercase();
                    let kept = text.chars().filter_map(|c| match c {
                        ' ' => Some('-'),
                        c if c.is_alphanumeric() || "-_".contains(c) => Some(c),
                        _ => None,
                    });
                    anchors.insert(kept.collect());
                }
                _ => {}
            }
        }
        anchors
    }

    /// Its code blocks in a language.
    pub(crate) fn blocks(&self, language: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut inside = false;
        for event in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(of))) => {
                    inside = &*of == language;
                    if inside {
                        blocks.push(String::new());
                    }
                }
                Event::Text(text) if inside => blocks.last_mut().unwrap().push_str(&text),
                Event::End(TagEnd::CodeBlock) => inside = false,
                _ => {}
            }
        }
        blocks
    }

    /// Code in its lines.
    pub(crate) fn code(&self) -> Vec<String> {
        let code = |event| match event {
            Event::Code(text) => Some(text.into_string()),
            _ => None,
        };
        self.events().filter_map(code).collect()
    }
}
