//! RAM and flash of every board and model.

use std::fs;

use anyhow::Context;
use serde::Serialize;
use sudal::device::{self, Program, Room, programs, rooms};
use sudal::engine::QuantizedModel;
use sudal::models::SHIPPED;
use sudal::table::Table;

use super::super::output::Output;

#[derive(Serialize)]
struct Sizes {
    board: &'static str,
    /// What its program takes.
    memories: Vec<Room>,
    /// What it has for a model.
    slot: usize,
    arena: usize,
    input: usize,
    models: Vec<Needs>,
}

/// What a model takes, in bytes.
#[derive(Serialize)]
struct Needs {
    model: &'static str,
    /// Of a slot.
    image: usize,
    arena: usize,
    input: usize,
    fits: bool,
}

pub(super) fn run(output: &Output) -> anyhow::Result<()> {
    let boards = programs().map(|program| of(program, output));
    let boards: Vec<_> = boards.collect::<anyhow::Result<_>>()?;
    let mut programs = Table::new(["board", "memory", "taken", "of", "free"]).left([0, 1]);
    let mut models = Table::new([
        "board", "model", "flash", "of", "arena", "of", "input", "of", "",
    ])
    .left([0, 1, 8]);
    for board in &boards {
        for room in &board.memories {
            programs.row([
                board.board.to_owned(),
                room.name.to_owned(),
                room.used.to_string(),
                room.size.to_string(),
                (room.size - room.used).to_string(),
            ]);
        }
        for model in &board.models {
            models.row([
                board.board.to_owned(),
                model.model.to_owned(),
                model.image.to_string(),
                board.slot.to_string(),
                model.arena.to_string(),
                board.arena.to_string(),
                model.input.to_string(),
                board.input.to_string(),
                if model.fits { "" } else { "does not fit" }.to_owned(),
            ]);
        }
    }
    let text = format!(
        "{programs}\nThe program's RAM has the arena and input of the largest model in it.\n\n{models}"
    );
    output.result(&boards, text)
}

fn of(program: Program, output: &Output) -> anyhow::Result<Sizes> {
    let Program {
        board,
        target,
        memory,
    } = program;
    let built = device::build_firmware(board, target, None, &mut |step| output.step(step))?;
    let program = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
    let needs = |shipped: &sudal::models::Shipped| {
        let image = QuantizedModel::new(shipped.image)?;
        let model = image.model()?;
        anyhow::Ok(Needs {
            model: shipped.name,
            image: shipped.image.len(),
            arena: model.arena_len(),
            input: model.input_len(),
            fits: memory.fits(&model),
        })
    };
    Ok(Sizes {
        board,
        memories: rooms(board, &program)?,
        slot: memory.image,
        arena: memory.arena,
        input: memory.input,
        models: SHIPPED.iter().map(needs).collect::<anyhow::Result<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_fits_every_board_but_coloured_pictures_of_96x96_a_pico() {
        for program in programs() {
            for shipped in &SHIPPED {
                let image = QuantizedModel::new(shipped.image).unwrap();
                let fits = program.memory.fits(&image.model().unwrap());
                let (board, model) = (program.board, shipped.name);
                assert_eq!(
                    fits,
                    (board, model) != ("pico", "world"),
                    "{model}, {board}"
                );
            }
        }
    }
}
