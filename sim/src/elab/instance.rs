//! Walking the hierarchy: parameters, declarations, items and port connections of one instance.

use std::collections::{HashMap, HashSet};

use super::Elaborator;
use super::lvalue::Target;
use super::process::{Env, Kind};
use super::scope::{Scope, Symbol};
use super::select::Offset;
use crate::bits::Bits;
use crate::error::{Error, Result};
use crate::front::ast::{
    Connection, Direction, Expr, ExprKind, Instance, Item, Module, Param, Sensitivity,
};
use crate::ir::{Input, Named, NodeId, Op};

/// Work of looking at an item, a port or a connection, see [`MAX_WORK`](crate::limits::MAX_WORK).
const ITEM_WORK: u64 = 256;

/// Parameter values that an instantiation gives, by name.
type Overrides = HashMap<String, Override>;

/// A parameter's value.
#[derive(Debug, Clone)]
enum Override {
    /// With its sign.
    Value(Bits, bool),
    Text(String),
}

impl<'m> Elaborator<'m> {
    pub(super) fn top(&mut self, module: &'m Module) -> Result<()> {
        self.enter(&module.name)?;
        let mut scope = self.open(module, String::new(), &Overrides::new())?;
        for (name, direction) in directions(module) {
            let Some(Symbol::Signal { id, shape, .. }) = scope.names.get(&name).cloned() else {
                continue;
            };
            match direction {
                Direction::Input => {
                    let index = self.inputs.len() as u32;
                    self.inputs.push(Input {
                        name,
                        width: shape.width,
                    });
                    let node = self.builder.add(Op::Input(index), shape.width);
                    self.drive(module.line, id, 0, node)?;
                }
                Direction::Output => {
                    let node = self.builder.add(Op::Signal(id), shape.width);
                    self.outputs.push(Named { path: name, node });
                }
            }
        }
        self.body(module, &mut scope)?;
        self.stack.pop();
        Ok(())
    }

    /// Parameters and declarations.
    fn open(&mut self, module: &'m Module, prefix: String, overrides: &Overrides) -> Result<Scope> {
        let mut scope = Scope::new(prefix);
        for item in &module.items {
            if let Item::Function(f) = item {
                self.declare_function(&mut scope, f)?;
            }
        }
        for item in &module.items {
            if let Item::Param(p) = item {
                self.param(&mut scope, p, overrides)?;
            }
        }
        for item in &module.items {
            if let Item::Decl(d) = item {
                self.declare(&mut scope, d)?;
            }
        }
        let directions: HashMap<String, Direction> = directions(module).into_iter().collect();
        let ports: HashSet<&String> = module.ports.iter().collect();
        for port in &module.ports {
            if !directions.contains_key(port) {
                return Err(self.meaning(module.line, format!("port `{port}` has no direction")));
            }
        }
        for name in directions.keys() {
            if !ports.contains(name) {
                return Err(self.meaning(
                    module.line,
                    format!("`{name}` has a direction and is no port"),
                ));
            }
        }
        Ok(scope)
    }

    fn param(&mut self, scope: &mut Scope, p: &Param, overrides: &Overrides) -> Result<()> {
        self.at = ("parameter", p.line);
        let given = overrides.get(&p.name).filter(|_| !p.local).cloned();
        let symbol = match (&p.value.kind, given) {
            (ExprKind::Real, None) => Symbol::Unusable("real constant"),
            (ExprKind::Str(text), None) if p.range.is_none() => Symbol::Text(text.clone()),
            (_, Some(Override::Text(text))) if p.range.is_none() => Symbol::Text(text),
            (ExprKind::Str(_), None) | (_, Some(Override::Text(_))) => {
                return Err(self.unsupported(p.line, "string as the value of a vector"));
            }
            (_, given) => {
                let (mut value, mut signed) = match given {
                    Some(Override::Value(value, signed)) => (value, signed),
                    _ => self.constant(scope, &p.value)?,
                };
                if let Some((left, right)) = &p.range {
                    let (l, r) = (
                        self.constant_i64(scope, left)?,
                        self.constant_i64(scope, right)?,
                    );
                    let width = l.abs_diff(r).saturating_add(1);
                    if width > crate::limits::MAX_WIDTH.into() {
                        return Err(Error::Limit {
                            what: format!(
                                "the width of parameter `{}` at {}:{}",
                                p.name, self.file, p.line
                            ),
                            name: "MAX_WIDTH",
                            limit: crate::limits::MAX_WIDTH.into(),
                        });
                    }
                    value = if signed {
                        value.sext(width as u32)
                    } else {
                        value.zext(width as u32)
                    };
                    signed = p.signed;
                } else {
                    signed |= p.signed;
                }
                Symbol::Param { value, signed }
            }
        };
        if scope.names.insert(p.name.clone(), symbol).is_some() {
            return Err(self.meaning(p.line, format!("`{}` is declared twice", p.name)));
        }
        self.check()
    }

    fn parameter_value(&mut self, scope: &mut Scope, e: &Expr) -> Result<Override> {
        if let Some(text) = scope.text(e) {
            return Ok(Override::Text(text.to_string()));
        }
        let (value, signed) = self.constant(scope, e)?;
        Ok(Override::Value(value, signed))
    }

    fn body(&mut self, module: &'m Module, scope: &mut Scope) -> Result<()> {
        for item in &module.items {
            self.check()?;
            match item {
                Item::Param(_) | Item::Function(_) => {}
                Item::Decl(d) => {
                    for n in &d.names {
                        let Some(init) = &n.init else { continue };
                        let Some(Symbol::Signal { id, shape, .. }) =
                            scope.names.get(&n.name).cloned()
                        else {
                            return Err(self.unsupported(
                                n.line,
                                "initial value of a memory in its declaration",
                            ));
                        };
                        let value = self.assigned(scope, &Env::none(), init, shape.width)?;
                        if d.kind == crate::front::ast::DeclKind::Wire {
                            self.drive(n.line, id, 0, value)?;
                        } else {
                            let Some(k) = self.builder.as_const(value) else {
                                return Err(
                                    self.meaning(n.line, "an initial value must be constant")
                                );
                            };
                            self.signals[id as usize].init = Some(k.clone());
                        }
                    }
                }
                Item::Assign(line, target, value) => {
                    self.at = ("assignment", *line);
                    let targets = self.targets(scope, &Env::none(), target)?;
                    let width = self.total_width(*line, &targets)?;
                    let value = self.assigned(scope, &Env::none(), value, width)?;
                    self.connect(*line, targets, value, width)?;
                }
                Item::Always(line, Sensitivity::Comb, body) => {
                    self.process(scope, Kind::Comb, *line, body)?
                }
                Item::Always(line, Sensitivity::Edges(edges), body) => {
                    self.edge_process(scope, *line, edges, body)?;
                }
                Item::Initial(line, body) => self.process(scope, Kind::Initial, *line, body)?,
                Item::Instance(i) => self.instance(scope, i)?,
            }
        }
        Ok(())
    }

    /// Continuous assignment of `value`, `width` bits wide, to targets.
    fn connect(
        &mut self,
        line: u32,
        targets: Vec<Target>,
        value: NodeId,
        width: u32,
    ) -> Result<()> {
        let mut hi = width;
        for t in targets {
            hi -= t.width();
            let part = self.builder.slice(value, hi, t.width());
            match t {
                Target::Signal {
                    id,
                    offset: Offset::Known(lo),
                    width,
                    total,
                } => {
                    if lo < 0 || lo.saturating_add(width.into()) > total.into() {
                        return Err(
                            self.meaning(line, "the assigned part lies outside the declared range")
                        );
                    }
                    self.drive(line, id, lo as u32, part)?;
                }
                _ => {
                    return Err(self.meaning(
                        line,
                        "a continuous assignment needs a constant part of a net",
                    ));
                }
            }
        }
        Ok(())
    }

    fn instance(&mut self, scope: &mut Scope, i: &'m Instance) -> Result<()> {
        let Some(module) = self.modules.get(i.module.as_str()).copied() else {
            return Err(self.meaning(
                i.line,
                format!("module `{}` is not defined in this text", i.module),
            ));
        };
        let ports: HashMap<String, Direction> = directions(module).into_iter().collect();
        let empty = module
            .items
            .iter()
            .all(|item| matches!(item, Item::Decl(_) | Item::Param(_) | Item::Function(_)));
        if empty && ports.values().any(|d| *d == Direction::Output) {
            return Err(
                self.unsupported(i.line, format!("instance of the black box `{}`", i.module))
            );
        }
        self.at = ("instance", i.line);
        self.enter(&module.name)?;
        let size = module.items.len() + module.ports.len() + i.params.len() + i.ports.len();
        self.builder.charge(ITEM_WORK * size as u64);
        self.check()?;
        let mut overrides = Overrides::new();
        let names = module.items.iter().filter_map(|item| match item {
            Item::Param(p) if !p.local => Some(p.name.clone()),
            _ => None,
        });
        for (name, c) in self.pair(&i.params, &names.collect::<Vec<_>>(), "parameter")? {
            if let Some(value) = &c.value {
                overrides.insert(name, self.parameter_value(scope, value)?);
            }
        }
        let prefix = format!("{}{}.", scope.prefix, i.name);
        let mut inner = self.open(module, prefix, &overrides)?;
        for (name, c) in self.pair(&i.ports, &module.ports, "port")? {
            let Some(value) = &c.value else { continue };
            let Some(Symbol::Signal { id, shape, .. }) = inner.names.get(&name).cloned() else {
                return Err(self.unsupported(c.line, format!("port `{name}` that is no vector")));
            };
            match ports.get(&name) {
                Some(Direction::Input) => {
                    let node = self.assigned(scope, &Env::none(), value, shape.width)?;
                    self.drive(c.line, id, 0, node)?;
                }
                _ => {
                    let targets = self.targets(scope, &Env::none(), value)?;
                    let width = self.total_width(c.line, &targets)?;
                    let node = self.builder.add(Op::Signal(id), shape.width);
                    let to = super::shape::Shape {
                        width,
                        signed: shape.signed,
                    };
                    let node = self.extend(node, to);
                    self.connect(c.line, targets, node, width)?;
                }
            }
        }
        self.body(module, &mut inner)?;
        self.stack.pop();
        Ok(())
    }

    /// Connections with the names that they go to; each name at most once.
    fn pair<'c>(
        &self,
        connections: &'c [Connection],
        names: &[String],
        what: &str,
    ) -> Result<Vec<(String, &'c Connection)>> {
        let mut out: Vec<(String, &Connection)> = Vec::new();
        let mut seen = HashSet::new();
        let known: HashSet<&String> = names.iter().collect();
        for (n, c) in connections.iter().enumerate() {
            let name = match (&c.name, names.get(n)) {
                (Some(name), _) if known.contains(name) => name.clone(),
                (None, Some(name)) => name.clone(),
                (None, None) if c.value.is_none() => continue,
                (given, _) => {
                    let given = given.clone().unwrap_or_else(|| format!("number {}", n + 1));
                    return Err(self.meaning(
                        c.line,
                        format!("the instantiated module has no {what} `{given}`"),
                    ));
                }
            };
            if !seen.insert(name.clone()) {
                return Err(self.meaning(c.line, format!("{what} `{name}` is connected twice")));
            }
            out.push((name, c));
        }
        Ok(out)
    }
}

/// The ports that a module declares a direction for, in order of declaration.
fn directions(module: &Module) -> Vec<(String, Direction)> {
    let mut out = Vec::new();
    for item in &module.items {
        if let Item::Decl(d) = item {
            out.extend(
                d.direction
                    .iter()
                    .flat_map(|dir| d.names.iter().map(move |n| (n.name.clone(), *dir))),
            );
        }
    }
    out
}
