//! Finding known phrases in a folded text, and the languages it is in.
//!
//! Every list is tried. Where a phrase means different things in two languages of one script ("no"
//! denies in Spanish, and is "in the" in Portuguese), the language that knows most of the text
//! decides; others count as present if they know words that it does not. Words of feeling are taken
//! from absent languages too, where no present one knows the phrase.

use super::{
    fold::{Break, Folded, Script, Token},
    lexicon::{Entry, Intents, LanguageIx, Lexicon, PHRASE_MAX, Role, join},
};
use crate::model::MicroMoment;

/// A language counts as present beside the main one if it knows so many words that the main one
/// does not: one may be chance.
const PRESENT_MIN: usize = 2;

/// A word has at most so many prefixes before it: Arabic "wa-bi-l-", Hebrew "ve-she-ha-".
const PREFIX_MAX: usize = 3;

/// Takes the end, the entries and the intents of a phrase.
type Found<'l, 'f> = dyn FnMut(usize, &'l [Entry], Intents) + 'f;

/// The words of a phrase so far.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    /// The word to be read.
    next: usize,
    only: Only,
}

/// The language whose prefixes or endings were left out; the same letters left out of a word of another
/// language give a word that nobody wrote.
type Only = Option<LanguageIx>;

/// A phrase in the text: its words, and what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit<'l> {
    pub(super) start: usize,
    /// The first word behind it.
    pub(super) end: usize,
    pub(super) entry: &'l Entry,
}

impl Hit<'_> {
    /// Returns whether it means something by itself.
    fn says(&self) -> bool {
        let role = &self.entry.role;
        role.feels().map_or(!matches!(role, Role::Plain), |feels| feels.weight != 0)
    }
}

impl Lexicon {
    /// Returns the phrases that count, in the order of the text.
    pub(super) fn find(&self, folded: &Folded) -> Vec<Hit<'_>> {
        let mut all: Vec<Vec<Hit<'_>>> = Vec::with_capacity(folded.tokens.len());
        for start in 0..folded.tokens.len() {
            let mut here = Vec::new();
            self.phrases_at(folded, start, &mut |end, entries, _| {
                here.extend(entries.iter().map(|entry| Hit { start, end, entry }));
            });
            all.push(here);
        }
        let present = self.present(folded, &all);
        let mut hits = Vec::new();
        let mut position = 0;
        while let Some(here) = all.get(position) {
            let best = best_of(here, &present);
            position = best.map_or(position + 1, |hit| hit.end);
            hits.extend(best);
        }
        hits
    }

    /// Returns what the words of a query seek.
    pub(super) fn intents(&self, folded: &Folded) -> impl Iterator<Item = MicroMoment> + use<> {
        let mut found = Vec::new();
        for start in 0..folded.tokens.len() {
            self.phrases_at(folded, start, &mut |_, _, intents| found.extend(intents.iter()));
        }
        found.into_iter()
    }

    /// Calls `found` with every known phrase that begins with that word.
    fn phrases_at<'l>(&'l self, folded: &Folded, start: usize, found: &mut Found<'l, '_>) {
        let mut key = String::new();
        self.extend(folded, Span { start, next: start, only: None }, &mut key, found);
    }

    /// Looks up the phrase so far with each way to read the next word, and goes on where longer
    /// phrases begin so.
    fn extend<'l>(
        &'l self,
        folded: &Folded,
        Span { start, next, only: so_far }: Span,
        key: &mut String,
        found: &mut Found<'l, '_>,
    ) {
        let Some(token) = folded.tokens.get(next) else { return };
        let broken = start < next && token.after != Break::Space;
        let other_script =
            folded.tokens.get(start).is_none_or(|first| first.script != token.script);
        if PHRASE_MAX <= next - start || broken || other_script {
            return;
        }
        let length = key.len();
        for (word, own) in self.readings(folded, token) {
            let only = so_far.or(own);
            if own.is_some() && only != own {
                continue;
            }
            join(key, word, token.script);
            let mut goes_on = false;
            if let Some((entries, intents, begins)) = self.phrase(key) {
                found(next + 1, of(entries, only), intents);
                goes_on = begins;
            }
            if token.script == Script::Arabic {
                self.without_endings(key, next + 1, only, found);
            }
            if goes_on {
                self.extend(folded, Span { start, next: next + 1, only }, key, found);
            }
            key.truncate(length);
        }
    }

    /// Persian and Arabic words take endings: each language's are tried where it does not know the word
    /// alone.
    fn without_endings<'l>(&'l self, key: &str, end: usize, only: Only, found: &mut Found<'l, '_>) {
        for (language, grammar) in (0..LanguageIx::MAX).zip(self.languages()) {
            let own = Some(language);
            let known = |key: &str| {
                self.phrase(key).is_some_and(|(entries, intents, _)| {
                    !of(entries, own).is_empty() || !intents.is_empty()
                })
            };
            let others = only.is_some() && only != own;
            if others || grammar.endings.is_empty() || known(key) {
                continue;
            }
            for ending in &grammar.endings {
                if let Some(stem) = key.strip_suffix(&**ending)
                    && 1 < stem.chars().count()
                    && let Some((entries, intents, _)) = self.phrase(stem)
                {
                    found(end, of(entries, own), intents);
                }
            }
        }
    }

    /// Returns the ways to read a word: as it stands, with held letters once, without an article
    /// before an apostrophe, without the prefixes of a language.
    fn readings<'f>(
        &'f self,
        folded: &'f Folded,
        token: &'f Token,
    ) -> impl Iterator<Item = (&'f str, Only)> {
        let word = folded.text(&token.text);
        let once = token.plain.as_ref().map(|plain| folded.text(plain));
        let elided = token.elided.as_ref().map(|elided| folded.text(elided));
        let written = std::iter::once(word).chain(once).chain(elided).map(|word| (word, None));
        let prefixed = matches!(token.script, Script::Hebrew | Script::Arabic);
        written.chain(self.stems(if prefixed { word } else { "" }))
    }

    /// Returns what is left of a word without what may stand before it in a language.
    fn stems<'f>(&'f self, word: &'f str) -> impl Iterator<Item = (&'f str, Only)> {
        let languages = (0..LanguageIx::MAX).zip(self.languages());
        languages.flat_map(move |(language, grammar)| {
            let mut rest = Some(word);
            let stem = move || {
                let word = rest?;
                rest = grammar
                    .prefixes
                    .iter()
                    .filter_map(|prefix| word.strip_prefix(&**prefix))
                    .find(|stem| 1 < stem.chars().count());
                rest.map(|stem| (stem, Some(language)))
            };
            std::iter::from_fn(stem).take(PREFIX_MAX)
        })
    }

    /// Returns the languages that a text is in, by rank; which of them are present.
    fn present(&self, folded: &Folded, all: &[Vec<Hit<'_>>]) -> Vec<bool> {
        let mut present: Vec<bool> = self.languages().iter().map(|one| one.always).collect();
        for script in [Script::Latin, Script::Hebrew, Script::Arabic] {
            let own = |at: usize| folded.tokens.get(at).is_some_and(|one| one.script == script);
            if !(0..folded.tokens.len()).any(own) {
                continue;
            }
            // Word by word, the languages that know it, a bit each.
            let mut known = vec![0_u64; folded.tokens.len()];
            for hit in all.iter().flatten().filter(|hit| own(hit.start)) {
                let words = known.iter_mut().take(hit.end).skip(hit.start);
                words.for_each(|word| *word |= bit(hit.entry.language));
            }
            let weight = |language: LanguageIx| -> usize {
                let tokens = known.iter().zip(&folded.tokens);
                let tokens = tokens.filter(|(words, _)| **words & bit(language) != 0);
                tokens.map(|(_, token)| token.text.len().min(6)).sum()
            };
            let languages = || (0..LanguageIx::MAX).take(present.len());
            let weights: Vec<usize> = languages().map(weight).collect();
            let Some(&most) = weights.iter().max().filter(|most| 0 < **most) else { continue };
            let main = languages().zip(&weights).find(|(_, weight)| **weight == most);
            let main = main.map_or(0, |(language, _)| bit(language));
            for ((language, weight), present) in
                (0..LanguageIx::MAX).zip(&weights).zip(&mut present)
            {
                let further = |words: &&u64| **words & bit(language) != 0 && **words & main == 0;
                // Of two that know as much, both are present.
                if *weight == most || PRESENT_MIN <= known.iter().filter(further).count() {
                    *present = true;
                }
            }
        }
        present
    }
}

/// Returns the entries of a phrase that count: every language's, or one's. What a search seeks is not
/// kept by language, and always counts.
fn of(entries: &[Entry], only: Only) -> &[Entry] {
    let Some(only) = only else { return entries };
    let place = entries.iter().position(|entry| entry.language == only);
    place.and_then(|place| entries.get(place..=place)).unwrap_or_default()
}

/// Returns the bit of a language; more than 64 are not told apart.
fn bit(language: LanguageIx) -> u64 {
    1_u64 << (language % 64)
}

/// Returns the phrase that counts of those that begin at one word: the longest of a present
/// language; of an absent one only where it is a word of feeling that no present one knows.
fn best_of<'l>(here: &[Hit<'l>], present: &[bool]) -> Option<Hit<'l>> {
    let is_present =
        |language: LanguageIx| present.get(usize::from(language)).copied().unwrap_or(false);
    let longest = |hits: &mut dyn Iterator<Item = &Hit<'l>>| {
        // The first of equals: of the language of higher rank.
        hits.fold(None::<Hit<'l>>, |best, hit| match best {
            Some(best) if hit.end < best.end => Some(best),
            // What a language knows as it stands is not what it would be without prefixes. A word of
            // feeling says more than the same word in a language where it says nothing.
            Some(best)
                if hit.end == best.end
                    && (best.says()
                        || !hit.says()
                        || best.entry.language == hit.entry.language) =>
            {
                Some(best)
            }
            Some(_) | None => Some(*hit),
        })
    };
    longest(&mut here.iter().filter(|hit| is_present(hit.entry.language)))
        .or_else(|| longest(&mut here.iter().filter(|hit| hit.entry.role.feels().is_some())))
}
