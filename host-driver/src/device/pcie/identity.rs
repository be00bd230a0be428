//! Whether a card is one of ours.

use super::transport::Transport;
use super::{ALL_ONES, CardError};
use weft_hdl::CoreConfig;
use weft_protocol::pcie::{CardRegister as R, MAP_HASH, Shape, VERSION};
use weft_protocol::registers;

/// Checks what the card says it is, and gives its core.
pub(super) fn identify(transport: &mut dyn Transport) -> Result<CoreConfig, CardError> {
    for (register, wanted) in [
        (R::Magic, registers::MAGIC),
        (R::Version, VERSION),
        (R::StreamHash, registers::MAP_HASH),
        (R::CardHash, MAP_HASH),
    ] {
        let found = transport.read(register)?;
        if found == ALL_ONES {
            return Err(CardError::Lost);
        }
        if found != wanted {
            return Err(CardError::Mismatch {
                register: register.name(),
                found,
                wanted,
            });
        }
    }
    let found = transport.read(R::Shape)?;
    let shape = Shape::from_register(found);
    let core = CoreConfig {
        banks: shape.banks.into(),
        batch: shape.batch.into(),
        stream_bytes: shape.stream_bytes.into(),
        depth: 1usize
            .checked_shl(shape.log2_depth.into())
            .unwrap_or_default(),
    };
    match core.check() {
        Ok(()) => Ok(core),
        Err(_) => Err(CardError::Shape { shape: found }),
    }
}
