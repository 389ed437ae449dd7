# SPDX-License-Identifier: Apache-2.0
"""ONNX, .npy, PNG and JPEG files made with nothing but the standard library, right ones and, on request, odd ones."""
import base64
import struct
import zlib

# ---------------------------------------------------------------- ONNX: protocol buffers by hand


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, dims, values):
    data = struct.pack(f"<{len(values)}f", *values)
    return b"".join(number(1, d) for d in dims) + number(2, 1) + block(8, name) + block(9, data)


def int_tensor(name, values):
    return number(1, len(values)) + number(2, 7) + block(8, name) + block(9, struct.pack(f"<{len(values)}q", *values))


def attribute(name, value):
    if isinstance(value, float):
        return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return block(1, name) + number(3, value) + number(20, 2)
    return block(1, name) + b"".join(number(8, v) for v in value) + number(20, 7)


def node(op, inputs, outputs, name="", **attributes):
    out = b"".join(block(1, i) for i in inputs) + b"".join(block(2, o) for o in outputs)
    out += block(3, name or f"{op}_{outputs[0]}") + block(4, op)
    return out + b"".join(block(5, attribute(key, value)) for key, value in attributes.items())


def value_info(name, dims):
    """A dimension that is a text is free."""
    shape = b"".join(block(1, block(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, shape)))


def model(nodes, inputs, outputs, initializers=(), opset=13):
    """inputs and outputs: {name: dims}."""
    graph = b"".join(block(1, n) for n in nodes) + block(2, "test") + b"".join(block(5, t) for t in initializers)
    graph += b"".join(block(11, value_info(*item)) for item in inputs.items())
    graph += b"".join(block(12, value_info(*item)) for item in outputs.items())
    return number(1, 8) + block(8, number(2, opset)) + block(7, graph)


# ---------------------------------------------------------------- .npy

KINDS = {"<f4": "<{}f", ">f4": ">{}f", "<f8": "<{}d", "<i4": "<{}i", "<i8": "<{}q", "|u1": "{}B", "<f2": "<{}e"}


def npy(dims, values, kind="<f4", fortran=False):
    shape = "(" + "".join(f"{d}, " for d in dims) + ")"
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(
        KINDS[kind].format(len(values)), *values)


def read_npy(data):
    """(dims, values) of a little-endian float32 array in C order; an AssertionError for anything else."""
    assert data[:8] == b"\x93NUMPY\x01\x00", "no .npy file of version 1"
    length = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + length].decode(), {"__builtins__": {}})  # noqa: S307 - written by the program under test
    assert header["descr"] == "<f4" and header["fortran_order"] is False and (10 + length) % 64 == 0
    values = struct.unpack(f"<{(len(data) - 10 - length) // 4}f", data[10 + length:])
    count = 1
    for d in header["shape"]:
        count *= d
    assert count == len(values), "elements do not fit the shape"
    return list(header["shape"]), list(values)


# ---------------------------------------------------------------- pictures


def png(width, height, colour):
    """One colour, or colour(x, y)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    at = colour if callable(colour) else lambda x, y: colour
    rows = b"".join(b"\0" + bytes(c for x in range(width) for c in at(x, y)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# 16 x 8 pixels of red (254, 0, 0), baseline.
JPEG = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
Cgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREAAhEB
AxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAgJ/8QAFBEBAAAAAAAAAAAA
AAAAAAAAAP/aAAwDAQACEQMRAD8Ai9KbfwB//9k=
""")
