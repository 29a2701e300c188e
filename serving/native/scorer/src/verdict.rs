//! From what a row sums up to, to a probability and a label, as H2O's `*MojoModel` do it for binomial models.
use serde::{Deserialize, Serialize};

/// The shares of both classes, negative first: in the table, and as sampling had balanced them for training.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    pub real: [f64; 2],
    pub trained: [f64; 2],
}

impl Balance {
    /// H2O's `correctProbabilities`: the probability of the positive class in the table.
    pub fn corrected(&self, negative: f64, positive: f64) -> f64 {
        let share = |class: usize, scored: f64| match self.real[class] != 0.0
            && self.trained[class] != 0.0
        {
            true => scored * (self.real[class] / self.trained[class]),
            false => scored,
        };
        let (negative, positive) = (share(0, negative), share(1, positive));
        let sum = negative + positive;
        if sum > 0.0 { positive / sum } else { positive }
    }

    pub fn is_sound(&self) -> bool {
        let is_share = |share: &f64| (0.0..=1.0).contains(share);
        self.real.iter().all(is_share) && self.trained.iter().all(is_share)
    }
}

/// GBM: the inverse of the logit link; H2O caps the exponential at 1e19, so that no probability is exactly 0.
pub fn of_gbm(sum: f64, init_f: f64) -> f64 {
    let exp = (-(sum + init_f)).exp();
    1.0 / (1.0 + exp.min(1e19))
}

/// DRF: the trees vote for the negative class; both probabilities, the negative one first.
pub fn of_drf(sum: f64, trees: usize) -> [f64; 2] {
    let negative = sum / trees as f64;
    [negative, 1.0 - negative]
}

/// XGBoost: all in floats but the exponential itself.
pub fn of_xgboost(sum: f32) -> f64 {
    let exp = f64::from(-sum).exp() as f32;
    f64::from(1.0 / (1.0 + exp))
}

/// GLM: the inverse of the logit link.
pub fn of_glm(sum: f64) -> f64 {
    1.0 / ((-sum).exp() + 1.0)
}

/// H2O's label: a probability at the threshold is positive.
pub fn is_positive(probability: f64, threshold: f64) -> bool {
    probability >= threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_at_zero() {
        assert_eq!(of_gbm(0.25, -0.25), 0.5);
    }

    #[test]
    fn never_exactly_zero() {
        assert_eq!(of_gbm(-1e6, 0.0), 1.0 / (1.0 + 1e19));
        assert_eq!(of_gbm(1e6, 0.0), 1.0);
    }

    #[test]
    fn positive_at_the_threshold() {
        assert!(is_positive(0.5, 0.5));
        assert!(!is_positive(0.5f64.next_down(), 0.5));
    }

    #[test]
    fn a_forest_votes_for_the_negative_class() {
        assert_eq!(of_drf(1.0, 4), [0.25, 0.75]);
    }

    #[test]
    fn xgboost_rounds_to_floats() {
        assert_eq!(of_xgboost(0.0), 0.5);
        assert_eq!(of_xgboost(1.0), f64::from(of_xgboost(1.0) as f32));
        assert_eq!(of_xgboost(-200.0), 0.0);
    }

    #[test]
    fn balanced_classes_are_put_back_to_their_shares() {
        let balance = Balance {
            real: [0.8, 0.2],
            trained: [0.5, 0.5],
        };
        assert_eq!(balance.corrected(0.5, 0.5), 0.2);
    }
}
