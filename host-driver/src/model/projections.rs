//! The seam between the host's arithmetic and whoever multiplies by the weights.

use super::{Matrix, Site};

/// An error of a device, whatever its kind.
pub type ProjectionError = Box<dyn std::error::Error + Send + Sync>;

/// Which product, and where in the sequence its tokens stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Layer, counted from 0; 0 for [`Site::Head`], which has none.
    pub layer: usize,
    /// Which product of the layer.
    pub site: Site,
    /// Position in the sequence of the first row of the input; row `i` stands at
    /// `first_position + i`. Devices that skip small activations keep the first positions dense.
    pub first_position: usize,
}

/// Computes the weight matrix products of a model.
pub trait Projections {
    /// Sets `out` to `x` times the weights of `place`, one row a token.
    ///
    /// `x` has one column for each input of the site ([`Site::inputs`]), `out` one for each output
    /// ([`Site::outputs`]); both have the same number of rows, which may be any. Biases are not added
    /// here. Every value of `out` is overwritten.
    ///
    /// # Errors
    /// Whatever the implementation may meet; the session that called is then not usable any more.
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError>;
}

impl<P: Projections + ?Sized> Projections for &mut P {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        (**self).project(place, x, out)
    }
}

impl<P: Projections + ?Sized> Projections for Box<P> {
    fn project(
        &mut self,
        place: Place,
        x: &Matrix,
        out: &mut Matrix,
    ) -> Result<(), ProjectionError> {
        (**self).project(place, x, out)
    }
}
