//! Commands that this build leaves out: still told of, with the way to get them.

use clap::{Arg, ArgMatches, Command};

/// A cargo feature, whether it is on, and its commands.
const FEATURES: [(&str, bool, &[&str]); 3] = [
    (
        "train",
        cfg!(feature = "train"),
        &["train", "tune", "bench", "sweep", "export", "verify"],
    ),
    (
        "convert",
        cfg!(feature = "convert"),
        &["whiten", "patches", "convert", "calibrate"],
    ),
    (
        "serve",
        cfg!(feature = "serve"),
        &["serve", "users", "fleet"],
    ),
];

/// How to get what a feature has.
pub(crate) fn advice(feature: &str) -> String {
    format!("not in this build; get it with: cargo install --path host --features {feature}")
}

/// The commands that are left out, each with its feature.
fn left_out() -> impl Iterator<Item = (&'static str, &'static str)> {
    FEATURES
        .into_iter()
        .filter(|(_, on, _)| !on)
        .flat_map(|(feature, _, commands)| commands.iter().map(move |&command| (command, feature)))
}

/// Adds them, so that help lists them and no call of one is a wrong call.
pub(crate) fn add(cli: Command) -> Command {
    left_out().fold(cli, |cli, (name, feature)| {
        let rest = Arg::new("arguments")
            .num_args(..)
            .trailing_var_arg(true)
            .allow_hyphen_values(true)
            .hide(true);
        let command = Command::new(name)
            .about(format!(
                "(not in this build, needs the feature `{feature}`)"
            ))
            .disable_help_flag(true)
            .arg(rest);
        cli.subcommand(command)
    })
}

/// What to say of a call of one of them.
pub(crate) fn called(matches: &ArgMatches) -> Option<String> {
    let called = matches.subcommand_name()?;
    let (name, feature) = left_out().find(|(name, _)| *name == called)?;
    Some(format!("sudal {name}: {}", advice(feature)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_command_of_a_feature_is_built_in_or_added_once() {
        let cli = add(Cli::command());
        for name in FEATURES.iter().flat_map(|(_, _, commands)| *commands) {
            let found = cli.get_subcommands().filter(|c| c.get_name() == *name);
            assert_eq!(found.count(), 1, "{name}");
        }
    }

    #[test]
    fn a_command_that_is_left_out_says_how_to_get_it_whatever_its_arguments() {
        for (name, feature) in left_out() {
            let call = ["sudal", name, "--data", "x", "--help", "-q"];
            let matches = add(Cli::command()).try_get_matches_from(call).unwrap();
            assert!(called(&matches).unwrap().ends_with(feature));
        }
        let matches = add(Cli::command())
            .try_get_matches_from(["sudal", "list"])
            .unwrap();
        assert_eq!(called(&matches), None);
    }
}
