//! The nodes and constants of an ONNX file that give patches.

use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

use super::tap::Tap;
use crate::export::{
    proto::{floats, int, node, tensor, text},
    signature::PATCHES,
};
use crate::nets::graph::Head;

/// Names of the constants where there is one tap.
const WEIGHT: &str = "patches.weight";
const BIAS: &str = "patches.bias";
/// How all other names start that are made here.
const INNER: &str = "sudal.patches.";

/// Whether a node was made here.
pub(in crate::export) fn is_made(node: &NodeProto) -> bool {
    let made = |name: &String| name == PATCHES || name.starts_with(INNER);
    node.output.iter().any(made)
}

/// Whether a constant was not made here.
pub(super) fn is_foreign(tensor: &TensorProto) -> bool {
    ![WEIGHT, BIAS].contains(&tensor.name.as_str()) && !tensor.name.starts_with(INNER)
}

/// Version of the standard operators in a file.
pub(super) fn opset(model: &ModelProto) -> i64 {
    let sets = model.opset_import.iter();
    let standard = sets.filter(|set| ["", "ai.onnx"].contains(&set.domain.as_str()));
    standard.map(|set| set.version).max().unwrap_or(1)
}

/// The value itself as the patches.
pub(super) fn add_identity(graph: &mut GraphProto, value: &str) {
    add(graph, "Identity", &[value], PATCHES, vec![]);
}

/// The joined vectors of all taps as the patches.
pub(super) fn add_joined(graph: &mut GraphProto, opset: i64, taps: &[Tap]) {
    let mut parts = Vec::new();
    for (index, tap) in taps.iter().enumerate() {
        let name = format!("{INNER}{index}");
        parts.push(repeat(graph, opset, &tap.name, tap.factors, &name));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    add(graph, "Concat", &parts, PATCHES, vec![int("axis", 1)]);
}

/// A head of the taps: for each the columns of the weights that read it, as a 1x1 convolution before its
/// map is made larger, and the sum.
pub(super) fn add_head(graph: &mut GraphProto, opset: i64, taps: &[Tap], head: &Head) {
    let inputs: usize = taps.iter().map(Tap::channels).sum();
    let outputs = head.bias.len();
    let (mut start, mut sum) = (0, None::<String>);
    let last = taps.len() - 1;
    for (index, tap) in taps.iter().enumerate() {
        let columns = start..start + tap.channels();
        start = columns.end;
        let rows = head.weight.chunks_exact(inputs);
        let weight: Vec<f32> = rows
            .flat_map(|row| &row[columns.clone()])
            .copied()
            .collect();
        let (name, names) = match last {
            0 => (PATCHES.to_owned(), [WEIGHT.to_owned(), BIAS.to_owned()]),
            _ => {
                let name = format!("{INNER}{index}");
                let names = ["weight", "bias"].map(|what| format!("{name}.{what}"));
                (name, names)
            }
        };
        let [weight_name, bias_name] = &names;
        let dims = [outputs, tap.channels(), 1, 1];
        graph
            .initializer
            .push(tensor(weight_name.clone(), &dims, &weight));
        let mut reads = vec![tap.name.as_str(), weight_name];
        // One of them has it.
        if index == 0 {
            graph
                .initializer
                .push(tensor(bias_name.clone(), &[outputs], &head.bias));
            reads.push(bias_name);
        }
        add(graph, "Conv", &reads, &name, vec![]);
        let part = repeat(graph, opset, &name, tap.factors, &name);
        sum = Some(match sum {
            None => part,
            Some(sum) => {
                let name = match index {
                    index if index == last => PATCHES.to_owned(),
                    index => format!("{INNER}{index}.sum"),
                };
                add(graph, "Add", &[&sum, &part], &name, vec![]);
                name
            }
        });
    }
}

/// Repeats rows and columns in the form of the file's operators; the name of what comes out.
fn repeat(
    graph: &mut GraphProto,
    opset: i64,
    value: &str,
    [down, right]: [usize; 2],
    name: &str,
) -> String {
    if [down, right] == [1, 1] {
        return value.to_owned();
    }
    let (output, scales, roi) = (
        format!("{name}.large"),
        format!("{name}.scales"),
        format!("{name}.roi"),
    );
    let factors = [1.0, 1.0, down as f32, right as f32];
    let mode = text("mode", "nearest");
    if opset < 9 {
        let attributes = vec![mode, floats("scales", &factors)];
        add(graph, "Upsample", &[value], &output, attributes);
        return output;
    }
    graph
        .initializer
        .push(tensor(scales.clone(), &[4], &factors));
    match opset {
        9 => add(graph, "Upsample", &[value, &scales], &output, vec![mode]),
        10 => add(graph, "Resize", &[value, &scales], &output, vec![mode]),
        _ => {
            // Operator set 11 can not leave it out.
            graph.initializer.push(tensor(roi.clone(), &[0], &[]));
            let attributes = vec![
                mode,
                text("coordinate_transformation_mode", "asymmetric"),
                text("nearest_mode", "floor"),
            ];
            add(
                graph,
                "Resize",
                &[value, &roi, &scales],
                &output,
                attributes,
            );
        }
    }
    output
}

/// A node that is named like its output.
fn add(
    graph: &mut GraphProto,
    operator: &str,
    reads: &[&str],
    output: &str,
    attribute: Vec<AttributeProto>,
) {
    graph.node.push(node(operator, reads, output, attribute));
}
