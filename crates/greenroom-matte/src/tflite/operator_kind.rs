//! What the operators of one family of networks have to tell.

use std::fmt::Debug;

use super::fault::Fault;
use super::flatbuffer::Table;

/// The operators of a family of networks. Options that have only one value in it are checked on reading and not kept.
pub(crate) trait OperatorKind: Copy + Debug + PartialEq {
    /// The family's name, for messages.
    const FAMILY: &'static str;
    /// How many outputs a network has.
    const OUTPUTS: usize = 1;

    /// The kind of an operator and the number of its inputs. Shapes are checked by the network.
    fn read(options: Table<'_>, code: i32, custom_name: &[u8]) -> Result<(Self, usize), Fault>;

    /// Whether this operator widens a float16 constant.
    fn is_dequantize(self) -> bool {
        false
    }
}
