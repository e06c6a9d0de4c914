//! Moments of the pixels of a part.

/// Sums over pixels of the powers of their places: how many there are, where, how spread, how lopsided.
///
/// Places are counted in half pixels from the picture's middle, at most 2^9 to any side, of at most
/// 2^18 pixels, so that each sum fits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) count: i64,
    /// Sums of columns and of rows.
    first: [i64; 2],
    /// Of products of two and of three of them, by how many of these are rows.
    second: [i64; 3],
    third: [i64; 4],
}

impl Moments {
    /// Adds the pixels of row `y` in these columns.
    pub(super) fn add_row(&mut self, y: i32, columns: impl Iterator<Item = i32>) {
        let (mut count, mut x, mut xx, mut xxx) = (0_i32, 0, 0, 0_i64);
        for column in columns {
            count += 1;
            x += column;
            xx += column * column;
            xxx += i64::from(column * column * column);
        }
        let [y, count, x, xx] = [y, count, x, xx].map(i64::from);
        self.count += count;
        add(&mut self.first, [x, y * count]);
        add(&mut self.second, [xx, y * x, y * y * count]);
        add(&mut self.third, [xxx, y * xx, y * y * x, y * y * y * count]);
    }

    /// Where their middle is, in `parts` of a half pixel.
    pub(super) fn middle(&self, parts: i64) -> (i64, i64) {
        let [x, y] = self.first.map(|sum| sum * parts / self.count.max(1));
        (x, y)
    }

    /// Mean square of their distance from their middle.
    pub(super) fn mean_square(&self) -> i64 {
        let (x, y) = self.middle(1);
        let [xx, _, yy] = self.second;
        (xx + yy) / self.count.max(1) - x * x - y * y
    }

    /// How they spread about their middle where columns and rows are so far apart, each at most
    /// 2^8: along the rows, along both together, along the columns, over one unknown factor.
    pub(super) fn spread(&self, pitch: [u32; 2]) -> [i64; 3] {
        shortened([[0, 0], [0, 1], [1, 1]].map(|sides| self.spread_along(sides, pitch)))
    }

    /// How lopsided they are along an axis of a length of at most 2^15: above 0 if they reach farther
    /// to its end than to its start. `pitch` as for [`spread`](Self::spread).
    pub(super) fn skew(&self, pitch: [u32; 2], (cos, sin): (i32, i32)) -> i128 {
        let sides = [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]];
        let [xxx, xxy, xyy, yyy] = shortened(sides.map(|sides| self.skew_along(sides, pitch)));
        let (c, s) = (i64::from(cos), i64::from(sin));
        let with_columns = (xxx * c + 3 * xxy * s) * c + 3 * xyy * s * s;
        i128::from(with_columns) * i128::from(c) + i128::from(yyy * s * s) * i128::from(s)
    }

    /// The covariance of two sides, 0 for columns and 1 for rows, times the square of the count.
    #[inline(never)]
    fn spread_along(&self, [i, j]: [usize; 2], pitch: [u32; 2]) -> i128 {
        let [n, x, y, xy] =
            [self.count, self.first[i], self.first[j], self.second[i + j]].map(i128::from);
        (n * xy - x * y) * i128::from(pitch[i] * pitch[j])
    }

    /// The third central moment of three sides, likewise, times the cube of the count.
    #[inline(never)]
    fn skew_along(&self, [i, j, k]: [usize; 3], pitch: [u32; 2]) -> i128 {
        let n = i128::from(self.count);
        let [x, y, z] = [i, j, k].map(|side| i128::from(self.first[side]));
        let [yz, xz, xy] = [j + k, i + k, i + j].map(|sides| i128::from(self.second[sides]));
        let xyz = i128::from(self.third[i + j + k]);
        let apart = n * (n * xyz - x * yz - y * xz - z * xy) + 2 * x * y * z;
        apart * i128::from(pitch[i] * pitch[j] * pitch[k])
    }
}

fn add<const N: usize>(sums: &mut [i64; N], values: [i64; N]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// The values over one power of two that leaves none more than 28 bits.
fn shortened<const N: usize>(values: [i128; N]) -> [i64; N] {
    let all = values
        .iter()
        .fold(0, |all, value| all | value.unsigned_abs());
    let bits = u128::BITS - all.leading_zeros();
    values.map(|value| shifted(value, bits.saturating_sub(28)))
}

#[inline(never)]
fn shifted(value: i128, bits: u32) -> i64 {
    (value >> bits) as i64
}
