//! What a touchpoint shows by itself: the rules that could match, and one bit per test.

use std::cell::OnceCell;

use crate::{
    engine::{
        rules::{
            Alone, Expression, HistoryTest, KindIx, Leaves, PathIx, RuleSet, Truth, ValueTest,
            feels, spec::Comparison,
        },
        state::Candidate,
        text::{Lexicon, Reading},
    },
    model::{Actor, Channel, EventTime, MicroMoment, Property},
};

/// Looks up captured property values.
pub(crate) trait Values {
    /// Returns the values of a path; none where it is absent.
    fn values(&self, path: PathIx) -> &[Property<'_>];

    /// Reads the first value of a path as a promised instant.
    fn promise(&self, path: PathIx, bare_date_ends: bool) -> Option<EventTime>;
}

/// A touchpoint as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a, V> {
    pub(crate) event: &'a str,
    pub(crate) channel: Channel,
    /// Its name, known or not.
    pub(crate) channel_name: &'a str,
    /// Config knows the channel.
    pub(crate) channel_known: bool,
    pub(crate) actor: Actor,
    /// The kind of episode that a derived touchpoint comes from.
    pub(crate) episode: Option<KindIx>,
    pub(crate) words: &'a Words<'a>,
    pub(crate) values: &'a V,
}

/// What the customer wrote, read at most once.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    text: Option<&'a str>,
    lexicon: &'a Lexicon,
    reading: OnceCell<Reading>,
    /// What is sought in the first property that was asked so: packs ask one, once for each intent.
    sought: OnceCell<(PathIx, Vec<MicroMoment>)>,
}

impl<'a> Words<'a> {
    pub(crate) const fn new(text: Option<&'a str>, lexicon: &'a Lexicon) -> Self {
        Self { text, lexicon, reading: OnceCell::new(), sought: OnceCell::new() }
    }

    /// Returns it as it was written.
    pub(crate) const fn text(&self) -> Option<&'a str> {
        self.text
    }

    fn reading(&self) -> &Reading {
        self.reading
            .get_or_init(|| self.text.map_or(Reading::NOTHING, |text| self.lexicon.read(text)))
    }

    /// Returns whether the words of a property seek one of these.
    fn seek(&self, path: PathIx, values: &[Property<'_>], wanted: &[MicroMoment]) -> bool {
        let sought = || -> Vec<MicroMoment> {
            let texts = values.iter().filter_map(|value| match value {
                Property::Text(text) => Some(&**text),
                Property::Number(_) | Property::Flag(_) => None,
            });
            texts.flat_map(|text| self.lexicon.sought(text)).collect()
        };
        let (first, found) = self.sought.get_or_init(|| (path, sought()));
        let is_among = |found: &[MicroMoment]| wanted.iter().any(|one| found.contains(one));
        if *first == path { is_among(found) } else { is_among(&sought()) }
    }

    /// Returns what some rule asked for and was found.
    pub(crate) fn heard(self) -> Option<Reading> {
        self.reading.into_inner().filter(|reading| !reading.words.is_empty())
    }
}

/// Appends the rules that match, or would if the history agreed, in order.
pub(crate) fn examine<V: Values>(
    rules: &RuleSet,
    subject: &Subject<'_, V>,
    candidates: &mut Vec<Candidate>,
) {
    for &index in rules.candidates(subject.event) {
        let Some(rule) = rules.rule(index) else { continue };
        if rule.when.truth(&Alone1(subject)) == Truth::False {
            continue;
        }
        if rule.label.reason_from_text {
            subject.words.reading();
        }
        let leaves = if rule.asks_history { bits(&rule.when, subject) } else { 0 };
        let scale = rule.label.scale.as_ref();
        let due = rule.opens.as_ref().and_then(|opens| match opens.due {
            crate::engine::rules::Due::Field { path, bare_date_ends } => {
                subject.values.promise(path, bare_date_ends)
            }
            crate::engine::rules::Due::Never | crate::engine::rules::Due::After(_) => None,
        });
        candidates.push(Candidate {
            rule: index,
            leaves,
            scale: scale
                .map(|scale| scale.read(|path| subject.values.values(path).first()))
                .or_else(|| rule.label.from_text.then(|| subject.words.reading().valence)),
            due,
            matched: false,
        });
    }
}

fn bits<V: Values>(when: &Expression, subject: &Subject<'_, V>) -> u64 {
    let mut bits = 0;
    when.each_alone(&mut |bit, test| {
        if subject.holds(test) {
            bits |= 1_u64.checked_shl(u32::from(bit)).unwrap_or(0);
        }
    });
    bits
}

/// Leaves while the history is not known: it may say anything.
struct Alone1<'s, 'a, V>(&'s Subject<'a, V>);

impl<V: Values> Leaves for Alone1<'_, '_, V> {
    fn alone(&self, _: u8, test: &Alone) -> Truth {
        self.0.holds(test).into()
    }

    fn history(&self, _: &HistoryTest) -> Truth {
        Truth::Unknown
    }
}

impl<V: Values> Subject<'_, V> {
    pub(crate) fn holds(&self, test: &Alone) -> bool {
        match test {
            Alone::Event(names) => names.iter().any(|name| **name == *self.event),
            Alone::EventLike(pattern) => pattern.is_match(self.event),
            Alone::ChannelLike(pattern) => pattern.is_match(self.channel_name),
            Alone::Channel(channels, other) => {
                channels.contains(&self.channel) || (*other && !self.channel_known)
            }
            Alone::Actor(actors) => actors.contains(&self.actor),
            Alone::Episode(kinds) => self.episode.is_some_and(|kind| kinds.contains(&kind)),
            Alone::Property(path, ValueTest::Seeks(_, wanted)) => {
                self.words.seek(*path, self.values.values(*path), wanted)
            }
            Alone::Property(path, test) => test.holds(self.values.values(*path)),
            Alone::Text(ValueTest::Feels(_, valences, about)) => {
                feels(self.words.reading(), valences, about)
            }
            Alone::Text(test) => match self.words.text() {
                Some(words) => test.holds(&[Property::Text(words.into())]),
                None => test.holds(&[]),
            },
            Alone::Compare(left, is, right) => {
                let pair = (self.values.values(*left).first(), self.values.values(*right).first());
                let (Some(left_value), Some(right_value)) = pair else { return false };
                self.compare((*left, left_value), *is, (*right, right_value))
            }
            Alone::Rated(scale, valences) => {
                let felt = scale.read(|path| self.values.values(path).first());
                valences.contains(&felt)
            }
        }
    }

    fn compare(
        &self,
        (left_path, left): (PathIx, &Property<'_>),
        is: Comparison,
        (right_path, right): (PathIx, &Property<'_>),
    ) -> bool {
        use crate::engine::rules::number_of;
        let times = || {
            let left = self.values.promise(left_path, false)?;
            Some(left.cmp(&self.values.promise(right_path, false)?))
        };
        let numbers = number_of(left).zip(number_of(right));
        let ordering = numbers.map(|(left, right)| left.total_cmp(&right)).or_else(times);
        let Some(ordering) = ordering else {
            // What is neither two numbers nor two times can be the same or not, but not less.
            return (is == Comparison::Equal && left == right)
                || (is == Comparison::NotEqual && left != right);
        };
        match is {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::AtLeast => ordering.is_ge(),
        }
    }
}
