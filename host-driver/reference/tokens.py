"""Token numbers by llama.cpp for texts that are hard to cut, as JSON for the tests of this crate.

    python3 tokens.py MODEL.gguf OUTPUT.json [--variants SCRATCH_DIRECTORY]

With `--variants`, the same vocabulary is also run with other pre-tokenizers, and as a
SentencePiece vocabulary made from it, so that those rules are checked without their own models.
"""

import argparse
import json
import pathlib
import struct

import gguf

from llama_capi import VERSION, Model

TEXTS = [
    "Hello, world!",
    " leading space",
    "trailing spaces   ",
    "a  b   c    d     e",
    "line\nline\n\nline\n\n\n  indented\n\ttab\t\ttabs \t mixed \n \n",
    "\r\nwindows\r\n\r\nlines\r",
    "   ",
    "\n",
    " \n\n \n",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 0x1F 2nd",
    "½ ² ٣٤٥ Ⅷ ① 一二三",
    "it's IT'S we'll WE'LL I'd you've they're don't 'tis 'S",
    "def f(x):\n    return x**2 + 3*x - 1  # comment\n\n\nclass A(B):\n\tpass\n",
    "if (a != b && c <= d) { e->f[g] = \"h\\n\"; }",
    "Żółw, naïve café — 東京タワー 서울 مرحبا שלום Привет",
    "emoji 😀👍🏽👨‍👩‍👧‍👦 🇵🇱 ☃️",
    "combining e\u0301 a\u0308 n\u0303 zero\u200bwidth nb\u00a0space em\u2003space",
    "!!!???...---===~~~ «quotes» “curly” ‘single’ „low“",
    "http://example.org/path?query=1&other=%20#fragment user@example.com",
    "CamelCase snake_case kebab-case SCREAMING_CASE MiXeD123Case",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "text<|endoftext|>more <|im_end|><|im_end|> <|im_start|",
    "<s>[INST] x [/INST]</s> <unk>",
    "".join(chr(c) for c in range(1, 256)),
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    " " * 100 + "x" + "\n" * 20 + "y",
]
PRE = ["gpt-2", "llama-bpe", "qwen2"]


def figures(model):
    return [{"text": text, "plain": model.tokenize(text, False, False),
             "special": model.tokenize(text, False, True)} for text in TEXTS]


def alphabet():
    """Byte of each character of the byte-level alphabet."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(b): b for b in kept}
    rest = (b for b in range(256) if b not in kept)
    return table | {chr(256 + i): b for i, b in enumerate(rest)}


def vocabulary(source):
    reader = gguf.GGUFReader(source)
    field = lambda name: reader.fields[f"tokenizer.ggml.{name}"].contents()
    return field("tokens"), field("token_type"), field("merges")


def common(writer, tokens, types):
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(64)
    writer.add_head_count(1)
    writer.add_block_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_token_list(tokens)
    writer.add_token_types(types)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def with_pre(source, target, pre):
    tokens, types, merges = vocabulary(source)
    writer = gguf.GGUFWriter(target, "llama")
    common(writer, tokens, types)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    finish(writer)


def as_sentencepiece(source, target):
    tokens, types, _ = vocabulary(source)
    byte_of = alphabet()
    texts, kinds = ["<unk>", "<s>", "</s>"], [2, 3, 3]
    texts += [f"<0x{b:02X}>" for b in range(256)]
    kinds += [6] * 256
    normal = []
    for token, kind in zip(tokens, types):
        if kind == 1:
            try:
                normal.append(bytes(byte_of[c] for c in token).decode().replace(" ", "▁"))
            except UnicodeDecodeError:
                pass
    # SentencePiece vocabularies have every character that they use as a token of its own.
    letters = {text for text in normal if len(text) == 1}
    seen = set(texts)
    for text in normal:
        if text not in seen and letters.issuperset(text):
            seen.add(text)
            texts.append(text)
            kinds.append(1)
    writer = gguf.GGUFWriter(target, "llama")
    common(writer, texts, kinds)
    writer.add_tokenizer_model("llama")
    writer.add_token_scores([0.0 if i < 259 else -float(i - 259) for i in range(len(texts))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    finish(writer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--variants", type=pathlib.Path)
    args = parser.parse_args()
    out = {"model": args.model.name, "runtime": f"llama.cpp of xllamacpp {VERSION}",
           "own": figures(Model(args.model, vocab_only=True))}
    if args.variants:
        args.variants.mkdir(parents=True, exist_ok=True)
        for pre in PRE:
            path = args.variants / f"{pre}.gguf"
            with_pre(args.model, path, pre)
            out[pre] = figures(Model(path, vocab_only=True))
        path = args.variants / "sentencepiece.gguf"
        as_sentencepiece(args.model, path)
        out["sentencepiece"] = figures(Model(path, vocab_only=True))
    text = json.dumps(out, ensure_ascii=True, separators=(",", ":"))
    args.output.write_text(text.replace('{"text"', '\n{"text"') + "\n")


if __name__ == "__main__":
    main()
