//! Decode: bytes to touchpoints, in every dialect.

use std::{collections::BTreeMap, hint::black_box, path::Path};

use criterion::Criterion;
use rega::{
    config::{dialect, load_mapping, load_packs},
    engine::{
        Settings,
        decode::{Decoder, DecoderSpec, Dialect, Item, PropertyPaths, Scratch},
    },
    simulation::{Simulated, Translator},
};

use crate::{
    allocations::print_per_touchpoint,
    workload::{group, record, size, touchpoints},
};

const MAPPING: &str = r#"
mapping: bench
items: data.events
fields:
  event_id: meta.id
  customer_id: user.uid
  ts: { path: meta.at, format: "%d/%m/%Y %H:%M:%S", zone: Europe/Berlin }
  channel: { path: where, names: { shop: store, net: web } }
  event: what
  properties:
    order_id: payload.order.number
    product_id: payload.product.id
    products: payload.cart[].product_id
"#;

/// Measures every dialect.
pub(crate) fn benches(criterion: &mut Criterion) {
    let count = size(20_000);
    let native = touchpoints(10_000, count);
    let mapped: Vec<Simulated> =
        native.iter().map(|one| Simulated { line: in_other_form(one), ..one.clone() }).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mapping.yaml");
    std::fs::write(&file, MAPPING).unwrap();
    let mut group = group(criterion, "decode", count);
    let mut measured = vec![
        ("native".to_owned(), decoder(Dialect::Native), native.clone()),
        ("native, found".to_owned(), decoder(dialect("auto").unwrap()), native.clone()),
        ("mapping".to_owned(), decoder(mapping(&file)), mapped),
    ];
    for name in ["segment", "cloudevents", "snowplow", "posthog", "ga4"] {
        let own = dialect(name).unwrap();
        let Dialect::BuiltIn { spec, .. } = &own else { continue };
        let translator = Translator::new(spec);
        let told = |one: &Simulated| Simulated { line: translator.translate(one), ..one.clone() };
        measured.push((name.to_owned(), decoder(own.clone()), native.iter().map(told).collect()));
    }
    for (name, decoder, touchpoints) in measured {
        let mut scratch = Scratch::default();
        assert_eq!(decode_all(&decoder, &touchpoints, &mut scratch), count);
        print_per_touchpoint(&format!("decode/{name}"), count, || {
            decode_all(&decoder, &touchpoints, &mut scratch);
        });
        group.bench_function(&name, |bencher| {
            bencher.iter(|| decode_all(&decoder, &touchpoints, &mut scratch));
        });
    }
    group.finish();
}

/// Returns the same touchpoint in the form that the mapping reads.
fn in_other_form(touchpoint: &Simulated) -> Vec<u8> {
    let native: serde_json::Value = serde_json::from_slice(&touchpoint.line).unwrap();
    let at = jiff::Timestamp::from_millisecond(touchpoint.ts.as_millis()).unwrap();
    let at = at.in_tz("Europe/Berlin").unwrap().strftime("%d/%m/%Y %H:%M:%S").to_string();
    let other = serde_json::json!({ "data": { "events": [{
        "meta": { "id": native["event_id"], "at": at },
        "user": { "uid": native["customer_id"] },
        "where": "net",
        "what": native["event"],
        "payload": {
            "order": { "number": native["properties"]["order_id"] },
            "product": { "id": native["properties"]["product_id"] },
            "rest": native["properties"],
        },
    }] } });
    serde_json::to_vec(&other).unwrap()
}

fn mapping(file: &Path) -> Dialect {
    Dialect::Mapping(Box::new(load_mapping(file).unwrap()))
}

/// Returns a decoder as the engine makes it for the commerce pack.
fn decoder(dialect: Dialect) -> Decoder {
    let rules = load_packs(["commerce"]).unwrap().rules;
    let settings = Settings::default();
    let event_names: BTreeMap<String, String> = rules
        .event_synonyms()
        .map(|(other, canonical)| (other.to_owned(), canonical.to_owned()))
        .collect();
    Decoder::new(DecoderSpec {
        dialect,
        properties: PropertyPaths::new(rules.property_paths(), rules.property_synonyms()),
        event_names,
        text_fields: settings.text_fields,
        tolerance: settings.tolerance,
        max_bytes: settings.max_input_bytes,
    })
}

/// Returns how many touchpoints there were.
fn decode_all(decoder: &Decoder, touchpoints: &[Simulated], scratch: &mut Scratch) -> usize {
    let mut count = 0;
    for touchpoint in touchpoints {
        let record = record(touchpoint, 0);
        decoder.decode(&record, touchpoint.emitted_at, scratch, &mut |item| {
            count += usize::from(matches!(black_box(item), Item::Touchpoint(_)));
        });
    }
    count
}
