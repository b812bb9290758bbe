//! The front end: Rust to WebAssembly, with the files of `ui/static` beside it, into `dist`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::{setup, step, workspace};

const NAME: &str = "daypass_ui";

pub fn run(args: &[String]) -> Result<()> {
    let release = match args {
        [] => false,
        [flag] if flag == "--release" => true,
        _ => bail!("ui takes --release or nothing"),
    };
    setup::ensure_ready()?;
    build(release)
}

/// Builds into `dist`; files that did not change are not written, so the application is not built again for them.
pub fn build(release: bool) -> Result<()> {
    let profile = if release { "wasm-release" } else { "wasm-dev" };
    step::step(&format!("build the front end ({profile})"), || {
        step::succeed(workspace::cargo()?.args(["build", "--package", "daypass-ui"]).args([
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            profile,
        ]))?;
        let wasm = workspace::target()?.join("wasm32-unknown-unknown").join(profile).join("daypass-ui.wasm");
        let bound = workspace::target()?.join("ui").join(profile);
        bind(&wasm, &bound, release)?;
        let mut files = files_under(&bound)?;
        files.extend(files_under(&workspace::root().join("ui/static"))?);
        let size = files.get(Path::new("daypass_ui_bg.wasm")).map_or(0, Vec::len);
        let written = bring_in_line(&workspace::root().join("dist"), &files)?;
        println!("  dist: {} files, {written} changed, {} kB of WebAssembly", files.len(), size / 1000);
        Ok(())
    })
}

/// Makes the JavaScript that loads `wasm`, unless `bound` was made from the same file.
fn bind(wasm: &Path, bound: &Path, release: bool) -> Result<()> {
    let input = fs::metadata(wasm).with_context(|| format!("{} was not built", wasm.display()))?;
    let stamp = bound.with_extension("stamp");
    let version = format!("{:?} {}", input.modified()?, input.len());
    if bound.exists() && fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == version) {
        return Ok(());
    }
    if bound.exists() {
        fs::remove_dir_all(bound)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(NAME)
        .typescript(false)
        .debug(!release)
        .keep_debug(!release)
        .remove_name_section(release)
        .remove_producers_section(release);
    bindgen.web(true)?;
    bindgen.generate(bound)?;
    fs::write(stamp, version)?;
    Ok(())
}

/// The files of a folder and of the folders in it, by their path below it.
fn files_under(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let here = folder.join(&below);
        for entry in fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))? {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(name);
            } else {
                files.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

/// Makes `folder` hold exactly `wanted`; gives the number of files that it changed.
fn bring_in_line(folder: &Path, wanted: &BTreeMap<PathBuf, Vec<u8>>) -> Result<usize> {
    fs::create_dir_all(folder)?;
    let present = files_under(folder)?;
    let mut changed = 0;
    for name in present.keys().filter(|name| !wanted.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
        changed += 1;
    }
    for (name, content) in wanted.iter().filter(|(name, content)| present.get(*name) != Some(*content)) {
        let file = folder.join(name);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
        changed += 1;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_and_what_is_not_wanted_goes() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("fonts/old.woff2");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "old").unwrap();
        let file = |name: &str, content: &str| (PathBuf::from(name), content.as_bytes().to_vec());
        let mut wanted = BTreeMap::from([file("index.html", "<p>"), file("fonts/new.woff2", "new")]);
        assert_eq!(bring_in_line(folder.path(), &wanted).unwrap(), 3);
        assert_eq!(files_under(folder.path()).unwrap(), wanted);
        let written = fs::metadata(folder.path().join("index.html")).unwrap().modified().unwrap();
        wanted.extend([file("fonts/new.woff2", "newer")]);
        assert_eq!(bring_in_line(folder.path(), &wanted).unwrap(), 1);
        assert_eq!(files_under(folder.path()).unwrap(), wanted);
        assert_eq!(fs::metadata(folder.path().join("index.html")).unwrap().modified().unwrap(), written);
    }
}
