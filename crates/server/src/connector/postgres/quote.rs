//! Names and texts inside statements that take no parameters.

/// A name or a text that PostgreSQL cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name or text for PostgreSQL cannot hold a zero character")]
pub(super) struct Zero;

/// A quoted identifier.
pub(super) fn ident(name: &str) -> Result<String, Zero> {
    check(name)?;
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A quoted text. The escape form means the same whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> Result<String, Zero> {
    check(text)?;
    Ok(format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

fn check(text: &str) -> Result<(), Zero> {
    if text.contains('\0') { Err(Zero) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        for (name, quoted) in [
            ("shop", r#""shop""#),
            (r#"a"b"#, r#""a""b""#),
            (r#"""#, r#""""""#),
            ("'; DROP ROLE x; --", r#""'; DROP ROLE x; --""#),
            ("Ünï", r#""Ünï""#),
        ] {
            assert_eq!(ident(name).as_deref(), Ok(quoted));
        }
        for (text, quoted) in [
            ("plain", "E'plain'"),
            ("it's", "E'it''s'"),
            (r"\'; DROP ROLE x; --", r"E'\\''; DROP ROLE x; --'"),
            (r"\", r"E'\\'"),
            ("line\nline", "E'line\nline'"),
        ] {
            assert_eq!(literal(text).as_deref(), Ok(quoted));
        }
        assert_eq!((ident("a\0b"), literal("a\0b")), (Err(Zero), Err(Zero)));
    }
}
