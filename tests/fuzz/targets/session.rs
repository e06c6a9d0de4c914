//! See `sudal_fuzz::session`.
#![cfg_attr(fuzzing, no_main)]

sudal_fuzz::target!(session);
