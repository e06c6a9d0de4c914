//! Logs through `defmt` where the feature is on, nothing elsewhere: the host links this crate
//! without a `defmt` logger.

macro_rules! log {
    ($level:ident, $text:literal $(, $argument:expr)* $(,)?) => {{
        #[cfg(feature = "defmt")]
        ::defmt::$level!($text $(, $argument)*);
        #[cfg(not(feature = "defmt"))]
        { $( let _ = &$argument; )* }
    }};
}

macro_rules! info {
    ($($rest:tt)*) => { log!(info, $($rest)*) };
}

macro_rules! warning {
    ($($rest:tt)*) => { log!(warn, $($rest)*) };
}
