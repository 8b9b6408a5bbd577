//! Which scene is shown, and how it is changed on air: the thread "scenes" decides what is to be
//! shown and sends it to the outputs when it is whole; what has to be read from files or addresses
//! is loaded beside it, on the thread "loader".

mod book;
mod director;
mod files;
mod loader;
mod make;
mod pause_mark;
mod pending;
mod privacy;
mod reload;
mod replied;
mod show;
mod thread;
mod words;
mod worker;

pub use book::{NoSuchScene, SceneBook};
pub(crate) use director::NOT_WHOLE;
pub use director::{
    Director, DirectorHandle, FilesInUse, FirstScene, PAUSE_PATIENCE, SceneRequest,
};
pub use make::{make_first_scene, make_scene};
pub use pause_mark::PauseMark;
pub use privacy::NotAnonymous;
pub(crate) use privacy::check_privacy;
pub use replied::Replied;
pub use words::{SCENE_KEYS, SceneWords, WordsError};
