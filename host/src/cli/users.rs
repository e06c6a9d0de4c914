//! `sudal users`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use sudal::device;
use sudal::serve::{Right, UserError, UserFile};

use super::output::Output;

/// Say who may use the page, by which password, and for what.
///
/// `sudal serve --users` then lets in nobody else. Who is added, removed or given another role is so
/// within a second, also while the page is served, and whoever was removed is signed out.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal users add kim --role teach
      asks for a password twice
  sudal users add hall --role watch --file users.json < password.txt
      reads it from standard input
  sudal users list")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
    /// The file of users [default: in the user's state folder, where `sudal serve --users` looks, too].
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Add somebody. The password is asked for, or is the first line of standard input.
    Add {
        /// What they sign in with, and what the audit calls them.
        name: String,
        /// What they may do: watch; teach, too; or administer, which is all.
        #[arg(long, value_enum)]
        role: Role,
        /// Give somebody who is there another password and role.
        #[arg(long)]
        replace: bool,
    },
    /// Remove somebody.
    Remove {
        /// Who.
        name: String,
    },
    /// List everybody.
    List,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// See pictures, verdicts, counters, the log and the report.
    Watch,
    /// Teach, correct and undo, too, and begin shifts.
    Teach,
    /// Everything: settings, and reading who did what.
    Administer,
}

impl From<Role> for Right {
    fn from(role: Role) -> Self {
        match role {
            Role::Watch => Self::Watch,
            Role::Teach => Self::Teach,
            Role::Administer => Self::Administer,
        }
    }
}

/// Where the users are unless one says otherwise.
pub(super) fn usual_file() -> PathBuf {
    device::state_dir("serve").join("users.json")
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let path = args.file.clone().unwrap_or_else(usual_file);
    match &args.action {
        Action::Add {
            name,
            role,
            replace,
        } => {
            let mut file = UserFile::read_or_begin(&path)?;
            // Before anybody thinks of a password.
            if file.find(name).is_some() && !replace {
                bail!(UserError::Taken(name.clone()));
            }
            file.add(name, (*role).into(), &password()?, *replace)?;
            write(&file, &path)?;
            let text = format!(
                "{name} may use the page: sudal serve --users {}",
                path.display()
            );
            output.result(&json!({ "name": name, "file": path }), text)
        }
        Action::Remove { name } => {
            let mut file = UserFile::read(&path)?;
            file.remove(name)?;
            write(&file, &path)?;
            output.result(
                &json!({ "name": name, "file": path }),
                format!("{name} is removed"),
            )
        }
        Action::List if args.file.is_none() && !path.try_exists()? => {
            let none = json!({ "users": [], "file": path });
            output.result(
                &none,
                "there are no users yet: `sudal users add NAME --role administer`",
            )
        }
        Action::List => {
            let file = UserFile::read(&path)?;
            let users: Vec<_> = file
                .users()
                .iter()
                .map(|user| json!({ "name": user.name, "role": user.right }))
                .collect();
            let lines: Vec<_> = users
                .iter()
                .filter_map(|user| {
                    Some(format!(
                        "{}: {}",
                        user["name"].as_str()?,
                        user["role"].as_str()?
                    ))
                })
                .collect();
            output.result(&json!({ "users": users, "file": path }), lines.join("\n"))
        }
    }
}

fn write(file: &UserFile, path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(file.write(path)?)
}

/// From the keyboard, unseen, or from what is piped in; never from the command line, which others see.
fn password() -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Once more: ")? != password {
        bail!("that was another password: nothing was changed");
    }
    Ok(password)
}
