//! A linear classifier with softmax cross-entropy, fitted to the shots by a few gradient steps: the
//! inner loop of Raghu et al., "Rapid Learning or Feature Reuse? Towards Understanding the
//! Effectiveness of MAML" (2020, ANIL), over a frozen embedding.
//!
//! It starts as the classifier that prototypes are: by Snell et al. (2017) the squared distance of
//! `x` to a prototype `p` is `|x|^2` less `2 p . x - |p|^2`, so weights `2 p` and a bias of
//! `-|p|^2`. After the steps, `|x|^2` less the logit still reads as a squared distance.
//!
//! The steps are taken over points: the shots, or where there are many of many classes the means of as
//! many groups of a class's shots as [`POINTS`] has room for, so that the time does not grow with them.
//!
//! With the embedding's scale `s` and zero point worked in, `x = s u` with integers `u`, and the
//! weights kept here are those of `u`: `s` times those of `x`.

use heapless::Vec;

use super::exp::exp;
use super::{Class, MAX_CLASSES, MAX_DIM, Quantization};

/// How the classifier is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Gradient steps, each over all points.
    pub steps: u8,
    /// Step size for the cross-entropy, averaged over a class's share of the shots, in parts of
    /// `1 / (1 + l)`, where `l` is the mean squared length of the shots' embeddings: so what is
    /// stable for one model is for another.
    pub rate: f32,
}

impl Default for Fit {
    /// As on the device; chosen on Omniglot's validation classes and on synthetic parts.
    fn default() -> Self {
        Self {
            steps: 5,
            rate: 1.0,
        }
    }
}

/// Most points times classes, if each class has one point: 20 shots of each of 10 classes, 5 of 20.
pub const POINTS: usize = 2048;

/// Room for the weights of every class and, last in its row, its bias.
type Rows = Vec<f32, { MAX_CLASSES * (MAX_DIM + 1) }>;

/// The classifier of one model's classes.
#[derive(Debug, Default)]
pub struct Linear {
    /// For each class of the model, in their order.
    rows: Rows,
    /// How the loss depends on them.
    slopes: Rows,
    /// Whose shots it was fitted to.
    model: Option<u64>,
}

impl Linear {
    /// Bytes of RAM.
    pub const BYTES: usize = size_of::<Self>();

    /// A classifier of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rows: Vec::new(),
            slopes: Vec::new(),
            model: None,
        }
    }

    /// Whether it was fitted to the present shots of this model.
    #[must_use]
    pub fn is_fitted(&self, model: u64) -> bool {
        self.model == Some(model)
    }

    /// The shots changed.
    pub fn forget(&mut self) {
        self.model = None;
    }

    /// Fits it to the shots of a model's classes.
    pub fn fit(&mut self, classes: &[Class], model: u64, quantization: Quantization, fit: &Fit) {
        let of_model = || classes.iter().filter(|class| class.model == model);
        let Some(width) = of_model().map(|class| class.dim().min(MAX_DIM) + 1).next() else {
            return self.forget();
        };
        let square = quantization.scale * quantization.scale;
        let zero = f32::from(quantization.zero_point);
        self.rows.clear();
        for class in of_model() {
            let shots = f32::from(class.shots());
            let mut length = 0.0;
            for &sum in class.prototype().sum {
                let mean = f32::from(sum) / shots - zero;
                length += mean * mean;
                // There is room for every class; were there not, its score would be missing.
                let _ = self.rows.push(2.0 * square * mean);
            }
            let _ = self.rows.push(-square * length);
        }
        let ways = of_model().count() as f32;
        let shots: usize = of_model().map(|class| usize::from(class.shots())).sum();
        let mut squares = 0.0;
        for shot in of_model().flat_map(Class::support) {
            squares += square_length(shot, zero);
        }
        let length = square * squares / shots as f32;
        let rate = fit.rate / (1.0 + length) * ways / shots as f32;
        let most = POINTS
            .checked_div(of_model().count().pow(2))
            .unwrap_or(1)
            .max(1);
        for _ in 0..fit.steps {
            self.slopes.clear();
            let _ = self.slopes.resize(self.rows.len(), 0.0);
            for (own, class) in of_model().enumerate() {
                each_point(class, most, zero, |point, shots| {
                    self.add_slopes(width, own, point, shots);
                });
            }
            let rows = self.rows.chunks_exact_mut(width);
            for (row, slopes) in rows.zip(self.slopes.chunks_exact(width)) {
                if let (Some((bias, weights)), Some((bias_slope, slopes))) =
                    (row.split_last_mut(), slopes.split_last())
                {
                    for (weight, slope) in weights.iter_mut().zip(slopes) {
                        *weight -= rate * square * slope;
                    }
                    *bias -= rate * bias_slope;
                }
            }
        }
        self.model = Some(model);
    }

    /// Adds what one point of the class at position `own` says about the slopes, the mean of n
    /// shots.
    fn add_slopes(&mut self, width: usize, own: usize, values: &[f32], shots: f32) {
        let mut shares = [0.0_f32; MAX_CLASSES];
        let rows = self.rows.chunks_exact(width);
        let mut most = f32::NEG_INFINITY;
        for (share, row) in shares.iter_mut().zip(rows.clone()) {
            *share = logit(row, values);
            most = most.max(*share);
        }
        let mut total = 0.0;
        for (share, _) in shares.iter_mut().zip(rows) {
            *share = exp(*share - most);
            total += *share;
        }
        let slopes = self.slopes.chunks_exact_mut(width);
        for (position, (slopes, share)) in slopes.zip(shares).enumerate() {
            let truth = if position == own { 1.0 } else { 0.0 };
            let excess = (share / total - truth) * shots;
            if let Some((bias, slopes)) = slopes.split_last_mut() {
                for (slope, value) in slopes.iter_mut().zip(values.iter()) {
                    *slope += excess * value;
                }
                *bias += excess;
            }
        }
    }

    /// The squared distance of a query to each class as the classifier sees it, in the order of the
    /// classes of the model that it was fitted to.
    pub fn distances(&self, query: &[i8], quantization: Quantization) -> impl Iterator<Item = f32> {
        let mut values = [0.0; MAX_DIM];
        let length = steps_from(f32::from(quantization.zero_point), query, &mut values).len();
        let squares = square_length(query, f32::from(quantization.zero_point));
        let squared = quantization.scale * quantization.scale * squares;
        let rows = self.rows.chunks_exact(length + 1);
        rows.map(move |row| squared - logit(row, values.get(..length).unwrap_or(&[])))
    }
}

/// Shows the means of `most` groups of a class's shots, as steps from the zero point, and how many shots
/// each has; of fewer where there are fewer shots.
fn each_point(class: &Class, most: usize, zero: f32, mut show: impl FnMut(&[f32], f32)) {
    let count = usize::from(class.shots());
    let groups = most.min(count);
    let mut support = class.support();
    for group in 0..groups {
        let shots = (group + 1) * count / groups - group * count / groups;
        let mut sums = [0_i16; MAX_DIM];
        for shot in support.by_ref().take(shots) {
            for (sum, &value) in sums.iter_mut().zip(shot) {
                *sum += i16::from(value);
            }
        }
        let mut point = [0.0; MAX_DIM];
        let shots = shots as f32;
        for (place, &sum) in point.iter_mut().zip(&sums) {
            *place = f32::from(sum) / shots - zero;
        }
        show(point.get(..class.dim()).unwrap_or(&[]), shots);
    }
}

/// The values of an embedding as steps from the zero point.
fn steps_from<'a>(zero: f32, embedding: &[i8], room: &'a mut [f32; MAX_DIM]) -> &'a [f32] {
    let mut length = 0;
    for (place, &value) in room.iter_mut().zip(embedding) {
        *place = f32::from(value) - zero;
        length += 1;
    }
    room.get(..length).unwrap_or(&[])
}

fn square_length(embedding: &[i8], zero: f32) -> f32 {
    embedding.iter().fold(0.0, |sum, &value| {
        let value = f32::from(value) - zero;
        sum + value * value
    })
}

/// Weights and, last in the row, bias.
fn logit(row: &[f32], values: &[f32]) -> f32 {
    let bias = row.last().copied().unwrap_or(0.0);
    let products = row.iter().zip(values).map(|(weight, value)| weight * value);
    products.fold(0.0, |sum, product| sum + product) + bias
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    const QUANTIZATION: Quantization = Quantization {
        scale: 0.03,
        zero_point: -100,
    };

    /// Classes of model 7, and one of another model among them.
    fn classes(dim: usize, shots: &[usize]) -> Vec<Class> {
        let mut random = 12345_u32;
        let mut value = |near: i32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (near + (random >> 27) as i32 - 16).clamp(-128, 127) as i8
        };
        let mut all = Vec::new();
        for (id, &count) in shots.iter().enumerate() {
            let model = if id == 1 { 8 } else { 7 };
            let mut class = Class::new(id as u8, "a", model, dim).unwrap();
            for _ in 0..count {
                let shot: Vec<i8> = (0..dim)
                    .map(|d| value((id * d * 13 % 50) as i32 - 90))
                    .collect();
                class.push(&shot).unwrap();
            }
            all.push(class);
        }
        all
    }

    /// The same in f64, with the weights of the float embedding, by the book.
    fn reference(classes: &[Class], fit: &Fit, query: &[i8]) -> Vec<f64> {
        let x = |embedding: &[i8]| -> Vec<f64> {
            let step = |&v: &i8| {
                f64::from(QUANTIZATION.scale) * (f64::from(v) - f64::from(QUANTIZATION.zero_point))
            };
            embedding.iter().map(step).collect()
        };
        let classes: Vec<&Class> = classes.iter().filter(|class| class.model == 7).collect();
        let mut rows: Vec<(Vec<f64>, f64)> = Vec::new();
        for class in &classes {
            let mut mean = std::vec![0.0; class.dim()];
            for shot in class.support() {
                for (m, v) in mean.iter_mut().zip(x(shot)) {
                    *m += v / f64::from(class.shots());
                }
            }
            let bias = -mean.iter().map(|m| m * m).sum::<f64>();
            rows.push((mean.iter().map(|m| 2.0 * m).collect(), bias));
        }
        let logits = |rows: &[(Vec<f64>, f64)], x: &[f64]| -> Vec<f64> {
            let dot = |w: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
            rows.iter().map(|(w, b)| dot(w) + b).collect()
        };
        let total: usize = classes.iter().map(|class| usize::from(class.shots())).sum();
        let shots = classes.iter().flat_map(|class| class.support());
        let lengths = shots.map(|shot| x(shot).iter().map(|x| x * x).sum::<f64>());
        let length = lengths.sum::<f64>() / total as f64;
        let rate = f64::from(fit.rate) / (1.0 + length);
        for _ in 0..fit.steps {
            let mut next = rows.clone();
            for (own, class) in classes.iter().enumerate() {
                for shot in class.support() {
                    let x = x(shot);
                    let powers: Vec<f64> = logits(&rows, &x).iter().map(|z| z.exp()).collect();
                    let sum: f64 = powers.iter().sum();
                    for (c, (w, b)) in next.iter_mut().enumerate() {
                        let slope = powers[c] / sum - f64::from(u8::from(c == own));
                        let step = rate * rows.len() as f64 / total as f64 * slope;
                        w.iter_mut().zip(&x).for_each(|(w, x)| *w -= step * x);
                        *b -= step;
                    }
                }
            }
            rows = next;
        }
        let x = x(query);
        let square: f64 = x.iter().map(|x| x * x).sum();
        logits(&rows, &x).iter().map(|z| square - z).collect()
    }

    #[test]
    fn takes_the_steps_of_the_book() {
        let classes = classes(19, &[3, 2, 1, 5]);
        let query = [-90; 19];
        let mut before = Vec::new();
        for steps in [0, 1, 2, 10] {
            let fit = Fit { steps, rate: 0.7 };
            let mut linear = Linear::new();
            linear.fit(&classes, 7, QUANTIZATION, &fit);
            let distances: Vec<f32> = linear.distances(&query, QUANTIZATION).collect();
            let exact = reference(&classes, &fit, &query);
            assert_eq!(distances.len(), 3);
            for (&distance, exact) in distances.iter().zip(&exact) {
                assert!((f64::from(distance) - exact).abs() < 1e-4 * exact.abs().max(1.0));
            }
            assert_ne!(distances, before);
            before = distances;
        }
    }

    /// Points are as many as the time allows, each of as many shots as the others or one more.
    #[test]
    fn many_shots_of_many_classes_become_means() {
        let class = &classes(3, &[20])[0];
        let shots: Vec<Vec<f32>> = class
            .support()
            .map(|shot| shot.iter().map(|&v| f32::from(v) + 100.0).collect())
            .collect();
        for (most, sizes) in [
            (24, &[1; 20][..]),
            (3, &[6, 7, 7]),
            (2, &[10, 10]),
            (1, &[20]),
        ] {
            let (mut seen, mut first) = (Vec::new(), 0);
            each_point(class, most, -100.0, |point, count| {
                let group = &shots[first..first + count as usize];
                for (d, value) in point.iter().enumerate() {
                    let mean = group.iter().map(|shot| shot[d]).sum::<f32>() / count;
                    assert!((value - mean).abs() < 1e-4 * mean.abs().max(1.0));
                }
                first += count as usize;
                seen.push(count as usize);
            });
            assert_eq!(seen, sizes);
        }
    }

    #[test]
    fn without_steps_it_is_the_prototypes() {
        let classes = classes(64, &[4, 1, 2, 9]);
        let query: Vec<i8> = (0..64).map(|d| (d * 3 - 110) as i8).collect();
        let mut linear = Linear::new();
        let fit = Fit {
            steps: 0,
            ..Fit::default()
        };
        linear.fit(&classes, 7, QUANTIZATION, &fit);
        let prototypes = classes
            .iter()
            .filter(|class| class.model == 7)
            .map(|class| {
                crate::heads::Distance::between(&query, class.prototype())
                    .to_real(QUANTIZATION.scale)
            });
        for (linear, exact) in linear.distances(&query, QUANTIZATION).zip(prototypes) {
            assert!((linear - exact).abs() < 1e-4 * exact, "{linear}, {exact}");
        }
    }

    #[test]
    fn steps_raise_the_likelihood_of_the_shots() {
        let classes = classes(16, &[6, 1, 6, 6]);
        let mut losses = Vec::new();
        for steps in [0, 1, 5, 20] {
            let fit = Fit { steps, rate: 0.05 };
            let mut linear = Linear::new();
            linear.fit(&classes, 7, QUANTIZATION, &fit);
            let mut loss = 0.0;
            for (own, class) in classes.iter().filter(|class| class.model == 7).enumerate() {
                for shot in class.support() {
                    let distances: Vec<f32> = linear.distances(shot, QUANTIZATION).collect();
                    let total: f32 = distances.iter().map(|d| (distances[own] - d).exp()).sum();
                    loss += total.ln();
                }
            }
            losses.push(loss);
        }
        assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
    }

    #[test]
    fn nothing_to_fit_is_not_fitted() {
        let mut linear = Linear::new();
        linear.fit(&classes(3, &[1]), 7, QUANTIZATION, &Fit::default());
        assert!(linear.is_fitted(7));
        linear.fit(&classes(3, &[1]), 9, QUANTIZATION, &Fit::default());
        assert!(!linear.is_fitted(7) && !linear.is_fitted(9));
    }
}
