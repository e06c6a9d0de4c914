//! Products of rows and columns by vector instructions of x86-64, where the processor has them.
//!
//! A vector of int16 holds slots of both rows of a pair, the first in its low bytes and the second in its
//! high ones: a shift or two make each of them a row of int16, which lies as the columns do.

use core::arch::x86_64::{
    __cpuid_count, __m256i, __m512i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_shuffle_epi32,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_setzero_si256, _mm256_slli_epi16, _mm256_srai_epi16,
    _mm512_castsi512_si256, _mm512_dpwssd_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_epi8,
    _mm512_loadu_epi16, _mm512_maskz_loadu_epi16, _mm512_setzero_si512, _mm512_slli_epi16,
    _mm512_srai_epi16,
};
use core::sync::atomic::{AtomicU8, Ordering};

cpufeatures::new!(avx2, "avx2");
cpufeatures::new!(avx512, "avx512f", "avx512bw");

/// Whether the processor has products of vectors that are added up, once that is known.
static VNNI: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 2;

#[inline(always)]
fn vnni() -> bool {
    match VNNI.load(Ordering::Relaxed) {
        UNKNOWN => find_vnni(),
        found => found == 1,
    }
}

#[cold]
fn find_vnni() -> bool {
    let found = avx512::get() && __cpuid_count(7, 0).ecx >> 11 & 1 == 1;
    VNNI.store(found.into(), Ordering::Relaxed);
    found
}

/// Slots of a vector with AVX2, and with AVX-512.
const NARROW: usize = 16;
const BROAD: usize = 32;

/// Products of a pair of rows with `N` columns, `row_len` slots each; `None` where the processor has no
/// instructions for them.
#[inline(always)]
pub(super) fn dot<const N: usize>(
    row: &[i8],
    columns: &[i16],
    row_len: usize,
) -> Option<[[i32; N]; 2]> {
    let row = row.get(..2 * row_len)?;
    let columns = columns.get(..N * row_len)?;
    // SAFETY: the processor has the instructions.
    unsafe {
        if vnni() {
            return Some(broad(row, columns, row_len));
        }
        (row_len >= NARROW && avx2::get()).then(|| narrow(row, columns, row_len))
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn broad<const N: usize>(row: &[i8], columns: &[i16], row_len: usize) -> [[i32; N]; 2] {
    let mut acc = [[_mm512_setzero_si512(); N]; 2];
    let row = row.as_ptr();
    let whole = row_len / BROAD * BROAD;
    for slot in (0..whole).step_by(BROAD) {
        // SAFETY: row and columns have as many slots.
        let pairs = unsafe { _mm512_loadu_epi8(row.add(2 * slot)) };
        let weights = [
            _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(pairs)),
            _mm512_srai_epi16::<8>(pairs),
        ];
        for column in 0..N {
            let from = columns.as_ptr().wrapping_add(column * row_len + slot);
            // SAFETY: as above.
            let values = unsafe { _mm512_loadu_epi16(from) };
            for (acc, weights) in acc.iter_mut().zip(weights) {
                acc[column] = _mm512_dpwssd_epi32(acc[column], weights, values);
            }
        }
    }
    if whole < row_len {
        let mask = (1_u32 << (row_len - whole)) - 1;
        // SAFETY: the slots of the mask are there.
        let pairs = unsafe { _mm512_maskz_loadu_epi16(mask, row.add(2 * whole).cast()) };
        let weights = [
            _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(pairs)),
            _mm512_srai_epi16::<8>(pairs),
        ];
        for column in 0..N {
            let from = columns.as_ptr().wrapping_add(column * row_len + whole);
            // SAFETY: as above.
            let values = unsafe { _mm512_maskz_loadu_epi16(mask, from) };
            for (acc, weights) in acc.iter_mut().zip(weights) {
                acc[column] = _mm512_dpwssd_epi32(acc[column], weights, values);
            }
        }
    }
    acc.map(|acc| acc.map(|acc| sum(halves(acc))))
}

#[target_feature(enable = "avx512f,avx512bw")]
fn halves(acc: __m512i) -> __m256i {
    _mm256_add_epi32(
        _mm512_castsi512_si256(acc),
        _mm512_extracti64x4_epi64::<1>(acc),
    )
}

#[target_feature(enable = "avx2")]
fn narrow<const N: usize>(row: &[i8], columns: &[i16], row_len: usize) -> [[i32; N]; 2] {
    let mut acc = [[_mm256_setzero_si256(); N]; 2];
    let whole = row_len / NARROW * NARROW;
    for slot in (0..whole).step_by(NARROW) {
        // SAFETY: row and columns have as many slots.
        let pairs = unsafe { _mm256_loadu_si256(row.as_ptr().add(2 * slot).cast()) };
        let weights = [
            _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(pairs)),
            _mm256_srai_epi16::<8>(pairs),
        ];
        for column in 0..N {
            let from = columns.as_ptr().wrapping_add(column * row_len + slot);
            // SAFETY: as above.
            let values = unsafe { _mm256_loadu_si256(from.cast()) };
            for (acc, weights) in acc.iter_mut().zip(weights) {
                let products = _mm256_madd_epi16(weights, values);
                acc[column] = _mm256_add_epi32(acc[column], products);
            }
        }
    }
    let mut sums = acc.map(|acc| acc.map(|acc| sum(acc)));
    let (pairs, _) = row.as_chunks::<2>();
    for (slot, pair) in pairs.iter().enumerate().skip(whole) {
        for (sums, &weight) in sums.iter_mut().zip(pair) {
            for (column, sum) in sums.iter_mut().enumerate() {
                let value = i32::from(columns[column * row_len + slot]);
                *sum = sum.wrapping_add(i32::from(weight) * value);
            }
        }
    }
    sums
}

#[target_feature(enable = "avx2")]
fn sum(acc: __m256i) -> i32 {
    let four = _mm_add_epi32(
        _mm256_castsi256_si128(acc),
        _mm256_extracti128_si256::<1>(acc),
    );
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b_01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b_10_11_00_01>(two)))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::super::plain;
    use super::*;

    #[test]
    fn vectors_give_what_the_plain_loop_does() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 28 {
                0 => i8::MIN,
                1 => i8::MAX,
                _ => (state >> 16) as i8,
            }
        };
        for row_len in (2..200).step_by(2) {
            let row: Vec<i8> = (0..2 * row_len).map(|_| next()).collect();
            let columns: Vec<i16> = (0..4 * row_len).map(|_| next().into()).collect();
            let expected = plain::<4>(&row, &columns, row_len);
            let single = plain::<1>(&row, &columns, row_len);
            // SAFETY: the processor has the instructions.
            unsafe {
                if avx2::get() {
                    assert_eq!(narrow(&row, &columns, row_len), expected, "{row_len}");
                    assert_eq!(narrow(&row, &columns, row_len), single, "{row_len}");
                }
                if vnni() {
                    assert_eq!(broad(&row, &columns, row_len), expected, "{row_len}");
                    assert_eq!(broad(&row, &columns, row_len), single, "{row_len}");
                }
            }
        }
    }
}
