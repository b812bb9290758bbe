//! Real servers for tests: PostgreSQL, keychain, notification daemon, display, browser driver.
