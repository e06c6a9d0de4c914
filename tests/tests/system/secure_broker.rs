//! Decisions over TLS: to a broker that a certificate vouches for, and to no other.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sudal::data::{Dataset, parts};
use sudal::device::{Board, HostBoard};
use sudal::fleet::{Broker, Watch};
use sudal::serve::{DeviceOptions, FrameSource, Playback, Sparkplug, Tls};
use sudal_tests::{Mosquitto, Served, program, tested_block_means};

/// Longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn device(dir: &Path) -> DeviceOptions {
    let data = || parts::dataset(1, 2, 100, (64, 64));
    let mut board = HostBoard::open(dir).unwrap();
    board.flash(&tested_block_means("a"), &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    for class in 0..2 {
        client
            .show(&Dataset::get(&data(), class, 90).unwrap(), 1 << 16)
            .unwrap();
        client.enroll_forced(["nut", "bolt"][class]).unwrap();
    }
    DeviceOptions {
        name: "press".to_owned(),
        board: HostBoard::NAME.to_owned(),
        dir: dir.to_owned(),
        port: None,
        key: None,
        source: FrameSource::Playback(Playback::new(data(), Some(3))),
        interval: Duration::from_millis(100),
    }
}

#[test]
fn decisions_reach_a_broker_that_is_the_right_one_by_tls_and_no_other() {
    let Some(program) = program("mosquitto", &["mosquitto"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned()];
    let certificate = |folder: &str| {
        let made = Tls::kept(&dir.path().join(folder), &names).unwrap();
        made.certificate().to_owned()
    };
    let (own, other) = (certificate("own"), certificate("other"));
    let key = own.with_file_name("key.pem");
    let mut broker = Mosquitto::secure(program, dir.path(), &own, &key);
    broker.start();
    let url = |host: &str, topic: &str| format!("mqtts://{host}:{}/{topic}", broker.port);
    let trusted = |host: &str, topic: &str, ca: &Path| {
        let broker: Broker = url(host, topic).parse().unwrap();
        broker.trusting(Some(ca)).unwrap()
    };
    let node = Sparkplug::new(&url("localhost", "hall/line"), None, None).unwrap();
    let node = node.trusting(Some(&own)).unwrap();
    let mut served = Served::start_with(
        dir.path(),
        vec![device(&dir.path().join("board"))],
        |options| {
            options.mqtt = Some(trusted("localhost", "plain/line", &own));
            options.sparkplug = Some(node);
        },
    );

    let watch = Watch::start(
        trusted("localhost", "hall", &own),
        None,
        Box::new(|_, _| ()),
    )
    .unwrap();
    watch.connected(PATIENCE).unwrap();
    let counted = watch.wait(PATIENCE, |fleet| {
        fleet.rows().iter().any(|row| row.online && row.parts >= 2)
    });
    assert!(counted, "{:?}", watch.fleet().rows());
    // Of MQTT's own messages each was acknowledged, of Sparkplug's each batch.
    let until = Instant::now() + PATIENCE;
    while served.figure("sudal_mqtt_published_total") < 20.0 {
        assert!(Instant::now() < until, "{}", served.get("/metrics"));
        sleep(Duration::from_millis(50));
    }

    // Another one vouches for it, or it is vouched for under another name.
    for (host, ca) in [("localhost", &other), ("127.0.0.1", &own)] {
        let watch = Watch::start(trusted(host, "hall", ca), None, Box::new(|_, _| ())).unwrap();
        let error = watch.connected(Duration::from_secs(3)).unwrap_err();
        println!("{error}");
        let error = error.to_string();
        assert!(error.contains("TLS: invalid peer certificate"), "{error}");
    }
    served.stop();
}
