//! Chat templates.

use super::{Tokenizer, TokenizerError};
use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use serde::{Deserialize, Serialize};

/// One turn of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks: `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// Steps that a template may take; a loop without end stops here.
const FUEL: u64 = 10_000_000;

impl Tokenizer {
    /// Whether the model has a chat template.
    pub fn has_chat_template(&self) -> bool {
        self.spec.chat_template.is_some()
    }

    /// The text that stands for `messages` in the model's own template, to be encoded with
    /// special tokens parsed. With `add_generation_prompt` it ends where the answer begins.
    ///
    /// # Errors
    /// [`TokenizerError::NoChatTemplate`], or [`TokenizerError::ChatTemplate`] when the template
    /// is malformed or refuses the messages.
    pub fn render_chat(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
    ) -> Result<String, TokenizerError> {
        let template = self.spec.chat_template.as_deref();
        let template = template.ok_or(TokenizerError::NoChatTemplate)?;
        let mut env = Environment::new();
        env.set_syntax(syntax()?);
        env.set_fuel(Some(FUEL));
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        env.add_function("raise_exception", |what: String| -> Result<(), Error> {
            Err(Error::new(ErrorKind::InvalidOperation, what))
        });
        let turn = |m: &Message| context! { role => &m.role, content => &m.content };
        let messages: Vec<Value> = messages.iter().map(turn).collect();
        let text = |id: Option<u32>| id.map_or("", |id| &self.spec.tokens[id as usize]);
        env.template_from_str(template)
            .and_then(|t| {
                t.render(context! {
                    messages,
                    add_generation_prompt,
                    bos_token => text(self.spec.bos),
                    eos_token => text(self.spec.eos),
                })
            })
            .map_err(TokenizerError::ChatTemplate)
    }
}

/// Block tags take their own line with them, as chat templates are written for.
fn syntax() -> Result<SyntaxConfig, TokenizerError> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(TokenizerError::ChatTemplate)
}
