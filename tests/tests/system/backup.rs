//! What a board was taught goes to a file and back, to the same board and to others; and what
//! happens to it when another model is flashed.

use std::thread;
use std::time::Duration;

use sudal::device::{
    Backup, BackupError, Board, Client, ClientError, Emulator, Head, HostBoard, Link, Verdict,
};
use sudal_tests::{GEOMETRY, block_means, picture};
use tempfile::TempDir;

type Line = Client<Box<dyn Link>>;

fn host(image: &[u8]) -> (HostBoard, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut board = HostBoard::open(dir.path()).unwrap();
    board.flash(image, &mut |_| ()).unwrap();
    (board, dir)
}

/// Interleaved, so that the memory's slots depend on the order.
fn teach(client: &mut Line, classes: u64, shots: u64) {
    for number in 0..classes * shots {
        let class = number % classes;
        client
            .send_frame(GEOMETRY, &picture(class, number))
            .unwrap();
        client.enroll(&format!("part {class}")).unwrap();
    }
}

/// By every head.
fn verdicts(client: &mut Line) -> Vec<Verdict> {
    let chosen = client.head().unwrap();
    let mut all = Vec::new();
    for head in Head::ALL {
        client.set_head(head).unwrap();
        for class in 0..5 {
            client.send_frame(GEOMETRY, &picture(class, 777)).unwrap();
            let mut verdict = client.classify().unwrap();
            verdict.ticks = 0;
            all.push(verdict);
        }
    }
    client.set_head(chosen).unwrap();
    all
}

#[test]
fn a_reset_board_and_fifty_others_are_as_the_first_was() {
    let image = block_means("a");
    let (mut board, _dir) = host(&image);
    let mut client = board.connect().unwrap();
    teach(&mut client, 32, 3);
    client.remove(7).unwrap();
    client.set_head(Head::Linear).unwrap();
    let backup = Backup::take(&mut client).unwrap();
    let file = backup.to_bytes();
    let before = verdicts(&mut client);
    assert_eq!(backup.classes().len(), 31);

    client.reset().unwrap();
    client.set_head(Head::Nearest).unwrap();
    let backup = Backup::from_bytes(&file).unwrap();
    backup.restore(&mut client).unwrap();
    assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
    // Ids may have moved up, names and distances have not.
    let plain = |verdicts: Vec<Verdict>| -> Vec<_> {
        let plain = |v: Verdict| (v.name, v.margin, v.distances.len(), v.nearest.value);
        verdicts.into_iter().map(plain).collect()
    };
    assert_eq!(plain(verdicts(&mut client)), plain(before));

    for _ in 0..50 {
        let (mut other, _dir) = host(&image);
        let mut client = other.connect().unwrap();
        backup.restore(&mut client).unwrap();
        assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
        other.stop().unwrap();
        // It stands in the flash, not only in memory.
        let mut client = other.connect().unwrap();
        assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
    }
}

#[test]
fn a_restore_replaces_the_class_of_its_name_and_leaves_the_others() {
    let image = block_means("a");
    let (mut board, _dir) = host(&image);
    let mut client = board.connect().unwrap();
    teach(&mut client, 3, 2);
    let backup = Backup::take(&mut client).unwrap();
    client.send_frame(GEOMETRY, &picture(9, 9)).unwrap();
    client.enroll("part 1").unwrap();
    client.enroll("other").unwrap();
    backup.restore(&mut client).unwrap();
    let classes = client.list().unwrap();
    let classes: Vec<_> = classes.iter().map(|c| (c.name.as_str(), c.shots)).collect();
    assert_eq!(
        classes,
        [("part 0", 2), ("part 1", 2), ("part 2", 2), ("other", 1)]
    );
}

#[test]
fn another_model_keeps_what_it_can_not_use_and_the_first_finds_it_again() {
    let (first, second) = (block_means("a"), block_means("b"));
    let (mut board, _dir) = host(&first);
    let mut client = board.connect().unwrap();
    teach(&mut client, 5, 2);
    let backup = Backup::take(&mut client).unwrap();
    let before = verdicts(&mut client);
    assert_eq!(client.info().unwrap().other_models, 0);

    board.flash(&second, &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    let info = client.info().unwrap();
    assert_eq!((info.classes, info.other_models), (Ok(5), 5));
    client.send_frame(GEOMETRY, &picture(0, 0)).unwrap();
    assert!(
        client
            .classify()
            .unwrap_err()
            .to_string()
            .contains("enrol one first")
    );
    let refused = backup.restore(&mut client);
    assert!(matches!(refused, Err(BackupError::OtherModel { .. })));
    assert_eq!(client.list().unwrap().len(), 5);
    // The same name in both models: two classes.
    client.enroll("part 0").unwrap();
    assert_eq!(client.info().unwrap().other_models, 5);
    assert_eq!(client.classify().unwrap().distances.len(), 1);
    assert_eq!(Backup::take(&mut client).unwrap().classes().len(), 1);

    board.flash(&first, &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    assert_eq!(client.info().unwrap().other_models, 1);
    assert_eq!(verdicts(&mut client), before);
    assert_eq!(Backup::take(&mut client).unwrap(), backup);
}

/// Past the check of the file, the device itself refuses what is no class of its model.
#[test]
fn the_device_refuses_what_is_no_class_of_its_model() {
    let (mut board, _dir) = host(&block_means("a"));
    let mut client = board.connect().unwrap();
    teach(&mut client, 1, 2);
    let record = client.record(0).unwrap();
    let refusal = |client: &mut Line, record: &[u8]| match client.restore(record) {
        Err(ClientError::Device(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let mut foreign = record.clone();
    foreign[1] ^= 1;
    assert_eq!(
        refusal(&mut client, &foreign),
        "the class belongs to another model"
    );
    for cut in [0, 1, 12, record.len() - 1] {
        assert_eq!(refusal(&mut client, &record[..cut]), "this is not a class");
    }
    assert_eq!(refusal(&mut client, &[2; 4000]), "this is not a class");
    assert!(client.record(9).is_err());
    assert_eq!(client.record(0).unwrap(), record);
    client.restore(&record).unwrap();
    assert_eq!(client.list().unwrap().len(), 1);
}

/// Backed up from the emulated board, restored to it and to another; and killed while it is
/// restored, each class is as it was or as in the backup.
#[test]
fn the_emulated_board_is_backed_up_and_restored() {
    struct Bench(
        Emulator,
        #[expect(dead_code, reason = "the folder goes with it")] TempDir,
    );
    impl Drop for Bench {
        fn drop(&mut self) {
            let _ = self.0.kill();
        }
    }
    let image = block_means("a");
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Bench(Emulator::open(dir.path()).unwrap(), dir);
    bench
        .0
        .flash(&image, &mut |step| println!("{step}"))
        .unwrap();
    let mut client = bench.0.connect().unwrap();
    teach(&mut client, 8, 3);
    let backup = Backup::take(&mut client).unwrap();
    let (mut host, _dir) = host(&image);
    let mut other = host.connect().unwrap();
    backup.restore(&mut other).unwrap();
    assert_eq!(Backup::take(&mut other).unwrap(), backup);
    assert_eq!(verdicts(&mut other), verdicts(&mut client));

    client.reset().unwrap();
    let (mut torn, mut partly) = (0, 0);
    for round in 0..8_u32 {
        let mut client = bench.0.connect().unwrap();
        let backup_there = backup.clone();
        let restoring = thread::spawn(move || backup_there.restore(&mut client).is_err());
        thread::sleep(Duration::from_millis(4 << round));
        bench.0.kill().unwrap();
        torn += u32::from(restoring.join().unwrap());
        let mut client = bench.0.connect().unwrap();
        let held = Backup::take(&mut client).unwrap();
        partly += u32::from((1..8).contains(&held.classes().len()));
        assert!(held.classes().iter().all(|class| {
            backup.classes().iter().any(|other| {
                other.name == class.name && {
                    class.support().eq(other.support()) && class.groups() == other.groups()
                }
            })
        }));
        if round % 3 != 2 {
            client.reset().unwrap();
        }
    }
    println!("{torn} of 8 restores were cut short, {partly} of them in part");
    assert!(torn > 0);
    let mut client = bench.0.connect().unwrap();
    backup.restore(&mut client).unwrap();
    let after = Backup::take(&mut client).unwrap();
    assert_eq!(after.classes().len(), backup.classes().len());
}
