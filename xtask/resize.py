"""A network of the selfie family for pictures of another size than its file says, in the reference runtime.

The same weights: only the shapes of maps, the targets of resizing and the windows of global means change.
"""

import flatbuffers
import numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def interpreter(path, width, height, threads=1):
    """An interpreter for the TFLite file at `path`, ready to run on pictures of `width` x `height`."""
    with open(path, "rb") as file:
        content = file.read()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content), 0))
    graph = model.subgraphs[0]
    rows, columns = (int(side) for side in graph.tensors[graph.inputs[0]].shape[1:3])
    if (columns, rows) != (width, height):
        _resize(model, graph, height / rows, width / columns)
        builder = flatbuffers.Builder(0)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        content = bytes(builder.Output())
    result = Interpreter(model_content=content, num_threads=threads)
    result.allocate_tensors()
    return result


def _resize(model, graph, down, across):
    def name(operator):
        code = model.operatorCodes[operator.opcodeIndex]
        return _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]

    weights = {int(tensor) for o in graph.operators if name(o) == "DEQUANTIZE" for tensor in o.outputs}
    for index, tensor in enumerate(graph.tensors):
        shape = tensor.shape
        is_map = index not in weights and model.buffers[tensor.buffer].data is None and shape is not None
        if is_map and len(shape) == 4 and shape[1] > 1:
            tensor.shape = numpy.array([1, round(shape[1] * down), round(shape[2] * across), shape[3]], numpy.int32)
    for operator in graph.operators:
        if name(operator) == "RESIZE_BILINEAR":
            buffer = model.buffers[graph.tensors[operator.inputs[1]].buffer]
            sides = numpy.frombuffer(bytes(bytearray(buffer.data)), "<i4") * [down, across]
            buffer.data = numpy.frombuffer(sides.round().astype("<i4").tobytes(), numpy.uint8)
        elif name(operator) == "AVERAGE_POOL_2D":
            # A global mean: its window is the whole map.
            window, (_, height, width, _) = operator.builtinOptions, graph.tensors[operator.inputs[0]].shape
            window.filterHeight, window.filterWidth = int(height), int(width)
