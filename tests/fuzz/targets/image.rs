//! See `sudal_fuzz::image`.
#![cfg_attr(fuzzing, no_main)]

sudal_fuzz::target!(image);
