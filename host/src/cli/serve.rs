//! `sudal serve`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use sudal::data::{folder, parts, surfaces};
use sudal::device::{self, BoardError, LockKey};
use sudal::serve::{
    Address, Broker, Clock, DeviceOptions, FrameSource, Keep, Options, Playback, Tls, Token,
    Webcam, own_address, qr_of_letters,
};

use super::data::{Kind, generator, say_if_named_as_a_generator};
use super::device::{BoardArgs, Where, hold, serial_port};
use super::interrupt::stop;
use super::model;
use super::output::Output;
use super::users;

mod sparkplug;

/// Side of the generators' frames, in pixels; the emulated board's camera holds as many.
const SIDE: u32 = 160;
/// Classes that the generators show, and frames of each before it comes again from the first.
const CLASSES: usize = 6;
const FRAMES: usize = 1000;
/// From Ctrl-C to the end of the process, whatever is blocked.
const LONGEST_END: Duration = Duration::from_secs(12);

/// Serve a page to watch the board and teach it in a browser.
///
/// Prints the address of the page and serves until Ctrl-C. The address ends in a token: with it the
/// page can teach, rename, remove and undo, without it only watch. Decisions are kept in a log, with
/// small pictures, and are on the disk before anybody is told of them; the page gives the log as CSV
/// and the shift as a report to print. The page shows, and counts frames by, the stable decision over
/// the last ones (sudal decide); the log, the CSV and the broker get each frame's own, too. /metrics has figures for Prometheus.
///
/// Browsers are let in from this computer only, unless --listen says otherwise; with --tls or --cert
/// nobody on the way can read along, with --users nobody watches who was not added by sudal users.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal serve --model parts
      synthetic parts pass before a board in this process; open the page and teach it
  sudal serve --source pictures/ --interval 500
      a folder of pictures, two a second, before the host's board
  sudal serve --model parts --source webcam
      what this computer's camera sees, before a board in this process
  sudal serve --device name=press,board=host,dir=press --device name=lathe,source=synthetic:surfaces
      two devices, each with a tab; what is not said is as for one
  sudal serve --port /dev/ttyACM0 --source camera
      what a board at a serial port sees; --listen says where browsers connect
  sudal serve --listen 0.0.0.0:8420 --token-file token --mqtt mqtt://broker/hall/line1
      for the whole network, with the token kept, decisions published too
  sudal serve --model parts --listen 0.0.0.0:8420 --tls --users
      for phones and other computers, each with a name and a password")]
pub(crate) struct Args {
    /// A device: name=NAME and, if they differ from the options beside, board=BOARD, dir=DIR,
    /// port=PORT, key=FILE, source=SOURCE, seed=N, separated by commas. Give it once for each device;
    /// each is a board of its own.
    #[arg(long = "device", value_name = "KEY=VALUE,...")]
    devices: Vec<String>,
    #[command(flatten)]
    board: BoardArgs,
    /// Put this model on each board first, one that comes with sudal or a model image; what was taught to
    /// it with this model stays.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// What the boards see: synthetic:parts or synthetic:surfaces from the generators (parts and
    /// surfaces for short, where no folder is called so), a folder or zip of PNG, JPEG, BMP, TIFF or WebP
    /// pictures, one after another and then again, webcam or a device such as /dev/video0 for a camera
    /// of this computer (Linux), or camera for what a board's own camera sees.
    #[arg(
        long,
        default_value = "synthetic:parts",
        value_name = "synthetic:parts|synthetic:surfaces|PATH|webcam|camera"
    )]
    source: String,
    /// Size that a webcam is asked for; it may give another, and what the board has no room for is
    /// made smaller.
    #[arg(long, default_value = "640x480", value_name = "WIDTHxHEIGHT", value_parser = size)]
    webcam_size: (u32, u32),
    /// Seed of the generators' parts.
    #[arg(long, default_value_t = 3)]
    seed: u64,
    /// Frames of a generator's part before the next one comes.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    dwell: u32,
    /// Milliseconds from one frame to the next.
    #[arg(long, default_value_t = 1000, value_name = "MS", value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    interval: u64,
    /// Address and port for browsers.
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// A name under which browsers may ask for the page, beside localhost and addresses.
    #[arg(long = "host-name", value_name = "NAME")]
    host_names: Vec<String>,
    /// Speak TLS alone (https), with a certificate that is made once and kept in the user's state folder.
    /// Browsers ask once whether it is trusted; a phone's camera needs it.
    #[arg(long)]
    tls: bool,
    /// Speak TLS with this certificate, and those of its chain after it, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// The key of --cert, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
    /// File with the token, made if there is none [default: a new token at each start].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let in who is in a file of users alone [default: in the user's state folder]; see sudal users.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    users: Option<Option<PathBuf>>,
    /// File of the log of decisions [default: in the user's state folder].
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Keep a damaged log under another name and continue with a new one, at the start or later.
    #[arg(long)]
    replace_damaged_log: bool,
    /// Days that decisions are kept: days that the log was open; between two times that it was, a day
    /// at most counts, as the clock may be wrong.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: u32,
    /// Megabytes of decisions and pictures that are kept; the oldest go first. The file may take twice
    /// as much.
    #[arg(long, default_value_t = 1024, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    keep_mb: u64,
    /// Answer a PLC by Modbus TCP there, without a password: verdicts, counters and a trigger in the
    /// registers that the page about PLCs lists.
    #[arg(long, value_name = "ADDRESS:PORT")]
    modbus: Option<SocketAddr>,
    #[command(flatten)]
    sparkplug: sparkplug::Args,
    /// Publish decisions, too: mqtt://[user:password@]host[:port]/topic, or mqtts:// for TLS, with %23
    /// for # and so on in name and password. While the broker is away they wait in the log.
    #[arg(long, value_name = "URL", env = "SUDAL_MQTT", hide_env_values = true)]
    mqtt: Option<String>,
    /// Certificates (PEM) of who vouches for the broker of mqtts://, of --mqtt and of --sparkplug.
    #[arg(long, value_name = "FILE.pem")]
    broker_ca: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let ca = args.broker_ca.as_deref();
    let broker = args.mqtt.as_deref().map(str::parse::<Broker>).transpose()?;
    let broker = broker.map(|broker| broker.trusting(ca)).transpose()?;
    let token = match &args.token_file {
        Some(path) => {
            Token::open(path).with_context(|| format!("the token file {}", path.display()))?
        }
        None => Token::random(),
    };
    let devices = if args.devices.is_empty() {
        vec![args.device(&args.board.name()?, &BTreeMap::new(), output)?]
    } else {
        let named = args.devices.iter().map(|text| {
            let pairs = pairs(text)?;
            let Some(name) = pairs.get("name") else {
                bail!("--device {text:?} has no name=NAME");
            };
            args.device(name, &pairs, output)
        });
        named.collect::<Result<Vec<_>, _>>()?
    };
    if let Some(path) = &args.model {
        let image = model::read(path)?;
        for device in &devices {
            output.step(format!("{}: flashing {}", device.name, path.display()));
            device::open_at(&device.board, &device.dir, device.port.as_deref())?
                .flash(&image, &mut |step| output.step(step))
                .with_context(|| format!("flashing {}", path.display()))?;
        }
    }
    let log = args.log.clone();
    let log = log.unwrap_or_else(|| device::state_dir("serve").join("log.redb"));
    let tls = args.tls()?;
    let certificate = tls.as_ref().map(|tls| tls.certificate().to_owned());
    let options = Options {
        listen: args.listen,
        host_names: args.host_names.clone(),
        token: token.clone(),
        users: args
            .users
            .as_ref()
            .map(|file| file.clone().unwrap_or_else(users::usual_file)),
        tls,
        log: log.clone(),
        keep: Keep {
            days: args.keep_days,
            bytes: args.keep_mb << 20,
        },
        replace_damaged_log: args.replace_damaged_log,
        clock: Clock::default(),
        mqtt: broker,
        sparkplug: args.sparkplug.options(ca)?,
        modbus: args.modbus,
        devices,
    };
    let ready = |address: &Address| {
        let fragment = match args.users {
            // Whoever is no user has no need of a token.
            Some(_) => String::new(),
            None => format!("#token={}", token.as_str()),
        };
        let watch = address.here();
        let teach = format!("{watch}{fragment}");
        let phone = address.elsewhere().map(|url| format!("{url}{fragment}"));
        let mut text = match args.users {
            Some(_) => format!("sign in: {watch}"),
            None => format!("watch and teach: {teach}\nwatch only:      {watch}"),
        };
        if let Some(phone) = &phone {
            let code = qr_of_letters(phone).unwrap_or_default();
            text.push_str(&format!("\nfrom elsewhere:  {phone}\n{code}"));
        }
        if let Some(certificate) = &certificate {
            text.push_str(&format!("\ncertificate: {}", certificate.display()));
        }
        text.push_str(&format!("\nlog: {}; Ctrl-C ends", log.display()));
        let result = serde_json::json!({
            "teach": teach,
            "watch": watch,
            "elsewhere": phone,
            "certificate": certificate,
            "log": log,
        });
        // Whoever reads it may have closed the pipe; the page is served all the same.
        let _ = output.result(&result, text);
    };
    sudal::serve::serve(options, ready, stop(LONGEST_END)?)?;
    output.step("stopped; the log is whole");
    Ok(())
}

impl Args {
    /// The certificate that is given, or one that is made and kept.
    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        if let (Some(certificate), Some(key)) = (&self.cert, &self.cert_key) {
            return Ok(Some(Tls::open(certificate, key)?));
        }
        if !self.tls {
            return Ok(None);
        }
        let mut names = ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec();
        names.extend(self.host_names.iter().cloned());
        names.extend(own_address().map(|ip| ip.to_string()));
        let ip = self.listen.ip();
        if !ip.is_unspecified() && !names.contains(&ip.to_string()) {
            names.push(ip.to_string());
        }
        Ok(Some(Tls::kept(
            &device::state_dir("serve").join("tls"),
            &names,
        )?))
    }

    fn device(
        &self,
        name: &str,
        pairs: &BTreeMap<&str, &str>,
        output: &Output,
    ) -> anyhow::Result<DeviceOptions> {
        let mut args = self.board.clone();
        if ["board", "dir"].iter().any(|key| pairs.contains_key(key)) {
            args.port = None;
        }
        if let Some(port) = pairs.get("port") {
            args.port = Some(serial_port(port).map_err(anyhow::Error::msg)?);
        }
        if let Some(board) = pairs.get("board") {
            args.board = Some((*board).to_owned());
        }
        let (board, port) = match args.place()? {
            Where::Folder(name) => (name, None),
            Where::Port(kind, port) => (kind.name().to_owned(), port),
        };
        let board = board.as_str();
        let dir = match (pairs.get("dir"), &self.board.board_dir) {
            (Some(dir), _) => PathBuf::from(dir),
            (None, Some(dir)) if !pairs.contains_key("name") => dir.clone(),
            // Two boards must not share a flash.
            (None, Some(dir)) => dir.join(name),
            (None, None) if !pairs.contains_key("name") => device::state_dir(board),
            (None, None) => device::state_dir(board).join(name),
        };
        // A wrong name of a board is told now, and that another program has it.
        let mut opened = device::open_at(board, &dir, port.as_deref())?;
        match hold(opened.as_mut()) {
            // It may be plugged in later.
            Err(BoardError::NoPort | BoardError::Port { .. }) => {}
            held => drop(held?),
        }
        let key = match pairs.get("key") {
            Some(path) => Some(LockKey::open(Path::new(path))?),
            None => self.board.lock_key()?,
        };
        let seed = match pairs.get("seed") {
            Some(seed) => seed.parse().context("seed=N in --device")?,
            None => self.seed,
        };
        let source = pairs.get("source").copied().unwrap_or(&self.source);
        Ok(DeviceOptions {
            name: name.to_owned(),
            board: board.to_owned(),
            dir,
            port,
            key,
            source: self.source(source, seed, output)?,
            interval: Duration::from_millis(self.interval),
        })
    }

    fn source(&self, source: &str, seed: u64, output: &Output) -> anyhow::Result<FrameSource> {
        let dwell = Some(self.dwell as usize);
        let generated = |dataset: fn(u64, usize, usize, (u32, u32)) -> _, family: u64| {
            let family = family as usize;
            let all = dataset(seed, CLASSES * family, FRAMES, (SIDE, SIDE));
            let classes: Vec<usize> = (0..CLASSES).map(|class| class * family).collect();
            sudal::data::Dataset::subset(&all, &classes)
        };
        if let Some(kind) = generator(source) {
            let data = match kind {
                Kind::Surfaces => generated(surfaces::dataset, 1),
                _ => generated(parts::dataset, parts::FAMILY),
            };
            return Ok(FrameSource::Playback(Playback::new(data, dwell)));
        }
        Ok(match source {
            "camera" => FrameSource::Camera,
            "webcam" => FrameSource::Webcam(Webcam::first(self.webcam_size)?),
            device if device.starts_with("/dev/") => {
                FrameSource::Webcam(Webcam::open(Path::new(device), self.webcam_size)?)
            }
            path => {
                let path = Path::new(path);
                if !path.exists() {
                    bail!(
                        "{} does not exist: give synthetic:parts, synthetic:surfaces, webcam, camera, a folder or a zip to --source",
                        path.display()
                    );
                }
                say_if_named_as_a_generator(path, output);
                let (data, found) = folder::open_loose(path)?;
                output.step(format!("{}: {found}", path.display()));
                FrameSource::Playback(Playback::new(data, None))
            }
        })
    }
}

/// `640x480`.
fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text
        .split_once('x')
        .map(|(width, height)| (width.parse(), height.parse()));
    match sides {
        Some((Ok(width @ 1..=8192), Ok(height @ 1..=8192))) => Ok((width, height)),
        _ => Err("a size is WIDTHxHEIGHT in pixels, such as 640x480".to_owned()),
    }
}

/// `key=value,key=value`.
fn pairs(text: &str) -> anyhow::Result<BTreeMap<&str, &str>> {
    const KEYS: [&str; 7] = ["name", "board", "dir", "port", "key", "source", "seed"];
    let mut pairs = BTreeMap::new();
    for pair in text.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            bail!("--device takes KEY=VALUE pairs, {pair:?} is none");
        };
        if !KEYS.contains(&key) {
            bail!(
                "--device does not know {key:?}; known are {}",
                KEYS.join(", ")
            );
        }
        pairs.insert(key, value);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(size("1280x720"), Ok((1280, 720)));
        for wrong in ["", "640", "640x", "0x480", "640x480x3", "640x9999999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_device_is_told_by_pairs() {
        let pairs = pairs("name=press 1,board=host,dir=/a=b").unwrap();
        assert_eq!(pairs["name"], "press 1");
        assert_eq!(pairs["dir"], "/a=b");
        for wrong in ["", "name", "name=a,color=red"] {
            assert!(super::pairs(wrong).is_err(), "{wrong}");
        }
    }
}
