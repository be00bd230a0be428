"""Writes `host-driver/tests/data/blocks.gguf`: random blocks of every tensor type with their values.

For each type there are a tensor `TYPE` and an F32 tensor `TYPE.values`, which is what the `gguf`
package's own dequantiser makes of it. The metadata has one entry of every value type.

    pip install gguf==0.19.0
    python3 gguf_fixtures.py
"""

import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type, GGUFValueType as Value

ROWS, COLS = 3, 512
# Byte offsets of the half-precision fields of each block.
HALVES = {Type.F16: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2],
          Type.Q8_0: [0], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}
TARGET = pathlib.Path(__file__).parents[1] / "tests/data/blocks.gguf"


def random_blocks(rng, kind):
    length, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (ROWS * COLS // length, size), dtype=np.uint8)
    if kind == Type.F32:
        blocks = rng.normal(size=(ROWS * COLS, 1)).astype("<f4").view(np.uint8)
    if kind == Type.BF16:
        floats = rng.normal(size=(ROWS * COLS, 1)).astype("<f4")
        blocks = floats.view(np.uint8)[:, 2:].copy()
    for at in HALVES.get(kind, []):
        halves = rng.normal(scale=0.02, size=(len(blocks), 1)).astype("<f2")
        if length > 1:
            # Signed zeros and the smallest steps are legal scales too.
            halves[0], halves[1], halves[2] = 0.0, -0.0, 6e-8
        blocks[:, at:at + 2] = halves.view(np.uint8)
    return blocks.reshape(ROWS, -1)


def main():
    rng = np.random.default_rng(20240501)
    writer = gguf.GGUFWriter(TARGET, "fixture")
    for value, kind in [(250, Value.UINT8), (-100, Value.INT8), (65000, Value.UINT16),
                        (-30000, Value.INT16), (4_000_000_000, Value.UINT32),
                        (-2_000_000_000, Value.INT32), (1.5, Value.FLOAT32), (True, Value.BOOL),
                        ("zażółć", Value.STRING), (2**64 - 1, Value.UINT64),
                        (-2**63, Value.INT64), (-0.1, Value.FLOAT64)]:
        writer.add_key_value(f"one.{kind.name.lower()}", value, kind)
    writer.add_array("many.string", ["a", "", "ü"])
    writer.add_array("many.int32", [1, -2, 3])
    writer.add_array("many.float32", [0.5, -0.25])
    writer.add_array("many.bool", [True, False])
    for kind in [Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1,
                 Type.Q8_0, Type.Q4_K, Type.Q5_K, Type.Q6_K]:
        blocks = random_blocks(rng, kind)
        if kind == Type.F32:
            values = blocks.view("<f4")
        elif kind == Type.F16:
            values = blocks.view("<f2").astype("<f4")
        else:
            values = gguf.quants.dequantize(blocks, kind).astype("<f4")
        assert values.shape == (ROWS, COLS)
        writer.add_tensor(kind.name, blocks, raw_dtype=kind)
        writer.add_tensor(f"{kind.name}.values", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
