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

#[test]
fn a_budget_of_processor_time_is_a_percentage_or_auto() {
    let budget = |text: &str| run(&format!("cpu_budget = \"{text}\"\n"));
    assert_eq!(budget("50%").unwrap().cpu_budget, "50%".parse().ok());
    assert!(budget("50%").unwrap().is_governed);
    for none in ["auto", ""] {
        assert_eq!(budget(none).unwrap().cpu_budget, None);
    }
    for wrong in ["50", "half", "0%", "-1%"] {
        let sentence = budget(wrong).unwrap_err().to_string();
        assert!(sentence.contains("for example 50%"), "{sentence}");
    }
    let sentence = run("cpu_budget = 50\n").unwrap_err().to_string();
    assert!(sentence.contains("cpu_budget") && sentence.contains("quotation marks"), "{sentence}");
}

#[test]
fn a_file_that_is_read_as_fast_as_can_be_has_no_governor() {
    let args = RunArgs { unpaced: true, ..RunArgs::default() };
    let settings = RunSettings::over(&args, None, ConfigFile::default(), None).unwrap();
    assert!(!settings.is_governed);
}
