//! Medians, and an interval for the median of ratios that assumes nothing about how times are distributed.

/// A value, and the interval where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What a limit says of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The whole interval is within the limit.
    Met,
    /// The whole interval is beyond it.
    Missed,
    /// The limit lies inside the interval.
    Undecided,
}

/// The middle value, or the mean of the two in the middle; not a number for an empty slice.
pub(super) fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The median, the smallest and the largest.
pub(super) fn range(values: &[f64]) -> Range {
    let sorted = sorted(values);
    let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
    Range { median: median(values), low: end(sorted.first()), high: end(sorted.last()) }
}

/// The median of the ratios of each pair, and where it lies with at least 95 % confidence. The interval is made of order statistics: the true median lies between the
/// k-th smallest and the k-th largest of n values unless fewer than k of n fair coins fall on one side.
pub(super) fn ratio(ours: &[f64], peer: &[f64]) -> Range {
    let ratios = sorted(&ours.iter().zip(peer).map(|(a, b)| a / b).collect::<Vec<_>>());
    let k = rank(ratios.len());
    let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
    Range { median: median(&ratios), low: at(k - 1), high: at(ratios.len().saturating_sub(k)) }
}

/// The largest k with 2 P(B < k) <= 5 % for B binomial (n, 1/2), and at least 1.
fn rank(n: usize) -> usize {
    let mut tail = 0.0;
    let mut term = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut k = 0;
    while k < n {
        tail += term;
        if 2.0 * tail > 0.05 {
            break;
        }
        k += 1;
        term = term * (n - k + 1) as f64 / k as f64;
    }
    k.max(1)
}

impl Range {
    pub(super) fn against(self, limit: f64) -> Verdict {
        if self.high <= limit {
            Verdict::Met
        } else if self.low > limit {
            Verdict::Missed
        } else {
            Verdict::Undecided
        }
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    /// Published ranks of the sign-test interval at 95 %.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (n, k) in [(6, 1), (10, 2), (15, 4), (20, 6), (25, 8), (30, 10), (51, 19)] {
            assert_eq!(rank(n), k, "n = {n}");
        }
    }

    #[test]
    fn a_limit_is_missed_only_beyond_the_whole_interval() {
        let ratio = Range { median: 1.0, low: 0.9, high: 1.1 };
        assert_eq!(ratio.against(1.2), Verdict::Met);
        assert_eq!(ratio.against(1.0), Verdict::Undecided);
        assert_eq!(ratio.against(0.8), Verdict::Missed);
    }

    #[test]
    fn a_ratio_is_taken_pair_by_pair() {
        let peer: Vec<f64> = (1..=15).map(f64::from).collect();
        let ours: Vec<f64> = peer.iter().map(|seconds| seconds / 2.0).collect();
        assert_eq!(ratio(&ours, &peer), Range { median: 0.5, low: 0.5, high: 0.5 });
    }
}
