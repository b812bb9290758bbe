//! The one command that the front end may call.

use daypass_client::Handle;
use daypass_protocol::bridge::{Failure, Intent, Reply};
use tauri::{State, WebviewWindow};

#[tauri::command]
pub(crate) async fn intent(
    window: WebviewWindow,
    controller: State<'_, Handle>,
    intent: Intent,
) -> Result<Reply, Failure> {
    match &intent {
        Intent::CloseWindow => {
            if let Err(error) = window.close() {
                tracing::warn!(%error, "a window does not close");
            }
        }
        Intent::Painted => tracing::info!(window = window.label(), "the first frame is on the screen"),
        _ => {}
    }
    controller.intent(intent).await
}
