use greenroom_matte::{KeyColour, People, Quality, RefineSteps};

use super::*;

fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
    ConfigFile::parse(text, Path::new("/etc/greenroom/config.toml"))
}

fn refusal(text: &str) -> String {
    let sentence = parse(text).unwrap_err().to_string();
    assert!(!sentence.contains('\n') && sentence.contains("config.toml"), "{sentence}");
    sentence
}

/// The example, with the keys that are commented out in it.
fn whole_example() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with([' ', '!']) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_right_and_explains_every_key() {
    let plain = parse(EXAMPLE).unwrap();
    assert!(!plain.scenes.is_empty());
    for (name, options) in &plain.scenes {
        options.check().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let keys = KEYS.iter().chain(SCENE_KEYS).chain(&ONNX_KEYS);
    let keys = keys.chain(cut::TABLE.iter().map(|key| &key.name));
    for key in keys.chain(&output::KEYS).chain(&privacy::KEYS) {
        let told = ["\n{key} =", "\n#{key} =", "\n# {key} =", "[{key}.", "[{key}]"];
        let told = told.map(|told: &str| told.replace("{key}", key));
        assert!(told.iter().any(|told| EXAMPLE.contains(told.as_str())), "{key}");
    }
    // What is commented out is right, too.
    let all = parse(&whole_example()).unwrap();
    assert!(all.camera.is_some() && all.placeholder.is_some() && all.scene.is_some());
    assert!(all.privacy.on_lock.is_some());
    assert!(all.onnx.library.is_some() && all.onnx.threads == Some(4));
    assert!(all.cut.key.is_some() && all.cut.plain.threshold.is_some());
    assert!(all.scenes[0].1.look.is_some());
    let table = toml_file::table(&whole_example()).unwrap();
    for key in cut::TABLE {
        assert!(table["cut"].get(key.name).is_some(), "{}", key.name);
    }
}

#[test]
fn scenes_keep_the_order_of_the_file_and_their_paths_are_absolute() {
    let config = parse(
        "fps = 24\n[scenes.z]\nbackground = 'pictures/z.jpg'\n[scenes.a]\nbackground = 'blur'\n\
         effects = ['greyscale']\n",
    );
    let config = config.unwrap();
    let names: Vec<&str> = config.scenes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["z", "a"]);
    let background = config.scenes[0].1.background.as_deref();
    assert_eq!(background, Some("/etc/greenroom/pictures/z.jpg"));
    assert_eq!(config.scenes[1].1.background.as_deref(), Some("blur"));
    assert_eq!(config.fps.as_deref(), Some("24"));
    assert_eq!(parse("").unwrap(), ConfigFile::default());
}

#[test]
fn the_look_of_the_file_is_that_of_every_scene_that_names_none() {
    let config = parse("look = 'off'\n[scenes.a]\nlook = 'wrap=9'\n[scenes.b]\n").unwrap();
    let looks = config.scenes.iter().map(|(_, options)| options.look.as_deref());
    assert_eq!(looks.collect::<Vec<_>>(), [Some("wrap=9"), Some("off")]);
    assert_eq!(config.look.as_deref(), Some("off"));
}

#[test]
fn steps_of_the_cut_are_on_unless_said_otherwise() {
    assert_eq!(parse("").unwrap().cut, RefineSteps::default());
    let one_less = RefineSteps { smooth: false, ..RefineSteps::default() };
    assert_eq!(parse("[cut]\nsmooth = false").unwrap().cut, one_less);
    let Value::Table(cut) = &toml_file::table(&whole_example()).unwrap()["cut"] else {
        panic!("[cut] is a table");
    };
    let switches = cut.iter().filter(|(_, value)| value.is_bool());
    let none: String = switches.map(|(name, _)| format!("{name} = false\n")).collect();
    assert_eq!(parse(&format!("[cut]\n{none}")).unwrap().cut, RefineSteps::NONE);
    let main = parse("[cut]\npeople = \"main\"").unwrap().cut;
    assert_eq!(main, RefineSteps { people: People::Main, ..RefineSteps::default() });
    for (line, part) in [
        ("people = \"few\"", "people of [cut] must be \"all\" or \"main\""),
        ("people = true", "people of [cut] must be"),
        ("quality = \"good\"", "quality of [cut] must be \"fast\", \"balanced\" or \"best\""),
        ("quality = 2", "quality of [cut] must be"),
        ("crop = \"yes\"", "crop of [cut] must be true or false"),
        ("key = true", "key of [cut] must be a colour in quotes"),
        ("key = \"green\"", "write #rrggbb, such as \"#00b140\", or \"auto\""),
        ("key = \"#777777\"", "too grey to tell a screen by"),
        ("feather = \"2\"", "feather of [cut] must be a number"),
    ] {
        let said = refusal(&format!("[cut]\n{line}"));
        assert!(said.contains(part), "{line}: {said}");
    }
    let key = |word: &str| parse(&format!("[cut]\nkey = \"{word}\"")).unwrap().cut.key;
    assert_eq!(key("auto"), Some(KeyColour::Auto));
    assert_eq!(key("#00b140").unwrap().to_string(), "#00b140");
    for quality in Quality::ALL {
        let steps = parse(&format!("[cut]\nquality = \"{quality}\"")).unwrap().cut;
        assert_eq!(steps, RefineSteps { quality, ..RefineSteps::default() });
    }
    let plain = "[cut]\nthreshold = 0.7\ngrow = -2\nfeather = 1.5\naverage = 0.5";
    let plain = parse(plain).unwrap().cut.plain;
    assert_eq!((plain.threshold, plain.grow), (Some(0.7), -2.0));
    assert_eq!((plain.feather, plain.average), (1.5, 0.5));
}

#[test]
fn mistakes_get_one_sentence_with_the_nearest_right_name() {
    for (text, words) in [
        ("camra = 'x'", "did you mean \"camera\"?"),
        ("always-on = true", "did you mean \"always_on\"?"),
        ("quux = 1", "there are camera, output"),
        ("[scenes.a]\nbakground = 'x'", "in [scenes.a]; did you mean \"background\"?"),
        ("[scenes.a]\neffect = ['x']", "did you mean \"effects\"?"),
        ("[scenes.a]\neffects = 'greyscale'", "[scenes.a] has"),
        ("[scenes.a]\nbackground = 3", "[scenes.a] has"),
        ("onnx = 3", "[onnx]"),
        ("[onnx]\nprovider = ['cuda']", "in [onnx]; did you mean \"providers\"?"),
        ("[onnx]\nthreads = 'many'", "[onnx] has"),
        ("cut = true", "must be a table: [cut]"),
        ("[cut]\nsmoth = true", "in [cut]; did you mean \"smooth\"?"),
        ("[cut]\nguide = 1", "guide of [cut] must be true or false"),
        ("[cut]\nthreshold = 0", "threshold of [cut] must be above 0 and at most 1"),
        ("[cut]\nthreshold = nan", "threshold of [cut] must be above 0 and at most 1"),
        ("[cut]\ngrow = -40", "grow of [cut] must be -32 to 32"),
        ("[cut]\nfeather = -1", "feather of [cut] must be 0 to 32"),
        ("[cut]\naverage = 1", "average of [cut] must be 0 to 0.95"),
        ("[cut]\naverage = 'much'", "average of [cut] must be a number"),
        ("scenes = 3", "[scenes.NAME]"),
        ("[scenes]\na = 3", "must be a table"),
        ("camera = 3", "camera must be a text"),
        ("fps = '30'", "fps must be a number"),
        ("always_on = 1", "true or false"),
        ("camera = \n", "line "),
        ("x\ny = [", "not TOML"),
        ("camera = 'a'\ncamera = 'b'", "line 2"),
    ] {
        let sentence = refusal(text);
        assert!(sentence.contains(words), "{text:?}: {sentence}");
    }
}

#[test]
fn one_output_is_a_text_and_several_are_tables() {
    assert_eq!(parse("output = 'a.mp4'").unwrap().outputs, [OutputTable::to("a.mp4".into())]);
    let two = "[[output]]\nto = 'auto'\n[[output]]\nto = 'b.mkv'\nname = 'b'\nscene = 's'\nsize = \
               '640x360'\nalways_on = true\nopens_camera = false\n";
    let [one, other] = &parse(two).unwrap().outputs[..] else { panic!("two were written") };
    assert_eq!(*one, OutputTable::to("auto".into()));
    assert_eq!((other.name.as_deref(), other.scene.as_deref()), (Some("b"), Some("s")));
    assert_eq!((other.always_on, other.opens_camera), (Some(true), Some(false)));
    // The example's, which is a comment for those who have one.
    let of_example = EXAMPLE.split_once("# [[output]]").unwrap().1;
    let of_example: Vec<_> = of_example.lines().map(|line| line.trim_start_matches("# ")).collect();
    let of_example = parse(&format!("[[output]]{}", of_example.join("\n"))).unwrap();
    assert!(of_example.outputs.len() > 1);
    for (text, said) in [
        ("output = 3", "[[output]]"),
        ("output = ['a']", "must be tables"),
        ("[[output]]\nname = 'a'", "missing field `to`"),
        ("[[output]]\nto = 'a'\nscen = 'b'", "scene"),
        ("[[output]]\nto = 1", "[[output]] has"),
    ] {
        let sentence = refusal(text);
        assert!(sentence.contains(said), "{sentence}");
    }
}

#[test]
fn what_a_lock_does_is_one_of_two_words() {
    let on_lock =
        |word: &str| parse(&format!("[privacy]\non_lock = {word}")).map(|c| c.privacy.on_lock);
    assert_eq!(on_lock("'continue'").unwrap(), Some(crate::session::OnLock::Continue));
    assert_eq!(on_lock("'placeholder'").unwrap(), Some(crate::session::OnLock::Placeholder));
    let said = refusal("[privacy]\non_lock = 'go on'");
    assert!(said.contains("placeholder") && said.contains("continue"), "{said}");
    assert!(refusal("privacy = 1").contains("[privacy]"));
}
