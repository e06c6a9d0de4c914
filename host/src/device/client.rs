//! The client of a device.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use sudal_firmware::camera::{CameraError, Geometry};
use sudal_firmware::decision::Filter;
use sudal_firmware::device::Boots;
use sudal_firmware::heads::{Head, Role};
use sudal_firmware::preprocess::align::Alignment;
use sudal_firmware::preprocess::{Fit, Region};
use sudal_firmware::protocol::packet::{self, Packet, PacketError, Received, Receiver, Wire};
use sudal_firmware::protocol::{
    self, Check, DecisionRequest, DeviceError, MAX_CHUNK, Request, Response, Stats,
};

use super::answers::{Class, Damage, Embedding, Enrolled, Info, ModelInfo, Picture, Verdict};
use super::name::{self, NameError, name, shown};
use crate::similar::did_you_mean;

/// How often a frame may have to continue from elsewhere than where it was.
const RESTARTS: u32 = 6;
/// Fewest bytes of a frame in a packet, on a line that loses longer ones.
const LEAST_CHUNK: usize = 16;

/// Why a request had no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The device refused.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No answer came.
    #[error("no answer to {request}: is another program connected, or the line too noisy?")]
    Timeout {
        /// Name of the request.
        request: &'static str,
    },
    /// Nothing ever came over the line.
    #[error(
        "nothing answers at this port: is it the board's, is the board on, and was it flashed (`sudal flash`)?"
    )]
    Silent,
    /// What came over the line was never an answer.
    #[error(
        "another firmware is talking at this port, or at another speed: flash the board (`sudal flash`), or name another port (--port)"
    )]
    Stranger,
    /// The answer is not one to the request.
    #[error("the device does not understand {request}: flash the firmware of this version")]
    Protocol {
        /// Name of the request.
        request: &'static str,
    },
    /// The device speaks another version.
    #[error("the device speaks protocol {device}, this program {host}: flash the firmware again", host = protocol::VERSION)]
    Version {
        /// The device's version.
        device: u8,
    },
    /// The frame has another number of bytes than its size asks for.
    #[error("a frame of {width} x {height} has {expected} bytes, not {len}")]
    FrameLength {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes given.
        len: usize,
    },
    /// The name can't be one of a class.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No class has this name.
    #[error(
        "no class is called {name:?}; enrolled are: {enrolled}{near}",
        near = did_you_mean(name, enrolled.split(", ").filter(|_| enrolled != "none"))
    )]
    NoSuchClass {
        /// The name asked for.
        name: String,
        /// Names that there are.
        enrolled: String,
    },
    /// The device was restarted while it worked on the request.
    #[error(
        "the device was restarted during {request}, which may have been carried out or not: `sudal info` tells why"
    )]
    Restarted {
        /// Name of the request.
        request: &'static str,
    },
    /// The line failed.
    #[error("the line to the device failed")]
    Line(#[from] io::Error),
}

/// How long and how often a client tries before it gives a request up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long an attempt waits for an answer.
    pub each: Duration,
    /// Fewest attempts. There are more if they end sooner than `attempts * each`: answers to noise
    /// that was on the line before are soon there and say nothing about the request.
    pub attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(5),
            attempts: 6,
        }
    }
}

/// For the first answer at a serial port, where anything may be plugged in: five seconds in all.
const GREETING: RetryPolicy = RetryPolicy {
    each: Duration::from_secs(1),
    attempts: 5,
};

/// Asks a device over a line.
///
/// A request whose answer does not come or arrives damaged is sent again under the same number; the
/// device carries it out once. A frame goes in smaller pieces where larger ones are lost, and continues
/// where the device stands.
pub struct Client<S> {
    line: S,
    retry_policy: RetryPolicy,
    sequence: u32,
    /// Whether the device answered since it was started.
    met: bool,
    /// Until the first answer at a port: whether anything came over the line.
    unknown: Option<Heard>,
    wire: Wire,
    receiver: Receiver,
    /// Bytes that were read and not looked at: the first `.1` of the array from `.0` on.
    pending: (usize, usize, [u8; 512]),
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl<S: Read + Write> Client<S> {
    /// A client on a line, see [`Link`](super::Link) for what its reads have to do.
    pub fn new(line: S) -> Self {
        // Another client may have been here: its last number must not be this one's first.
        Self::numbered_from(line, RandomState::new().build_hasher().finish() as u32)
    }

    /// As [`new`](Self::new), with the number before that of the first request: a run that is to be
    /// the same each time sends the same bytes.
    pub fn numbered_from(line: S, sequence: u32) -> Self {
        Self {
            line,
            retry_policy: RetryPolicy::default(),
            sequence,
            met: false,
            unknown: None,
            wire: Wire::new(),
            receiver: Receiver::new(),
            pending: (0, 0, [0; 512]),
        }
    }

    /// A client at a serial port, where something else may be plugged in, or nothing: it gives up after
    /// five seconds without an answer, until there was one.
    pub fn at_port(line: S) -> Self {
        Self {
            unknown: Some(Heard(false)),
            ..Self::new(line)
        }
    }

    /// How long and how often the client tries.
    pub fn set_retry_policy(&mut self, retry_policy: RetryPolicy) {
        self.retry_policy = retry_policy;
    }

    /// Gives the line back.
    pub fn into_line(self) -> S {
        self.line
    }

    /// Who are you?
    ///
    /// # Errors
    /// [`ClientError::Version`] when the device speaks another version of the protocol.
    pub fn info(&mut self) -> Result<Info, ClientError> {
        let info = self.call("info", &Request::Info, |response| match response {
            Response::Info(info) => Some(Info {
                protocol: info.protocol,
                firmware: shown(info.firmware).into_owned(),
                board: shown(info.board).into_owned(),
                ticks_per_second: info.ticks_per_second,
                frame_capacity: info.frame_capacity,
                arena_capacity: info.arena_capacity,
                model: info.model.map(|model| ModelInfo {
                    id: model.id,
                    name: shown(model.name).into_owned(),
                    width: model.width,
                    height: model.height,
                    channels: model.channels,
                    dim: model.dim,
                    scale: model.scale,
                    zero_point: model.zero_point,
                    arena: model.arena,
                    image: model.image,
                }),
                classes: info.classes,
                max_classes: info.max_classes,
                max_shots: info.max_shots,
                head: info.head,
                slots: info.slots,
                max_slots: info.max_slots,
                protection: info.protection.into(),
                decision_config: info.decision_config,
                other_models: info.other_models,
                damage: Damage {
                    classes: (0..info.max_classes)
                        .filter(|&id| info.damage.class(id))
                        .collect(),
                    head: info.damage.head,
                },
            }),
            _ => None,
        })?;
        if info.protocol != protocol::VERSION {
            return Err(ClientError::Version {
                device: info.protocol,
            });
        }
        Ok(info)
    }

    /// Shows the virtual camera a frame, row by row. It stays until the next one.
    ///
    /// # Errors
    /// [`ClientError::FrameLength`], or that the camera refuses it.
    pub fn send_frame(&mut self, geometry: Geometry, pixels: &[u8]) -> Result<(), ClientError> {
        if geometry.len() != pixels.len() {
            return Err(ClientError::FrameLength {
                width: geometry.width,
                height: geometry.height,
                expected: geometry.len(),
                len: pixels.len(),
            });
        }
        let (mut offset, mut most) = (0, MAX_CHUNK);
        let (mut restarts, mut lost) = (0, Lost::default());
        while offset < pixels.len() {
            let end = pixels.len().min(offset + most);
            let request = Request::Frame {
                geometry,
                offset: offset as u32,
                chunk: &pixels[offset..end],
            };
            self.number("frame", &request)?;
            let received = self.attempt("frame", &|response| match response {
                Response::Received(bytes) => Some(bytes as usize),
                _ => None,
            });
            match received {
                // Further than `end` if only the answer to a longer piece was lost.
                Ok(Some(received)) => {
                    offset = received.clamp(end, pixels.len());
                    most = MAX_CHUNK.min(2 * most);
                    lost = Lost::default();
                }
                Ok(None) if lost.give_up(self.retry_policy()) => return Err(self.given_up("frame")),
                Ok(None) => most = LEAST_CHUNK.max(most / 2),
                // The device was switched off and on in between: continue where it stands.
                Err(ClientError::Device(DeviceError::Camera(CameraError::OutOfOrder {
                    expected,
                }))) if restarts < RESTARTS => {
                    restarts += 1;
                    offset = pixels.len().min(expected as usize);
                }
                Err(ClientError::Restarted { .. }) if restarts < RESTARTS => {
                    restarts += 1;
                    offset = 0;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes a picture and reads it back.
    ///
    /// # Errors
    /// That there is no picture.
    pub fn capture(&mut self) -> Result<Picture, ClientError> {
        let mut picture: Option<Picture> = None;
        loop {
            let offset = picture.as_ref().map_or(0, |picture| picture.pixels.len()) as u32;
            let (geometry, chunk) = self.call(
                "capture",
                &Request::Capture { offset },
                |response| match response {
                    Response::Frame {
                        geometry,
                        offset: at,
                        chunk,
                    } if at == offset && !chunk.is_empty() => Some((geometry, chunk.to_vec())),
                    _ => None,
                },
            )?;
            let picture = picture.get_or_insert(Picture {
                geometry,
                pixels: Vec::new(),
            });
            picture.pixels.extend(chunk);
            if picture.pixels.len() >= geometry.len() {
                return Ok(picture.clone());
            }
        }
    }

    /// Takes a picture and embeds it.
    ///
    /// # Errors
    /// That there is no picture or no model.
    pub fn embed(&mut self) -> Result<Embedding, ClientError> {
        self.call("embed", &Request::Embed, |response| match response {
            Response::Embedding { values, ticks } => Some(Embedding {
                values: bytemuck::cast_slice(values).to_vec(),
                ticks,
            }),
            _ => None,
        })
    }

    /// Takes a picture and names its class.
    ///
    /// # Errors
    /// That there is no picture, no model, or that nothing was enrolled with it.
    pub fn classify(&mut self) -> Result<Verdict, ClientError> {
        self.call("classify", &Request::Classify, |response| match response {
            Response::Classified(verdict) => Some(verdict.into()),
            _ => None,
        })
    }

    /// Takes a picture and adds it as a shot to a class, which is made if there is none, whatever it
    /// shows.
    ///
    /// # Errors
    /// That there is no picture or no model, or that the store is full.
    pub fn enroll(&mut self, name: &str) -> Result<Enrolled, ClientError> {
        self.enroll_shot(name, true)
    }

    /// The same, if the picture fits the class's other shots.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll), or a
    /// [`DecisionError::Outlier`](protocol::DecisionError::Outlier).
    pub fn enroll_if_fit(&mut self, name: &str) -> Result<Enrolled, ClientError> {
        self.enroll_shot(name, false)
    }

    fn enroll_shot(&mut self, text: &str, force: bool) -> Result<Enrolled, ClientError> {
        let name = &name(text)?;
        self.call("enroll", &Request::Enroll { name, force }, enrolled)
    }

    /// All enrolled classes, those of other models included, by id.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn list(&mut self) -> Result<Vec<Class>, ClientError> {
        let mut classes = Vec::new();
        loop {
            let skip = classes.len() as u8;
            let (total, page) =
                self.call("list", &Request::List { skip }, |response| match response {
                    Response::Classes { total, page } => Some((
                        usize::from(total),
                        page.iter().map(Class::from).collect::<Vec<_>>(),
                    )),
                    _ => None,
                })?;
            let done = page.is_empty();
            classes.extend(page);
            if done || classes.len() >= total {
                return Ok(classes);
            }
        }
    }

    /// The id of the class with this name, however it is written; one of the present model comes
    /// first.
    ///
    /// # Errors
    /// [`ClientError::NoSuchClass`], with the names that there are.
    pub fn find(&mut self, name: &str) -> Result<u8, ClientError> {
        let model = self.info()?.model.ok().map(|model| model.id);
        let classes = self.list()?;
        classes
            .iter()
            .filter(|class| name::is_same(&class.name, name))
            .min_by_key(|class| (Some(class.model) != model, class.name != name))
            .map(|class| class.id)
            .ok_or_else(|| ClientError::NoSuchClass {
                name: name.to_owned(),
                enrolled: if classes.is_empty() {
                    "none".to_owned()
                } else {
                    let names: Vec<_> = classes.into_iter().map(|class| class.name).collect();
                    names.join(", ")
                },
            })
    }

    /// Gives a class another name.
    ///
    /// # Errors
    /// That there is no such class, or the name is taken, empty or too long.
    pub fn rename(&mut self, id: u8, to: &str) -> Result<(), ClientError> {
        let name = &name(to)?;
        self.call("rename", &Request::Rename { id, name }, done)
    }

    /// Forgets a class.
    ///
    /// # Errors
    /// That there is no such class.
    pub fn remove(&mut self, id: u8) -> Result<(), ClientError> {
        self.call("remove", &Request::Remove { id }, done)
    }

    /// Forgets all classes; a store that can't be read is made new.
    ///
    /// # Errors
    /// That the flash failed.
    pub fn reset(&mut self) -> Result<(), ClientError> {
        self.call("reset", &Request::Reset, done)
    }

    /// Counters since the device was switched on.
    ///
    /// # Errors
    /// That the device does not answer.
    pub fn stats(&mut self) -> Result<Stats, ClientError> {
        self.call("stats", &Request::Stats, |response| match response {
            Response::Stats(stats) => Some(stats),
            _ => None,
        })
    }

    /// The head that classifies.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn head(&mut self) -> Result<Head, ClientError> {
        self.call("head", &Request::Head { choose: None }, head)
    }

    /// Chooses the head; the device keeps the choice.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn set_head(&mut self, choose: Head) -> Result<(), ClientError> {
        let choose = Some(choose);
        self.call("head", &Request::Head { choose }, head)
            .map(|_| ())
    }

    /// How many pictures of known classes may be rejected, in parts of 10,000.
    ///
    /// # Errors
    /// That it is not in 10..=2000, or the settings can't be written.
    pub fn set_rate(&mut self, parts: u16) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Rate { parts })
    }

    /// How a stable decision is made.
    ///
    /// # Errors
    /// That the filter is not [sound](Filter::is_sound), or the settings can't be written.
    pub fn set_filter(&mut self, filter: Filter) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Filter(filter))
    }

    /// What a class stands for.
    ///
    /// # Errors
    /// That there is no such class.
    pub fn set_role(&mut self, id: u8, role: Role) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Role { id, role })
    }

    /// Shifts embeddings by how far they have drifted, until the device is told otherwise.
    ///
    /// # Errors
    /// That too few pictures were classified, or the settings can't be written.
    pub fn recenter(&mut self) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Recenter)
    }

    /// Shifts embeddings no more.
    ///
    /// # Errors
    /// That the settings can't be written.
    pub fn uncenter(&mut self) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Uncenter)
    }

    /// The part of each frame that is looked at, none for the whole.
    ///
    /// # Errors
    /// That it is empty, or the settings can't be written.
    pub fn set_region(&mut self, region: Option<Region>) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Region(region))
    }

    /// What is looked at of a frame or region of other proportions than the model's input.
    ///
    /// # Errors
    /// That the settings can't be written.
    pub fn set_fit(&mut self, fit: Fit) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Fit(fit))
    }

    /// Whether parts are brought to the middle and upright.
    ///
    /// # Errors
    /// That the window is not [sound](Alignment::is_sound), or the settings can't be written.
    pub fn set_alignment(&mut self, alignment: Alignment) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Align(alignment))
    }

    fn decision(&mut self, request: DecisionRequest) -> Result<(), ClientError> {
        self.call("a change of decisions", &Request::Decision(request), done)
    }

    /// How often the device was started, why, and its last failure, which `clear` forgets.
    ///
    /// # Errors
    /// [`DeviceError::NoHistory`] if the device keeps no record.
    pub fn boots(&mut self, clear: bool) -> Result<Boots, ClientError> {
        self.call(
            "boots",
            &Request::Boots { clear },
            |response| match response {
                Response::Boots(boots) => Some(boots),
                _ => None,
            },
        )
    }

    /// Has the device check a part of itself: the ticks of its clock that it took.
    ///
    /// # Errors
    /// What is wrong with the part, or that the device has none such.
    pub fn check(&mut self, part: Check) -> Result<u32, ClientError> {
        self.call("check", &Request::Check(part), |response| match response {
            Response::Checked { ticks } => Some(ticks),
            _ => None,
        })
    }

    /// Sends a request until it is answered, and takes from the answer what `read` finds.
    pub(super) fn call<T>(
        &mut self,
        name: &'static str,
        request: &Request<'_>,
        read: impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<T, ClientError> {
        self.number(name, request)?;
        let mut lost = Lost::default();
        loop {
            if let Some(value) = self.attempt(name, &read)? {
                return Ok(value);
            }
            if lost.give_up(self.retry_policy()) {
                return Err(self.given_up(name));
            }
        }
    }

    fn retry_policy(&self) -> RetryPolicy {
        match self.unknown {
            Some(_) => GREETING,
            None => self.retry_policy,
        }
    }

    /// Why there is no answer.
    fn given_up(&self, request: &'static str) -> ClientError {
        match self.unknown {
            Some(Heard(true)) => ClientError::Stranger,
            Some(Heard(false)) => ClientError::Silent,
            None => ClientError::Timeout { request },
        }
    }

    /// Packs a request under a number of its own.
    fn number(&mut self, name: &'static str, request: &Request<'_>) -> Result<(), ClientError> {
        // Number 0 is the device's for packets that it could not read.
        self.sequence = self.sequence.wrapping_add(1).max(1);
        packet::encode(self.sequence, request, &mut self.wire)
            .map_err(|_| ClientError::Protocol { request: name })
    }

    /// Sends the packed request once; nothing if its answer got lost.
    fn attempt<T>(
        &mut self,
        name: &'static str,
        read: &impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<Option<T>, ClientError> {
        // For the answer and for what has to be thrown away: whoever talks without end is left.
        let deadline = Instant::now() + self.retry_policy().each;
        self.line.write_all(&self.wire)?;
        self.line.flush()?;
        match self.answer(deadline, read)? {
            Answer::Value(value) => Ok(Some(value)),
            Answer::Refused(error) => Err(error.into()),
            Answer::Foreign => Err(ClientError::Protocol { request: name }),
            Answer::Started => Err(ClientError::Restarted { request: name }),
            Answer::Lost => {
                self.drain(deadline)?;
                Ok(None)
            }
        }
    }

    fn answer<T>(
        &mut self,
        deadline: Instant,
        read: &impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<Answer<T>, ClientError> {
        let sent: Vec<u8> = self
            .wire
            .iter()
            .copied()
            .filter(|&byte| byte != 0)
            .collect();
        while let Some(byte) = self.next_byte(deadline)? {
            let over = self.is_over(deadline);
            let packet = match self.receiver.push(byte) {
                Received::Nothing if over => break,
                Received::Nothing => continue,
                // A line may bring back what was sent.
                Received::Whole(encoded) if *encoded == *sent => continue,
                Received::Whole(encoded) => Packet::decode(encoded),
                Received::Overlong => Err(PacketError::TooLong),
            };
            // A damaged packet may have been the answer: ask again, which costs little.
            let Ok(packet) = packet else {
                return Ok(Answer::Lost);
            };
            let mine = packet.sequence == self.sequence;
            self.met |= mine;
            if mine {
                self.unknown = None;
            }
            match packet.body::<Response<'_>>() {
                Ok(Response::Error(DeviceError::Malformed)) if packet.sequence == 0 => {
                    return Ok(Answer::Lost);
                }
                // Before its first answer it may just have been switched on, and the request waits.
                Ok(Response::Started) if packet.sequence == 0 => {
                    if std::mem::take(&mut self.met) {
                        return Ok(Answer::Started);
                    }
                }
                Ok(_) | Err(_) if !mine => {}
                Ok(Response::Error(DeviceError::Malformed)) | Err(_) => {
                    return Ok(Answer::Foreign);
                }
                Ok(Response::Error(error)) => return Ok(Answer::Refused(error)),
                Ok(response) => return Ok(read(response).map_or(Answer::Foreign, Answer::Value)),
            }
        }
        Ok(Answer::Lost)
    }

    /// Throws away what comes until the line is quiet: answers to noise, and perhaps the one that
    /// is asked for again.
    fn drain(&mut self, deadline: Instant) -> io::Result<()> {
        self.pending.0 = self.pending.1;
        while Instant::now() < deadline && self.fill()? {
            self.pending.0 = self.pending.1;
        }
        self.receiver = Receiver::new();
        Ok(())
    }

    /// The next byte; none when the deadline has passed and all that was there was looked at.
    fn next_byte(&mut self, deadline: Instant) -> io::Result<Option<u8>> {
        while self.pending.0 == self.pending.1 {
            if !self.fill()? && self.is_over(deadline) {
                return Ok(None);
            }
        }
        self.pending.0 += 1;
        Ok(Some(self.pending.2[self.pending.0 - 1]))
    }

    /// Whether the deadline has passed and all that was there was looked at.
    fn is_over(&self, deadline: Instant) -> bool {
        self.pending.0 == self.pending.1 && Instant::now() >= deadline
    }

    /// Reads bytes to look at, in place of the last; whether some came.
    fn fill(&mut self) -> io::Result<bool> {
        let (start, end, buffer) = &mut self.pending;
        match self.line.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                (*start, *end) = (0, count);
                if let Some(Heard(heard)) = &mut self.unknown {
                    *heard = true;
                }
                Ok(true)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted
                | io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut => Ok(false),
                _ => Err(error),
            },
        }
    }
}

/// Whether anything came over a line.
#[derive(Debug, Clone, Copy)]
struct Heard(bool);

/// Attempts in a row that came to nothing.
struct Lost {
    count: u32,
    since: Instant,
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            count: 0,
            since: Instant::now(),
        }
    }
}

impl Lost {
    /// Counts one more; whether it was the last.
    fn give_up(&mut self, RetryPolicy { each, attempts }: RetryPolicy) -> bool {
        self.count += 1;
        self.count >= attempts && self.since.elapsed() >= attempts * each
    }
}

/// What came of one attempt.
enum Answer<T> {
    Value(T),
    Refused(DeviceError),
    /// An answer that this program does not understand.
    Foreign,
    /// The device was restarted.
    Started,
    /// Nothing, or something damaged.
    Lost,
}

pub(super) fn done(response: Response<'_>) -> Option<()> {
    (response == Response::Done).then_some(())
}

pub(super) fn enrolled(response: Response<'_>) -> Option<Enrolled> {
    match response {
        Response::Enrolled {
            id,
            shots,
            overwritten,
            quality,
            pose,
        } => Some(Enrolled {
            id,
            shots,
            overwritten,
            quality,
            pose,
        }),
        _ => None,
    }
}

fn head(response: Response<'_>) -> Option<Head> {
    match response {
        Response::Head(head) => Some(head),
        _ => None,
    }
}
