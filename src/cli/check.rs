//! `rega check`: config, packs and mappings, every problem with file, line and caret.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;

use super::{Failure, colour_of, print, words::counted};
use crate::config::{self, Colour, Environment, schemas};

/// Check settings, packs and mappings, and tell every problem at once
#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Files, folders to be searched for .yaml files, or packs by name (commerce) [default: config]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// List every rule in the order in which it is asked, where it stands, and what it replaces
    #[arg(long, conflicts_with = "schema")]
    rules: bool,

    /// Print a JSON Schema instead: of something that you write, or of something that Rega writes
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(schemas::names()))]
    schema: Option<String>,
}

/// Where things are when nobody says where.
const DEFAULT_FOLDER: &str = "config";

pub(super) fn run(arguments: &CheckArguments) -> Result<(), Failure> {
    if let Some(schema) = arguments.schema.as_deref().and_then(schemas::schema) {
        print(schema);
        return Ok(());
    }
    let default = PathBuf::from(DEFAULT_FOLDER);
    let paths = match arguments.paths.as_slice() {
        [] if !default.is_dir() => {
            let message = "there is no folder \"config\" here: say which files to check, as in \
                           \"rega check my/rega.yaml\"";
            return Err(Failure::Usage(message.to_owned()));
        }
        [] => vec![default],
        paths => paths.to_vec(),
    };
    let told = tell(&paths, &Environment::of_process(), colour_of(&std::io::stdout()));
    if arguments.rules && told.sound {
        print(&listed(&paths, &Environment::of_process())?);
    }
    print(&told.text);
    if told.sound { Ok(()) } else { Err(Failure::Told) }
}

/// What there is to say of some paths.
struct Told {
    text: String,
    sound: bool,
}

fn tell(paths: &[PathBuf], environment: &Environment, colour: Colour) -> Told {
    let checked = config::check(paths, environment);
    let files = counted(checked.file_count, "file");
    let report = &checked.report;
    if report.is_empty() {
        let text = match report.warning_count() {
            0 => format!("{files} checked, no problem\n"),
            count => {
                let (told, warnings) = (report.render_warnings(colour), counted(count, "warning"));
                format!("{told}\n{files} checked, no problem, {warnings}\n")
            }
        };
        return Told { text, sound: true };
    }
    let problems = counted(checked.report.problems().len(), "problem");
    let text = format!("{}\n{files} checked, {problems}\n", checked.report.render(colour));
    Told { text, sound: false }
}

/// Lists the rules of every pack, in the order in which they are asked.
fn listed(paths: &[PathBuf], environment: &Environment) -> Result<String, Failure> {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut out = String::new();
    for suite in config::load_suites(&paths, environment)? {
        let pack = &suite.pack;
        // Writing to a string does not fail.
        _ = writeln!(out, "{}", suite.name);
        for (number, rule) in (1..).zip(&pack.spec.rules) {
            let replaced = pack.lineage.replaced.iter().find(|(own, _)| *own == rule.at);
            let replaced = replaced.map_or_else(String::new, |(_, at)| {
                format!("  (instead of {})", pack.sources.line(*at))
            });
            let place = pack.sources.line(rule.at);
            _ = writeln!(out, "  {number:>4}  {}  {place}{replaced}", rule.name.value);
        }
        for (rule, _) in &pack.lineage.dropped {
            let place = pack.sources.line(rule.at);
            _ = writeln!(out, "     -  {}  {place}  (dropped)", rule.value);
        }
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use insta::assert_snapshot;

    use super::*;

    /// Writes files into a new folder, checks some of them, and returns what is said; the folder's
    /// own name is `…`.
    #[track_caller]
    fn checked(files: &[(&str, &str)], paths: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let paths: Vec<_> = paths.iter().map(|path| folder.path().join(path)).collect();
        let told = tell(&paths, &Environment::default(), Colour::Never);
        assert_eq!(told.sound, told.text.contains("checked, no problem"));
        told.text.replace(folder.path().to_str().unwrap(), "…")
    }

    const SETTINGS: (&str, &str) = (
        "rega.yaml",
        "rules: [commerce, ./rules/mine]\ninput: { mappings: { touchpoints: shop.yaml } }\n",
    );
    const MAPPING: (&str, &str) =
        ("shop.yaml", "mapping: shop\nfields: { event: e, customer_id: c }\n");
    /// Stands on what the commerce pack declares, so alone it would not compile.
    const PACK: (&str, &str) = (
        "rules/mine/10.yaml",
        "pack: mine\nrules:\n  - { name: mine, when: { event: haggle }, opens: { episode: delivery } }\n",
    );

    #[test]
    fn a_pack_that_the_settings_name_is_checked_with_them() {
        let text = checked(&[SETTINGS, MAPPING, PACK], &[""]);
        assert_eq!(text, "3 files checked, no problem\n");
        assert_snapshot!(checked(&[PACK], &[""]), @r#"
        …/rules/mine/10.yaml:3:62: no kind of episode is called "delivery"
        3 |   - { name: mine, when: { event: haggle }, opens: { episode: delivery } }
          |                                                              ^^^^^^^^
          = declare it under "episodes", or use one of: pain, absence, band

        1 file checked, 1 problem
        "#);
    }

    #[test]
    fn a_problem_in_what_the_settings_name_is_told_once() {
        let pack = ("rules/mine/10.yaml", "pack: mine\nrule: []\n");
        let mapping = ("shop.yaml", "mapping: shop\nfields: {}\n");
        let text = checked(&[SETTINGS, ("two.yaml", SETTINGS.1), mapping, pack], &[""]);
        assert_snapshot!(text, @r#"
        …/rules/mine/10.yaml:2:1: the pack has no field "rule"
        2 | rule: []
          | ^^^^
          = did you mean "rules"?

        …/shop.yaml:2:9: neither "customer_id" nor "anonymous_id" is mapped
        2 | fields: {}
          |         ^
          = without a customer every touchpoint would be a reject: map at least one of them

        …/shop.yaml:2:9: "fields" has no "event"
        2 | fields: {}
          |         ^

        4 files checked, 3 problems
        "#);
    }

    #[test]
    fn what_a_file_is_shows_in_what_it_holds() {
        let files =
            [("a.yaml", "colour: red\n"), ("b.yaml", "rules: [commerce]\n"), ("c.txt", "x")];
        assert_snapshot!(checked(&files, &[""]), @r#"
        …/a.yaml:1:1: neither settings, nor a pack of rules, nor a mapping, nor a word list
        1 | colour: red
          | ^^^^^^
          = a mapping has "mapping" in it, a pack "pack" or "rules", settings have "kafka" or "app"

        2 files checked, 1 problem
        "#);
        let files = [("a.yaml", "rules: []\n"), ("b.yaml", "rules: [{ name: x }]\n")];
        assert_snapshot!(checked(&files, &["b.yaml"]), @r#"
        …/b.yaml:1:1: the pack has no name
        1 | rules: [{ name: x }]
          | ^^^^^
          = write "pack: a_name" in one of its files

        …/b.yaml:1:11: the rule has no "when"
        1 | rules: [{ name: x }]
          |           ^^^^

        1 file checked, 2 problems
        "#);
    }

    #[test]
    fn one_file_of_a_pack_stands_for_the_pack() {
        let files = [("10.yaml", "pack: x\n"), ("20.yaml", "rules: [{ name: x, when: {} }]\n")];
        assert_eq!(checked(&files, &["20.yaml"]), "1 file checked, no problem\n");
    }

    #[test]
    fn settings_may_lie_beside_a_pack() {
        let settings = ("rega.yaml", "app: x\n");
        let pack = ("mine.yaml", "pack: x\nrules: [{ name: x, when: {} }]\n");
        assert_eq!(checked(&[settings, pack], &[""]), "2 files checked, no problem\n");
    }

    #[test]
    fn several_packs_may_share_a_folder() {
        let same = "rules: [{ name: same, when: {} }]\n";
        let files =
            [("a.yaml", format!("pack: a\n{same}")), ("b.yaml", format!("pack: b\n{same}"))];
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(checked(&files, &[""]), "2 files checked, no problem\n");
    }

    #[test]
    fn nothing_to_check_is_a_problem() {
        assert_snapshot!(checked(&[], &["", "gone.yaml"]), @r#"
        no .yaml file in "…/"

        cannot read "…/gone.yaml": No such file or directory (os error 2)

        1 file checked, 2 problems
        "#);
        assert_snapshot!(checked(&[("x.yaml", "app: \u{1b}[31mred\n")], &[""]), @r#"
        …/x.yaml:1:6: " [31mred" is not a name that Kafka accepts
        1 | app:  [31mred
          |      ^^^^^^^^
          = use letters, digits, ".", "_" and "-", at most 100 of them

        1 file checked, 1 problem
        "#);
    }

    #[test]
    fn a_shipped_pack_is_checked_by_its_name() {
        let told = tell(&[PathBuf::from("commerce")], &Environment::default(), Colour::Never);
        assert!(told.text.ends_with(" files checked, no problem\n"), "{}", told.text);
    }

    #[test]
    fn a_file_that_is_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rega.yaml");
        fs::write(&path, b"app: x\n# \xff\n").unwrap();
        let told = tell(&[path], &Environment::default(), Colour::Never);
        assert!(told.text.contains("line 2 is not UTF-8"), "{}", told.text);
    }

    #[test]
    fn colours_are_for_terminals() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rega.yaml"), "ap: x\nkafka: {}\n").unwrap();
        let paths = [folder.path().to_owned()];
        assert!(
            tell(&paths, &Environment::default(), Colour::Always).text.contains("\u{1b}[1;31m")
        );
        assert!(!tell(&paths, &Environment::default(), Colour::Never).text.contains('\u{1b}'));
    }

    #[test]
    fn what_is_shipped_has_no_problem() {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let told = tell(&[config], &Environment::default(), Colour::Never);
        assert!(told.sound, "{}", told.text);
    }
}
