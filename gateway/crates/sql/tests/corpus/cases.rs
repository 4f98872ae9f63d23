//! The cases of a corpus file: a statement, and the lines that must describe it.
//!
//! Owns the format of `*.sql` here, which is plain SQL with comments, so that a case file can be
//! run against a live server too.

/// One case of a corpus file.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The lines that begin with `--> `.
    pub(crate) expected: Vec<String>,
}

/// Reads a case file: `-- # name`, the statement, `--> ` lines.
pub(crate) fn read_cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("-- # ") {
            cases.push(Case { name: name.into(), text: String::new(), expected: Vec::new() });
        } else if let Some(case) = cases.last_mut() {
            match line.strip_prefix("-->") {
                Some(expected) => case.expected.push(expected.trim().into()),
                None => {
                    case.text.push_str(line);
                    case.text.push('\n');
                }
            }
        }
    }
    for case in &mut cases {
        case.text = case.text.trim().to_owned();
    }
    cases
}

/// Checks that every case of a file is described as it says.
pub(crate) fn check(file: &str, text: &str, describe: impl Fn(&str) -> Vec<String>) {
    let mut wrong = String::new();
    let cases = read_cases(text);
    assert!(!cases.is_empty(), "{file} has cases");
    for case in cases {
        let got = describe(&case.text);
        if got != case.expected {
            let lines = got.iter().fold(String::new(), |all, line| all + "--> " + line + "\n");
            wrong += &format!("-- # {}\n{}\n{lines}\n", case.name, case.text);
        }
    }
    assert!(wrong.is_empty(), "{file}: these cases are described otherwise:\n{wrong}");
}
