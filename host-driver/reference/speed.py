"""Prints llama.cpp's speed on a model, the best of several runs, as JSON.

    python3 speed.py MODEL.gguf [--threads 2] [--runs 3]
"""

import argparse
import json
import pathlib
import time

from llama_capi import VERSION, Model

PREFILL, PROMPT, DECODE = 512, 16, 128


def run(model):
    tokens = [100 + i % 1000 for i in range(PREFILL)]
    model.clear()
    start = time.perf_counter()
    model.decode(tokens)
    prefill = PREFILL / (time.perf_counter() - start)
    model.clear()
    logits = model.decode(tokens[:PROMPT])
    start = time.perf_counter()
    for _ in range(DECODE):
        logits = model.decode([int(logits[0].argmax())])
    return prefill, DECODE / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    model = Model(args.model, threads=args.threads)
    runs = [run(model) for _ in range(args.runs)]
    print(json.dumps({
        "runtime": f"llama.cpp of xllamacpp {VERSION}, CPU", "model": args.model.name,
        "threads": args.threads,
        "prefill_512_tokens_per_second": round(max(p for p, _ in runs), 2),
        "decode_128_tokens_per_second": round(max(d for _, d in runs), 2),
    }))


if __name__ == "__main__":
    main()
