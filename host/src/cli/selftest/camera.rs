//! Whether a camera sees, and whether what it sees arrives whole.

use sudal::data::Colors;
use sudal::device::{
    CameraError, Client, ClientError, DeviceError, Geometry, Link, Picture, PixelFormat,
};

use super::finding::{Fault, Finding, fault};

/// Rows at the end of a frame that may be of one level.
const BLANK_ROWS: usize = 8;
/// Data lines of which a picture of any brightness changes each: the low ones.
const BUSY_LINES: u8 = 0b0001_1111;

pub(super) fn check(client: &mut Client<Box<dyn Link>>) -> Finding {
    match virtual_camera(client) {
        Err(ClientError::Device(DeviceError::Camera(CameraError::NotVirtual))) => sensor(client),
        Ok(true) => Ok(Some("virtual: a frame came back as it was sent".to_owned())),
        Ok(false) => Err(fault(
            "virtual: a frame came back changed",
            "the line or the memory is at fault: try another cable, flash the firmware again",
        )),
        Err(error) => Err(fault(error, "restart the board")),
    }
}

/// Sends a frame in which every byte differs from its neighbours: whether it comes back the same.
fn virtual_camera(client: &mut Client<Box<dyn Link>>) -> Result<bool, ClientError> {
    let geometry = Geometry {
        width: 64,
        height: 48,
        format: PixelFormat::Grey8,
    };
    let pixels: Vec<u8> = (0..geometry.len())
        .map(|at| (at * 37 + at / 64) as u8)
        .collect();
    client.send_frame(geometry, &pixels)?;
    Ok(client.capture()?.pixels == pixels)
}

fn sensor(client: &mut Client<Box<dyn Link>>) -> Finding {
    let mut take = || {
        client
            .capture()
            .map_err(|error| fault(error, "look at the camera module and its connector"))
    };
    judge(&take()?, &take()?).map(Some)
}

/// What two frames in a row show.
fn judge(first: &Picture, second: &Picture) -> Result<String, Fault> {
    if let Some(error) = second.fault() {
        return Err(fault(
            error,
            "give it light, take the cap off, turn it to something",
        ));
    }
    if first == second {
        return Err(fault(
            "two frames are the same to the bit",
            "the sensor sends nothing new: look at its clock and at VSYNC",
        ));
    }
    let Some(grey) = second.decoded().map(|picture| picture.to(Colors::Grey)) else {
        return Err(fault(
            "the frame is not whole",
            "restart the board, flash the firmware again",
        ));
    };
    let blank = |row: &&[u8]| row.iter().all(|&level| level == row[0]);
    let rows = grey.pixels.chunks(usize::from(second.geometry.width));
    let blank_rows = rows.rev().take_while(blank).count();
    if blank_rows > BLANK_ROWS {
        return Err(fault(
            format!("the frame is torn: its last {blank_rows} rows are empty"),
            "look at HREF and the pixel clock",
        ));
    }
    let (set, clear) = second
        .pixels
        .iter()
        .fold((0, 0), |(set, clear), &level| (set | level, clear | !level));
    let stuck = BUSY_LINES & !(set & clear);
    if stuck != 0 {
        let lines: Vec<_> = (0..8)
            .filter(|line| stuck >> line & 1 == 1)
            .map(|line| format!("D{line}"))
            .collect();
        return Err(fault(
            format!("data lines never change: {}", lines.join(", ")),
            "look at these lines between sensor and processor",
        ));
    }
    let sum: u64 = grey.pixels.iter().map(|&level| u64::from(level)).sum();
    Ok(format!(
        "{}x{}, alive; mean level {}",
        second.geometry.width,
        second.geometry.height,
        sum / grey.pixels.len() as u64
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(level: impl Fn(usize) -> u8) -> Picture {
        let geometry = Geometry {
            width: 40,
            height: 30,
            format: PixelFormat::Grey8,
        };
        Picture {
            geometry,
            pixels: (0..geometry.len()).map(level).collect(),
        }
    }

    fn refused(level: impl Fn(usize) -> u8) -> String {
        let other = picture(|at| at as u8);
        let Err(fault) = judge(&other, &picture(level)) else {
            panic!("passed");
        };
        assert!(!fault.advice.is_empty());
        fault.found
    }

    #[test]
    fn a_picture_that_moves_passes() {
        let (first, second) = (picture(|at| at as u8), picture(|at| (at + 1) as u8));
        let found = judge(&first, &second).ok().unwrap();
        assert!(found.starts_with("40x30, alive"), "{found}");
    }

    #[test]
    fn of_a_frame_with_colours_the_brightness_is_looked_at() {
        let of = |levels: fn(usize) -> u8| {
            let mut frame = picture(levels);
            frame.geometry.format = PixelFormat::Yuyv;
            let pairs = frame.pixels.into_iter().flat_map(|level| [level, 97]);
            frame.pixels = pairs.collect();
            frame
        };
        let first = of(|at| at as u8);
        let torn = of(|at| if at < 800 { (at % 200 + 21) as u8 } else { 0 });
        assert!(judge(&first, &torn).is_err_and(|fault| fault.found.contains("10 rows")));
        let whole = of(|at| (at + 3) as u8);
        let found = judge(&first, &whole).ok().unwrap();
        assert!(found.starts_with("40x30, alive"), "{found}");
    }

    #[test]
    fn dark_white_frozen_torn_and_stuck_frames_are_told_apart() {
        assert!(refused(|_| 3).contains("black"));
        assert!(refused(|_| 255).contains("overexposed"));
        assert!(refused(|_| 90).contains("shows nothing"));
        assert!(refused(|at| at as u8).contains("the same"));
        let torn = refused(|at| if at < 800 { (at + 1) as u8 } else { 0 });
        assert!(torn.contains("torn") && torn.contains("10 rows"), "{torn}");
        assert!(refused(|at| (at * 3) as u8 | 4).contains("D2"));
        assert!(refused(|at| (at * 3) as u8 & !9).contains("D0, D3"));
    }
}
