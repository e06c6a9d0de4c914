//! What several tests need: a model, pictures, a line that loses bytes.

mod board_dir;
mod browser;
mod data;
mod http;
mod imports;
mod install;
mod line;
mod model;
mod mosquitto;
mod plate;
mod power;
mod served;
mod wired;

pub use board_dir::BoardDir;
pub use browser::Browser;
pub use data::data;
pub use http::{Reply, request_of};
pub use imports::Imports;
pub use install::{node_packages, program, python_with};
pub use line::Noisy;
pub use model::{calibrated_block_means, change, tested_block_means};
pub use mosquitto::{Cuttable, Mosquitto};
pub use plate::{flawed_plate, plate};
pub use power::{Flash, Power};
pub use served::{Served, events, host_line};
pub use sudal_fuzz::block_means;
pub use wired::Wired;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::device::{Geometry, PixelFormat};

/// Geometry of [`picture`] and of the input of [`block_means`].
pub const GEOMETRY: Geometry = Geometry {
    width: 28,
    height: 28,
    format: PixelFormat::Grey8,
};

/// A picture of one of many classes: bright blocks whose places the class decides, with noise that
/// `number` decides.
#[must_use]
pub fn picture(class: u64, number: u64) -> Vec<u8> {
    let mut blocks = ChaCha8Rng::seed_from_u64(class);
    let bright: Vec<bool> = (0..49).map(|_| blocks.random_bool(0.4)).collect();
    let mut noise = ChaCha8Rng::seed_from_u64(class << 32 | number);
    (0..28 * 28)
        .map(|pixel| {
            let (row, column) = (pixel / 28, pixel % 28);
            let level = if bright[row / 4 * 7 + column / 4] {
                160
            } else {
                40
            };
            level + noise.random_range(0..60)
        })
        .collect()
}
