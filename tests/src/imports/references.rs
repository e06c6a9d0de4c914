//! The paths that a module's code names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Path};

use super::source::{attributes, imports, is_exported, is_test};

/// What the code of a module names.
#[derive(Default)]
pub(super) struct References {
    pub(super) paths: Vec<Reference>,
    /// Names that stand alone, of local variables too.
    pub(super) singles: BTreeSet<String>,
}

/// A path of at least two names, or of a `use`.
#[derive(Clone)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    /// Whether it is of a `pub use`.
    pub(super) exported: bool,
    name: Option<String>,
}

impl Reference {
    pub(super) fn new(path: Vec<String>) -> Self {
        Self {
            path,
            exported: false,
            name: None,
        }
    }
}

impl References {
    /// Whether the module itself uses the name that a `use` brings in.
    pub(super) fn used(&self, reference: &Reference) -> bool {
        reference
            .name
            .as_ref()
            .is_none_or(|name| self.singles.contains(name))
    }

    fn path(&mut self, path: Vec<String>) {
        match path.as_slice() {
            [name] => drop(self.singles.insert(name.clone())),
            _ => self.paths.push(Reference::new(path)),
        }
    }

    /// Finds paths in what a macro takes, `a::b::C`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) => {
                    if colons != 2 && !path.is_empty() {
                        self.path(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                _ => {}
            }
            colons = 0;
            if !path.is_empty() {
                self.path(std::mem::take(&mut path));
            }
        }
        if !path.is_empty() {
            self.path(path);
        }
    }
}

impl<'a> Visit<'a> for References {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        if !matches!(item, ImplItem::Fn(item) if is_test(&item.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        for import in imports(item) {
            self.paths.push(Reference {
                path: import.path,
                exported: is_exported(item),
                name: import.name,
            });
        }
    }

    fn visit_path(&mut self, path: &'a Path) {
        if path.leading_colon.is_none() {
            self.path(path.segments.iter().map(|s| s.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, of: &'a Macro) {
        visit::visit_macro(self, of);
        self.tokens(of.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'a Attribute) {
        visit::visit_attribute(self, attribute);
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

pub(super) fn references(items: &[Item]) -> References {
    let mut references = References::default();
    for item in items {
        references.visit_item(item);
    }
    references
}
