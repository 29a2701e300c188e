//! Comparison, three-valued logic and choice. NaN equals itself and is the greatest double; -0.0 equals 0.0.
use std::cmp::Ordering;

use super::Arguments;
use crate::value::Value;

/// The order of two values of one type; None where one is NULL.
fn order(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Double(a), Value::Double(b)) => a
            .partial_cmp(b)
            .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
        _ => return None,
    })
}

pub(super) fn compare<'a>(a: &Value<'a>, b: &Value<'a>, holds: fn(Ordering) -> bool) -> Value<'a> {
    order(a, b).map_or(Value::Null, |order| Value::Boolean(holds(order)))
}

pub(super) fn and<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    match (a, b) {
        (Value::Boolean(false), _) | (_, Value::Boolean(false)) => Value::Boolean(false),
        (Value::Boolean(true), Value::Boolean(true)) => Value::Boolean(true),
        _ => Value::Null,
    }
}

pub(super) fn or<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    match (a, b) {
        (Value::Boolean(true), _) | (_, Value::Boolean(true)) => Value::Boolean(true),
        (Value::Boolean(false), Value::Boolean(false)) => Value::Boolean(false),
        _ => Value::Null,
    }
}

pub(super) fn not<'a>(a: &Value<'a>) -> Value<'a> {
    if let Value::Boolean(a) = a {
        Value::Boolean(!a)
    } else {
        Value::Null
    }
}

pub(super) fn is_null<'a>(a: &Value<'a>) -> Value<'a> {
    Value::Boolean(*a == Value::Null)
}

/// True where the first equals another; else NULL where any is NULL; else false.
pub(super) fn is_in<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    let sought = arguments.get(0);
    let mut unknown = false;
    for other in arguments.iter().skip(1) {
        match order(sought, other) {
            Some(Ordering::Equal) => return Value::Boolean(true),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown {
        Value::Null
    } else {
        Value::Boolean(false)
    }
}

pub(super) fn coalesce<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    arguments
        .iter()
        .find(|value| **value != Value::Null)
        .cloned()
        .unwrap_or_default()
}

pub(super) fn least<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    first_extreme(arguments, Ordering::Less)
}

pub(super) fn greatest<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    first_extreme(arguments, Ordering::Greater)
}

/// The first among equals (-0.0 and 0.0 are); NULLs are skipped.
fn first_extreme<'a>(arguments: &Arguments<'_, 'a>, wins: Ordering) -> Value<'a> {
    let mut best = &Value::Null;
    for value in arguments.iter() {
        if *best == Value::Null || order(value, best) == Some(wins) {
            best = value;
        }
    }
    best.clone()
}

/// The value after the first condition that is true; else the last argument.
pub(super) fn case<'a>(arguments: &Arguments<'_, 'a>) -> Value<'a> {
    let otherwise = arguments.len() - 1;
    let chosen = (0..otherwise)
        .step_by(2)
        .find(|at| *arguments.get(*at) == Value::Boolean(true));
    arguments.get(chosen.map_or(otherwise, |at| at + 1)).clone()
}

pub(super) fn nullif<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    if order(a, b) == Some(Ordering::Equal) {
        Value::Null
    } else {
        a.clone()
    }
}
