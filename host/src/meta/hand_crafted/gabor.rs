//! Energies of Gabor filters.

use std::f32::consts::{PI, TAU};

use super::picture::Picture;

/// In pixels.
const WAVELENGTHS: [f32; 4] = [3.0, 6.0, 12.0, 24.0];
const DIRECTIONS: usize = 6;

/// A complex number, real and imaginary part.
type Complex = (f32, f32);

/// Mean and deviation of the magnitude of each filter's answer, wavelength by wavelength.
pub(super) fn describe(picture: &Picture) -> Vec<f32> {
    let mut all = Vec::new();
    for wavelength in WAVELENGTHS {
        for direction in 0..DIRECTIONS {
            let (sin, cos) = (PI * direction as f32 / DIRECTIONS as f32).sin_cos();
            // A round envelope makes the filter a product of one along x and one along y.
            let (along, down) = (
                filter(wavelength, TAU * cos / wavelength),
                filter(wavelength, TAU * sin / wavelength),
            );
            all.extend(energy(picture, &along, &down));
        }
    }
    all
}

/// A wave under a Gaussian of one octave's bandwidth.
fn filter(wavelength: f32, frequency: f32) -> Vec<Complex> {
    let deviation = 0.56 * wavelength;
    let reach = (2.5 * deviation).ceil() as isize;
    let weight = |t: f32| (-t * t / (2.0 * deviation * deviation)).exp();
    let whole: f32 = (-reach..=reach).map(|t| weight(t as f32)).sum();
    (-reach..=reach)
        .map(|t| {
            let (sin, cos) = (frequency * t as f32).sin_cos();
            let weight = weight(t as f32) / whole;
            (weight * cos, weight * sin)
        })
        .collect()
}

fn energy(picture: &Picture, along: &[Complex], down: &[Complex]) -> [f32; 2] {
    let (width, height) = (picture.width, picture.height);
    let mean = picture.pixels.iter().sum::<f32>() / picture.pixels.len() as f32;
    let mut lines = vec![(0.0, 0.0); width * height];
    let reach = (along.len() / 2) as isize;
    for (i, to) in lines.iter_mut().enumerate() {
        let (x, y) = ((i % width) as isize, (i / width) as isize);
        for (t, &(re, im)) in (-reach..).zip(along) {
            let value = picture.at(x + t, y) - mean;
            to.0 += re * value;
            to.1 += im * value;
        }
    }
    let reach = (down.len() / 2) as isize;
    let (mut sum, mut squares) = (0.0, 0.0);
    for i in 0..lines.len() {
        let (x, y) = (i % width, (i / width) as isize);
        let (mut a, mut b) = (0.0, 0.0);
        for (t, &(re, im)) in (-reach..).zip(down) {
            let row = (y + t).clamp(0, height as isize - 1) as usize;
            let (p, q) = lines[row * width + x];
            a += re * p - im * q;
            b += re * q + im * p;
        }
        let magnitude = f64::from(a.hypot(b));
        sum += magnitude;
        squares += magnitude * magnitude;
    }
    let count = lines.len() as f64;
    let mean = sum / count;
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    [mean as f32, deviation as f32]
}
