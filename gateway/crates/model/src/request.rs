//! One request over HTTP, or the answer to one, reduced to what rules can speak of.
//!
//! Owns the shape. Must not know how a request is read: whoever made one has resolved every way to
//! write it differently. Values of a query and of headers may be secrets: neither `Display` nor
//! `Debug` shows them.

use std::fmt;
use std::sync::Arc;

/// What rules can speak of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestFacts {
    /// The method, as it is on the wire.
    pub method: Arc<str>,
    /// The host, in lower case, without a port and without a dot at the end.
    pub host: Arc<str>,
    /// Begins with `/` and is percent-decoded once. It has no empty, `.` or `..` part; a slash at
    /// its end is kept, and so are the three characters `%2F` where the target takes them.
    pub path: Arc<str>,
    /// Names and values of the query, decoded, in order.
    pub query: Vec<(Arc<str>, Arc<str>)>,
    /// Names in lower case and values of those headers that a condition of the policy asks for.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// The status; of an answer, and only of one.
    pub status: Option<u16>,
}

impl fmt::Display for RequestFacts {
    /// `api.example/v1/users?page&sort`, and of an answer `api.example/v1/users (status 404)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        write_part(f, &self.path, &['?', '#'])?;
        for (index, (name, _)) in self.query.iter().enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            write_part(f, name, &['=', '&', '#'])?;
        }
        match self.status {
            Some(status) => write!(f, " (status {status})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RequestFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestFacts({} {self})", self.method)
    }
}

/// Writes a decoded part so that nothing in it is taken for what stands around it.
fn write_part(f: &mut fmt::Formatter<'_>, text: &str, delimiters: &[char]) -> fmt::Result {
    let mut bytes = [0; 4];
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || delimiters.contains(&c) {
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(f, "%{byte:02X}")?;
            }
        } else {
            write!(f, "{c}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> RequestFacts {
        RequestFacts {
            method: "GET".into(),
            host: "api.example".into(),
            path: "/v1/a b?c%2Fd".into(),
            query: vec![
                ("token".into(), "canary-7f3a".into()),
                ("a&b=c".into(), "canary-7f3a".into()),
            ],
            headers: vec![("x-team".into(), "canary-7f3a".into())],
            status: None,
        }
    }

    #[test]
    fn a_request_is_shown_without_its_values_and_reads_one_way() {
        assert_eq!(facts().to_string(), "api.example/v1/a%20b%3Fc%2Fd?token&a%26b%3Dc");
        assert!(!format!("{:?}", facts()).contains("canary"));
        let answer = RequestFacts { status: Some(404), query: Vec::new(), ..facts() };
        assert_eq!(answer.to_string(), "api.example/v1/a%20b%3Fc%2Fd (status 404)");
    }
}
