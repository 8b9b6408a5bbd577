use super::*;

fn run(config: &str) -> anyhow::Result<RunSettings> {
    let config = ConfigFile::parse(config, Path::new("/etc/greenroom/config.toml"))?;
    RunSettings::over(&RunArgs::default(), None, config, None)
}

#[test]
fn a_mask_server_and_one_person_only_are_refused_together() {
    let (server, main) = ("mask_server = \"http://127.0.0.1:9000\"\n", "[cut]\npeople = \"main\"");
    assert!(run(server).is_ok());
    assert_eq!(run(main).unwrap().scene.steps.people, People::Main);
    let sentence = run(&format!("{server}{main}")).unwrap_err().to_string();
    assert!(sentence.contains("--mask-server none"), "{sentence}");
}

#[test]
fn a_key_and_one_person_only_are_refused_together() {
    let key = "[cut]\nkey = \"#00b140\"\n";
    assert_eq!(run(key).unwrap().scene.steps.key, Some("#00b140".parse().unwrap()));
    let sentence = run(&format!("{key}people = \"main\"")).unwrap_err().to_string();
    assert!(sentence.contains("take one of the two away"), "{sentence}");
}
