//! Operations and numbers for people.

use sudal_firmware::image::{Kind, OpRecord};

/// What an operation computes, in words, with its window and the pool that is fused into it.
#[must_use]
pub fn operation(record: &OpRecord) -> String {
    let pool = if record.pool > 0 { " + max pool" } else { "" };
    kernel(record) + pool
}

/// The same without the pool.
pub(crate) fn kernel(record: &OpRecord) -> String {
    let by_rows = if record.by_rows > 0 { " by rows" } else { "" };
    window(record) + by_rows
}

fn window(record: &OpRecord) -> String {
    let [height, width] = record.kernel;
    let window = match record.stride {
        [1, 1] => format!("{height}x{width}"),
        [down, right] if down == right => format!("{height}x{width} /{down}"),
        [down, right] => format!("{height}x{width} /{down}x{right}"),
    };
    match record.kind() {
        Some(Kind::Conv2d) if record.groups > 1 => {
            format!("conv {window}, {} groups", record.groups)
        }
        Some(Kind::Conv2d) => format!("conv {window}"),
        Some(Kind::Depthwise) => format!("depthwise {window}"),
        Some(Kind::FullyConnected) => "fully connected".to_owned(),
        Some(Kind::MaxPool) => format!("max pool {window}"),
        Some(Kind::AveragePool) => format!("average pool {window}"),
        Some(Kind::Add) => "add".to_owned(),
        Some(Kind::Clamp) => "clamp".to_owned(),
        Some(Kind::Normalize) => "unit length".to_owned(),
        Some(Kind::Upsample) => match record.stride {
            [down, right] if down == right => format!("upsample x{down}"),
            [down, right] => format!("upsample {down}x{right}"),
        },
        Some(Kind::Table) => "table".to_owned(),
        Some(Kind::Concat) => "concat".to_owned(),
        Some(Kind::Multiply) => "multiply".to_owned(),
        Some(Kind::Gather) => "gather".to_owned(),
        Some(Kind::Flatten) | None => "flatten".to_owned(),
    }
}

/// A number with its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(512), "512");
        assert_eq!(grouped(9_820_000), "9,820,000");
    }
}
