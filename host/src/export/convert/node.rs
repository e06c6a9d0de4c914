//! One node of an ONNX file with its attributes and inputs, and errors that name it.

use tract_onnx::pb::{AttributeProto, NodeProto};

use super::{constant::Constant, error::ConvertError, network::Shape};

/// Greatest size of anything along one axis, in pixels or channels.
pub(super) const MAX_SIDE: usize = 65535;

/// How a file sees a tensor, behind the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axes {
    /// `[N, length]`
    Vector,
    /// `[N, channels, height, width]`
    ChannelsFirst,
    /// `[N, height, width, channels]`
    ChannelsLast,
}

/// A tensor that depends on the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Activation {
    /// Its index as [`Layer::inputs`](super::network::Layer::inputs) counts.
    pub(super) value: usize,
    pub(super) shape: Shape,
    pub(super) axes: Axes,
}

impl Activation {
    /// A picture with the channels first.
    pub(super) fn picture(value: usize, shape: Shape) -> Self {
        Self {
            value,
            shape,
            axes: Axes::ChannelsFirst,
        }
    }

    /// The dimensions as the file writes them, the batch as 0.
    pub(super) fn dims(&self) -> Vec<i64> {
        let Shape {
            height,
            width,
            channels,
        } = self.shape;
        let dims = match self.axes {
            Axes::Vector => vec![0, channels],
            Axes::ChannelsFirst => vec![0, channels, height, width],
            Axes::ChannelsLast => vec![0, height, width, channels],
        };
        dims.into_iter().map(|dim| dim as i64).collect()
    }

    /// The dimensions for people.
    pub(super) fn text(&self) -> String {
        let dims: Vec<String> = self.dims()[1..].iter().map(i64::to_string).collect();
        format!("[N, {}]", dims.join(", "))
    }

    /// Number of dimensions.
    pub(super) fn rank(&self) -> i64 {
        if self.axes == Axes::Vector { 2 } else { 4 }
    }

    /// The axis of the channels.
    pub(super) fn channel_axis(&self) -> i64 {
        if self.axes == Axes::ChannelsLast {
            3
        } else {
            1
        }
    }

    /// The axes of height and width.
    pub(super) fn spatial_axes(&self) -> [i64; 2] {
        if self.axes == Axes::ChannelsLast {
            [1, 2]
        } else {
            [2, 3]
        }
    }
}

/// Something on the way to the lengths of a tensor's vectors of channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Length {
    pub(super) of: Activation,
    pub(super) form: Form,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Squares,
    Sum,
    Root,
    Inverse,
}

/// A picture whose channels are seen as groups of channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Groups {
    pub(super) of: Activation,
    /// Number of groups.
    pub(super) groups: usize,
    /// Number of dimensions, the batch among them.
    pub(super) rank: i64,
    /// Whether the channels of a group come before the groups.
    pub(super) turned: bool,
}

/// What a name in the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Constant),
    Activation(Activation),
    /// Lengths of a tensor's vectors of channels, by which it can be divided.
    Length(Length),
    /// A picture on the way through a shuffle of its channels.
    Groups(Groups),
}

/// Axes counted from the front.
pub(super) fn from_front(axes: &[i64], rank: i64) -> Vec<i64> {
    let count = |&axis: &i64| match axis {
        ..0 => axis.saturating_add(rank),
        _ => axis,
    };
    axes.iter().map(count).collect()
}

/// A node with the values that it reads.
pub(super) struct Node<'f> {
    pub(super) proto: &'f NodeProto,
    pub(super) name: String,
    /// Its inputs in order, `None` for one left out.
    pub(super) inputs: Vec<Option<Value>>,
}

impl Node<'_> {
    /// An error at this node.
    pub(super) fn fail<T>(&self, reason: impl Into<String>) -> Result<T, ConvertError> {
        Err(self.error(reason))
    }

    /// An error at this node.
    pub(super) fn error(&self, reason: impl Into<String>) -> ConvertError {
        ConvertError::Node {
            node: self.name.clone(),
            operator: self.proto.op_type.clone(),
            reason: reason.into(),
        }
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto
            .attribute
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// A whole number, or the default where it is left out.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name)
            .map_or(default, |attribute| attribute.i)
    }

    /// A number, or the default where it is left out.
    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name)
            .map_or(default, |attribute| attribute.f)
    }

    /// A text, empty where it is left out.
    pub(super) fn text(&self, name: &str) -> &str {
        self.attribute(name)
            .and_then(|attribute| str::from_utf8(&attribute.s).ok())
            .unwrap_or("")
    }

    /// A fixed number of sizes, each at least `least`, or the default where they are left out.
    pub(super) fn sizes<const N: usize>(
        &self,
        name: &str,
        least: usize,
        default: [usize; N],
    ) -> Result<[usize; N], ConvertError> {
        match self.attribute(name) {
            None => Ok(default),
            Some(attribute) => self.as_sizes(name, least, &attribute.ints),
        }
    }

    /// Numbers as a fixed number of sizes, each at least `least`.
    pub(super) fn as_sizes<const N: usize>(
        &self,
        name: &str,
        least: usize,
        values: &[i64],
    ) -> Result<[usize; N], ConvertError> {
        let sizes: Vec<usize> = values
            .iter()
            .filter_map(|&value| usize::try_from(value).ok())
            .filter(|size| (least..=MAX_SIDE).contains(size))
            .collect();
        if sizes.len() != values.len() {
            return self.fail(format!(
                "{name} is {values:?}: each must be {least} to {MAX_SIDE}"
            ));
        }
        <[usize; N]>::try_from(sizes).map_err(|sizes| {
            self.error(format!(
                "{name} has {} values, {N} are needed: only 2-D is supported",
                sizes.len()
            ))
        })
    }

    /// Axes from the attribute or the second input, counted from the front and sorted.
    pub(super) fn axes(&self, rank: i64) -> Result<Option<Vec<i64>>, ConvertError> {
        let axes = match (self.attribute("axes"), self.optional_constant(1)?) {
            (Some(attribute), _) => attribute.ints.clone(),
            (None, Some(constant)) => match constant.ints() {
                Some(ints) => ints.to_vec(),
                None => return self.fail("its axes must be whole numbers: the file is damaged"),
            },
            (None, None) => return Ok(None),
        };
        let mut axes = from_front(&axes, rank);
        axes.sort_unstable();
        Ok(Some(axes))
    }

    /// An input that is computed from the picture.
    pub(super) fn activation(&self, index: usize) -> Result<Activation, ConvertError> {
        match self.inputs.get(index) {
            Some(Some(Value::Activation(activation))) => Ok(*activation),
            Some(Some(Value::Length(_))) => self.fail(format!(
                "input {index} is a square or a length: it works only for scaling the tensor that it is of \
                 to unit length"
            )),
            Some(Some(Value::Groups(_))) => self.fail(format!(
                "input {index} is a picture with its channels in groups: they can only change places, as in a \
                 shuffle of channels, by Transpose and Reshape"
            )),
            Some(Some(Value::Constant(_))) => self.fail(format!(
                "input {index} is a constant: simplify the model first, for example with onnxsim"
            )),
            _ => self.fail(format!("input {index} is missing: the file is damaged")),
        }
    }

    /// An input that is a picture, however the file sees it.
    pub(super) fn picture(&self, index: usize) -> Result<Activation, ConvertError> {
        let activation = self.activation(index)?;
        if activation.axes == Axes::Vector {
            let dims = activation.text();
            return self.fail(format!(
                "input {index} has the shape {dims}: rank 4, [N, channels, height, width], is needed"
            ));
        }
        Ok(activation)
    }

    /// An input that is a picture with the channels first, as operators on windows need it.
    pub(super) fn channels_first(&self, index: usize) -> Result<Activation, ConvertError> {
        let activation = self.picture(index)?;
        if activation.axes == Axes::ChannelsLast {
            let dims = activation.text();
            return self.fail(format!(
                "input {index} has the shape {dims}, channels last: put a Transpose with perm [0, 3, 1, 2] before it"
            ));
        }
        Ok(activation)
    }

    /// An input that is a vector.
    pub(super) fn vector(&self, index: usize) -> Result<Activation, ConvertError> {
        let activation = self.activation(index)?;
        if activation.axes != Axes::Vector {
            let dims = activation.text();
            return self.fail(format!(
                "input {index} has the shape {dims}: rank 2, [N, length], is needed; put a Flatten before it"
            ));
        }
        Ok(activation)
    }

    /// A constant input, `None` where it is left out.
    pub(super) fn optional_constant(
        &self,
        index: usize,
    ) -> Result<Option<&Constant>, ConvertError> {
        match self.inputs.get(index) {
            None | Some(None) => Ok(None),
            Some(Some(Value::Constant(constant))) => Ok(Some(constant)),
            Some(Some(Value::Activation(_) | Value::Length(_) | Value::Groups(_))) => self.fail(format!(
                "input {index} is computed from the picture, a constant is needed: export with fixed weights"
            )),
        }
    }

    /// A constant input.
    pub(super) fn constant(&self, index: usize) -> Result<&Constant, ConvertError> {
        self.optional_constant(index)?
            .ok_or_else(|| self.error(format!("input {index} is missing: the file is damaged")))
    }

    /// The floats of a constant input, all of them finite.
    pub(super) fn weights(&self, index: usize) -> Result<(&[usize], &[f32]), ConvertError> {
        let constant = self.constant(index)?;
        let values = constant.floats().ok_or_else(|| {
            self.error(format!("input {index} must be floats: export in float32"))
        })?;
        self.check_finite(values)?;
        Ok((&constant.dims, values))
    }

    /// The scale of each of `out` channels of weights that are integers of int8, along one of their axes.
    pub(super) fn scales(&self, index: usize, axis: usize, out: usize) -> Option<Vec<f32>> {
        let constant = self.constant(index).ok()?;
        let scales = constant.scales.as_ref()?;
        match scales.values.len() {
            1 => Some(vec![scales.values[0]; out]),
            length if length == out && scales.axis == axis => Some(scales.values.clone()),
            _ => None,
        }
    }

    /// Refuses NaN and infinities.
    pub(super) fn check_finite(&self, values: &[f32]) -> Result<(), ConvertError> {
        match values.iter().find(|value| !value.is_finite()) {
            Some(&value) => Err(ConvertError::NotFinite {
                node: self.name.clone(),
                value,
            }),
            None => Ok(()),
        }
    }
}
