"""Writes the networks of BodyPix as ONNX files with weights made of chance: networks.py FOLDER WIDTH HEIGHT

BodyPix's own weights are on no package registry. What a network costs does not depend on its weights, only on its layers,
which are those of ResNet-50 with an output stride of 16 (what the program that greenroom supersedes ran) and of MobileNet V1
with half of the channels and an output stride of 16 (the least that BodyPix has). Both end in a 1x1 convolution that says where
persons are; BodyPix's other heads are left out.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Network:
    def __init__(self):
        self.random = np.random.default_rng(1)
        self.nodes, self.weights, self.names = [], [], 0

    def name(self):
        self.names += 1
        return f"t{self.names}"

    def add(self, operator, *inputs, **attributes):
        output = self.name()
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def tensor(self, values):
        name = self.name()
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def convolution(self, picture, inputs, outputs, side, stride=1, dilation=1, groups=1):
        """As TensorFlow pads: the picture's size over the stride, rounded up."""
        fan_in = side * side * inputs // groups
        weights = self.random.normal(0, np.sqrt(2 / fan_in), (outputs, inputs // groups, side, side))
        options = {"strides": [stride] * 2, "dilations": [dilation] * 2, "group": groups, "auto_pad": "SAME_UPPER"}
        if dilation > 1:
            del options["auto_pad"]
            options["pads"] = [dilation * (side // 2)] * 4
        operands = [picture, self.tensor(weights), self.tensor(np.zeros(outputs))]
        return self.add("Conv", *operands, kernel_shape=[side] * 2, **options)

    def save(self, path, picture, inputs):
        weights = self.convolution(picture, inputs, 1, 1)
        self.nodes.append(helper.make_node("Identity", [weights], ["segments"]))
        entry = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, height, width])
        result = helper.make_tensor_value_info("segments", TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "body-pix", [entry], [result], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        onnx.save(onnx.shape_inference.infer_shapes(model), path)


def resnet50(path):
    net = Network()
    picture = net.add("Relu", net.convolution("input", 3, 64, 7, stride=2))
    picture = net.add("MaxPool", picture, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    inputs = 64
    # The last stage has holes in its convolutions in place of a stride.
    for middle, blocks, first_stride, dilation in [(64, 3, 1, 1), (128, 4, 2, 1), (256, 6, 2, 1), (512, 3, 1, 2)]:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            shortcut = picture
            if block == 0:
                shortcut = net.convolution(picture, inputs, 4 * middle, 1, stride)
            picture = net.add("Relu", net.convolution(picture, inputs, middle, 1, stride))
            picture = net.add("Relu", net.convolution(picture, middle, middle, 3, dilation=dilation))
            picture = net.convolution(picture, middle, 4 * middle, 1)
            picture = net.add("Relu", net.add("Add", picture, shortcut))
            inputs = 4 * middle
    net.save(path, picture, inputs)


def mobilenet(path):
    net = Network()
    limits = [net.tensor(np.array(limit)) for limit in (0, 6)]
    picture = net.add("Clip", net.convolution("input", 3, 16, 3, stride=2), *limits)
    inputs = 16
    layers = [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)] + [(256, 1)] * 5 + [(512, 2), (512, 1)]
    stride_so_far, dilation = 2, 1
    for outputs, stride in layers:
        if stride_so_far * stride > 16:
            stride, wider = 1, stride
        else:
            stride_so_far, wider = stride_so_far * stride, 1
        picture = net.convolution(picture, inputs, inputs, 3, stride, dilation, groups=inputs)
        picture = net.add("Clip", picture, *limits)
        picture = net.add("Clip", net.convolution(picture, inputs, outputs, 1), *limits)
        inputs, dilation = outputs, dilation * wider
    net.save(path, picture, inputs)


resnet50(f"{folder}/resnet50.onnx")
mobilenet(f"{folder}/mobilenet.onnx")
