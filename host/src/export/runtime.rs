//! Finding, fetching and loading the ONNX Runtime library.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use ort::environment::Environment;

use crate::cache;

/// Environment variable that names the library, before anything else is looked at.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";
/// What pip installs: the oldest version whose interface this crate speaks.
const REQUIREMENT: &str = "onnxruntime>=1.20";

/// Why ONNX Runtime can not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// No library in any of the usual places.
    #[error(
        "no ONNX Runtime library found in {LIBRARY_VARIABLE}, {}, python3's packages or the system's \
         libraries: run `pip install onnxruntime`, or `sudal verify --setup`, or set {LIBRARY_VARIABLE} \
         to the library's path", cache.display()
    )]
    Missing {
        /// Where [`setup`] puts the library.
        cache: PathBuf,
    },
    /// `ORT_DYLIB_PATH` names no file.
    #[error("{LIBRARY_VARIABLE} names {}, which is no file: correct it or unset it", .0.display())]
    NoFile(PathBuf),
    /// The library was found but can not be loaded.
    #[error("ONNX Runtime in {} can not be used: {reason}; `pip install -U onnxruntime` gets another", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// pip could not fetch the library.
    #[error(
        "`{command}` failed: {reason}; get ONNX Runtime another way and set {LIBRARY_VARIABLE}"
    )]
    Setup {
        /// The command that was run.
        command: String,
        /// The last lines that it wrote.
        reason: String,
    },
}

/// The library in use by this process; ONNX Runtime allows one environment.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Loads ONNX Runtime once per process and says from where.
///
/// # Errors
/// [`RuntimeError`] if no library is found or it does not load.
pub(super) fn load() -> Result<(PathBuf, Environment), RuntimeError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = loaded.as_ref() {
        return Ok(loaded.clone());
    }
    let path = find()?;
    let fail = |reason: String| RuntimeError::Load {
        path: path.clone(),
        reason,
    };
    let environment = ort::init_from(&path)
        .map_err(|e| fail(e.to_string()))?
        .with_telemetry(false)
        .build()
        .map_err(|e| fail(e.to_string()))?;
    Ok(loaded.insert((path, environment)).clone())
}

/// Looks for the library: `ORT_DYLIB_PATH`, the cache, python3's packages, the system.
///
/// # Errors
/// [`RuntimeError::NoFile`] if the variable is wrong, [`RuntimeError::Missing`] if it is nowhere.
pub fn find() -> Result<PathBuf, RuntimeError> {
    if let Some(path) = env::var_os(LIBRARY_VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(RuntimeError::NoFile(path))
        };
    }
    let cache = cache_dir();
    library_in(&cache.join("onnxruntime").join("capi"))
        .or_else(|| python_package().and_then(|package| library_in(&package.join("capi"))))
        .or_else(|| system_dirs().iter().find_map(|dir| library_in(dir)))
        .ok_or(RuntimeError::Missing { cache })
}

/// Fetches the library by pip into the cache, unless one is found already; returns its path.
///
/// # Errors
/// [`RuntimeError::Setup`] if pip fails, [`RuntimeError::NoFile`] if `ORT_DYLIB_PATH` is wrong.
pub fn setup() -> Result<PathBuf, RuntimeError> {
    match find() {
        Err(RuntimeError::Missing { .. }) => {}
        found => return found,
    }
    let cache = cache_dir();
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--upgrade",
        "--target",
    ]);
    command.arg(&cache).arg(REQUIREMENT);
    let text = format!(
        "python3 -m pip install --no-deps --target {} '{REQUIREMENT}'",
        cache.display()
    );
    let fail = |reason: String| RuntimeError::Setup {
        command: text.clone(),
        reason,
    };
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| fail(e.to_string()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = stderr.lines().collect();
        return Err(fail(lines[lines.len().saturating_sub(3)..].join(" / ")));
    }
    find()
}

/// Where [`setup`] puts the library: `sudal/onnxruntime` in the user's cache.
fn cache_dir() -> PathBuf {
    cache::dir().join("onnxruntime")
}

/// The folder of python3's `onnxruntime` package, found without importing it.
fn python_package() -> Option<PathBuf> {
    const FIND: &str = "import importlib.util as u; s = u.find_spec('onnxruntime'); \
                        print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new("python3")
        .args(["-c", FIND])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let path = text.trim();
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// Folders in which package managers put libraries.
fn system_dirs() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib64",
        "/opt/homebrew/lib",
    ]
    .map(PathBuf::from)
    .into();
    dirs.push(format!("/usr/lib/{}-linux-gnu", env::consts::ARCH).into());
    dirs
}

/// The ONNX Runtime library in a folder, the newest name first.
fn library_in(dir: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(is_library)
        })
        .collect();
    found.sort();
    found.pop()
}

/// Whether a file name is that of the library itself, not of one of its providers.
fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name.starts_with("libonnxruntime.so")
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_told_from_its_providers() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(library_in(dir.path()), None);
        for name in [
            "libonnxruntime_providers_shared.so",
            "onnxruntime_pybind11_state.so",
        ] {
            fs::write(dir.path().join(name), []).unwrap();
        }
        assert_eq!(library_in(dir.path()), None);
        for name in ["libonnxruntime.so", "libonnxruntime.so.1.20.1"] {
            fs::write(dir.path().join(name), []).unwrap();
        }
        assert_eq!(
            library_in(dir.path()),
            Some(dir.path().join("libonnxruntime.so.1.20.1"))
        );
        assert_eq!(library_in(&dir.path().join("absent")), None);
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let text = RuntimeError::Missing {
            cache: PathBuf::from("/cache/sudal"),
        }
        .to_string();
        assert!(
            text.contains("/cache/sudal") && text.contains("pip install onnxruntime"),
            "{text}"
        );
    }
}
