//! See `sudal_fuzz::frame`.
#![cfg_attr(fuzzing, no_main)]

sudal_fuzz::target!(frame);
