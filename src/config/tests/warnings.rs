//! What packs may say but perhaps should not.

use super::read_pack;
use crate::engine::rules::RuleSet;

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
