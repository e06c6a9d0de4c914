//! What the engine and the firmware may cost: `firmware/budget.json`, and CMSIS-NN's figures.
//!
//! `SUDAL_BUDGET=write cargo test --test system budget::` writes what was measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSection, SectionFlags, elf::SHF_ALLOC};
use serde::{Deserialize, Serialize};
use sudal::device::{self, CmsisNn, Emulator, Machine, Profile};
use sudal::engine::Benchmark;

/// The most that is allowed, in instructions and bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Budget {
    /// Sections of the board's firmware, model image excluded.
    firmware: Sections,
    /// Sections of a program that only reads a model image and runs it.
    inference: Sections,
    /// One frame of each benchmark network.
    networks: BTreeMap<String, Cost>,
    /// The same on the Cortex-M55 with Helium.
    helium: BTreeMap<String, Cost>,
}

type Sections = BTreeMap<String, u64>;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cost {
    instructions: u64,
    arena: u64,
    stack: u64,
}

const TARGET: &str = "thumbv7em-none-eabihf";

fn step(text: &str) {
    println!("{text}");
}

fn profile(network: Benchmark, machine: Machine) -> Profile {
    let image = network.image().unwrap();
    device::profile(&image, machine, &mut step).unwrap_or_else(|error| panic!("{error}"))
}

/// Bytes of each section that takes memory on the board.
fn sections(program: &Path) -> Sections {
    let bytes = fs::read(program).unwrap();
    let elf = object::File::parse(&*bytes).unwrap();
    let in_memory = |flags| match flags {
        SectionFlags::Elf { sh_flags } => sh_flags & u64::from(SHF_ALLOC) != 0,
        _ => false,
    };
    elf.sections()
        .filter(|section| in_memory(section.flags()) && section.size() > 0)
        .map(|section| (section.name().unwrap().to_owned(), section.size()))
        .collect()
}

/// What a frame of each benchmark network costs on a machine.
fn costs(machine: Machine) -> BTreeMap<String, Cost> {
    let networks = Benchmark::ALL.map(|network| {
        let profile = profile(network, machine);
        let cost = Cost {
            instructions: profile.instructions,
            arena: profile.arena as u64,
            stack: profile.stack as u64,
        };
        (network.name().to_owned(), cost)
    });
    networks.into()
}

#[test]
fn nothing_costs_more_than_its_budget() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../firmware/budget.json");
    let firmware = device::build_firmware(Emulator::NAME, TARGET, None, &mut step).unwrap();
    let inference = device::build_bench("inference", Machine::An500, &mut step).unwrap();
    let measured = Budget {
        firmware: sections(&firmware),
        inference: sections(&inference),
        networks: costs(Machine::An500),
        helium: costs(Machine::An547),
    };
    if std::env::var("SUDAL_BUDGET").is_ok_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(&measured).unwrap();
        fs::write(&path, text + "\n").unwrap();
    }

    let budget: Budget = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut excesses = Vec::new();
    // Compilers differ a little, more in bytes than in the instructions of the hand-written loops.
    let mut check = |what: String, have: u64, most: u64, slack: u64| {
        if have > most + slack {
            excesses.push(format!("{what}: {have}, budget {most}"));
        }
    };
    for (program, have, most) in [
        ("firmware", &measured.firmware, &budget.firmware),
        ("inference", &measured.inference, &budget.inference),
    ] {
        assert!(have.contains_key(".text"), "{program}: {have:?}");
        for (name, &size) in have {
            let most = most.get(name).copied().unwrap_or(0);
            check(
                format!("{program} {name} bytes"),
                size,
                most,
                most / 20 + 64,
            );
        }
    }
    for (on, measured, budget) in [
        ("", &measured.networks, &budget.networks),
        (" with Helium", &measured.helium, &budget.helium),
    ] {
        for (name, have) in measured {
            let most = &budget[name];
            check(
                format!("{name}{on} instructions"),
                have.instructions,
                most.instructions,
                most.instructions / 50,
            );
            check(format!("{name}{on} arena bytes"), have.arena, most.arena, 0);
            check(
                format!("{name}{on} stack bytes"),
                have.stack,
                most.stack,
                most.stack / 20 + 64,
            );
        }
    }
    assert!(
        excesses.is_empty(),
        "{excesses:#?}\nmeasured: {measured:#?}"
    );
}

/// With Helium at most 0.6 of the instructions of CMSIS-NN's Helium kernels.
#[test]
fn helium_takes_less_than_that_of_cmsis_nn() {
    for network in Benchmark::ALL {
        let profile = profile(network, Machine::An547);
        let comparison = CmsisNn::on(network).compare(&profile);
        println!("{profile}\n{comparison}");
        assert!(10 * comparison.ours <= 6 * comparison.best, "{comparison}");
    }
}

/// At most nine tenths of CMSIS-NN's instructions in every layer, and of the best of its builds
/// 0.65 for the whole of one network and 0.50 for that of the other, on both processors.
#[test]
fn every_layer_is_faster_than_cmsis_nn() {
    for (network, share) in [(Benchmark::Conv4, 0.65), (Benchmark::Separable, 0.50)] {
        let [m7, m4] = [Machine::An500, Machine::An386].map(|machine| profile(network, machine));
        assert_eq!(m7, profile(network, Machine::An500), "counted twice");
        for profile in [&m7, &m4] {
            let comparison = CmsisNn::on(network).compare(profile);
            println!("{profile}\n{comparison}");
            let most = (comparison.best as f64 * share) as u64;
            assert!(comparison.ours <= most, "{comparison}");
        }
        let comparison = CmsisNn::on(network).compare(&m7);
        let groups = &comparison.groups;
        let (ours, theirs) = groups
            .iter()
            .fold((0, 0), |(a, b), g| (a + g.ours, b + g.theirs));
        assert_eq!((ours, theirs), (comparison.ours, comparison.theirs));
        for group in groups {
            assert!(10 * group.ours <= 9 * group.theirs, "{group:?}");
        }
    }
}
