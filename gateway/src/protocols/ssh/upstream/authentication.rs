//! Proving who we are to an upstream.
//!
//! Owns the order of the means: the certificate, the bare key, the password; where the upstream
//! asks for two of them, one after the other. Must not know where they come from. What is asked
//! interactively is answered only where it is a password, and once.

use model::Secret;
use russh::client::{AuthResult, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::HashAlg;
use russh::{MethodKind, MethodSet};

use super::signing::{Identity, SigningError};
use super::{LoginError, UpstreamHandle};
use crate::session::Credential;

/// Questions that an upstream may put before it has an answer.
const QUESTIONS_MAX: usize = 4;

/// What to log in with, and as whom.
pub(super) struct Means {
    user: String,
    identity: Option<Identity>,
    password: Option<Secret<String>>,
}

/// One way to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Certificate,
    Key,
    Password,
    Questions,
}

/// What came of one way.
enum Tried {
    In,
    /// Refused, or not enough; what may be tried next.
    On {
        partial: bool,
        next: MethodSet,
    },
}

impl Means {
    /// Of a credential, as its user or else as `asked`.
    pub(super) fn of(credential: Credential, asked: &str) -> Result<Self, LoginError> {
        let identity = credential
            .private_key
            .as_ref()
            .map(|key| Identity::read(key.expose(), credential.certificate.as_deref()))
            .transpose()?;
        if identity.is_none() && credential.password.is_none() {
            return Err(LoginError::NoCredential);
        }
        let user = credential.user.unwrap_or_else(|| asked.to_owned());
        Ok(Self { user, identity, password: credential.password })
    }

    fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        if let Some(identity) = &self.identity {
            if identity.certificate().is_some() {
                ways.push(Way::Certificate);
            }
            ways.push(Way::Key);
        }
        if self.password.is_some() {
            ways.extend([Way::Password, Way::Questions]);
        }
        ways
    }

    fn refused(&self, tried: &[Way], next: &MethodSet) -> LoginError {
        let tried: Vec<&str> = tried.iter().map(|way| way.name()).collect();
        let wants: Vec<&str> = next.iter().map(Into::into).collect();
        let mut more = match wants.is_empty() {
            true => String::new(),
            false => format!("; it takes {}", wants.join(", ")),
        };
        let certificate = self.identity.as_ref().and_then(Identity::certificate);
        if let Some(certificate) = certificate {
            let principals = certificate.valid_principals().join(", ");
            more.push_str(&format!(
                "; the certificate is for \"{principals}\", good from {} until {} (Unix time)",
                certificate.valid_after(),
                certificate.valid_before()
            ));
        }
        LoginError::Refused { user: self.user.clone(), tried: tried.join(", "), more }
    }
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "the certificate",
            Self::Key => "the key",
            Self::Password => "the password",
            Self::Questions => "the password (keyboard-interactive)",
        }
    }

    const fn method(self) -> MethodKind {
        match self {
            Self::Certificate | Self::Key => MethodKind::PublicKey,
            Self::Password => MethodKind::Password,
            Self::Questions => MethodKind::KeyboardInteractive,
        }
    }
}

/// Logs in.
///
/// # Errors
/// Where the upstream refuses everything there is.
pub(super) async fn prove(handle: &mut UpstreamHandle, means: Means) -> Result<(), LoginError> {
    let mut ways = means.ways();
    let mut tried = Vec::new();
    // Nothing is known of what it takes before the first answer.
    let mut next: Option<MethodSet> = None;
    while let Some(place) = ways.iter().position(|way| takes(next.as_ref(), *way)) {
        let way = ways.remove(place);
        tried.push(way);
        match attempt(handle, &means, way).await? {
            Tried::In => return Ok(()),
            Tried::On { partial, next: then } => {
                if partial {
                    // That means is used up; another is wanted beside it.
                    ways.retain(|other| other.method() != way.method());
                }
                // An upstream that is gone says that it takes nothing.
                if handle.is_closed() {
                    return Err(LoginError::Protocol(russh::Error::Disconnect));
                }
                next = Some(then);
            }
        }
    }
    Err(means.refused(&tried, &next.unwrap_or_else(MethodSet::empty)))
}

fn takes(next: Option<&MethodSet>, way: Way) -> bool {
    next.is_none_or(|methods| methods.contains(&way.method()))
}

async fn attempt(
    handle: &mut UpstreamHandle,
    means: &Means,
    way: Way,
) -> Result<Tried, LoginError> {
    let user = means.user.as_str();
    let result = match (way, &means.identity, &means.password) {
        (Way::Certificate | Way::Key, Some(identity), _) => {
            return with_key(handle, user, identity, way).await;
        }
        (Way::Password, _, Some(password)) => {
            // The library takes the password as its own and wipes nothing.
            handle.authenticate_password(user, password.expose().as_str()).await?
        }
        (Way::Questions, _, Some(password)) => return questions(handle, user, password).await,
        _ => return Err(LoginError::NoCredential),
    };
    Ok(tried(result))
}

fn tried(result: AuthResult) -> Tried {
    match result {
        AuthResult::Success => Tried::In,
        AuthResult::Failure { remaining_methods, partial_success } => {
            Tried::On { partial: partial_success, next: remaining_methods }
        }
    }
}

/// With RSA, by the hash that the upstream says it takes, or else by the other: servers list more
/// than they have been told to take.
async fn with_key(
    handle: &mut UpstreamHandle,
    user: &str,
    identity: &Identity,
    way: Way,
) -> Result<Tried, LoginError> {
    if !identity.is_rsa() {
        return signed(handle, user, identity, way, None).await;
    }
    let [first, second] = match handle.best_supported_rsa_hash().await? {
        Some(Some(HashAlg::Sha256)) => [HashAlg::Sha256, HashAlg::Sha512],
        _ => [HashAlg::Sha512, HashAlg::Sha256],
    };
    match signed(handle, user, identity, way, Some(first)).await? {
        Tried::On { partial: false, next } if takes(Some(&next), way) => {
            signed(handle, user, identity, way, Some(second)).await
        }
        tried => Ok(tried),
    }
}

async fn signed(
    handle: &mut UpstreamHandle,
    user: &str,
    identity: &Identity,
    way: Way,
    hash: Option<HashAlg>,
) -> Result<Tried, LoginError> {
    let mut signer = identity;
    let certificate = identity.certificate().filter(|_| way == Way::Certificate);
    let result = match certificate {
        Some(certificate) => {
            handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut signer).await
        }
        None => {
            let key = identity.public_key().clone();
            handle.authenticate_publickey_with(user, key, hash, &mut signer).await
        }
    };
    result.map(tried).map_err(|error| match error {
        SigningError::Key(error) => LoginError::Key(error),
        SigningError::Gone(_) => LoginError::Protocol(russh::Error::Disconnect),
    })
}

async fn questions(
    handle: &mut UpstreamHandle,
    user: &str,
    password: &Secret<String>,
) -> Result<Tried, LoginError> {
    let mut answer = handle.authenticate_keyboard_interactive_start(user, None).await?;
    let mut given = false;
    for _ in 0..QUESTIONS_MAX {
        let prompts = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(Tried::In),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                return Ok(Tried::On { partial: partial_success, next: remaining_methods });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let answers = match prompts.as_slice() {
            [] => Vec::new(),
            [prompt] if !given && is_for_password(prompt) => {
                given = true;
                vec![password.expose().clone()]
            }
            _ => return Err(LoginError::Asked { user: user.to_owned() }),
        };
        answer = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Err(LoginError::Asked { user: user.to_owned() })
}

/// Whether a question is for the password: not for a new one, nor for one that is good once.
fn is_for_password(prompt: &Prompt) -> bool {
    const OTHERS: [&str; 8] =
        ["new", "retype", "again", "confirm", "one-time", "one time", "otp", "token"];
    let text = prompt.prompt.to_lowercase();
    !prompt.echo && text.contains("password") && !OTHERS.iter().any(|other| text.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_question_for_the_password_is_answered() {
        for (prompt, echo, expected) in [
            ("Password: ", false, true),
            ("(deploy@web1) Password: ", false, true),
            ("deploy's password:", false, true),
            ("Password: ", true, false),
            ("New password: ", false, false),
            ("Retype new password: ", false, false),
            ("One-time password (OATH) for `deploy': ", false, false),
            ("Verification code: ", false, false),
            ("PIN: ", false, false),
            ("", false, false),
        ] {
            let asked = Prompt { prompt: prompt.to_owned(), echo };
            assert_eq!(is_for_password(&asked), expected, "{prompt}");
        }
    }
}
