//! Modules and their items.

use std::sync::Arc;

use super::ast::{
    Connection, Decl, DeclKind, Declarator, Direction, Instance, Item, Module, Param, Range,
    Sensitivity,
};
use super::cursor::Cursor;
use super::lexer::Token;
use crate::error::Result;

/// Module items that are Verilog but not part of the subset, with the name used in the refusal.
const REFUSED: [(&str, &str); 23] = [
    ("inout", "inout port"),
    ("task", "task"),
    ("generate", "generate block"),
    ("genvar", "genvar"),
    ("real", "real variable"),
    ("time", "time variable"),
    ("realtime", "realtime variable"),
    ("event", "event"),
    ("tri", "tri net"),
    ("tri0", "tri0 net"),
    ("tri1", "tri1 net"),
    ("wand", "wand net"),
    ("wor", "wor net"),
    ("supply0", "supply net"),
    ("supply1", "supply net"),
    ("specify", "specify block"),
    ("defparam", "defparam"),
    ("and", "gate primitive"),
    ("or", "gate primitive"),
    ("not", "gate primitive"),
    ("buf", "gate primitive"),
    ("for", "generate loop"),
    ("if", "generate condition"),
];

impl Cursor<'_> {
    pub(super) fn module(&mut self) -> Result<Module> {
        let line = self.line();
        for (word, name) in [
            ("primitive", "user-defined primitive"),
            ("macromodule", "macromodule"),
        ] {
            if self.is_word(word) {
                return Err(self.unsupported(name));
            }
        }
        self.expect_word("module")?;
        let name = self.identifier("a module name")?;
        let mut module = Module {
            line,
            name,
            ports: Vec::new(),
            items: Vec::new(),
        };
        if self.eat("#") {
            self.expect("(")?;
            while !self.eat(")") {
                self.eat_word("parameter");
                let mut params = Vec::new();
                self.param_group(false, true, &mut params)?;
                module.items.append(&mut params);
            }
        }
        if self.eat("(") && !self.eat(")") {
            let decls;
            (module.ports, decls) = self.header_ports()?;
            module.items.extend(decls.into_iter().map(Item::Decl));
            self.expect(")")?;
        }
        self.expect(";")?;
        while !self.eat_word("endmodule") {
            self.item(&mut module.items)?;
        }
        Ok(module)
    }

    /// Both header styles: bare names, or full declarations that carry on over commas.
    pub(super) fn header_ports(&mut self) -> Result<(Vec<String>, Vec<Decl>)> {
        let mut names = Vec::new();
        let mut decls: Vec<Decl> = Vec::new();
        loop {
            if self.is_word("input") || self.is_word("output") || self.is_word("inout") {
                decls.push(self.decl_head()?);
            }
            let line = self.line();
            let name = self.identifier("a port name")?;
            names.push(name.clone());
            if let Some(decl) = decls.last_mut() {
                let init = if self.eat("=") {
                    Some(self.expr()?)
                } else {
                    None
                };
                decl.names.push(Declarator {
                    line,
                    name,
                    dimension: None,
                    init,
                });
            }
            if !self.eat(",") {
                break;
            }
        }
        Ok((names, decls))
    }

    pub(super) fn range(&mut self) -> Result<Range> {
        if !self.eat("[") {
            return Ok(None);
        }
        let left = self.expr()?;
        self.expect(":")?;
        let right = self.expr()?;
        self.expect("]")?;
        Ok(Some((left, right)))
    }

    fn decl_head(&mut self) -> Result<Decl> {
        let line = self.line();
        let mut direction = None;
        if self.is_word("inout") {
            return Err(self.unsupported("inout port"));
        } else if self.eat_word("input") {
            direction = Some(Direction::Input);
        } else if self.eat_word("output") {
            direction = Some(Direction::Output);
        }
        let kind = if self.eat_word("wire") {
            DeclKind::Wire
        } else if self.eat_word("reg") {
            DeclKind::Reg
        } else if self.eat_word("integer") {
            DeclKind::Integer
        } else {
            DeclKind::Port
        };
        let signed = self.eat_word("signed") || kind == DeclKind::Integer;
        let range = self.range()?;
        if self.is("#") {
            return Err(self.unsupported("delay"));
        }
        Ok(Decl {
            line,
            kind,
            direction,
            signed,
            range,
            names: Vec::new(),
        })
    }

    /// A declaration of names, up to and including its semicolon.
    pub(super) fn decl(&mut self) -> Result<Decl> {
        let mut decl = self.decl_head()?;
        decl.names = self.list(|c| {
            let line = c.line();
            let name = c.identifier("a name")?;
            let dimension = c.range()?;
            if c.is("[") {
                return Err(c.unsupported("more than one dimension of memory"));
            }
            let init = if c.eat("=") { Some(c.expr()?) } else { None };
            Ok(Declarator {
                line,
                name,
                dimension,
                init,
            })
        })?;
        self.expect(";")?;
        Ok(decl)
    }

    fn param_group(&mut self, local: bool, header: bool, out: &mut Vec<Item>) -> Result<()> {
        let mut signed = self.eat_word("signed");
        for word in ["real", "time", "realtime"] {
            if self.is_word(word) {
                return Err(self.unsupported(&format!("{word} parameter")));
            }
        }
        signed |= self.eat_word("integer");
        let range = self.range()?;
        loop {
            let line = self.line();
            let name = self.identifier("a parameter name")?;
            self.expect("=")?;
            let value = self.expr()?;
            out.push(Item::Param(Param {
                line,
                local,
                signed,
                range: range.clone(),
                name,
                value,
            }));
            if !self.eat(",") || (header && self.is_word("parameter")) {
                return Ok(());
            }
        }
    }

    fn item(&mut self, out: &mut Vec<Item>) -> Result<()> {
        let line = self.line();
        let Token::Ident(word) = *self.peek() else {
            if self.eat(";") {
                return Ok(());
            }
            return Err(self.expected("a module item"));
        };
        match word {
            "parameter" | "localparam" => {
                self.advance();
                self.param_group(word == "localparam", false, out)?;
                self.expect(";")
            }
            "input" | "output" | "wire" | "reg" | "integer" => {
                out.push(Item::Decl(self.decl()?));
                Ok(())
            }
            "function" => {
                out.push(Item::Function(Arc::new(self.function()?)));
                Ok(())
            }
            "assign" => {
                self.advance();
                if self.is("#") {
                    return Err(self.unsupported("delay"));
                }
                let assigns = self.list(|c| {
                    let line = c.line();
                    let target = c.lvalue()?;
                    c.expect("=")?;
                    Ok(Item::Assign(line, target, c.expr()?))
                })?;
                out.extend(assigns);
                self.expect(";")
            }
            "always" => {
                self.advance();
                let sensitivity = self.sensitivity()?;
                let body = self.stmt()?;
                out.push(Item::Always(line, sensitivity, body));
                Ok(())
            }
            "initial" => {
                self.advance();
                let body = self.stmt()?;
                out.push(Item::Initial(line, body));
                Ok(())
            }
            _ => {
                if let Some((_, name)) = REFUSED.iter().find(|(w, _)| *w == word) {
                    return Err(self.unsupported(name));
                }
                self.instances(out)
            }
        }
    }

    fn sensitivity(&mut self) -> Result<Sensitivity> {
        if self.is("#") {
            return Err(self.unsupported("delay"));
        }
        if !self.is("@") {
            return Err(self.unsupported("always without a sensitivity list"));
        }
        self.advance();
        if self.eat("*") {
            return Ok(Sensitivity::Comb);
        }
        self.expect("(")?;
        if self.eat("*") {
            self.expect(")")?;
            return Ok(Sensitivity::Comb);
        }
        let mut edges = Vec::new();
        let mut levels = 0;
        loop {
            let rising = self.eat_word("posedge");
            let edge = rising || self.eat_word("negedge");
            let signal = self.expr()?;
            if edge {
                edges.push((rising, signal));
            } else {
                levels += 1;
            }
            if !edges.is_empty() && levels > 0 {
                return Err(self.unsupported("mixed edges and levels in a sensitivity list"));
            }
            if !self.eat(",") && !self.eat_word("or") {
                break;
            }
        }
        self.expect(")")?;
        Ok(match edges.is_empty() {
            true => Sensitivity::Comb,
            false => Sensitivity::Edges(edges),
        })
    }

    fn instances(&mut self, out: &mut Vec<Item>) -> Result<()> {
        let module = self.identifier("a module item")?;
        let mut params = Vec::new();
        if self.eat("#") {
            self.expect("(")?;
            params = self.connections()?;
        }
        loop {
            let line = self.line();
            let name = self.identifier("an instance name")?;
            if self.is("[") {
                return Err(self.unsupported("array of instances"));
            }
            self.expect("(")?;
            let ports = self.connections()?;
            let instance = Instance {
                line,
                module: module.clone(),
                name,
                params: params.clone(),
                ports,
            };
            out.push(Item::Instance(instance));
            if !self.eat(",") {
                return self.expect(";");
            }
        }
    }

    /// Connections up to and including the closing parenthesis.
    fn connections(&mut self) -> Result<Vec<Connection>> {
        let mut out = Vec::new();
        if self.eat(")") {
            return Ok(out);
        }
        loop {
            let line = self.line();
            if self.eat(".") {
                let name = self.identifier("a port or parameter name")?;
                self.expect("(")?;
                let value = if self.is(")") {
                    None
                } else {
                    Some(self.expr()?)
                };
                self.expect(")")?;
                out.push(Connection {
                    line,
                    name: Some(name),
                    value,
                });
            } else if self.is(",") || self.is(")") {
                out.push(Connection {
                    line,
                    name: None,
                    value: None,
                });
            } else {
                let value = self.expr()?;
                out.push(Connection {
                    line,
                    name: None,
                    value: Some(value),
                });
            }
            if !self.eat(",") {
                self.expect(")")?;
                return Ok(out);
            }
        }
    }
}
