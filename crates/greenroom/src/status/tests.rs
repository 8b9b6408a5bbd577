use super::*;

fn busy() -> Status {
    Status {
        version: "0.1.0".into(),
        pid: 4711,
        uptime_s: 3_725.123_456,
        camera: CameraStatus {
            state: CameraState::Streaming,
            name: Some("Brio".into()),
            mode: Some("1280x720 MJPG at 30 fps".into()),
            reason: None,
            opened: 3,
        },
        outputs: vec![OutputStatus {
            name: "auto".into(),
            sink: "greenroom (/dev/video10)".into(),
            state: OutputState::Watched,
            mode: Some("1280x720 YUYV at 30 fps".into()),
            watchers: vec![Watcher { pid: 12, name: "zoom".into(), preview: None }],
            reason: None,
            written: 1000,
            placeholders: 40,
            dropped: 0,
            scene: SceneStatus {
                name: Some("office".into()),
                background: "blur".into(),
                effects: vec!["vignette".into(), "grain".into()],
                framing: "auto".into(),
                ..Default::default()
            },
            recording: Some(RecordingStatus {
                file: "/home/me/talk.mkv".into(),
                time_s: 12.346,
                frames: 360,
                dropped: 2,
            }),
        }],
        mask_server: Some(MaskServerStatus {
            url: "http://bodypix:9000".into(),
            state: MaskServerState::Unwell,
            reason: Some("broke off".into()),
            masks: 120,
            local: 3,
            answer_ms: Some(Quantiles { p50: 5.06, p99: 9.0 }),
        }),
        hidden_by: vec![Reason::Pause, Reason::Lock],
        idle_after_s: 3.0,
        governor: Some(GovernorStatus {
            level: 2,
            lowest_level: 6,
            chosen: "the network runs on every 2nd frame".into(),
            reason: Some(LevelReason::Busy),
            budget: Some(0.5),
            inferred: 500,
            carried: 490,
            still: 20,
        }),
        frames: FrameCounts { taken: 1010, composed: 1000, placeholders: 40, ..Default::default() },
        latency_ms: Some(Quantiles { p50: 12.345_67, p99: 20.0 }),
        stages_ms: vec![StageTime { name: "matte".into(), time: Quantiles { p50: 5.5, p99: 8.0 } }],
        cpu: Cpu { time_s: 100.000_4, share: Some(0.026_843), share_now: None },
    }
}

#[test]
fn json_keeps_its_keys_and_comes_back() {
    let json = serde_json::to_value(busy()).unwrap();
    let expected = serde_json::json!({
        "version": "0.1.0", "pid": 4711, "uptime_s": 3725.123,
        "camera": { "state": "streaming", "name": "Brio", "mode": "1280x720 MJPG at 30 fps",
            "reason": null, "opened": 3 },
        "outputs": [{ "name": "auto", "sink": "greenroom (/dev/video10)", "state": "watched",
            "mode": "1280x720 YUYV at 30 fps", "watchers": [{ "pid": 12, "name": "zoom" }],
            "reason": null, "written": 1000, "placeholders": 40, "dropped": 0,
            "scene": { "name": "office", "background": "blur", "foreground": null,
                "effects": ["vignette", "grain"], "framing": "auto",
                "look": "", "fit": "",
                "trouble": null, "warning": null },
            "recording": { "file": "/home/me/talk.mkv", "time_s": 12.346, "frames": 360,
                "dropped": 2 } }],
        "hidden_by": ["pause", "lock"],
        "idle_after_s": 3.0,
        "mask_server": { "url": "http://bodypix:9000", "state": "unwell",
            "reason": "broke off", "masks": 120, "local": 3,
            "answer_ms": { "p50": 5.06, "p99": 9.0 } },
        "governor": { "level": 2, "lowest_level": 6,
            "chosen": "the network runs on every 2nd frame", "reason": "busy", "budget": 0.5,
            "inferred": 500, "carried": 490, "still": 20 },
        "frames": { "taken": 1010, "composed": 1000,
            "dropped": { "in_camera": 0, "before_matte": 0, "before_output": 0, "by_governor": 0,
                "unwatched": 0 },
            "corrupt": 0, "failed": 0, "placeholders": 40 },
        "latency_ms": { "p50": 12.346, "p99": 20.0 },
        "stages_ms": [{ "name": "matte", "p50": 5.5, "p99": 8.0 }],
        "cpu": { "time_s": 100.0, "share": 0.027, "share_now": null },
    });
    assert_eq!(json, expected);
    let back: Status = serde_json::from_value(json).unwrap();
    assert_eq!(back.camera, busy().camera);
    assert_eq!(back.outputs, busy().outputs);
}

#[test]
fn text_is_aligned_and_says_what_is_there() {
    let earlier = Status { uptime_s: 3_724.873_456, ..busy() };
    let earlier = Status { cpu: Cpu { time_s: 99.95, ..earlier.cpu }, ..earlier };
    let expected = "\
greenroom 0.1.0, pid 4711, up 1 h 02 min
camera   streaming  Brio, 1280x720 MJPG at 30 fps, opened 3 times
output   watched    auto: greenroom (/dev/video10), 1280x720 YUYV at 30 fps
                    zoom (pid 12)
                    1000 pictures, 40 placeholders
record   /home/me/talk.mkv, 12 s, 2 frames that it was too slow for
scene    \"office\": background blur, framing auto, effects vignette grain
hidden   paused; to go on air: greenroom resume
hidden   the session is locked; unlock it, or: greenroom resume
masks    unwell     http://bodypix:9000, 120 masks, 3 by the network here, answers p50 5.1 ms, p99 9.0 ms; it broke off
governor level 2 of 6: the network runs on every 2nd frame, because other programs keep the processor busy; budget 50 % of a core
frames   1010 in, 1000 out
dropped  0 in the camera, 0 before the matte, 0 before the output, 0 by the governor, 0 unwatched
bad      0 corrupt, 0 failed
latency  p50 12.3 ms, p99 20.0 ms
stages   matte      p50 5.5 ms, p99 8.0 ms
cpu      20.2 % of a core now, 2.7 % since the start, 100.0 s in all
";
    assert_eq!(busy().since(&earlier).to_string(), expected);
    let lost = CameraStatus {
        state: CameraState::Lost,
        reason: Some("zoom (pid 12) has it".into()),
        ..Default::default()
    };
    assert_eq!(lost.to_string(), "lost       zoom (pid 12) has it, never opened yet");
    assert!(Status::default().to_string().contains("output   none"));
}

#[test]
fn a_restarted_daemon_has_no_share_of_now() {
    let earlier = Status { pid: 1, ..busy() };
    assert_eq!(busy().since(&earlier).cpu.share_now, None);
    assert_eq!(busy().since(&busy()).cpu.share_now, None, "no time has passed");
}

#[test]
fn this_process_has_used_some_time() {
    let mut sum = 0u64;
    while Cpu::of_this_process(Duration::from_secs(1)).time_s < 0.02 {
        sum = sum.wrapping_add(1);
    }
    let cpu = Cpu::of_this_process(Duration::from_secs(2));
    assert!(cpu.share.is_some_and(|share| (share * 2.0 - cpu.time_s).abs() < 1e-9), "{sum}");
    assert_eq!(Cpu::of_this_process(Duration::ZERO).share, None);
}
