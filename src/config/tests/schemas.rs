//! The JSON Schemas agree with what is read and shipped.

use std::{collections::BTreeSet, path::Path};

use jsonschema::Validator;
use serde_json::Value as Json;

use crate::{
    config::{
        load::Loader,
        schemas::{names, schema},
        settings::KEYS,
        shipped::{PACKS, WORDS},
        values::any_scalar,
        yaml::{Node, Value},
    },
    engine::rules::spec::Scalar,
    model::{
        Actor, Band, Evidence, MicroMoment, MomentOfTruth, Stage, Track, TransitionKind, Valence,
    },
};

fn document(name: &str) -> Json {
    serde_json::from_str(schema(name).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::options().build(&document(name)).unwrap()
}

/// Returns YAML as an editor's schema check would see it.
fn json(node: &Node, loader: &mut Loader) -> Json {
    match &node.value {
        Value::Nothing => Json::Null,
        Value::Sequence(items) => items.iter().map(|item| json(item, loader)).collect(),
        Value::Mapping(entries) => {
            let fields = entries.iter();
            fields.map(|entry| (entry.key.value.clone(), json(&entry.value, loader))).collect()
        }
        Value::Scalar(_) => match any_scalar(node, &mut loader.problems).unwrap() {
            Scalar::Flag(flag) => flag.into(),
            Scalar::Text(text) => text.into(),
            Scalar::Number(number) if number.fract() == 0.0 => {
                format!("{number}").parse::<i64>().unwrap().into()
            }
            Scalar::Number(number) => number.into(),
        },
    }
}

#[track_caller]
fn problems(name: &str, text: &str) -> Vec<String> {
    let mut loader = Loader::default();
    let root = loader.text("x.yaml".to_owned(), text.to_owned()).unwrap();
    let instance = json(&root, &mut loader);
    let validator = validator(name);
    validator
        .iter_errors(&instance)
        .map(|error| format!("{error} {:?}", error.instance_path()))
        .collect()
}

#[test]
fn every_schema_is_one() {
    for name in names() {
        jsonschema::meta::validate(&document(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn what_is_shipped_fits_its_schema() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let read = |path: &str| std::fs::read_to_string(config.join(path)).unwrap();
    assert_eq!(problems("config", &read("rega.yaml")), [""; 0]);
    assert_eq!(problems("mapping", &read("mappings/shop.yaml")), [""; 0]);
    for (name, text) in PACKS.iter().flat_map(|pack| pack.files) {
        assert_eq!(problems("rules", text), [""; 0], "{name}");
    }
    for (name, text) in WORDS {
        assert_eq!(problems("words", text), [""; 0], "{name}");
    }
}

#[test]
fn what_is_wrong_does_not_fit() {
    for (name, text) in [
        ("config", "kafka: { broker: x }"),
        ("config", "workers: 65"),
        ("config", "input: { keyed: maybe }"),
        ("rules", "rules: [{ name: x }]"),
        ("rules", "rules: [{ name: x, when: {}, label: { stage: buying } }]"),
        ("rules", "rules: [{ name: x, when: {}, label: { valence: { scale: stars, from: r } } }]"),
        ("rules", "rules: [{ name: x, when: { properties: { a: { min: 1, in: [1] } } } }]"),
        ("rules", "rules: [{ name: x, when: { text: { about: lost } } }]"),
        ("rules", "words: { en: { god: [great] } }"),
        ("words", "good: [great]"),
        ("mapping", "mapping: x\nfields: { event: e }"),
        ("touchpoint", "event: x\nchannel: web"),
        ("moments", "event_id: x"),
        ("engagement", "customer_id: x"),
        ("pain-spikes", "spike_id: x"),
        ("rejects", "reason: Not a code\ndetail: x\nline: 1\nitem: x"),
    ] {
        assert_ne!(problems(name, text), [""; 0], "{name}: {text}");
    }
}

#[test]
fn the_schema_of_settings_has_every_setting_and_no_other() {
    fn collect(part: &Json, name: &str, keys: &mut BTreeSet<String>) {
        let Some(section) = part["properties"].as_object() else {
            keys.insert(name.to_owned());
            return;
        };
        for (key, part) in section {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            collect(part, &name, keys);
        }
    }
    let mut keys = BTreeSet::new();
    collect(&document("config"), "", &mut keys);
    assert_eq!(keys, KEYS.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_vocabularies_are_the_model_s() {
    #[track_caller]
    fn check(schema: &Json, name: &str, words: &[&str]) {
        let listed: BTreeSet<_> = schema["$defs"][name]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Json::as_str)
            .collect();
        assert_eq!(listed, words.iter().copied().collect(), "{name}");
    }
    macro_rules! words {
        ($name:ident) => {
            $name::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()
        };
    }
    let rules = document("rules");
    check(&rules, "micro_moment", &words!(MicroMoment));
    check(&rules, "moment_of_truth", &words!(MomentOfTruth));
    check(&rules, "stage", &words!(Stage));
    check(&rules, "valence", &words!(Valence));
    check(&rules, "actor", &words!(Actor));
    check(&rules, "evidence", &words!(Evidence));
    check(&rules, "track", &words!(Track));
    check(&rules, "band", &words!(Band));
    let moments = document("moments");
    check(&moments, "transition_kind", &words!(TransitionKind));
}
