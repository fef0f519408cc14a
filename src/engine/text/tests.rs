//! How a text is judged, with a list of a few words.

use super::{spec::*, *};
use crate::engine::rules::spec::{At, Located};

fn word(written: &str, role: RoleSpec) -> WordSpec {
    WordSpec { written: Located { value: written.to_owned(), at: At::default() }, role }
}

fn feels(weight: i8) -> RoleSpec {
    RoleSpec::Feels { weight, denied: None, reason: None }
}

fn because(weight: i8, reason: &str) -> RoleSpec {
    let reason = Some(Located { value: reason.to_owned(), at: At::default() });
    RoleSpec::Feels { weight, denied: None, reason }
}

fn missed(reason: &str) -> RoleSpec {
    RoleSpec::Missed { reason: Some(Located { value: reason.to_owned(), at: At::default() }) }
}

fn lexicon() -> Lexicon {
    let en = WordListSpec {
        language: "en".to_owned(),
        words: vec![
            word("the", RoleSpec::Plain),
            word("was", RoleSpec::Plain),
            word("not only", RoleSpec::Plain),
            word("not", RoleSpec::Negates),
            word("no", RoleSpec::Negates),
            word("very", RoleSpec::Strengthens),
            word("a bit", RoleSpec::Weakens),
            word("but", RoleSpec::Turns),
            word("although", RoleSpec::Concedes),
            word("i hope", RoleSpec::Supposes),
            word("so so", RoleSpec::Lukewarm),
            word("good", feels(1)),
            word("great", feels(2)),
            word("bad", feels(-1)),
            word("late", because(-2, "late_delivery")),
            word("rude", because(-2, "rude_agent")),
            word("problem", RoleSpec::Feels { weight: -1, denied: Some(1), reason: None }),
            word("arrived", missed("late_delivery")),
        ],
        ..WordListSpec::default()
    };
    let pt = WordListSpec {
        language: "pt".to_owned(),
        words: vec![
            word("no", RoleSpec::Plain),
            word("veio", RoleSpec::Plain),
            word("bom", feels(1)),
            word("prazo", feels(1)),
        ],
        ..WordListSpec::default()
    };
    let he = WordListSpec {
        language: "he".to_owned(),
        prefixes: vec!["ה".to_owned(), "ו".to_owned()],
        negates_backwards: true,
        words: vec![word("לא", RoleSpec::Negates), word("טוב", feels(1)), word("איחור", feels(-2))],
        ..WordListSpec::default()
    };
    let fa = WordListSpec {
        language: "fa".to_owned(),
        endings: vec!["ه".to_owned(), "ی".to_owned()],
        negates_backwards: true,
        words: vec![
            word("نبود", RoleSpec::Denies),
            word("خوب", feels(1)),
            word("کار نمی‌کند", because(-2, "damaged")),
        ],
        ..WordListSpec::default()
    };
    let ar = WordListSpec {
        language: "ar".to_owned(),
        prefixes: ["و", "ب", "ل", "ك", "ال"].map(str::to_owned).to_vec(),
        endings: vec!["ها".to_owned()],
        words: vec![
            word("ما", RoleSpec::Negates),
            word("كما", RoleSpec::Plain),
            word("ممتاز", feels(2)),
            word("جودة سيئة", feels(-2)),
        ],
        ..WordListSpec::default()
    };
    Lexicon::compile(&[en, pt, he, fa, ar]).unwrap()
}

#[track_caller]
fn check(text: &str, valence: Valence, words: &[&str]) {
    let reading = lexicon().read(text);
    let found: Vec<&str> = reading.words.iter().map(|word| &**word).collect();
    assert_eq!((reading.valence, found.as_slice()), (valence, words), "{text}");
}

#[test]
fn where_nothing_decides_it_is_unknown() {
    check("", Valence::Unknown, &[]);
    check("the parcel was brown", Valence::Unknown, &[]);
    check("it was so so", Valence::Neutral, &["so so"]);
}

#[test]
fn a_denial_turns_the_next_word_and_a_comma_ends_it() {
    check("not good", Valence::Pain, &["not good"]);
    check("not the very good", Valence::Pain, &["not good"]);
    check("no, good", Valence::Glory, &["good"]);
    check("not bad", Valence::Neutral, &["not bad"]);
    check("no problem", Valence::Glory, &["no problem"]);
    check("not only good", Valence::Glory, &["good"]);
    check("it arrived", Valence::Unknown, &[]);
    check("it has not arrived", Valence::Pain, &["not arrived"]);
}

#[test]
fn emphasis_and_its_opposite_weigh() {
    check("a bit bad", Valence::Neutral, &["bad"]);
    check("very bad", Valence::Pain, &["bad"]);
}

#[test]
fn what_follows_but_weighs_more() {
    check("good but late", Valence::Pain, &["late"]);
    check("bad. but great", Valence::Glory, &["great"]);
    check("good, bad", Valence::Neutral, &["good", "bad"]);
    check("great, although bad", Valence::Glory, &["great"]);
}

#[test]
fn hopes_and_questions_praise_nothing() {
    check("i hope it was good", Valence::Unknown, &[]);
    check("was it good?", Valence::Unknown, &[]);
    check("why so late?", Valence::Pain, &["late"]);
}

#[test]
fn the_heaviest_complaint_is_the_reason() {
    let reason = |text: &str| lexicon().read(text).reason;
    assert_eq!(reason("a bit late and rude").as_deref(), Some("rude_agent"));
    assert_eq!(reason("late and rude").as_deref(), Some("late_delivery"));
    assert_eq!(reason("not arrived").as_deref(), Some("late_delivery"));
    assert_eq!(reason("not late").as_deref(), None);
    assert_eq!(reason("good"), None);
}

#[test]
fn the_language_of_the_text_says_what_no_means() {
    check("veio no prazo", Valence::Glory, &["prazo"]);
    check("no good the", Valence::Pain, &["no good"]);
    check("the veio great, bom", Valence::Glory, &["great", "bom"]);
}

#[test]
fn hebrew_prefixes_are_tried_and_denials_stand_on_either_side() {
    check("והאיחור", Valence::Pain, &["איחור"]);
    check("לא טוב", Valence::Pain, &["לא טוב"]);
    check("טוב זה לא", Valence::Pain, &["טוב לא"]);
}

#[test]
fn persian_is_one_with_space_half_space_or_nothing() {
    for text in ["کار نمی‌کند", "کارنمیکند", "کار نمی کند", "كار نمي كند"]
    {
        check(text, Valence::Pain, &["کار نمی‌کند"]);
    }
    check("خوب نبود", Valence::Pain, &["خوب نبود"]);
    check("خوبه", Valence::Glory, &["خوب"]);
}

#[test]
fn arabic_prefixes_are_tried_before_each_word_of_a_phrase() {
    for text in ["ممتاز", "الممتاز", "والممتاز", "وبالممتاز", "للممتاز", "المُمتاز"]
    {
        check(text, Valence::Glory, &["ممتاز"]);
    }
    check("والجودة السيئة", Valence::Pain, &["جودة سيئة"]);
    check("وما ممتاز", Valence::Pain, &["ما ممتاز"]);
    check("كما ممتاز", Valence::Glory, &["ممتاز"]);
}

#[test]
fn prefixes_and_endings_are_of_one_language() {
    check("ممتازها", Valence::Glory, &["ممتاز"]);
    check("ممتازی", Valence::Unknown, &[]);
    check("خوبها", Valence::Unknown, &[]);
    check("والخوب", Valence::Unknown, &[]);
    check("بخوبه", Valence::Unknown, &[]);
}

#[test]
fn held_letters_and_prefixes_change_nothing() {
    check("gooood", Valence::Glory, &["good"]);
    check("laaaate", Valence::Pain, &["late"]);
}

#[test]
fn a_list_that_contradicts_itself_is_told_so() {
    let at = At(7);
    let written = |value: &str| Located { value: value.to_owned(), at };
    let list = WordListSpec {
        words: vec![
            WordSpec { written: written("(well|fine)"), role: feels(1) },
            WordSpec { written: written("Fine"), role: feels(-1) },
            WordSpec { written: written("(a"), role: feels(-1) },
            WordSpec { written: written("..."), role: feels(-1) },
        ],
        ..WordListSpec::default()
    };
    let problems = Lexicon::compile(&[list]).unwrap_err();
    let messages: Vec<_> = problems.iter().map(|one| (one.at, one.message.as_str())).collect();
    assert_eq!(
        messages,
        [
            (at, "\"Fine\" stands in the list twice"),
            (at, "the brackets of \"(a\" do not fit"),
            (at, "\"...\" is no phrase of 1 to 8 words"),
        ]
    );
}

#[test]
fn a_later_list_wins_and_may_forget_or_replace() {
    let first = WordListSpec {
        words: vec![word("sick", feels(-1)), word("ill", feels(-1))],
        ..WordListSpec::default()
    };
    let said = |second: WordListSpec, text: &str| {
        Lexicon::compile(&[first.clone(), second]).unwrap().read(text).valence
    };
    let praise = WordListSpec { words: vec![word("sick", feels(1))], ..WordListSpec::default() };
    assert_eq!(said(praise.clone(), "sick"), Valence::Glory);
    assert_eq!(said(praise.clone(), "ill"), Valence::Pain);
    assert_eq!(said(WordListSpec { replaces: true, ..praise }, "ill"), Valence::Unknown);
    let forget = vec![Located { value: "ill".to_owned(), at: At::default() }];
    let forgets = WordListSpec { forget, ..WordListSpec::default() };
    assert_eq!(said(forgets.clone(), "ill"), Valence::Unknown);
    assert_eq!(said(forgets, "sick"), Valence::Pain);
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_read(text in "\\PC{0,60}|[a-zא-תا-ی :;<3()'\"?!.,-]{0,60}") {
        let reading = lexicon().read(&text);
        assert_eq!(reading.words.is_empty(), reading.valence == Valence::Unknown);
    }
}
