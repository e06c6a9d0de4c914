//! A mean and a standard deviation for each channel of a network's pictures, as networks trained on
//! ImageNet have them.

use prost::Message;

use super::{
    metadata,
    proto::{node, tensor},
    signature::{Signature, SignatureError},
};

/// The network with the pixels of each channel, on the scale 0..=1, less their mean and over their
/// deviation as its first nodes. It wants pixels with a mean of 0 and a deviation of 1 then.
///
/// # Errors
/// [`SignatureError::Standard`] if there is not one mean and one deviation for each channel, or they can't
/// be those of pixels; the others if it is no embedding network.
pub fn standardize(onnx: &[u8], mean: &[f32], std: &[f32]) -> Result<Vec<u8>, SignatureError> {
    let (signature, mut model) = Signature::read(onnx)?;
    let [channels, ..] = signature.shape;
    let sound = mean.iter().all(|mean| (0.0..=1.0).contains(mean))
        && std.iter().all(|&std| std > 0.0 && std <= 1.0);
    if [mean.len(), std.len()] != [channels; 2] || !sound {
        return Err(SignatureError::Standard(channels));
    }
    metadata::state(&mut model, 0.0, 1.0);
    let graph = model.graph.as_mut().ok_or(SignatureError::NoGraph)?;
    let dims: &[usize] = match signature.channels_last {
        true => &[channels],
        false => &[channels, 1, 1],
    };
    let name = |what: &str| format!("{}_{what}", signature.input);
    let [mean_name, std_name] = ["mean", "std"].map(name);
    let [centered, standard] = ["centered", "standard"].map(name);
    for read in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if *read == signature.input {
            read.clone_from(&standard);
        }
    }
    let nodes = [
        node("Sub", &[&signature.input, &mean_name], &centered, vec![]),
        node("Div", &[&centered, &std_name], &standard, vec![]),
    ];
    graph.node.splice(0..0, nodes);
    graph.initializer.push(tensor(mean_name, dims, mean));
    graph.initializer.push(tensor(std_name, dims, std));
    Ok(model.encode_to_vec())
}
