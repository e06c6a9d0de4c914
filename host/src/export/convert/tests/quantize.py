"""Makes the quantised files of the tests beside it: networks of random weights, quantised by ONNX Runtime.

    python3 -m venv venv && venv/bin/pip install numpy onnx onnxruntime
    venv/bin/python quantize.py
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

MEAN, STD = 0.4, 0.3


class Network:
    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.nodes, self.constants = [], []

    def node(self, op, *inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [f"{name}_out"], name, **attributes))
        return f"{name}_out"

    def constant(self, name, limit, *dims):
        values = self.rng.uniform(-limit, limit, dims).astype(np.float32)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, value, out, inputs, side, stride=1, group=1):
        number, taps = len(self.nodes), inputs // group * side * side
        weight = self.constant(f"w{number}", np.sqrt(6 / taps), out, inputs // group, side, side)
        bias = self.constant(f"b{number}", 0.1, out)
        window = {"kernel_shape": [side] * 2, "pads": [side // 2] * 4, "strides": [stride] * 2}
        return self.node("Conv", value, weight, bias, group=group, **window)

    def mean(self, value):
        return self.node("Flatten", self.node("GlobalAveragePool", value))

    def save(self, path, output, shape, length):
        picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])
        embedding = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", length])
        graph = helper.make_graph(self.nodes, "network", [picture], [embedding], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def resnet8(net):
    x, before = net.node("Relu", net.conv("x", 16, 3, 3)), 16
    for out, stride in [(16, 1), (32, 2), (64, 2)]:
        path = net.conv(net.node("Relu", net.conv(x, out, before, 3, stride)), out, out, 3)
        short = x if stride == 1 else net.conv(x, out, before, 1, stride)
        x, before = net.node("Relu", net.node("Add", path, short)), out
    return net.mean(x)


def mixed(net):
    x = net.node("Relu", net.conv("x", 12, 3, 3))
    x = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    apart = net.node("Relu", net.conv(x, 12, 12, 3, group=12))
    x = net.node("Concat", apart, net.node("Sigmoid", net.conv(x, 10, 12, 1)), axis=1)
    gate = net.node("Relu", net.conv(net.node("GlobalAveragePool", x), 8, 22, 1))
    x = net.node("Mul", x, net.node("Sigmoid", net.conv(gate, 22, 8, 1)))
    x = net.mean(net.node("LeakyRelu", net.conv(x, 24, 22, 3, 2), alpha=0.1))
    return net.node("Gemm", x, net.constant("matrix", 0.4, 24, 16), net.constant("bias", 0.1, 16))


class Frames(CalibrationDataReader):
    """Rectangles of three colours on a dark ground, and noise."""

    def __init__(self, channels, height, width):
        self.rng, self.left = np.random.default_rng(7), 32
        self.shape = channels, height, width

    def get_next(self):
        if self.left == 0:
            return None
        self.left -= 1
        (channels, height, width), rng = self.shape, self.rng
        frame = np.full((1, *self.shape), 20.0)
        for _ in range(3):
            top, left = rng.integers(height), rng.integers(width)
            bottom, right = rng.integers(top, height), rng.integers(left, width)
            for channel in range(channels):
                frame[0, channel, top : bottom + 1, left : right + 1] = rng.integers(230)
        frame = np.minimum(frame + rng.integers(0, 25, frame.shape), 255)
        return {"x": ((frame / 255 - MEAN) / STD).astype(np.float32)}


for name, network, shape, length, kind in [
    ("resnet8", resnet8, (3, 32, 32), 64, QuantType.QUInt8),
    ("mixed", mixed, (3, 20, 20), 16, QuantType.QInt8),
]:
    net = Network()
    net.save(f"{name}.onnx", network(net), shape, length)
    quantize_static(
        f"{name}.onnx", f"{name}-qdq.onnx", Frames(*shape), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=kind, weight_type=QuantType.QInt8)
