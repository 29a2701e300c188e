//! One JSON value into one typed value. Messages say what a value is, and never repeat it: it may be sensitive.
use crate::moment;
use crate::value::{Type, Value};
use std::borrow::Cow;

/// A value of a declared type; `raw` is well-formed JSON. The error says what it is instead.
pub fn read_value(raw: &str, kind: Type) -> Result<Value<'_>, String> {
    if raw == "null" {
        return Ok(Value::Null);
    }
    match kind {
        Type::String => read_string(raw).map(Value::String),
        Type::Int => read_int(raw).map(Value::Int),
        Type::Double => read_double(raw).map(Value::Double),
        Type::Boolean => raw
            .parse()
            .map(Value::Boolean)
            .map_err(|_| not_a("true or false", raw)),
        Type::Timestamp => read_timestamp(raw).map(Value::Timestamp),
    }
}

/// An object as its JSON text, whatever stands inside it; `raw` is well-formed JSON.
pub fn read_object(raw: &str) -> Result<Value<'_>, String> {
    match raw.as_bytes().first() {
        Some(b'{') => Ok(Value::String(Cow::Borrowed(raw))),
        Some(b'n') => Ok(Value::Null),
        _ => Err(not_a("an object", raw)),
    }
}

fn read_string(raw: &str) -> Result<Cow<'_, str>, String> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| not_a("a string", raw))?;
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw)
        .map(Cow::Owned)
        .map_err(|_| "has an escape that is no character".to_owned())
}

fn read_int(raw: &str) -> Result<i64, String> {
    if raw
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        return raw
            .parse()
            .map_err(|_| "does not fit into 64 bits".to_owned());
    }
    Err(not_a("a whole number", raw))
}

fn read_double(raw: &str) -> Result<f64, String> {
    if !raw.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return Err(not_a("a number", raw));
    }
    raw.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "is too large for a double".to_owned())
}

fn read_timestamp(raw: &str) -> Result<i64, String> {
    if raw.starts_with('"') {
        let text = read_string(raw)?;
        return moment::parse_rfc3339(&text)
            .ok_or_else(|| "is not RFC 3339 with an offset".to_owned());
    }
    let millis =
        read_int(raw).map_err(|_| not_a("RFC 3339 text or whole milliseconds since 1970", raw))?;
    moment::from_millis(millis).ok_or_else(|| "lies outside the years 1 to 9999".to_owned())
}

fn not_a(wanted: &str, raw: &str) -> String {
    format!("must be {wanted}, not {}", kind_of(raw))
}

/// What a JSON value is, in words, without repeating it.
pub fn kind_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ if raw.contains(['.', 'e', 'E']) => "a number with a fraction or exponent",
        _ => "a number",
    }
}
