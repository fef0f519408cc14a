//! From records of several customers to records of one: what `route` copies.
//!
//! Only what decides where an item goes is looked at. Nothing is evaluated, no customer is touched,
//! and an item's bytes stay as they are. What cannot be read is a reject here already: it has no
//! customer whose partition it could go to.

use super::{
    Effects, Engine, Record,
    decode::{Item, Reject, Rejected, Scratch},
    partition::reject,
};
use crate::model::EventTime;

/// One customer's item of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'p> {
    /// Whose it is: the key of its copy.
    pub customer_id: &'p str,
    /// Its bytes: a JSON object of its own, also where it came in a batch.
    pub item: &'p [u8],
    /// Its position (from 0) in its record.
    pub index: u32,
}

/// Takes records apart. Keeps the memory that decoding needs between two of them.
#[derive(Debug, Default)]
pub struct Splitter {
    scratch: Scratch,
}

impl Splitter {
    /// Hands every item of a record that can be read to `take`, in order, and appends rejects to
    /// `effects`. `now` is the wall clock.
    #[expect(
        clippy::too_many_arguments,
        reason = "what is given, by which clock, and where the two kinds of outcome go"
    )]
    pub fn split(
        &mut self,
        engine: &Engine,
        record: &Record<'_>,
        now: EventTime,
        effects: &mut Effects,
        take: &mut dyn FnMut(Piece<'_>),
    ) {
        let limit = engine.settings.max_output_bytes;
        engine.decoder.decode(record, now, &mut self.scratch, &mut |item| match item {
            Item::Touchpoint(decoded) if limit < decoded.item.len() => {
                let too_large = Reject::TooLarge { bytes: decoded.item.len(), max: limit };
                let (item, index) = (Some(decoded.item), decoded.index);
                reject(effects, limit, &Rejected { reject: too_large, item, index });
            }
            Item::Touchpoint(decoded) => take(Piece {
                customer_id: &decoded.touchpoint.customer_id,
                item: decoded.item,
                index: decoded.index,
            }),
            Item::Reject(rejected) => reject(effects, limit, &rejected),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{
        Effect, Settings,
        decode::{
            Dialect, Path,
            mapping::spec::{FieldSpec, MappingSpec, Source},
        },
        rules::{RuleSet, spec::PackSpec},
    };

    fn engine(dialect: Dialect, max_output_bytes: usize) -> Engine {
        let rules = RuleSet::compile(PackSpec::default()).unwrap();
        let settings = Settings { max_output_bytes, ..Settings::default() };
        Engine::new(Arc::new(rules), settings, dialect)
    }

    /// Customer and item of every piece; reason and position of every reject.
    type Outcome = (Vec<(String, String)>, Vec<(&'static str, u32)>);

    fn split(engine: &Engine, value: &str) -> Outcome {
        let record = Record {
            value: Some(value.as_bytes()),
            key: None,
            headers: &[],
            topic: "web",
            partition: 0,
            offset: 7,
            timestamp: EventTime::from_millis(1000),
        };
        let (mut effects, mut pieces) = (Effects::default(), Vec::new());
        let now = EventTime::from_millis(1_000_000).unwrap();
        Splitter::default().split(engine, &record, now, &mut effects, &mut |piece| {
            let item = String::from_utf8(piece.item.to_vec()).unwrap();
            pieces.push((piece.customer_id.to_owned(), item));
        });
        let rejects = effects.iter().map(|effect| match effect {
            Effect::Reject(rejected) => (rejected.reason, rejected.index),
            Effect::Moment(_) | Effect::Fact(_) | Effect::Pulse(_) => panic!("{effect:?}"),
        });
        (pieces, rejects.collect())
    }

    #[test]
    fn a_batch_becomes_one_piece_per_item_with_its_bytes_untouched() {
        let ada = r#"{ "customer_id" : "ada", "event":"x","ts":1 }"#;
        let bob = r#"{"anonymous_id":"7","event":"y"}"#;
        let (pieces, rejects) =
            split(&engine(Dialect::Native, 1_000_000), &format!("[{ada}, 3,{bob}]"));
        let expected = [("ada".to_owned(), ada.to_owned()), ("anon:7".to_owned(), bob.to_owned())];
        assert_eq!(pieces, expected);
        assert_eq!(rejects, [("not_an_object", 1)]);
    }

    #[test]
    fn an_item_that_could_not_be_produced_is_a_reject() {
        let long = format!(r#"{{"customer_id":"ada","event":"x","z":"{}"}}"#, "z".repeat(200));
        let (pieces, rejects) = split(&engine(Dialect::Native, 100), &long);
        assert_eq!((pieces.len(), rejects), (0, vec![("too_large", 0)]));
    }

    /// What comes out of a batch is read again, alone.
    #[test]
    fn an_item_of_a_mapped_batch_is_read_by_the_same_mapping_without_its_batch() {
        let path = |text: &str| Path::parse(text).unwrap();
        let field = |at: &str| {
            Some(FieldSpec {
                source: Source::Path(path(at)),
                names: std::collections::BTreeMap::default(),
            })
        };
        let spec = MappingSpec {
            items: Some(path("list")),
            customer_id: field("who"),
            event: field("what"),
            ..MappingSpec::default()
        };
        let dialect = Dialect::Mapping(Box::new(spec));
        let item = r#"{"who":"ada","what":"x"}"#;
        let batch = format!(r#"{{"list":[{item}]}}"#);
        let (pieces, _) = split(&engine(dialect.clone(), 1000), &batch);
        assert_eq!(pieces, [("ada".to_owned(), item.to_owned())]);
        let (again, rejects) = split(&engine(dialect.of_items(), 1000), item);
        assert_eq!((again, rejects), (pieces, vec![]));
    }
}
