//! From paths and names to what can run: files are found and read here, and nowhere else.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Config, Environment, Pack, Problems, Report, Source, SourceKind, Sources, TopicDialects,
    dialect::{self, WrittenDialects},
    mapping,
    near::nearest,
    rules::{Lineage, PackReader, PackTest},
    settings, shipped,
    source::SHIPPED,
    words,
    yaml::{self, Node, Value},
};
use crate::engine::{
    decode::{Dialect, mapping::spec::MappingSpec},
    rules::{
        Hidden, RuleSet,
        spec::{At, Located, PackSpec, RuleSpec},
    },
};

/// Longer than any file that a person keeps by hand.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads a file of at most [`FILE_BYTES_MAX`]. By counting what comes and not by asking its length:
/// a pipe or a device has none, and may never end.
pub(super) fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path)?;
    let count = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(count).is_ok_and(|count| count <= FILE_BYTES_MAX) {
        return Ok(bytes);
    }
    Err(io::Error::other("larger than 4 MiB"))
}

/// How many packs may stand on one another: more is a circle.
const EXTENDS_MAX: usize = 8;

/// What `rega run` starts with.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The rules.
    pub rules: RuleSet,
    /// How the records of each topic are read.
    pub dialects: TopicDialects,
    /// The files and folders that the rules stand in.
    pub pack_paths: Vec<PathBuf>,
}

/// Packs that were read, merged and compiled.
#[derive(Debug)]
pub struct LoadedPack {
    /// The rules, ready to run.
    pub rules: RuleSet,
    /// The same as written.
    pub spec: PackSpec,
    /// Which rules come from where.
    pub lineage: Lineage,
    /// The tests that stand beside them.
    pub tests: Vec<PackTest>,
    /// What was read, to say where a failing test stands.
    pub sources: Sources,
}

/// Loads a config file (or the defaults alone), the environment, the packs and the mappings.
///
/// # Errors
///
/// Returns every problem: whoever wrote the files has to mend them.
pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Loaded, Report> {
    let mut loader = Loader::default();
    match loader.settings(file, environment) {
        Some(all) if loader.problems.is_empty() => Ok(all),
        Some(_) | None => Err(loader.into_report()),
    }
}

/// Loads packs alone, by the names and paths that `rules` would have, relative to the working
/// directory.
///
/// # Errors
///
/// Returns every problem: whoever wrote the files has to mend them.
pub fn load_packs<'a>(packs: impl IntoIterator<Item = &'a str>) -> Result<LoadedPack, Report> {
    let mut loader = Loader::default();
    let packs = packs.into_iter();
    let packs: Vec<_> =
        packs.map(|pack| Located { value: pack.to_owned(), at: At::default() }).collect();
    let mut pack = loader.packs(&packs, Path::new(""));
    let rules = loader.compile(&mut pack, 0);
    match rules {
        Some(rules) if loader.problems.is_empty() => {
            let Pack { spec, tests, lineage, .. } = pack;
            Ok(LoadedPack { rules, spec, tests, lineage, sources: loader.sources })
        }
        Some(_) | None => Err(loader.into_report()),
    }
}

/// Loads one mapping file, relative to the working directory.
///
/// # Errors
///
/// Returns every problem: whoever wrote the file has to mend it.
pub fn load_mapping(file: &Path) -> Result<MappingSpec, Report> {
    let mut loader = Loader::default();
    let node = loader.file(file, At::default()).map(|(_, node)| node);
    let spec = node.and_then(|node| mapping::read(&node, &mut loader.problems));
    match spec {
        Some(spec) if loader.problems.is_empty() => Ok(spec),
        Some(_) | None => Err(loader.into_report()),
    }
}

/// Loads a dialect by its name, or a mapping by its file, relative to the working directory.
///
/// # Errors
///
/// Returns every problem: whoever wrote the name or the file has to mend it.
pub fn load_dialect(written: &str) -> Result<Dialect, Report> {
    let mut loader = Loader::default();
    let written = Located { value: written.to_owned(), at: At::default() };
    dialect::check(&written, &mut loader.problems);
    match loader.dialect(&written, Path::new("")) {
        Some(dialect) if loader.problems.is_empty() => Ok(dialect),
        Some(_) | None => Err(loader.into_report()),
    }
}

/// Reads a mapping that stands in no file.
///
/// # Errors
///
/// Returns every problem: whoever wrote the text has to mend it.
pub fn mapping_of(name: &str, text: &str) -> Result<Dialect, Report> {
    let mut loader = Loader::default();
    let node = loader.text(name.to_owned(), text.to_owned());
    let spec = node.and_then(|node| mapping::read(&node, &mut loader.problems));
    match spec {
        Some(spec) if loader.problems.is_empty() => Ok(dialect::mapped(spec)),
        Some(_) | None => Err(loader.into_report()),
    }
}

/// Reads files, and keeps what is needed to tell what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Loader {
    pub(super) sources: Sources,
    pub(super) problems: Problems,
    /// What is allowed, but should be looked at.
    pub(super) warnings: Problems,
    /// The files and folders that packs stand in, on disk.
    pub(super) pack_paths: Vec<PathBuf>,
    /// How many packs are being read that stand on one another.
    extending: usize,
    /// The pack files that were read from disk.
    pub(super) pack_files: Vec<PathBuf>,
    /// The mapping files that were read.
    pub(super) mapping_files: Vec<PathBuf>,
}

impl Loader {
    pub(super) fn into_report(self) -> Report {
        Report::new(self.sources, self.problems).with_warnings(self.warnings)
    }

    /// Loads everything that a config file names.
    pub(super) fn settings(
        &mut self,
        file: Option<&Path>,
        environment: &Environment,
    ) -> Option<Loaded> {
        let root = match file {
            Some(file) => self.file(file, At::default())?.1,
            None => Node { at: At::default(), value: Value::Mapping(Vec::new()) },
        };
        let base = file.and_then(Path::parent).unwrap_or(Path::new(""));
        self.settings_of(root, base, environment)
    }

    /// Loads everything that the tree of a config file names. Its paths are relative to `base`.
    pub(super) fn settings_of(
        &mut self,
        mut root: Node,
        base: &Path,
        environment: &Environment,
    ) -> Option<Loaded> {
        environment.overlay(&mut root, self);
        let mut config = settings::read(&root, &mut self.problems)?;
        self.secrets(&mut config, base);
        let before = self.problems.len();
        let mut pack = self.packs(&config.rules, base);
        let rules = self.compile(&mut pack, before);
        let dialects = self.dialects(&config.input.dialect, &config.input.mappings, base);
        let pack_paths = std::mem::take(&mut self.pack_paths);
        Some(Loaded { config, rules: rules?, dialects, pack_paths })
    }

    /// Reads the secrets that stand in files of their own.
    fn secrets(&mut self, config: &mut Config, base: &Path) {
        if let Some(file) = config.kafka.properties_file.clone()
            && let Some(text) = self.secret(&file, base)
            && let Err(what) = settings::add_properties(config, &text)
        {
            self.problems.add(file.at, format!("\"{}\": {what}", file.value));
        }
        if let Some(file) = config.http.token_file.clone()
            && let Some(text) = self.secret(&file, base)
        {
            match settings::token_of(&text) {
                Ok(token) => config.http.token = Some(token),
                Err(what) => self.problems.add(file.at, format!("\"{}\": {what}", file.value)),
            }
        }
    }

    /// Reads a file whose text must never be shown: it does not become a source.
    fn secret(&mut self, file: &Located<String>, base: &Path) -> Option<String> {
        let path = self.resolve(file, base);
        match bounded(&path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other)) {
            Ok(text) => Some(text),
            Err(error) => {
                self.unreadable(&path, file.at, &error.to_string());
                None
            }
        }
    }

    /// Compiles rules. Where a problem came up since there were `before` of them, what could be read
    /// is compiled for the sake of its further problems, and not returned.
    pub(super) fn compile(&mut self, pack: &mut Pack, before: usize) -> Option<RuleSet> {
        let lists = &pack.spec.word_lists;
        if before < self.problems.len() {
            let mut spec = pack.without_flaws()?;
            spec.lexicon = Some(words::lexicon(lists, &mut self.problems));
            if let Err(problems) = RuleSet::compile(spec) {
                self.problems.extend(problems);
            }
            return None;
        }
        pack.spec.lexicon = Some(words::lexicon(lists, &mut self.problems));
        match RuleSet::compile(pack.spec.clone()) {
            Ok(rules) => {
                self.warnings.extend(RuleSet::warnings(&pack.spec));
                self.warn_of_hidden(pack);
                Some(rules)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// Warns of rules that never have an effect. Where packs stand on one another or are asked one
    /// after the other, that is what it is for, so only rules of one pack are compared.
    fn warn_of_hidden(&mut self, pack: &Pack) {
        let inherited = |at: At| pack.lineage.inherited.contains(&at);
        let beside = |one: At, other: At| {
            inherited(one) == inherited(other)
                && self.sources.folder(one) == self.sources.folder(other)
        };
        for Hidden { rule, by } in RuleSet::hidden(&pack.spec, beside) {
            let first = |by: &RuleSpec| {
                format!("\"{}\" ({})", by.name.value, self.sources.line(by.name.at))
            };
            let who = by.iter().map(|by| first(by)).collect::<Vec<_>>().join(" and ");
            let (hold, leave) = if by.len() == 1 { ("holds", "leaves") } else { ("hold", "leave") };
            let message = format!("the rule \"{}\" never has an effect", rule.name.value);
            let help = format!(
                "before it, {who} {hold} wherever it does, and {leave} it nothing to say: put the \
                 narrower rule first, or remove this one"
            );
            self.warnings.add_with_help(rule.name.at, message, help);
        }
    }

    /// Reads and merges packs. Paths are relative to `base`; those from the environment, to the
    /// working directory.
    pub(super) fn packs(&mut self, packs: &[Located<String>], base: &Path) -> Pack {
        let mut reader = PackReader::default();
        for pack in packs {
            if let Some(shipped) = shipped::pack(&pack.value) {
                self.shipped(shipped, &mut reader);
            } else if is_path(&pack.value) {
                let path = self.resolve(pack, base);
                self.pack_paths.push(path.clone());
                let folder = path.is_dir();
                let files = if folder { self.yaml_files(&path, pack.at) } else { vec![path] };
                self.pack(files, pack.at, &mut reader);
            } else {
                let names = shipped::PACKS.iter().map(|shipped| shipped.name);
                let help = match nearest(&pack.value, names.clone()) {
                    Some(name) => format!("did you mean \"{name}\"?"),
                    None => format!(
                        "shipped are {}; a path has a \"/\" in it or ends in .yaml",
                        names.collect::<Vec<_>>().join(", ")
                    ),
                };
                let message = format!("there is no pack \"{}\"", pack.value);
                self.problems.add_with_help(pack.at, message, help);
                reader.miss();
            }
        }
        reader.finish()
    }

    fn shipped(&mut self, pack: &shipped::ShippedPack, reader: &mut PackReader) {
        reader.begin();
        for (name, text) in pack.files {
            let name = format!("{SHIPPED}{}/{name}", pack.name);
            if let Some(node) = self.text(name, (*text).to_owned()) {
                reader.file(&node, &mut self.problems);
            }
        }
        reader.end(At::default(), &mut self.problems);
    }

    /// Reads a pack from its files.
    pub(super) fn pack(&mut self, files: Vec<PathBuf>, at: At, reader: &mut PackReader) {
        reader.begin();
        let mut first = None;
        for file in files {
            if let Some((whole, node)) = self.file(&file, at) {
                first = first.or(Some(whole));
                reader.file(&node, &mut self.problems);
                self.pack_files.push(file);
            } else {
                reader.miss();
            }
        }
        let Some(first) = first else { return };
        self.extend(reader);
        reader.end(first, &mut self.problems);
    }

    /// Reads what a pack extends.
    fn extend(&mut self, reader: &mut PackReader) {
        let extends = reader.extends();
        let Some(written) = extends.first() else { return };
        if EXTENDS_MAX <= self.extending {
            let message = "packs that extend one another in a circle, or too many of them";
            self.problems.add(written.at, message);
            reader.miss();
            return;
        }
        let place = self.sources.place(written.at);
        let source = place.and_then(|place| self.sources.source(place.source));
        let folder = source.and_then(|source| Path::new(&source.name).parent());
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        self.extending += 1;
        let base = self.packs(&extends, &folder);
        self.extending -= 1;
        reader.stand_on(base, &mut self.problems);
    }

    fn dialects(
        &mut self,
        written: &WrittenDialects,
        mappings: &BTreeMap<String, Located<String>>,
        base: &Path,
    ) -> TopicDialects {
        let mut by_topic = BTreeMap::new();
        for (topic, written) in &written.by_topic {
            by_topic.extend(self.dialect(written, base).map(|one| (topic.clone(), one)));
        }
        for (topic, file) in mappings {
            by_topic.extend(self.mapping(file, base).map(|one| (topic.clone(), one)));
        }
        let otherwise = written.otherwise.as_ref().and_then(|one| self.dialect(one, base));
        TopicDialects { by_topic, otherwise: otherwise.unwrap_or(Dialect::Native) }
    }

    /// Reads a dialect by its name, which has been checked, or a mapping by its file.
    fn dialect(&mut self, written: &Located<String>, base: &Path) -> Option<Dialect> {
        if is_path(&written.value) {
            return self.mapping(written, base);
        }
        dialect::dialect(&written.value)
    }

    fn mapping(&mut self, file: &Located<String>, base: &Path) -> Option<Dialect> {
        let path = self.resolve(file, base);
        let (_, node) = self.file(&path, file.at)?;
        let spec = mapping::read(&node, &mut self.problems)?;
        self.mapping_files.push(path);
        Some(dialect::mapped(spec))
    }

    fn resolve(&self, written: &Located<String>, base: &Path) -> PathBuf {
        let place = self.sources.place(written.at);
        let source = place.and_then(|place| self.sources.source(place.source));
        match source.map(|source| source.kind) {
            // By components, so that `./rules` is shown without its dot.
            Some(SourceKind::File) => base.join(&written.value).components().collect(),
            Some(SourceKind::Variable) | None => PathBuf::from(&written.value),
        }
    }

    /// Returns the YAML files of a folder, in name order.
    fn yaml_files(&mut self, folder: &Path, at: At) -> Vec<PathBuf> {
        let mut files = Vec::new();
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                files.extend(entries.flatten().map(|entry| entry.path()).filter(|p| is_yaml(p)));
            }
            Err(error) => self.unreadable(folder, at, &error.to_string()),
        }
        files.sort();
        if files.is_empty() {
            self.unreadable(folder, at, "no .yaml file in it");
        }
        files
    }

    /// Reads a file; `at` is where it was asked for. Returns the place of the whole file, and its
    /// tree.
    pub(super) fn file(&mut self, path: &Path, at: At) -> Option<(At, Node)> {
        let text = match bounded(path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => {
                let valid = error.utf8_error().valid_up_to();
                let line = error.as_bytes().iter().take(valid).filter(|b| **b == b'\n').count() + 1;
                self.unreadable(path, at, &format!("line {line} is not UTF-8"));
                return None;
            }
            Err(error) => {
                self.unreadable(path, at, &error.to_string());
                return None;
            }
        };
        let node = self.text(path.display().to_string(), text)?;
        Some((node.at, node))
    }

    pub(super) fn text(&mut self, name: String, text: String) -> Option<Node> {
        let source = self.sources.add(Source { name, text, kind: SourceKind::File });
        yaml::read(source, &mut self.sources, &mut self.problems)
    }

    fn unreadable(&mut self, path: &Path, at: At, why: &str) {
        self.problems.add(at, format!("cannot read \"{}\": {why}", path.display()));
    }
}

pub(super) fn is_path(written: &str) -> bool {
    written.contains(['/', '\\']) || is_yaml(Path::new(written))
}

/// Returns whether that is the name of a YAML file.
pub(super) fn is_yaml(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| matches!(extension, "yaml" | "yml"))
}
