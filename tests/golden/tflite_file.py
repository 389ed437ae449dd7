# SPDX-License-Identifier: Apache-2.0
"""Writes TFLite files: tensors and operators as they are given. Needs ai-edge-litert (its schema) and flatbuffers."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl

OPERATOR, OPTIONS, ACTIVATION, PADDING = tfl.BuiltinOperator, tfl.BuiltinOptions, tfl.ActivationFunctionType, tfl.Padding
TYPES = {np.dtype(np.float32): tfl.TensorType.FLOAT32, np.dtype(np.float16): tfl.TensorType.FLOAT16,
         np.dtype(np.int32): tfl.TensorType.INT32, np.dtype(np.int64): tfl.TensorType.INT64,
         np.dtype(np.bool_): tfl.TensorType.BOOL, np.dtype(np.int8): tfl.TensorType.INT8,
         np.dtype(np.uint8): tfl.TensorType.UINT8}


class File:
    """Collects tensors and operators of one model."""

    def __init__(self):
        self.buffers, self.tensors, self.operators, self.codes = [tfl.BufferT()], [], [], []
        self.inputs, self.outputs = [], []

    # ------------------------------------------------------------ tensors

    def tensor(self, name, shape, data=None, dtype=np.float32):
        """Index of a new tensor; a constant when there is data."""
        tensor = tfl.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), [int(n) for n in shape], 0
        tensor.type = TYPES[data.dtype if data is not None else np.dtype(dtype)]
        if data is not None:
            tensor.buffer = self.buffer(data)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def buffer(self, data):
        buffer = tfl.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def constant(self, data, dtype=None):
        data = np.asarray(data, dtype)
        return self.tensor(f"constant_{len(self.tensors)}", data.shape, data)

    def sparse(self, data, block=None):
        """A constant whose last axis lists what is not zero, in blocks of this many elements when that is given."""
        index, rank = self.tensor(f"sparse_{len(self.tensors)}", data.shape, data), data.ndim
        columns = data.shape[-1] // (block or 1)
        rows = data.reshape(-1, columns, block or 1)
        kept = (rows != 0).any(axis=2)
        sparsity = tfl.SparsityParametersT()
        sparsity.traversalOrder = list(range(rank + (1 if block else 0)))
        sparsity.blockMap = [rank - 1] if block else []
        sparsity.dimMetadata = [dense_level(n) for n in data.shape[:-1]]
        sparsity.dimMetadata.append(sparse_level(np.cumsum([0, *kept.sum(axis=1)]), np.nonzero(kept)[1]))
        if block:
            sparsity.dimMetadata.append(dense_level(block))
        self.tensors[index].sparsity = sparsity
        self.tensors[index].buffer = self.buffer(rows[kept])
        return index

    # ------------------------------------------------------------ operators

    def operator(self, kind, inputs, outputs, options=None, version=1, custom=None, **fields):
        """options: the name of the operator's table of options; fields are its fields."""
        code = tfl.OperatorCodeT()
        code.builtinCode, code.version, code.customCode = getattr(OPERATOR, kind), version, custom
        code.deprecatedBuiltinCode = min(code.builtinCode, OPERATOR.PLACEHOLDER_FOR_GREATER_OP_CODES)
        known = [(other.builtinCode, other.version, other.customCode) for other in self.codes]
        key = (code.builtinCode, version, custom)
        if key not in known:
            known.append(key)
            self.codes.append(code)
        operator = tfl.OperatorT()
        operator.opcodeIndex = known.index(key)
        operator.inputs, operator.outputs = inputs, outputs
        if options:
            operator.builtinOptionsType = getattr(OPTIONS, options)
            operator.builtinOptions = getattr(tfl, options + "T")()
            for field, value in fields.items():
                if not hasattr(operator.builtinOptions, field):
                    raise AttributeError(f"{options} has no field {field}")
                setattr(operator.builtinOptions, field, value)
        self.operators.append(operator)
        return operator

    # ------------------------------------------------------------ the file

    def pack(self):
        graph, model = tfl.SubGraphT(), tfl.ModelT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self.tensors, self.operators, self.inputs, self.outputs
        graph.name = b"main"
        model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], self.buffers, self.codes
        model.description = b"sepcl"
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def dense_level(size):
    level = tfl.DimensionMetadataT()
    level.format, level.denseSize = tfl.DimensionType.DENSE, int(size)
    return level


def sparse_level(segments, indices):
    """The numbers in the narrowest type that holds them, as TensorFlow's converter does it."""
    level = tfl.DimensionMetadataT()
    level.format = tfl.DimensionType.SPARSE_CSR
    level.arraySegmentsType, level.arraySegments = index_vector(segments)
    level.arrayIndicesType, level.arrayIndices = index_vector(indices)
    return level


def index_vector(values):
    most = max([0, *values])
    name = "Uint8Vector" if most < 256 else "Uint16Vector" if most < 65536 else "Int32Vector"
    vector = getattr(tfl, name + "T")()
    vector.values = [int(v) for v in values]
    return getattr(tfl.SparseIndexVector, name), vector
