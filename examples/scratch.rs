use rega::{
    config::load_packs,
    engine::{Effect, Effects, Engine, Partition, PartitionRow, Record, Settings, decode::Dialect},
    model::EventTime,
    store::MemoryStore,
};
use std::{collections::BTreeMap, io::BufRead, sync::Arc};
fn main() {
    let pack = std::env::args().nth(1).unwrap();
    let zone = std::env::args().nth(2).unwrap_or("UTC".into());
    let pack = load_packs([&*pack]).map_err(|r| r.render(rega::config::Colour::Never)).unwrap();
    let settings = Settings {
        timezone: jiff::tz::TimeZone::get(&zone).unwrap(),
        history_since: EventTime::from_millis(0),
        ..Settings::default()
    };
    let engine = Engine::new(Arc::new(pack.rules), settings, Dialect::Native);
    let (mut p, store, mut fx) =
        (Partition::new(PartitionRow::default()), MemoryStore::default(), Effects::default());
    let now = EventTime::from_millis(4_000_000_000_000).unwrap();
    let mut by: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut facts: BTreeMap<String, u64> = BTreeMap::new();
    for (i, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.unwrap();
        let r = Record {
            value: Some(line.as_bytes()),
            key: None,
            topic: "f",
            partition: 0,
            offset: i as i64,
            timestamp: None,
        };
        p.process(&engine, &r, now, &store, &mut fx);
        for e in fx.iter() {
            match e {
                Effect::Moment(m) => {
                    let v: serde_json::Value = serde_json::from_str(fx.text(m.value)).unwrap();
                    let k = format!("{} {}", v["event"], v["labelled_by"]);
                    let l = format!(
                        "{} {} {} {} {} {} rev{}{}",
                        v["micro_moment"],
                        v["moment_of_truth"],
                        v["stage"],
                        v["valence"],
                        v["reason"],
                        v["evidence"],
                        if m.revision == 0 { "0" } else { "+" },
                        if m.retracted {
                            " retracted"
                        } else if v["same_pain_as"].is_string() {
                            " same"
                        } else {
                            ""
                        }
                    );
                    *by.entry(k).or_default().entry(l).or_default() += 1;
                }
                Effect::Reject(r) => *facts.entry(format!("reject {}", r.reason)).or_default() += 1,
                Effect::Fact(f) => {
                    let s = format!("{f:?}");
                    if !s.starts_with("RuleHit")
                        && !s.starts_with("Accepted { late")
                        && !s.starts_with("Unlab")
                    {
                        *facts.entry(s).or_default() += 1;
                    }
                }
            }
        }
        fx.clear();
    }
    for (k, v) in by {
        println!("{k}");
        for (l, n) in v {
            println!("   {n:6} {l}");
        }
    }
    println!("{facts:#?}");
}
