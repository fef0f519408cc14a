//! Word lists, compiled: one hash table from folded phrases to what they do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    expand::expand,
    fold::{Folded, Script, fold},
    spec::{RoleSpec, WordListSpec, WordSpec},
};
use crate::{
    engine::rules::spec::{Located, Problem},
    model::{MicroMoment, StableHash, stable_hash},
};

/// A phrase has at most so many words.
pub(super) const PHRASE_MAX: usize = 8;

/// Position of a language.
pub(super) type LanguageIx = u8;

/// Word lists, ready to read texts with. Immutable and shared.
pub struct Lexicon {
    /// Built for the first text that is read: tens of thousands of phrases take longer to fold than a
    /// whole pack to load, and most commands read no text.
    tables: LazyLock<Tables, Build>,
    reasons: Vec<Located<String>>,
    content: StableHash,
}

/// Builds the tables when they are asked for.
type Build = Box<dyn FnOnce() -> Tables + Send>;

/// What texts are read with.
#[derive(Default)]
struct Tables {
    /// In order of rank: of two that a text could be in, the first.
    languages: Vec<Language>,
    entries: Vec<Entry>,
    /// Folded phrase → what it is, and whether longer phrases begin with it.
    phrases: HashMap<Box<str>, Phrase, FixedState>,
}

/// What the grammar of a language asks for.
#[derive(Debug)]
pub(super) struct Language {
    pub(super) negates_backwards: bool,
    /// Counts in every text, whatever its language.
    pub(super) always: bool,
    pub(super) prefixes: Vec<Box<str>>,
    pub(super) endings: Vec<Box<str>>,
}

/// A phrase in one language.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) written: Box<str>,
    pub(super) language: LanguageIx,
    pub(super) role: Role,
}

/// What it does there.
#[derive(Clone, Debug)]
pub(super) enum Role {
    Plain,
    Negates,
    Denies,
    Strengthens,
    Weakens,
    Turns,
    Concedes,
    Supposes,
    Lukewarm,
    Feels(Feels),
}

impl Role {
    /// Returns what a word of feeling says; `None` of any other.
    pub(super) fn feels(&self) -> Option<&Feels> {
        match self {
            Self::Feels(feels) => Some(feels),
            Self::Plain
            | Self::Negates
            | Self::Denies
            | Self::Strengthens
            | Self::Weakens
            | Self::Turns
            | Self::Concedes
            | Self::Supposes
            | Self::Lukewarm => None,
        }
    }
}

/// Good or bad, as it stands and if denied; 0 says nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Feels {
    pub(super) weight: i8,
    pub(super) denied: i8,
    /// Undenied, it says that it was so-so.
    pub(super) lukewarm: bool,
    /// Shared: thousands of phrases give a few reasons.
    pub(super) reason: Option<Arc<str>>,
    pub(super) denied_reason: Option<Arc<str>>,
}

/// What a phrase seeks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intents(u8);

impl Intents {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = MicroMoment> {
        let sought = (0..8).filter(move |index| self.0 & (1 << index) != 0);
        sought.filter_map(MicroMoment::from_index)
    }
}

#[derive(Debug, Default)]
struct Phrase {
    /// Its entries stand together, in order of rank: the first, and how many.
    first: u32,
    count: u8,
    /// A bit for each micro-moment that it seeks.
    intents: u8,
    /// A longer phrase begins so.
    begins: bool,
}

impl fmt::Debug for Lexicon {
    /// Says what it holds in one number: rule sets are known by what they print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lexicon({:016x})", self.content)
    }
}

impl Default for Lexicon {
    /// Knows no word.
    fn default() -> Self {
        Self::new(Tables::default(), Vec::new(), 0)
    }
}

impl Lexicon {
    fn new(tables: Tables, reasons: Vec<Located<String>>, content: StableHash) -> Self {
        Self { tables: LazyLock::new(Box::new(move || tables)), reasons, content }
    }

    /// Returns a lexicon of lists that are read when the first text is. For lists that are known to be
    /// sound and to give no reason but the built-in ones; `content` tells them from others.
    pub fn later(
        content: StableHash,
        read: impl FnOnce() -> Vec<WordListSpec> + Send + 'static,
    ) -> Self {
        let build = move || {
            let mut compiler = Compiler::default();
            for list in read() {
                compiler.list(&list);
            }
            compiler.tables()
        };
        Self { tables: LazyLock::new(Box::new(build)), reasons: Vec::new(), content }
    }

    /// Checks and compiles word lists. A list of a language that came before adds to it, and wins
    /// where both have a phrase.
    ///
    /// # Errors
    ///
    /// Returns every problem rather than the first, because a list is mended in an editor.
    pub fn compile(lists: &[WordListSpec]) -> Result<Self, Vec<Problem>> {
        let mut compiler = Compiler::default();
        for list in lists {
            compiler.list(list);
        }
        if compiler.problems.is_empty() {
            Ok(compiler.finish(lists))
        } else {
            Err(compiler.problems)
        }
    }

    /// Returns every reason that a word gives.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = &Located<String>> {
        self.reasons.iter()
    }

    /// Returns how many phrases are known.
    pub fn phrase_count(&self) -> usize {
        self.tables.phrases.values().filter(|one| one.count != 0 || one.intents != 0).count()
    }

    /// Returns what is known of a folded phrase: its entries, its intents, and whether longer
    /// phrases begin with it.
    pub(super) fn phrase(&self, folded: &str) -> Option<(&[Entry], Intents, bool)> {
        let phrase = self.tables.phrases.get(folded)?;
        let first = usize::try_from(phrase.first).ok()?;
        let entries = self.tables.entries.get(first..first + usize::from(phrase.count))?;
        Some((entries, Intents(phrase.intents), phrase.begins))
    }

    /// Returns what the grammar of each language asks for, by rank.
    pub(super) fn languages(&self) -> &[Language] {
        &self.tables.languages
    }

    /// Returns what the grammar of a language asks for.
    pub(super) fn language(&self, index: LanguageIx) -> Option<&Language> {
        self.languages().get(usize::from(index))
    }
}

/// Joins words as phrases are looked up: with spaces, but Arabic letters with nothing between, so
/// that space, zero-width non-joiner and nothing are equal inside Persian words.
pub(super) fn join(key: &mut String, word: &str, script: Script) {
    if !key.is_empty() && script != Script::Arabic {
        key.push(' ');
    }
    key.push_str(word);
}

fn key_of(folded: &Folded) -> String {
    let mut key = String::new();
    for token in &folded.tokens {
        join(&mut key, folded.text(&token.text), token.script);
    }
    key
}

#[derive(Default)]
struct Compiler {
    problems: Vec<Problem>,
    names: Vec<String>,
    languages: Vec<Language>,
    /// (phrase, language) → what it is; in order, so that compiling is deterministic.
    known: BTreeMap<(Box<str>, LanguageIx), (Box<str>, Role)>,
    intents: BTreeMap<String, BTreeSet<(usize, LanguageIx)>>,
    reasons: BTreeMap<String, Located<String>>,
    /// Each reason once.
    shared: BTreeSet<Arc<str>>,
}

impl Compiler {
    fn problem(&mut self, at: &Located<String>, message: String, help: &str) {
        let help = Some(help.to_owned());
        self.problems.push(Problem { at: at.at, message, help });
    }

    fn list(&mut self, list: &WordListSpec) {
        let position = self.names.iter().position(|name| *name == list.language);
        let position = position.unwrap_or_else(|| {
            self.names.push(list.language.clone());
            self.languages.push(Language {
                negates_backwards: false,
                always: list.language == "any",
                prefixes: Vec::new(),
                endings: Vec::new(),
            });
            self.languages.len() - 1
        });
        let index = LanguageIx::try_from(position).unwrap_or(LanguageIx::MAX);
        if list.replaces {
            self.known.retain(|(_, language), _| *language != index);
            for intents in self.intents.values_mut() {
                intents.retain(|(_, language)| *language != index);
            }
        }
        if let Some(language) = self.languages.get_mut(position) {
            language.negates_backwards |= list.negates_backwards;
            let boxed = |parts: &[String]| -> Vec<Box<str>> {
                parts.iter().map(|part| key_of(&fold(part)).into()).collect()
            };
            language.prefixes.extend(boxed(&list.prefixes));
            language.endings.extend(boxed(&list.endings));
        }
        for entry in &list.forget {
            for (phrase, _) in self.phrases(entry, list.umlauts) {
                self.intents.remove(&phrase);
                self.known.remove(&(phrase.into(), index));
            }
        }
        let mut own = BTreeMap::new();
        for word in &list.words {
            self.word(word, (index, list.umlauts), &mut own);
        }
    }

    fn word<'s>(
        &mut self,
        word: &'s WordSpec,
        (language, umlauts): (LanguageIx, bool),
        own: &mut BTreeMap<String, &'s RoleSpec>,
    ) {
        if let RoleSpec::Feels { reason: Some(reason), .. }
        | RoleSpec::Missed { reason: Some(reason) } = &word.role
        {
            self.reasons.entry(reason.value.clone()).or_insert_with(|| reason.clone());
        }
        for (phrase, written) in self.phrases(&word.written, umlauts) {
            if let RoleSpec::Seeks(intent) = word.role {
                self.intents.entry(phrase).or_default().insert((intent.index(), language));
                continue;
            }
            // Filler gives way to whatever else the list says of a phrase.
            if word.role == RoleSpec::Plain && own.contains_key(&phrase) {
                continue;
            }
            // Alternatives may spell one phrase twice.
            if own.get(&phrase).is_some_and(|known| {
                without_places(&format!("{known:?}")) == without_places(&format!("{:?}", word.role))
            }) {
                continue;
            }
            // "Works" may be good, and "does not work" a complaint of its own.
            let together = |one: &RoleSpec| matches!(one, RoleSpec::Missed { .. });
            let felt = |one: &RoleSpec| {
                together(one) || matches!(one, RoleSpec::Feels { .. } | RoleSpec::Lukewarm)
            };
            let twice = own.get(&phrase).copied().filter(|role| **role != RoleSpec::Plain);
            let twice = twice.is_some_and(|role| {
                together(role) == together(&word.role) || !felt(role) || !felt(&word.role)
            });
            if twice {
                let message = format!("\"{written}\" stands in the list twice");
                self.problem(&word.written, message, "keep the one that is meant");
                continue;
            }
            let key = (phrase.as_str().into(), language);
            let before = own.contains_key(&phrase).then(|| self.known.get(&key)).flatten();
            let before = before.map(|(_, role)| role.clone());
            let role = self.role_of(&word.role, before.as_ref());
            own.insert(phrase, &word.role);
            self.known.insert(key, (written.into(), role));
        }
    }

    /// Returns the folded phrases of an entry, each with how it is written.
    fn phrases(&mut self, entry: &Located<String>, umlauts: bool) -> Vec<(String, String)> {
        let Some(phrases) = expand(&entry.value) else {
            let message = format!("the brackets of \"{}\" do not fit", entry.value);
            self.problem(entry, message, "write alternatives as in: (arrived|came) late");
            return Vec::new();
        };
        let mut folded = Vec::with_capacity(phrases.len());
        for written in phrases {
            let words = fold(&written);
            if words.tokens.is_empty() || PHRASE_MAX < words.tokens.len() {
                let message = format!("\"{written}\" is no phrase of 1 to {PHRASE_MAX} words");
                self.problem(entry, message, "write the words that decide, without the rest");
                break;
            }
            let written = written.split_whitespace().collect::<Vec<_>>().join(" ");
            if umlauts && written.contains(['ä', 'ö', 'ü']) {
                let spelt = written.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
                folded.push((key_of(&fold(&spelt)), written.clone()));
            }
            folded.push((key_of(&words), written));
        }
        folded
    }

    fn finish(mut self, lists: &[WordListSpec]) -> Lexicon {
        let mut content = String::new();
        for list in lists {
            let words = list.words.iter().map(|word| (&word.written.value, &word.role));
            for (written, role) in words {
                _ = write!(content, "{written}{}", without_places(&format!("{role:?}")));
            }
            let rest = (&list.language, &list.prefixes, &list.endings, list.replaces, list.umlauts);
            let forget = list.forget.iter().map(|one| &one.value).collect::<Vec<_>>();
            _ = write!(content, "{rest:?}{forget:?}{}", list.negates_backwards);
        }
        let reasons = std::mem::take(&mut self.reasons).into_values().collect();
        Lexicon::new(self.tables(), reasons, stable_hash(content.as_bytes()))
    }

    fn tables(self) -> Tables {
        let mut tables = Tables { languages: self.languages, ..Tables::default() };
        let all = self.known.keys().map(|(phrase, _)| &**phrase);
        for phrase in all.chain(self.intents.keys().map(String::as_str)) {
            tables.note_beginnings(phrase);
        }
        tables.entries.reserve_exact(self.known.len());
        for ((phrase, language), (written, role)) in self.known {
            let position = u32::try_from(tables.entries.len()).unwrap_or(u32::MAX);
            tables.entries.push(Entry { written, language, role });
            let phrase = tables.phrases.entry(phrase).or_default();
            if phrase.count == 0 {
                phrase.first = position;
            }
            phrase.count = phrase.count.saturating_add(1);
        }
        for (phrase, intents) in self.intents {
            let phrase = tables.phrases.entry(phrase.into()).or_default();
            for (index, _) in intents {
                phrase.intents |= 1 << index;
            }
        }
        tables
    }
}

impl Tables {
    /// Notes what longer phrases begin with: words of a phrase, letters of a Persian or Arabic one.
    fn note_beginnings(&mut self, phrase: &str) {
        // Asked of folded phrases, one script each: the first letter tells.
        let arabic =
            phrase.chars().next().is_some_and(|first| ('\u{600}'..='\u{6ff}').contains(&first));
        for (end, character) in phrase.char_indices().skip(1) {
            if (arabic || character == ' ')
                && let Some(beginning) = phrase.get(..end)
            {
                if let Some(known) = self.phrases.get_mut(beginning) {
                    known.begins = true;
                } else {
                    let begins = Phrase { begins: true, ..Phrase::default() };
                    self.phrases.insert(beginning.into(), begins);
                }
            }
        }
    }
}

/// Leaves out where things stand: moving a line changes no meaning.
fn without_places(written: &str) -> String {
    let mut meaning = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("At(") {
        meaning.push_str(before);
        rest = after.split_once(')').map_or("", |(_, tail)| tail);
    }
    meaning.push_str(rest);
    meaning
}

impl Compiler {
    /// Compiles a role; `before` is what the same list says of the same phrase, where both count.
    fn role_of(&mut self, spec: &RoleSpec, before: Option<&Role>) -> Role {
        let was_lukewarm = matches!(before, Some(Role::Lukewarm));
        let before = before.and_then(Role::feels).cloned().unwrap_or_default();
        let lukewarm = was_lukewarm || before.lukewarm;
        match spec {
            // What a search seeks is looked up by itself, and says nothing in a text.
            RoleSpec::Plain | RoleSpec::Seeks(_) => Role::Plain,
            RoleSpec::Negates => Role::Negates,
            RoleSpec::Denies => Role::Denies,
            RoleSpec::Strengthens => Role::Strengthens,
            RoleSpec::Weakens => Role::Weakens,
            RoleSpec::Turns => Role::Turns,
            RoleSpec::Concedes => Role::Concedes,
            RoleSpec::Supposes => Role::Supposes,
            RoleSpec::Lukewarm if before.denied == 0 => Role::Lukewarm,
            RoleSpec::Lukewarm => Role::Feels(Feels { lukewarm: true, ..before }),
            RoleSpec::Feels { weight, denied, reason } => {
                let reason = reason.as_ref().map(|reason| self.share(&reason.value));
                let missed = before.denied != 0;
                // "Not good" is bad; "not bad" is lukewarm at most.
                let opposite = if 0 < *weight { -1 } else { 0 };
                Role::Feels(Feels {
                    weight: *weight,
                    denied: if missed { before.denied } else { denied.unwrap_or(opposite) },
                    denied_reason: before.denied_reason,
                    lukewarm: false,
                    reason,
                })
            }
            RoleSpec::Missed { reason } => {
                let reason = reason.as_ref().map(|reason| self.share(&reason.value));
                Role::Feels(Feels { denied: -2, denied_reason: reason, lukewarm, ..before })
            }
        }
    }

    /// Returns a reason that every phrase shares.
    fn share(&mut self, reason: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(reason) {
            return Arc::clone(known);
        }
        let reason: Arc<str> = reason.into();
        self.shared.insert(Arc::clone(&reason));
        reason
    }
}
