//! Tensors of constants in an ONNX file: weights, shapes, limits.

use tract_onnx::pb::{
    TensorProto,
    tensor_proto::{DataLocation, DataType},
};

use super::error::ConvertError;

/// The values of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

/// The scales of floats that stand for integers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scales {
    /// One, or one for each place along the axis.
    pub(super) values: Vec<f32>,
    pub(super) axis: usize,
}

/// A constant tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub(super) dims: Vec<usize>,
    pub(super) values: Values,
    /// Least and greatest value of its type, where that has 8 bits.
    ends: Option<[i64; 2]>,
    /// Where its values were integers.
    pub(super) scales: Option<Scales>,
}

impl Constant {
    /// A constant.
    pub(super) fn new(dims: Vec<usize>, values: Values) -> Self {
        Self {
            dims,
            values,
            ends: None,
            scales: None,
        }
    }

    /// Least and greatest value of its type.
    pub(super) fn ends(&self) -> [i64; 2] {
        self.ends
            .unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)])
    }

    /// Floats that stand for integers of these scales.
    pub(super) fn scaled(dims: Vec<usize>, values: Vec<f32>, scales: Scales) -> Self {
        let scales = Some(scales);
        Self {
            scales,
            ..Self::new(dims, Values::Floats(values))
        }
    }

    /// A constant without dimensions.
    pub(super) fn scalar(values: Values) -> Self {
        Self::new(vec![], values)
    }

    /// A constant with one dimension.
    pub(super) fn list(values: Values) -> Self {
        let length = match &values {
            Values::Floats(values) => values.len(),
            Values::Ints(values) => values.len(),
        };
        Self::new(vec![length], values)
    }

    /// Reads a tensor of float32, float64, int8, uint8, int32 or int64.
    pub(super) fn read(tensor: &TensorProto) -> Result<Self, ConvertError> {
        let fail = |reason: String| {
            Err(ConvertError::Tensor {
                tensor: tensor.name.clone(),
                reason,
            })
        };
        if tensor.data_location == Some(DataLocation::External as i32) {
            return fail(
                "its values lie in another file: save the model again with the weights inside"
                    .to_owned(),
            );
        }
        let mut dims = Vec::with_capacity(tensor.dims.len());
        for &dim in &tensor.dims {
            match usize::try_from(dim) {
                Ok(dim) => dims.push(dim),
                Err(_) => return fail(format!("dimension {dim} is negative: the file is damaged")),
            }
        }
        let raw = &tensor.raw_data[..];
        let values = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) if raw.is_empty() => Values::Floats(tensor.float_data.clone()),
            Ok(DataType::Float) => Values::Floats(from_bytes(raw, f32::from_le_bytes)),
            Ok(DataType::Double) if raw.is_empty() => Values::Floats(
                tensor
                    .double_data
                    .iter()
                    .map(|&value| value as f32)
                    .collect(),
            ),
            Ok(DataType::Double) => {
                Values::Floats(from_bytes(raw, |bytes| f64::from_le_bytes(bytes) as f32))
            }
            Ok(DataType::Int64) if raw.is_empty() => Values::Ints(tensor.int64_data.clone()),
            Ok(DataType::Int64) => Values::Ints(from_bytes(raw, i64::from_le_bytes)),
            Ok(DataType::Int32 | DataType::Bool | DataType::Int8 | DataType::Uint8)
                if raw.is_empty() =>
            {
                Values::Ints(
                    tensor
                        .int32_data
                        .iter()
                        .map(|&value| i64::from(value))
                        .collect(),
                )
            }
            Ok(DataType::Int32) => Values::Ints(from_bytes(raw, |bytes| {
                i64::from(i32::from_le_bytes(bytes))
            })),
            Ok(DataType::Int8) => Values::Ints(
                raw.iter()
                    .map(|&byte| i64::from(byte.cast_signed()))
                    .collect(),
            ),
            Ok(DataType::Bool | DataType::Uint8) => {
                Values::Ints(raw.iter().map(|&value| i64::from(value)).collect())
            }
            kind => {
                let kind = kind
                    .map_or("of an unknown type", |kind| kind.as_str_name())
                    .to_lowercase();
                return fail(format!(
                    "its values are {kind}: export the model in float32"
                ));
            }
        };
        let mut constant = Self::new(dims, values);
        constant.ends = match DataType::try_from(tensor.data_type) {
            Ok(DataType::Int8) => Some([-128, 127]),
            Ok(DataType::Uint8) => Some([0, 255]),
            _ => None,
        };
        let needed = constant
            .dims
            .iter()
            .try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        let got = match &constant.values {
            Values::Floats(values) => values.len(),
            Values::Ints(values) => values.len(),
        };
        if needed != Some(got) {
            let dims = &constant.dims;
            return fail(format!(
                "{got} values for the shape {dims:?}: the file is damaged"
            ));
        }
        Ok(constant)
    }

    /// Its float values.
    pub(super) fn floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Floats(values) => Some(values),
            Values::Ints(_) => None,
        }
    }

    /// Its whole numbers.
    pub(super) fn ints(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Ints(values) => Some(values),
            Values::Floats(_) => None,
        }
    }
}

/// Little-endian numbers; bytes left over at the end are dropped, so that their count is wrong.
fn from_bytes<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|&bytes| number(bytes))
        .collect()
}
