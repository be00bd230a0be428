//! What can go wrong with a card.

use std::error::Error;
use std::time::Duration;
use weft_protocol::pcie::ring::Outcome;

/// Why a card did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// Every register reads as ones: there is no card behind the address any more.
    #[error(
        "the card is lost: its registers read as all ones; it lost power or its link, or the server behind it ended. \
         Plug or start it again, then run `weft doctor`"
    )]
    Lost,
    /// The card is not the one that this driver was built for.
    #[error(
        "register {register} holds {found:#010x}, this driver needs {wanted:#010x}: card and driver were built from \
         different maps; load the bitstream that belongs to this version"
    )]
    Mismatch {
        /// The register's name.
        register: &'static str,
        /// Its value.
        found: u32,
        /// The value needed.
        wanted: u32,
    },
    /// The card names a core that cannot be.
    #[error("the card describes a core that cannot exist: shape {shape:#010x}")]
    Shape {
        /// The shape register.
        shape: u32,
    },
    /// The card halted on a slot; it was reset.
    #[error("the card halted at {place}: {outcome:?}{hint}", hint = hint(*outcome))]
    Halted {
        /// Whose slot.
        place: String,
        /// Why.
        outcome: Outcome,
    },
    /// Nothing came for a long time; the card was reset.
    #[error(
        "the card did nothing for {waited:?} with {loads} loads and {answers} answers under way (status {status:#010x})"
    )]
    Stuck {
        /// How long.
        waited: Duration,
        /// Loads that it had not taken.
        loads: usize,
        /// Answers that it owed.
        answers: usize,
        /// Its status register.
        status: u32,
    },
    /// Somebody reset the card while it worked.
    #[error(
        "somebody else reset the card while it worked (status {status:#010x}): is another program using it, or its \
         `reset` in sysfs?"
    )]
    Interfered {
        /// Its status register.
        status: u32,
    },
    /// The card does not come out of a reset.
    #[error("the card did not finish a reset within {waited:?}; reload its bitstream")]
    Reset {
        /// How long was waited.
        waited: Duration,
    },
    /// An answer that does not fit what was asked.
    #[error("the card answered {found}, wanted was {wanted}")]
    Answer {
        /// What came.
        found: String,
        /// What should have come.
        wanted: String,
    },
    /// The way to the card failed.
    #[error("{step}: {source}")]
    Transport {
        /// What was tried.
        step: &'static str,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Weights could not be read.
    #[error("cannot read weights for the card: {0}")]
    Read(#[source] Box<dyn Error + Send + Sync>),
}

impl CardError {
    /// A failure of the way to the card at `step`.
    pub(super) fn transport(
        step: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self::Transport { step, source }
    }

    /// Whether the same run may go well at another try: what was lost or damaged on its way may arrive then, while an
    /// address that nobody has stays one.
    pub(super) fn passing(&self) -> bool {
        matches!(
            self,
            Self::Interfered { .. }
                | Self::Halted {
                    outcome: Outcome::Abort
                        | Outcome::Poisoned
                        | Outcome::Lost
                        | Outcome::Malformed,
                    ..
                }
        )
    }

    /// Whether nothing can be said to the card any more.
    pub(super) fn gone(&self) -> bool {
        matches!(self, Self::Lost | Self::Transport { .. })
    }
}

fn hint(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unsupported => {
            "; the system refuses it that memory: is the IOMMU's mapping gone, or bus mastering off?"
        }
        Outcome::Lost => "; a read was never answered",
        Outcome::Poisoned => "; data were damaged on their way",
        _ => "",
    }
}
