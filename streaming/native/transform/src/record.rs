//! A decoded record: what reading one leaves.
use crate::problem::Problem;
use crate::value::Value;
use std::borrow::Cow;

/// A decoded record. With problems, `values` holds what could be read.
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
