//! Comments, among them those that are none.
//!
//! Owns the server's rules for `/*! .. */` and `/*M! .. */`: MariaDB reads the content where the
//! version is not above its own, except versions of MySQL from 5.7 on; MySQL where it is not
//! above its own. Where the server is not known, only what every server reads alike passes.

use super::{Lexer, tangled};
use crate::Unreadable;
use crate::server::Family;

/// Up to this version every server still in use reads the content.
const READ_BY_ALL_MAX: u32 = 50_500;

impl Lexer<'_> {
    /// `--` begins a comment only before a blank, a control character or the end.
    pub(super) fn begins_line_comment(&self) -> bool {
        self.peek(2).is_none_or(|byte| byte == b' ' || byte.is_ascii_control())
    }

    pub(super) fn line_comment(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// `/*` and what follows.
    pub(super) fn block_comment(&mut self) -> Result<(), Unreadable> {
        match (self.peek(2), self.peek(3)) {
            (Some(b'!'), _) => self.version_comment(3, false),
            (Some(b'M'), Some(b'!')) => match self.server.family {
                Family::MariaDb(_) => self.version_comment(4, true),
                Family::MySql(_) => self.skip(false),
                Family::Unknown => Err(tangled("a version comment of MariaDB")),
            },
            (Some(b'+'), _) => {
                let start = self.at;
                self.skip(false)?;
                let hint = self.text.get(start..self.at).unwrap_or_default();
                if hint.to_ascii_lowercase().contains("set_var") {
                    return Err(tangled("a hint that sets a variable"));
                }
                Ok(())
            }
            _ => self.skip(false),
        }
    }

    fn version_comment(&mut self, marker: usize, mariadb_only: bool) -> Result<(), Unreadable> {
        if self.in_version {
            return Err(tangled("a version comment inside another"));
        }
        let digits = (0..7).take_while(|ahead| {
            self.peek(marker + ahead).is_some_and(|byte| byte.is_ascii_digit())
        });
        let digits = digits.count();
        let start = self.at + marker;
        let number = self.text.get(start..start + digits).unwrap_or_default();
        let version = match digits {
            0 => 0,
            5 | 6 => number.parse::<u32>().unwrap_or(u32::MAX),
            _ => return Err(tangled("a version comment with an odd version")),
        };
        let read = match self.server.family {
            Family::MariaDb(own) => {
                let of_mysql = !mariadb_only && (50_700..=99_999).contains(&version);
                version <= own && !of_mysql
            }
            // Versions of six digits are newer than some servers that are still in use.
            Family::MySql(_) if digits == 6 => {
                return Err(tangled("a version comment with an odd version"));
            }
            Family::MySql(own) => version <= own,
            Family::Unknown if version <= READ_BY_ALL_MAX => true,
            Family::Unknown => return Err(tangled("a version comment for an unknown server")),
        };
        if !read {
            return self.skip(true);
        }
        self.in_version = true;
        self.at = start + digits;
        Ok(())
    }

    /// To the end of the comment. In one that would have counted in another server, comments nest
    /// once; such a one is refused.
    fn skip(&mut self, refuse_nested: bool) -> Result<(), Unreadable> {
        let inside = self.at + 2;
        let rest = self.text.as_bytes().get(inside..).unwrap_or_default();
        let Some(length) = memchr::memmem::find(rest, b"*/") else {
            return Err(tangled("a comment without an end"));
        };
        let content = rest.get(..length).unwrap_or_default();
        if refuse_nested && memchr::memmem::find(content, b"/*").is_some() {
            return Err(tangled("a comment inside a version comment"));
        }
        self.at = inside + length + 2;
        Ok(())
    }
}
