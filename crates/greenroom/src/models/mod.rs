//! Users' models: their descriptions, where they lie, and which are known.

mod description;
mod folder;
mod known;
mod template;

pub use description::{DescriptionError, parse_description, read_description};
pub use folder::{find_file, model_folder};
pub use known::{KnownModel, known_models};
pub use template::template;
