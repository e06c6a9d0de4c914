//! The commands that set how a board decides, and how decisions read.

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sudal::device::{
    Basis, Decision, DecisionConfig, DecisionError, DriftInfo, Enrolled, Filter, Fit, Outcome,
    Quality, Region, Role,
};

use super::align;
use super::device::BoardArgs;
use super::names::name;
use super::openset;
use super::output::Output;

/// Say what a class stands for: good, a defect, or neither.
///
/// With a good class, a picture is OK, a known defect, or unknown, which then is not OK either. The
/// board keeps it with the class.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal role gear good
  sudal role \"gear, broken tooth\" defect")]
pub(crate) struct SetRole {
    /// Name of the class.
    name: String,
    /// Its role from now on.
    #[arg(value_parser = role_parser())]
    role: Role,
    #[command(flatten)]
    board: BoardArgs,
}

impl SetRole {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect_to_change()?;
        let id = c.client.find(&self.name)?;
        c.client.set_role(id, self.role)?;
        output.result(
            &serde_json::json!({ "id": id, "role": self.role }),
            format!("{} is {}", self.name, self.role.name()),
        )
    }
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name)).map(|name| {
        let named = Role::ALL.into_iter().find(|role| role.name() == name);
        named.unwrap_or_default()
    })
}

/// Choose how much is rejected, and how many frames must agree.
///
/// A picture that is farther from its class than is usual is called unknown; that also happens to some
/// pictures of the class itself, and --rate says to how many. On a line several frames show one part:
/// the stable decision changes when enough of the last ones agree. Without an option it says how the
/// board decides now.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal decide --rate 1            1 % of known pictures may be called unknown
  sudal decide --frames 5 --agree 4
  sudal decide")]
pub(crate) struct Decide {
    /// Of 100 pictures of known classes, how many may be called unknown: 0.1 to 20.
    #[arg(long, value_name = "PERCENT")]
    rate: Option<f64>,
    /// Last frames that a stable decision looks at, 1 to 16.
    #[arg(long, requires = "agree")]
    frames: Option<u8>,
    /// How many of them have to agree before it changes, more than half.
    #[arg(long, requires = "frames")]
    agree: Option<u8>,
    #[command(flatten)]
    board: BoardArgs,
}

impl Decide {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        // Both are looked at before either is changed.
        let rate = self.rate.map(openset::rate).transpose()?;
        let filter = self.frames.zip(self.agree);
        let filter = filter.map(|(window, agree)| Filter { window, agree });
        if filter.is_some_and(|filter| !filter.is_sound()) {
            return Err(DecisionError::Filter.into());
        }
        let mut c = self.board.connect()?;
        if rate.is_some() || filter.is_some() {
            c.unlock(&self.board)?;
        }
        if let Some(rate) = rate {
            c.client.set_rate(rate.parts())?;
        }
        if let Some(filter) = filter {
            c.client.set_filter(filter)?;
        }
        let info = c.client.info()?;
        let json = serde_json::to_value(&info)?;
        output.result(&json["deciding"], describe(&info.decision_config))
    }
}

/// Make up for a change of light or camera.
///
/// Embeddings are shifted by how far they have drifted. Classify some different known parts first; `sudal info` says how many counted. The board keeps the
/// shift in flash, for this model. What drifted far takes two rounds.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal recenter")]
pub(crate) struct Recenter {
    /// Shift no more.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Recenter {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect_to_change()?;
        if self.undo {
            c.client.uncenter()?;
        } else {
            c.client.recenter()?;
        }
        let text = if self.undo {
            "embeddings are as the model makes them"
        } else {
            "embeddings are shifted by how far they have drifted"
        };
        output.result(&serde_json::json!({ "recentered": !self.undo }), text)
    }
}

/// Choose the part of each frame that is looked at.
///
/// Of a frame or region of other proportions than the model's input, the largest centred part of its
/// proportions is looked at, so that no shape changes, and what is beside it is not; --squeeze looks at
/// all of it, squeezed to those proportions. A region that reaches out of the frame that the camera has
/// now is refused. The board keeps both; a frame that does not hold the region is not classified. Enrol
/// again afterwards: classes look otherwise in another region.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal region 16 8 48 48
  sudal region whole
  sudal region whole --squeeze")]
pub(crate) struct SetRegion {
    /// Left, top, width and height in pixels, or `whole`.
    #[arg(required = true, num_args = 1..=4, value_name = "PIXELS")]
    region: Vec<String>,
    /// Squeeze all of it to the proportions of the model's input.
    #[arg(long)]
    squeeze: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl SetRegion {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let region = region(&self.region)?;
        let fit = if self.squeeze {
            Fit::Squeeze
        } else {
            Fit::Crop
        };
        let mut c = self.board.connect_to_change()?;
        c.client.set_region(region)?;
        c.client.set_fit(fit)?;
        let mut text = shown(region, fit);
        if let Some(Region {
            left,
            top,
            width,
            height,
        }) = region
        {
            let [columns, rows] =
                [(left, width), (top, height)].map(|(a, b)| u32::from(a) + u32::from(b));
            text.push_str(&format!(
                "; frames have to have {columns}x{rows} pixels at least"
            ));
        }
        output.result(
            &serde_json::json!({ "region": region, "fit": fit.name() }),
            text,
        )
    }
}

fn region(words: &[String]) -> anyhow::Result<Option<Region>> {
    if let [word] = words
        && word == "whole"
    {
        return Ok(None);
    }
    let numbers: Vec<u16> = words.iter().filter_map(|word| word.parse().ok()).collect();
    match (&numbers[..], words.len()) {
        (&[left, top, width, height], 4) => Ok(Some(Region {
            left,
            top,
            width,
            height,
        })),
        _ => bail!("a region is `whole`, or four numbers: left, top, width and height in pixels"),
    }
}

fn shown(region: Option<Region>, fit: Fit) -> String {
    let of = match region {
        None => "the frame".to_owned(),
        Some(r) => format!(
            "the {}x{} pixels from column {}, row {}",
            r.width, r.height, r.left, r.top
        ),
    };
    match fit {
        Fit::Crop => format!(
            "looked at is the largest centred part of {of} that has the model's proportions"
        ),
        Fit::Squeeze => format!("looked at is all of {of}, squeezed to the model's proportions"),
    }
}

/// How a device decides, in a few lines.
pub(super) fn describe(config: &DecisionConfig) -> String {
    let basis = match config.basis {
        Basis::Calibration => "thresholds from the image's calibration",
        Basis::Shots => "thresholds from the enrolled shots alone: the image has no calibration",
        Basis::Nothing => "no threshold yet: too few shots, and the image has no calibration",
    };
    let mut text = format!(
        "rejects {} % of known pictures; {basis}; stable when {} of {} frames agree; {}; {}",
        f64::from(config.rate.parts()) / 100.0,
        config.filter.agree,
        config.filter.window,
        shown(config.region, config.fit),
        align::shown(config.alignment)
    );
    if config.recentered {
        text.push_str("; embeddings are re-centred");
    }
    text.push_str(&format!("\n{}", drift(&config.drift)));
    text
}

fn drift(drift: &DriftInfo) -> String {
    match drift.score {
        None => format!("drift: too few different frames yet ({})", drift.frames),
        Some(score) if drift.warning => format!(
            "drift: WARNING, light or camera have changed ({score:.2} after {} frames): mend that, enrol again or `sudal recenter`",
            drift.frames
        ),
        Some(score) => format!("drift: {score:.2} after {} frames", drift.frames),
    }
}

/// `OK: gear`, `NOT OK: gear, broken tooth`, `UNKNOWN`, `TOO CLOSE TO CALL`, or the class.
fn outcome(outcome: Outcome, names: &[(u8, String)]) -> String {
    match outcome {
        Outcome::Class(id) => name(names, id).to_owned(),
        Outcome::Good(id) => format!("OK: {}", name(names, id)),
        Outcome::Defect(id) => format!("NOT OK: {}", name(names, id)),
        Outcome::Flawed(id) => format!("NOT OK: {}, with a flaw", name(names, id)),
        Outcome::Unknown => "UNKNOWN".to_owned(),
        Outcome::Unclear => "TOO CLOSE TO CALL".to_owned(),
    }
}

/// What was decided, in a few words.
pub(super) fn describe_decision(decision: &Decision, names: &[(u8, String)]) -> String {
    outcome(decision.outcome, names)
}

/// Why, and what the last frames together say, in one line; empty if there is nothing to say.
pub(super) fn reasons(decision: &Decision, names: &[(u8, String)]) -> String {
    let mut parts = Vec::new();
    if let Some(novelty) = decision.novelty {
        let of = decision.threshold.map(|t| format!(" of {t:.2}"));
        parts.push(format!("novelty {novelty:.2}{}", of.unwrap_or_default()));
    }
    if let Some(stable) = decision.stable.outcome {
        parts.push(format!("stable: {}", outcome(stable, names)));
    }
    if decision.drift.warning {
        parts.push("(light or camera have changed: see `sudal info`)".to_owned());
    }
    parts.join("  ")
}

/// How a shot fits, in one line.
pub(super) fn quality(enrolled: &Enrolled, names: &[(u8, String)]) -> String {
    let Quality {
        own,
        other,
        other_novelty,
        ratio,
        threshold,
        ..
    } = enrolled.quality;
    let mut words = Vec::new();
    if let Some(own) = own {
        let of = threshold.map_or(String::new(), |t| format!(" of {t:.2}"));
        words.push(format!("novelty to its class {own:.2}{of}"));
    }
    if let Some(other) = other {
        let novelty = other_novelty.map_or(String::new(), |n| format!(" {n:.2}"));
        let ratio = ratio.map_or(String::new(), |r| format!(", ratio {r:.2}"));
        words.push(format!(
            "nearest other {}{novelty}{ratio}",
            name(names, other)
        ));
    }
    words.join(", ")
}
