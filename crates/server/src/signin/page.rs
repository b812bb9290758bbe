//! The pages in the browser: one file each, no script, nothing from elsewhere.

use std::fmt::Write as _;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

const STYLE: &str = include_str!("page.css");

/// What a person sees.
pub(super) enum Page<'a> {
    SignIn {
        organisation: &'a str,
        trouble: Option<&'a str>,
        account: &'a str,
        hidden: &'a Hidden,
    },
    /// Nothing can be done here.
    Broken {
        organisation: &'a str,
        why: &'a str,
    },
}

/// What the form brings back as it was.
pub(super) struct Hidden {
    pub ask: String,
    pub made_at: i64,
    pub proof: String,
}

impl Page<'_> {
    /// `goes_to` is where a browser may be sent after the form.
    pub(super) fn respond(&self, status: StatusCode, goes_to: Option<&str>) -> Response {
        let mut response = (status, self.html()).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        let policy = HeaderValue::try_from(content_policy(goes_to));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            policy.unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
        );
        response
    }

    fn html(&self) -> String {
        let (organisation, title, body) = match self {
            Self::SignIn { organisation, trouble, account, hidden } => {
                (organisation, "Sign in", sign_in(organisation, *trouble, account, hidden))
            }
            Self::Broken { organisation, why } => (organisation, "This does not work", broken(why)),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title} · Daypass · {organisation}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <div class=\"brand\">{LOGO}Daypass</div>\n{body}</main>\n</body>\n</html>\n",
            organisation = escape(organisation),
        )
    }
}

const LOGO: &str = "<svg viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" aria-hidden=\"true\">\
    <rect class=\"fill\" x=\"2\" y=\"2\" width=\"20\" height=\"20\" rx=\"6\"/>\
    <path class=\"stroke\" d=\"m7.5 12.3 3 3 6-6.4\"/></svg>";

fn sign_in(organisation: &str, trouble: Option<&str>, account: &str, hidden: &Hidden) -> String {
    let mut html = format!(
        "<h1>Sign in to {}</h1>\n<p class=\"sub\">Daypass is waiting for you on this computer.</p>\n",
        escape(organisation)
    );
    if let Some(trouble) = trouble {
        let _ = writeln!(html, "<p class=\"trouble\" role=\"alert\" id=\"trouble\">{}</p>", escape(trouble));
    }
    let described =
        if trouble.is_some() { " aria-describedby=\"trouble\" aria-invalid=\"true\"" } else { "" };
    let (on_account, on_password) = if account.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let _ = write!(
        html,
        "<form method=\"post\" action=\"/oauth/authorize\">\n\
         <input type=\"hidden\" name=\"ask\" value=\"{ask}\">\n\
         <input type=\"hidden\" name=\"made_at\" value=\"{made_at}\">\n\
         <input type=\"hidden\" name=\"proof\" value=\"{proof}\">\n\
         <label for=\"account\">User name</label>\n\
         <input id=\"account\" name=\"account\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" \
         required maxlength=\"64\" value=\"{account}\"{described}{on_account}>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required \
         maxlength=\"200\"{described}{on_password}>\n\
         <button type=\"submit\">Sign in</button>\n</form>\n\
         <p class=\"foot\">You go back to the application afterwards. If you did not just start to sign in there, \
         close this page.</p>\n",
        ask = escape(&hidden.ask),
        made_at = hidden.made_at,
        proof = escape(&hidden.proof),
        account = escape(account),
    );
    html
}

fn broken(why: &str) -> String {
    format!(
        "<h1>This does not work</h1>\n<p class=\"trouble\" role=\"alert\">{}</p>\n\
         <p class=\"sub\">Go back to the application and choose “Sign in” again.</p>\n",
        escape(why)
    )
}

/// The strictest policy that the page works under. Chromium applies `form-action` to the redirect after a form too,
/// and takes no IPv6 address as a source, so that for one the scheme has to do.
fn content_policy(goes_to: Option<&str>) -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let form = match goes_to.map(|uri| uri.strip_suffix("/callback").unwrap_or(uri)) {
        Some(origin) if origin.starts_with("http://[") => "'self' http:".to_owned(),
        Some(origin) => format!("'self' {origin}"),
        None => "'none'".to_owned(),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action {form}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// "1 second", "40 seconds", "2 minutes".
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        1 => "1 second".into(),
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Text as HTML, in an element or in a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A query's value: everything but RFC 3986's unreserved characters percent-encoded.
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_becomes_markup() {
        let hidden = Hidden { ask: "\"><script>".into(), made_at: 1, proof: "'".into() };
        let evil = "\"><script>alert(1)</script>&'";
        let page = Page::SignIn { organisation: evil, trouble: Some(evil), account: evil, hidden: &hidden };
        let html = page.html();
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"));
        assert!(!Page::Broken { organisation: evil, why: evil }.html().contains("<script"));
    }

    #[test]
    fn the_policy_names_the_style_and_the_one_way_out() {
        let policy = content_policy(Some("http://127.0.0.1:4711/callback"));
        assert!(policy.contains("form-action 'self' http://127.0.0.1:4711;"), "{policy}");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
    }

    #[test]
    fn waits_are_said_in_words() {
        assert_eq!(
            [1, 40, 90, 91, 900].map(seconds),
            ["1 second", "40 seconds", "90 seconds", "2 minutes", "15 minutes"]
        );
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(percent("a b&c=ü/~"), "a%20b%26c%3D%C3%BC%2F~");
    }
}
