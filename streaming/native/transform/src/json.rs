//! One JSON record into typed values: strict, without a tree in between, naming every problem.
//!
//! Values borrow from the record wherever no escape stands in the way. Skipping a value is iterative in serde_json, so
//! that nesting costs a byte a level and no stack.
use crate::fields::Fields;
use crate::problem::{Problem, Reason};
use crate::reading::Reading;
use crate::record::Record;
use crate::scalars::kind_of;
use crate::value::Value;
use serde::Deserializer as _;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The largest record, as at the brokers (`contract.topics.MAX_RECORD_BYTES`).
pub const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;

/// Decodes a record. A body that is no JSON object has one problem that says so, and no values.
pub fn decode<'a>(body: &'a [u8], fields: &Fields) -> Record<'a> {
    match read(body, fields) {
        Ok(reading) => reading.finish(),
        Err(problem) => Record {
            values: vec![Value::Null; fields.all().len()],
            unknown: Vec::new(),
            problems: vec![problem],
            stored: Cow::Borrowed(if fields.any_sensitive() { &[] } else { body }),
        },
    }
}

fn read<'a, 'f>(body: &'a [u8], fields: &'f Fields) -> Result<Reading<'a, 'f>, Problem> {
    let text = check_text(body)?;
    let mut reading = Reading::new(text, fields);
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(&mut reading)
        .and_then(|()| json.end())
        .map_err(|error| not_json(text, &error))?;
    Ok(reading)
}

/// The body as text that begins like an object.
fn check_text(body: &[u8]) -> Result<&str, Problem> {
    if body.len() > MAX_RECORD_BYTES {
        return Err(whole(
            Reason::TooLarge,
            format!("{} bytes; {MAX_RECORD_BYTES} at most", body.len()),
            None,
        ));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        whole(
            Reason::NotJson,
            "not UTF-8".into(),
            Some(error.valid_up_to()),
        )
    })?;
    if text.starts_with('\u{feff}') {
        let detail =
            "begins with a UTF-8 byte order mark (BOM), which JSON does not allow; send it without";
        return Err(whole(Reason::NotJson, detail.into(), Some(0)));
    }
    let is_space = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t');
    let start = text.trim_start_matches(is_space);
    if start.starts_with('{') {
        return Ok(text);
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(text, &error))?;
    let detail = format!("must be a JSON object, not {}", kind_of(start));
    Err(whole(
        Reason::NotAnObject,
        detail,
        Some(text.len() - start.len()),
    ))
}

fn whole(reason: Reason, detail: String, at_byte: Option<usize>) -> Problem {
    Problem {
        reason,
        field: None,
        detail,
        at_byte,
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> Problem {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(0, |(at, _)| at + 1),
    };
    let at = if error.is_eof() {
        text.len()
    } else {
        (line_start + error.column().saturating_sub(1)).min(text.len())
    };
    let message = error.to_string();
    let detail = message
        .split(" at line ")
        .next()
        .unwrap_or(&message)
        .to_owned();
    whole(Reason::NotJson, detail, Some(at))
}

#[cfg(test)]
mod tests;
