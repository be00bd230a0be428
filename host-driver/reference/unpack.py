"""Writes a copy of a GGUF file with every tensor as F32.

llama.cpp rounds activations to eight bits before it multiplies by quantised weights; on F32 weights
it does not. The copy therefore shows what the weights alone give, which is what the unpacked model
of this crate computes.

    python3 unpack.py MODEL.gguf OUTPUT.gguf
"""

import struct
import sys

import gguf
import numpy as np


def main(source, target):
    reader = gguf.GGUFReader(source)
    alignment = reader.alignment
    raw = open(source, "rb").read(int(reader.tensors[0].field.offset))
    with open(target, "wb") as out:
        out.write(raw)  # header and metadata, unchanged
        offset = 0
        for t in reader.tensors:
            shape = [int(d) for d in t.shape]
            name = t.name.encode()
            out.write(struct.pack("<Q", len(name)) + name)
            out.write(struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset))
            offset += -(-4 * int(np.prod(shape)) // alignment) * alignment
        for t in reader.tensors:
            out.write(b"\0" * (-out.tell() % alignment))
            out.write(gguf.quants.dequantize(t.data, t.tensor_type).astype("<f4").tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
