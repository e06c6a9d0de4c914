//! Topics of Sparkplug B: `spBv1.0/GROUP/KIND/NODE[/DEVICE]`, and the state of host applications.

/// What all topics begin with.
const NAMESPACE: &str = "spBv1.0";

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An edge node begins, with all its metrics.
    NodeBirth,
    /// It is gone.
    NodeDeath,
    /// Something changed.
    NodeData,
    /// It is asked for something.
    NodeCommand,
    /// A device of it begins, with all its metrics.
    DeviceBirth,
    /// It is gone.
    DeviceDeath,
    /// Something changed.
    DeviceData,
    /// It is asked for something.
    DeviceCommand,
}

impl Kind {
    const ALL: [(Self, &str); 8] = [
        (Self::NodeBirth, "NBIRTH"),
        (Self::NodeDeath, "NDEATH"),
        (Self::NodeData, "NDATA"),
        (Self::NodeCommand, "NCMD"),
        (Self::DeviceBirth, "DBIRTH"),
        (Self::DeviceDeath, "DDEATH"),
        (Self::DeviceData, "DDATA"),
        (Self::DeviceCommand, "DCMD"),
    ];

    /// The word for it in a topic.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, _)| *kind == self);
        found.map_or("", |(_, word)| word)
    }
}

/// An edge node: a station.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Its group, such as a hall.
    pub group: String,
    /// Its name.
    pub name: String,
}

impl Node {
    /// The topic of its own messages, or its device's.
    #[must_use]
    pub fn topic(&self, kind: Kind, device: Option<&str>) -> String {
        let (Self { group, name }, word) = (self, kind.word());
        match device {
            Some(device) => format!("{NAMESPACE}/{group}/{word}/{name}/{device}"),
            None => format!("{NAMESPACE}/{group}/{word}/{name}"),
        }
    }
}

/// A topic taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What the message is.
    pub kind: Kind,
    /// Of or for whom.
    pub node: Node,
    /// Its device.
    pub device: Option<String>,
}

impl Topic {
    /// Takes a topic apart; none of another form.
    #[must_use]
    pub fn parse(topic: &str) -> Option<Self> {
        let mut words = topic.split('/');
        let mut word = || words.next();
        (word()? == NAMESPACE).then_some(())?;
        let (group, kind, name, device) = (word()?, word()?, word()?, word());
        let (kind, _) = *Kind::ALL.iter().find(|(_, word)| *word == kind)?;
        let of_device = matches!(
            kind,
            Kind::DeviceBirth | Kind::DeviceDeath | Kind::DeviceData | Kind::DeviceCommand
        );
        let whole = words.next().is_none() && device.is_some() == of_device;
        whole.then(|| Self {
            kind,
            node: Node {
                group: group.to_owned(),
                name: name.to_owned(),
            },
            device: device.map(str::to_owned),
        })
    }
}

/// The topic on which a host application says whether it is there.
#[must_use]
pub fn state(host: &str) -> String {
    format!("{NAMESPACE}/STATE/{host}")
}

/// All topics of a group.
#[must_use]
pub fn all(group: &str) -> String {
    format!("{NAMESPACE}/{group}/#")
}

/// Whether a group, node, device or host can have this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['+', '#', '/', '\0'])
}

/// A name as it can stand in a topic: what cannot is an underscore.
#[must_use]
pub fn name(name: &str) -> String {
    name.replace(['+', '#', '/', '\0'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_as_they_are_written_and_no_others() {
        let node = Node {
            group: "hall".to_owned(),
            name: "line 1".to_owned(),
        };
        let birth = node.topic(Kind::DeviceBirth, Some("press"));
        assert_eq!(birth, "spBv1.0/hall/DBIRTH/line 1/press");
        let read = Topic::parse(&birth).unwrap();
        assert_eq!(
            (read.kind, read.device.as_deref()),
            (Kind::DeviceBirth, Some("press"))
        );
        assert_eq!(read.node, node);
        for wrong in [
            "",
            "spBv1.0/hall",
            "spBv1.0/STATE/host",
            "spBv1.0/hall/DBIRTH/line",
            "spBv1.0/hall/NBIRTH/line/press",
            "spBv1.0/hall/DDATA/line/press/more",
            "spAv1.0/hall/NBIRTH/line",
            "spBv1.0/hall/OTHER/line",
        ] {
            assert_eq!(Topic::parse(wrong), None, "{wrong}");
        }
        assert_eq!(name("a/b#+"), "a_b__");
        assert!(is_name("a b") && !is_name("") && !is_name("a/b"));
    }
}
