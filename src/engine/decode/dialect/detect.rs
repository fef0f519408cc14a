//! Which dialect a record speaks, by the keys of its object.
//!
//! Each dialect has keys that no valid record of another has at its top. The first such key
//! decides, so that a record is looked at no further than to it: of a native touchpoint, mostly two
//! keys. What has none is looked at for weaker signs when the object ends.

use super::{
    super::{
        reader::{Kind, Reader},
        reject::Reject,
    },
    Form, segment,
};

/// What a record was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// Rega's own form.
    Native,
    /// A dialect.
    Of(Form),
}

/// How deep batches are looked into: the batch, and the properties of its first item.
const DEPTH_MAX: usize = 3;

/// Returns what the object that the cursor stands on is; `None` if it looks like nothing known.
pub(super) fn kin_of(reader: Reader<'_>) -> Result<Option<Kin>, Reject> {
    look(reader, DEPTH_MAX)
}

fn look(mut reader: Reader<'_>, depth: usize) -> Result<Option<Kin>, Reject> {
    if reader.kind()? != Kind::Object {
        return Ok(None);
    }
    let mut found = None;
    let mut weak = Weak::default();
    let outcome = reader.object(|reader, key| {
        let key = key.decode()?;
        found = mark(&key);
        if found.is_some() {
            // Ends the walk; what is returned is not looked at.
            return Err(Reject::Empty);
        }
        weak.look(&key, reader, depth)
    });
    match (found, outcome) {
        (Some(kin), _) => Ok(Some(kin)),
        (None, Err(reject)) => Err(reject),
        (None, Ok(())) => Ok(weak.kin()),
    }
}

/// Returns whose record a key at the top marks.
fn mark(key: &str) -> Option<Kin> {
    Some(match key {
        "customer_id" | "account_id" => Kin::Native,
        "specversion" => Kin::Of(Form::CloudEvents),
        "messageId" | "anonymousId" | "userId" | "previousId" | "groupId" | "writeKey"
        | "originalTimestamp" | "receivedAt" | "sentAt" => Kin::Of(Form::Segment),
        "collector_tstamp" | "v_collector" | "domain_userid" => Kin::Of(Form::Snowplow),
        "distinct_id" | "api_key" | "$set" | "elements_chain" => Kin::Of(Form::PostHog),
        "client_id" | "app_instance_id" | "timestamp_micros" | "event_timestamp"
        | "user_pseudo_id" | "event_params" => Kin::Of(Form::Ga4),
        _ => return None,
    })
}

/// Signs that decide only where there is no mark.
#[derive(Debug, Default)]
struct Weak {
    native: bool,
    segment: bool,
    posthog: bool,
    batch: Option<Kin>,
}

impl Weak {
    fn look(&mut self, key: &str, reader: &mut Reader<'_>, depth: usize) -> Result<(), Reject> {
        match (key, reader.kind()?) {
            ("anonymous_id" | "ts", _) => self.native = true,
            ("type" | "action", Kind::Text) => {
                let text = reader.text()?.decode()?;
                self.segment |= segment::is_call(&text.trim().to_ascii_lowercase());
                return Ok(());
            }
            ("event", Kind::Text) => {
                self.posthog |= reader.text()?.decode()?.starts_with('$');
                return Ok(());
            }
            ("properties", Kind::Object) => {
                reader.clone().object(|reader, key| {
                    self.posthog |= matches!(&*key.decode()?, "distinct_id" | "$lib");
                    reader.pass()
                })?;
            }
            ("batch", Kind::Array) if depth > 0 => {
                let mut first = reader.clone();
                let mut kin = None;
                // The end of an empty array, or what is wrong with it, is met again below.
                drop(first.array(|reader| {
                    kin = look(reader.clone(), depth - 1)?;
                    Err(Reject::Empty)
                }));
                self.batch = self.batch.or(kin);
            }
            (_, _) => {}
        }
        reader.pass()
    }

    fn kin(&self) -> Option<Kin> {
        // Calls name themselves; a `$` in front is nobody else's.
        if self.segment {
            Some(Kin::Of(Form::Segment))
        } else if self.posthog {
            Some(Kin::Of(Form::PostHog))
        } else if self.native {
            Some(Kin::Native)
        } else {
            self.batch
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<Kin>) {
        assert_eq!(kin_of(Reader::starting_at(json, 0)), Ok(expected), "{json}");
    }

    #[test]
    fn a_record_is_known_by_a_key_that_no_other_dialect_has() {
        let of = |form| Some(Kin::Of(form));
        check(r#"{"event_id":"e","customer_id":"c","event":"$pageview"}"#, Some(Kin::Native));
        check(r#"{"anonymous_id":"a","event":"x"}"#, Some(Kin::Native));
        check(r#"{"type":"track","ts":1,"specversion":"1.0"}"#, of(Form::CloudEvents));
        check(r#"{"user_id":"u","action":"Track","event":"x"}"#, of(Form::Segment));
        check(r#"{"type":"page","name":"Home"}"#, of(Form::Segment));
        check(r#"{"batch":[{"type":"page"}]}"#, of(Form::Segment));
        check(r#"{"batch":[{"event":"$pageview"}]}"#, of(Form::PostHog));
        check(r#"{"event":"x","properties":{"distinct_id":"d"}}"#, of(Form::PostHog));
        check(r#"{"app_id":"a","event_id":"e","collector_tstamp":"t"}"#, of(Form::Snowplow));
        check(r#"{"user_id":"u","client_id":"c","events":[]}"#, of(Form::Ga4));
        check(r#"{"event_name":"x","event_timestamp":1}"#, of(Form::Ga4));
        for nothing in ["{}", "5", "[]", r#"{"event":"x","user_id":"u"}"#, r#"{"batch":[]}"#] {
            check(nothing, None);
        }
    }

    #[test]
    fn what_is_no_json_is_told_as_that() {
        let kin = |json| kin_of(Reader::starting_at(json, 0));
        assert!(matches!(kin(r#"{"event":"#), Err(Reject::Truncated { at: 9, .. })));
        assert!(matches!(kin(r#"{"a":1 "b"}"#), Err(Reject::Malformed { at: 7, .. })));
        // A mark ends the look: the rest is the decoder's to read.
        assert_eq!(kin(r#"{"customer_id":"#), Ok(Some(Kin::Native)));
    }
}
