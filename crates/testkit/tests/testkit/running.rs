use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use daypass_testkit::{Running, free_port, wait_until};

fn is_running(pid: &str) -> bool {
    // A zombie still has its folder; its state tells.
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn dropping_the_handle_ends_the_grandchildren_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 600 & echo $!; trap '' TERM; wait; sleep 600"]);
    let running = Running::start("stubborn", &mut command, folder.path()).unwrap();
    let grandchild = wait_until("the grandchild's pid", Duration::from_secs(5), || {
        let log = running.log();
        anyhow::ensure!(log.ends_with('\n'), "log is {log:?}");
        Ok(log.trim().to_owned())
    })
    .unwrap();
    assert!(is_running(&grandchild));
    let pid = running.pid().to_string();
    drop(running);
    assert!(!is_running(&pid));
    assert!(!is_running(&grandchild));
}

#[test]
fn a_program_that_ends_by_itself_is_reported_with_what_it_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo the disk is full >&2; exit 3"]);
    let mut running = Running::start("failing", &mut command, folder.path()).unwrap();
    assert_eq!(running.wait(Duration::from_secs(5)).unwrap().code(), Some(3));
    let report = running.check_alive().unwrap_err().to_string();
    assert!(report.contains("failing ended by itself") && report.contains("the disk is full"), "{report}");
}

/// Runs this very test program as a process that starts a server and is then killed without a chance to clean up.
#[test]
fn a_killed_test_run_leaves_no_process_and_no_folder() {
    if std::env::var_os("TESTKIT_VICTIM").is_some() {
        let server = daypass_testkit::Postgres::start().unwrap();
        println!("folder={}", server.socket_folder().display());
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["running::a_killed_test_run_leaves_no_process_and_no_folder", "--exact", "--nocapture"])
        .env("TESTKIT_VICTIM", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(victim.stdout.take().unwrap()));
    let folder = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("folder=").map(|(_, folder)| folder.to_owned()))
        .unwrap();
    let folder = Path::new(&folder);
    let pid = std::fs::read_to_string(folder.join("data/postmaster.pid"))
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert!(is_running(&pid));
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("the server and its folder to go", Duration::from_secs(10), || {
        anyhow::ensure!(!is_running(&pid), "the server runs");
        anyhow::ensure!(!folder.exists(), "the folder is there");
        Ok(())
    })
    .unwrap();
}

#[test]
fn ports_are_not_handed_out_twice() {
    let ports: std::collections::HashSet<_> = (0..200).map(|_| free_port().unwrap()).collect();
    assert_eq!(ports.len(), 200);
}

#[test]
fn a_wait_that_fails_tells_what_was_there() {
    let error = wait_until("the moon", Duration::from_millis(20), || anyhow::bail!("only clouds"))
        .map(|(): ()| ())
        .unwrap_err();
    assert_eq!(error.to_string(), "waited 20ms for the moon; last seen: only clouds");
}
