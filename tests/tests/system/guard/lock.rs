//! The lock refuses all that changes a device.

use std::collections::BTreeSet;

use sudal_firmware::decision::Filter;
use sudal_firmware::heads::{Head, Role};
use sudal_firmware::lock::{self, LONGEST_WAIT};
use sudal_firmware::preprocess::Fit;
use sudal_firmware::preprocess::align::Alignment;
use sudal_firmware::protocol::{
    Check, DecisionRequest, DeviceError, InspectionRequest, LockError, LockRequest, LockState,
    Request, UpdateRequest,
};
use sudal_tests::GEOMETRY;

use super::rig::{
    KEY, OTHER, Rig, answer, ask, challenge, classes, pass, protection, provision, show, unlock,
};

const LOCKED: Result<(), DeviceError> = Err(DeviceError::Lock(LockError::Locked));
const WRONG: Result<(), DeviceError> = Err(DeviceError::Lock(LockError::WrongKey));

/// How many kinds of request [`number`] tells apart.
const KINDS: usize = 52;

/// A request's number among all kinds. Without a wildcard: a new request does not compile before it
/// has a place here, and fails below before [`requests`] has it.
fn number(request: &Request<'_>) -> usize {
    match request {
        Request::Info => 0,
        Request::Frame { .. } => 1,
        Request::Capture { .. } => 2,
        Request::Embed => 3,
        Request::Classify => 4,
        Request::Enroll { .. } => 5,
        Request::List { .. } => 6,
        Request::Rename { .. } => 7,
        Request::Remove { .. } => 8,
        Request::Reset => 9,
        Request::Stats => 10,
        Request::Head { choose: None } => 11,
        Request::Head { choose: Some(_) } => 12,
        Request::Lock(LockRequest::Challenge) => 13,
        Request::Lock(LockRequest::Unlock { .. }) => 14,
        Request::Lock(LockRequest::Lock) => 15,
        Request::Lock(LockRequest::Provision { .. }) => 16,
        Request::Lock(LockRequest::Trust { .. }) => 17,
        Request::Update(UpdateRequest::Begin { .. }) => 18,
        Request::Update(UpdateRequest::Chunk { .. }) => 19,
        Request::Update(UpdateRequest::Finish) => 20,
        Request::Record { .. } => 21,
        Request::Receive { .. } => 22,
        Request::Restore => 23,
        Request::Boots { clear: false } => 24,
        Request::Boots { clear: true } => 25,
        Request::Decision(DecisionRequest::Rate { .. }) => 26,
        Request::Decision(DecisionRequest::Filter(_)) => 27,
        Request::Decision(DecisionRequest::Role { .. }) => 28,
        Request::Decision(DecisionRequest::Recenter) => 29,
        Request::Decision(DecisionRequest::Uncenter) => 30,
        Request::Decision(DecisionRequest::Region(_)) => 31,
        Request::Check(Check::Model) => 32,
        Request::Check(Check::Flash) => 33,
        Request::Decision(DecisionRequest::Align(_)) => 34,
        Request::LeaveOneOut { .. } => 35,
        Request::Inspection(request) => match request {
            InspectionRequest::Status => 36,
            InspectionRequest::Good => 37,
            InspectionRequest::Bad => 38,
            InspectionRequest::Watch => 39,
            InspectionRequest::Keep => 40,
            InspectionRequest::Discard => 41,
            InspectionRequest::Undo => 42,
            InspectionRequest::Forget => 43,
            InspectionRequest::Look => 44,
            InspectionRequest::Heat { .. } => 45,
            InspectionRequest::Save { .. } => 48,
            InspectionRequest::Restore => 49,
        },
        Request::Lock(LockRequest::Bind { .. }) => 46,
        Request::Decision(DecisionRequest::Fit(_)) => 47,
        Request::Learned { .. } => 50,
        Request::Thresholds { .. } => 51,
    }
}

/// One request of each kind, and whether it has to be refused while the device is locked.
fn requests(frame: &[u8]) -> Vec<(Request<'_>, bool)> {
    vec![
        (Request::Info, false),
        (
            Request::Frame {
                geometry: GEOMETRY,
                offset: 0,
                chunk: frame,
            },
            false,
        ),
        (Request::Capture { offset: 0 }, false),
        (Request::Embed, false),
        (Request::Classify, false),
        (
            Request::Enroll {
                name: "nut",
                force: true,
            },
            true,
        ),
        (Request::List { skip: 0 }, false),
        (Request::Rename { id: 0, name: "nut" }, true),
        (Request::Remove { id: 0 }, true),
        (Request::Reset, true),
        (Request::Stats, false),
        (Request::Head { choose: None }, false),
        (
            Request::Head {
                choose: Some(Head::Linear),
            },
            true,
        ),
        (Request::Lock(LockRequest::Challenge), false),
        (
            Request::Lock(LockRequest::Unlock { answer: [0; 32] }),
            false,
        ),
        (Request::Lock(LockRequest::Lock), false),
        (
            Request::Lock(LockRequest::Provision {
                key: OTHER,
                seed: [0; 16],
            }),
            false,
        ),
        (Request::Lock(LockRequest::Trust { key: [1; 32] }), true),
        (
            Request::Update(UpdateRequest::Begin {
                len: 1000,
                digest: [0; 32],
            }),
            true,
        ),
        (
            Request::Update(UpdateRequest::Chunk {
                offset: 0,
                chunk: frame,
            }),
            true,
        ),
        (Request::Update(UpdateRequest::Finish), true),
        (Request::Record { id: 0, offset: 0 }, false),
        (
            Request::Receive {
                offset: 0,
                chunk: &frame[..16],
            },
            true,
        ),
        (Request::Restore, true),
        (Request::Boots { clear: false }, false),
        (Request::Boots { clear: true }, true),
        (
            Request::Decision(DecisionRequest::Rate { parts: 500 }),
            true,
        ),
        (
            Request::Decision(DecisionRequest::Filter(Filter {
                window: 1,
                agree: 1,
            })),
            true,
        ),
        (
            Request::Decision(DecisionRequest::Role {
                id: 0,
                role: Role::Good,
            }),
            true,
        ),
        (Request::Decision(DecisionRequest::Recenter), true),
        (Request::Decision(DecisionRequest::Uncenter), true),
        (Request::Decision(DecisionRequest::Region(None)), true),
        (
            Request::Decision(DecisionRequest::Align(Alignment::default())),
            true,
        ),
        (
            Request::Decision(DecisionRequest::Fit(Fit::default())),
            true,
        ),
        (Request::Check(Check::Model), false),
        (Request::Check(Check::Flash), true),
        (Request::LeaveOneOut { id: 0 }, false),
        (Request::Thresholds { parts: 100 }, false),
        (Request::Inspection(InspectionRequest::Status), false),
        (Request::Inspection(InspectionRequest::Good), true),
        (Request::Inspection(InspectionRequest::Bad), true),
        (Request::Inspection(InspectionRequest::Watch), true),
        (Request::Inspection(InspectionRequest::Keep), true),
        (Request::Inspection(InspectionRequest::Discard), true),
        (Request::Inspection(InspectionRequest::Undo), true),
        (Request::Inspection(InspectionRequest::Forget), true),
        (Request::Inspection(InspectionRequest::Look), false),
        (
            Request::Inspection(InspectionRequest::Heat { offset: 0 }),
            false,
        ),
        (
            Request::Inspection(InspectionRequest::Save { offset: 0 }),
            false,
        ),
        (Request::Inspection(InspectionRequest::Restore), true),
        (
            Request::Learned {
                total: 32,
                offset: 0,
                chunk: &[0; 32],
            },
            true,
        ),
        (
            Request::Lock(LockRequest::Bind {
                product: None,
                counter: Some(0),
            }),
            true,
        ),
    ]
}

#[test]
fn a_locked_device_refuses_each_request_that_would_change_it_and_answers_the_others() {
    let rig = Rig::locked();
    let frame = sudal_tests::picture(1, 1);
    let requests = requests(&frame);
    let kinds: BTreeSet<_> = requests
        .iter()
        .map(|(request, _)| number(request))
        .collect();
    assert_eq!(kinds, (0..KINDS).collect());
    for (request, guarded) in requests {
        rig.twin().start(|device| {
            show(device);
            let before = rig.contents();
            let answered = ask(device, &request);
            if guarded {
                assert_eq!(answered, LOCKED, "{request:?}");
            } else if !matches!(
                request,
                Request::Lock(_)
                    | Request::Boots { .. }
                    | Request::Check(_)
                    | Request::Inspection(_)
            ) {
                assert_eq!(answered, Ok(()), "{request:?}");
            } else {
                assert_ne!(answered, LOCKED, "{request:?}");
            }
            assert_eq!(rig.contents(), before);
            assert_eq!(protection(device).lock, LockState::Locked, "{request:?}");
            assert_eq!(classes(device), 1);
        });
    }
}

#[test]
fn a_device_without_a_key_works_as_ever_and_one_with_a_key_takes_no_other() {
    let rig = Rig::new();
    rig.start(|device| {
        assert_eq!(protection(device).lock, LockState::Open);
        show(device);
        assert_eq!(
            ask(
                device,
                &Request::Enroll {
                    name: "gear",
                    force: true
                }
            ),
            Ok(())
        );
        assert_eq!(challenge(device), Err(LockError::NoKey.into()));
        provision(device, KEY).unwrap();
        assert_eq!(protection(device).lock, LockState::Locked);
        let taken = Err(LockError::HasKey.into());
        assert_eq!(provision(device, OTHER), taken);
        unlock(device, &KEY).unwrap();
        // Not even then: a key that can be replaced can be replaced by who finds it unlocked.
        assert_eq!(provision(device, OTHER), taken);
        assert_eq!(
            ask(
                device,
                &Request::Enroll {
                    name: "gear",
                    force: true
                }
            ),
            Ok(())
        );
        ask(device, &Request::Lock(LockRequest::Lock)).unwrap();
        assert_eq!(ask(device, &Request::Reset), LOCKED);
        unlock(device, &KEY).unwrap();
    });
    // Off and on is locked.
    rig.start(|device| {
        assert_eq!(ask(device, &Request::Reset), LOCKED);
        unlock(device, &KEY).unwrap();
        assert_eq!(ask(device, &Request::Reset), Ok(()));
    });
}

#[test]
fn an_answer_with_any_bit_flipped_is_wrong() {
    let rig = Rig::locked();
    rig.start(|device| {
        for bit in 0..256 {
            pass(LONGEST_WAIT);
            let nonce = challenge(device).unwrap();
            let mut wrong = lock::answer(&KEY, &nonce);
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(answer(device, wrong), WRONG);
            assert_eq!(ask(device, &Request::Reset), LOCKED);
        }
        pass(LONGEST_WAIT);
        assert_eq!(unlock(device, &OTHER), WRONG);
        pass(LONGEST_WAIT);
        unlock(device, &KEY).unwrap();
        // A wrong answer locks again.
        assert_eq!(unlock(device, &OTHER), WRONG);
        assert_eq!(ask(device, &Request::Reset), LOCKED);
    });
}

#[test]
fn an_answer_works_once_and_only_for_the_last_challenge() {
    let rig = Rig::locked();
    let none = Err(LockError::NoChallenge.into());
    let mut heard = Vec::new();
    rig.start(|device| {
        assert_eq!(answer(device, [0; 32]), none);
        let first = lock::answer(&KEY, &challenge(device).unwrap());
        let second = lock::answer(&KEY, &challenge(device).unwrap());
        assert_eq!(answer(device, first), WRONG);
        // The wrong answer used the challenge up.
        assert_eq!(answer(device, second), none);
        pass(1);
        let nonce = challenge(device).unwrap();
        let right = lock::answer(&KEY, &nonce);
        answer(device, right).unwrap();
        ask(device, &Request::Lock(LockRequest::Lock)).unwrap();
        assert_eq!(answer(device, right), none);
        heard.extend([first, second, right]);
    });
    // Nor after a power cycle, whatever challenge comes.
    for replayed in heard {
        rig.start(|device| {
            assert_eq!(answer(device, replayed), none);
            pass(LONGEST_WAIT);
            challenge(device).unwrap();
            assert_eq!(answer(device, replayed), WRONG);
        });
    }
}

/// Over power cycles, power cuts at each word of the counter's write, and a recovery after which the
/// owner gives the same key again.
#[test]
fn no_challenge_comes_twice() {
    let mut rig = Rig::locked();
    let mut seen = BTreeSet::new();
    let mut asked = 0;
    for round in 0..200 {
        if round == 100 {
            rig.power.on(None);
            rig.run(true, |_| ());
            rig.start(|device| {
                let (key, seed) = (KEY, [4; 16]);
                ask(device, &Request::Lock(LockRequest::Provision { key, seed })).unwrap();
            });
        }
        rig.power.on((round % 3 == 0).then_some(round % 7));
        rig.run(false, |device| {
            for _ in 0..10 {
                if let Ok(nonce) = challenge(device) {
                    asked += 1;
                    assert!(seen.insert(nonce), "round {round}");
                }
            }
        });
        rig = rig.twin();
    }
    println!("{asked} challenges, {} different", seen.len());
    assert!(asked > 1000, "{asked}");
}

#[test]
fn wrong_answers_make_the_next_wait_longer_and_a_power_cycle_does_not_help() {
    let rig = Rig::locked();
    let mut waited = Vec::new();
    for _ in 0..9 {
        rig.start(|device| {
            // Whatever there is to wait starts again with the power.
            if let Some(&seconds) = waited.last() {
                assert_eq!(challenge(device), Err(LockError::Wait { seconds }.into()));
                pass(seconds - 1);
                let last = LockError::Wait { seconds: 1 };
                assert_eq!(challenge(device), Err(last.into()));
                // Nor is there a challenge to answer.
                assert_eq!(answer(device, [0; 32]), Err(LockError::NoChallenge.into()));
                pass(1);
            }
            assert_eq!(unlock(device, &OTHER), WRONG);
            let Err(DeviceError::Lock(LockError::Wait { seconds })) = challenge(device) else {
                panic!("no wait after {waited:?}");
            };
            waited.push(seconds);
        });
    }
    assert_eq!(waited, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    // The right key ends it.
    rig.start(|device| {
        pass(LONGEST_WAIT);
        unlock(device, &KEY).unwrap();
        unlock(device, &KEY).unwrap();
    });
}

/// A guess either counts or was not looked at, wherever the power is cut; and the right key opens the
/// device afterwards.
#[test]
fn a_power_cut_saves_nobody_from_the_count() {
    let rig = Rig::locked();
    let (mut cuts, mut looked) = (0, 0);
    for key in [KEY, OTHER] {
        for left in 0.. {
            let rig = rig.twin();
            rig.power.on(Some(left));
            let outcome = rig.run(false, |device| unlock(device, &key));
            let cut = rig.power.is_off();
            rig.start(|device| {
                if outcome == WRONG {
                    looked += 1;
                    assert!(matches!(
                        challenge(device),
                        Err(DeviceError::Lock(LockError::Wait { .. }))
                    ));
                } else if cut {
                    assert!(outcome.is_err(), "unlocked without power at {left}");
                }
                assert_eq!(ask(device, &Request::Reset), LOCKED);
                pass(LONGEST_WAIT);
                unlock(device, &KEY).unwrap();
                assert_eq!(classes(device), 1);
            });
            if !cut {
                break;
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts, {looked} guesses looked at");
    assert!(cuts > 10);
}

#[test]
fn a_power_cut_while_the_key_is_given_leaves_the_device_open_or_locked_by_that_key() {
    let rig = Rig::new();
    rig.start(|_| ());
    let (mut open, mut locked) = (0, 0);
    for left in 0.. {
        let rig = rig.twin();
        rig.power.on(Some(left));
        let given = rig.run(false, |device| provision(device, KEY));
        let cut = rig.power.is_off();
        rig.start(|device| match protection(device).lock {
            LockState::Open => {
                assert!(given.is_err());
                open += 1;
                provision(device, KEY).unwrap();
                unlock(device, &KEY).unwrap();
            }
            LockState::Locked => {
                locked += 1;
                unlock(device, &KEY).unwrap();
            }
            other => panic!("{other:?} after a cut at {left}"),
        });
        if !cut {
            break;
        }
    }
    println!("{open} open, {locked} locked");
    assert!(open > 5 && locked > 1);
}

/// The pin gives the device to who holds it, and never with what it was taught.
#[test]
fn a_recovery_cut_anywhere_never_gives_the_classes_away() {
    let rig = Rig::locked();
    let mut cuts = 0;
    for left in 0.. {
        let rig = rig.twin();
        rig.power.on(Some(left));
        rig.run(true, |_| ());
        let cut = rig.power.is_off();
        let (lock, left_over) = rig.start(|device| (protection(device).lock, classes(device)));
        assert!(lock == LockState::Locked || left_over == 0, "cut at {left}");
        // Once more, and it is as new.
        rig.power.on(None);
        rig.run(true, |device| {
            assert_eq!(protection(device).lock, LockState::Open);
            assert_eq!(classes(device), 0);
            provision(device, OTHER).unwrap();
            unlock(device, &OTHER).unwrap();
        });
        if !cut {
            break;
        }
        cuts += 1;
    }
    println!("{cuts} cuts");
    let name = b"gear";
    rig.power.on(None);
    rig.run(true, |_| ());
    let [store, settings, ..] = &rig.contents()[..] else {
        panic!("no flash")
    };
    assert!(!store.windows(name.len()).any(|window| window == name));
    assert!(!settings.windows(KEY.len()).any(|window| window == KEY));
}

/// Not what a power cut does, but what radiation or a tired cell may.
#[test]
fn settings_that_are_damaged_close_the_device_and_never_open_it() {
    let rig = Rig::locked();
    rig.start(|device| unlock(device, &KEY).unwrap());
    let len = rig.settings.bytes.borrow().len();
    let (mut flips, mut closed) = (0, 0);
    for byte in 0..len {
        // A sector starts with two words of marks, of which one is erased as long as it is in use.
        if byte % 4096 >= 8 && rig.settings.bytes.borrow()[byte] == 0xff {
            continue;
        }
        for bit in 0..8 {
            let rig = rig.twin();
            rig.settings.bytes.borrow_mut()[byte] ^= 1 << bit;
            flips += 1;
            rig.start(|device| match protection(device).lock {
                LockState::Locked => {}
                LockState::Unreadable => {
                    closed += 1;
                    assert!(ask(device, &Request::Reset).is_err());
                    assert!(provision(device, OTHER).is_err());
                    assert_eq!(classes(device), 1);
                }
                other => panic!("{other:?} after bit {bit} of byte {byte}"),
            });
        }
    }
    println!("{flips} flips, {closed} closed the device");
    assert!(flips > 500 && closed > 0);
}
