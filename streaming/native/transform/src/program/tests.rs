use serde_json::json;

use super::{Program, Scratch, logarithms};
use crate::value::Value;

#[test]
fn runs_straight_line_programs() {
    let program = Program::from_json(&json!({
        "format": 1,
        "fields": [["a", "int"], ["s", "string"]],
        "constants": [["int", 1], ["string", "-"]],
        "instructions": [["add_int", 0, "f0", "c0"], ["concat", 1, "f1", "c1", "f1"], ["multiply_int", 0, "r0", "r0"]],
        "outputs": [["x", "int", "r0"], ["y", "string", "r1"], ["z", "timestamp", "as_of"]],
    }))
    .unwrap();
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let row = [Value::Int(i64::MAX), Value::String("é".into())];
    program.run(&row, Value::Timestamp(7), &mut scratch, &mut out);
    assert_eq!(out[0], Value::Int(i64::MIN.wrapping_mul(i64::MIN)));
    assert_eq!(out[1..], [Value::String("é-é".into()), Value::Timestamp(7)]);
    program.run(&[Value::Null], Value::Null, &mut scratch, &mut out);
    assert_eq!(out, [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn a_row_of_wrong_types_gives_null_instead_of_a_panic() {
    let program = Program::from_json(&json!({
        "format": 1, "fields": [["a", "int"]], "constants": [], "instructions": [["abs_int", 0, "f0"]],
        "outputs": [["x", "int", "r0"], ["y", "int", "f0"]],
    }))
    .unwrap();
    let mut out = Vec::new();
    program.run(
        &[Value::Boolean(true)],
        Value::Null,
        &mut Scratch::default(),
        &mut out,
    );
    assert_eq!(out, [Value::Null, Value::Null]);
}

#[test]
fn broken_programs_are_refused() {
    let good = json!({
        "format": 1, "fields": [["a", "int"], ["b", "boolean"]], "constants": [["int", 1]],
        "instructions": [["add_int", 0, "f0", "c0"]], "outputs": [["x", "int", "r0"]],
    });
    assert!(Program::from_json(&good).is_ok());
    let broken = [
        ("/format", json!(2)),
        ("/format", json!(null)),
        ("/fields", json!({})),
        ("/fields/0/1", json!("decimal")),
        ("/fields/0", json!([])),
        ("/constants/0", json!(["int", 1.5])),
        ("/constants/0", json!(["int", "1"])),
        ("/constants/0", json!(["string", 1])),
        ("/instructions/0", json!([])),
        ("/instructions/0", json!(["add_int"])),
        ("/instructions/0", json!(["add_int", 0])),
        ("/instructions/0", json!(["fly", 0, "f0", "c0"])),
        (
            "/instructions/0",
            json!(["add_int", 1_u64 << 40, "f0", "c0"]),
        ),
        ("/instructions/0", json!(["add_int", -1, "f0", "c0"])),
        ("/instructions/0", json!(["add_int", 0, "f0", "f1"])),
        ("/instructions/0", json!(["add_int", 0, "f0", "r0"])),
        ("/instructions/0", json!(["add_int", 0, "f0", "f9"])),
        ("/instructions/0", json!(["add_int", 0, "f0", "é0"])),
        ("/instructions/0", json!(["add_int", 0, "f0", ""])),
        ("/instructions/0", json!(["case", 0, "f0"])),
        ("/instructions/0", json!(["case", 0, "f1", "f0"])),
        ("/instructions/0", json!(["case", 0])),
        ("/instructions/0", json!(["coalesce", 0])),
        ("/instructions/0", json!(["in", 0, "f0"])),
        ("/instructions/0", json!(["equal", 0, "f0", "f1"])),
        ("/outputs/0", json!(["x", "double", "r0"])),
        ("/outputs/0", json!(["x", "int", "r1"])),
        ("/outputs/0", json!(["x", "int"])),
    ];
    for (place, value) in broken {
        let mut program = good.clone();
        *program.pointer_mut(place).unwrap() = value.clone();
        // a case of one value is well formed: it is its own ELSE
        let allowed = value == json!(["case", 0, "f0"]);
        assert_eq!(
            Program::from_json(&program).is_ok(),
            allowed,
            "{place} = {value}"
        );
    }
}

/// What Java 17's StrictMath gives.
#[test]
fn logarithms_are_those_of_java() {
    assert_eq!(logarithms::ln(0.0), f64::NEG_INFINITY);
    assert!(logarithms::ln(-1.0).is_nan() && logarithms::log1p(-1.5).is_nan());
    assert_eq!(logarithms::log1p(-1.0), f64::NEG_INFINITY);
    assert_eq!(logarithms::ln(1.0).to_bits(), 0.0_f64.to_bits());
    assert_eq!(logarithms::log1p(-0.0).to_bits(), (-0.0_f64).to_bits());
    for (x, ln, log1p) in include!("logarithms.txt") {
        let (x, ln, log1p): (u64, u64, u64) = (x, ln, log1p);
        assert_eq!(logarithms::ln(f64::from_bits(x)).to_bits(), ln, "ln {x:x}");
        assert_eq!(
            logarithms::log1p(f64::from_bits(x)).to_bits(),
            log1p,
            "log1p {x:x}"
        );
    }
}
