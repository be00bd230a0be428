//! A whole llama in a few kilobytes: random weights, a byte-level vocabulary and a chat template, as a GGUF file.

use weft_host::device::random::Random;

const D: usize = 64;
const FFN: usize = 128;
const LAYERS: usize = 2;
/// Tokens that fit the model.
pub(crate) const CONTEXT: usize = 48;
/// The 256 bytes, one merge of two of them, and an end token.
const VOCAB: usize = 258;

const U32: u32 = 4;
const F32: u32 = 6;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const TYPE_F32: u32 = 0;
const TYPE_Q4_1: u32 = 3;
const TYPE_Q8_0: u32 = 8;

fn string(out: &mut Vec<u8>, s: &str) {
    out.extend((s.len() as u64).to_le_bytes());
    out.extend(s.as_bytes());
}

fn key(out: &mut Vec<u8>, name: &str, ty: u32) {
    string(out, name);
    out.extend(ty.to_le_bytes());
}

/// The character that stands for a byte in byte-level vocabularies: itself where it is printable, else one of
/// those from U+0100 on, in order.
fn stand_in(byte: u8) -> char {
    let printable = |b: u8| matches!(b, 33..=126 | 161..=172 | 174..=255);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&b| !printable(b)).count() as u32;
    char::from_u32(256 + before).expect("a character")
}

fn half(value: f32) -> [u8; 2] {
    half::f16::from_f32(value).to_le_bytes()
}

fn weights(random: &mut Random, ty: u32, values: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let blocks = if ty == TYPE_F32 { values } else { values / 32 };
    for _ in 0..blocks {
        match ty {
            TYPE_F32 => out.extend(1f32.to_le_bytes()),
            TYPE_Q4_1 => {
                out.extend(half(0.02));
                out.extend(half(-0.15));
                out.extend((0..16).map(|_| random.byte()));
            }
            _ => {
                out.extend(half(0.004));
                out.extend((0..32).map(|_| random.byte()));
            }
        }
    }
    out
}

/// The file's bytes.
pub(crate) fn gguf() -> Vec<u8> {
    let mut tensors = vec![
        ("token_embd.weight".to_owned(), VOCAB, D, TYPE_Q8_0),
        ("output_norm.weight".to_owned(), 1, D, TYPE_F32),
    ];
    for l in 0..LAYERS {
        let parts = [
            ("attn_norm", 1, D, TYPE_F32),
            ("ffn_norm", 1, D, TYPE_F32),
            ("attn_q", D, D, TYPE_Q4_1),
            ("attn_k", D, D, TYPE_Q4_1),
            ("attn_v", D, D, TYPE_Q4_1),
            ("attn_output", D, D, TYPE_Q4_1),
            ("ffn_gate", FFN, D, TYPE_Q4_1),
            ("ffn_up", FFN, D, TYPE_Q4_1),
            ("ffn_down", D, FFN, TYPE_Q4_1),
        ];
        tensors.extend(
            parts.map(|(part, rows, cols, ty)| (format!("blk.{l}.{part}.weight"), rows, cols, ty)),
        );
    }

    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    let mut metadata = Vec::new();
    let mut entries = 0u64;
    for (name, value) in [
        ("llama.block_count", LAYERS),
        ("llama.embedding_length", D),
        ("llama.feed_forward_length", FFN),
        ("llama.attention.head_count", 1),
        ("llama.attention.head_count_kv", 1),
        ("llama.context_length", CONTEXT),
        ("tokenizer.ggml.eos_token_id", VOCAB - 1),
    ] {
        key(&mut metadata, name, U32);
        metadata.extend((value as u32).to_le_bytes());
        entries += 1;
    }
    for (name, value) in [
        ("general.architecture", "llama"),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "gpt-2"),
        (
            "tokenizer.chat_template",
            "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}",
        ),
    ] {
        key(&mut metadata, name, STRING);
        string(&mut metadata, value);
        entries += 1;
    }
    key(&mut metadata, "llama.attention.layer_norm_rms_epsilon", F32);
    metadata.extend(1e-5f32.to_le_bytes());
    key(&mut metadata, "tokenizer.ggml.tokens", ARRAY);
    metadata.extend(STRING.to_le_bytes());
    metadata.extend((VOCAB as u64).to_le_bytes());
    for byte in 0..=255 {
        string(&mut metadata, &stand_in(byte).to_string());
    }
    string(&mut metadata, "th");
    string(&mut metadata, "<end>");
    key(&mut metadata, "tokenizer.ggml.token_type", ARRAY);
    metadata.extend(5u32.to_le_bytes());
    metadata.extend((VOCAB as u64).to_le_bytes());
    for token in 0..VOCAB {
        let ty: i32 = if token == VOCAB - 1 { 3 } else { 1 }; // control, normal
        metadata.extend(ty.to_le_bytes());
    }
    key(&mut metadata, "tokenizer.ggml.merges", ARRAY);
    metadata.extend(STRING.to_le_bytes());
    metadata.extend(1u64.to_le_bytes());
    string(&mut metadata, "t h");
    entries += 4;
    out.extend(entries.to_le_bytes());
    out.extend(metadata);

    let mut random = Random::new(1);
    let mut data = Vec::new();
    for (name, rows, cols, ty) in &tensors {
        data.resize(usize::next_multiple_of(data.len(), 32), 0);
        string(&mut out, name);
        let dims = if *rows == 1 {
            vec![*cols]
        } else {
            vec![*cols, *rows]
        };
        out.extend((dims.len() as u32).to_le_bytes());
        for dim in dims {
            out.extend((dim as u64).to_le_bytes());
        }
        out.extend(ty.to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        data.extend(weights(&mut random, *ty, rows * cols));
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.extend(data);
    out
}
