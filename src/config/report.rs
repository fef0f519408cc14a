//! Problems as people read them: file, line, column, the line itself, a caret, and what to write.
//!
//! The look is plain on purpose: the first line is `file:line:column: what`, which editors and CI
//! make clickable; below it stand the line, cut to what fits a terminal, and what to write.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
};

use super::{
    conceal::hidden_from,
    problem::Problems,
    source::{Place, SourceKind, Sources},
};
use crate::engine::rules::spec::Problem;

/// How much of a long line is shown, so that the caret's line does not wrap.
const LINE_CHARS_MAX: usize = 90;

/// What stands for the hidden part of a line.
const HIDDEN: char = '…';

/// Everything that is wrong with what was read, in the order of the files.
#[derive(Debug)]
pub struct Report {
    sources: Sources,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// Whether what is written goes to a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// Colours by escape sequences.
    Always,
}

impl Report {
    /// Returns the problems in the order of files and lines, each told once.
    pub fn new(sources: Sources, problems: Problems) -> Self {
        let problems = in_order(&sources, problems);
        Self { sources, problems, warnings: Vec::new() }
    }

    /// Adds what is allowed, but should be looked at.
    pub(super) fn with_warnings(self, warnings: Problems) -> Self {
        let warnings = in_order(&self.sources, warnings);
        Self { warnings, ..self }
    }

    /// Returns the problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns what was read.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Writes every problem, with an empty line between two of them.
    pub fn render(&self, colour: Colour) -> String {
        let rendered = self.problems.iter().map(|problem| self.render_one(problem, "", colour));
        rendered.collect::<Vec<_>>().join("\n")
    }

    /// Returns how many warnings there are.
    pub fn warning_count(&self) -> usize {
        self.warnings.len()
    }

    /// Writes every warning, as problems are written.
    pub fn render_warnings(&self, colour: Colour) -> String {
        let warnings = self.warnings.iter();
        let rendered = warnings.map(|warning| self.render_one(warning, "warning: ", colour));
        rendered.collect::<Vec<_>>().join("\n")
    }

    fn render_one(&self, problem: &Problem, grade: &str, colour: Colour) -> String {
        let tint = if grade.is_empty() { "1;31" } else { "1;33" };
        let paint = |code: &str, text: &str| match colour {
            Colour::Never => text.to_owned(),
            Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
        };
        let place = self.sources.place(problem.at);
        let mut out = String::new();
        if let Some(name) = place.and_then(|place| self.name_of(place)) {
            out.push_str(&paint("1", &format!("{name}: ")));
        }
        out.push_str(&paint(tint, &format!("{grade}{}", visible(&problem.message))));
        out.push('\n');
        let shown = place.and_then(|place| self.line_of(place).map(|line| (place, line)));
        let mut margin = 2;
        if let Some((place, line)) = shown {
            let number = place.line.to_string();
            margin = number.len() + 1;
            let (line, before, width) = fit(&line, place.column, place.width);
            let bar = paint("34", "|");
            let caret = paint(tint, &"^".repeat(width));
            // Writing to a string does not fail.
            _ = writeln!(out, "{} {bar} {line}", paint("34", &number));
            _ = writeln!(out, "{:margin$}{bar} {:before$}{caret}", "", "");
        }
        if let Some(help) = &problem.help {
            _ = writeln!(out, "{:margin$}{} {}", "", paint("34", "="), visible(help));
        }
        out
    }

    fn name_of(&self, place: Place) -> Option<String> {
        let source = self.sources.source(place.source)?;
        Some(match (source.kind, place.line) {
            (SourceKind::Variable, _) | (SourceKind::File, 0) => source.name.clone(),
            (SourceKind::File, line) => format!("{}:{line}:{}", source.name, place.column + 1),
        })
    }

    /// Returns the line of a place as it may be shown.
    fn line_of(&self, place: Place) -> Option<Vec<char>> {
        let source = self.sources.source(place.source)?;
        let index = place.line.checked_sub(1)?;
        if source.kind == SourceKind::Variable {
            return None;
        }
        let line: Vec<char> = visible(source.text.lines().nth(index)?).chars().collect();
        let hidden = hidden_from(&source.text).get(index).copied().flatten();
        Some(match hidden {
            Some(column) if column < line.len() => {
                line.iter().copied().take(column).chain([' ', HIDDEN]).collect()
            }
            _ => line,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(Colour::Never))
    }
}

impl std::error::Error for Report {}

/// Returns problems in the order of files and lines, each once.
fn in_order(sources: &Sources, problems: Problems) -> Vec<Problem> {
    let mut problems = problems.into_vec();
    problems.sort_by_key(|problem| sources.order(problem.at));
    // A file that two others name was read twice.
    let mut told = BTreeSet::new();
    problems.retain(|problem| {
        let place = sources.place(problem.at);
        let name = place.and_then(|place| sources.source(place.source)).map(|s| s.name.clone());
        let position = place.map(|place| (place.line, place.column));
        told.insert((name, position, problem.message.clone()))
    });
    problems
}

/// Returns text whose control characters (a tab, an escape sequence) are spaces.
fn visible(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Cuts a line to what fits around the caret. Returns it with the caret's column and width.
fn fit(line: &[char], column: usize, width: usize) -> (String, usize, usize) {
    let column = column.min(line.len());
    let width = width.min(line.len() - column).max(1);
    if line.len() <= LINE_CHARS_MAX {
        return (line.iter().collect(), column, width);
    }
    let start = column.saturating_sub(LINE_CHARS_MAX / 2);
    let width = width.min(LINE_CHARS_MAX / 2);
    let cut: String = line.iter().skip(start).take(LINE_CHARS_MAX).collect();
    match start {
        0 => (cut, column, width),
        _ => (format!("{HIDDEN}{cut}"), column - start + 1, width),
    }
}
