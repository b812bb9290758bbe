//! What has to be on the machine beside Rust, and why: the one list.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

/// A Debian or Ubuntu package, how to tell that the same thing is there on another system, and what it is for.
pub struct Need {
    pub package: &'static str,
    pub why: &'static str,
    probe: Probe,
}

enum Probe {
    Program(&'static str),
    /// By its name for pkg-config.
    Library(&'static str),
    /// A file whose name begins so, in one of the folders where systems keep it.
    File(&'static str, &'static [&'static str]),
}

const fn program(package: &'static str, name: &'static str, why: &'static str) -> Need {
    Need { package, why, probe: Probe::Program(name) }
}

const fn library(package: &'static str, name: &'static str, why: &'static str) -> Need {
    Need { package, why, probe: Probe::Library(name) }
}

const fn file(
    package: &'static str,
    start: &'static str,
    folders: &'static [&'static str],
    why: &'static str,
) -> Need {
    Need { package, why, probe: Probe::File(start, folders) }
}

pub const NEEDS: &[Need] = &[
    // To build.
    program("build-essential", "cc", "compiles the C parts of dependencies and links"),
    program("pkg-config", "pkg-config", "finds the libraries below"),
    library("libwebkit2gtk-4.1-dev", "webkit2gtk-4.1", "the window's web view"),
    library("libayatana-appindicator3-dev", "ayatana-appindicator3-0.1", "the tray icon"),
    library("libdbus-1-dev", "dbus-1", "the window's link to the desktop"),
    file(
        "libclang-dev",
        "libclang",
        &["/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"],
        "reads the headers of PostgreSQL's SQL parser",
    ),
    // To run and test on real parts.
    program("postgresql", "postgres", "the sample database, and the server's own store in tests"),
    program("postgresql-client", "psql", "connects as people do"),
    program("dbus", "dbus-daemon", "a session bus per test"),
    program("gnome-keyring", "gnome-keyring-daemon", "the keychain"),
    program("libsecret-tools", "secret-tool", "looks into the keychain from outside"),
    program("dunst", "dunst", "shows notifications"),
    program("xvfb", "Xvfb", "a display where there is none"),
    program("webkit2gtk-driver", "WebKitWebDriver", "drives the window in tests and in the tour"),
    program("imagemagick", "import", "takes screenshots"),
    program("xdotool", "xdotool", "real clicks and keys"),
    program("xclip", "xclip", "looking at the clipboard"),
    program("xdg-utils", "xdg-mime", "registers the application's links"),
    program("desktop-file-utils", "update-desktop-database", "registers the application's links"),
    file(
        "fonts-dejavu-core",
        "DejaVuSans",
        &[
            "/usr/share/fonts/truetype/dejavu",
            "/usr/share/fonts/dejavu-sans-fonts",
            "/usr/share/fonts/dejavu",
            "/usr/share/fonts/TTF",
        ],
        "text in screenshots",
    ),
    file("adwaita-icon-theme", "Adwaita", &["/usr/share/icons"], "icons of the toolkit"),
];

/// What is missing of [`NEEDS`], by the package database where there is one.
pub fn missing() -> Vec<&'static Need> {
    if is_debian() {
        let installed = installed_packages();
        NEEDS.iter().filter(|need| !installed.iter().any(|package| package == need.package)).collect()
    } else {
        NEEDS.iter().filter(|need| !need.probe.is_there()).collect()
    }
}

pub fn is_debian() -> bool {
    Path::new("/usr/bin/apt-get").exists() && Path::new("/usr/bin/dpkg-query").exists()
}

fn installed_packages() -> Vec<String> {
    let names = NEEDS.iter().map(|need| need.package);
    // Exits with an error when a package is unknown, and still lists the others.
    let listing = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Abbrev}\n"])
        .args(names)
        .stderr(Stdio::null())
        .output();
    let listing =
        listing.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut lines = listing.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
    lines
        .by_ref()
        .filter(|(_, status)| status.starts_with("ii"))
        .map(|(package, _)| package.to_owned())
        .collect()
}

impl Probe {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(name) => on_path(name) || (*name == "postgres" && server_beside_versions()),
            Self::Library(name) => Command::new("pkg-config")
                .args(["--exists", name])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
            Self::File(start, folders) => {
                folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().any(|entry| {
                    entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(start))
                })
            }
        }
    }
}

pub fn on_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn server_beside_versions() -> bool {
    fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| {
        versions.any(|version| version.is_ok_and(|version| version.path().join("bin/postgres").exists()))
    })
}
