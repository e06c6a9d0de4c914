//! From a path in a module to the module that defines what it names.

use super::source::{Name, SourceTree};

/// Most `use`s from a name to its definition.
const MOST: usize = 16;

impl SourceTree {
    /// The modules that `path` of `module` names on its way, and the one that defines what it names in the
    /// end. Nothing if it is another crate's; no definition if it names a module.
    pub(super) fn resolve(&self, module: usize, path: &[String]) -> (Vec<usize>, Option<usize>) {
        let mut passed = Vec::new();
        let defined = self.walk(module, path, &mut passed, MOST);
        (passed, defined)
    }

    fn walk(
        &self,
        module: usize,
        path: &[String],
        passed: &mut Vec<usize>,
        left: usize,
    ) -> Option<usize> {
        let left = left.checked_sub(1)?;
        let mut at = module;
        for (index, name) in path.iter().enumerate() {
            let rest = &path[index + 1..];
            let module = &self.modules[at];
            match name.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = module.parent?,
                "Self" => return None,
                _ => {
                    let child = module.children.get(name);
                    let known = module.names.get(name);
                    match (child, known) {
                        (Some(&child), None) => at = child,
                        (Some(&child), _) if !rest.is_empty() => at = child,
                        (_, Some(Name::Here)) => return Some(at),
                        (_, Some(Name::At(path))) => {
                            let path: Vec<_> = path.iter().chain(rest).cloned().collect();
                            return self.walk(at, &path, passed, left);
                        }
                        (_, None) => {
                            let names = &path[index..];
                            return self.by_glob(at, names, passed, left).or_else(|| {
                                // What a macro makes is defined where the path ends.
                                (index > 0).then_some(at)
                            });
                        }
                    }
                }
            }
            if !matches!(name.as_str(), "self" | "super") {
                passed.push(at);
            }
        }
        None
    }

    fn by_glob(
        &self,
        at: usize,
        names: &[String],
        passed: &mut Vec<usize>,
        left: usize,
    ) -> Option<usize> {
        self.modules[at].globs.iter().find_map(|glob| {
            let mut path = glob.clone();
            path.extend_from_slice(names);
            self.walk(at, &path, passed, left)
        })
    }
}
