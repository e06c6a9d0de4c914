//! An order of classes in which those that are alike follow each other.

/// Orders classes, given by the mean embedding of each, into families of `family` that are alike: a class and its
/// nearest ones (squared Euclidean distance) of those that no family has yet. The next family begins with the class that
/// is nearest to the last one's mean. Episodes of whole families then are of what is easily mistaken for each other.
///
/// Returns a permutation of `0..means.len()`. Takes time by the square of the classes.
pub fn by_likeness(means: &[Vec<f32>], family: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..means.len()).collect();
    let mut order = Vec::with_capacity(means.len());
    let mut from = means.first().cloned().unwrap_or_default();
    while !left.is_empty() {
        let first = left
            .iter()
            .copied()
            .min_by(|&a, &b| distance(&from, &means[a]).total_cmp(&distance(&from, &means[b])))
            .expect("a class is left");
        left.sort_by_cached_key(|&class| {
            let distance = distance(&means[first], &means[class]);
            // Not negative, so that its bits are in its order; a class is nearest to itself.
            (class != first, distance.to_bits(), class)
        });
        let own: Vec<usize> = left.drain(..family.clamp(1, left.len())).collect();
        for (k, value) in from.iter_mut().enumerate() {
            *value = own.iter().map(|&class| means[class][k]).sum::<f32>() / own.len() as f32;
        }
        order.extend(own);
    }
    order
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_are_alike_follow_each_other() {
        // Class 0 at 0, then pairs at 10, 20 and 5.
        let places = [0.0f32, 10.0, 20.0, 5.0, 10.1, 20.1, 5.1, 0.1];
        let means: Vec<Vec<f32>> = places.iter().map(|&x| vec![x, 1.0]).collect();
        assert_eq!(by_likeness(&means, 2), [0, 7, 3, 6, 1, 4, 2, 5]);
    }

    #[test]
    fn any_number_of_classes_is_taken_once_each() {
        for (classes, family) in [(0, 3), (1, 3), (7, 3), (7, 1), (7, 9)] {
            let means: Vec<Vec<f32>> = (0..classes).map(|c| vec![(c * 5 % 7) as f32]).collect();
            let mut order = by_likeness(&means, family);
            order.sort_unstable();
            assert_eq!(order, (0..classes).collect::<Vec<_>>());
        }
    }
}
