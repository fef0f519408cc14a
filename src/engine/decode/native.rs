//! The native touchpoint: the envelope's names as they are, at the top of one object.

use std::borrow::Cow;

use super::{
    field::{Envelope, Field, Given},
    reader::{Kind, Reader},
    reject::{Problem, Reject},
    scan::Scan,
};

/// Reads one object. Fields that the envelope does not have are passed over.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<Envelope<'a>, Reject> {
    let mut envelope = Envelope::default();
    reader.object(|reader, key| {
        let name = key.decode_into(&mut scan.memory.decoded)?;
        let Some(field) = Field::parse(name) else { return reader.pass() };
        if envelope.has(field) {
            return Err(Reject::duplicate_key(name, key.at));
        }
        if field == Field::Properties && reader.kind()? == Kind::Object {
            return read_properties(&mut envelope, reader, scan);
        }
        envelope.set(field, reader.given()?);
        Ok(())
    })?;
    only_object(&mut envelope)?;
    Ok(envelope)
}

/// Reads the object that the cursor stands on as the properties.
pub(super) fn read_properties<'a>(
    envelope: &mut Envelope<'a>,
    reader: &mut Reader<'a>,
    scan: &mut Scan<'_, '_, 'a>,
) -> Result<(), Reject> {
    let start = reader.at();
    envelope.properties_hash = scan.properties(reader)?;
    envelope.properties = Cow::Borrowed(reader.since(start));
    // The value is no longer of interest, but that it was there is.
    envelope.set(Field::Properties, Given { at: Some(start), ..Given::default() });
    Ok(())
}

/// Makes sure that what stood as properties was an object, or null.
pub(super) fn only_object(envelope: &mut Envelope<'_>) -> Result<(), Reject> {
    let Given { value, at } = envelope.take(Field::Properties);
    match value.kind() {
        Kind::Null => Ok(()),
        found @ (Kind::Flag | Kind::Number | Kind::Text | Kind::Array | Kind::Object) => {
            let problem = Problem::WrongKind { expected: "an object", found };
            Err(Reject::BadField { field: Field::Properties, named: None, at, problem })
        }
    }
}
