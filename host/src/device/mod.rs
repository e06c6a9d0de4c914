//! Boards and what one does with them: flash, connect, enrol, classify, read the logs.
//!
//! A [`Board`] is something that runs the firmware: [`Emulator`] is a Cortex-M7 board in QEMU,
//! [`HostBoard`] is the same firmware library in this process, [`UsbBoard`] one at a USB
//! port. A [`Client`] speaks the firmware's
//! protocol over the line that a board gives.
//!
//! ```no_run
//! use sudal::device::{self, Geometry, PixelFormat};
//!
//! let mut board = device::open("mps2-an500", &device::state_dir("mps2-an500"))?;
//! board.flash(&std::fs::read("parts.sudal")?, &mut |step| eprintln!("{step}"))?;
//! let mut client = board.connect()?;
//! let geometry = Geometry { width: 28, height: 28, format: PixelFormat::Grey8 };
//! client.send_frame(geometry, &[0; 784])?;
//! client.enroll("gear")?;
//! println!("{}", client.classify()?.name);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod backup;
mod bench;
mod block;
mod board;
mod boards;
mod claim;
mod client;
pub mod doctor;
mod emulator;
mod error;
mod file;
mod firmware;
mod flaws;
mod guard;
mod held;
mod holder;
mod host_board;
mod inspector;
mod install;
mod keys;
mod link;
mod logs;
mod machine;
mod name;
mod open;
mod profile;
mod programs;
mod qemu;
mod separation;
mod shots;
mod show;
mod toolchain;
mod usb;

pub use answers::{Class, Damage, Distance, Embedding, Enrolled, Info, ModelInfo, Picture};
pub use answers::{Protection, Verdict};
pub use backup::{Backup, BackupError, Restored};
pub use bench::{build_bench, try_kernels};
pub use board::{Board, Memory};
pub use boards::{BOARDS, EMULATOR, OPENMV_N6, canonical};
pub use claim::Claim;
pub use client::{Client, ClientError, RetryPolicy};
pub use emulator::Emulator;
pub use error::BoardError;
pub use file::FileMedium;
pub use firmware::build as build_firmware;
pub use flaws::{Example, Examples, FlawsError, Found, Line, Looked, Missed, Plain, over_products};
pub use held::{Hold, WAIT};
pub use holder::{Holder, Purpose};
pub use host_board::HostBoard;
pub use inspector::{Heatmap, Judgement};
pub use keys::{KeyError, LockKey, PublicKey, SigningKey};
pub use link::Link;
pub use logs::{LogLine, Logs};
pub use machine::Machine;
pub use name::{NameError, is_hidden, name, shown};
pub use open::{open, open_at, state_dir};
pub use profile::{CmsisNn, Comparison, Group, Layer, Profile, profile};
pub use profile::{FrameCost, FrameTable, LineCost, profile_frames};
pub use profile::{HeadCost, HeadRow, HeadTable, profile_heads};
pub use profile::{Survey, Surveyed, survey};
pub use separation::{Pair, Separation};
pub use shots::Shots;
pub use show::{seen, shown_size};
pub use sudal_firmware::camera::{CameraError, Geometry, PixelFormat};
pub use sudal_firmware::decision::{Basis, Filter, Outcome, Outlier, Quality, Rate, Same, Stable};
pub use sudal_firmware::device::{Boots, Cause, Failure};
pub use sudal_firmware::heads::{Head, Role};
pub use sudal_firmware::image::signature::Product;
pub use sudal_firmware::preprocess::align::{Align, Alignment, Pose};
pub use sudal_firmware::preprocess::{Fit, Region};
pub use sudal_firmware::protocol::{Anomaly, InspectionError, InspectionInfo, InspectionRequest};
pub use sudal_firmware::protocol::{
    Check, Decision, DecisionConfig, DecisionError, DeviceError, DriftInfo, ImageFault, LockError,
    LockState, Slot, Stats, UpdateError,
};
pub use sudal_firmware::store::{MAX_SHOTS, StoreError};
pub use usb::{Kind, Program, Room, UsbBoard, Way, programs, rooms};
