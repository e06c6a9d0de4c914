//! Updates of the model image, and the way back.

use sudal_firmware::store::nor::SECTOR;

use super::machine::{Emulator, Pico};
use super::{image, uf2};

/// Where the second slot begins, as `firmware/boards/pico/src/board/flash.rs` divides the flash.
const SLOT_B: usize = 192 * SECTOR;

#[test]
fn an_update_runs_from_the_next_start_on_and_a_damaged_one_gives_way() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let pico = Pico::flashed(emulator, &uf2(&image("parts.sudal")));
    let name = || {
        let power = pico.on();
        assert!(power.is_on());
        let model = power.connect().info().unwrap().model;
        model.unwrap().name
    };
    let power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    let update = image("omniglot-32.sudal");
    // Half of it changes nothing; what is no image is refused.
    client.update(&update[..1000], &mut |_| ()).unwrap_err();
    client.update(&update, &mut |_| ()).unwrap();
    assert_eq!(client.info().unwrap().model.unwrap().name, "parts");
    drop((client, power));
    assert_eq!(name(), "omniglot-32");

    let mut flash = pico.flash();
    assert_eq!(flash[SLOT_B..][..update.len()], update);
    flash[SLOT_B + 5000] ^= 1;
    pico.set_flash(&flash);
    assert_eq!(name(), "parts");
}
