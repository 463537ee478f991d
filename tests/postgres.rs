//! Catches control tables that are not made, or not as they must be; a mapping that is invented beside them; and servers
//! that are not reached as their address says.

use crate::oracle::Oracle;
use crate::support::clickhouse;
use crate::support::cluster;
use crate::support::judge::{assert_counted, assert_holds};
use crate::support::place::Place;
use crate::support::postgres::{Database, Server};
use crate::support::record::{FRAMES, TRACKS};
use crate::support::run::Run;
use crate::support::scene::{Scene, frame};
use crate::support::varied::varied;

const STANDING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// `replay` into the place's store, with the control tables in a database.
fn replay(place: &Place, database: &Database) -> Run {
    database.configure(place.replay())
}

#[track_caller]
fn assert_stored(place: &Place, database: &Database, oracle: &Oracle) {
    assert_holds(place, oracle, &database.mapping(), &place.store().tables());
    assert!(place.store().mapping().is_empty(), "there is one mapping");
}

#[test]
fn a_migration_makes_the_tables_once() {
    let database = Server::shared().empty_database();
    let plan = database.migrate().arg("--dry-run").end().expect(0);
    assert_eq!(plan.stdout.matches("would be made").count(), 5, "{plan:?}");
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let count = || database.client().query_one(tables, &[]).expect("a number").get::<_, i64>(0);
    assert_eq!(count(), 0, "a plan makes nothing");
    let made = database.migrate().end().expect(0);
    assert_eq!((made.stdout.matches(": made").count(), count()), (5, 4), "{made:?}");
    database.set_done(true);
    let again = database.migrate().end().expect(0);
    assert_eq!((again.stdout.matches(": there\n").count(), again.stderr.as_str()), (5, ""), "{again:?}");
    let state = database.client().query("SELECT initial_migration_done FROM migration_state", &[]).expect("rows");
    assert!(state.len() == 1 && state[0].get::<_, bool>(0), "what stands is left alone");
}

#[test]
fn a_migration_tells_what_differs() {
    let database = Server::shared().empty_database();
    database.execute(
        "CREATE TABLE citylens_track_mapping (citylens_track_id text PRIMARY KEY, axion_track_id text, source text)",
    );
    let said = ["axion_track_id is text, not uuid", "no column created_at", "no unique key (axion_track_id)"];
    let made = database.migrate().end().expect(0).says(&said);
    assert!(made.stdout.contains("there, but different; left alone"), "{made:?}");
}

#[test]
fn a_varied_stream_twice() {
    let records = varied(3_000, 91);
    let (oracle, counts) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let run = || replay(&place, &database).args(["-w", "3", "--set", "kafka.citylens.batch_size=11"]).arg(&folder);
    assert_counted(&run().summary(), &counts);
    assert_stored(&place, &database, &oracle);
    assert_eq!(run().summary()["upserts"], 0);
    assert_stored(&place, &database, &oracle);
}

#[test]
fn a_varied_stream_on_two_processes() {
    let records = varied(3_000, 92);
    let (oracle, counts) = Oracle::of(&records);
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &records);
    let [first, second] = cluster::end(cluster::start(|| replay(&place, &database).arg(&folder)));
    second.expect(0);
    assert_counted(&first.expect(0).summary(), &counts);
    assert_stored(&place, &database, &oracle);
}

/// The mapping is PostgreSQL's, though the table of tracks would tell one too.
#[test]
fn rows_in_clickhouse() {
    let records = varied(1_000, 96);
    let (mut oracle, place, database) = (Oracle::default(), Place::new(), Server::shared().database());
    let rows = clickhouse::Server::shared().database();
    let track = records.iter().find(|r| r.topic == TRACKS).and_then(|r| r.key.clone()).expect("a track");
    database.put_mapping(&track, STANDING);
    oracle.put_mapping(&track, STANDING);
    let counts = oracle.replay(&records);
    let replay = rows.configure(database.configure(place.replay_into("clickhouse")));
    assert_counted(&replay.args(["-w", "2"]).arg(place.input("in", &records)).summary(), &counts);
    assert_holds(&place, &oracle, &database.mapping(), &rows.tables());
}

/// One whose track comes, and one of which no event says anything.
#[test]
fn a_standing_row_wins() {
    let mut scene = Scene::vehicles(30);
    scene.send(FRAMES, 0, &frame("f-untracked", "t-untracked", 5));
    let (place, database, mut oracle) = (Place::new(), Server::shared().database(), Oracle::default());
    for (citylens, axion) in [("t-vehicle-3", STANDING), ("t-untracked", "0a0a0a0a-0000-4000-8000-000000000001")] {
        database.put_mapping(citylens, axion);
        oracle.put_mapping(citylens, axion);
    }
    let counts = oracle.replay(&scene.records);
    assert_counted(&replay(&place, &database).arg(place.input("in", &scene.records)).summary(), &counts);
    assert_stored(&place, &database, &oracle);
}

#[test]
fn a_dry_run_makes_no_rows() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &Scene::vehicles(30).records);
    let summary = replay(&place, &database).arg("--dry-run").arg(folder).summary();
    assert_eq!((summary["records"].as_i64(), database.count("citylens_track_mapping")), (Some(90), 0));
}

/// The id that a track would get is another's.
#[test]
fn an_axion_track_id_of_two_tracks_is_an_error_that_names_both() {
    let database = Server::shared().database();
    let replay_one = |place: &Place| replay(place, &database).arg(place.input("in", &Scene::vehicles(1).records));
    replay_one(&Place::new()).summary();
    database.execute("UPDATE citylens_track_mapping SET citylens_track_id = 't-other'");
    let says = ["\"t-vehicle-0\" is to have the axion track id", "which track \"t-other\" has", "correct the rows"];
    replay_one(&Place::new()).end().expect(1).says(&says);
}

#[test]
fn tables_that_are_not_there() {
    let (place, database) = (Place::new(), Server::shared().empty_database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    replay(&place, &database).arg(folder).end().expect(1).says(&["does not exist", "run `hexflow migrate`"]);
    let nowhere = Database { port: database.port, name: "nowhere".to_owned() };
    nowhere.migrate().end().expect(1).says(&["\"nowhere\" does not exist", "create the database"]);
}

#[test]
fn passwords_are_asked_for_and_never_shown() {
    let (place, database) = (Place::new(), Server::shared().database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    let run = |password: &str| {
        let url = format!("postgres.url=postgres://app:{password}@localhost:{}/{}", database.port, database.name);
        place.replay().args(["--set", &url]).arg(&folder)
    };
    let output = run("wr0ng").end().expect(1).says(&["localhost:", "authentication failed", "check user and password"]);
    assert!(!output.stderr.contains("wr0ng"), "{output:?}");
    let output = run("s3cret").end().expect(1).says(&["permission denied", "the user needs SELECT"]);
    assert!(!output.stderr.contains("s3cret"), "{output:?}");
    database.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO app");
    run("s3cret").summary();
}

/// The server's certificate is its own, for `localhost`.
#[test]
fn a_server_is_known_by_its_certificate_if_that_is_asked() {
    let server = Server::shared();
    let (place, database) = (Place::new(), server.database());
    let folder = place.input("in", &Scene::vehicles(1).records);
    let run = |host: &str, parameters: &str| {
        let url = format!("postgres.url={}?{parameters}", database.url().replace("127.0.0.1", host));
        place.replay().args(["--set", &url]).arg(&folder).end()
    };
    let root = format!("sslrootcert={}", server.certificate);
    run("localhost", "sslmode=disable").expect(0);
    run("localhost", "sslmode=require").expect(0);
    run("localhost", &format!("sslmode=verify-full&{root}")).expect(0);
    run("127.0.0.1", &format!("sslmode=verify-ca&{root}")).expect(0);
    run("127.0.0.1", &format!("sslmode=verify-full&{root}")).expect(1).says(&["certificate", "check postgres.url"]);
    run("localhost", "sslmode=verify-full").expect(1).says(&["certificate", "check postgres.url"]);
}
