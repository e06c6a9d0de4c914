//! What functions in assembly start with.

/// What a whole function in assembly starts with: on `thumbv8m.main` the name of a processor that has
/// the instructions, as whoever reads the intermediate code for its symbols knows the target only.
#[cfg(helium)]
macro_rules! processor {
    () => {
        ".cpu cortex-m55"
    };
}
#[cfg(all(dsp_by_processor, not(helium)))]
macro_rules! processor {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(dsp_by_processor))]
macro_rules! processor {
    () => {
        ""
    };
}
