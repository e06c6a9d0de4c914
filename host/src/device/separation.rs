//! How well the enrolled classes of a device are told apart.

use std::fmt;
use std::io::{Read, Write};

use serde::Serialize;
use sudal_firmware::protocol::{Request, Response};

use super::answers::Class;
use super::client::{Client, ClientError};

/// Two classes are not told apart where so much of their shots is mistaken.
const MUCH: f64 = 0.2;
/// Shots vary too little where their variance is below this part of what is usual for a class.
const LITTLE: f32 = 0.15;

/// What becomes of the shots of all classes, each left out in turn and asked about as a new picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Separation {
    /// Shots that were asked about: those of classes that have two or more.
    pub shots: u32,
    /// Those that are of their class.
    pub right: u32,
    /// Those that would be of no class.
    pub unknown: u32,
    /// Classes that are mistaken for each other, the worst first.
    pub confused: Vec<Pair>,
    /// Classes whose shots are all but the same picture.
    pub same: Vec<String>,
}

/// Two classes of which shots are mistaken for the other's, or are about as near to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Names of both.
    pub classes: [String; 2],
    /// Shots that are mistaken.
    pub mistaken: u32,
    /// Shots of both that were asked about.
    pub shots: u32,
}

impl Pair {
    fn share(&self) -> f64 {
        f64::from(self.mistaken) / f64::from(self.shots.max(1))
    }
}

/// A sentence a line; nothing where all is well or nothing can be said.
impl fmt::Display for Separation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shots > 0 {
            let Self { right, shots, .. } = self;
            write!(f, "each shot left out in turn: {right} of {shots} right")?;
            if self.unknown > 0 {
                write!(f, ", {} unknown", self.unknown)?;
            }
            writeln!(f)?;
        }
        for pair in &self.confused {
            let Pair {
                classes: [one, other],
                mistaken,
                shots,
            } = pair;
            if pair.share() >= MUCH {
                writeln!(
                    f,
                    "{one} and {other} are not told apart ({mistaken} of {shots})"
                )?;
            } else {
                writeln!(
                    f,
                    "{one} and {other} are sometimes confused ({mistaken} of {shots})"
                )?;
            }
        }
        for name in &self.same {
            writeln!(
                f,
                "the shots of {name} are all but the same: move or turn the part between shots, or others of it \
                 will be unknown"
            )?;
        }
        Ok(())
    }
}

impl Separation {
    /// What concerns one class.
    #[must_use]
    pub fn of(&self, name: &str) -> Self {
        let concerned = |pair: &&Pair| pair.classes.iter().any(|class| class == name);
        Self {
            confused: self.confused.iter().filter(concerned).cloned().collect(),
            same: self
                .same
                .iter()
                .filter(|class| *class == name)
                .cloned()
                .collect(),
            ..*self
        }
    }
}

impl<S: Read + Write> Client<S> {
    /// Has the device leave out each shot of its model's classes in turn, class by class.
    ///
    /// # Errors
    /// That there is no model, or the store can't be used.
    pub fn separation(&mut self) -> Result<Separation, ClientError> {
        let model = self.info()?.model.ok().map(|model| model.id);
        let mut classes = self.list()?;
        classes.retain(|class| Some(class.model) == model);
        let mut all = Separation::default();
        let mut counted: Vec<(u8, u8)> = Vec::new();
        let mut mistaken: Vec<(u8, u8, u32)> = Vec::new();
        for class in &classes {
            let request = Request::LeaveOneOut { id: class.id };
            let left_out = self.call("leave-one-out", &request, |response| match response {
                Response::LeftOut(left_out) => Some(left_out),
                _ => None,
            })?;
            counted.push((class.id, left_out.shots));
            all.shots += u32::from(left_out.shots);
            all.unknown += u32::from(left_out.unknown);
            for confused in &left_out.confused {
                let shots = u32::from(confused.shots);
                let (one, other) = (class.id.min(confused.class), class.id.max(confused.class));
                match mistaken.iter_mut().find(|m| (m.0, m.1) == (one, other)) {
                    Some(pair) => pair.2 += shots,
                    None => mistaken.push((one, other, shots)),
                }
            }
            if left_out.variety.is_some_and(|variety| variety < LITTLE) {
                all.same.push(class.name.clone());
            }
        }
        let wrong: u32 = mistaken.iter().map(|(.., shots)| shots).sum();
        all.right = all.shots.saturating_sub(all.unknown + wrong);
        let shots = |id: u8| {
            let of = counted.iter().find(|(other, _)| *other == id);
            of.map_or(0, |(_, shots)| u32::from(*shots))
        };
        all.confused = mistaken
            .into_iter()
            .map(|(one, other, mistaken)| Pair {
                classes: [one, other].map(|id| name(&classes, id)),
                mistaken,
                shots: shots(one) + shots(other),
            })
            .collect();
        all.confused.sort_by(|a, b| b.share().total_cmp(&a.share()));
        Ok(all)
    }
}

fn name(classes: &[Class], id: u8) -> String {
    let class = classes.iter().find(|class| class.id == id);
    class.map_or_else(|| format!("class {id}"), |class| class.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_sentences_the_worst_first() {
        let pair = |one: &str, other: &str, mistaken, shots| Pair {
            classes: [one, other].map(str::to_owned),
            mistaken,
            shots,
        };
        let all = Separation {
            shots: 30,
            right: 25,
            unknown: 1,
            confused: vec![pair("crack", "free", 3, 10), pair("crack", "dent", 1, 20)],
            same: vec!["dent".to_owned()],
        };
        let text = all.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            "each shot left out in turn: 25 of 30 right, 1 unknown"
        );
        assert_eq!(lines[1], "crack and free are not told apart (3 of 10)");
        assert_eq!(lines[2], "crack and dent are sometimes confused (1 of 20)");
        assert!(lines[3].starts_with("the shots of dent are all but the same"));
        let free = all.of("free");
        assert_eq!((free.confused.len(), free.same.len()), (1, 0));
        assert_eq!(Separation::default().to_string(), "");
    }
}
