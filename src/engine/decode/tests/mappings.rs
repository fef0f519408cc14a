//! Somebody's own JSON, read by a mapping.

use jiff::tz::TimeZone;
use serde_json::json;

use super::{
    super::mapping::spec::{FieldSpec, PropertiesSpec, Source, TimeFieldSpec},
    *,
};

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn at(text: &str) -> FieldSpec {
    FieldSpec { source: Source::Path(path(text)), names: BTreeMap::new() }
}

fn named(text: &str, names: &[(&str, &str)]) -> FieldSpec {
    let names = names.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    FieldSpec { source: Source::Path(path(text)), names }
}

fn constant(text: &str) -> FieldSpec {
    FieldSpec { source: Source::Constant(text.to_owned()), names: BTreeMap::new() }
}

fn time(text: &str, format: &str, zone: Option<&str>) -> TimeFieldSpec {
    TimeFieldSpec {
        path: path(text),
        format: TimeFormat::parse(format).unwrap(),
        zone: zone.map(|name| TimeZone::get(name).unwrap()),
    }
}

fn gathered(fields: &[(&str, &str)]) -> PropertiesSpec {
    let fields = fields.iter().map(|(name, place)| ((*name).to_owned(), path(place)));
    PropertiesSpec::Fields(fields.collect())
}

/// A shop's own form: everything under other names, in other places.
fn shop() -> MappingSpec {
    MappingSpec {
        event_id: Some(at("meta.id")),
        customer_id: Some(at("user.uid")),
        account_id: Some(at("user.company")),
        ts: Some(time("time.at", "%d/%m/%Y %H:%M:%S", Some("America/Sao_Paulo"))),
        channel: Some(named("origin", &[("Loja", "store"), ("7", "web")])),
        event: Some(named("kind", &[("enviado", "order_shipped")])),
        actor: Some(constant("system")),
        text: Some(at("note")),
        properties: Some(PropertiesSpec::Object(path("payload"))),
        ..MappingSpec::default()
    }
}

#[track_caller]
fn read(spec: MappingSpec, value: &serde_json::Value) -> Vec<Outcome> {
    let value = value.to_string();
    let paths = ["order_id", "lines[].sku", "lang"];
    outcomes(Dialect::Mapping(Box::new(spec)), &paths, &record(Some(value.as_bytes())))
}

fn shipped() -> serde_json::Value {
    json!({
        "meta": { "id": "e1", "v": 2 },
        "user": { "uid": 17, "company": "acme" },
        "time": { "at": "02/01/2026 10:00:00" },
        "origin": " Loja ",
        "kind": "enviado",
        "note": "depressa",
        "payload": { "orderId": "o1" },
    })
}

#[test]
fn a_mapping_reads_what_a_native_touchpoint_says() {
    let native = json!({
        "event_id": "e1", "customer_id": "17", "account_id": "acme", "channel": "store",
        "ts": "2026-01-02T13:00:00Z", "event": "Order Shipped", "actor": "system",
        "text": "depressa", "properties": { "orderId": "o1" },
    })
    .to_string();
    let paths = ["order_id", "lines[].sku", "lang"];
    let expected = outcomes(Dialect::Native, &paths, &record(Some(native.as_bytes())));
    assert_eq!(expected[0].accepted().asked[0], [text("o1")]);
    assert_eq!(read(shop(), &shipped()), expected);
}

#[test]
fn properties_are_gathered_under_their_names() {
    let spec = MappingSpec {
        properties: Some(gathered(&[
            ("lines.sku", "nowhere"),
            ("orderId", "payload.order.nr"),
            ("lang", "meta.lang"),
            ("lines", "payload.rows[]"),
        ])),
        ..shop()
    };
    let mut value = shipped();
    value["meta"]["lang"] = json!("pt\"br");
    value["payload"] = json!({ "order": { "nr": 5 }, "rows": [{ "sku": "a" }, { "sku": "b" }] });
    let outcomes = read(spec, &value);
    let accepted = outcomes[0].accepted();
    assert_eq!(
        accepted.properties,
        r#"{"lang":"pt\"br","lines":[{"sku":"a"},{"sku":"b"}],"orderId":5}"#
    );
    let asked = [vec![Property::Number(5.0)], vec![text("a"), text("b")], vec![text("pt\"br")]];
    assert_eq!(accepted.asked, asked);
    // The same properties as one object are the same content.
    value["payload"] = serde_json::from_str(&accepted.properties).unwrap();
    assert_eq!(read(shop(), &value)[0].accepted().content_hash, accepted.content_hash);
}

#[test]
fn a_path_through_an_array_gathers_an_array_if_it_says_so() {
    let spec = |place| MappingSpec { properties: Some(gathered(&[("lang", place)])), ..shop() };
    let mut value = shipped();
    value["payload"] = json!([{ "l": "a" }, { "l": null }, { "l": "b" }]);
    let properties = |place| read(spec(place), &value)[0].accepted().properties.clone();
    assert_eq!(properties("payload[].l"), r#"{"lang":["a","b"]}"#);
    assert_eq!(properties("payload.l"), r#"{"lang":"a"}"#);
    assert_eq!(properties("nowhere"), "{}");
    let asked = read(spec("payload[].l"), &value)[0].accepted().asked.clone();
    assert_eq!(asked[2], [text("a"), text("b")]);
}

#[test]
fn items_stand_where_the_mapping_says() {
    let spec = || MappingSpec { items: Some(path("data.events")), ..shop() };
    let batch = |events: serde_json::Value| json!({ "data": { "events": events } });
    let two = read(spec(), &batch(json!([shipped(), { "kind": "x" }])));
    assert_eq!(two[0].accepted().event, "order_shipped");
    assert_eq!(two[1].code(), Some("no_customer"));
    assert_eq!(read(spec(), &batch(shipped())).len(), 1);
    assert_eq!(read(spec(), &batch(json!([]))), []);
    for value in [batch(json!(null)), json!({ "data": [] }), json!({}), json!(5)] {
        assert_eq!(read(spec(), &value)[0].code(), Some("no_items"));
    }
    let nested = json!({ "data": [batch(json!([])), { "events": [shipped()] }] });
    assert_eq!(read(spec(), &nested).len(), 1);
}

#[test]
fn without_an_items_path_an_array_is_a_batch() {
    assert_eq!(read(shop(), &json!([shipped(), shipped()])).len(), 2);
}

#[test]
fn values_that_the_mapping_does_not_name_stay_as_they_are() {
    let mut value = shipped();
    value["kind"] = json!("Pedido Pago");
    value["origin"] = json!(7);
    let outcomes = read(shop(), &value);
    assert_eq!(outcomes[0].accepted().event, "pedido_pago");
    assert_eq!(outcomes[0].accepted().channel, "web");
    value["origin"] = json!(8);
    assert_eq!(read(shop(), &value)[0].code(), Some("bad_channel"));
}

#[test]
fn what_a_mapping_finds_is_judged_like_the_native_form() {
    let rejected = |change: fn(&mut serde_json::Value)| {
        let mut value = shipped();
        change(&mut value);
        read(shop(), &value)[0].code().unwrap_or("accepted")
    };
    assert_eq!(rejected(|value| value["user"]["uid"] = json!("")), "bad_customer_id");
    assert_eq!(rejected(|value| value["user"] = json!("x")), "no_customer");
    assert_eq!(rejected(|value| value["time"]["at"] = json!("2026-01-02")), "bad_time");
    assert_eq!(
        rejected(|value| value["time"]["at"] = json!("02/01/2030 10:00:00")),
        "from_the_future"
    );
    assert_eq!(rejected(|value| value["time"] = json!({})), "no_time");
    assert_eq!(rejected(|value| value["payload"] = json!([1])), "bad_properties");
    assert_eq!(rejected(|value| value["note"] = json!(1)), "bad_text");
    assert_eq!(rejected(|value| value["other"] = json!([[[1]]])), "accepted");
}

#[test]
fn a_key_on_the_way_that_stands_twice_is_a_reject() {
    let value = br#"{"user":{"uid":1},"x":1,"x":2,"user":{"uid":2}}"#;
    let dialect = Dialect::Mapping(Box::new(shop()));
    let outcomes = outcomes(dialect, &[], &record(Some(value)));
    assert_eq!(outcomes, [Outcome::Rejected(Reject::duplicate_key("user", 30))]);
}

#[test]
fn one_place_may_serve_two_fields() {
    let spec = MappingSpec {
        anonymous_id: Some(at("user.uid")),
        properties: Some(gathered(&[("order_id", "meta"), ("lang", "meta.id")])),
        ..shop()
    };
    let outcomes = read(spec, &shipped());
    assert_eq!(outcomes[0].accepted().properties, r#"{"lang":"e1","order_id":{"id":"e1","v":2}}"#);
}
