//! Which scene is shown, and how it is changed on air: the thread "scenes" decides what is to be
//! shown and sends it to the outputs when it is whole; what has to be read from files or addresses
//! is loaded beside it, on the thread "loader".

mod files;
mod library;
mod loader;
mod make;
mod options;
mod pause;
mod pause_mark;
mod pending;
mod privacy;
mod reload;
mod replied;
mod reported;
mod request;
mod service;
mod show;
mod thread;
mod watch_backoff;
mod worker;

pub use library::{NoSuchScene, SceneLibrary};
pub use make::{make_first_scene, make_scene};
pub(crate) use options::fit_values;
pub use options::{SCENE_KEYS, SceneOptions, SceneOptionsError};
pub use pause::PAUSE_PATIENCE;
pub use pause_mark::PauseMark;
pub use privacy::NotAnonymous;
pub(crate) use privacy::check_privacy;
pub use replied::Replied;
pub use request::{FilesInUse, FirstScene, SceneRequest};
pub(crate) use service::NOT_WHOLE;
pub use service::{SceneHandle, SceneService};
