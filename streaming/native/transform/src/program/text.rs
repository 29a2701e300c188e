//! Strings: positions and lengths count code points. Results borrow from their argument where it is borrowed.
use std::borrow::Cow;
use std::ops::Range;

use super::Arguments;
use crate::value::Value;

fn part<'a>(text: &Cow<'a, str>, range: Range<usize>) -> Value<'a> {
    Value::String(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    })
}

/// ASCII letters only: other letters stay as they are.
pub(super) fn upper<'a>(text: &Value<'a>) -> Value<'a> {
    match text {
        Value::String(text) if text.bytes().any(|byte| byte.is_ascii_lowercase()) => {
            Value::String(Cow::Owned(text.to_ascii_uppercase()))
        }
        _ => text.clone(),
    }
}

/// ASCII letters only: other letters stay as they are.
pub(super) fn lower<'a>(text: &Value<'a>) -> Value<'a> {
    match text {
        Value::String(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Value::String(Cow::Owned(text.to_ascii_lowercase()))
        }
        _ => text.clone(),
    }
}

/// Removes spaces (U+0020, nothing else) from both ends.
pub(super) fn trim<'a>(text: &Value<'a>) -> Value<'a> {
    let Value::String(text) = text else {
        return Value::Null;
    };
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = text.trim_end_matches(' ').len();
    part(text, start.min(end)..end)
}

pub(super) fn length<'a>(text: &Value<'a>) -> Value<'a> {
    let Value::String(text) = text else {
        return Value::Null;
    };
    Value::Int(text.chars().count() as i64)
}

/// NULL where any argument is.
pub(super) fn concat<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    let mut joined = String::new();
    for value in arguments.iter() {
        let Value::String(text) = value else {
            return Value::Null;
        };
        joined.push_str(text);
    }
    Value::String(Cow::Owned(joined))
}

/// From `position` (1 is the first; negative counts from the end; 0 is as 1), `length` code points.
///
/// Both numbers are taken modulo 2^32, as Spark's cast to its 32-bit INT does. A start before the string uses up
/// length: `substring('abc', -5, 4)` is `'ab'`.
pub(super) fn substring<'a>(
    text: &Value<'a>,
    position: &Value<'a>,
    length: &Value<'a>,
) -> Value<'a> {
    let (Value::String(text), Value::Int(position), Value::Int(length)) = (text, position, length)
    else {
        return Value::Null;
    };
    let (position, length) = (i64::from(*position as i32), i64::from(*length as i32));
    let start = match position {
        1.. => position - 1,
        0 => 0,
        _ => text.chars().count() as i64 + position,
    };
    let end = (start + length).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    let from = byte_at(text, start);
    part(text, from..byte_at(text, end).max(from))
}

/// The byte at which code point `index` starts: 0 before the string, its length after it.
fn byte_at(text: &str, index: i64) -> usize {
    let Ok(index) = usize::try_from(index) else {
        return 0;
    };
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(byte, _)| byte)
}
