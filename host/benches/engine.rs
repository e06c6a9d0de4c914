//! Time of the int8 engine on this computer for a picture through each benchmark network, the same
//! code that the boards run on its portable path. `cargo bench --bench engine`

use std::time::Instant;

use sudal::engine::Benchmark;
use sudal::engine::QuantizedModel;
use sudal_firmware::engine;

fn main() {
    for network in Benchmark::ALL {
        let image = network.image().expect("the benchmark networks convert");
        let image = QuantizedModel::new(&image).expect("a fresh image is sound");
        let model = image.model().expect("a sound image");
        let frame: Vec<u8> = (0..model.input_len()).map(|i| (i * 37) as u8).collect();
        let mut arena = vec![0; model.arena_words()];
        let mut times: Vec<f64> = (0..301)
            .map(|_| {
                let start = Instant::now();
                engine::run(&model, &frame, &mut arena).expect("the frame fits");
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{}: {:.3} ms a picture (median of {}), {:.1} GMAC/s on one core",
            network.name(),
            times[times.len() / 2],
            times.len(),
            model.macs() as f64 / times[times.len() / 2] / 1e6
        );
    }
}
