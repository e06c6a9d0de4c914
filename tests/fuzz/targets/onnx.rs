//! See `sudal_fuzz::onnx`.
#![cfg_attr(fuzzing, no_main)]

sudal_fuzz::target!(onnx);
