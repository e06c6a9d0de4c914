//! The command `sudal`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
