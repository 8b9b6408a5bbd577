//! Which scene is shown, and how it is changed on air: the thread "scenes" makes scenes ready beside
//! the one that is shown, and sends each to the outputs when it is whole.

mod book;
mod director;
mod hand;
mod make;
mod reload;
mod words;

pub use book::{NoSuchScene, SceneBook};
pub use director::{Director, DirectorHandle, FirstScene, PAUSE_PATIENCE, Replied, SceneRequest};
pub use make::{make_first_scene, make_scene};
pub use words::{SCENE_KEYS, SceneWords, WordsError};
