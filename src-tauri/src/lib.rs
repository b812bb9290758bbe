//! The shell: window, tray, notifications, clipboard and browser around the controller in `daypass-client`. It
//! translates what the desktop says into the controller's words and the controller's effects back; no rule is here.

mod arguments;
mod clipboard;
mod command;
mod links;
mod logs;
mod notifications;
mod outside;
mod tray;
mod windows;

use std::process::ExitCode;

use daypass_client::{Handle, Options, SERVICE, SystemKeychain};
use tauri::{AppHandle, Manager as _, RunEvent};
use tauri_plugin_autostart::MacosLauncher;
use tauri_plugin_deep_link::DeepLinkExt as _;

use arguments::Arguments;
use clipboard::Clipboard;
use outside::Outside;

/// Runs the application until it is quit.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("daypass: {message}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("{}", arguments::USAGE);
        return ExitCode::SUCCESS;
    }
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("daypass: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let app = tauri::Builder::default()
        // First, so that a second start does nothing but show the first.
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _folder| windows::show_main(app)))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_autostart::init(MacosLauncher::LaunchAgent, Some(vec!["--hidden"])))
        .invoke_handler(tauri::generate_handler![command::intent])
        .on_window_event(windows::on_event)
        .setup(move |app| Ok(set_up(app.handle(), &arguments)?))
        .build(tauri::generate_context!())?;
    app.run(|app, event| match event {
        // The last window closed; the tray goes on. A code means that quitting was asked for.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::Exit => end(app),
        _ => {}
    });
    Ok(())
}

fn set_up(app: &AppHandle, arguments: &Arguments) -> anyhow::Result<()> {
    let folder = match &arguments.data {
        Some(folder) => folder.clone(),
        None => app.path().data_dir()?.join("daypass"),
    };
    logs::start(&folder)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starts");
    app.manage(windows::DataFolder(folder.clone()));
    tray::set_up(app)?;

    let clipboard = Clipboard::start()?;
    app.manage(clipboard.clone());
    let mut options = Options::new(folder);
    options.suggested_server = std::env::var("DAYPASS_SERVER").ok().filter(|s| !s.trim().is_empty());
    let outside = Outside::new(app.clone(), clipboard);
    let handle = tauri::async_runtime::block_on(daypass_client::start(
        options,
        outside,
        SystemKeychain::new(SERVICE),
    ))?;
    app.manage(handle);

    windows::make_main(app, !arguments.hidden)?;
    let links = app.clone();
    app.deep_link().on_open_url(move |event| links::open(&links, &event.urls()));
    if let Ok(Some(urls)) = app.deep_link().get_current() {
        links::open(app, &urls);
    }
    end_with_signals(app);
    Ok(())
}

/// Logging out and stopping a service end programs by signal; what is on the clipboard must go then, too.
fn end_with_signals(app: &AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                match signal(kind) {
                    Ok(mut signals) => {
                        signals.recv().await;
                        app.exit(0);
                    }
                    Err(error) => tracing::warn!(%error, "a signal is not heard"),
                }
            });
        }
    }
    #[cfg(not(unix))]
    let _ = app;
}

fn end(app: &AppHandle) {
    if let Some(handle) = app.try_state::<Handle>() {
        let handle = handle.inner().clone();
        tauri::async_runtime::block_on(async move { handle.stop().await });
    }
    if let Some(clipboard) = app.try_state::<Clipboard>() {
        clipboard.finish();
    }
    tracing::info!("has ended");
}
