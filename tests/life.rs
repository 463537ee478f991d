//! Catches a live run that hangs, or says that it is well when it is not.

use std::time::{Duration, Instant};

use crate::oracle::Oracle;
use crate::support::cluster;
use crate::support::http::get;
use crate::support::judge::assert_stored;
use crate::support::kafka::{Broker, Topics, renumbered};
use crate::support::place::Place;
use crate::support::ports::free_ports;
use crate::support::run::{Run, wait_until};
use crate::support::sample;
use crate::support::store::count_rows;

pub(crate) fn listening(run: Run, port: u16) -> Run {
    run.args(["--set", &format!("api.listen=127.0.0.1:{port}")])
}

/// A metric's value, added up over its labels.
pub(crate) fn metric(port: u16, name: &str) -> f64 {
    let (_, text) = get(port, "/metrics").expect("an answer");
    let of_it = text.lines().filter(|line| line.split([' ', '{']).next() == Some(name));
    of_it.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[test]
fn it_lives_is_ready_and_counts_what_it_does() {
    let records = renumbered(&sample::first_hours(3));
    let (oracle, counts) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    let port = free_ports();
    let run = listening(topics.run(&place), port).start();
    wait_until("it is ready", || get(port, "/readyz").is_some_and(|(status, _)| status == 200));
    assert_eq!(get(port, "/livez").map(|(status, _)| status), Some(200));
    assert_eq!(get(port, "/nowhere").map(|(status, _)| status), Some(404));
    topics.produce(&records);
    topics.wait_for_lag(0);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let expected = counts.records as f64;
    wait_until("all are counted", || metric(port, "hexflow_outcome_records_total") >= expected);
    assert!(metric(port, "hexflow_read_records_total") >= expected);
    wait_until("a commit is acknowledged", || metric(port, "hexflow_commits_total") > 0.0);
    assert!(metric(port, "hexflow_process_resident_memory_bytes") > 1e6);
    assert!(metric(port, "hexflow_sink_commit_seconds_count") > 0.0);
    let rows: i64 = ["tracks", "frames", "detections"].map(|table| count_rows(&place.database(), table)).iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let keys = rows as f64;
    assert!(keys > 0.0 && metric(port, "hexflow_state_entries") >= keys, "each row's key is remembered");
    wait_until("nothing is in flight", || metric(port, "hexflow_epochs_in_flight") == 0.0);
    wait_until("no lag is left", || metric(port, "hexflow_lag_records") == 0.0);
    run.terminate();
    run.end().expect(0);
    assert_stored(&place, &oracle);
}

#[test]
fn without_its_brokers_it_lives_and_is_not_ready() {
    let mut broker = Broker::start();
    let (place, topics) = (Place::new(), Topics::at(&broker.address));
    let port = free_ports();
    let run = listening(topics.run(&place), port).start();
    wait_until("it is ready", || get(port, "/readyz").is_some_and(|(status, _)| status == 200));
    broker.order("stop");
    wait_until("it says so", || {
        get(port, "/readyz").is_some_and(|(status, why)| status == 503 && why.contains("brokers of Kafka"))
    });
    assert_eq!(get(port, "/livez").map(|(status, _)| status), Some(200));
    broker.order("start");
    wait_until("it is ready again", || get(port, "/readyz").is_some_and(|(status, _)| status == 200));
    run.terminate();
    run.end().expect(0);
}

/// A process that is stopped but not gone keeps its connections, so that only its silence tells.
#[test]
fn a_process_that_has_fallen_silent_ends_the_other() {
    let records = renumbered(&sample::first_hours(2));
    let (oracle, _) = Oracle::of(&records);
    let (place, topics) = (Place::new(), Topics::new());
    topics.produce(&records);
    // Long enough that nobody is called silent who is only slow on a busy machine.
    let [first, second] = cluster::start(|| topics.run(&place).args(["--set", "progress_timeout=10s"]));
    topics.wait_for_lag(0);
    let began = Instant::now();
    second.signal("-STOP");
    let output = first.fall();
    assert_ne!(output.code, Some(0), "{output:?}");
    let output = output.says(&["process 1 has not been heard of for 10 s"]);
    assert!(began.elapsed() < Duration::from_secs(30), "{output:?}");
    second.signal("-CONT");
    assert_ne!(second.fall().code, Some(0), "it has lost the other");
    assert_stored(&place, &oracle);
}
