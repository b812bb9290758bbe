use std::{fs, path::Path, time::Duration};

use daypass_testkit::{Daypassd, wait_until};

/// A shell in the server's place: what is tested is how it is started, asked and ended.
///
/// It starts its child before it is ready, and none afterwards: a shell that is stopped between fork and exec waits for
/// the child in a state of its own, for as long as both are stopped.
const SERVER: &str = "trap 'echo said goodbye; exit 0' TERM; sleep 3600 & echo \"ready for $WHO\"; wait";

fn start(folder: &Path) -> anyhow::Result<Daypassd> {
    Daypassd::start(Path::new("/bin/sh"), ["-c", SERVER], &[("WHO", "the test")], folder, |log| {
        anyhow::ensure!(log.contains("ready for the test"), "it logged {log:?}");
        Ok(())
    })
}

#[test]
fn a_server_is_stopped_started_killed_and_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let logged = |line: &str| fs::read_to_string(folder.path().join("sh.log")).unwrap().matches(line).count();
    let mut server = start(folder.path()).unwrap();
    let first = server.pid().unwrap();
    server.restart().unwrap();
    assert_ne!(server.pid().unwrap(), first);
    assert_eq!((logged("ready for the test"), logged("said goodbye")), (2, 1));
    server.kill9();
    assert_eq!(server.pid(), None);
    assert_eq!(logged("said goodbye"), 1);
    server.start_again().unwrap();
    server.freeze();
    let pid = server.pid().unwrap();
    wait_until("the frozen server to stand still", Duration::from_secs(10), || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        anyhow::ensure!(stat.contains(") T "), "{stat}");
        Ok(())
    })
    .unwrap();
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = Daypassd::start(
        Path::new("/bin/sh"),
        ["-c", "echo no such policy >&2; exit 2"],
        &[],
        folder.path(),
        |_| anyhow::bail!("never ready"),
    );
    let refusal = format!("{:#}", refusal.unwrap_err());
    assert!(refusal.contains("no such policy"), "{refusal}");
}
