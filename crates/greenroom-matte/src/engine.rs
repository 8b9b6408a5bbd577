use greenroom_frame::SizePx;

use crate::{AlphaMap, InputTensor, MatteError, ModelDescription};

/// Something that runs one model on the caller's thread.
pub trait Engine: Send {
    /// What the model wants and gives.
    fn description(&self) -> &ModelDescription;

    /// Sizes of picture that it can be fed, besides the description's; the alpha of each has the same size. Whoever
    /// feeds it takes the one whose shape comes nearest to that of what is looked at.
    fn other_sizes(&self) -> &[SizePx] {
        &[]
    }

    /// The alpha for `input`. greenroom's own engine asks for no memory.
    ///
    /// # Errors
    /// [`MatteError::WrongShape`] if `input` or `alpha` was made for another model.
    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError>;

    /// Forgets the pictures before: what comes next has nothing to do with them. Networks without
    /// a memory have nothing to forget.
    fn reset(&mut self) {}

    /// Whether an alpha depends on the pictures before, too: a recurrent network.
    fn remembers(&self) -> bool {
        false
    }
}
