//! The closed vocabulary: one spelling for rule files, output records and metric labels alike.

/// Declares a closed vocabulary: an enum with `ALL`, `as_str`, `parse` and `index`.
macro_rules! vocabulary {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the name used in rule files, output records and metric labels alike.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns the variant of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// Returns the position in [`Self::ALL`], as state rows store it: variants are only
            /// ever added at the end.
            #[expect(clippy::as_conversions, reason = "a fieldless `repr(u8)` enum is its index")]
            pub const fn index(self) -> usize {
                self as usize
            }

            /// Returns the variant at that position.
            pub fn from_index(index: usize) -> Option<Self> {
                Self::ALL.get(index).copied()
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// The intent of this instant.
    MicroMoment {
        /// No intent shown, or none known.
        None = "none",
        /// "I need inspiration."
        Ideas = "ideas",
        /// "I want to learn."
        Know = "know",
        /// "I want a place, stock or opening hours near me."
        Go = "go",
        /// "This or that?"
        Compare = "compare",
        /// A decision for later: wish list, saved cart, price alert.
        Plan = "plan",
        /// "I am purchasing."
        Buy = "buy",
        /// "How do I do it, or use it?"
        Do = "do",
    }
}

vocabulary! {
    /// Which promise of the brand a touchpoint tested.
    MomentOfTruth {
        /// None of them.
        None = "none",
        /// A need awakes, no search yet ("less than zero").
        Stimulus = "stimulus",
        /// The customer seeks before meeting the product.
        Zero = "zero",
        /// The customer meets the product and decides.
        First = "first",
        /// The wait between purchase and receipt.
        Actual = "actual",
        /// The customer uses the product.
        Second = "second",
        /// The customer tells the brand or others about it.
        Ultimate = "ultimate",
    }
}

vocabulary! {
    /// Where in the funnel a touchpoint stands. The funnel is not linear.
    Stage {
        /// Outside the funnel.
        None = "none",
        /// Learns that the brand exists.
        Awareness = "awareness",
        /// Weighs it.
        Consideration = "consideration",
        /// Buys, pays, waits for it.
        Purchase = "purchase",
        /// Uses it, comes back.
        Loyalty = "loyalty",
        /// Speaks for it.
        Advocacy = "advocacy",
    }
}

vocabulary! {
    /// How it was for the customer.
    Valence {
        /// Neither.
        Neutral = "neutral",
        /// Unpleasant; invites complaint.
        Pain = "pain",
        /// Above and beyond.
        Glory = "glory",
        /// A pain made good by an act beyond the fix.
        Recovered = "recovered",
        /// Evidence without a scale: counted, never guessed.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// Who acted.
    Actor {
        /// The customer.
        Customer = "customer",
        /// The brand: mail sent, coupon issued, an agent's act.
        Brand = "brand",
        /// A machine: carrier scan, derived touchpoint.
        System = "system",
    }
}

vocabulary! {
    /// How bad a pain is.
    Severity {
        /// Friction: rage click, form error. Opens no pain episode and calls nobody.
        Friction = "1",
        /// Failure: late, failed payment, missed visit.
        Failure = "2",
        /// Breach: rude, lost, overcharged.
        Breach = "3",
    }
}

impl Severity {
    /// Returns 1, 2 or 3: the number in output records and the weight in `balance`.
    pub const fn weight(self) -> u8 {
        match self {
            Self::Friction => 1,
            Self::Failure => 2,
            Self::Breach => 3,
        }
    }
}

vocabulary! {
    /// What a valence rests on.
    Evidence {
        /// What the customer did.
        Behaviour = "behaviour",
        /// The customer said so on a scale.
        Expressed = "expressed",
        /// What the operation did or failed to do.
        Operational = "operational",
        /// The customer's own words.
        Text = "text",
        /// Channel and name words only.
        Guess = "guess",
    }
}

vocabulary! {
    /// What gave a touchpoint its labels.
    LabelledBy {
        /// Nothing knew this event.
        None = "none",
        /// Words of its channel and name. Never pain, glory or points.
        Guess = "guess",
        /// At least one rule.
        Rule = "rule",
    }
}

vocabulary! {
    /// A way of being engaged. Each is scored from 0 to 100.
    Track {
        /// Reaches what they need, when and where.
        Access = "access",
        /// Reacts: opens, clicks, comments, rates.
        Engage = "engage",
        /// Makes it theirs.
        Customize = "customize",
        /// Joins others.
        Connect = "connect",
        /// Builds with the brand.
        Collaborate = "collaborate",
    }
}

vocabulary! {
    /// How engaged a customer is, in four bands and one warning.
    Band {
        /// Overall score below 10.
        Dormant = "dormant",
        /// From 10.
        Casual = "casual",
        /// From 35.
        Active = "active",
        /// From 65, with a balance of at least 0 and no open pain of severity 2 or more.
        Champion = "champion",
        /// A champion's score without a champion's peace of mind.
        AtRisk = "at_risk",
    }
}

vocabulary! {
    /// What a step in the funnel was.
    TransitionKind {
        /// The first stage ever.
        Enter = "enter",
        /// One stage deeper.
        Advance = "advance",
        /// Over at least one stage, deeper.
        Skip = "skip",
        /// Back to an earlier stage.
        Regress = "regress",
        /// Into the funnel again after a lapse.
        ReEnter = "re_enter",
        /// Out of it: absent for too long.
        Lapse = "lapse",
    }
}

vocabulary! {
    /// How an episode ended.
    EpisodeOutcome {
        /// The closing touchpoint came in time, or there was no deadline.
        Closed = "closed",
        /// The closing touchpoint came after the deadline.
        ClosedLate = "closed_late",
        /// A pain that a plain fix ended.
        Resolved = "resolved",
        /// A pain made good by an act beyond the fix.
        Recovered = "recovered",
        /// A pain whose deadline passed.
        Unrecovered = "unrecovered",
        /// Pushed out: more episodes open than one customer may have.
        Evicted = "evicted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_variant() {
        for &stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
            assert_eq!(Stage::from_index(stage.index()), Some(stage));
        }
        assert_eq!(Stage::parse("Awareness"), None);
    }
}
