//! The driver's side of a window, shown with the small browser that comes with the web view; the application's own tests
//! use the same with the application.

use std::{fs, path::PathBuf, time::Duration};

use daypass_testkit::{Desk, Window, wait_until};

const PAGE: &str = r#"<!doctype html><title>Probe</title>
<p id="greeting">Good morning</p>
<label>Reason <input id="reason"></label>
<button onclick="said.textContent = 'because ' + reason.value">Send it</button>
<button onclick="setTimeout(() => late.innerHTML = '<b class=new>Here now</b>', 300)">Wait</button>
<button onclick="question.showModal()">Ask</button>
<dialog id="question"><p>Sure?</p><button onclick="said.textContent = 'sure'; question.close()">Send it</button></dialog>
<p id="said"></p><p id="late"></p>
<script>addEventListener('keydown', (e) => { if (e.ctrlKey && e.key === 'k') said.textContent = 'palette' })</script>"#;

fn browser() -> PathBuf {
    let found = fs::read_dir("/usr/lib")
        .unwrap()
        .flatten()
        .map(|entry| entry.path().join("webkit2gtk-4.1/MiniBrowser"));
    found
        .into_iter()
        .find(|file| file.exists())
        .expect("MiniBrowser comes with the Debian package libwebkit2gtk-4.1-0")
}

#[test]
fn a_page_is_read_clicked_typed_into_and_pictured() {
    let desk = Desk::start().unwrap();
    let page = desk.bus.folder().join("probe.html");
    fs::write(&page, PAGE).unwrap();
    let window = Window::open(&desk, &browser(), &["--automation"], &[]).unwrap();
    window.visit(&format!("file://{}", page.display())).unwrap();
    window.wait_text("Good morning").unwrap();
    assert_eq!(window.title().unwrap(), "Probe");
    assert_eq!(window.text("#greeting").unwrap(), "Good morning");

    window.fill("#reason", "replaced").unwrap();
    window.fill("#reason", "it is").unwrap();
    window.type_into("#reason", " late").unwrap();
    assert_eq!(window.value("#reason").unwrap(), "it is late");
    window.click_text("Send it").unwrap();
    assert_eq!(window.text("#said").unwrap(), "because it is late");

    window.click_text("Wait").unwrap();
    window.wait_for(".new").unwrap();
    assert_eq!(window.count("button").unwrap(), 4);

    window.click_text("Ask").unwrap();
    window.click_text("Send it").unwrap();
    window.wait_text("sure").unwrap();
    window.press("Control+k").unwrap();
    window.wait_text("palette").unwrap();

    let picture = desk.bus.folder().join("page.png");
    window.screenshot(&picture).unwrap();
    assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    assert!(desk.display.shows("Probe").unwrap());

    let missing = window.find_text("Approve").unwrap_err().to_string();
    assert!(missing.contains("Approve"), "{missing}");
    let pid = window.pid().unwrap();
    window.close();
    wait_until("the browser to be gone", Duration::from_secs(5), || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        anyhow::ensure!(stat.is_empty() || stat.contains(") Z "), "{stat}");
        Ok(())
    })
    .unwrap();
}
