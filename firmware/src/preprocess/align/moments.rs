//! Moments of the pixels of a part.

/// Sums over pixels of the powers of their places: how many there are, where, how spread, how lopsided.
///
/// Places are counted in half pixels from the picture's middle, at most 2^9 to any side, of at most
/// 2^18 pixels, so that each sum fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moments {
    pub(super) count: i64,
    x: i64,
    y: i64,
    xx: i64,
    xy: i64,
    yy: i64,
    xxx: i64,
    xxy: i64,
    xyy: i64,
    yyy: i64,
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
        self.x += x;
        self.y += y * count;
        self.xx += xx;
        self.xy += y * x;
        self.yy += y * y * count;
        self.xxx += xxx;
        self.xxy += y * xx;
        self.xyy += y * y * x;
        self.yyy += y * y * y * count;
    }

    /// Where their middle is, in `parts` of a half pixel.
    pub(super) fn middle(&self, parts: i64) -> (i64, i64) {
        let count = self.count.max(1);
        (self.x * parts / count, self.y * parts / count)
    }

    /// Mean square of their distance from their middle.
    pub(super) fn mean_square(&self) -> i64 {
        let (x, y) = self.middle(1);
        (self.xx + self.yy) / self.count.max(1) - x * x - y * y
    }

    /// How they spread about their middle where columns and rows are `a` and `b` apart, each at most
    /// 2^8: along the rows, along both together, along the columns, over one unknown factor.
    pub(super) fn spread(&self, (a, b): (u32, u32)) -> [i64; 3] {
        let [n, x, y, a, b] = [self.count, self.x, self.y, a.into(), b.into()].map(i128::from);
        let [xx, xy, yy] = [self.xx, self.xy, self.yy].map(i128::from);
        shortened([
            (n * xx - x * x) * a * a,
            (n * xy - x * y) * a * b,
            (n * yy - y * y) * b * b,
        ])
    }

    /// How lopsided they are along an axis of a length of at most 2^15: above 0 if they reach farther
    /// to its end than to its start. `(a, b)` as for [`spread`](Self::spread).
    pub(super) fn skew(&self, (a, b): (u32, u32), (cos, sin): (i32, i32)) -> i128 {
        let [n, x, y, a, b] = [self.count, self.x, self.y, a.into(), b.into()].map(i128::from);
        let [xx, xy, yy] = [self.xx, self.xy, self.yy].map(i128::from);
        let [xxx, xxy, xyy, yyy] = [self.xxx, self.xxy, self.xyy, self.yyy].map(i128::from);
        let [xxx, xxy, xyy, yyy] = shortened([
            (n * n * xxx - 3 * n * x * xx + 2 * x * x * x) * a * a * a,
            (n * n * xxy - n * (2 * x * xy + y * xx) + 2 * x * x * y) * a * a * b,
            (n * n * xyy - n * (2 * y * xy + x * yy) + 2 * x * y * y) * a * b * b,
            (n * n * yyy - 3 * n * y * yy + 2 * y * y * y) * b * b * b,
        ])
        .map(i128::from);
        let (c, s) = (i128::from(cos), i128::from(sin));
        xxx * c * c * c + 3 * xxy * c * c * s + 3 * xyy * c * s * s + yyy * s * s * s
    }
}

/// The values over one power of two that leaves none more than 28 bits.
fn shortened<const N: usize>(values: [i128; N]) -> [i64; N] {
    let bits = |value: i128| 128 - value.unsigned_abs().leading_zeros();
    let most = values.into_iter().map(bits).max().unwrap_or(0);
    values.map(|value| (value >> most.saturating_sub(28)) as i64)
}
