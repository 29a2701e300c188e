//! The table of operations: name in programs, argument types, result type, native code.
//!
//! A new function is one entry here and one in `streaming/expressions/functions.py`.
use super::{Arguments, calendar, casts, logarithms, numbers, text, truth};
use crate::value::Type::{self, Boolean, Double, Int, String, Timestamp};
use crate::value::Value;

/// The native code of an operation, by how many arguments it takes.
#[derive(Clone, Copy)]
pub(super) enum Kernel {
    One(for<'a> fn(&Value<'a>) -> Value<'a>),
    Two(for<'a> fn(&Value<'a>, &Value<'a>) -> Value<'a>),
    Three(for<'a> fn(&Value<'a>, &Value<'a>, &Value<'a>) -> Value<'a>),
    Many(for<'a> fn(&Arguments<'_, 'a>) -> Value<'a>),
}

/// What an operation takes and gives.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Exactly these types.
    Fixed(&'static [Type], Type),
    /// One or more strings.
    Strings,
    /// One of any type, to a boolean.
    Test,
    /// Two of one type, to a boolean.
    Comparison,
    /// Two or more of one type, to a boolean.
    Membership,
    /// One or more of one type, to that type.
    Choice,
    /// Pairs of a boolean and a value, then one value: all values of one type.
    Case,
}

pub(super) struct Operation {
    pub name: &'static str,
    pub shape: Shape,
    pub kernel: Kernel,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn one(
    name: &'static str,
    of: &'static [Type],
    to: Type,
    kernel: for<'a> fn(&Value<'a>) -> Value<'a>,
) -> Operation {
    Operation {
        name,
        shape: Shape::Fixed(of, to),
        kernel: Kernel::One(kernel),
    }
}

const fn two(
    name: &'static str,
    of: &'static [Type],
    to: Type,
    kernel: for<'a> fn(&Value<'a>, &Value<'a>) -> Value<'a>,
) -> Operation {
    Operation {
        name,
        shape: Shape::Fixed(of, to),
        kernel: Kernel::Two(kernel),
    }
}

const fn compare(
    name: &'static str,
    kernel: for<'a> fn(&Value<'a>, &Value<'a>) -> Value<'a>,
) -> Operation {
    Operation {
        name,
        shape: Shape::Comparison,
        kernel: Kernel::Two(kernel),
    }
}

const fn many(
    name: &'static str,
    shape: Shape,
    kernel: for<'a> fn(&Arguments<'_, 'a>) -> Value<'a>,
) -> Operation {
    Operation {
        name,
        shape,
        kernel: Kernel::Many(kernel),
    }
}

/// Finds an operation by its name in programs.
pub(super) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

static OPERATIONS: &[Operation] = &[
    two("add_int", &[Int, Int], Int, |a, b| {
        numbers::int2(a, b, i64::wrapping_add)
    }),
    two("subtract_int", &[Int, Int], Int, |a, b| {
        numbers::int2(a, b, i64::wrapping_sub)
    }),
    two("multiply_int", &[Int, Int], Int, |a, b| {
        numbers::int2(a, b, i64::wrapping_mul)
    }),
    two("remainder_int", &[Int, Int], Int, numbers::remainder_int),
    one("negate_int", &[Int], Int, |a| {
        numbers::int1(a, i64::wrapping_neg)
    }),
    one("abs_int", &[Int], Int, |a| {
        numbers::int1(a, i64::wrapping_abs)
    }),
    two("add_double", &[Double, Double], Double, |a, b| {
        numbers::double2(a, b, |a, b| a + b)
    }),
    two("subtract_double", &[Double, Double], Double, |a, b| {
        numbers::double2(a, b, |a, b| a - b)
    }),
    two("multiply_double", &[Double, Double], Double, |a, b| {
        numbers::double2(a, b, |a, b| a * b)
    }),
    two("divide_double", &[Double, Double], Double, numbers::divide),
    two(
        "remainder_double",
        &[Double, Double],
        Double,
        numbers::remainder_double,
    ),
    one("negate_double", &[Double], Double, |a| {
        numbers::double1(a, |a| -a)
    }),
    one("abs_double", &[Double], Double, |a| {
        numbers::double1(a, f64::abs)
    }),
    one("sqrt", &[Double], Double, |a| {
        numbers::double1(a, f64::sqrt)
    }),
    one("round", &[Double], Double, |a| {
        numbers::double1(a, numbers::round)
    }),
    one("floor", &[Double], Int, |a| {
        numbers::double_to_int(a, f64::floor)
    }),
    one("ceil", &[Double], Int, |a| {
        numbers::double_to_int(a, f64::ceil)
    }),
    one("ln", &[Double], Double, |a| {
        numbers::above(a, 0.0, logarithms::ln)
    }),
    one("log1p", &[Double], Double, |a| {
        numbers::above(a, -1.0, logarithms::log1p)
    }),
    compare("equal", |a, b| truth::compare(a, b, |order| order.is_eq())),
    compare("not_equal", |a, b| {
        truth::compare(a, b, |order| order.is_ne())
    }),
    compare("less", |a, b| truth::compare(a, b, |order| order.is_lt())),
    compare("less_equal", |a, b| {
        truth::compare(a, b, |order| order.is_le())
    }),
    compare("greater", |a, b| {
        truth::compare(a, b, |order| order.is_gt())
    }),
    compare("greater_equal", |a, b| {
        truth::compare(a, b, |order| order.is_ge())
    }),
    two("and", &[Boolean, Boolean], Boolean, truth::and),
    two("or", &[Boolean, Boolean], Boolean, truth::or),
    one("not", &[Boolean], Boolean, truth::not),
    Operation {
        name: "is_null",
        shape: Shape::Test,
        kernel: Kernel::One(truth::is_null),
    },
    many("in", Shape::Membership, truth::is_in),
    many("coalesce", Shape::Choice, truth::coalesce),
    Operation {
        name: "nullif",
        shape: Shape::Choice,
        kernel: Kernel::Two(truth::nullif),
    },
    many("least", Shape::Choice, truth::least),
    many("greatest", Shape::Choice, truth::greatest),
    many("case", Shape::Case, truth::case),
    one("upper", &[String], String, text::upper),
    one("lower", &[String], String, text::lower),
    one("trim", &[String], String, text::trim),
    one("length", &[String], Int, text::length),
    many("concat", Shape::Strings, text::concat),
    Operation {
        name: "substring",
        shape: Shape::Fixed(&[String, Int, Int], String),
        kernel: Kernel::Three(text::substring),
    },
    one("hour", &[Timestamp], Int, |a| {
        calendar::part(a, calendar::hour)
    }),
    one("minute", &[Timestamp], Int, |a| {
        calendar::part(a, calendar::minute)
    }),
    one("dayofweek", &[Timestamp], Int, |a| {
        calendar::part(a, calendar::dayofweek)
    }),
    one("month", &[Timestamp], Int, |a| {
        calendar::part(a, calendar::month)
    }),
    one("unix_seconds", &[Timestamp], Int, |a| {
        calendar::part(a, |us| us.div_euclid(1_000_000))
    }),
    one("unix_millis", &[Timestamp], Int, |a| {
        calendar::part(a, |us| us.div_euclid(1_000))
    }),
    two("add_interval", &[Timestamp, Int], Timestamp, |a, b| {
        calendar::shift(a, b, i64::checked_add)
    }),
    two("subtract_interval", &[Timestamp, Int], Timestamp, |a, b| {
        calendar::shift(a, b, i64::checked_sub)
    }),
    Operation {
        name: "difference",
        shape: Shape::Fixed(&[Timestamp, Timestamp, Int], Int),
        kernel: Kernel::Three(calendar::difference),
    },
    one("int_to_double", &[Int], Double, casts::int_to_double),
    one("int_to_string", &[Int], String, casts::int_to_string),
    one("int_to_boolean", &[Int], Boolean, casts::int_to_boolean),
    one(
        "int_to_timestamp",
        &[Int],
        Timestamp,
        casts::int_to_timestamp,
    ),
    one("double_to_int", &[Double], Int, |a| {
        numbers::double_to_int(a, |a| a)
    }),
    one(
        "double_to_boolean",
        &[Double],
        Boolean,
        casts::double_to_boolean,
    ),
    one(
        "double_to_timestamp",
        &[Double],
        Timestamp,
        casts::double_to_timestamp,
    ),
    one("boolean_to_int", &[Boolean], Int, casts::boolean_to_int),
    one(
        "boolean_to_double",
        &[Boolean],
        Double,
        casts::boolean_to_double,
    ),
    one(
        "boolean_to_string",
        &[Boolean],
        String,
        casts::boolean_to_string,
    ),
    one(
        "boolean_to_timestamp",
        &[Boolean],
        Timestamp,
        casts::boolean_to_timestamp,
    ),
    one("timestamp_to_int", &[Timestamp], Int, |a| {
        calendar::part(a, |us| us.div_euclid(1_000_000))
    }),
    one(
        "timestamp_to_double",
        &[Timestamp],
        Double,
        casts::timestamp_to_double,
    ),
    one(
        "timestamp_to_string",
        &[Timestamp],
        String,
        casts::timestamp_to_string,
    ),
    one(
        "timestamp_to_boolean",
        &[Timestamp],
        Boolean,
        casts::timestamp_to_boolean,
    ),
    one("string_to_int", &[String], Int, casts::string_to_int),
    one(
        "string_to_double",
        &[String],
        Double,
        casts::string_to_double,
    ),
    one(
        "string_to_boolean",
        &[String],
        Boolean,
        casts::string_to_boolean,
    ),
    one(
        "string_to_timestamp",
        &[String],
        Timestamp,
        casts::string_to_timestamp,
    ),
];
