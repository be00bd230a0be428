"""Reference figures of a model by llama.cpp, as JSON for the tests of this crate.

    pip install xllamacpp==2026.10.11549 numpy
    python3 texts.py TEXTS
    python3 figures.py MODEL.gguf TEXTS OUTPUT.json [--tokens 8192] [--windows 512,1024]

With `--exact` and a copy by `unpack.py`, activations, keys and values keep full precision.

Perplexity: the text is tokenised once, without special tokens; its first `tokens` tokens are cut
into windows; each window starts with an empty cache (after the beginning-of-sequence token, which
is not scored, where the model wants one), and every token but the window's first is scored given
those before it in the window. Perplexity is exp of the mean negative log-likelihood (natural).
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np

from llama_capi import VERSION, Model

PROMPTS = {
    "fact": "The capital of France is",
    "code": "def fibonacci(n):\n    \"\"\"Return the n-th Fibonacci number.\"\"\"\n",
    "chat": "<|im_start|>user\nWhat is a field-programmable gate array?<|im_end|>\n"
            "<|im_start|>assistant\n",
    "unicode": "Żółw, naïve café — 東京 2024: the menu of the day was",
    "story": "Once upon a time, in a village at the foot of a mountain, there lived a clockmaker "
             "who could not sleep. Every night he heard",
}
TOP = 64
STRIDE = 97
CONTINUATION = 48


def log_likelihoods(logits, targets):
    logits = logits.astype(np.float64)
    top = logits.max(axis=1)
    norm = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return logits[np.arange(len(targets)), targets] - norm


def perplexity(model, tokens, window):
    bos = [1] if model.add_bos else []
    nll, scored = [], 0
    for start in range(0, len(tokens) - window + 1, window):
        part = tokens[start:start + window]
        model.clear()
        if bos:
            model.decode(bos)
        nll.append(0.0)
        # The library's own batches; the last token's logits are not needed.
        for at in range(0, window, 256):
            logits = model.decode(part[at:at + 256], every=True)
            targets = part[at + 1:at + 257]
            nll[-1] -= log_likelihoods(logits[:len(targets)], targets).sum()
            scored += len(targets)
    mean = float(sum(nll) / scored)
    return {"window": window, "tokens": scored, "mean_nll": mean, "perplexity": float(np.exp(mean)),
            "first_windows_nll": [round(float(n), 4) for n in nll[:2]]}


def prompt_figures(model, text):
    tokens = model.tokenize(text, add_special=True, parse_special=True)
    model.clear()
    logits = model.decode(tokens)[0]
    order = np.argsort(-logits)[:TOP]
    figures = {
        "text": text,
        "tokens": tokens,
        "top": [[int(i), float(logits[i])] for i in order],
        "every": STRIDE,
        "sample": [round(float(v), 5) for v in logits[::STRIDE]],
    }
    greedy, margins = [], []
    for _ in range(CONTINUATION):
        first, second = np.argsort(-logits)[:2]
        greedy.append(int(first))
        margins.append(round(float(logits[first] - logits[second]), 5))
        if model.is_eog(int(first)):
            break
        logits = model.decode([int(first)])[0]
    figures["greedy"], figures["margins"] = greedy, margins
    figures["continuation"] = b"".join(model.piece(t) for t in greedy).decode("utf-8", "replace")
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--windows", default="512,1024")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--exact", action="store_true", help="keys and values in F32")
    args = parser.parse_args()

    model = Model(args.model, threads=args.threads, exact_cache=args.exact)
    digest = hashlib.file_digest(args.model.open("rb"), "sha256").hexdigest()
    figures = {
        "model": args.model.name,
        "sha256": digest,
        "runtime": f"llama.cpp of xllamacpp {VERSION}, CPU",
        "prompts": {name: prompt_figures(model, text) for name, text in PROMPTS.items()},
        "perplexity": {},
    }
    for path in sorted(args.texts.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        tokens = model.tokenize(text, add_special=False)[:args.tokens]
        assert len(tokens) == args.tokens, f"{path} has only {len(tokens)} tokens"
        figures["perplexity"][path.stem] = {
            "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "text_tokens": args.tokens,
            "first_tokens": tokens[:16],
            "windows": [perplexity(model, tokens, int(w)) for w in args.windows.split(",")],
        }
        print(path.stem, figures["perplexity"][path.stem]["windows"], flush=True)
    model.close()
    args.output.write_text(json.dumps(figures, indent=None, ensure_ascii=False,
                                      separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
