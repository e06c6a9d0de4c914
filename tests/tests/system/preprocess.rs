//! A picture becomes the same input whichever side prepares it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::data::Raster;
use sudal_firmware::camera::{Frame, Geometry, PixelFormat};
use sudal_firmware::preprocess::{self, Fit, Region};

#[test]
fn device_and_host_resize_the_same_way() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..300 {
        let mut side = || random.random_range(1..100_u32);
        let (from, to) = ((side(), side()), (side(), side()));
        let pixels: Vec<u8> = (0..from.0 * from.1).map(|_| random.random()).collect();
        let frame = Frame {
            geometry: Geometry {
                width: from.0 as u16,
                height: from.1 as u16,
                format: PixelFormat::Grey8,
            },
            pixels: &pixels,
        };
        let shape = [to.1 as usize, to.0 as usize, 1];
        let mut input = vec![0; shape[0] * shape[1]];
        preprocess::run(&frame, Region::whole(&frame), shape, &mut input).unwrap();
        let host = Raster::new(from.0, from.1, pixels.clone()).unwrap();
        assert_eq!(host.resize(to.0, to.1).pixels, input, "{from:?} to {to:?}");
        for fit in Fit::ALL {
            let region = fit.of(Region::whole(&frame), (to.0 as u16, to.1 as u16));
            preprocess::run(&frame, region, shape, &mut input).unwrap();
            assert_eq!(
                host.fit(to, fit).pixels,
                input,
                "{from:?} to {to:?}, {fit:?}"
            );
        }
    }
}
