//! What systemd's files say of a unit: the programs that it runs and their environment.
//!
//! Owns reading unit files and drop-ins (systemd.unit(5), systemd.exec(5)) as far as it matters
//! here. Must not ask systemd, so that it works on a host that is being put together. What it
//! cannot know (specifiers, generated units) it leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::files::Files;

/// Where unit files are, the strongest first (systemd.unit(5)).
const DIRECTORIES: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Where our drop-ins go.
const OUR_DIRECTORY: &str = "/etc/systemd/system";

/// A service as its files describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) name: String,
    /// Whether there is a file of it.
    pub(super) known: bool,
    pub(super) environment: BTreeMap<String, String>,
    /// What it binds over other files, as `(source, destination)`.
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
    /// First words of the lines that it runs.
    pub(super) programs: Vec<PathBuf>,
    /// All words of the lines that it runs.
    pub(super) words: BTreeSet<String>,
}

/// Our drop-in of a unit.
pub(super) fn drop_in(unit: &str, instance: &str) -> PathBuf {
    Path::new(OUR_DIRECTORY).join(format!("{unit}.d/50-portcullis-trust-{instance}.conf"))
}

/// Reads a unit; `without` is a drop-in that is not looked at.
pub(super) fn read(files: &Files, name: &str, without: Option<&Path>) -> Unit {
    let mut unit = Unit { name: name.to_owned(), ..Unit::default() };
    let template = name.split_once('@').and_then(|(stem, rest)| {
        let (_, kind) = rest.rsplit_once('.')?;
        Some(format!("{stem}@.{kind}"))
    });
    let names: Vec<&str> = std::iter::once(name).chain(template.as_deref()).collect();
    let places = || names.iter().flat_map(|name| DIRECTORIES.iter().map(move |at| (at, name)));
    let mut environment_files = Vec::new();
    let file = places().find_map(|(at, name)| files.text(&Path::new(at).join(name)));
    if let Some(text) = file {
        unit.known = true;
        take(&mut unit, &text, &mut environment_files);
    }
    // One of a name hides those of weaker directories; all are read in the order of their names.
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for (at, name) in places() {
        let directory = Path::new(at).join(format!("{name}.d"));
        for file in files.names_in(&directory) {
            if Path::new(&file).extension().is_some_and(|kind| kind == "conf") {
                drop_ins.entry(file.clone()).or_insert_with(|| directory.join(file));
            }
        }
    }
    for path in drop_ins.values().filter(|path| Some(path.as_path()) != without) {
        if let Some(text) = files.text(path) {
            take(&mut unit, &text, &mut environment_files);
        }
    }
    for path in environment_files {
        let text = files.text(Path::new(path.trim_start_matches('-'))).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            let value = value.trim().trim_matches(['"', '\'']);
            unit.environment.insert(name.trim().to_owned(), value.to_owned());
        }
    }
    unit
}

fn take(unit: &mut Unit, text: &str, environment_files: &mut Vec<String>) {
    let text = text.replace("\\\n", " ");
    let mut section = "";
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if section != "[Service]" {
            continue;
        }
        let (key, value) = (key.trim(), value.trim());
        match key {
            "Environment" if value.is_empty() => unit.environment.clear(),
            "Environment" => {
                for word in words(value) {
                    if let Some((name, value)) = word.split_once('=') {
                        unit.environment.insert(name.to_owned(), value.replace("%%", "%"));
                    }
                }
            }
            "UnsetEnvironment" => {
                for word in words(value) {
                    unit.environment.remove(&word);
                }
            }
            "EnvironmentFile" if value.is_empty() => environment_files.clear(),
            "EnvironmentFile" => environment_files.push(value.to_owned()),
            "BindReadOnlyPaths" if value.is_empty() => unit.binds.clear(),
            "BindReadOnlyPaths" => {
                for word in words(value) {
                    let word = word.trim_start_matches('-');
                    let mut parts = word.split(':');
                    if let (Some(from), Some(to)) = (parts.next(), parts.next()) {
                        unit.binds.push((from.into(), to.into()));
                    }
                }
            }
            "ExecStart" | "ExecStartPre" | "ExecStartPost" | "ExecReload" | "ExecCondition" => {
                let words = words(value);
                let first = words
                    .first()
                    .map(|word| word.trim_start_matches(['-', '@', ':', '+', '!', '|']));
                unit.programs.extend(first.filter(|word| word.starts_with('/')).map(PathBuf::from));
                unit.words.extend(words);
            }
            _ => {}
        }
    }
}

/// Words as systemd splits them: blanks, both quotes, a backslash takes the next character as it is.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => word.get_or_insert_default().extend(chars.next()),
            (char, Some(open)) if char == open => quote = None,
            (char, Some(_)) => word.get_or_insert_default().push(char),
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (char, None) if char.is_whitespace() => words.extend(word.take()),
            (char, None) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_unit_is_read_with_its_drop_ins_in_order() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put(
            "usr/lib/systemd/system/job@.service",
            "[Unit]\nEnvironment=NOT=1\n[Service]\nEnvironment=\"A=1 2\" B='x' \\\n  C=3\n\
             ExecStart=-/srv/job/bin/python \"/srv/job/main.py\" --all\nEnvironmentFile=-/etc/job.env\n",
        );
        put("usr/lib/systemd/system/job@.service.d/10-x.conf", "[Service]\nEnvironment=B=weak\n");
        put("etc/systemd/system/job@a.service.d/10-x.conf", "[Service]\nEnvironment=B=strong\n");
        put(
            "etc/systemd/system/job@a.service.d/50-ours.conf",
            "[Service]\nEnvironment=D=4\nBindReadOnlyPaths=-/a:/b\n",
        );
        put("etc/job.env", "# comment\nC=\"from the file\"\n");
        let files = Files::below(root.path());
        let unit = read(&files, "job@a.service", None);
        let shown: Vec<String> = unit.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["A=1 2", "B=strong", "C=from the file", "D=4"]);
        assert_eq!(unit.programs, [Path::new("/srv/job/bin/python")]);
        assert_eq!(unit.binds, [("/a".into(), "/b".into())]);
        assert!(unit.known && unit.words.contains("/srv/job/main.py"));
        let ours = Path::new("/etc/systemd/system/job@a.service.d/50-ours.conf");
        assert!(!read(&files, "job@a.service", Some(ours)).environment.contains_key("D"));
        assert!(!read(&files, "other.service", None).known);
    }
}
