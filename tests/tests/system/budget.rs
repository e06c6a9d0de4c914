//! What the engine and the firmware may cost: `firmware/budget.json`, and CMSIS-NN's figures.
//!
//! `SUDAL_BUDGET=write cargo test --test system budget::` writes what was measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

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

static IMAGES: LazyLock<[Vec<u8>; 5]> =
    LazyLock::new(|| Benchmark::ALL.map(|network| network.image().unwrap()));

fn profile(network: Benchmark, machine: Machine) -> Profile {
    let place = Benchmark::ALL.iter().position(|n| *n == network);
    let image = &IMAGES[place.unwrap()];
    device::profile(image, machine, &mut step).unwrap_or_else(|error| panic!("{error}"))
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

/// Every layer takes fewer instructions than the best of CMSIS-NN's builds for it, with Helium its Helium
/// kernels, and the whole of each network at most such a share of them.
#[test]
fn every_layer_is_faster_than_cmsis_nn() {
    let dsp = [0.42, 0.40, 0.46, 0.40, 0.35];
    let helium = [0.5, 0.52, 0.8, 0.5, 0.5];
    for (network, shares) in Benchmark::ALL.into_iter().zip(dsp.into_iter().zip(helium)) {
        for machine in Machine::ALL {
            let share = match machine {
                Machine::An547 => shares.1,
                _ => shares.0,
            };
            let profile = profile(network, machine);
            let comparison = CmsisNn::on(network).compare(&profile);
            println!("{profile}\n{comparison}");
            assert!(comparison.groups.len() >= 4, "{comparison}");
            let most = (comparison.theirs as f64 * share) as u64;
            assert!(comparison.ours <= most, "{comparison}");
            for group in &comparison.groups {
                assert!(group.ours < group.theirs, "{} {group:?}", machine.name());
            }
        }
    }
    let profiles = [(); 2].map(|()| profile(Benchmark::Conv4, Machine::An500));
    assert_eq!(profiles[0], profiles[1], "counted twice");
}

/// What stands in the documents: all networks on all processors, and where they are slower.
#[test]
fn a_survey_has_every_network_on_a_processor() {
    let images = [Benchmark::Conv4, Benchmark::ResNet8].map(|network| {
        let place = Benchmark::ALL.iter().position(|n| *n == network).unwrap();
        (network, IMAGES[place].clone())
    });
    let machines = [Machine::An500, Machine::An547];
    let survey = device::survey(&images, &machines, &mut step).unwrap();
    assert_eq!(survey.rows.len(), 4);
    for row in &survey.rows {
        assert!(row.estimated_cycles > row.instructions, "{survey}");
        assert!(row.comparison.ours <= row.instructions, "{survey}");
    }
    assert!(
        survey.rows.iter().all(|row| row.slower().count() == 0),
        "{survey}"
    );
    assert!(survey.slower().is_none(), "{survey}");
}
