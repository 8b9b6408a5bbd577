//! Users' models: their descriptions, where they lie, which are known, how they are got, and on what they are tried.

mod description;
mod description_file;
mod folder;
mod get;
mod known;
mod template;
mod trial;

pub use description::{DescriptionError, parse_description, read_description};
pub use folder::{data_folder, find_file, find_in_model_folder, model_folder};
pub use get::{FetchError, GetError, Package, RVM, U2NETP, package_of_model, runtime_for};
pub use known::{KnownModel, known_models};
pub use template::template;
pub use trial::{empty_room, person, photo_of_a_person};
