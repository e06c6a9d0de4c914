//! Matrix products on row-major slices, one thread.

use gemm::Parallelism;

/// A matrix inside a slice: element `(i, j)` stands at `i * rows + j * cols`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix whose rows are `width` long.
    pub(crate) fn new(data: &'a [f32], width: usize) -> Self {
        Self {
            data,
            rows: width,
            cols: 1,
        }
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
        }
    }
}

/// `out = a * b`, or `out += a * b` with `accumulate`; `out` is `m x n` row-major, `k` is inside.
///
/// # Panics
///
/// When a slice is too short for its matrix.
pub(crate) fn multiply(
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    accumulate: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        if !accumulate {
            out[..m * n].fill(0.0);
        }
        return;
    }
    assert!(out.len() >= m * n);
    assert!((m - 1) * a.rows + (k - 1) * a.cols < a.data.len());
    assert!((k - 1) * b.rows + (n - 1) * b.cols < b.data.len());
    // SAFETY: the assertions above keep every element that the three strided views name inside
    // its slice, and `out` is borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.data.as_ptr(),
            a.cols as isize,
            a.rows as isize,
            b.data.as_ptr(),
            b.cols as isize,
            b.rows as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_match_the_definition() {
        let (m, n, k) = (5, 7, 3);
        let a: Vec<f32> = (0..m * k).map(|i| i as f32 - 6.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i as f32) * 0.5 - 4.0).collect();
        let mut out = vec![1.0; m * n];
        multiply(
            (m, n, k),
            Matrix::new(&a, k),
            Matrix::new(&b, n),
            &mut out,
            true,
        );
        let mut transposed = vec![0.0; n * m];
        multiply(
            (n, m, k),
            Matrix::new(&b, n).transposed(),
            Matrix::new(&a, k).transposed(),
            &mut transposed,
            false,
        );
        for i in 0..m {
            for j in 0..n {
                let sum: f32 = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
                assert_eq!(out[i * n + j], sum + 1.0);
                assert_eq!(transposed[j * m + i], sum);
            }
        }
    }
}
