//! What goes wrong by chance: every pain that the simulation causes starts here.
//!
//! One list, so that a spike can raise the rate of any of them, and so that the help text can name
//! them all.

/// Something that hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfortune {
    /// The bank says no.
    PaymentFailed,
    /// The app is gone in the middle of something.
    AppCrashed,
    /// A button that does nothing is clicked again and again.
    RageClicked,
    /// The brand cannot deliver what it sold.
    CancelledByBrand,
    /// The parcel misses its promise. It hurts when the promise passes, not when the van turns
    /// round: up to a day after the attempt that failed.
    LateDelivery,
    /// The parcel comes, but damaged; the rating at the door says so.
    BadDelivery,
    /// The agent is rude; the survey afterwards says so.
    RudeAgent,
    /// The product is not what the shop said; the review says so.
    NotAsDescribed,
}

/// The keys that a spike may name, for people.
pub const PAIN_KEYS: [&str; 10] = [
    "web/payment_failed",
    "app/payment_failed",
    "app/app_crashed",
    "web/rage_clicked",
    "app/rage_clicked",
    "web/order_cancelled",
    "delivery/order_delivered",
    "delivery/survey_answered",
    "call_center/survey_answered",
    "review_site/review_submitted",
];

impl Misfortune {
    /// Returns the event that shows it.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::PaymentFailed => "payment_failed",
            Self::AppCrashed => "app_crashed",
            Self::RageClicked => "rage_clicked",
            Self::CancelledByBrand => "order_cancelled",
            Self::LateDelivery => "order_delivered",
            Self::BadDelivery | Self::RudeAgent => "survey_answered",
            Self::NotAsDescribed => "review_submitted",
        }
    }

    /// Returns how often it happens when it could: a fair shop, neither a saint nor a scandal.
    pub(super) const fn probability(self) -> f64 {
        match self {
            Self::PaymentFailed => 0.06,
            Self::AppCrashed => 0.012,
            Self::RageClicked => 0.006,
            Self::CancelledByBrand => 0.02,
            Self::LateDelivery => 0.08,
            Self::BadDelivery | Self::NotAsDescribed => 0.07,
            Self::RudeAgent => 0.15,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_key_and_how_often() {
        let page = include_str!("../../docs/generate.md");
        for key in PAIN_KEYS {
            let row = page.lines().find(|line| line.contains(&format!("`{key}`"))).unwrap();
            let event = key.split_once('/').unwrap().1;
            let told = [
                Misfortune::PaymentFailed,
                Misfortune::AppCrashed,
                Misfortune::RageClicked,
                Misfortune::CancelledByBrand,
                Misfortune::LateDelivery,
                Misfortune::BadDelivery,
                Misfortune::RudeAgent,
                Misfortune::NotAsDescribed,
            ]
            .into_iter()
            .filter(|misfortune| misfortune.event() == event)
            .any(|misfortune| {
                let percent = format!("{:.1}", misfortune.probability() * 100.0);
                row.contains(&format!("| {} %", percent.trim_end_matches(".0")))
            });
            assert!(told, "{row}");
        }
    }
}
