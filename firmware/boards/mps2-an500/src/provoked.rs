//! The firmware of `main.rs`, which also fails when it is told to; for tests.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for the target thumbv7em-none-eabihf");
    std::process::exit(1);
}
