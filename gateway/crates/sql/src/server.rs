//! Which server reads a text, where reading depends on it.
//!
//! Owns the few facts that change what a text of MySQL means. Must not know how they were learnt.
//! PostgreSQL's grammar needs none.

/// What a snapshot's server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    /// Whose server it is, with its version.
    pub family: Family,
    /// Whether names of tables, databases and aliases are the same in upper and lower case
    /// (`lower_case_table_names` is not 0). Its stored names are in lower case then.
    pub folds_table_names: bool,
}

/// Whose server it is. Versions are six-digit numbers as in version comments: 101119 is 10.11.19.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Family {
    /// Not known: only what every server reads alike is read.
    #[default]
    Unknown,
    /// MySQL and what is built from it.
    MySql(u32),
    /// MariaDB.
    MariaDb(u32),
}

impl Family {
    /// From what the server says of itself in its greeting or as `@@version`:
    /// `5.5.5-10.11.19-MariaDB-0+deb12u1`, `8.0.36`.
    #[must_use]
    pub fn from_version(text: &str) -> Self {
        let mariadb = text.to_ascii_lowercase().contains("mariadb");
        // MariaDB puts an old version before its own, for replicas that would not take it.
        let text = if mariadb { text.strip_prefix("5.5.5-").unwrap_or(text) } else { text };
        let mut parts = text.splitn(3, '.').map(|part| {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            part.get(..digits).and_then(|digits| digits.parse::<u32>().ok())
        });
        let mut next = || parts.next().flatten().filter(|part| *part < 100);
        let (Some(major), Some(minor), Some(patch)) = (next(), next(), next()) else {
            return Self::Unknown;
        };
        let version = major * 10_000 + minor * 100 + patch;
        if mariadb { Self::MariaDb(version) } else { Self::MySql(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, family) in [
            ("5.5.5-10.11.19-MariaDB-0+deb12u1", Family::MariaDb(101_119)),
            ("11.4.2-MariaDB", Family::MariaDb(110_402)),
            ("8.0.36", Family::MySql(80_036)),
            ("8.4.0-0ubuntu1", Family::MySql(80_400)),
            ("5.5.5", Family::MySql(50_505)),
            ("8", Family::Unknown),
            ("", Family::Unknown),
            ("999.1.1", Family::Unknown),
        ] {
            assert_eq!(Family::from_version(text), family, "{text}");
        }
    }
}
