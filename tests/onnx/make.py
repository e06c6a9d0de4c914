"""Writes the ONNX files of this folder with the `onnx` package, as somebody else's exporter would.

    pip install onnx && python3 tests/onnx/make.py

`foreign.onnx` uses every operator that the converter knows, at random weights from a fixed seed.
The other files are broken in one way each. From the small ones that are sound, a few operators each,
fuzzing starts (`tests/fuzz/corpus/onnx`).
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).parent
rng = np.random.default_rng(20260729)


class Builder:
    """Collects nodes, each reading the one before unless told otherwise."""

    def __init__(self, shape):
        self.nodes, self.constants, self.shape = [], [], shape
        self.last = "pixels"

    def constant(self, values, raw=True):
        name = f"c{len(self.constants)}"
        values = np.asarray(values)
        if raw:
            self.constants.append(numpy_helper.from_array(values, name))
        else:
            self.constants.append(
                helper.make_tensor(name, TensorProto.FLOAT, values.shape, values.flatten().tolist())
            )
        return name

    def add(self, operator, *constants, inputs=None, **attributes):
        output = f"{operator.lower()}_{len(self.nodes)}"
        inputs = [self.last] if inputs is None else inputs
        self.nodes.append(
            helper.make_node(operator, [*inputs, *constants], [output], name=output, **attributes)
        )
        self.last = output
        return output

    def conv(self, out, inputs, kernel, groups=1, bias=True, raw=True, **attributes):
        fan_in = inputs // groups * kernel * kernel
        weight = rng.normal(0, (2 / fan_in) ** 0.5, (out, inputs // groups, kernel, kernel))
        constants = [self.constant(weight.astype(np.float32), raw)]
        if bias:
            constants.append(self.constant(rng.normal(0, 0.1, out).astype(np.float32)))
        return self.add("Conv", *constants, group=groups, **attributes)

    def batch_normalization(self, channels):
        parameters = [
            rng.uniform(0.5, 1.5, channels),
            rng.normal(0, 0.2, channels),
            rng.normal(0, 0.2, channels),
            rng.uniform(0.5, 1.5, channels),
        ]
        constants = [self.constant(values.astype(np.float32)) for values in parameters]
        return self.add("BatchNormalization", *constants, epsilon=1e-3)

    def model(self, rank=2):
        shape = ["batch", None] if rank == 2 else ["batch", None, None, None]
        graph = helper.make_graph(
            self.nodes,
            "foreign",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, shape)],
            self.constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="make.py"
        )


def foreign():
    b = Builder(["batch", 1, 20, 18])
    b.add("Sub", b.constant(np.float32(0.25)))
    b.add("Div", b.constant(np.full((1, 1, 1, 1), 0.5, np.float32)))
    b.add("Pad", b.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])), mode="constant")
    b.conv(8, 1, 3, bias=False)
    b.batch_normalization(8)
    b.add("Relu")
    b.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    b.conv(8, 8, 3, groups=8, raw=False, auto_pad="SAME_UPPER")
    b.add("Clip", b.constant(np.float32(0)), b.constant(np.float32(6)))
    b.conv(12, 8, 1, bias=False)
    b.batch_normalization(12)
    shortcut = b.last
    b.conv(12, 12, 3, groups=3, pads=[1, 1, 1, 1])
    b.add("Relu")
    b.add("Add", inputs=[shortcut, b.last])
    b.add("Identity")
    b.add("Relu")
    b.add("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    b.conv(12, 12, 3, strides=[1, 2], pads=[0, 1, 0, 1], dilations=[1, 1])
    b.add("Mul", b.constant(rng.uniform(0.5, 1.5, (12, 1, 1)).astype(np.float32)))
    b.add("Relu")
    b.add("Dropout")
    wide = b.last
    b.add("GlobalAveragePool")
    b.add("Squeeze", b.constant(np.array([2, 3])))
    mean = b.add("Gemm", b.constant(rng.normal(0, 0.3, (16, 12)).astype(np.float32)), transB=1)
    b.last = wide
    flat = b.add("Flatten")
    value = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 12 * 3 * 3])
    b.nodes.append(helper.make_node("Constant", [], ["shape"], value=value))
    b.add("Reshape", inputs=[flat, "shape"])
    b.add("MatMul", b.constant(rng.normal(0, 0.15, (12 * 3 * 3, 16)).astype(np.float32)))
    b.add("Add", b.constant(rng.normal(0, 0.1, 16).astype(np.float32)))
    b.add("Add", inputs=[mean, b.last])
    return b.model()


def small(shape=("batch", 1, 8, 8), operator="Relu"):
    b = Builder(list(shape))
    b.conv(4, 1, 3)
    b.add(operator)
    b.add("Flatten")
    return b


def seeds():
    """Few operators each, as short as they can be."""
    b = Builder(["batch", 1, 6, 6])
    b.add("Sub", b.constant(np.float32(0.25)))
    b.add("Div", b.constant(np.full((1, 1, 1, 1), 0.5, np.float32)))
    b.add("Pad", b.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])), mode="constant")
    b.conv(2, 1, 3, bias=False)
    b.batch_normalization(2)
    b.add("Relu")
    b.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    b.add("Flatten")
    yield "folded", b

    b = Builder(["batch", 2, 5, 4])
    b.conv(2, 2, 3, groups=2, raw=False, auto_pad="SAME_UPPER")
    b.add("Clip", b.constant(np.float32(0)), b.constant(np.float32(6)))
    shortcut = b.last
    b.conv(2, 2, 1)
    b.add("Add", inputs=[shortcut, b.last])
    b.add("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    b.add("GlobalAveragePool")
    b.add("Squeeze", b.constant(np.array([2, 3])))
    yield "residual", b

    b = Builder(["batch", 1, 4, 4])
    b.conv(2, 1, 2, strides=[1, 2], pads=[0, 1, 0, 1], dilations=[1, 1])
    b.add("Mul", b.constant(rng.uniform(0.5, 1.5, (2, 1, 1)).astype(np.float32)))
    b.add("ReduceMean", axes=[2], keepdims=1)
    b.add("Dropout")
    wide = b.last
    mean = b.add("Flatten")
    mean = b.add("Gemm", b.constant(rng.normal(0, 0.3, (3, 6)).astype(np.float32)), transB=1)
    b.last = wide
    value = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 6])
    b.nodes.append(helper.make_node("Constant", [], ["shape"], value=value))
    b.add("Reshape", inputs=[wide, "shape"])
    b.add("MatMul", b.constant(rng.normal(0, 0.15, (6, 3)).astype(np.float32)))
    b.add("Add", inputs=[mean, b.last])
    yield "linear", b

    b = small(shape=("batch", 1, 4, 4))
    yield "chain", b


def main():
    model = foreign()
    checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    (HERE / "foreign.onnx").write_bytes(data)
    (HERE / "truncated.onnx").write_bytes(data[: len(data) // 2])
    (HERE / "unsupported_operator.onnx").write_bytes(
        small(operator="Softplus").model().SerializeToString()
    )
    (HERE / "dynamic_shape.onnx").write_bytes(
        small(shape=("batch", 1, "height", "width")).model().SerializeToString()
    )
    b = Builder(["batch", 1, 8, 8])
    b.conv(4, 1, 3)
    b.add("Gemm", b.constant(np.ones((6, 5), np.float32)))
    (HERE / "wrong_rank.onnx").write_bytes(b.model().SerializeToString())
    b = small()
    weight = numpy_helper.to_array(b.constants[0]).copy()
    weight[2, 0, 1, 1] = np.nan
    b.constants[0] = numpy_helper.from_array(weight, b.constants[0].name)
    (HERE / "nan_weight.onnx").write_bytes(b.model().SerializeToString())
    for name, b in seeds():
        model = b.model()
        checker.check_model(model, full_check=True)
        if name == "chain":
            for key, value in [("mean", "0.5"), ("std", "0.25"), ("contrast", "40")]:
                model.metadata_props.add(key=f"sudal.{key}", value=value)
        seed = HERE.parent / "fuzz" / "corpus" / "onnx" / f"{name}.onnx"
        seed.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
