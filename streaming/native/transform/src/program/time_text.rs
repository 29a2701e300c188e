//! A timestamp from a string, by the rules of Spark's cast (they allow more than RFC 3339).
//!
//! `[+-]yyyy[yy][-m[m][-d[d][( |T)h[h][:m[m][:s[s][.f*][zone]]]]]]`; digits after the sixth of the fraction are cut
//! off. A zone is `Z`, an offset, or `UTC`, `GMT`, `UT` with or without one. Named zones and times without a date
//! give NULL: zones come later, and a time alone would mean today.
use super::calendar;

/// Reads text that has been trimmed; microseconds since 1970, without a zone in UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut rest = Rest(text);
    let sign = if rest.take("-") { -1 } else { 1 };
    if sign == 1 {
        rest.take("+");
    }
    let year = sign * rest.digits(4, 6)?;
    let month = if rest.take("-") {
        rest.digits(1, 2)?
    } else {
        return rest.end(moment(year, 1, 1, 0, 0));
    };
    let day = if rest.take("-") {
        rest.digits(1, 2)?
    } else {
        return rest.end(moment(year, month, 1, 0, 0));
    };
    if !rest.take(" ") && !rest.take("T") {
        return rest.end(moment(year, month, day, 0, 0));
    }
    let hour = below(24, rest.digits(1, 2)?)?;
    let mut of_day = hour * 3_600_000_000;
    if !rest.take(":") {
        return rest.end(moment(year, month, day, of_day, 0));
    }
    of_day += below(60, rest.digits(1, 2)?)? * 60_000_000;
    if !rest.take(":") {
        return rest.end(moment(year, month, day, of_day, 0));
    }
    of_day += below(60, rest.digits(1, 2)?)? * 1_000_000;
    if rest.take(".") {
        of_day += rest.fraction();
    }
    let offset = if rest.0.is_empty() {
        0
    } else {
        zone(rest.0.trim_matches(|c| c <= ' '))?
    };
    moment(year, month, day, of_day, offset)
}

fn moment(year: i64, month: i64, day: i64, of_day: i64, offset: i64) -> Option<i64> {
    let micros = i128::from(calendar::day(year, month, day)?) * 86_400_000_000 + i128::from(of_day);
    i64::try_from(micros - i128::from(offset) * 1_000_000).ok()
}

fn below(limit: i64, value: i64) -> Option<i64> {
    (value < limit).then_some(value)
}

/// Seconds east of UTC.
fn zone(text: &str) -> Option<i64> {
    if text == "Z" || text == "GMT0" {
        return Some(0);
    }
    let names = ["UTC", "GMT", "UT"];
    let after_name = names.iter().find_map(|name| text.strip_prefix(name));
    let mut rest = Rest(after_name.unwrap_or(text));
    let sign = if rest.take("-") {
        -1
    } else if rest.take("+") {
        1
    } else {
        return rest.end(Some(0));
    };
    let seconds = offset(rest)?;
    (seconds <= 18 * 3_600).then_some(sign * seconds)
}

/// `h`, `hh`, `h[h]:m[m]`, `hhmm`, `h[h]:mm:ss` or `hhmmss`.
fn offset(mut rest: Rest<'_>) -> Option<i64> {
    let colons = rest.0.contains(':');
    let hour = rest.digits(if colons || rest.0.len() == 1 { 1 } else { 2 }, 2)?;
    let (mut minute, mut second) = (0, 0);
    if colons {
        rest.take(":").then_some(())?;
        let last = !rest.0.contains(':');
        minute = rest.digits(if last { 1 } else { 2 }, 2)?;
        if !last {
            rest.take(":").then_some(())?;
            second = rest.digits(2, 2)?;
        }
    } else if !rest.0.is_empty() {
        minute = rest.digits(2, 2)?;
        if !rest.0.is_empty() {
            second = rest.digits(2, 2)?;
        }
    }
    rest.end(Some(
        hour * 3_600 + below(60, minute)? * 60 + below(60, second)?,
    ))
}

/// What is left to read.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn take(&mut self, what: &str) -> bool {
        let after = self.0.strip_prefix(what);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    /// Between `least` and `most` digits; a longer run, or a shorter one, is no number.
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let run = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let length = if most == 2 { run.min(2) } else { run };
        let (digits, after) = self.0.split_at(length);
        self.0 = after;
        (least..=most)
            .contains(&length)
            .then(|| digits.parse().ok())?
    }

    /// Microseconds of all digits that follow.
    fn fraction(&mut self) -> i64 {
        let run = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = self.0.split_at(run);
        self.0 = after;
        let kept = format!("{:0<6.6}", digits);
        kept.parse().unwrap_or(0)
    }

    fn end<T>(&self, value: Option<T>) -> Option<T> {
        if self.0.is_empty() { value } else { None }
    }
}
