//! A device at a line, in the process of the test.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::Instant;

use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Clock, Device, Resources, Session};
use sudal_firmware::store::nor::{Nor, SECTOR, Volatile};

/// A device at the other end of a wire, without a thread: what is written is answered at once, and
/// a read finds the answer or nothing. Its memory is never given back.
pub struct Wired {
    session: Box<Session<'static, VirtualCamera<4096>, Nor<'static, Volatile>>>,
    answers: VecDeque<Vec<u8>>,
    pause: bool,
    slow: bool,
}

impl Wired {
    /// A device with this model and nothing enrolled.
    #[must_use]
    pub fn new(image: &[u8]) -> Self {
        let mut words = vec![0_u128; image.len().div_ceil(size_of::<u128>())];
        bytemuck::cast_slice_mut(&mut words)[..image.len()].copy_from_slice(image);
        let words: &'static [u128] = words.leak();
        let flash = Nor::new(vec![0; 64 * SECTOR].leak(), Volatile);
        let none = || Nor::new(&mut [], Volatile).expect("no sectors");
        let device = Device::new(Resources {
            board: "wired",
            clock: Clock {
                read: || {
                    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
                    START.get_or_init(Instant::now).elapsed().as_micros() as u32
                },
                ticks_per_second: 1_000_000,
            },
            alive: || (),
            image: &bytemuck::cast_slice(words)[..image.len()],
            arena: vec![0; 1 << 13].leak(),
            input: vec![0; 1 << 14].leak(),
            camera: VirtualCamera::new(),
            flash: flash.expect("whole sectors"),
            known: Box::leak(Box::default()),
            settings: none(),
            slots: [none(), none()],
            inspection: None,
            recover: false,
        });
        Self {
            session: Box::new(Session::new(device)),
            answers: VecDeque::new(),
            pause: false,
            slow: false,
        }
    }

    /// The same with a pause in front of each answer.
    #[must_use]
    pub fn slow(self) -> Self {
        Self { slow: true, ..self }
    }
}

impl Write for Wired {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            if let Some(answer) = self.session.push(byte) {
                self.answers.push_back(answer.to_vec());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Wired {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.pause = self.slow && !self.pause;
        let Some(answer) = self.answers.front_mut().filter(|_| !self.pause) else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        let count = bytes.len().min(answer.len());
        bytes[..count].copy_from_slice(&answer[..count]);
        answer.drain(..count);
        if answer.is_empty() {
            self.answers.pop_front();
        }
        Ok(count)
    }
}
