//! The application's window, driven as a person would: WebKit's own WebDriver starts the real program and works the page.

use std::{ffi::OsStr, fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{Desk, Running, free_port, programs::system_program, wait_until};

/// How long to wait for something to appear on the page before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the protocol keeps an element's name.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running application with its driver; both end with it.
#[derive(Debug)]
pub struct Window {
    driver: Running,
    agent: ureq::Agent,
    session: String,
}

/// An element of the page, until the page is drawn anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Window {
    /// Starts `program` at a desk and waits for its first window. `env` is added to the desk's.
    ///
    /// # Errors
    /// When the driver is not installed, or the program opens no window; the error holds what both printed.
    pub fn open<Arg: AsRef<OsStr>>(
        desk: &Desk,
        program: &Path,
        args: &[Arg],
        env: &[(&str, &str)],
    ) -> Result<Self> {
        let port = free_port()?;
        let driver = system_program("WebKitWebDriver", "webkit2gtk-driver")?;
        let mut command: Command = desk.command(&driver);
        command
            .args([format!("--port={port}"), "--host=127.0.0.1".to_owned()])
            // The toolkit lets itself be driven only when asked to.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(env.iter().copied());
        let mut driver = Running::start("window", &mut command, desk.bus.folder())?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let agent = ureq::Agent::new_with_config(config);
        let address = format!("http://127.0.0.1:{port}");
        wait_until("the window's driver", PATIENCE, || {
            driver.check_alive()?;
            agent.get(format!("{address}/status")).call().map(drop).map_err(Into::into)
        })?;
        let args: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned()).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "webkitgtk:browserOptions": {"binary": program.display().to_string(), "args": args},
        }}});
        let answer =
            answer_of(agent.post(format!("{address}/session")).send_json(wanted)?).with_context(|| {
                format!("{} opened no window; it printed:\n{}", program.display(), driver.log())
            })?;
        let session =
            answer.get("sessionId").and_then(Value::as_str).context("the driver gave no session")?;
        let session = format!("{address}/session/{session}");
        Ok(Self { driver, agent, session })
    }

    /// Goes to another page of the application, or of a browser, by its address.
    ///
    /// # Errors
    /// When the page cannot be loaded.
    pub fn visit(&self, address: &str) -> Result<()> {
        self.post("url", json!({"url": address})).map(drop)
    }

    /// What the application and the driver printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.driver.log()
    }

    /// The application's own process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        let driver = self.driver.pid();
        let children = fs::read_to_string(format!("/proc/{driver}/task/{driver}/children"))?;
        children
            .split_whitespace()
            .next()
            .and_then(|pid| pid.parse().ok())
            .context("the application has ended")
    }

    /// Ends the application as a crash would; nothing can be done with this window after that.
    pub fn kill9(mut self) {
        self.driver.kill9();
    }

    /// Ends the session as the driver does it, which closes the application.
    pub fn close(mut self) {
        // An application that is gone already cannot be closed; the driver is ended either way.
        let _ = self.agent.delete(&self.session).call();
        self.driver.stop();
    }

    /// The first element that fits `css`, now.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, css: &str) -> Result<Element> {
        let answer = self.post("element", json!({"using": "css selector", "value": css}))?;
        element(&answer).with_context(|| format!("nothing fits {css:?}"))
    }

    /// How many elements fit `css`, now.
    ///
    /// # Errors
    /// When the page does not answer.
    pub fn count(&self, css: &str) -> Result<usize> {
        let answer = self.post("elements", json!({"using": "css selector", "value": css}))?;
        Ok(answer.as_array().map_or(0, Vec::len))
    }

    /// Waits for an element that fits `css`.
    ///
    /// # Errors
    /// When none appears; the error holds the text of the page.
    pub fn wait_for(&self, css: &str) -> Result<Element> {
        self.patiently(&format!("an element {css:?}"), || self.find(css))
    }

    /// Waits until nothing fits `css`.
    ///
    /// # Errors
    /// When something still does.
    pub fn wait_gone(&self, css: &str) -> Result<()> {
        self.patiently(&format!("no element {css:?}"), || {
            ensure!(self.count(css)? == 0, "it is there");
            Ok(())
        })
    }

    /// Waits until the page shows `text`.
    ///
    /// # Errors
    /// When it does not; the error holds what it shows.
    pub fn wait_text(&self, text: &str) -> Result<()> {
        self.wait_text_for(text, PATIENCE)
    }

    /// # Errors
    /// As [`Window::wait_text`].
    pub fn wait_text_for(&self, text: &str, limit: Duration) -> Result<()> {
        wait_until(&format!("the text {text:?}"), limit, || {
            let shown = self.page_text()?;
            ensure!(shown.contains(text), "the page shows:\n{shown}");
            Ok(())
        })
    }

    /// All text that the page shows.
    ///
    /// # Errors
    /// When the page does not answer.
    pub fn page_text(&self) -> Result<String> {
        let text = self.eval_js("return document.body ? document.body.innerText : ''", &[])?;
        text.as_str().map(str::to_owned).context("the page has no text")
    }

    /// Clicks the first element that fits `css`, as soon as it can be clicked.
    ///
    /// # Errors
    /// When it cannot.
    pub fn click(&self, css: &str) -> Result<()> {
        self.patiently(&format!("to click {css:?}"), || self.click_on(&self.find(css)?))
    }

    /// Clicks what a person would click to choose `text`: the button, link or other element that shows just that.
    ///
    /// # Errors
    /// When it cannot.
    pub fn click_text(&self, text: &str) -> Result<()> {
        self.patiently(&format!("to click the text {text:?}"), || self.click_on(&self.find_text(text)?))
    }

    /// The element that shows just `text`: what can be pressed before what cannot, the innermost before those around it.
    ///
    /// # Errors
    /// When none does.
    pub fn find_text(&self, text: &str) -> Result<Element> {
        const SEARCH: &str = r#"
            const wanted = arguments[0];
            const spoken = (e) => (e.innerText || e.value || '').replace(/\s+/g, ' ').trim();
            const shown = (e) => e.getClientRects().length > 0;
            const pressable = 'button, a, summary, label, option, input[type=button], input[type=submit], [role]';
            const fits = (list) => list.filter((e) => shown(e) && (spoken(e) === wanted || e.ariaLabel === wanted));
            const dialogs = [...document.querySelectorAll('dialog[open]')];
            const place = dialogs.length ? dialogs[dialogs.length - 1] : document;
            return fits([...place.querySelectorAll(pressable)]).pop() || fits([...place.querySelectorAll('*')]).pop() || null;
        "#;
        let found = self.eval_js(SEARCH, &[json!(text)])?;
        element(&found).with_context(|| format!("nothing shows just {text:?}"))
    }

    /// # Errors
    /// When the element is covered, hidden or gone.
    pub fn click_on(&self, element: &Element) -> Result<()> {
        self.post(&format!("element/{}/click", element.0), json!({})).map(drop)
    }

    /// Replaces the text of the field that fits `css`.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.patiently(&format!("to fill {css:?}"), || {
            let field = self.find(css)?;
            self.post(&format!("element/{}/clear", field.0), json!({}))?;
            self.post(&format!("element/{}/value", field.0), json!({"text": text})).map(drop)
        })
    }

    /// Types into the field that fits `css`, after what it holds.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn type_into(&self, css: &str, text: &str) -> Result<()> {
        self.patiently(&format!("to type into {css:?}"), || {
            self.post(&format!("element/{}/value", self.find(css)?.0), json!({"text": text})).map(drop)
        })
    }

    /// Presses a key, or several together, wherever the focus is: `Enter`, `j`, `Control+k`.
    ///
    /// # Errors
    /// When a name is no key.
    pub fn press(&self, chord: &str) -> Result<()> {
        let keys = if chord == "+" {
            vec![key("+")?]
        } else {
            chord.split('+').map(key).collect::<Result<Vec<_>>>()?
        };
        let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<_> = down.chain(up).collect();
        self.post("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}))
            .map(drop)
    }

    /// What the first element that fits `css` shows.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, css: &str) -> Result<String> {
        let text = self.get(&format!("element/{}/text", self.find(css)?.0))?;
        text.as_str().map(str::to_owned).context("the element has no text")
    }

    /// An attribute of the first element that fits `css`.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let value = self.get(&format!("element/{}/attribute/{name}", self.find(css)?.0))?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// What the field that fits `css` holds now.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn value(&self, css: &str) -> Result<String> {
        let value = self.get(&format!("element/{}/property/value", self.find(css)?.0))?;
        value.as_str().map(str::to_owned).context("the element has no value")
    }

    /// Runs `script` as the body of a function in the page; `args` are its `arguments`.
    ///
    /// # Errors
    /// When it throws.
    pub fn eval_js(&self, script: &str, args: &[Value]) -> Result<Value> {
        self.post("execute/sync", json!({"script": script, "args": args}))
    }

    /// The page as a PNG file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let picture = self.get("screenshot")?;
        let picture = STANDARD.decode(picture.as_str().context("the driver gave no picture")?)?;
        fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Makes the page `width` by `height`, by making its window as much larger as its frame is.
    ///
    /// # Errors
    /// When the window does not take the size.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.post("window/rect", json!({"width": width, "height": height}))?;
        self.patiently(&format!("a page of {width}×{height}"), || {
            let size = self.eval_js("return [innerWidth, innerHeight]", &[])?;
            ensure!(size == json!([width, height]), "it is {size}");
            Ok(())
        })
    }

    /// Goes on in the application's window whose title or address contains `text`, once there is one.
    ///
    /// # Errors
    /// When there is none; the error lists those that there are.
    pub fn switch_to(&self, text: &str) -> Result<()> {
        self.patiently(&format!("a window {text:?}"), || {
            let mut seen = Vec::new();
            for handle in self.handles()? {
                self.post("window", json!({"handle": handle}))?;
                let name = format!("{} {}", self.title()?, self.address()?);
                if name.contains(text) {
                    return Ok(());
                }
                seen.push(name);
            }
            bail!("there are {seen:?}")
        })
    }

    /// How many windows the application has, seen or hidden.
    ///
    /// # Errors
    /// When the driver does not answer.
    pub fn handles(&self) -> Result<Vec<Value>> {
        self.get("window/handles")?.as_array().cloned().context("the driver listed no windows")
    }

    /// # Errors
    /// When the page does not answer.
    pub fn title(&self) -> Result<String> {
        self.get("title")?.as_str().map(str::to_owned).context("the page has no title")
    }

    /// # Errors
    /// When the page does not answer.
    pub fn address(&self) -> Result<String> {
        self.get("url")?.as_str().map(str::to_owned).context("the page has no address")
    }

    fn patiently<T>(&self, what: &str, attempt: impl FnMut() -> Result<T>) -> Result<T> {
        wait_until(what, PATIENCE, attempt).with_context(|| {
            format!("the page shows:\n{}", self.page_text().unwrap_or_else(|gone| gone.to_string()))
        })
    }

    fn get(&self, path: &str) -> Result<Value> {
        answer_of(self.agent.get(format!("{}/{path}", self.session)).call()?)
    }

    fn post(&self, path: &str, body: Value) -> Result<Value> {
        answer_of(self.agent.post(format!("{}/{path}", self.session)).send_json(body)?)
    }
}

/// The protocol wraps every answer, and every error, in `value`.
fn answer_of(mut response: ureq::http::Response<ureq::Body>) -> Result<Value> {
    // A screenshot is larger than the client's usual limit allows for.
    let body: Value = response.body_mut().with_config().limit(64 << 20).read_json()?;
    let value = body.get("value").cloned().unwrap_or_default();
    match value.get("error").and_then(Value::as_str) {
        Some(code) => {
            Err(anyhow!("{code}: {}", value.get("message").and_then(Value::as_str).unwrap_or_default()))
        }
        None => Ok(value),
    }
}

fn element(answer: &Value) -> Option<Element> {
    answer.get(ELEMENT).and_then(Value::as_str).map(|name| Element(name.to_owned()))
}

/// The code point that the protocol gives to a key that is no letter.
fn key(name: &str) -> Result<String> {
    let code = match name {
        "Backspace" => '\u{e003}',
        "Tab" => '\u{e004}',
        "Enter" => '\u{e007}',
        "Shift" => '\u{e008}',
        "Control" => '\u{e009}',
        "Alt" => '\u{e00a}',
        "Escape" => '\u{e00c}',
        "Space" => ' ',
        "PageUp" => '\u{e00e}',
        "PageDown" => '\u{e00f}',
        "End" => '\u{e010}',
        "Home" => '\u{e011}',
        "ArrowLeft" => '\u{e012}',
        "ArrowUp" => '\u{e013}',
        "ArrowRight" => '\u{e014}',
        "ArrowDown" => '\u{e015}',
        "Delete" => '\u{e017}',
        single if single.chars().count() == 1 => return Ok(single.to_owned()),
        unknown => bail!("there is no key {unknown:?}"),
    };
    Ok(code.to_string())
}
