//! A report of few decisions.

use super::super::decision::tests::decision;
use super::super::{Call, Keep, Vote};
use super::*;

#[test]
fn a_report_counts_and_what_operators_wrote_stays_text() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep {
        days: 1,
        bytes: 1 << 20,
    };
    let log = Log::open(&dir.path().join("log"), keep).unwrap();
    let decision = |call, nearest: &str| Decision {
        nearest: nearest.to_owned(),
        ..decision(call, None)
    };
    let append = |decision: &Decision| {
        let (id, logged) = log.append(decision, b"");
        logged.unwrap();
        id
    };
    let from = |first| Part {
        first,
        from: None,
        to: None,
    };
    let reader = Reader {
        korean: false,
        offset: 540,
    };
    let report = |part| report(&log, part, &BTreeMap::new(), (0, 1), reader).unwrap();
    for _ in 0..3 {
        append(&decision(Call::Class, "<script>"));
    }
    let last = append(&decision(Call::Unknown, "nut"));
    let html = report(from(0));
    assert!(
        !html.contains("<script>") && html.contains("&lt;script&gt;</th><td>3</td><td>75.0 %</td>")
    );
    assert!(html.contains("<dt>Unknown</dt><dd>1<small>25.0 %</small>"));
    assert!(html.contains(&format!("/log/{last}/picture")));
    assert!(!html.contains("Undecided") && !html.contains("together"));
    let time = log.after(last, 1).unwrap()[0].1.time;
    let before = Part {
        to: Some(time),
        ..from(0)
    };
    assert!(report(before).contains("Nothing was decided"));
    let since = Part {
        from: Some(time),
        ..from(0)
    };
    assert!(report(since).contains("<td>3</td>"));

    // With a vote its decision counts, whatever the frame alone is.
    let voted = |call| Decision {
        vote: Some(Vote {
            call,
            class: "bolt".to_owned(),
            votes: 3,
            frames: 5,
        }),
        ..decision(Call::Unknown, "nut")
    };
    append(&voted(Some(Call::Good)));
    let defect = append(&voted(Some(Call::Defect)));
    append(&voted(None));
    let html = report(from(last + 1));
    for expected in [
        "<dt>Yield</dt><dd>50.0 %<",
        "<dt>OK</dt><dd>1<",
        "<dt>Defects</dt><dd>1<",
        "<dt>Unknown</dt><dd>0<",
        "<dt>Undecided</dt><dd>1<",
        "the last frames together",
        "<tr class=\"both\"><th scope=\"row\">bolt</th><td>2</td>",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    assert_eq!(html.matches("/log/").count(), 1);
    let flawed = append(&Decision {
        flawed_percent: Some(3.25),
        ..decision(Call::Flawed, "")
    });
    let flaw = report(from(flawed));
    assert!(
        flaw.contains(&format!("/log/{flawed}/heat\" alt=\"\"><b>flaw 3.2 %</b>")),
        "{flaw}"
    );
    assert!(html.contains(&format!(
        "/log/{defect}/picture\" alt=\"\"><b>bolt (this frame: unknown)</b>"
    )));
}
