//! YAML that is none, or more than is wanted.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{read_mapping, read_pack, said, settings_of, settings_with};

#[test]
fn broken_yaml_is_shown_where_it_breaks() {
    assert_snapshot!(said("app: shop\nworkers: [1,\nstate: x\n"), @r#"
        rega.yaml:3:1: not valid YAML: invalid indentation in flow construct
        3 | state: x
          | ^
          = look at indentation, quotes and brackets here and on the line above
        "#);
    assert_snapshot!(said("topics:\n\tmoments: m\n"), @r#"
        rega.yaml:2:2: not valid YAML: tabs disallowed within this context (block indentation)
        2 |  moments: m
          |  ^
          = indent with spaces (no tabs), and put a value that begins with one of @ ` % & * ! | > into quotes
        "#);
    assert_snapshot!(said("app: shop: two\n"), @r#"
        rega.yaml:1:10: not valid YAML: mapping values are not allowed in this context
        1 | app: shop: two
          |          ^
          = put a value with a colon into quotes, and look at the indentation of this line
        "#);
}

#[test]
fn a_key_may_stand_once() {
    assert_snapshot!(said("app: one\nworkers: 2\napp: two\n"), @r#"
        rega.yaml:3:1: "app" is written twice
        3 | app: two
          | ^^^
          = it stands on line 1 already: keep one of them
        "#);
}

#[test]
fn anchors_aliases_and_tags_are_refused() {
    assert_snapshot!(said("app: &name shop\ninstance: *name\nworkers: !!int 3\n"), @r#"
        rega.yaml:1:6: anchors (&name) are not supported
        1 | app: &name shop
          |      ^^^^^^^^^^
          = write the value out where it is needed

        rega.yaml:2:11: aliases (*name) are not supported
        2 | instance: *name
          |           ^^^^^
          = write the value out

        rega.yaml:3:10: tags (!name) are not supported
        3 | workers: !!int 3
          |          ^^^^^^^
          = put a value that should be text into quotes
        "#);
}

#[test]
fn a_file_is_one_document() {
    assert_snapshot!(said("app: one\n---\napp: two\n"), @r#"
        rega.yaml:2:1: a second document begins here
        2 | ---
          | ^^^
          = one file holds one document: put the rest into a file of its own
        "#);
}

#[test]
fn a_key_is_a_name() {
    assert_snapshot!(said("[app]: one\n"), @r#"
        rega.yaml:1:1: a key must be a name
        1 | [app]: one
          | ^
          = write "name: value"
        "#);
}

#[test]
fn nesting_has_an_end() {
    let deep = format!("app: {}{}", "[".repeat(200), "]".repeat(200));
    assert_snapshot!(said(&deep), @r#"
        rega.yaml:1:69: nested deeper than 64 levels
        1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
          |                                               ^
        "#);
    let hostile = "[".repeat(200_000);
    assert!(said(&hostile).contains("not valid YAML") || said(&hostile).contains("nested deeper"));
}

#[test]
fn a_key_without_a_value_is_a_question() {
    assert_snapshot!(said("app:\nkafka:\n  # brokers: [a:9092]\n"), @r#"
        rega.yaml:1:4: "app" has no value
        1 | app:
          |    ^
          = give it one, or remove the line

        rega.yaml:2:6: "kafka" has no value
        2 | kafka:
          |      ^
          = give it one, or remove the line
        "#);
}

#[test]
fn an_empty_file_means_the_defaults() {
    for text in ["", "# nothing but a comment\n", "---\n", "\u{feff}app: rega\r\n"] {
        let config = settings_of(text);
        assert_eq!(config.app, "rega", "{text:?}");
        assert_eq!(config.kafka.brokers, ["localhost:9092"]);
    }
}

#[test]
fn a_caret_stands_under_its_word_in_any_script() {
    assert_snapshot!(said("# שלום\ntext_fields: [متن, {نظر: x}]\n"), @r#"
        rega.yaml:2:21: expected text, found a mapping
        2 | text_fields: [متن, {نظر: x}]
          |                     ^^^
        "#);
}

#[test]
fn a_long_line_is_cut_around_the_caret() {
    let many = vec!["comment"; 30].join(", ");
    assert_snapshot!(said(&format!("text_fields: [{many}, {{}}, {many}]\n")), @r#"
        rega.yaml:1:285: expected text, found a mapping
        1 | …comment, comment, comment, comment, comment, {}, comment, comment, comment, comment, comme
          |                                               ^
        "#);
}

proptest! {
    #[test]
    fn whatever_is_written_is_answered(
        text in "([ -~]|[א-ת۰-۹\\n\\t\u{0}\u{feff}]|: |- |kafka:|\\[|\\{|\"|&|\\*|!|\n  ){0,60}",
    ) {
        // No panic, and a problem can always be shown.
        for report in [
            settings_with(&text, &[]).err(),
            read_pack(&text).err(),
            read_mapping(&text).err(),
        ].into_iter().flatten() {
            prop_assert!(!report.to_string().is_empty());
        }
    }
}
