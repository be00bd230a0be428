//! Token numbers against llama.cpp, and text back from tokens.

mod common;

use common::{QWEN, SMOLLM2, figures, model_path, tokens};
use serde_json::{Value, json};
use std::collections::HashSet;
use weft_host::{
    gguf::Gguf,
    tokenizer::{Message, StreamDecoder, Tokenizer, TokenizerError},
};

fn smollm2() -> Option<Tokenizer> {
    let gguf = Gguf::open(&model_path(SMOLLM2)?).unwrap();
    Some(Tokenizer::from_gguf(&gguf).unwrap())
}

/// The tokenizer with some of its stored facts changed.
fn changed(
    tokenizer: &Tokenizer,
    change: impl Fn(&mut Value),
) -> Result<Tokenizer, TokenizerError> {
    let mut json = serde_json::from_slice(&tokenizer.to_json().unwrap()).unwrap();
    change(&mut json);
    Tokenizer::from_json(json.to_string().as_bytes())
}

fn check(tokenizer: &Tokenizer, section: &str) {
    check_file(tokenizer, "smollm2-135m-tokens", section, "\u{0}");
}

/// Checks all texts but those that contain `except`.
fn check_file(tokenizer: &Tokenizer, file: &str, section: &str, except: &str) {
    let mut wrong = Vec::new();
    for case in figures(file)[section].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        if text.contains(except) {
            continue;
        }
        for (kind, special) in [("plain", false), ("special", true)] {
            let ours = tokenizer.encode(text, special).unwrap();
            let theirs = tokens(&case[kind]);
            if ours != theirs {
                wrong.push(format!(
                    "{section} {kind} {text:?}\n  ours   {ours:?}\n  theirs {theirs:?}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong, first: {}",
        wrong.len(),
        wrong[0]
    );
}

#[test]
fn own_pre_tokenizer_agrees_with_llama_cpp() {
    let Some(t) = smollm2() else { return };
    check(&t, "own");
    check(&changed(&t, |_| ()).unwrap(), "own");
}

#[test]
fn qwen_agrees_with_llama_cpp() {
    let Some(path) = model_path(QWEN) else { return };
    let t = Tokenizer::from_gguf(&Gguf::open(&path).unwrap()).unwrap();
    // llama.cpp takes `</s>`, an ordinary token of this vocabulary, for an end of text, and warns that
    // it does; the file's own types are kept here.
    let end = t.encode("</s>", true).unwrap();
    assert_eq!(end, t.encode("</s>", false).unwrap());
    check_file(&t, "qwen2.5-coder-1.5b-tokens", "own", "</s>");
    let user = Message {
        role: "user".into(),
        content: "Hi".into(),
    };
    let text = t.render_chat(&[user], true).unwrap();
    assert!(
        text.starts_with("<|im_start|>system\nYou are Qwen"),
        "{text}"
    );
    assert!(
        text.ends_with("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"),
        "{text}"
    );
}

#[test]
fn other_pre_tokenizers_agree_with_llama_cpp() {
    let Some(t) = smollm2() else { return };
    for pre in ["gpt-2", "llama-bpe", "qwen2"] {
        check(&changed(&t, |j| j["pre"] = json!(pre)).unwrap(), pre);
    }
}

/// The vocabulary of `tokens.py`'s `as_sentencepiece`: texts of the normal tokens, best first,
/// made only of characters that are tokens themselves, as SentencePiece vocabularies are.
fn as_sentencepiece(t: &Tokenizer, json: &mut Value) {
    let mut texts: Vec<String> = ["<unk>", "<s>", "</s>"].map(String::from).into();
    let mut types = vec![2, 3, 3];
    texts.extend((0..256).map(|b| format!("<0x{b:02X}>")));
    types.extend([6; 256]);
    let mut seen: HashSet<_> = texts.iter().cloned().collect();
    let mut normal = Vec::new();
    for id in 0..t.vocab_size() {
        let text = t.decode(&[id as u32], true).replace(' ', "\u{2581}");
        // One token is the replacement character itself; others with it are not UTF-8.
        let whole = !text.contains('\u{fffd}') || json["tokens"][id] == "\u{ef}\u{bf}\u{bd}";
        if json["types"][id] == 1 && whole {
            normal.push(text);
        }
    }
    let single = |s: &str| s.chars().count() == 1;
    let alphabet: HashSet<char> = normal
        .iter()
        .filter(|s| single(s))
        .flat_map(|s| s.chars())
        .collect();
    for text in normal {
        if text.chars().all(|c| alphabet.contains(&c)) && seen.insert(text.clone()) {
            texts.push(text);
            types.push(1);
        }
    }
    let scores: Vec<f32> = (0..texts.len())
        .map(|i| -(i.saturating_sub(259) as f32))
        .collect();
    *json = json!({
        "kind": "sentence_piece", "pre": "", "tokens": texts, "types": types, "merges": [],
        "scores": scores, "bos": 1, "eos": 2, "unknown": 0, "add_bos": true, "add_eos": false,
        "add_space": true, "chat_template": null,
    });
}

#[test]
fn sentencepiece_agrees_with_llama_cpp() {
    let Some(t) = smollm2() else { return };
    let spm = changed(&t, |j| as_sentencepiece(&t, j)).unwrap();
    check(&spm, "sentencepiece");
    let text = "round trip: naïve 東京 \u{1f600} x";
    assert_eq!(spm.decode(&spm.encode(text, false).unwrap(), false), text);
    assert_eq!(spm.encode_prompt("<s>a", true).unwrap()[..1], [1]);
    assert_ne!(spm.encode_prompt("<s>a", true).unwrap()[1], 1);
    assert_eq!(spm.encode_sequence("a", false).unwrap()[0], 1);
}

#[test]
fn decoding_restores_the_text_in_one_piece_and_streamed() {
    let Some(t) = smollm2() else { return };
    for case in figures("smollm2-135m-tokens")["own"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let ids = tokens(&case["special"]);
        // This vocabulary lacks the tokens of some bytes, which are then dropped on the way in.
        let lossless = !text.contains('\u{1}');
        if lossless {
            assert_eq!(t.decode(&ids, true), text);
        }
        let mut stream = StreamDecoder::new(&t);
        let mut streamed: String = ids.iter().map(|&i| stream.push(i)).collect();
        streamed += &stream.finish();
        assert_eq!(streamed, t.decode(&ids, false));
    }
}

#[test]
fn streaming_never_emits_part_of_a_character() {
    let Some(t) = smollm2() else { return };
    let ids = t.encode("\u{1f9ec}\u{6771}", false).unwrap();
    assert!(ids.len() > 2, "the characters are spread over tokens");
    let mut stream = StreamDecoder::new(&t);
    let parts: Vec<String> = ids.iter().map(|&i| stream.push(i)).collect();
    assert!(
        parts
            .iter()
            .all(|p| !p.contains(char::REPLACEMENT_CHARACTER))
    );
    assert_eq!(parts.concat(), "\u{1f9ec}\u{6771}");
    // A character that never ends is shown as one replacement.
    let mut stream = StreamDecoder::new(&t);
    assert_eq!(stream.push(ids[0]), "");
    assert_eq!(stream.finish(), "\u{fffd}");
}

#[test]
fn chat_template_gives_the_models_own_form() {
    let Some(t) = smollm2() else { return };
    let user = Message {
        role: "user".into(),
        content: "Hi".into(),
    };
    let text = t.render_chat(std::slice::from_ref(&user), true).unwrap();
    assert!(text.starts_with("<|im_start|>system\nYou are a helpful AI assistant"));
    assert!(text.ends_with("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    let open = t.render_chat(std::slice::from_ref(&user), false).unwrap();
    assert!(open.ends_with("Hi<|im_end|>\n"));

    let none = changed(&t, |j| j["chat_template"] = json!(null)).unwrap();
    assert!(matches!(
        none.render_chat(&[], true),
        Err(TokenizerError::NoChatTemplate)
    ));
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}";
    for bad in ["{% for", "{{ raise_exception('no tools') }}", endless] {
        let broken = changed(&t, |j| j["chat_template"] = json!(bad)).unwrap();
        let error = broken.render_chat(&[], true).unwrap_err();
        assert!(matches!(error, TokenizerError::ChatTemplate(_)), "{error}");
    }
}

#[test]
fn damaged_vocabularies_are_refused_by_name() {
    let Some(t) = smollm2() else { return };
    let refused = |what: &str, change: &dyn Fn(&mut Value)| {
        let error = changed(&t, change).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    refused("`klingon`", &|j| j["pre"] = json!("klingon"));
    refused("merge 3", &|j| j["merges"][3] = json!("no such"));
    refused("merge 4", &|j| j["merges"][4] = json!("nospace"));
    refused("types", &|j| j["types"] = json!([1]));
    refused("empty", &|j| j["tokens"] = json!([]));
    refused("token 7 is longer", &|j| {
        j["tokens"][7] = json!("x".repeat(5000))
    });
    refused("end-of-sequence", &|j| j["eos"] = json!(99_999_999));
    assert!(Tokenizer::from_json(b"{\"kind\":").is_err());
}

#[test]
fn long_runs_do_not_take_long() {
    let Some(t) = smollm2() else { return };
    for text in [
        " ".repeat(200_000),
        "\n".repeat(200_000),
        "é".repeat(100_000),
    ] {
        let ids = t.encode(&text, true).unwrap();
        assert_eq!(t.decode(&ids, true), text);
    }
}
