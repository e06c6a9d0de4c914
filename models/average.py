"""Averages the weights of a network and of one that was trained from it, which often holds on to what both know (Wortsman
et al. 2022, "Robust fine-tuning of zero-shot models").

    python3 -m venv venv && venv/bin/pip install numpy onnx
    venv/bin/python models/average.py backbone.onnx trained.onnx --out average.onnx

Both are files of `models/backbone.py` or `sudal export`; how pixels become the input may differ. Patches are left out.
"""

import argparse

import numpy as np
import onnx
from onnx import numpy_helper


def normalization(model):
    """Mean and deviation of the pixels, on the scale 0..1."""
    entries = {entry.key: entry.value for entry in model.metadata_props}
    return float(entries["sudal.mean"]), float(entries["sudal.std"])


def convolutions(model):
    """Weight and bias of each convolution of the embedding, in their order."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = (node for node in model.graph.node if node.op_type == "Conv" and "patches" not in node.name)
    return [(tensors[node.input[1]], tensors[node.input[2]]) for node in nodes]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("start", metavar="START", help="the network that was started from")
    parser.add_argument("trained", metavar="TRAINED", help="the one that was trained from it")
    parser.add_argument("--part", type=float, default=0.5, help="part of the trained one [0.5]")
    parser.add_argument("--out", required=True, metavar="FILE", help="the ONNX file")
    args = parser.parse_args()
    start, trained = onnx.load(args.start), onnx.load(args.trained)
    (mean, std), (own_mean, own_std) = normalization(start), normalization(trained)
    pairs = list(zip(convolutions(start), convolutions(trained), strict=True))
    for place, (of_start, of_trained) in enumerate(pairs):
        weight, bias = (numpy_helper.to_array(tensor).astype(np.float64) for tensor in of_start)
        if place == 0:  # So that it reads the other's pixels.
            bias = bias + weight.sum((1, 2, 3)) * (own_mean - mean) / std
            weight = weight * own_std / std
        for tensor, value in zip(of_trained, (weight, bias)):
            value = (1 - args.part) * value + args.part * numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float32), tensor.name))
    graph = trained.graph
    made = [node for node in graph.node if "patches" in node.name or "patches" in node.output]
    for node in made:
        graph.node.remove(node)
    read = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)
    for output in [output for output in graph.output if output.name == "patches"]:
        graph.output.remove(output)
    for entry in [entry for entry in trained.metadata_props if entry.key == "sudal.patches"]:
        trained.metadata_props.remove(entry)
    onnx.checker.check_model(trained)
    onnx.save(trained, args.out)
    print(f"{args.out}: {len(pairs)} convolutions")


if __name__ == "__main__":
    main()
