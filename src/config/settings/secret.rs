//! Secrets that stand in files of their own, as orchestrators mount them.
//!
//! No message here contains a word of what was read: only which file, and which line of it.

use super::{Config, Properties, Secret, kafka::name_problem};

/// Short tokens are guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// Takes what was written or read as the token.
///
/// # Errors
///
/// What is wrong with it, without showing it.
pub(in crate::config) fn token_of(text: &str) -> Result<Secret, String> {
    let token = text.trim();
    if token.len() < TOKEN_CHARS_MIN {
        return Err(format!("a token of fewer than {TOKEN_CHARS_MIN} characters can be guessed"));
    }
    if !token.chars().all(|each| each.is_ascii_graphic()) {
        return Err("a token has letters, digits and signs, and no spaces".to_owned());
    }
    Ok(Secret(token.to_owned()))
}

/// Adds the lines of `kafka.properties_file` to `kafka.properties`.
///
/// # Errors
///
/// What is wrong with which line, without showing it.
pub(in crate::config) fn add_properties(config: &mut Config, text: &str) -> Result<(), String> {
    let Properties(known) = &mut config.kafka.properties;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("line {number}: expected name=value"));
        };
        let (name, value) = (name.trim(), value.trim());
        if let Some((what, _)) = name_problem(name) {
            return Err(format!("line {number}: {what}"));
        }
        if known.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("line {number}: \"{name}\" is written already"));
        }
    }
    Ok(())
}
