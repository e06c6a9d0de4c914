//! See `sudal_fuzz::store`.
#![cfg_attr(fuzzing, no_main)]

sudal_fuzz::target!(store);
