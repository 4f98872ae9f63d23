//! What people are told.
//!
//! Owns the form of a refusal: a `Status` object, which every client of Kubernetes shows. Must not
//! know why something is refused beyond the [`Refusal`].

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use super::super::http::{AnswerBody, sentence, status_of};
use crate::session::Refusal;

/// What a refused request is answered with. Clients that see when to ask again ask by themselves,
/// many times over: that is left out.
pub(super) fn refused(
    refusal: &Refusal,
    status: Option<StatusCode>,
    session: &str,
) -> Response<AnswerBody> {
    let code = status.unwrap_or_else(|| status_of(refusal.kind));
    let mut message = sentence(refusal);
    let rule = refusal.rule.as_ref().map(|rule| format!("rule {rule}, "));
    message.push_str(&format!(" ({}session {session})", rule.unwrap_or_default()));
    let mut causes = Vec::new();
    let mut cause = |reason: &str, message: String| {
        causes.push(json!({ "reason": reason, "message": message }));
    };
    if let Some(rule) = &refusal.rule {
        cause("PortcullisRule", rule.to_string());
    }
    cause("PortcullisSession", session.to_owned());
    if let Some(hint) = &refusal.hint {
        cause("PortcullisHint", hint.to_string());
    }
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason_of(code),
        "details": { "causes": causes },
        "code": code.as_u16(),
    });
    let mut response = Response::new(AnswerBody::whole(format!("{body}\n")));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The word that the API has for a code (`metav1.StatusReason`).
fn reason_of(code: StatusCode) -> &'static str {
    match code {
        StatusCode::BAD_REQUEST | StatusCode::MISDIRECTED_REQUEST => "BadRequest",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::REQUEST_TIMEOUT => "Timeout",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::PAYLOAD_TOO_LARGE => "RequestEntityTooLarge",
        code if code.is_server_error() => "InternalError",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;
    use crate::session::RefusalKind;

    #[test]
    fn a_refusal_is_a_status_that_names_rule_and_session() {
        let mut refusal =
            Refusal::new(RefusalKind::Policy, "portcullis: delete on pods shop/web is not granted")
                .because("No rule of this workload's roles allows it.")
                .with_hint("Operator: look.");
        refusal.rule = Some("no-delete".into());
        let response = refused(&refusal, None, "7f3a");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body = futures_util::FutureExt::now_or_never(response.into_body().collect());
        let status: Value = serde_json::from_slice(&body.unwrap().unwrap().to_bytes()).unwrap();
        assert_eq!(status["kind"], "Status");
        assert_eq!(status["reason"], "Forbidden");
        assert_eq!(status["code"], 403);
        assert_eq!(
            status["message"],
            "portcullis: delete on pods shop/web is not granted. No rule of this workload's roles \
             allows it. (rule no-delete, session 7f3a)"
        );
        assert_eq!(status["details"]["causes"][0]["message"], "no-delete");
    }
}
