//! A small llama-shaped model file with random weights, in several of the types that public files carry.

#![allow(dead_code, unreachable_pub)]

use half::f16;
use weft_host::container::Source;
use weft_host::gguf::Gguf;
use weft_host::model::ModelConfig;
use weft_host::pack::Input;

/// A small generator of reproducible noise.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From -1 to 1, more often small than large.
    pub fn value(&mut self) -> f32 {
        let unit = |n: u64| (n >> 40) as f32 / (1u64 << 24) as f32 * 2.0 - 1.0;
        unit(self.next()) * unit(self.next())
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| (self.next() >> 32) as u8).collect()
    }

    fn half(&mut self, low: f32, high: f32) -> [u8; 2] {
        let share = (self.next() >> 40) as f32 / (1u64 << 24) as f32;
        f16::from_f32(low + (high - low) * share).to_le_bytes()
    }
}

/// Element types by their numbers in a file.
pub const F32: u32 = 0;
pub const Q4_0: u32 = 2;
pub const Q4_1: u32 = 3;
pub const Q8_0: u32 = 8;
pub const Q4_K: u32 = 12;
pub const Q6_K: u32 = 14;
/// `F32` with ones only; not a number of the format.
const ONES: u32 = 1000;

fn rows(noise: &mut Noise, ty: u32, values: usize) -> Vec<u8> {
    if ty == ONES {
        return 1f32.to_le_bytes().repeat(values);
    }
    let mut out = Vec::new();
    let block = if ty >= Q4_K { 256 } else { 32 };
    for _ in 0..values.div_ceil(if ty == F32 { 1 } else { block }) {
        match ty {
            F32 => out.extend((1.0 + 0.1 * noise.value()).to_le_bytes()),
            Q4_0 => {
                // Public files have negative steps here.
                let sign = if noise.next() & 1 == 0 { 1.0 } else { -1.0 };
                out.extend(noise.half(0.002 * sign, 0.02 * sign));
                out.extend(noise.bytes(16));
            }
            Q4_1 => {
                // The zero point stays within the codes, as in weights around zero.
                out.extend(noise.half(0.01, 0.02));
                out.extend(noise.half(-0.15, -0.02));
                out.extend(noise.bytes(16));
            }
            Q8_0 => {
                out.extend(noise.half(0.0005, 0.001));
                out.extend(noise.bytes(32));
            }
            Q4_K => {
                out.extend(noise.half(0.0003, 0.0004));
                out.extend(noise.half(0.001, 0.0012));
                // Six-bit scales and minimums of a narrow range: only low bits of the first eight bytes.
                out.extend(noise.bytes(8).iter().map(|b| b & 15 | 32));
                out.extend(noise.bytes(4).iter().map(|b| b & 0x77 | 0x88));
                out.extend(noise.bytes(128));
            }
            Q6_K => {
                out.extend(noise.bytes(192));
                out.extend(noise.bytes(16).iter().map(|b| b & 31 | 8));
                out.extend(noise.half(0.0001, 0.0002));
            }
            other => panic!("no generator for type {other}"),
        }
    }
    out
}

pub const D: usize = 256;
pub const FFN: usize = 512;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const HEAD: usize = 64;
pub const VOCAB: usize = 70;
pub const LAYERS: usize = 2;

/// The bytes of the model file.
pub fn model(seed: u64) -> Vec<u8> {
    model_with(seed, false)
}

/// As [`model`]; a heavy one has `down` matrices of which every weight is the largest.
fn model_with(seed: u64, heavy: bool) -> Vec<u8> {
    let noise = &mut Noise::new(seed);
    let mut tensors: Vec<(String, usize, usize, u32)> = vec![
        ("token_embd.weight".into(), VOCAB, D, Q8_0),
        ("output_norm.weight".into(), 1, D, F32),
    ];
    for l in 0..LAYERS {
        let mut add = |part: &str, rows, cols, ty| {
            tensors.push((format!("blk.{l}.{part}.weight"), rows, cols, ty));
        };
        add("attn_norm", 1, D, F32);
        add("ffn_norm", 1, D, F32);
        add("attn_q", HEADS * HEAD, D, Q4_K);
        add(
            "attn_k",
            KV_HEADS * HEAD,
            D,
            if l == 0 { Q6_K } else { Q4_0 },
        );
        add("attn_v", KV_HEADS * HEAD, D, Q4_0);
        add("attn_output", D, HEADS * HEAD, Q4_1);
        add("ffn_gate", FFN, D, Q4_1);
        add("ffn_up", FFN, D, Q4_0);
        add("ffn_down", D, FFN, if heavy { ONES } else { Q4_K });
    }
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    let numbers = [
        ("llama.block_count", LAYERS),
        ("llama.embedding_length", D),
        ("llama.feed_forward_length", FFN),
        ("llama.attention.head_count", HEADS),
        ("llama.attention.head_count_kv", KV_HEADS),
        ("llama.context_length", 128),
    ];
    out.extend((numbers.len() as u64 + 2).to_le_bytes());
    let string = |out: &mut Vec<u8>, s: &str| {
        out.extend((s.len() as u64).to_le_bytes());
        out.extend(s.as_bytes());
    };
    string(&mut out, "general.architecture");
    out.extend(8u32.to_le_bytes());
    string(&mut out, "llama");
    for (key, value) in numbers {
        string(&mut out, key);
        out.extend(4u32.to_le_bytes());
        out.extend((value as u32).to_le_bytes());
    }
    string(&mut out, "llama.attention.layer_norm_rms_epsilon");
    out.extend(6u32.to_le_bytes());
    out.extend(1e-5f32.to_le_bytes());
    let mut data: Vec<u8> = Vec::new();
    for (name, rows_, cols, ty) in &tensors {
        data.resize(data.len().next_multiple_of(32), 0);
        string(&mut out, name);
        let dims: &[usize] = if *rows_ == 1 {
            &[*cols]
        } else {
            &[*cols, *rows_]
        };
        out.extend((dims.len() as u32).to_le_bytes());
        dims.iter()
            .for_each(|&d| out.extend((d as u64).to_le_bytes()));
        let number = if *ty == ONES { F32 } else { *ty };
        out.extend(number.to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        data.extend(rows(noise, *ty, rows_ * cols));
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.extend(data);
    out
}

/// The model file, opened, with its hyper-parameters.
pub fn open(seed: u64) -> (Gguf, ModelConfig) {
    let gguf = Gguf::from_bytes(model(seed)).expect("the synthetic file is well-formed");
    let config = ModelConfig::from_gguf(&gguf).expect("and a model");
    (gguf, config)
}

/// As [`open`], with matrices that are as heavy as can be.
pub fn open_heavy(seed: u64) -> (Gguf, ModelConfig) {
    let gguf = Gguf::from_bytes(model_with(seed, true)).expect("the file is well-formed");
    let config = ModelConfig::from_gguf(&gguf).expect("and a model");
    (gguf, config)
}

/// It as the packer wants it.
pub fn input<'a>(gguf: &'a Gguf, config: &'a ModelConfig) -> Input<'a> {
    Input {
        gguf,
        config,
        source: Source {
            name: "synthetic.gguf".into(),
            bytes: 0,
            sha256: String::new(),
        },
        tokenizer: b"{\"synthetic\":true}",
    }
}
