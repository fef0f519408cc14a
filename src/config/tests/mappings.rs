//! Mappings, right and wrong.

use insta::assert_snapshot;

use super::{read_mapping, said_of_mapping};
use crate::engine::decode::{
    TimeFormat,
    mapping::spec::{PropertiesSpec, Source},
};

#[test]
fn a_mapping_is_strict() {
    let text = "\
mapping: shop
item: data
fields:
  customer: user.id
  event: { path: kind, constant: x }
  ts: { path: at, format: dd/mm/yyyy, zone: Sao_Paulo }
  channel: a..b
  properties: { order_id: 'x[0]' }
";
    assert_snapshot!(said_of_mapping(text), @r#"
        shop.yaml:2:1: the mapping has no field "item"
        2 | item: data
          | ^^^^
          = did you mean "items"?

        shop.yaml:4:3: neither "customer_id" nor "anonymous_id" is mapped
        4 |   customer: user.id
          |   ^^^^^^^^
          = without a customer every touchpoint would be a reject: map at least one of them

        shop.yaml:4:3: "fields" has no field "customer"
        4 |   customer: user.id
          |   ^^^^^^^^
          = did you mean "customer_id"?

        shop.yaml:5:12: the field needs either "path" or "constant"
        5 |   event: { path: kind, constant: x }
          |            ^^^^

        shop.yaml:6:27: "dd/mm/yyyy" is none of `rfc3339`, `unix_seconds`, `unix_millis`, or a pattern with `%`
        6 |   ts: { path: at, format: dd/mm/yyyy, zone: Sao_Paulo }
          |                           ^^^^^^^^^^
          = write rfc3339, unix_seconds, unix_millis, or a pattern such as "%d/%m/%Y %H:%M:%S"

        shop.yaml:6:45: "Sao_Paulo" is not a time zone
        6 |   ts: { path: at, format: dd/mm/yyyy, zone: Sao_Paulo }
          |                                             ^^^^^^^^^
          = write a name of the IANA database: UTC, Europe/Berlin, Asia/Tehran

        shop.yaml:7:12: not a path: a key is missing before, between or after the dots
        7 |   channel: a..b
          |            ^^^^
          = write keys with dots between: user.id, products[].product_id

        shop.yaml:8:27: not a path: brackets may only be `[]`, at the end of a key; write `\[` and `\]` for such a key
        8 |   properties: { order_id: 'x[0]' }
          |                           ^^^^^^^
          = write keys with dots between: user.id, products[].product_id
        "#);
    assert_snapshot!(said_of_mapping("fields: { event: e, customer_id: c }\n"), @r#"
        shop.yaml:1:1: the mapping has no "mapping"
        1 | fields: { event: e, customer_id: c }
          | ^^^^^^
        "#);
    assert_snapshot!(said_of_mapping("mapping: x\n"), @r#"
        shop.yaml:1:1: the mapping has no "fields"
        1 | mapping: x
          | ^^^^^^^
        "#);
}

#[test]
fn the_example_is_read_as_it_is_written() {
    let mapping = read_mapping(include_str!("../../../config/mappings/shop.yaml")).unwrap();
    assert_eq!(mapping.items.map(|path| path.to_string()).as_deref(), Some("data.events"));
    let ts = mapping.ts.unwrap();
    assert_eq!(ts.format, TimeFormat::Strptime("%d/%m/%Y %H:%M:%S".into()));
    assert_eq!(ts.zone.unwrap().iana_name(), Some("Europe/Berlin"));
    let event = mapping.event.unwrap();
    assert_eq!(event.names.get("versendet").map(String::as_str), Some("order_shipped"));
    assert!(matches!(event.source, Source::Path(path) if path.to_string() == "was"));
    let Some(PropertiesSpec::Fields(fields)) = mapping.properties else { panic!("fields") };
    assert_eq!(fields.len(), 3);
    assert!(fields["products"].is_many());
}

#[test]
fn constants_and_objects_are_read() {
    let text = "\
mapping: x
fields:
  customer_id: u
  event: e
  channel: { constant: web }
  ts: at
  properties: payload
";
    let mapping = read_mapping(text).unwrap();
    assert!(matches!(mapping.channel.unwrap().source, Source::Constant(name) if name == "web"));
    assert_eq!(mapping.ts.unwrap().format, TimeFormat::Rfc3339);
    assert!(matches!(mapping.properties, Some(PropertiesSpec::Object(_))));
}

#[test]
fn an_actor_that_the_mapping_says_is_one() {
    let with = |actor: &str| {
        format!("mapping: x\nfields:\n  customer_id: u\n  event: e\n  actor: {actor}\n")
    };
    let names = with("{ path: who, names: { a: robot, b: Brand, c: system } }");
    assert_snapshot!(said_of_mapping(&names), @r#"
        shop.yaml:5:35: "robot" is not an actor
        5 |   actor: { path: who, names: { a: robot, b: Brand, c: system } }
          |                                   ^^^^^
          = allowed: customer, brand, system
        "#);
    assert_snapshot!(said_of_mapping(&with("{ constant: customers }")), @r#"
        shop.yaml:5:22: "customers" is not an actor
        5 |   actor: { constant: customers }
          |                      ^^^^^^^^^
          = did you mean "customer"?
        "#);
    assert!(read_mapping(&with("who")).is_ok());
    assert!(read_mapping(&with("{ constant: brand }")).is_ok());
}
