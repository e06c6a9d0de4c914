//! The command `sudal`.

#[cfg_attr(
    not(all(feature = "train", feature = "serve")),
    allow(
        dead_code,
        unused_variables,
        reason = "commands that are left out share code with the others"
    )
)]
mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
