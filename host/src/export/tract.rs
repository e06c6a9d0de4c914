//! tract's reader of ONNX files, with what it lacks: Upsample, and Resize of the first operator sets.

use tract_onnx::{
    model::ParsingContext,
    pb::{ModelProto, NodeProto},
    prelude::*,
    tract_hir::internal::InferenceOp,
};

use super::proto::{tensor, text};

/// Reads every operator that tract reads, and these.
pub(super) fn reader() -> tract_onnx::Onnx {
    let mut onnx = tract_onnx::onnx()
        .with_ignore_value_info(true)
        .with_ignore_output_shapes(true);
    onnx.op_register.insert("Resize", resize);
    onnx.op_register.insert("Upsample", resize);
    onnx
}

/// Gives each Upsample of the first operator sets, which has its scales as an attribute, an input.
pub(super) fn scales_as_inputs(model: &mut ModelProto) {
    let Some(graph) = &mut model.graph else {
        return;
    };
    for (index, node) in graph.node.iter_mut().enumerate() {
        let scales = node
            .attribute
            .iter()
            .find(|attribute| attribute.name == "scales");
        if let (Some(scales), "Upsample", [_]) = (scales, &*node.op_type, &node.input[..]) {
            let name = format!("sudal.scales.{index}");
            graph
                .initializer
                .push(tensor(name.clone(), &[scales.floats.len()], &scales.floats));
            node.input.push(name);
        }
    }
}

/// Reads a Resize, or an Upsample, which is one of operator set 10: of these the nearest neighbour is the
/// one before. Of operator set 11 tract counts inputs that are left out.
fn resize(
    context: &ParsingContext<'_>,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let mut context = context.clone();
    let mut node = node.clone();
    context.onnx_operator_set_version = match context.onnx_operator_set_version {
        ..=10 => {
            node.attribute.push(text("nearest_mode", "floor"));
            10
        }
        11..=17 => 13,
        version => version,
    };
    let read = tract_onnx::onnx().op_register.0["Resize"];
    read(&context, &node)
}
