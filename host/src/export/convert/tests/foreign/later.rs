//! Networks with squeeze and excite, with a shuffle of channels, and EfficientNet-Lite0.

use super::*;

impl File {
    fn hard_swish(&mut self) -> &mut Self {
        self.node("HardSwish", &[], vec![])
    }

    /// Each channel by a factor that follows from the means of all.
    fn excite(&mut self, channels: i64, narrow: i64) {
        let of = self.last();
        self.node("GlobalAveragePool", &[], vec![])
            .windowed(narrow, channels, 1, 1)
            .relu()
            .windowed(channels, narrow, 1, 1)
            .node("HardSigmoid", &[], vec![float("alpha", 1.0 / 6.0)]);
        let gate = self.last();
        self.node_of("Mul", &[&gate, &of], vec![]);
    }

    /// Two tensors behind one another, their channels mixed.
    fn shuffled(&mut self, parts: [&str; 2], [channels, height, width]: [i64; 3]) {
        let index = self.nodes.len();
        let names = ["apart", "whole"].map(|name| format!("{name}{index}"));
        let apart = vec![-1, 2, channels / 2, height, width];
        self.ints(&names[0], &[5], apart)
            .ints(&names[1], &[4], vec![-1, channels, height, width])
            .node_of("Concat", &parts, vec![int("axis", 1)])
            .node("Reshape", &[&names[0]], vec![])
            .node("Transpose", &[], vec![ints("perm", &[0, 2, 1, 3, 4])])
            .node("Reshape", &[&names[1]], vec![]);
    }
}

/// MobileNetV3-Small (Howard et al. 2019) up to its features.
pub(super) fn mobilenet_v3() -> File {
    let mut file = File::new(3, 96, 96);
    file.windowed(16, 3, 3, 2).hard_swish();
    let mut from = 16;
    // Side, width within, channels out, squeeze, whether by hard swish, stride.
    let blocks = [
        (3, 16, 16, 8, false, 2),
        (3, 72, 24, 0, false, 2),
        (3, 88, 24, 0, false, 1),
        (5, 96, 40, 24, true, 2),
        (5, 240, 40, 64, true, 1),
        (5, 240, 40, 64, true, 1),
        (5, 120, 48, 32, true, 1),
        (5, 144, 48, 40, true, 1),
        (5, 288, 96, 72, true, 2),
        (5, 576, 96, 144, true, 1),
        (5, 576, 96, 144, true, 1),
    ];
    for (side, wide, out, squeeze, swish, stride) in blocks {
        let input = file.last();
        let bend = |file: &mut File| {
            if swish {
                file.hard_swish()
            } else {
                file.relu()
            };
        };
        if wide != from {
            file.windowed(wide, from, 1, 1);
            bend(&mut file);
        }
        file.depthwise_of(wide, side, stride);
        bend(&mut file);
        if squeeze > 0 {
            file.excite(wide, squeeze);
        }
        file.windowed(out, wide, 1, 1);
        if stride == 1 && from == out {
            let path = file.last();
            file.node_of("Add", &[&input, &path], vec![]);
        }
        from = out;
    }
    file.windowed(576, from, 1, 1).hard_swish();
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}

/// ShuffleNetV2 with half of the channels (Ma et al. 2018) up to its features.
pub(super) fn shufflenet_v2() -> File {
    let mut file = File::new(3, 96, 96);
    file.windowed(24, 3, 3, 2).relu();
    let pool = vec![
        ints("kernel_shape", &[3; 2]),
        ints("strides", &[2; 2]),
        ints("pads", &[1; 4]),
    ];
    file.node("MaxPool", &[], pool);
    let (mut from, mut side) = (24, 24);
    for (out, times) in [(48, 4), (96, 8), (192, 4)] {
        let half = out / 2;
        side /= 2;
        for unit in 0..times {
            let input = file.last();
            let (short, path_input, path_from, stride) = if unit == 0 {
                file.depthwise(from, 2).windowed(half, from, 1, 1).relu();
                (file.last(), input, from, 2)
            } else {
                file.node("Split", &[], vec![int("axis", 1)]);
                let first = file.last();
                let second = format!("{first}_second");
                let node = file.nodes.last_mut().unwrap();
                node.output.push(second.clone());
                (first, second, half, 1)
            };
            file.even(&path_input, [half, path_from, 1, 1], 1, 1).relu();
            file.depthwise(half, stride)
                .windowed(half, half, 1, 1)
                .relu();
            let path = file.last();
            file.shuffled([&short, &path], [out, side, side]);
        }
        from = out;
    }
    file.windowed(1024, from, 1, 1).relu();
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}

/// EfficientNet-Lite0 (Tan and Le 2019, Liu 2020) up to its features.
pub(super) fn efficientnet_lite0() -> File {
    let mut file = File::new(3, 96, 96);
    file.floats("zero", &[], vec![0.0])
        .floats("six", &[], vec![6.0]);
    file.windowed(32, 3, 3, 2).relu6();
    let mut from = 32;
    // Repeats, side, stride, widening, channels out.
    let stages = [
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ];
    for (times, side, stride, widen, out) in stages {
        for block in 0..times {
            let (input, stride) = (file.last(), if block == 0 { stride } else { 1 });
            let wide = from * widen;
            if widen > 1 {
                file.windowed(wide, from, 1, 1).relu6();
            }
            file.depthwise_of(wide, side, stride).relu6();
            file.windowed(out, wide, 1, 1);
            if stride == 1 && from == out {
                let path = file.last();
                file.node_of("Add", &[&input, &path], vec![]);
            }
            from = out;
        }
    }
    file.windowed(1280, from, 1, 1).relu6();
    file.node("GlobalAveragePool", &[], vec![])
        .node("Flatten", &[], vec![]);
    file
}
