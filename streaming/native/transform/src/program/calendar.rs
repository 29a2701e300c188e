//! Parts of timestamps in UTC, and moving them. A timestamp counts microseconds since 1970.
use crate::value::Value;

const DAY: i64 = 86_400_000_000;

pub(super) fn part<'a>(moment: &Value<'a>, of: fn(i64) -> i64) -> Value<'a> {
    if let Value::Timestamp(moment) = moment {
        Value::Int(of(*moment))
    } else {
        Value::Null
    }
}

pub(super) fn hour(moment: i64) -> i64 {
    moment.rem_euclid(DAY) / 3_600_000_000
}

pub(super) fn minute(moment: i64) -> i64 {
    moment.rem_euclid(DAY) / 60_000_000 % 60
}

/// 1 is Sunday, 7 Saturday.
pub(super) fn dayofweek(moment: i64) -> i64 {
    (moment.div_euclid(DAY) + 4).rem_euclid(7) + 1 // 1970-01-01 was a Thursday
}

pub(super) fn month(moment: i64) -> i64 {
    date(moment.div_euclid(DAY)).1
}

/// Moves a timestamp by microseconds; NULL beyond what a timestamp holds.
pub(super) fn shift<'a>(
    moment: &Value<'a>,
    by: &Value<'a>,
    f: fn(i64, i64) -> Option<i64>,
) -> Value<'a> {
    let (Value::Timestamp(moment), Value::Int(by)) = (moment, by) else {
        return Value::Null;
    };
    f(*moment, *by).map_or(Value::Null, Value::Timestamp)
}

/// From `start` to `end` in whole units of `unit` microseconds, towards zero.
pub(super) fn difference<'a>(start: &Value<'a>, end: &Value<'a>, unit: &Value<'a>) -> Value<'a> {
    let (Value::Timestamp(start), Value::Timestamp(end), Value::Int(unit)) = (start, end, unit)
    else {
        return Value::Null;
    };
    let micros = i128::from(*end) - i128::from(*start);
    let whole = micros
        .checked_div(i128::from(*unit))
        .and_then(|whole| i64::try_from(whole).ok());
    whole.map_or(Value::Null, Value::Int)
}

/// The proleptic Gregorian date (year, month, day) of a day since 1970.
///
/// Years are counted from March, so that the leap day is the last, in eras of 400 years.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    let since_0000_03_01 = day + 719_468;
    let era = since_0000_03_01.div_euclid(146_097);
    let of_era = since_0000_03_01.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March
    let day = of_year - (153 * month + 2) / 5 + 1;
    let january_or_february = i64::from(month >= 10);
    (
        era * 400 + year + january_or_february,
        (month + 2) % 12 + 1,
        day,
    )
}

/// The day since 1970 of a date; None where there is no such date.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let from_march = (month + 9) % 12;
    let year = year - i64::from(month <= 2);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(
        year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
            - 719_468,
    )
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
