//! The way to the shell: typed intents out, typed events in.

use daypass_protocol::bridge::{Failure, FailureCode, Intent, Reply};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], catch)]
    async fn invoke(command: &str, arguments: JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "event"], catch)]
    async fn listen(event: &str, handler: &Closure<dyn FnMut(JsValue)>) -> Result<JsValue, JsValue>;
}

#[derive(Serialize)]
struct Arguments {
    intent: Intent,
}

/// Sends `intent` and waits for the shell's answer.
pub async fn send(intent: Intent) -> Result<Reply, Failure> {
    let arguments = to_js(&Arguments { intent }).map_err(local)?;
    match invoke("intent", arguments).await {
        Ok(reply) => from_js(&reply).map_err(local),
        Err(failure) => Err(from_js(&failure).unwrap_or_else(|_| local(in_words(&failure)))),
    }
}

/// Calls `handler` with the payload of every `event`, as long as the window lives.
pub async fn on_event<T: DeserializeOwned>(event: &str, handler: impl Fn(Result<T, String>) + 'static) {
    let closure = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        let payload = js_sys::Reflect::get(&event, &JsValue::from_str("payload")).unwrap_or(JsValue::NULL);
        handler(from_js(&payload));
    });
    // Without events the window still works: each action answers by itself, and the pages say when they are old.
    let _ = listen(event, &closure).await;
    closure.forget();
}

/// A failure that arose in this window.
fn local(message: String) -> Failure {
    Failure { code: FailureCode::Local, message, problems: Vec::new() }
}

// JSON text keeps tagged and flattened types exactly as the shell wrote them.
fn to_js(value: &impl Serialize) -> Result<JsValue, String> {
    let text = serde_json::to_string(value).map_err(|e| e.to_string())?;
    js_sys::JSON::parse(&text).map_err(|e| in_words(&e))
}

fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, String> {
    let text = js_sys::JSON::stringify(value).map_err(|e| in_words(&e))?;
    let text = text.as_string().ok_or("the shell answered nothing that can be read")?;
    serde_json::from_str(&text).map_err(|e| format!("the shell's answer cannot be read: {e}"))
}

fn in_words(value: &JsValue) -> String {
    value.as_string().unwrap_or_else(|| format!("{value:?}"))
}
