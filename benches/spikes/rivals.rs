//! What else one would do: three usual alarms, on the one series that is struck. And what nobody can
//! do: the detector's own evidence with the true rate known.

/// Minutes that are looked at together.
const WINDOW: usize = 5;

/// Minutes after an alarm in which there is no other: as an alert that is grouped.
const PAUSE: i64 = 180;

/// False alarms that the thresholds may have, a week: the detector's budget.
const BUDGET: f64 = 1.0;

/// Touchpoints and pains by minute.
#[derive(Debug, Default)]
pub(crate) struct Series {
    exposure: Vec<f64>,
    pains: Vec<f64>,
    /// What nobody knows: how many pains were to be expected.
    expected: Vec<f64>,
}

impl Series {
    pub(crate) fn push(&mut self, exposure: u32, pains: u32, expected: f64) {
        self.exposure.push(exposure.into());
        self.pains.push(pains.into());
        self.expected.push(expected);
    }

    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.pains.len()).unwrap()
    }

    /// Sums of the windows that end at each minute.
    fn windows(values: &[f64]) -> Vec<f64> {
        let mut sum = 0.0;
        let mut windows = Vec::with_capacity(values.len());
        for (minute, value) in values.iter().enumerate() {
            sum += value;
            if WINDOW <= minute {
                sum -= values[minute - WINDOW];
            }
            windows.push(sum);
        }
        windows
    }
}

/// A usual alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    /// The pain rate of five minutes is above a number.
    Static,
    /// The pains of five minutes are so many standard deviations above the day before.
    ZScore,
    /// The same against the same five minutes of seven days, the last two left out.
    EarsC2,
    /// The log likelihood ratio of three times the true rate: how good one could be at best.
    Oracle,
}

impl Rival {
    pub(crate) const ALL: [Self; 4] = [Self::Static, Self::ZScore, Self::EarsC2, Self::Oracle];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Static => "static rate",
            Self::ZScore => "rolling z-score",
            Self::EarsC2 => "EARS C2",
            Self::Oracle => "(true rate known)",
        }
    }

    /// Returns the statistic of every minute.
    fn statistic(self, series: &Series) -> Vec<f64> {
        let pains = Series::windows(&series.pains);
        let exposure = Series::windows(&series.exposure);
        match self {
            // At least five pains, as the detector asks for; else one pain at night is a rate of 1.
            Self::Static => pains
                .iter()
                .zip(&exposure)
                .map(|(pains, exposure)| if *pains < 5.0 { 0.0 } else { pains / exposure.max(1.0) })
                .collect(),
            Self::ZScore => rolling(&pains),
            Self::EarsC2 => ears(&pains),
            Self::Oracle => evidence(&series.pains, &series.expected),
        }
    }

    /// Returns the minutes of alarms.
    pub(crate) fn alarms(self, series: &Series, threshold: f64, from: i64) -> Vec<i64> {
        let mut alarms: Vec<i64> = Vec::new();
        for (minute, value) in (0..).zip(self.statistic(series)) {
            let again = alarms.last().is_some_and(|last| minute < *last + PAUSE);
            if from <= minute && threshold < value && !again {
                alarms.push(minute);
            }
        }
        alarms
    }

    /// Returns the lowest threshold that keeps within the budget in these quiet weeks.
    pub(crate) fn threshold_for(self, quiets: &[Series], from: i64) -> f64 {
        let weeks: f64 =
            quiets.iter().map(|series| crate::outcome::weeks(series.len() - from)).sum();
        let mut values: Vec<f64> =
            quiets.iter().flat_map(|series| self.statistic(series)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let within = |threshold: f64| {
            let alarms = quiets.iter().map(|series| self.alarms(series, threshold, from).len());
            let alarms: usize = alarms.sum();
            f64::from(u32::try_from(alarms).unwrap()) <= BUDGET * weeks
        };
        let position = values.partition_point(|threshold| !within(*threshold));
        values.get(position).copied().unwrap_or(f64::MAX)
    }
}

/// Against the mean and the deviation of the day before, the last half hour left out.
fn rolling(windows: &[f64]) -> Vec<f64> {
    let (day, guard) = (1440, 30);
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut scores = Vec::with_capacity(windows.len());
    for minute in 0..windows.len() {
        if guard <= minute {
            let new = windows[minute - guard];
            sum += new;
            squares += new * new;
        }
        if day + guard <= minute {
            let old = windows[minute - guard - day];
            sum -= old;
            squares -= old * old;
            let mean = sum / 1440.0;
            let deviation = (squares / 1440.0 - mean * mean).max(0.0).sqrt().max(0.5);
            scores.push((windows[minute] - mean) / deviation);
        } else {
            scores.push(0.0);
        }
    }
    scores
}

fn ears(windows: &[f64]) -> Vec<f64> {
    let score = |minute: usize| {
        let before: Vec<f64> = (3..10)
            .map(|days| minute.checked_sub(days * 1440).map(|at| windows[at]))
            .collect::<Option<_>>()?;
        let mean = before.iter().sum::<f64>() / 7.0;
        let squares = before.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let deviation = (squares / 6.0).sqrt().max(0.5);
        Some((windows[minute] - mean) / deviation)
    };
    (0..windows.len()).map(|minute| score(minute).unwrap_or(0.0)).collect()
}

fn evidence(pains: &[f64], expected: &[f64]) -> Vec<f64> {
    let mut sum = 0.0_f64;
    let minutes = pains.iter().zip(expected);
    let add = |(pains, expected): (&f64, &f64)| {
        sum = (sum + pains * 3.0_f64.ln() - 2.0 * expected).clamp(0.0, 20.0);
        sum
    };
    minutes.map(add).collect()
}
