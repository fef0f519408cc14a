//! Spelling that does not matter is folded away, and the text is cut into words.
//!
//! Compatibility forms become ordinary ones (as NFKC does), and marks above and below letters go:
//! accents, niqqud, harakat, the hamza of أ, إ, ؤ and ئ. Arabic ي, ى and ك become ی and ک, ة becomes ه, Persian and Arabic digits ASCII ones,
//! apostrophes, geresh and gershayim inside a word nothing. A zero-width non-joiner separates like a
//! space; Persian words are looked up with neither (see `find`). A letter that is held ("sooooo")
//! is kept twice, and once as another way to read the word.

use std::{iter::Peekable, ops::Range};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// So much of a text is read, in characters. A review or a ticket says how it was within it; who
/// writes more has been heard.
const READ_MAX: usize = 4000;

/// What stands behind an apostrophe is a word from so many bytes on: "t" of "don't" is none.
const ELIDED_MIN: usize = 3;

/// The scripts that are told apart: words of one never spell a word of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    /// Latin, and whatever else there is.
    Latin,
    Hebrew,
    /// Arabic letters: Arabic, Persian.
    Arabic,
    /// Emoji, emoticons.
    Sign,
}

/// What stands between a word and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    Space,
    Comma,
    Sentence,
}

/// A word, as a range of the folded text.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: Range<usize>,
    /// The same with held letters once.
    pub(super) plain: Option<Range<usize>>,
    /// What stands behind an apostrophe: "appareil" in "l'appareil".
    pub(super) elided: Option<Range<usize>>,
    pub(super) script: Script,
    /// Before it.
    pub(super) after: Break,
    /// Its sentence is a question.
    pub(super) asked: bool,
}

/// A folded text.
#[derive(Debug, Default)]
pub(super) struct Folded {
    buffer: String,
    pub(super) tokens: Vec<Token>,
}

impl Folded {
    /// Returns what a range of it says.
    pub(super) fn text(&self, range: &Range<usize>) -> &str {
        self.buffer.get(range.clone()).unwrap_or_default()
    }
}

/// Folds a text.
pub(super) fn fold(text: &str) -> Folded {
    let mut folder = Folder {
        folded: Folded::default(),
        word: None,
        pending: Break::Sentence,
        sentence: 0,
        run: 0,
        held: false,
        apostrophe: 0,
    };
    let characters = text.chars().take(READ_MAX);
    if text.is_ascii() {
        // Nothing to take apart: most queries are so, and they are asked often.
        folder.read(characters);
    } else {
        folder.read(characters.nfkd().filter(|c| !is_combining_mark(*c)));
    }
    folder.end_word();
    folder.folded
}

struct Folder {
    folded: Folded,
    /// Start and script of the word that is being written.
    word: Option<(usize, Script)>,
    /// What will stand before the next word.
    pending: Break,
    /// Where the words of this sentence begin.
    sentence: usize,
    /// How often the last letter was repeated.
    run: usize,
    /// The word has a held letter.
    held: bool,
    /// Where the last apostrophe stood.
    apostrophe: usize,
}

impl Folder {
    fn read(&mut self, characters: impl Iterator<Item = char>) {
        let mut characters = characters.peekable();
        let mut before = ' ';
        while let Some(character) = characters.next() {
            self.take(before, character, &mut characters);
            before = character;
        }
    }

    fn take(
        &mut self,
        before: char,
        character: char,
        rest: &mut Peekable<impl Iterator<Item = char>>,
    ) {
        let next = rest.peek().copied().unwrap_or(' ');
        match character {
            // Direction marks, joiners, tatweel, skin tones: nothing that anybody reads. Apostrophes
            // and their like hold a word together.
            '\'' | '’' | '‘' | '`' => self.apostrophe = self.folded.buffer.len(),
            '׳'
            | '״'
            | '\u{200d}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{640}'
            | '\u{1f3fb}'..='\u{1f3ff}' => {}
            '"' | '”' if is_hebrew(before) && is_hebrew(next) => {}
            ':' | ';' | '=' if self.emoticon(before, rest) => {}
            '<' if next == '3' => {
                rest.next();
                self.sign("❤");
            }
            '.' | '/' | ',' if before.is_ascii_digit() && next.is_ascii_digit() => {
                self.letter(character, Script::Latin);
            }
            '?' | '؟' => {
                self.end_word();
                for token in self.folded.tokens.iter_mut().skip(self.sentence) {
                    token.asked = true;
                }
                self.stop(Break::Sentence);
            }
            '.' | '!' | '\n' | '۔' => self.stop(Break::Sentence),
            ',' | '،' | ';' | '؛' | ':' | '(' | ')' | '–' | '—' | '"' | '“' | '”' | '«' | '»' =>
            {
                self.stop(Break::Comma);
            }
            '-' if before.is_whitespace() || next.is_whitespace() => self.stop(Break::Comma),
            emoji if is_emoji(emoji) => self.sign(emoji.encode_utf8(&mut [0; 4])),
            letter if letter.is_alphanumeric() => {
                for lower in letter.to_lowercase() {
                    // Letters that stand for two, and that no decomposition takes apart.
                    let (lower, second) = match lower {
                        'ß' => ('s', Some('s')),
                        'œ' => ('o', Some('e')),
                        'æ' => ('a', Some('e')),
                        other => (other, None),
                    };
                    let (lower, script) = plain(lower);
                    self.letter(lower, script);
                    if let Some(second) = second {
                        self.letter(second, script);
                    }
                }
            }
            _ => self.end_word(),
        }
    }

    fn letter(&mut self, letter: char, script: Script) {
        if let Some((_, current)) = self.word
            && current != script
        {
            self.end_word();
        }
        let start = self.folded.buffer.len();
        let begins = self.word.is_none();
        self.word.get_or_insert((start, script));
        if !begins && self.folded.buffer.ends_with(letter) && !letter.is_ascii_digit() {
            self.run += 1;
        } else {
            self.run = 0;
        }
        if self.run < 2 {
            self.folded.buffer.push(letter);
        } else {
            self.held = true;
        }
    }

    fn stop(&mut self, what: Break) {
        self.end_word();
        self.pending = self.pending.max(what);
        if what == Break::Sentence {
            self.sentence = self.folded.tokens.len();
        }
    }

    fn sign(&mut self, sign: &str) {
        self.end_word();
        let start = self.folded.buffer.len();
        self.folded.buffer.push_str(sign);
        self.word = Some((start, Script::Sign));
        self.end_word();
    }

    fn end_word(&mut self) {
        let Some((start, script)) = self.word.take() else { return };
        let text = start..self.folded.buffer.len();
        let plain = self.held.then(|| {
            let mut once = String::new();
            for letter in self.folded.text(&text).chars() {
                if !once.ends_with(letter) {
                    once.push(letter);
                }
            }
            let start = self.folded.buffer.len();
            self.folded.buffer.push_str(&once);
            start..self.folded.buffer.len()
        });
        let elided = (text.start < self.apostrophe && script == Script::Latin)
            .then_some(self.apostrophe..text.end)
            .filter(|rest| ELIDED_MIN <= rest.len());
        let after = std::mem::replace(&mut self.pending, Break::Space);
        self.folded.tokens.push(Token { text, plain, elided, script, after, asked: false });
        (self.run, self.held) = (0, false);
    }

    /// Reads `:-)` and the like; the colon has been read.
    fn emoticon(&mut self, before: char, rest: &mut Peekable<impl Iterator<Item = char>>) -> bool {
        let nose = rest.peek() == Some(&'-');
        if nose {
            rest.next();
        }
        let sign = match rest.peek() {
            Some(')' | ']') => "😊",
            Some('D') if nose || before.is_whitespace() => "😊",
            Some('(' | '[') => "🙁",
            Some(_) | None if nose => {
                self.stop(Break::Comma);
                return true;
            }
            Some(_) | None => return false,
        };
        rest.next();
        self.sign(sign);
        true
    }
}

/// Returns the letter as lists and texts are compared, and its script.
fn plain(letter: char) -> (char, Script) {
    match letter {
        'ي' | 'ى' => ('ی', Script::Arabic),
        'ك' => ('ک', Script::Arabic),
        // The alef of a joined article: no mark that could be taken off.
        'ٱ' => ('ا', Script::Arabic),
        'ة' => ('ه', Script::Arabic),
        '٠'..='٩' => (digit(letter, '٠'), Script::Latin),
        '۰'..='۹' => (digit(letter, '۰'), Script::Latin),
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => (letter, Script::Arabic),
        hebrew if is_hebrew(hebrew) => (hebrew, Script::Hebrew),
        // Turkish, where it is often written with its dot.
        'ı' => ('i', Script::Latin),
        other => (other, Script::Latin),
    }
}

fn digit(letter: char, zero: char) -> char {
    let value = u32::from(letter).saturating_sub(u32::from(zero));
    char::from_digit(value, 10).unwrap_or('0')
}

const fn is_hebrew(character: char) -> bool {
    matches!(character, '\u{5d0}'..='\u{5ea}' | '\u{5f0}'..='\u{5f2}')
}

const fn is_emoji(character: char) -> bool {
    matches!(character, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let folded = fold(text);
        let words: Vec<_> = folded
            .tokens
            .iter()
            .map(|token| {
                let mark = match token.after {
                    Break::Space => "",
                    Break::Comma => ",",
                    Break::Sentence => ".",
                };
                format!("{mark}{}{}", folded.text(&token.text), if token.asked { "?" } else { "" })
            })
            .collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn accents_and_case_do_not_matter() {
        check("NÃO chegou, péssimo!", ".nao chegou ,pessimo");
        check("Ótimo. Ｇｏｏｄ", ".otimo .good");
        check("don't can’t", ".dont cant");
    }

    #[test]
    fn hebrew_niqqud_geresh_and_gershayim_are_folded() {
        check("שָׁלוֹם צ׳יפס מנכ\"ל מנכ״ל", ".שלום ציפס מנכל מנכל");
        check("אמר \"טוב\"", ".אמר ,טוב");
    }

    #[test]
    fn persian_letters_and_digits_are_one() {
        check("عالي كيفيت ۱۲ ٣", ".عالی کیفیت 12 3");
        check("نمی\u{200c}کنم", ".نمی کنم");
        check("خـــوب آمد", ".خوب امد");
    }

    #[test]
    fn arabic_spellings_are_one() {
        check("أحسن إلى آخر ٱلخدمة", ".احسن الی اخر الخدمه");
        check("جِدًّا ممتـــاز، مسؤول", ".جدا ممتاز ,مسوول");
    }

    #[test]
    fn held_letters_are_read_twice_or_once() {
        let folded = fold("soooo goooood");
        let both: Vec<_> = folded
            .tokens
            .iter()
            .map(|t| (folded.text(&t.text), t.plain.as_ref().map(|plain| folded.text(plain))))
            .collect();
        assert_eq!(both, [("soo", Some("so")), ("good", Some("god"))]);
    }

    #[test]
    fn questions_and_signs_are_seen() {
        check("Is it good? Yes :-) 10/10 👍🏽 <3", ".is? it? good? .yes 😊 10/10 👍 ❤");
        check("well: no", ".well ,no");
    }

    #[test]
    fn a_text_without_end_is_read_so_far() {
        assert_eq!(fold(&"a ".repeat(READ_MAX)).tokens.len(), READ_MAX / 2);
        assert!(fold("").tokens.is_empty());
        assert!(fold(" .,!? ").tokens.is_empty());
    }
}
