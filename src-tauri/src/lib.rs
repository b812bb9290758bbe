//! The shell.
pub fn run() {
    let _ = tauri::generate_context!() as tauri::Context<tauri::Wry>;
}
