//! What rules see of the properties.

use super::*;

#[track_caller]
fn check(path: &str, properties: &str, expected: &[Property<'static>]) {
    let value = format!(r#"{{"customer_id":"c","ts":0,"event":"x","properties":{properties}}}"#);
    // The neighbours make sure that values do not end up under another path.
    let paths = ["aa", path, "zz", "lines[].zz"];
    let outcomes = outcomes(Dialect::Native, &paths, &record(Some(value.as_bytes())));
    assert_eq!(outcomes[0].accepted().asked[1], expected, "{path} of {properties}");
}

#[test]
fn a_value_is_found_at_its_path() {
    check("a", r#"{"aa":0,"a":"x","zz":1}"#, &[text("x")]);
    check("a", r#"{"a":1.5}"#, &[Property::Number(1.5)]);
    check("a", r#"{"a":false}"#, &[Property::Flag(false)]);
    check("a", r#"{"a":"x\n\u00e9"}"#, &[text("x\né")]);
    check("a", r#"{"\u0061":"x"}"#, &[text("x")]);
    check("a.b", r#"{"a":{"b":"x","c":"y"},"b":"z"}"#, &[text("x")]);
    check(r"a\.b", r#"{"a":{"b":"x"},"a.b":"y"}"#, &[text("y")]);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for properties in [r"{}", r#"{"a":null}"#, r#"{"a":{}}"#, r#"{"a":[]}"#, r#"{"a":{"a":1}}"#] {
        check("a", properties, &[]);
    }
    check("a.b", r#"{"a":"b"}"#, &[]);
}

#[test]
fn an_array_gives_several_values_and_one_value_counts_as_an_array() {
    let both = [text("p"), text("q")];
    check("lines[].sku", r#"{"lines":[{"sku":"p","zz":1},{"zz":2},{"sku":"q"}]}"#, &both);
    check("lines.sku", r#"{"lines":[{"sku":"p"},{"sku":"q"}]}"#, &both);
    check("lines[].sku", r#"{"lines":{"sku":"p"}}"#, &[text("p")]);
    check("tags[]", r#"{"tags":["p","q"]}"#, &both);
    check("tags[]", r#"{"tags":"p"}"#, &[text("p")]);
    check("tags", r#"{"tags":["p",["q"]]}"#, &both);
}

#[test]
fn sixty_four_values_are_kept() {
    let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let expected: Vec<_> = (0..64).map(|number| Property::Number(f64::from(number))).collect();
    check("a[]", &format!(r#"{{"a":[{}]}}"#, many.join(",")), &expected);
    let nested = format!(r#"{{"a":[[{0}],[{0}]]}}"#, many.join(","));
    check("a[]", &nested, &expected);
}

#[test]
fn the_canonical_name_wins_then_the_first_synonym() {
    check("order_id", r#"{"orderId":"s","order_number":"t"}"#, &[text("s")]);
    check("order_id", r#"{"order_number":"t","orderId":"s"}"#, &[text("t")]);
    check("order_id", r#"{"orderId":"s","order_id":"c"}"#, &[text("c")]);
    check("order_id", r#"{"order_id":"c","orderId":"s"}"#, &[text("c")]);
    check("order_id", r#"{"order_id":null,"orderId":"s"}"#, &[text("s")]);
    check("order_id", r#"{"orderId":["s","t"],"order_number":"u"}"#, &[text("s"), text("t")]);
    check("order_id.nr", r#"{"orderId":{"nr":"s"}}"#, &[text("s")]);
    check("a.order_id", r#"{"a":{"orderId":"s"}}"#, &[]);
}

#[test]
fn an_id_is_given_to_what_was_asked_for() {
    let paths = PropertyPaths::new(["a.b", "a[].b", "a", "."], [("x", "y")]);
    assert_eq!(paths.id("a.b"), paths.id("a[].b"));
    assert_ne!(paths.id("a"), paths.id("a.b"));
    for path in ["b", ".", "x", "y", "a.b.c"] {
        assert_eq!(paths.id(path), None, "{path}");
    }
    assert!(Properties::default().get(paths.id("a").unwrap()).is_empty());
}
