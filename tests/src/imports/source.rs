//! The modules of a crate, each with the names that it defines, imports and re-exports.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree, Visibility};

/// A crate, its root first.
pub(super) struct SourceTree {
    pub(super) modules: Vec<Module>,
}

/// A module, of a file of its own or within one.
pub(super) struct Module {
    /// Names from the crate's root to it.
    pub(super) path: Vec<String>,
    /// Its file, relative to the folder of the crate's root.
    pub(super) file: String,
    pub(super) parent: Option<usize>,
    pub(super) children: HashMap<String, usize>,
    pub(super) names: HashMap<String, Name>,
    /// Paths of `use path::*`.
    pub(super) globs: Vec<Vec<String>>,
    /// Its items but for modules and tests.
    pub(super) items: Vec<Item>,
}

/// What a name in a module stands for, but for a child module.
pub(super) enum Name {
    /// Something that is defined there.
    Here,
    /// Something at this path.
    At(Vec<String>),
}

/// A name that a `use` brings in: `None` for all of a path's.
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) name: Option<String>,
}

impl SourceTree {
    pub(super) fn read(root: &Path) -> Self {
        let mut source = Self {
            modules: Vec::new(),
        };
        let folder = root.parent().expect("a file stands in a folder");
        source.file(folder, root, folder, Vec::new(), None);
        source
    }

    /// Reads the module of a file, whose modules stand in `children`.
    fn file(
        &mut self,
        folder: &Path,
        file: &Path,
        children: &Path,
        path: Vec<String>,
        parent: Option<usize>,
    ) -> usize {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.module(folder, file, children, path, parent, parsed.items)
    }

    fn module(
        &mut self,
        folder: &Path,
        file: &Path,
        children: &Path,
        path: Vec<String>,
        parent: Option<usize>,
        items: Vec<Item>,
    ) -> usize {
        let index = self.modules.len();
        // Files that several crates share stand beside them.
        let relative = file.strip_prefix(folder).unwrap_or(file);
        self.modules.push(Module {
            path: path.clone(),
            file: relative.display().to_string(),
            parent,
            children: HashMap::new(),
            names: HashMap::new(),
            globs: Vec::new(),
            items: Vec::new(),
        });
        for item in items.into_iter().filter(|item| !is_test(attributes(item))) {
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let mut path = path.clone();
                path.push(name.clone());
                let within = children.join(&name);
                let child = if let Some((_, items)) = child.content {
                    self.module(folder, file, &within, path, Some(index), items)
                } else {
                    let beside = file.parent().unwrap_or(folder);
                    let file = match given_path(&child.attrs) {
                        Some(path) => beside.join(path),
                        None => file_of(&within),
                    };
                    self.file(folder, &file, &within, path, Some(index))
                };
                self.modules[index].children.insert(name, child);
            } else {
                self.modules[index].add(item);
            }
        }
        index
    }
}

impl Module {
    /// Whether a name can only come from a `use path::*`.
    pub(super) fn is_by_glob(&self, name: &str) -> bool {
        let own = self.names.contains_key(name) || self.children.contains_key(name);
        !self.globs.is_empty() && !own
    }

    fn add(&mut self, item: Item) {
        let name = match &item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        if let Some(name) = name {
            self.names.insert(name.to_string(), Name::Here);
        }
        if let Item::Use(item) = &item {
            for import in imports(item) {
                match import.name {
                    Some(name) => {
                        let at = Name::At(import.path);
                        self.names.entry(name).or_insert(at);
                    }
                    None => self.globs.push(import.path),
                }
            }
        }
        self.items.push(item);
    }
}

/// The file of a module that is declared as `mod name;`, where `within` ends in the name.
fn file_of(within: &Path) -> PathBuf {
    let beside = within.with_extension("rs");
    if beside.exists() {
        beside
    } else {
        within.join("mod.rs")
    }
}

/// The file of `#[path = "file"]`.
fn given_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let value = match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => &pair.value,
            _ => return None,
        };
        match value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        }
    })
}

/// All names that a `use` brings in.
pub(super) fn imports(item: &syn::ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    if item.leading_colon.is_none() {
        flatten(&item.tree, &mut Vec::new(), &mut found);
    }
    found
}

fn flatten(tree: &UseTree, path: &mut Vec<String>, found: &mut Vec<Import>) {
    let mut leaf = |path: &[String], last: &syn::Ident, name: &syn::Ident| {
        let mut path = path.to_vec();
        let mut name = name.to_string();
        if last == "self" {
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(last.to_string());
        }
        found.push(Import {
            path,
            name: Some(name),
        });
    };
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, found);
            path.pop();
        }
        UseTree::Name(tree) => leaf(path, &tree.ident, &tree.ident),
        UseTree::Rename(tree) => leaf(path, &tree.ident, &tree.rename),
        UseTree::Glob(_) => found.push(Import {
            path: path.clone(),
            name: None,
        }),
        UseTree::Group(tree) => {
            for tree in &tree.items {
                flatten(tree, path, found);
            }
        }
    }
}

/// Whether something is a test or there for tests only.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let tokens = || attribute.meta.require_list().map(|list| &list.tokens);
        path.is_ident("test")
            || path.is_ident("cfg")
                && tokens().is_ok_and(|tokens| {
                    let tokens = tokens.to_string();
                    tokens == "test" || tokens.starts_with("all (test")
                })
    })
}

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether a `use` gives its names on to others.
pub(super) fn is_exported(item: &syn::ItemUse) -> bool {
    !matches!(item.vis, Visibility::Inherited)
}
