//! One pass on the text form: what golden tests and curious readers use.

use super::cases::cases;
use super::partition::partition;
use super::schedule::schedule;
use super::schedule_text::groups_text;
use super::vectorise::vectorise;
use super::{Run, dead, find};
use crate::error::{Error, Result};
use crate::ir::{self, Op};
use crate::jit;
use crate::jit::layout::Layout;

/// Runs one pass on a netlist in its text form and returns the text of the result: a netlist, for `gate` and
/// `schedule` the steps of a cycle, for `partition` and `vectorise` what is packed, for `lower` Cranelift's own IR.
/// These first run `dead`, whose folded result they rely on. Fails where the text is no netlist, where the
/// pass itself fails, and for `parse` and `elaborate`, which take Verilog.
///
/// ```
/// let before = "input 0 a 1\n%0:1 = input 0\n%1:1 = not %0\noutput y = %0\n";
/// let after = weft_sim::passes::apply("dead", before)?;
/// assert_eq!(after, "input 0 a 1\n%0:1 = input 0\noutput y = %0\n");
/// # Ok::<(), weft_sim::Error>(())
/// ```
pub fn apply(pass: &str, netlist: &str) -> Result<String> {
    let pass = find(pass)?;
    let netlist = ir::parse("netlist", netlist)?;
    let symbolic = netlist.nodes.iter().any(|n| matches!(n.op, Op::Signal(_)));
    if symbolic && pass.name != "resolve" {
        return Err(Error::Access {
            name: pass.name.into(),
            message: "the netlist has signals without drivers looked up; run `resolve` first"
                .into(),
        });
    }
    match pass.run {
        Run::Netlist(run) => Ok(run(netlist)?.to_string()),
        // Back ends rely on folded nodes, as every pass leaves them.
        Run::Other => after(pass.name, &dead::run(netlist)?),
    }
}

/// The text after one of the steps that leave the netlist behind.
pub(crate) fn after(pass: &str, netlist: &ir::Netlist) -> Result<String> {
    if pass == "partition" {
        let groups = partition(netlist);
        let memories = groups_text("memories", &groups.memories);
        return Ok(memories + &groups_text("regs", &groups.registers));
    }
    let (netlist, _) = vectorise(netlist);
    if pass == "vectorise" {
        return Ok(netlist.to_string());
    }
    let (netlist, cases) = cases(&netlist);
    if pass == "cases" {
        return Ok(cases
            .iter()
            .fold(netlist.to_string(), |text, c| text + &c.to_string()));
    }
    let cycle = schedule(&netlist, &cases, true);
    match pass {
        "gate" | "schedule" => Ok(cycle.to_string()),
        "lower" => jit::text(&netlist, &Layout::new(&netlist, &cycle), &cycle),
        _ => Err(Error::Access {
            name: pass.into(),
            message: "this step takes Verilog text, not a netlist".into(),
        }),
    }
}
