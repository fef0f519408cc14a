//! Figures out of Rega's own metrics.

/// The buckets of a histogram: upper bound and how many were below it.
#[derive(Clone, Debug)]
pub(crate) struct Buckets(Vec<(f64, f64)>);

impl Buckets {
    /// Reads a histogram without labels from `/metrics`.
    pub(crate) fn read(metrics: &str, name: &str) -> Self {
        let prefix = format!("{name}_bucket{{le=\"");
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            Some((bound, count.trim().parse().ok()?))
        };
        let buckets: Vec<(f64, f64)> = metrics.lines().filter_map(bucket).collect();
        assert!(!buckets.is_empty(), "there is no {name}");
        Self(buckets)
    }

    /// Returns what came since an earlier look.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let pairs = self.0.iter().zip(&before.0);
        Self(pairs.map(|((bound, now), (_, then))| (*bound, now - then)).collect())
    }

    pub(crate) fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, count)| *count)
    }

    /// Returns a quantile as Prometheus would: interpolated within its bucket.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = self.count() * share;
        let (mut lower, mut below) = (0.0, 0.0);
        for (bound, count) in &self.0 {
            if wanted <= *count {
                let part = if below < *count { (wanted - below) / (count - below) } else { 1.0 };
                return if bound.is_finite() { lower + (bound - lower) * part } else { lower };
            }
            (lower, below) = (*bound, *count);
        }
        lower
    }
}
