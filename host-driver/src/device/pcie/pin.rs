//! Memory that a card may reach through the IOMMU: the one place where the driver gives memory to hardware.

use super::transport::DmaBuffer;
use std::sync::Arc;
use vfio_ioctls::{VfioError, VfioOps};

/// A buffer in the IOMMU's tables, until this is dropped.
pub(super) struct Pinned {
    container: Arc<dyn VfioOps>,
    buffer: DmaBuffer,
}

impl Pinned {
    pub(super) fn new(container: &Arc<dyn VfioOps>, buffer: &DmaBuffer) -> Result<Self, VfioError> {
        let bytes = buffer.memory.len();
        // SAFETY: the memory is only touched through `SharedMemory`, which makes no slices of it, and `buffer` keeps
        // it mapped until the kernel has confirmed that the card cannot reach it any more.
        unsafe { container.vfio_dma_map(buffer.address, bytes, buffer.memory.as_mut_ptr())? };
        Ok(Self {
            container: Arc::clone(container),
            buffer: buffer.clone(),
        })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let bytes = self.buffer.memory.len();
        let taken_back = self.container.vfio_dma_unmap(self.buffer.address, bytes);
        if taken_back.is_err() {
            // The card may still write there, so the memory must never become anything else.
            std::mem::forget(Arc::clone(&self.buffer.memory));
        }
    }
}
