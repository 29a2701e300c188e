use super::decode;
use crate::fields::{Field, Fields};
use crate::problem::Reason;
use crate::record::Record;
use crate::value::{Type, Value};

fn fields(sensitive: bool) -> Fields {
    let field = |name: &str, kind, required, sensitive| Field {
        name: name.to_owned(),
        kind,
        required,
        sensitive,
        object: false,
    };
    let all = vec![
        field("id", Type::String, false, false),
        field("n", Type::Int, false, false),
        field("x", Type::Double, true, false),
        field("ok", Type::Boolean, false, false),
        field("at", Type::Timestamp, false, false),
        field("secret", Type::String, false, sensitive),
    ];
    Fields::new(all, &["id"]).unwrap()
}

fn with_record(body: &str, check: impl FnOnce(&Record<'_>)) {
    check(&decode(body.as_bytes(), &fields(false)));
}

/// (reason, field, byte) of every problem.
fn problems(body: &[u8]) -> Vec<(Reason, String, Option<usize>)> {
    let found = decode(body, &fields(false)).problems;
    found
        .into_iter()
        .map(|problem| {
            (
                problem.reason,
                problem.field.unwrap_or_default(),
                problem.at_byte,
            )
        })
        .collect()
}

#[test]
fn an_object_stays_its_text_whatever_it_holds() {
    let mut fields = fields(false).all().to_vec();
    fields[5].object = true;
    let fields = Fields::new(fields, &["id"]).unwrap();
    for text in [
        r#"{"a" : 9e9999, "b":"\ud800", "a": [1]}"#.to_owned(),
        format!("{{\"a\":{}{}}}", "[".repeat(3000), "]".repeat(3000)),
    ] {
        let body = format!(r#"{{"id":"a","x":1,"secret": {text} }}"#);
        let record = decode(body.as_bytes(), &fields);
        assert!(record.problems.is_empty(), "{:?}", record.problems);
        assert_eq!(record.values[5], Value::String(text.into()));
    }
    let record = decode(br#"{"id":"a","x":1,"secret":[]}"#, &fields);
    assert_eq!(record.problems[0].detail, "must be an object, not a list");
}

#[test]
fn a_good_record_becomes_typed_values() {
    let body =
        r#" {"id":"aé\n","n":-9223372036854775808,"x":3,"ok":true,"at":"1970-01-01T00:00:01Z"} "#;
    with_record(body, |record| {
        assert!(record.problems.is_empty(), "{:?}", record.problems);
        assert_eq!(record.values[0], Value::String("aé\n".into()));
        assert_eq!(
            record.values[1..5],
            [
                Value::Int(i64::MIN),
                Value::Double(3.0),
                Value::Boolean(true),
                Value::Timestamp(1_000_000)
            ]
        );
        assert_eq!(record.values[5], Value::Null);
        assert_eq!(&*record.stored, body.as_bytes());
    });
}

#[test]
fn every_problem_of_a_record_is_named_with_its_place() {
    let found = problems(br#"{"n": 1.5, "ok": "yes", "at": "today", "n": 2}"#);
    assert_eq!(
        found,
        [
            (Reason::WrongType, "n".to_owned(), Some(6)),
            (Reason::WrongType, "ok".to_owned(), Some(17)),
            (Reason::WrongType, "at".to_owned(), Some(30)),
            (Reason::Missing, "id".to_owned(), None),
            (Reason::Missing, "x".to_owned(), None),
        ]
    );
}

#[test]
fn a_field_that_is_there_twice_is_refused_even_when_escaped_and_equal() {
    let found = problems(br#"{"id":"a","x":1,"\u0078":1}"#);
    assert_eq!(found, [(Reason::DuplicateField, "x".to_owned(), Some(25))]);
}

#[test]
fn what_is_not_json_says_where() {
    assert_eq!(
        problems(b"{\"id\": \"a\",\n \"x\": nul}"),
        [(Reason::NotJson, String::new(), Some(21))]
    );
    assert_eq!(
        problems(b"{\"id\": \"a\xff\"}"),
        [(Reason::NotJson, String::new(), Some(9))]
    );
    for body in [
        "",
        "{",
        "{}{}",
        "{\"x\":01}",
        "{\"x\":NaN}",
        "{'x':1}",
        "{\"x\":1,}",
        "{\"x\":\"\t\"}",
        "[1",
    ] {
        assert_eq!(problems(body.as_bytes())[0].0, Reason::NotJson, "{body}");
    }
}

#[test]
fn json_that_is_no_object_says_so() {
    for body in ["[1]", " 3", "\"{}\"", "null", "true"] {
        assert_eq!(
            problems(body.as_bytes())[0].0,
            Reason::NotAnObject,
            "{body}"
        );
    }
}

#[test]
fn numbers_out_of_range_and_of_the_wrong_kind_are_refused() {
    for (field, value) in [
        ("n", "9223372036854775808"),
        ("n", "1.0"),
        ("n", "1e3"),
        ("n", "\"1\""),
        ("n", "true"),
        ("x", "1e999"),
        ("x", "\"1\""),
        ("ok", "1"),
        ("at", "1.5"),
        ("at", "253402300800000"),
        ("at", "\"2013-01-01T00:00:00\""),
        ("id", "1"),
        ("id", "{}"),
        ("id", r#""\ud800""#),
    ] {
        let body = if field == "x" {
            format!("{{\"id\":\"a\",\"x\":{value}}}")
        } else if field == "id" {
            format!("{{\"id\":{value},\"x\":1}}")
        } else {
            format!("{{\"id\":\"a\",\"x\":1,\"{field}\":{value}}}")
        };
        let found = problems(body.as_bytes());
        assert_eq!(
            (found.len(), found[0].0, found[0].1.as_str()),
            (1, Reason::WrongType, field),
            "{body}"
        );
    }
}

#[test]
fn null_is_missing_where_a_field_is_required() {
    assert_eq!(
        problems(br#"{"id":null,"x":1,"n":null}"#),
        [(Reason::Missing, "id".to_owned(), None)]
    );
}

#[test]
fn unknown_fields_are_skipped_and_named() {
    with_record(
        r#"{"id":"a","x":1,"more":{"x":[1,{"n":"z"}]},"N":2}"#,
        |record| {
            assert!(record.problems.is_empty());
            assert_eq!(record.unknown, ["more", "N"]);
        },
    );
}

#[test]
fn a_sensitive_field_is_decoded_but_not_stored() {
    let body = br#"{"id":"a", "s\u0065cret" : "x", "x":1.50, "more":[1, 2]}"#;
    let fields = fields(true);
    let record = decode(body, &fields);
    assert_eq!(record.values[5], Value::String("x".into()));
    assert_eq!(&*record.stored, br#"{"id":"a","x":1.50,"more":[1, 2]}"#);
}

#[test]
fn no_problem_repeats_a_value() {
    for body in [
        &br#"{"secret":123456789}"#[..],
        br#"{"secret":"123456789"#,
        br#"{"secret":"a","secret":"123456789"}"#,
    ] {
        let fields = fields(true);
        let record = decode(body, &fields);
        assert!(
            record
                .problems
                .iter()
                .all(|problem| !problem.to_string().contains("123456789"))
        );
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = format!(
        "{{\"id\":\"a\",\"x\":1,\"more\":{}{}}}",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert!(problems(deep.as_bytes()).is_empty());
    let open = format!("{{\"n\":{}", "{\"a\":".repeat(500_000));
    assert_eq!(problems(open.as_bytes())[0].0, Reason::NotJson);
}

#[test]
fn a_record_above_the_limit_is_too_large() {
    let body = vec![b' '; super::MAX_RECORD_BYTES + 1];
    assert_eq!(problems(&body)[0].0, Reason::TooLarge);
}

/// Two hundred thousand records with bytes changed, cut and doubled: none panics, all are bounded.
#[test]
fn hostile_bodies_never_panic() {
    let good = br#"{"id":"a\u00e9","n":12,"x":1.5e3,"ok":false,"at":"2013-01-01T05:00:00.5-05:00","secret":null,"z":[{}]}"#;
    let alphabet = b"{}[]\",:\\u0e.+-tfn \n\xff\x00\xc3";
    let (public, private) = (fields(false), fields(true));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..200_000 {
        let mut body = good.to_vec();
        for _ in 0..=next(4) {
            let at = next(body.len());
            match next(4) {
                0 => body[at] = alphabet[next(alphabet.len())],
                1 => body.insert(at, alphabet[next(alphabet.len())]),
                2 => drop(body.drain(at..(at + next(8)).min(body.len()))),
                _ => body.extend_from_within(at..(at + next(16)).min(body.len())),
            }
            body.push(b' ');
        }
        for fields in [&public, &private] {
            let record = decode(&body, fields);
            assert!(record.problems.len() <= fields.all().len());
            assert!(
                record
                    .problems
                    .iter()
                    .all(|problem| problem.at_byte.is_none_or(|at| at <= body.len()))
            );
        }
    }
}
