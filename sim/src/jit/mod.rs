//! The fast back end: a schedule becomes one native function by Cranelift.

mod branch;
mod estimate;
mod lanes;
pub(crate) mod layout;
mod limbs;
mod lower;
mod memory;
#[allow(unsafe_code)]
pub(crate) mod native;
mod vector;
mod wide;
mod word;

use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Signature, UserFuncName, types};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

use crate::error::{Error, Result};
use crate::ir::Netlist;
use crate::passes::schedule::Schedule;
use layout::Layout;

fn backend(e: impl std::fmt::Display) -> Error {
    Error::Backend(e.to_string())
}

/// Compiles a schedule into a native function of the state block.
pub(crate) fn compile(
    netlist: &Netlist,
    layout: &Layout,
    schedule: &Schedule,
) -> Result<native::NativeCode> {
    let (mut module, id, mut context) = translate(netlist, layout, schedule)?;
    module.define_function(id, &mut context).map_err(backend)?;
    module.finalize_definitions().map_err(backend)?;
    Ok(native::NativeCode::new(module, id))
}

/// The Cranelift IR of a schedule, as text.
pub(crate) fn text(netlist: &Netlist, layout: &Layout, schedule: &Schedule) -> Result<String> {
    let (_, _, context) = translate(netlist, layout, schedule)?;
    let text = context.func.display().to_string();
    Ok(text)
}

/// The function's Cranelift IR and the module that it belongs to.
fn translate(
    netlist: &Netlist,
    layout: &Layout,
    schedule: &Schedule,
) -> Result<(JITModule, FuncId, Context)> {
    estimate::check(netlist, layout)?;
    let mut flags = settings::builder();
    for (name, value) in [
        // The netlist is folded and shared already; the mid-end only costs start-up time here (see DESIGN.md).
        ("opt_level", "none"),
        ("enable_verifier", "false"),
        ("enable_probestack", "false"),
        ("unwind_info", "false"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
    ] {
        flags.set(name, value).map_err(backend)?;
    }
    let isa = cranelift_native::builder().map_err(backend)?;
    let isa = isa.finish(settings::Flags::new(flags)).map_err(backend)?;
    let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
    let mut signature = Signature::new(module.isa().default_call_conv());
    signature.params.push(AbiParam::new(types::I64));
    let id = module
        .declare_function("schedule", Linkage::Export, &signature)
        .map_err(backend)?;
    let mut context = Context::new();
    context.func.signature = signature;
    context.func.name = UserFuncName::user(0, id.as_u32());
    let mut builder_context = FunctionBuilderContext::new();
    let builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
    lower::function(
        builder,
        netlist,
        layout,
        schedule,
        module.isa().frontend_config(),
    );
    Ok((module, id, context))
}
