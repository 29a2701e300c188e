//! What is decided about a question: by a risk tolerance of the model's scorecard (`contract/scorecard.py`), or at the
//! model's own threshold.
use crate::error::{Result, invalid};
use crate::verdict::is_positive;
use serde::Deserialize;
use transform::moment::parse_rfc3339;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Positive,
    Negative,
    Abstain,
}

impl Decision {
    pub fn name(self) -> &'static str {
        match self {
            Decision::Positive => "positive",
            Decision::Negative => "negative",
            Decision::Abstain => "abstain",
        }
    }
}

/// Why an answer abstains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NotFinite,
    BetweenThresholds,
    NotAttainable,
    ToleranceExpired,
}

impl Reason {
    pub fn code(self) -> &'static str {
        match self {
            Reason::NotFinite => "not_finite",
            Reason::BetweenThresholds => "between_thresholds",
            Reason::NotAttainable => "not_attainable",
            Reason::ToleranceExpired => "tolerance_expired",
        }
    }
}

/// What is decided about a question. `tolerance` is what decided; None: the model's own threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict<'a> {
    pub decision: Decision,
    /// Set only with `Abstain`.
    pub reason: Option<Reason>,
    pub tolerance: Option<&'a str>,
    /// Microseconds since 1970; None where the model's scorecard has no such tolerance.
    pub valid_until_us: Option<i64>,
    /// The question is of a later moment than that.
    pub is_expired: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhenExpired {
    Abstain,
    Answer,
}

/// A tolerance's thresholds; a side without one always abstains.
#[derive(Debug, Deserialize)]
struct Tolerance {
    name: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    valid_until: Moment,
    when_expired: WhenExpired,
}

/// Microseconds since 1970, of RFC 3339 text.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Moment(i64);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Moment, String> {
        let moment = parse_rfc3339(&text).map(Moment);
        moment.ok_or_else(|| format!("{text:?} is not a moment"))
    }
}

/// The part of a model's scorecard that decides.
#[derive(Debug, Default, Deserialize)]
pub struct Scorecard {
    default: Option<String>,
    tolerances: Vec<Tolerance>,
}

impl Scorecard {
    /// Refuses thresholds that are no probabilities, and a default that is not there.
    pub fn checked(self) -> Result<Scorecard> {
        let refuse = |what: String| Err(invalid("the manifest's scorecard", what));
        for tolerance in &self.tolerances {
            for threshold in [tolerance.at_least, tolerance.at_most]
                .into_iter()
                .flatten()
            {
                if !(0.0..=1.0).contains(&threshold) {
                    let name = &tolerance.name;
                    return refuse(format!(
                        "the threshold {threshold} of {name} is not in [0, 1]"
                    ));
                }
            }
        }
        match &self.default {
            Some(name) if self.find(name).is_none() => {
                refuse(format!("its default {name} is none of its tolerances"))
            }
            _ => Ok(self),
        }
    }

    /// The tolerances' names, in the order of the pipeline file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tolerances.iter().map(|each| each.name.as_str())
    }

    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Decides by the tolerance that is asked for, else by the default, else at the model's threshold.
    pub fn decide<'a>(
        &'a self,
        probability: f64,
        threshold: f64,
        asked: Option<&'a str>,
        as_of_us: i64,
    ) -> Verdict<'a> {
        let name = asked.or(self.default_name());
        let found = name.and_then(|name| self.find(name));
        let valid_until_us = found.map(|tolerance| tolerance.valid_until.0);
        let is_expired = valid_until_us.is_some_and(|end| as_of_us > end);
        let decided = match (name, found) {
            _ if !probability.is_finite() => Err(Reason::NotFinite),
            (None, _) if is_positive(probability, threshold) => Ok(Decision::Positive),
            (None, _) => Ok(Decision::Negative),
            (_, None) => Err(Reason::NotAttainable),
            (_, Some(tolerance)) => tolerance.decide(probability, is_expired),
        };
        Verdict {
            decision: decided.unwrap_or(Decision::Abstain),
            reason: decided.err(),
            tolerance: name,
            valid_until_us,
            is_expired,
        }
    }

    fn find(&self, name: &str) -> Option<&Tolerance> {
        self.tolerances.iter().find(|each| each.name == name)
    }
}

impl Tolerance {
    /// Where both sides would decide, neither does.
    fn decide(&self, probability: f64, is_expired: bool) -> std::result::Result<Decision, Reason> {
        if self.at_least.is_none() && self.at_most.is_none() {
            return Err(Reason::NotAttainable);
        }
        if is_expired && self.when_expired == WhenExpired::Abstain {
            return Err(Reason::ToleranceExpired);
        }
        let is_high = self.at_least.is_some_and(|least| probability >= least);
        let is_low = self.at_most.is_some_and(|most| probability <= most);
        match (is_high, is_low) {
            (true, false) => Ok(Decision::Positive),
            (false, true) => Ok(Decision::Negative),
            _ => Err(Reason::BetweenThresholds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END_US: i64 = 1_795_521_600_000_000; // 2026-11-24T12:00:00Z

    fn card(default: &str) -> Scorecard {
        let tolerance = |name: &str, thresholds: &str, when: &str| {
            format!(
                r#"{{"name": "{name}", {thresholds}, "valid_until": "2026-11-24T12:00:00.000Z",
                    "when_expired": "{when}", "confidence": 0.95}}"#
            )
        };
        let both = r#""at_least": 0.8, "at_most": 0.1"#;
        let text = format!(
            r#"{{"default": {default}, "calibrate_rows": 3, "tolerances": [{}, {}, {}, {}]}}"#,
            tolerance("careful", both, "abstain"),
            tolerance("lasting", both, "answer"),
            tolerance("strict", r#""at_least": null, "at_most": null"#, "abstain"),
            tolerance("crossed", r#""at_least": 0.3, "at_most": 0.6"#, "abstain"),
        );
        serde_json::from_str::<Scorecard>(&text)
            .unwrap()
            .checked()
            .unwrap()
    }

    fn decided(asked: Option<&str>, probability: f64, as_of_us: i64) -> (&str, Option<&str>) {
        let card = card("null");
        let verdict = card.decide(probability, 0.5, asked, as_of_us);
        assert_eq!(verdict.tolerance, asked);
        (
            verdict.decision.name(),
            verdict.reason.map(|reason| reason.code()),
        )
    }

    #[test]
    fn without_a_tolerance_the_models_threshold_decides() {
        assert_eq!(decided(None, 0.5, END_US + 1), ("positive", None));
        assert_eq!(decided(None, 0.5f64.next_down(), 0), ("negative", None));
    }

    #[test]
    fn a_probability_at_a_threshold_is_trusted_and_one_between_them_is_not() {
        let careful = |probability| decided(Some("careful"), probability, END_US);
        assert_eq!(careful(0.8), ("positive", None));
        assert_eq!(careful(0.1), ("negative", None));
        for between in [0.8f64.next_down(), 0.1f64.next_up()] {
            assert_eq!(careful(between), ("abstain", Some("between_thresholds")));
        }
    }

    #[test]
    fn what_both_sides_claim_neither_gets() {
        assert_eq!(
            decided(Some("crossed"), 0.5, 0),
            ("abstain", Some("between_thresholds"))
        );
        assert_eq!(decided(Some("crossed"), 0.7, 0), ("positive", None));
    }

    #[test]
    fn without_thresholds_and_without_a_card_it_is_not_attainable() {
        for name in ["strict", "unheard_of"] {
            assert_eq!(
                decided(Some(name), 0.99, 0),
                ("abstain", Some("not_attainable"))
            );
        }
    }

    #[test]
    fn after_its_end_a_tolerance_abstains_or_says_so() {
        let later = END_US + 1;
        assert_eq!(
            decided(Some("careful"), 0.9, later),
            ("abstain", Some("tolerance_expired"))
        );
        assert_eq!(decided(Some("lasting"), 0.9, later), ("positive", None));
        let card = card("null");
        for (as_of_us, is_expired) in [(END_US, false), (later, true)] {
            let verdict = card.decide(0.9, 0.5, Some("lasting"), as_of_us);
            assert_eq!(
                (verdict.is_expired, verdict.valid_until_us),
                (is_expired, Some(END_US))
            );
        }
    }

    #[test]
    fn the_default_decides_unless_another_is_asked_for() {
        let card = card("\"careful\"");
        assert_eq!(card.decide(0.6, 0.5, None, 0).tolerance, Some("careful"));
        assert_eq!(
            card.decide(0.6, 0.5, Some("strict"), 0).tolerance,
            Some("strict")
        );
    }

    #[test]
    fn a_figure_that_is_no_number_is_never_trusted() {
        for asked in [None, Some("careful")] {
            assert_eq!(decided(asked, f64::NAN, 0), ("abstain", Some("not_finite")));
        }
    }

    #[test]
    fn a_card_that_cannot_be_is_refused() {
        for (from, to) in [
            ("null,", "\"unheard_of\","),
            ("0.8", "1.8"),
            ("-11-24T", "-13-24T"),
        ] {
            let text = r#"{"default": null, "tolerances": [{"name": "a", "at_least": 0.8, "at_most": null,
                "valid_until": "2026-11-24T12:00:00Z", "when_expired": "abstain"}]}"#;
            let card = serde_json::from_str::<Scorecard>(&text.replacen(from, to, 1));
            assert!(card.is_err() || card.unwrap().checked().is_err(), "{to}");
        }
    }
}
