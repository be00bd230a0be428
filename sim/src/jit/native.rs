//! The one place with unsafe code: calling what Cranelift wrote, on memory that it may touch.

use cranelift_jit::JITModule;
use cranelift_module::FuncId;

type Function = extern "C" fn(*mut u8);

/// A finished native function. Nothing writes to it any more.
pub(crate) struct NativeCode {
    function: Function,
    /// Taken only on drop, to free the code.
    module: Option<JITModule>,
}

// SAFETY: the module is finalised and never used again except to free its memory on drop, which has exclusive
// access; the function is immutable machine code that touches only the block that it is given.
unsafe impl Send for NativeCode {}
// SAFETY: as above; shared access only reads the function's address.
unsafe impl Sync for NativeCode {}

impl std::fmt::Debug for NativeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NativeCode({:p})", self.function)
    }
}

impl NativeCode {
    /// Wraps a finalised module whose `function` takes the address of a state block.
    pub(super) fn new(module: JITModule, function: FuncId) -> Self {
        let code = module.get_finalized_function(function);
        // SAFETY: the function was defined with exactly this signature and the platform's C convention.
        let function = unsafe { std::mem::transmute::<*const u8, Function>(code) };
        NativeCode {
            function,
            module: Some(module),
        }
    }

    /// Runs the function on `state`, `times` times. The state must have the layout that the code was compiled for.
    #[inline]
    pub(crate) fn call(&self, state: &mut State, times: u64) {
        for _ in 0..times {
            (self.function)(state.chunks.as_mut_ptr().cast());
        }
    }
}

impl Drop for NativeCode {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: the address is never used again, and a call borrows `self`, so none is running.
            unsafe { module.free_memory() }
        }
    }
}

/// One cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Chunk([u8; 64]);

/// A zeroed, cache-line-aligned block of state.
#[derive(Debug, Clone)]
pub(crate) struct State {
    chunks: Vec<Chunk>,
}

impl State {
    /// A block of at least `size` bytes.
    pub(crate) fn new(size: usize) -> Self {
        State {
            chunks: vec![Chunk([0; 64]); size.div_ceil(64).max(1)],
        }
    }
    /// The block as bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: a chunk is 64 plain bytes without padding, and the length is that of the allocation.
        unsafe { std::slice::from_raw_parts(self.chunks.as_ptr().cast(), self.chunks.len() * 64) }
    }
    /// The block as bytes, to write.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(self.chunks.as_mut_ptr().cast(), self.chunks.len() * 64)
        }
    }
}
