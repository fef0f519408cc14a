//! Deadlines that would lead to themselves are refused; those that end are not.

use insta::assert_snapshot;

use super::{read_pack, said_of_pack};

const EPISODES: &str = "pack: test\nepisodes:\n  delivery: { due: 2d }\n  visit: {}\n  callback: \
                        { due: 1h }\nrules:\n";

fn pack(rules: &[&str]) -> String {
    let rules = rules
        .iter()
        .enumerate()
        .map(|(number, rule)| format!("  - {{ name: rule {number}, {rule} }}\n"));
    EPISODES.to_owned() + &rules.collect::<String>()
}

#[test]
fn a_deadline_that_leads_to_itself_is_refused() {
    let circles: [&[&str]; 9] = [
        &["when: { event: episode_overdue }, opens: { episode: delivery }"],
        &["when: { event: { matches: '.' } }, opens: { episode: delivery }"],
        // No event is named: it holds for what its own deadline emits on that channel.
        &["when: { channel: web }, opens: { episode: delivery }"],
        &["when: { channel: { matches: '^web' } }, opens: { episode: delivery }"],
        &["when: { actor: system }, opens: { episode: delivery }"],
        &["when: { not: { event: order_placed } }, opens: { episode: delivery }"],
        &[
            "when: { properties: { order_id: { exists: false } } }, opens: { episode: visit, due: 3h }",
        ],
        &[
            "when: { episode: delivery }, opens: { episode: callback }",
            "when: { episode: callback }, opens: { episode: delivery }",
        ],
        &[
            "when: { episode: delivery }, label: { valence: pain, reason: late_delivery }",
            "when: { event: unrecovered_pain }, opens: { episode: delivery }",
        ],
    ];
    for rules in circles {
        let said = said_of_pack(&pack(rules));
        assert!(said.contains("in a circle: deadlines without end"), "{rules:?}: {said}");
    }
    assert_snapshot!(said_of_pack(&pack(circles[2])), @r#"
    pack.yaml:7:54: what a deadline of "delivery" emits would open "delivery" in a circle: deadlines without end
    7 |   - { name: rule 0, when: { channel: web }, opens: { episode: delivery } }
      |                                                      ^^^^^^^
      = name in "when" the events that are meant, or whose they are ("actor"): what deadlines emit is the system's
    "#);
}

#[test]
fn deadlines_that_end_are_welcome() {
    let ends: [&[&str]; 10] = [
        &["when: { event: order_placed }, opens: { episode: delivery }"],
        &["when: { event: { matches: '^order' } }, opens: { episode: delivery }"],
        &["when: { all: [{ channel: web }, { actor: customer }] }, opens: { episode: delivery }"],
        &["when: { properties: { order_id: { exists: true } } }, opens: { episode: delivery }"],
        &["when: { properties: { product_id: p1 } }, opens: { episode: delivery }"],
        // It has no deadline.
        &["when: { channel: web }, opens: { episode: visit }"],
        &["when: { episode: delivery }, opens: { episode: callback }"],
        // What derives from a pain is that pain.
        &["when: { event: unrecovered_pain }, label: { valence: pain, reason: ignored }"],
        // A deadline of one that has no key has no key for the other.
        &["when: { channel: web }, opens: { episode: visit, key: order_id }"],
        &[
            "when: { event: order_placed }, opens: { episode: delivery, key: order_id }",
            "when: { episode: delivery }, opens: { episode: callback, key: order_id }",
            "when: { episode: callback }, opens: { episode: delivery, key: ticket_id }",
        ],
    ];
    for rules in ends {
        if let Err(report) = read_pack(&pack(rules)) {
            panic!("{rules:?}: {report}");
        }
    }
}
