//! What packs may say but perhaps should not.

use insta::assert_snapshot;

use super::read_pack;
use crate::{
    config::{Colour, load::Loader, rules::PackReader},
    engine::rules::RuleSet,
};

#[test]
fn a_rule_over_another_name_of_an_event_is_told() {
    #[track_caller]
    fn check(when: &str, expected: &[&str]) {
        let pack = format!(
            "pack: test\nevents: {{ order_placed: [Order Completed, bought] }}\n\
             rules: [{{ name: x, when: {when} }}]\n"
        );
        let warned = RuleSet::warnings(&read_pack(&pack).unwrap().spec);
        let messages: Vec<&str> = warned.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, expected, "{when}");
    }
    let completed = "no touchpoint is called \"order_completed\" when rules are asked";
    let bought = "no touchpoint is called \"bought\" when rules are asked";
    check("{ event: [order_placed, other] }", &[]);
    check("{ event: order_completed }", &[completed]);
    check(
        "{ any: [{ event: bought }, { not: { event: order_completed } }] }",
        &[bought, completed],
    );
    check("{ event: x, customer: { seen: { event: bought, within: 1d } } }", &[bought]);
}

/// Returns the names of the rules that are hidden in a pack.
#[track_caller]
fn hidden(rules: &str) -> Vec<String> {
    let pack = read_pack(&format!("pack: test\nepisodes: {{ wait: {{}} }}\nrules:\n{rules}"));
    let spec = pack.unwrap().spec;
    RuleSet::hidden(&spec, |_, _| true).iter().map(|one| one.rule.name.value.clone()).collect()
}

#[test]
fn a_rule_that_those_before_it_leave_nothing_is_told() {
    #[track_caller]
    fn check(first: &str, second: &str) {
        let rules = format!("  - {{ name: a, {first} }}\n  - {{ name: b, {second} }}\n");
        assert_eq!(hidden(&rules), ["b"], "{rules}");
    }
    let say = "label: { micro_moment: know, valence: neutral }";
    let less = "label: { micro_moment: buy }";
    check(&format!("when: {{ event: x }}, {say}"), &format!("when: {{ event: x }}, {less}"));
    check(
        &format!("when: {{ event: [x, y] }}, {say}"),
        &format!("when: {{ event: y, channel: store, properties: {{ n: {{ min: 3 }} }} }}, {less}"),
    );
    check(
        &format!("when: {{ any: [{{ event: x }}, {{ channel: web }}] }}, {say}"),
        &format!("when: {{ all: [{{ channel: web }}, {{ not: {{ event: z }} }}] }}, {less}"),
    );
    check(
        &format!("when: {{ properties: {{ a: {{ exists: true }} }} }}, {say}"),
        &format!("when: {{ event: x, properties: {{ a: [1, 2] }} }}, {less}"),
    );
    check("when: { event: x }, ignore: true", "when: { event: x }, points: { engage: 3 }");
    check(
        &format!("when: {{ customer: {{ stage: [purchase, loyalty] }} }}, {say}"),
        &format!("when: {{ customer: {{ stage: loyalty, first_visit: true }} }}, {less}"),
    );
}

#[test]
fn a_rule_that_may_have_an_effect_is_not_told() {
    #[track_caller]
    fn check(first: &str, second: &str) {
        let rules = format!("  - {{ name: a, {first} }}\n  - {{ name: b, {second} }}\n");
        assert_eq!(hidden(&rules), Vec::<String>::new(), "{rules}");
    }
    let say = "label: { micro_moment: know, valence: neutral }";
    let x = format!("when: {{ event: x }}, {say}");
    check(&x, &format!("when: {{ event: [x, y] }}, {say}"));
    check(&x, &format!("when: {{ channel: web }}, {say}"));
    check(&x, "when: { event: x }, label: { micro_moment: know, stage: loyalty }");
    check(&x, "when: { event: x }, label: { micro_moment: know }, points: { engage: 1 }");
    check(&x, "when: { event: x }, label: { micro_moment: know }, opens: { episode: wait }");
    check(&x, "when: { event: x }");
    check("when: { event: x }, points: { engage: 1 }", "when: { event: x }, points: { engage: 2 }");
    // Where nothing hurt, nothing is made good.
    check(
        "when: { event: x }, label: { valence: recovered }",
        "when: { event: x }, label: { valence: glory }",
    );
    // A rating may be missing.
    check(
        "when: { event: x }, label: { valence: { scale: nps, from: score } }",
        "when: { event: x }, label: { valence: glory }",
    );
    check(
        &format!("when: {{ not: {{ event: x, channel: web }} }}, {say}"),
        &format!("when: {{ not: {{ event: x }}, event: y }}, {say}"),
    );
}

#[test]
fn both_places_of_a_hidden_rule_are_told() {
    let mut loader = Loader::default();
    let mut reader = PackReader::default();
    let text = "pack: ours
rules:
  - { name: wide, when: { event: [x, y] }, label: { micro_moment: know } }
  - { name: other, when: { channel: web }, label: { stage: loyalty } }
  - { name: narrow, when: { event: x, channel: web }, label: { micro_moment: buy, stage: purchase } }
";
    let root = loader.text("ours/10.yaml".to_owned(), text.to_owned()).unwrap();
    reader.begin();
    reader.file(&root, &mut loader.problems);
    reader.end(root.at, &mut loader.problems);
    loader.compile(&mut reader.finish(), 0).unwrap();
    assert_snapshot!(loader.into_report().render_warnings(Colour::Never), @r#"
    ours/10.yaml:5:13: warning: the rule "narrow" never has an effect
    5 |   - { name: narrow, when: { event: x, channel: web }, label: { micro_moment: buy, stage: p
      |             ^^^^^^
      = before it, "wide" (ours/10.yaml:3) and "other" (ours/10.yaml:4) hold wherever it does, and leave it nothing to say: put the narrower rule first, or remove this one
    "#);
}
