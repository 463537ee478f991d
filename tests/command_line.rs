//! Catches a command line that misunderstands its user, or that its user misunderstands.

use crate::support::place::Place;
use crate::support::run::{Output, Run};
use crate::support::scene::Scene;

/// Runs `replay` on a small dump with further arguments.
fn replay(args: &[&str]) -> Output {
    let place = Place::new();
    let folder = place.input("in", &Scene::vehicles(3).records);
    let output = place.replay().args(args).arg(folder).end();
    assert!(output.code == Some(0) || !place.database().exists(), "a usage error does nothing: {output:?}");
    output
}

#[test]
fn usage_errors_end_with_2() {
    let wrong: &[&[&str]] = &[
        &["--no-such-flag"],
        &["-w", "0"],
        &["-w", "many"],
        &["-n", "2", "-p", "2", "--hosts", "127.0.0.1:1,127.0.0.1:2"],
        &["-n", "2", "-p", "0", "--hosts", "127.0.0.1:1"],
        &["-n", "2", "-p", "0", "-h", "/no/such/hostfile"],
        &["-h"],
        &["--summary", "poem"],
        &["--store", "mongodb:somewhere"],
        &["--store", "sqlite:"],
        &["--set", "kafka.citylens.batch_size"],
        &["--set", "kafka.citylens.batch_size=many"],
        &["--set", "kafka.citylens.batch_size=0"],
        &["--set", "retry_interval=soon"],
        &["--set", "on_malformed=ignore"],
        &["--config", "/no/such/config.toml"],
    ];
    for args in wrong {
        let output = replay(args);
        assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
        assert!(!output.stderr.trim().is_empty(), "{args:?} deserves a word");
    }
    Run::new("no-such-verb").end().expect(2);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    for (key, nearest) in [
        ("kafka.citylens.batchsize", "kafka.citylens.batch_size"),
        ("kafka.citylense.linger_ms", "kafka.citylens.linger_ms"),
        ("on_malfromed", "on_malformed"),
        ("objectstore.url", "object_store.url"),
    ] {
        replay(&["--set", &format!("{key}=1")]).expect(2).says(&[key, nearest]);
    }
}

#[test]
fn help_is_long_only() {
    let output = Run::new("--help").end().expect(0);
    for verb in ["replay", "generate"] {
        assert!(output.stdout.contains(verb), "{output:?}");
    }
    let output = Run::new("replay").arg("--help").end().expect(0);
    for flag in
        ["--workers", "--processes", "--process", "--hostfile", "--hosts", "--store", "--emit", "--dry-run", "--set"]
    {
        assert!(output.stdout.contains(flag), "{flag} is not in {output:?}");
    }
    Run::new("--version").end().expect(0);
}

/// Without `--summary json` there is a table for people, and on a pipe no progress bar.
#[test]
fn a_table_at_the_end_and_no_bar_on_a_pipe() {
    let place = Place::new();
    let folder = place.input("in", &Scene::vehicles(3).records);
    let store = format!("sqlite:{}", place.database().display());
    let objects = format!("object_store.url=file://{}", place.objects().display());
    let output = Run::new("replay").args(["--store", &store, "--set", &objects]).arg(folder).end().expect(0);
    for word in ["records", "upserts", "duplicates", "9"] {
        assert!(output.stdout.contains(word), "{word:?} is not in {output:?}");
    }
    assert!(!(output.stdout + &output.stderr).contains(['\u{1b}', '\r']), "no escapes on a pipe");
}

/// Long and short forms mean the same.
#[test]
fn cluster_flags_have_two_forms() {
    replay(&["--workers", "2", "--processes", "1", "--process", "0"]).expect(0);
    replay(&["-w2", "-n1", "-p0"]).expect(0);
}
