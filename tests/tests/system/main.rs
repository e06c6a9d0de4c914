//! What crosses the crates: host against emulated board, files, faults.

mod backup;
mod board;
mod budget;
mod capi;
mod corpora;
mod decisions;
mod faults;
mod guard;
mod imports;
mod inspected;
mod inspection;
mod kernels;
mod line;
mod lossy;
mod models;
mod onnx;
mod openmv;
mod page;
mod pico;
mod pictures;
mod plc;
mod preprocess;
mod serve;
mod source;
mod station;
mod surfaces;
