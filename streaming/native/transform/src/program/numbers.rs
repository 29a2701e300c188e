//! Arithmetic with Spark's non-ANSI meaning: integers wrap, a division by zero is NULL. NULL in, NULL out.
use crate::value::Value;

pub(super) fn int1<'a>(a: &Value<'a>, f: fn(i64) -> i64) -> Value<'a> {
    if let Value::Int(a) = a {
        Value::Int(f(*a))
    } else {
        Value::Null
    }
}

pub(super) fn int2<'a>(a: &Value<'a>, b: &Value<'a>, f: fn(i64, i64) -> i64) -> Value<'a> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        Value::Int(f(*a, *b))
    } else {
        Value::Null
    }
}

pub(super) fn double1<'a>(a: &Value<'a>, f: fn(f64) -> f64) -> Value<'a> {
    if let Value::Double(a) = a {
        Value::Double(f(*a))
    } else {
        Value::Null
    }
}

pub(super) fn double2<'a>(a: &Value<'a>, b: &Value<'a>, f: fn(f64, f64) -> f64) -> Value<'a> {
    if let (Value::Double(a), Value::Double(b)) = (a, b) {
        Value::Double(f(*a, *b))
    } else {
        Value::Null
    }
}

/// The remainder has the sign of the dividend.
pub(super) fn remainder_int<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    match b {
        Value::Int(0) => Value::Null,
        _ => int2(a, b, i64::wrapping_rem),
    }
}

pub(super) fn remainder_double<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    match b {
        Value::Double(0.0) => Value::Null,
        _ => double2(a, b, |a, b| a % b),
    }
}

pub(super) fn divide<'a>(a: &Value<'a>, b: &Value<'a>) -> Value<'a> {
    match b {
        Value::Double(0.0) => Value::Null,
        _ => double2(a, b, |a, b| a / b),
    }
}

/// Half away from zero. Spark goes through a decimal, which has no negative zero.
pub(super) fn round(a: f64) -> f64 {
    a.round() + 0.0
}

/// `f`, then an integer: saturates, NaN gives 0, as Java's cast does.
pub(super) fn double_to_int<'a>(a: &Value<'a>, f: fn(f64) -> f64) -> Value<'a> {
    if let Value::Double(a) = a {
        Value::Int(f(*a) as i64)
    } else {
        Value::Null
    }
}

/// `f` where the argument lies above its pole; NULL at the pole and below. NaN passes.
pub(super) fn above<'a>(a: &Value<'a>, pole: f64, f: fn(f64) -> f64) -> Value<'a> {
    match a {
        Value::Double(a) if *a <= pole => Value::Null,
        _ => double1(a, f),
    }
}
