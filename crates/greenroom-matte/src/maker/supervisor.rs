//! Who has the last word on the alpha of a foreign engine.

use greenroom_frame::{Frame, FrameView};

use crate::MatteError;

/// Holds a maker's alpha to what it allows. The maker knows no more of it, for it has makers of its own.
pub(crate) trait Supervisor: Send {
    /// The next frame has nothing to do with those before.
    fn reset(&mut self);

    /// Cuts out of `alpha`, the mask of `frame` by the model `name`, what it may not show. Another alpha, if that is to be
    /// used in its place.
    fn overrule(
        &mut self,
        name: &str,
        frame: &FrameView<'_>,
        alpha: &mut Frame,
    ) -> Result<Option<&Frame>, MatteError>;
}
