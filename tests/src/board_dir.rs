//! A folder for an emulated board that does not outlive its test.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Waits for the end of its input, which comes with that of the process that holds it, and kills whatever works in
/// a folder, whether that is still there or not. Where there is no `/proc` it does nothing.
const WATCH: &str = r#"
read _
for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in
        "$0" | "$0/"* | "$0 (deleted)") kill -9 "${process#/proc/}" ;;
    esac
done 2>/dev/null
"#;

/// A new folder. An emulator in it, which would run on, ends when this is dropped, and when this process ends,
/// however it does.
pub struct BoardDir {
    dir: TempDir,
    watch: Child,
}

impl BoardDir {
    /// Makes it.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let watch = Command::new("sh")
            .arg("-c")
            .arg(WATCH)
            .arg(dir.path().canonicalize().unwrap())
            .stdin(Stdio::piped())
            // What ends the tests, as Ctrl-C does, is not for this.
            .process_group(0)
            .spawn();
        Self {
            dir,
            watch: watch.unwrap(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for BoardDir {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn what_works_in_it_ends_with_it_and_nothing_else_does() {
        let [dir, other] = [BoardDir::new(), BoardDir::new()];
        let within = |dir: &BoardDir| {
            let mut sleep = Command::new("sleep");
            sleep.arg("1000").current_dir(dir.path()).spawn().unwrap()
        };
        let [mut ends, mut stays] = [within(&dir), within(&other)];
        drop(dir);
        assert_eq!(ends.wait().unwrap().signal(), Some(9));
        assert!(stays.try_wait().unwrap().is_none());
        drop(other);
        stays.wait().unwrap();
    }
}
