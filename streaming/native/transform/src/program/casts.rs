//! Casts with Spark's non-ANSI meaning: what does not parse or fit is NULL, doubles saturate.
use std::borrow::Cow;

use super::{calendar, time_text};
use crate::value::Value;

pub(super) fn int_to_double<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Int(a) = a {
        Value::Double(*a as f64)
    } else {
        Value::Null
    }
}

pub(super) fn int_to_string<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Int(a) = a {
        Value::String(Cow::Owned(a.to_string()))
    } else {
        Value::Null
    }
}

pub(super) fn int_to_boolean<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Int(a) = a {
        Value::Boolean(*a != 0)
    } else {
        Value::Null
    }
}

/// Seconds since 1970; saturates.
pub(super) fn int_to_timestamp<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Int(a) = a {
        Value::Timestamp(a.saturating_mul(1_000_000))
    } else {
        Value::Null
    }
}

/// NaN is true.
pub(super) fn double_to_boolean<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Double(a) = a {
        Value::Boolean(*a != 0.0)
    } else {
        Value::Null
    }
}

/// Seconds since 1970; saturates; NaN and infinities are NULL.
pub(super) fn double_to_timestamp<'a>(a: &Value<'a>) -> Value<'a> {
    match a {
        Value::Double(a) if a.is_finite() => Value::Timestamp((a * 1_000_000.0) as i64),
        _ => Value::Null,
    }
}

pub(super) fn boolean_to_int<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Boolean(a) = a {
        Value::Int(i64::from(*a))
    } else {
        Value::Null
    }
}

pub(super) fn boolean_to_double<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Boolean(a) = a {
        Value::Double(f64::from(*a))
    } else {
        Value::Null
    }
}

pub(super) fn boolean_to_string<'a>(a: &Value<'a>) -> Value<'a> {
    match a {
        Value::Boolean(true) => Value::String(Cow::Borrowed("true")),
        Value::Boolean(false) => Value::String(Cow::Borrowed("false")),
        _ => Value::Null,
    }
}

/// One microsecond since 1970, or none: so Spark has it.
pub(super) fn boolean_to_timestamp<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Boolean(a) = a {
        Value::Timestamp(i64::from(*a))
    } else {
        Value::Null
    }
}

pub(super) fn timestamp_to_double<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Timestamp(a) = a {
        Value::Double(*a as f64 / 1_000_000.0)
    } else {
        Value::Null
    }
}

pub(super) fn timestamp_to_boolean<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Timestamp(a) = a {
        Value::Boolean(*a != 0)
    } else {
        Value::Null
    }
}

/// `2026-03-02 12:00:10.25`: no trailing zeros, a sign before years of five digits or below zero.
pub(super) fn timestamp_to_string<'a>(a: &Value<'a>) -> Value<'a> {
    let Value::Timestamp(a) = a else {
        return Value::Null;
    };
    let (day, of_day) = (a.div_euclid(86_400_000_000), a.rem_euclid(86_400_000_000));
    let (year, month, day) = calendar::date(day);
    let sign = if year < 0 {
        "-"
    } else if year > 9_999 {
        "+"
    } else {
        ""
    };
    let (hour, minute) = (calendar::hour(*a), calendar::minute(*a));
    let (second, fraction) = (of_day / 1_000_000 % 60, of_day % 1_000_000);
    let mut text = format!(
        "{sign}{:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}",
        year.abs()
    );
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    Value::String(Cow::Owned(text))
}

pub(super) fn string_to_int<'a>(a: &Value<'a>) -> Value<'a> {
    let Value::String(a) = a else {
        return Value::Null;
    };
    parse_int(trimmed(a)).map_or(Value::Null, Value::Int)
}

pub(super) fn string_to_double<'a>(a: &Value<'a>) -> Value<'a> {
    let Value::String(a) = a else {
        return Value::Null;
    };
    parse_double(a.trim_matches(|c| c <= ' ')).map_or(Value::Null, Value::Double)
}

pub(super) fn string_to_boolean<'a>(a: &Value<'a>) -> Value<'a> {
    let Value::String(a) = a else {
        return Value::Null;
    };
    match trimmed(a).to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Value::Boolean(true),
        "f" | "false" | "n" | "no" | "0" => Value::Boolean(false),
        _ => Value::Null,
    }
}

pub(super) fn string_to_timestamp<'a>(a: &Value<'a>) -> Value<'a> {
    let Value::String(a) = a else {
        return Value::Null;
    };
    time_text::parse(trimmed(a)).map_or(Value::Null, Value::Timestamp)
}

/// Without spaces and ASCII control characters at both ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c == ' ' || c.is_ascii_control())
}

/// Digits with a sign; a fraction is cut off. A lone point counts as zero: so Spark has it.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() {
        return None;
    }
    let point = digits
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at(point);
    if !fraction.iter().skip(1).all(u8::is_ascii_digit) {
        return None;
    }
    whole.iter().try_fold(0_i64, |so_far, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        let tens = so_far.checked_mul(10)?;
        if negative {
            tens.checked_sub(digit)
        } else {
            tens.checked_add(digit)
        }
    })
}

/// Decimal floating point as Java reads it (an `f` or `d` may follow), and the names of NaN and infinity.
fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if unsigned == "NaN" || text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf") {
        return Some(sign * f64::INFINITY);
    }
    let number = unsigned
        .strip_suffix(['f', 'F', 'd', 'D'])
        .unwrap_or(unsigned);
    if !number.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !number.ends_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        return None;
    }
    number.parse::<f64>().ok().map(|value| sign * value)
}
