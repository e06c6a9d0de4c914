//! The DSP instructions by their names.

use core::arch::asm;

/// Both products of halves added to `acc`, wrapping.
#[cfg(not(helium))]
#[inline(always)]
pub(super) fn smlad(x: u32, y: u32, acc: i32) -> i32 {
    let sum;
    // SAFETY: works on registers only.
    unsafe {
        asm!("smlad {}, {}, {}, {}", out(reg) sum, in(reg) x, in(reg) y, in(reg) acc,
            options(pure, nomem, nostack));
    }
    sum
}

/// Bytes 0 and 2 as signed halves.
#[inline(always)]
pub(super) fn sxtb16(x: u32) -> u32 {
    let halves;
    // SAFETY: works on registers only.
    unsafe {
        asm!("sxtb16 {}, {}", out(reg) halves, in(reg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    halves
}

/// Bytes 1 and 3 as signed halves.
#[inline(always)]
pub(super) fn sxtb16_ror8(x: u32) -> u32 {
    let halves;
    // SAFETY: works on registers only.
    unsafe {
        asm!("sxtb16 {}, {}, ror #8", out(reg) halves, in(reg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    halves
}

/// Bytes 0 and 2 of `x` as signed halves, each added to a half of `acc`.
#[inline(always)]
pub(super) fn sxtab16(acc: u32, x: u32) -> u32 {
    let halves;
    // SAFETY: works on registers only.
    unsafe {
        asm!("sxtab16 {}, {}, {}", out(reg) halves, in(reg) acc, in(reg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    halves
}

/// Bytes 1 and 3 of `x` as signed halves, each added to a half of `acc`.
#[inline(always)]
pub(super) fn sxtab16_ror8(acc: u32, x: u32) -> u32 {
    let halves;
    // SAFETY: works on registers only.
    unsafe {
        asm!("sxtab16 {}, {}, {}, ror #8", out(reg) halves, in(reg) acc, in(reg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
    halves
}

/// The greater of the signed bytes at each place.
#[cfg(not(helium))]
#[inline(always)]
pub(super) fn greater_bytes(x: u32, y: u32) -> u32 {
    let greater;
    // SAFETY: works on registers only; the flags that the first sets the second reads.
    unsafe {
        asm!("ssub8 {0}, {1}, {2}", "sel {0}, {1}, {2}",
            out(reg) greater, in(reg) x, in(reg) y, options(pure, nomem, nostack));
    }
    greater
}
