//! Users' models: their descriptions, where they lie, which are known, and on what they are tried.

mod description;
mod folder;
mod known;
mod template;
mod trial;

pub use description::{DescriptionError, parse_description, read_description};
pub use folder::{find_file, model_folder};
pub use known::{KnownModel, known_models};
pub use template::template;
pub use trial::{empty_room, person};
