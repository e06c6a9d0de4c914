//! What a host application knows of stations and boards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::payload::{Payload, Value};
use super::topic::{Kind, Node, Topic};

/// What was last said by name.
type Values = BTreeMap<String, Value>;

/// A station.
#[derive(Debug, Clone, Default)]
pub struct Station {
    /// Whether it is there.
    pub online: bool,
    /// When it was heard of last, in milliseconds since 1970.
    pub seen: u64,
    /// Its boards by name.
    pub boards: BTreeMap<String, Board>,
    /// Messages that were missing, by their numbers.
    pub gaps: u64,
    birth: Option<u64>,
    seq: Option<u64>,
    values: Values,
}

/// A board.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Whether it answers its station.
    pub up: bool,
    /// When it was heard of last, in milliseconds since 1970.
    pub seen: u64,
    values: Values,
}

/// All that was heard of.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// The stations.
    pub stations: BTreeMap<Node, Station>,
}

/// A board in a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its group.
    pub group: String,
    /// Its station.
    pub station: String,
    /// Its name.
    pub board: String,
    /// Whether both are there.
    pub online: bool,
    /// Kind of the board.
    pub kind: String,
    /// Name of the model, and its identity.
    pub model: String,
    /// Identity of the model.
    pub model_id: String,
    /// Version of the firmware.
    pub firmware: String,
    /// Version of the station's program.
    pub sudal: String,
    /// When it was heard of last, in milliseconds since 1970.
    pub seen: u64,
    /// Parts of the shift.
    pub parts: u64,
    /// Share of them that were like nothing that was taught, in percent; none of no parts.
    pub unknown_percent: Option<f64>,
    /// Share of them that passed, in percent; none of no parts.
    pub yield_percent: Option<f64>,
}

impl Board {
    /// A number.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        match self.values.get(name) {
            Some(Value::Long(n)) => *n,
            Some(Value::Int(n)) => u64::from(*n),
            _ => 0,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        text(&self.values, name)
    }
}

fn text<'a>(values: &'a Values, name: &str) -> &'a str {
    match values.get(name) {
        Some(Value::String(text)) => text,
        _ => "",
    }
}

impl Fleet {
    /// A message that came at `now`. Whether its station has to be asked for its birth: what it said
    /// before was missed.
    pub fn hear(&mut self, topic: &Topic, payload: &Payload, now: u64) -> bool {
        if matches!(topic.kind, Kind::NodeCommand | Kind::DeviceCommand) {
            return false;
        }
        let station = self.stations.entry(topic.node.clone()).or_default();
        if topic.kind == Kind::NodeDeath {
            // The will of a connection that another one took the place of says nothing.
            if station.birth.is_none() || station.birth == birth(payload) {
                station.end();
            }
            return false;
        }
        station.seen = now;
        if topic.kind == Kind::NodeBirth {
            station.end();
            station.online = true;
            station.birth = birth(payload);
            station.values.clear();
        }
        let missed = topic.kind != Kind::NodeBirth && !station.follows(payload.seq);
        station.seq = payload.seq;
        let Some(name) = &topic.device else {
            keep(&mut station.values, payload);
            return missed;
        };
        let board = station.boards.entry(name.clone()).or_default();
        board.seen = now;
        match topic.kind {
            Kind::DeviceDeath => board.up = false,
            Kind::DeviceBirth => {
                board.values.clear();
                keep(&mut board.values, payload);
                board.up = board.values.get("Up") != Some(&Value::Boolean(false));
            }
            _ => keep(&mut board.values, payload),
        }
        // Of a board that was not born nothing is known.
        missed || (topic.kind == Kind::DeviceData && !board.values.contains_key("Up"))
    }

    /// From now on nothing is known of who is there.
    pub(super) fn forget(&mut self) {
        self.stations.values_mut().for_each(Station::end);
    }

    /// All boards as a table.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (node, station) in &self.stations {
            for (name, board) in &station.boards {
                let parts = board.count("Counters/Parts");
                let percent = |n: u64| (parts > 0).then(|| n as f64 * 100.0 / parts as f64);
                rows.push(Row {
                    group: node.group.clone(),
                    station: node.name.clone(),
                    board: name.clone(),
                    online: station.online && board.up,
                    kind: board.text("Board").to_owned(),
                    model: board.text("Model/Name").to_owned(),
                    model_id: board.text("Model/Hash").to_owned(),
                    firmware: board.text("Version/Firmware").to_owned(),
                    sudal: text(&station.values, "Version/Sudal").to_owned(),
                    seen: board.seen.max(station.seen),
                    parts,
                    unknown_percent: percent(board.count("Counters/Unknown")),
                    yield_percent: percent(board.count("Counters/OK")),
                });
            }
        }
        rows
    }

    /// A board.
    #[must_use]
    pub fn board(&self, node: &Node, name: &str) -> Option<&Board> {
        let station = self.stations.get(node).filter(|station| station.online)?;
        station.boards.get(name).filter(|board| board.up)
    }
}

impl Station {
    fn end(&mut self) {
        self.online = false;
        self.seq = None;
        for board in self.boards.values_mut() {
            board.up = false;
        }
    }

    /// Whether a message is the next one.
    fn follows(&mut self, seq: Option<u64>) -> bool {
        let next = self.seq.map(|seq| (seq + 1) % 256);
        let right = self.online && seq.is_some() && seq == next;
        self.gaps += u64::from(self.online && !right);
        right
    }
}

fn birth(payload: &Payload) -> Option<u64> {
    match payload.value("bdSeq") {
        Some(Value::Long(n)) => Some(*n),
        Some(Value::Int(n)) => Some(u64::from(*n)),
        _ => None,
    }
}

/// What was so earlier is not how it is.
fn keep(values: &mut Values, payload: &Payload) {
    for metric in &payload.metrics {
        let (Some(name), false) = (&metric.name, metric.is_historical == Some(true)) else {
            continue;
        };
        match &metric.value {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::Metric;
    use super::*;

    fn told(fleet: &mut Fleet, topic: &str, seq: u64, metrics: Vec<Metric>) -> bool {
        let payload = Payload {
            seq: Some(seq),
            ..Payload::of(metrics)
        };
        fleet.hear(&Topic::parse(topic).unwrap(), &payload, 7)
    }

    #[test]
    fn births_make_a_fleet_and_what_was_missed_is_asked_for() {
        let mut fleet = Fleet::default();
        // Nobody knows it yet.
        let uptime = || vec![Metric::long("Uptime", 1)];
        assert!(told(&mut fleet, "spBv1.0/g/NDATA/line", 9, uptime()));
        let birth = |n| vec![Metric::birth(n)];
        assert!(!told(&mut fleet, "spBv1.0/g/NBIRTH/line", 0, birth(4)));
        let board = vec![
            Metric::boolean("Up", true),
            Metric::long("Counters/Parts", 8),
            Metric::long("Counters/OK", 6),
            Metric::string("Verdict", "ok"),
        ];
        assert!(!told(&mut fleet, "spBv1.0/g/DBIRTH/line/press", 1, board));
        let late = vec![Metric::string("Verdict", "ng").at(1, true)];
        assert!(!told(&mut fleet, "spBv1.0/g/DDATA/line/press", 2, late));
        let row = &fleet.rows()[0];
        assert_eq!(
            (row.online, row.parts, row.yield_percent),
            (true, 8, Some(75.0))
        );
        let node = fleet.stations.keys().next().unwrap().clone();
        assert_eq!(fleet.board(&node, "press").unwrap().text("Verdict"), "ok");
        // One was lost on the way.
        assert!(told(&mut fleet, "spBv1.0/g/DDATA/line/press", 4, vec![]));
        assert_eq!(fleet.stations[&node].gaps, 1);
        // The will of the connection before, then its own.
        assert!(!told(&mut fleet, "spBv1.0/g/NDEATH/line", 0, birth(3)));
        assert!(fleet.board(&node, "press").is_some());
        told(&mut fleet, "spBv1.0/g/NDEATH/line", 0, birth(4));
        assert!(fleet.board(&node, "press").is_none() && !fleet.rows()[0].online);
    }
}
