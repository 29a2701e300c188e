//! Moments in records: RFC 3339 text with an offset, or whole milliseconds since 1970.
use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z in microseconds: what every engine around us can hold.
pub const EARLIEST_US: i64 = -62_135_596_800_000_000;
pub const LATEST_US: i64 = 253_402_300_799_999_999;

/// A moment that tables can hold, or None.
pub fn within_calendar(us: i64) -> Option<i64> {
    (EARLIEST_US..=LATEST_US).contains(&us).then_some(us)
}

/// Microseconds since 1970 of RFC 3339 text. Finer digits (nine at most) are cut off towards the past; a second 60 counts
/// as 59. `contract.timestamps.parse_us` reads the same texts in the same way.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    if !looks_like_rfc3339(text.as_bytes()) {
        return None; // jiff reads more forms than RFC 3339 has
    }
    let (local, offset) = text.split_at(text.rfind(['Z', 'z', '+', '-'])?);
    let since_epoch = local.parse::<DateTime>().ok()?.duration_since(EPOCH);
    let us = i64::try_from(since_epoch.as_nanos().div_euclid(1000)).ok()?;
    within_calendar(us - offset_us(offset)?)
}

/// The microseconds of `Z`, or of an offset in the right shape.
fn offset_us(offset: &str) -> Option<i64> {
    let Some((hours, minutes)) = offset.get(1..)?.split_once(':') else {
        return Some(0);
    };
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let us = (hours * 60 + minutes) * 60_000_000;
    (hours < 24 && minutes < 60).then_some(if offset.starts_with('-') { -us } else { us })
}

/// Microseconds since 1970 of milliseconds since 1970.
pub fn from_millis(milliseconds: i64) -> Option<i64> {
    within_calendar(milliseconds.checked_mul(1000)?)
}

/// RFC 3339 in UTC, as short as it is exact; the bare number outside the calendar.
pub fn format_rfc3339(us: i64) -> String {
    let moment =
        within_calendar(us).and_then(|us| EPOCH.checked_add(SignedDuration::from_micros(us)).ok());
    moment.map_or_else(|| us.to_string(), |moment| format!("{moment}Z"))
}

/// `YYYY-MM-DDTHH:MM:SS`, then maybe a fraction, then `Z` or an offset `+HH:MM`; `t`, `z` and a space pass for `T`, `Z`.
fn looks_like_rfc3339(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |byte: u8, shape: u8| match shape {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        other => byte == other,
    };
    text.len() > SHAPE.len()
        && text
            .iter()
            .zip(SHAPE)
            .all(|(&byte, &shape)| fits(byte, shape))
        && looks_like_offset(after_fraction(&text[SHAPE.len()..]))
}

/// What follows `.123`; nothing when the fraction has no digits.
fn after_fraction(text: &[u8]) -> &[u8] {
    let Some(fraction) = text.strip_prefix(b".") else {
        return text;
    };
    let digits = fraction
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 {
        &[]
    } else {
        &fraction[digits..]
    }
}

fn looks_like_offset(text: &[u8]) -> bool {
    match text {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', m1, m2] if hours.len() == 2 => {
            hours.iter().chain([m1, m2]).all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{EARLIEST_US, LATEST_US, format_rfc3339, from_millis, parse_rfc3339};

    #[test]
    fn rfc3339_with_an_offset_is_a_moment() {
        for text in [
            "2013-01-01T10:00:00Z",
            "2013-01-01t05:00:00-05:00",
            "2013-01-01 15:30:00.000000999+05:30",
        ] {
            assert_eq!(parse_rfc3339(text), Some(1_357_034_400_000_000), "{text}");
        }
        assert_eq!(
            parse_rfc3339("1969-12-31T23:59:59.9999999Z"),
            Some(-1),
            "cut off towards the past"
        );
    }

    #[test]
    fn other_forms_are_none() {
        for text in [
            "",
            "2013-01-01",
            "2013-01-01T10:00:00",
            "2013-01-01T10:00Z",
            "2013-01-01T10:00:00.Z",
            "20130101T100000Z",
            "2013-02-30T10:00:00Z",
            "2013-01-01T25:00:00Z",
            "2013-01-01T10:00:00+0500",
            "2013-01-01T10:00:00Z[UTC]",
            "+002013-01-01T10:00:00Z",
            "2013-01-01T10:00:00+99:00",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_ends_at_the_years_1_and_9999() {
        assert_eq!(parse_rfc3339("0001-01-01T00:00:00Z"), Some(EARLIEST_US));
        assert_eq!(
            parse_rfc3339("9999-12-31T23:59:59.999999Z"),
            Some(LATEST_US)
        );
        assert_eq!(from_millis(253_402_300_800_000), None);
        assert_eq!(from_millis(i64::MAX), None);
        assert_eq!(
            format_rfc3339(1_357_034_400_250_000),
            "2013-01-01T10:00:00.25Z"
        );
    }
}
