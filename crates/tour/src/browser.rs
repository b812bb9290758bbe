//! A person's browser: it is told an address by the application, signs the person in, and follows the way back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use daypass_testkit::wait_until;
use reqwest::redirect::Policy;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

/// The program that `$BROWSER` names, and what a person does with the page that it opens.
#[derive(Debug)]
pub struct Browser {
    folder: TempDir,
}

impl Browser {
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("daypass-browser-").tempdir()?;
        let browser = Self { folder };
        let script = format!(
            "#!/bin/sh\nprintf '%s' \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n",
            browser.told().display()
        );
        fs::write(browser.program(), script)?;
        fs::set_permissions(browser.program(), fs::Permissions::from_mode(0o755))?;
        Ok(browser)
    }

    /// For `$BROWSER`.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("browser")
    }

    fn told(&self) -> PathBuf {
        self.folder.path().join("address")
    }

    /// Waits for the application to open a page.
    pub fn opened(&self) -> Result<String> {
        let told = self.told();
        let address = wait_until("the application to open the browser", SOON, || read(&told))?;
        fs::remove_file(&told)?;
        Ok(address)
    }

    /// Waits for the sign-in page, signs in, and goes back to the application.
    pub fn sign_in(&self, user: &str, password: &str) -> Result<()> {
        let address = self.opened()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(sign_in(&address, user, password))
    }
}

fn read(told: &Path) -> Result<String> {
    fs::read_to_string(told).context("it opened nothing")
}

/// Signs in on the page at `address` and goes back to the application, as a browser would.
pub async fn sign_in(address: &str, user: &str, password: &str) -> Result<()> {
    // A person who sees the warning about the self-made certificate goes on, having compared the fingerprint.
    let client = reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .cookie_store(true)
        .redirect(Policy::none())
        .no_proxy()
        .build()?;
    let page = client.get(address).send().await?;
    ensure!(page.status().is_success(), "the sign-in page answered {}", page.status());
    let html = page.text().await?;
    let mut form: Vec<(String, String)> = hidden_fields(&html);
    form.push(("account".into(), user.into()));
    form.push(("password".into(), password.into()));
    let answer = client.post(address).form(&form).send().await?;
    let Some(back) = answer.headers().get("location").and_then(|v| v.to_str().ok()) else {
        bail!("the sign-in page answered {} and leads nowhere", answer.status());
    };
    let landed = client.get(back).send().await?;
    ensure!(landed.status().is_success(), "the application answered {} to the way back", landed.status());
    Ok(())
}

/// The names and values of a page's hidden fields.
fn hidden_fields(html: &str) -> Vec<(String, String)> {
    let inputs = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let hidden = inputs.filter(|tag| tag.contains("type=\"hidden\""));
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.replace("&amp;", "&").replace("&quot;", "\""))
    };
    hidden.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_read_and_others_are_not() {
        let html = r#"<form><input type="hidden" name="csrf" value="a&amp;b"><input name="account" value="x"></form>"#;
        assert_eq!(hidden_fields(html), [("csrf".to_owned(), "a&b".to_owned())]);
    }
}
