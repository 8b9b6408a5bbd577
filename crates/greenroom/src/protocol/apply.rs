use super::Event;
use crate::status::{GovernorStatus, MaskServerStatus, OutputStatus, RecordingStatus, Status};

impl Event {
    /// Updates `status`, which the subscriber received in the reply to its request. [`Event::Trouble`] and
    /// [`Event::Numbers`] change nothing: the status has no fields for them.
    pub fn apply(self, status: &mut Status) {
        match self {
            Self::Camera { state, name, mode, reason } => {
                let camera = &mut status.camera;
                (camera.state, camera.name, camera.mode, camera.reason) =
                    (state, name, mode, reason);
            }
            Self::HiddenBy { reasons } => status.hidden_by = reasons,
            Self::Output { output, sink, state, mode, reason } => {
                if let Some(it) = find_output(status, &output) {
                    (it.sink, it.state, it.mode, it.reason) = (sink, state, mode, reason);
                }
            }
            Self::Watchers { output, watchers } => {
                if let Some(it) = find_output(status, &output) {
                    it.watchers = watchers;
                }
            }
            Self::Scene { output, scene } => {
                if let Some(it) = find_output(status, &output) {
                    it.scene = scene;
                }
            }
            Self::Recording { output, file } => {
                if let Some(it) = find_output(status, &output) {
                    it.recording =
                        file.map(|file| RecordingStatus { file, ..RecordingStatus::default() });
                }
            }
            Self::IdleAfter { ms } => status.idle_after_s = ms as f64 / 1e3,
            Self::MaskServer { url, state, reason } => {
                let server = status.mask_server.get_or_insert_with(MaskServerStatus::default);
                (server.url, server.state, server.reason) = (url, state, reason);
            }
            Self::Governor { level, chosen, reason } => {
                let governor = status.governor.get_or_insert_with(GovernorStatus::default);
                (governor.level, governor.chosen, governor.reason) = (level, chosen, reason);
            }
            Self::Trouble { .. } | Self::Numbers(_) => {}
        }
    }
}

fn find_output<'a>(status: &'a mut Status, output: &str) -> Option<&'a mut OutputStatus> {
    status.outputs.iter_mut().find(|it| it.name == output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Reason;
    use crate::status::{CameraState, OutputState, Watcher};

    #[test]
    fn applying_all_events_gives_the_new_status() {
        let output = |name: &str| OutputStatus { name: name.to_owned(), ..Default::default() };
        let mut known = Status { outputs: vec![output("a"), output("b")], ..Default::default() };
        let before = known.clone();
        let mut now = known.clone();
        now.camera.state = CameraState::Lost;
        now.camera.reason = Some("it has gone".to_owned());
        now.hidden_by = vec![Reason::Lock];
        now.idle_after_s = 1.5;
        now.mask_server =
            Some(MaskServerStatus { url: "http://a".to_owned(), ..Default::default() });
        let chosen = "the network runs on every 2nd frame".to_owned();
        now.governor = Some(GovernorStatus { level: 2, chosen, ..Default::default() });
        let other = &mut now.outputs[1];
        other.state = OutputState::Watched;
        other.watchers = vec![Watcher { pid: 1, name: "zoom".to_owned(), preview: None }];
        other.scene.background = "blur".to_owned();
        other.recording = Some(RecordingStatus { file: "/a.mkv".to_owned(), ..Default::default() });
        let changes = Event::changes(&before, &now);
        assert_eq!(changes.len(), 10, "one of each kind except numbers");
        changes.into_iter().for_each(|event| event.apply(&mut known));
        assert_eq!(known, now);
        assert_eq!(known.trouble(), ["camera: it has gone"]);
    }
}
