//! The commands, a file each, and the exit codes; what they share stands in [`data`], [`device`], [`model`] and
//! [`output`].

mod align;
mod backup;
mod board;
mod boards;
mod bounds;
mod check;
mod classify;
#[cfg(feature = "convert")]
mod conversion;
mod data;
mod decide;
mod demo;
mod device;
mod doctor;
mod enroll;
mod episodes;
mod eval;
mod explain;
#[cfg(feature = "serve")]
mod fleet;
mod head;
mod heads;
mod help;
mod inspect;
mod inspection;
mod interrupt;
mod key;
mod lock;
mod missing_features;
mod model;
mod models;
mod names;
mod openset;
mod output;
mod output_file;
mod own_pictures;
mod pictures;
mod profile;
mod re_enroll;
mod scratch;
mod selftest;
#[cfg(feature = "serve")]
mod serve;
mod sign;
mod teach;
#[cfg(feature = "train")]
mod training;
mod update;
#[cfg(feature = "serve")]
mod users;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use output::{Level, Output};

/// Few-shot vision for microcontroller cameras.
///
/// A network is meta-trained on this computer on many small tasks, so that it tells classes apart
/// which it never saw. A board with a camera then learns a class from a few frames and classifies
/// new ones by their distance to them.
#[derive(Parser)]
#[command(name = "sudal", version, arg_required_else_help = true)]
struct Cli {
    /// Print results as JSON on standard output, nothing else there.
    #[arg(help_heading = "Output", long, global = true)]
    json: bool,
    /// Say nothing but results and errors.
    #[arg(
        help_heading = "Output",
        long,
        short,
        global = true,
        conflicts_with = "verbose"
    )]
    quiet: bool,
    /// Say also when each step began, and what was read and from where.
    #[arg(help_heading = "Output", long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "train")]
    #[command(flatten)]
    Training(Box<training::Command>),
    #[cfg(feature = "convert")]
    #[command(flatten)]
    Conversion(conversion::Command),
    Eval(eval::Args),
    Openset(openset::Args),
    Inspect(inspect::Args),
    Explain(explain::Args),
    Profile(profile::Args),
    Models(models::Args),
    Boards(boards::Args),
    Doctor(doctor::Args),
    Flash(board::Flash),
    Run(board::Run),
    Info(board::Info),
    Check(check::Args),
    Teach(teach::Teach),
    Enroll(enroll::Enroll),
    ReEnroll(re_enroll::ReEnroll),
    Classify(classify::Classify),
    Head(head::Args),
    Decide(decide::Decide),
    Role(decide::SetRole),
    Recenter(decide::Recenter),
    Region(decide::SetRegion),
    Align(align::SetAlignment),
    Good(inspection::Good),
    Bad(inspection::Bad),
    Commission(inspection::Commission),
    Inspection(inspection::Inspection),
    List(board::List),
    Validate(validate::Validate),
    Rename(board::Rename),
    Remove(board::Remove),
    Reset(board::Reset),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Capture(board::Capture),
    Logs(board::Logs),
    Selftest(selftest::Args),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Args>),
    #[cfg(feature = "serve")]
    Fleet(fleet::Args),
    #[cfg(feature = "serve")]
    Users(users::Args),
    Stop(board::Stop),
    Key(key::Args),
    Lock(lock::Lock),
    Trust(lock::Trust),
    Recover(lock::Recover),
    Sign(sign::Args),
    Update(update::Args),
    Pictures(pictures::Args),
    Demo(demo::Args),
    /// Print the completion script of a shell.
    ///
    /// bash: sudal completions bash > ~/.local/share/bash-completion/completions/sudal
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command line; 0 for success, 1 for a failure, 2 for a wrong call, 3 for a verdict of
/// `--fail-on`, 130 for Ctrl-C.
pub(crate) fn main() -> ExitCode {
    let matches = help::command(Cli::command()).try_get_matches();
    if let Some(said) = matches.as_ref().ok().and_then(missing_features::called) {
        output::tell(&said);
        return ExitCode::FAILURE;
    }
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(hint) = help::hint(Cli::command(), &error) {
                output::tell(&format!("error: {hint}"));
                return ExitCode::from(2);
            }
            error.exit();
        }
    };
    let output = Output::new(cli.json);
    output::set_level(match (cli.quiet, cli.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    });
    let result = match cli.command {
        #[cfg(feature = "train")]
        Command::Training(command) => training::run(&command, &output),
        #[cfg(feature = "convert")]
        Command::Conversion(command) => conversion::run(&command, &output),
        Command::Eval(args) => eval::run(&args, &output),
        Command::Openset(args) => openset::run(&args, &output),
        Command::Inspect(args) => inspect::run(&args, &output),
        Command::Explain(args) => explain::run(&args, &output),
        Command::Profile(args) => profile::run(&args, &output),
        Command::Models(args) => models::run(&args, &output),
        Command::Boards(args) => boards::run(&args, &output),
        Command::Doctor(args) => doctor::run(&args, &output),
        Command::Flash(args) => args.run(&output),
        Command::Run(args) => args.run(&output),
        Command::Info(args) => args.run(&output),
        Command::Check(args) => check::run(&args, &output),
        Command::Teach(args) => args.run(&output),
        Command::Enroll(args) => args.run(&output),
        Command::ReEnroll(args) => args.run(&output),
        Command::Classify(args) => args.run(&output),
        Command::Head(args) => head::run(&args, &output),
        Command::Decide(args) => args.run(&output),
        Command::Role(args) => args.run(&output),
        Command::Recenter(args) => args.run(&output),
        Command::Region(args) => args.run(&output),
        Command::Align(args) => args.run(&output),
        Command::Good(args) => args.run(&output),
        Command::Bad(args) => args.run(&output),
        Command::Commission(args) => args.run(&output),
        Command::Inspection(args) => args.run(&output),
        Command::List(args) => args.run(&output),
        Command::Validate(args) => args.run(&output),
        Command::Rename(args) => args.run(&output),
        Command::Remove(args) => args.run(&output),
        Command::Reset(args) => args.run(&output),
        Command::Backup(args) => args.run(&output),
        Command::Restore(args) => args.run(&output),
        Command::Capture(args) => args.run(&output),
        Command::Logs(args) => args.run(&output),
        Command::Selftest(args) => selftest::run(&args, &output),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args, &output),
        #[cfg(feature = "serve")]
        Command::Fleet(args) => fleet::run(&args, &output),
        #[cfg(feature = "serve")]
        Command::Users(args) => users::run(&args, &output),
        Command::Stop(args) => args.run(&output),
        Command::Key(args) => key::run(&args, &output),
        Command::Lock(args) => args.run(&output),
        Command::Trust(args) => args.run(&output),
        Command::Recover(args) => args.run(&output),
        Command::Sign(args) => sign::run(&args, &output),
        Command::Update(args) => update::run(&args, &output),
        Command::Pictures(args) => pictures::run(&args, &output),
        Command::Demo(args) => demo::run(&args, &output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sudal", &mut script);
            output::print(String::from_utf8_lossy(&script).trim_end())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<output::Unread>() => ExitCode::SUCCESS,
        Err(error) if error.is::<interrupt::Interrupted>() => {
            output::tell(&error.to_string());
            ExitCode::from(130)
        }
        Err(error) if error.is::<classify::FailedOn>() => {
            output.step(error);
            ExitCode::from(3)
        }
        Err(error) if error.is::<selftest::Failed>() => {
            output::tell(&error.to_string());
            ExitCode::FAILURE
        }
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
