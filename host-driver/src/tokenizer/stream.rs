//! Bytes of tokens into text, never splitting a character.

use super::Tokenizer;

/// Turns tokens into text as they come. A character whose bytes are spread over tokens is held back
/// until it is whole; bytes that cannot become one are shown as the replacement character.
#[derive(Debug)]
pub struct StreamDecoder<'a> {
    tokenizer: &'a Tokenizer,
    pending: Vec<u8>,
}

impl<'a> StreamDecoder<'a> {
    /// A decoder at the start of a text.
    pub fn new(tokenizer: &'a Tokenizer) -> Self {
        Self {
            tokenizer,
            pending: Vec::new(),
        }
    }

    /// Takes a token; gives the text that is complete with it, which may be empty. Control tokens
    /// give no text.
    pub fn push(&mut self, token: u32) -> String {
        self.tokenizer.bytes_of(token, false, &mut self.pending);
        let mut text = String::new();
        let mut done = 0;
        while let Err(e) = std::str::from_utf8(&self.pending[done..]) {
            let (valid, bad) = (e.valid_up_to(), e.error_len());
            text.push_str(&String::from_utf8_lossy(&self.pending[done..done + valid]));
            done += valid;
            match bad {
                // More bytes may complete it.
                None => {
                    self.pending.drain(..done);
                    return text;
                }
                Some(bad) => {
                    text.push(char::REPLACEMENT_CHARACTER);
                    done += bad;
                }
            }
        }
        text.push_str(&String::from_utf8_lossy(&self.pending[done..]));
        self.pending.clear();
        text
    }

    /// Ends the text; gives what an unfinished character leaves.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}
