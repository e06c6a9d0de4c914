//! Where an operation that may write over its input reads and writes.

/// Where a kernel reads and writes.
pub(crate) enum Place<'a> {
    /// Input and output are apart.
    Apart(&'a [i8], &'a mut [i8]),
    /// The output is written over the input.
    Same(&'a mut [i8]),
}

impl Place<'_> {
    #[inline(always)]
    pub(crate) fn input(&self) -> &[i8] {
        match self {
            Self::Apart(input, _) => input,
            Self::Same(both) => both,
        }
    }

    #[inline(always)]
    pub(crate) fn output(&mut self) -> &mut [i8] {
        match self {
            Self::Apart(_, output) => output,
            Self::Same(both) => both,
        }
    }

    /// Start and length of the input, then of the output.
    #[cfg(dsp)]
    pub(crate) fn parts(&mut self) -> ((*const i8, usize), (*mut i8, usize)) {
        match self {
            Self::Apart(input, output) => (
                (input.as_ptr(), input.len()),
                (output.as_mut_ptr(), output.len()),
            ),
            Self::Same(both) => {
                let (start, len) = (both.as_mut_ptr(), both.len());
                ((start.cast_const(), len), (start, len))
            }
        }
    }
}
