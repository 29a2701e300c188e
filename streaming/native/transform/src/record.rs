//! A decoded record: its values, and what is wrong with it.
use crate::problem::Problem;
use crate::value::Value;
use std::borrow::Cow;

/// A decoded record. If it has problems, `values` holds the fields that could be read, and NULL for the others.
#[derive(Debug)]
pub struct Record<'a> {
    /// One per field, in their order.
    pub values: Vec<Value<'a>>,
    /// Names that no field has.
    pub unknown: Vec<Cow<'a, str>>,
    pub problems: Vec<Problem>,
    /// The record as it may be stored: without its sensitive fields.
    pub stored: Cow<'a, [u8]>,
}
