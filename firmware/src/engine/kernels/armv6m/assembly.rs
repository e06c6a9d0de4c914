//! Rows times columns in assembly: the compiler keeps neither all four sums nor the weight in registers.

use core::arch::global_asm;

// Called with r0: weights, words of two taps of two rows; r1, r2: start and end of the columns, two words a
// tap; r3: where the four sums go. Words are aligned, and there are two taps at least.
//
// r0 to r3 are the sums, r4 the weight, r5 and r6 values, r7 the columns. r8 is where the weights are, r9 the
// bytes of a word, r10 the word, r11 where the columns end, r12 where the sums go.
//
// A tap: a word holds the values of two columns.
macro_rules! tap {
    () => {
        "ldmia r7!, {{r5}}
        sxth r6, r5
        muls r6, r4, r6
        adds r0, r0, r6
        asrs r5, r5, #16
        muls r5, r4, r5
        adds r1, r1, r5
        ldmia r7!, {{r5}}
        sxth r6, r5
        muls r6, r4, r6
        adds r2, r2, r6
        asrs r5, r5, #16
        muls r5, r4, r5
        adds r3, r3, r5"
    };
}

// A function whose weights are the bytes that `$first` and `$second` take from a word.
macro_rules! rows {
    ($name:literal, $first:literal, $second:literal) => {
        global_asm!(
            concat!(".global ", $name),
            concat!(".type ", $name, ", %function"),
            ".thumb_func",
            concat!($name, ":"),
            "push {{r4, r5, r6, r7, lr}}",
            "mov r4, r8",
            "mov r5, r9",
            "mov r6, r10",
            "mov r7, r11",
            "push {{r4, r5, r6, r7}}",
            "mov r8, r0",
            "movs r4, #4",
            "mov r9, r4",
            "mov r11, r2",
            "mov r12, r3",
            "mov r7, r1",
            "movs r0, #0",
            "movs r1, #0",
            "movs r2, #0",
            "movs r3, #0",
            "2:",
            "mov r4, r8",
            "ldr r4, [r4]",
            "mov r10, r4",
            $first,
            tap!(),
            "mov r4, r10",
            $second,
            tap!(),
            "add r8, r9",
            "cmp r7, r11",
            "bne 2b",
            "mov r4, r12",
            "stmia r4!, {{r0, r1, r2, r3}}",
            "pop {{r4, r5, r6, r7}}",
            "mov r8, r4",
            "mov r9, r5",
            "mov r10, r6",
            "mov r11, r7",
            "pop {{r4, r5, r6, r7, pc}}",
        );
    };
}

rows!(
    "sudal_first_row",
    "sxtb r4, r4",
    "lsls r4, r4, #8\nasrs r4, r4, #24"
);
rows!(
    "sudal_second_row",
    "lsls r4, r4, #16\nasrs r4, r4, #24",
    "asrs r4, r4, #24"
);

unsafe extern "C" {
    fn sudal_first_row(row: *const u32, from: *const u32, to: *const u32, sums: *mut i32);
    fn sudal_second_row(row: *const u32, from: *const u32, to: *const u32, sums: *mut i32);
}

/// As [`super::dot`]; none if these are not four columns of whole, aligned words.
pub(super) fn dot<const N: usize, const ROW: usize>(
    pair: &[[i8; 2]],
    columns: &[[i16; N]],
) -> Option<[i32; N]> {
    let pair = pair.get(..columns.len())?;
    let from = columns.as_ptr_range();
    let (row, from, to) = (
        pair.as_ptr().cast::<u32>(),
        from.start.cast::<u32>(),
        from.end.cast::<u32>(),
    );
    let whole = !pair.is_empty() && pair.len().is_multiple_of(2);
    if N != 4 || !whole || !row.is_aligned() || !from.is_aligned() {
        return None;
    }
    let mut sums = [0; N];
    let product = if ROW == 0 {
        sudal_first_row
    } else {
        sudal_second_row
    };
    // SAFETY: it reads the columns and as many taps of weights, both of which are slices, by aligned words,
    // an even number of taps and at least two, and writes four sums.
    unsafe { product(row, from, to, sums.as_mut_ptr()) };
    Some(sums)
}
