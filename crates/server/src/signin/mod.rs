//! Who is there: OAuth with PKCE in the system browser, local accounts, short access tokens, rotating refresh tokens.
