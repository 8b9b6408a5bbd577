use crate::{AlphaMap, InputTensor, MatteError, ModelDescription};

/// Something that runs one model on the caller's thread.
pub trait Engine: Send {
    /// What the model wants and gives.
    fn description(&self) -> &ModelDescription;

    /// The alpha for `input`. Asks for no memory.
    ///
    /// # Errors
    /// [`MatteError::WrongShape`] if `input` or `alpha` was made for another model.
    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError>;
}
