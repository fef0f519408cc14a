//! JSON Schemas of what one writes and of what Rega writes, for editors and for consumers.

/// Name and text of every schema.
const SCHEMAS: [(&str, &str); 9] = [
    ("config", include_str!("../../docs/schemas/config.json")),
    ("rules", include_str!("../../docs/schemas/rules.json")),
    ("words", include_str!("../../docs/schemas/words.json")),
    ("mapping", include_str!("../../docs/schemas/mapping.json")),
    ("touchpoint", include_str!("../../docs/schemas/touchpoint.json")),
    ("moments", include_str!("../../docs/schemas/moments.json")),
    ("engagement", include_str!("../../docs/schemas/engagement.json")),
    ("rejects", include_str!("../../docs/schemas/rejects.json")),
    ("pain-spikes", include_str!("../../docs/schemas/pain-spikes.json")),
];

/// Returns the names of the schemas.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().map(|(name, _)| *name)
}

/// Returns the schema of that name.
pub fn schema(name: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
