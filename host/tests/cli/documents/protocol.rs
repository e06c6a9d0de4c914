//! The example of the serial protocol, word for word, at a port.

use std::fs;
use std::process::Command;

use sudal_firmware::camera::{Geometry, PixelFormat};
use sudal_firmware::protocol::{
    Check, DecisionRequest, InspectionRequest, LockRequest, Request, UpdateRequest,
};

use super::markdown::{Document, root};
use crate::plugged::{Plugged, image};

#[test]
fn the_protocols_example_teaches_and_asks_a_board() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let page = Document::open(&root().join("firmware/docs/protocol.md"));
    let [example] = &page.blocks("python")[..] else {
        panic!("the page has one example");
    };
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let board = Plugged::new(&dir.join("board"), &image());
    fs::write(dir.join("ask.py"), example).unwrap();
    let mut python = Command::new("python3");
    let output = python
        .current_dir(dir)
        .arg("ask.py")
        .arg(board.port())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    println!("{said}");
    assert!(
        said.contains("board host") && said.contains("bar: 2 shots"),
        "{said}"
    );
    assert!(said.contains("nearest: disc"), "{said}");
    // It leaves nothing behind.
    assert_eq!(board.json(dir, &["list"]).as_array().unwrap().len(), 0);
}

/// Does nothing, and does not compile where a kind of request is missing here, and so in [`requests`].
fn all_are_listed(request: &Request<'_>) {
    match request {
        Request::Info
        | Request::Frame { .. }
        | Request::Capture { .. }
        | Request::Embed
        | Request::Classify
        | Request::Enroll { .. }
        | Request::List { .. }
        | Request::Rename { .. }
        | Request::Remove { .. }
        | Request::Reset
        | Request::Stats
        | Request::Head { .. }
        | Request::Record { .. }
        | Request::Receive { .. }
        | Request::Restore
        | Request::Boots { .. }
        | Request::Lock(_)
        | Request::Update(_)
        | Request::Decision(_)
        | Request::Check(_)
        | Request::LeaveOneOut { .. }
        | Request::Inspection(_)
        | Request::Learned { .. }
        | Request::Thresholds { .. } => {}
    }
}

/// A request of each kind.
fn requests() -> Vec<Request<'static>> {
    let geometry = Geometry {
        width: 1,
        height: 1,
        format: PixelFormat::Grey8,
    };
    let (id, name, chunk) = (0, "a", &[][..]);
    vec![
        Request::Info,
        Request::Frame {
            geometry,
            offset: 0,
            chunk,
        },
        Request::Capture { offset: 0 },
        Request::Embed,
        Request::Classify,
        Request::Enroll { name, force: false },
        Request::List { skip: 0 },
        Request::Rename { id, name },
        Request::Remove { id },
        Request::Reset,
        Request::Stats,
        Request::Head { choose: None },
        Request::Record { id, offset: 0 },
        Request::Receive { offset: 0, chunk },
        Request::Restore,
        Request::Boots { clear: false },
        Request::Lock(LockRequest::Lock),
        Request::Update(UpdateRequest::Finish),
        Request::Decision(DecisionRequest::Uncenter),
        Request::Check(Check::Model),
        Request::LeaveOneOut { id },
        Request::Inspection(InspectionRequest::Status),
        Request::Learned {
            total: 0,
            offset: 0,
            chunk,
        },
        Request::Thresholds { parts: 100 },
    ]
}

#[test]
fn the_page_has_the_number_of_every_request() {
    let page = Document::open(&root().join("firmware/docs/protocol.md")).text;
    let (_, table) = page.split_once("| number | request | answer |").unwrap();
    let mut documented = Vec::new();
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let mut cells = row.split('|').skip(1);
        let numbers = cells
            .next()
            .unwrap()
            .split(',')
            .map(|number| number.trim().to_owned());
        let names = cells
            .next()
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned);
        documented.extend(numbers.zip(names));
    }
    let real: Vec<_> = requests()
        .iter()
        .map(|request| {
            all_are_listed(request);
            let number = postcard::to_stdvec(request).unwrap()[0].to_string();
            let name = format!("{request:?}");
            let end = name
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(name.len());
            (number, name[..end].to_owned())
        })
        .collect();
    assert_eq!(documented, real);
}
