//! `daypass-tour tour`: drives the real window through the main job and keeps pictures of every page.
//! `daypass-tour demo`: opens the application on the same world for a person to use.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use daypass_clock::uptime;
use daypass_testkit::{built_program, wait_until};
use daypass_tour::{PASSWORD, Person, World, shop};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("\ndaypass-tour: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let fast = arguments.iter().any(|a| a == "--fast");
    let pictures = match arguments.iter().position(|a| a == "--pictures") {
        Some(i) => PathBuf::from(arguments.get(i + 1).context("--pictures wants a folder")?),
        None => target()?.join("tour"),
    };
    match arguments.first().map(String::as_str) {
        Some("tour") => tour(fast, &pictures),
        Some("demo") => demo(fast),
        _ => bail!("say \"tour\" or \"demo\", and --fast for a grant of two minutes"),
    }
}

/// The folder above the one that this program was built into.
fn target() -> Result<PathBuf> {
    let own = env::current_exe()?;
    Ok(own.ancestors().nth(2).context("this program is nowhere")?.to_owned())
}

/// Prints what is about to happen, and how long it took.
fn step<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut out = std::io::stdout();
    write!(out, "  {what} … ")?;
    out.flush()?;
    let begun = uptime();
    let value = act().with_context(|| what.to_owned())?;
    writeln!(out, "{:.1} s", uptime().saturating_sub(begun).as_secs_f64())?;
    Ok(value)
}

fn title(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "\n{text}")?;
    Ok(())
}

fn note(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "    {text}")?;
    Ok(())
}

/// With a grant of two minutes at most for write access to production.
fn world(fast: bool) -> Result<World> {
    let postgres = shop()?;
    World::serve(postgres, |obligations| {
        if !fast {
            return Ok(obligations);
        }
        let (before, rest) =
            obligations.split_once("@id(\"prod-write-senior\")").context("no such policy")?;
        let shorter = rest.replacen("@max_duration(\"4h\")", "@max_duration(\"2m\")", 1);
        Ok(format!("{before}@id(\"prod-write-senior\"){shorter}"))
    })
}

struct Album<'a> {
    folder: &'a Path,
}

impl Album<'_> {
    /// The page as it is, in both themes and both sizes.
    fn page(&self, person: &Person, name: &str) -> Result<()> {
        for (width, height) in SIZES {
            person.window.resize(width, height)?;
            for theme in ["light", "dark"] {
                self.theme(person, theme)?;
                person.screenshot(&self.folder.join(format!("{name}-{theme}-{width}x{height}.png")))?;
            }
        }
        self.theme(person, "light")?;
        let (width, height) = SIZES[0];
        person.window.resize(width, height)
    }

    fn theme(&self, person: &Person, theme: &str) -> Result<()> {
        let script = "document.documentElement.classList.toggle('dark', arguments[0] === 'dark'); \
                      document.documentElement.classList.toggle('light', arguments[0] === 'light');";
        person.window.eval_js(script, &[Value::from(theme)])?;
        // A software-drawn page reaches the screen some frames after its elements.
        std::thread::sleep(Duration::from_millis(400));
        Ok(())
    }
}

fn tour(fast: bool, pictures: &Path) -> Result<()> {
    std::fs::create_dir_all(pictures)?;
    let album = Album { folder: pictures };
    let minutes = if fast { 2 } else { 30 };

    title("A shop in PostgreSQL, a server, two people at their desks")?;
    let mut world = step("start PostgreSQL with the sample shop, and daypassd on SQLite", || world(fast))?;
    let rows = world.postgres.sql("shop", "SELECT count(*) FROM order_lines")?;
    note(&format!("daypassd answers at {}; the shop has {rows} order lines", world.address()))?;
    let maya = step("Maya Olsen, engineer, opens Daypass", || world.person("maya"))?;
    maya.find_server()?;
    album.page(&maya, "sign-in")?;
    step("Maya accepts the server's certificate and signs in by her browser", || maya.accept_and_sign_in())?;
    let sam = step("Sam Okafor, senior engineer, opens Daypass and signs in", || {
        let sam = world.person("sam")?;
        sam.sign_in()?;
        Ok(sam)
    })?;

    title(&format!("Maya needs to write to the shop's production database for {minutes} minutes"))?;
    step("Maya looks at what she is entitled to", || {
        maya.window.wait_for("[data-test=card-shop-db]")?;
        album.page(&maya, "access")
    })?;
    step("Maya fills in the request; the preview tells who decides, and the risk", || {
        maya.window.click("[data-test=ask-shop-db-write]")?;
        maya.window.click(&format!("[data-test=duration-{}]", minutes * 60))?;
        maya.window.fill(
            "[data-test=reason]",
            "INC-2041: orders stuck in payment since 03:10; set 12 of them to paid",
        )?;
        maya.window.wait_for("[data-test=risk-points]")?;
        maya.window.wait_for("[data-test=submit]:not([disabled])")?;
        album.page(&maya, "request")
    })?;
    note(&maya.window.text("[data-test=preview-outcome]")?.replace('\n', " · "))?;
    step("Maya sends it", || {
        maya.window.click("[data-test=submit]")?;
        maya.window.wait_for("[data-test=submitted]").map(|_| ())
    })?;

    title("Sam decides")?;
    let told =
        step("a native notification reaches Sam", || sam.desk.notifications.wait_for("Maya Olsen", SOON))?;
    note(&format!("“{}” {}", told.summary, told.body.replace('\n', " · ")))?;
    step("Sam reads the request", || {
        sam.window.click("[data-test=nav-review]")?;
        sam.window.wait_for("[data-test=detail]")?;
        album.page(&sam, "review")
    })?;
    step("Sam approves, in a second deliberate step", || {
        sam.window.click("[data-test=approve]")?;
        sam.window.wait_for("[data-test=confirm]")?;
        album.page(&sam, "approve")?;
        sam.window.click("[data-test=confirm]")
    })?;

    title("Maya works")?;
    let secret = step("the credential appears in Maya's keychain", || maya.credential())?;
    note("seen from outside with secret-tool; the window only knows that it is there")?;
    step("the window shows the time that is left", || {
        maya.window.click("[data-test=nav-my-access]")?;
        maya.window.wait_for("[data-test=copy-command]")?;
        album.page(&maya, "my-access")
    })?;
    note(&format!("the tray says:\n{}", indent(&maya.desk.tray.menu_text()?)))?;
    let sql = "UPDATE orders SET status = 'paid' WHERE id IN (SELECT id FROM orders WHERE status = 'placed' \
               ORDER BY id LIMIT 12) RETURNING id";
    let changed = step("psql works with it", || secret.psql(&world.postgres, sql))?;
    note(&format!("psql changed {} orders", changed.lines().filter(|l| l.parse::<i64>().is_ok()).count()))?;
    note(&format!("accounts of Daypass in PostgreSQL: {}", world.accounts()?.join(", ")))?;

    if fast {
        title("Two minutes later")?;
    } else {
        title("Maya is done")?;
        step("Maya gives the access back", || {
            maya.window.click("[data-test=release]")?;
            maya.window.click("[data-test=confirm]")
        })?;
    }
    let limit = Duration::from_secs(if fast { 150 } else { 30 });
    step("the credential is gone from the keychain", || {
        wait_until("an empty keychain", limit, || {
            let left = maya.credentials()?;
            ensure!(left.is_empty(), "it holds {left:?}");
            Ok(())
        })
    })?;
    step("the account is gone from PostgreSQL", || {
        wait_until("no account", SOON, || {
            let left = world.accounts()?;
            ensure!(left.is_empty(), "there are {left:?}");
            Ok(())
        })
    })?;
    step("psql is refused", || match secret.psql(&world.postgres, "SELECT 1") {
        Ok(_) => bail!("psql was let in"),
        Err(_) => Ok(()),
    })?;
    maya.window.wait_gone("[data-test=copy-command]")?;
    album.page(&maya, "my-access-ended")?;

    title("What happened, for both, also offline")?;
    step("the server goes away", || {
        world.server.stop();
        maya.window.wait_for("[data-test=banner]").map(|_| ())
    })?;
    for (person, name) in [(&maya, "Maya"), (&sam, "Sam")] {
        step(&format!("{name} reads the history"), || {
            person.window.click("[data-test=nav-history]")?;
            person.window.wait_text("Maya Olsen asked for write")?;
            person.window.wait_text("Sam Okafor approved")?;
            album.page(person, &format!("history-{}", person.user))
        })?;
    }
    step("the server comes back", || {
        world.server.start_again()?;
        maya.window.wait_gone("[data-test=banner]")
    })?;
    step("Maya looks at the settings", || {
        maya.window.click("[data-test=nav-settings]")?;
        maya.window.wait_for("[data-test=sign-out]")?;
        album.page(&maya, "settings")
    })?;
    step("Sam's queue is empty", || {
        sam.window.click("[data-test=nav-review]")?;
        album.page(&sam, "review-empty")
    })?;
    title(&format!("The pictures are in {}", pictures.display()))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n")
}

/// Opens the application for a person, and ends everything when it is closed.
fn demo(fast: bool) -> Result<()> {
    title("A sample shop in PostgreSQL, and daypassd on SQLite")?;
    let world = step("start them", || world(fast))?;
    let data = tempfile::Builder::new().prefix("daypass-demo-").tempdir()?;
    note(&format!("server       {}", world.address()))?;
    note(&format!("certificate  {}", world.fingerprint()))?;
    note("people       maya (engineer), sam and priya (senior engineers), lena (security)")?;
    note(&format!("password     {PASSWORD}"))?;
    note("Quit from the tray, or press Ctrl+C here, to end everything.")?;
    let status = Command::new(built_program("daypass")?)
        .arg("--data")
        .arg(data.path())
        .env("DAYPASS_SERVER", world.address())
        .status()?;
    ensure!(status.success(), "the application ended with {status}");
    Ok(())
}
