//! The commands in groups, the words that they use, and what to say to a wrong one.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use sudal::similar::most_similar;

use super::missing_features;

/// Commands, and an example of each, in the order in which they are shown.
const GROUPS: [(&str, &[(&str, &str)]); 5] = [
    (
        "Everyday: from pictures to answers",
        &[
            ("demo", "sudal demo"),
            ("check", "sudal check parts/"),
            ("teach", "sudal teach parts/ --model surfaces"),
            ("classify", "sudal classify unknown.png"),
            ("enroll", "sudal enroll gear gear1.png gear2.png"),
            ("list", "sudal list"),
            ("validate", "sudal validate"),
            ("rename", "sudal rename gear \"gear, small\""),
            ("remove", "sudal remove gear"),
            ("reset", "sudal reset --yes"),
            ("models", "sudal models"),
            ("flash", "sudal flash surfaces"),
            ("boards", "sudal boards"),
            ("doctor", "sudal doctor"),
            ("completions", "sudal completions bash"),
        ],
    ),
    (
        "Station: a board that inspects a line",
        &[
            ("serve", "sudal serve --model parts"),
            ("users", "sudal users add kim --role teach"),
            ("good", "sudal good good/"),
            ("bad", "sudal bad scratch.png"),
            ("commission", "sudal commission --frames 200"),
            ("inspection", "sudal inspection --undo"),
            ("role", "sudal role gear good"),
            ("decide", "sudal decide --rate 1"),
            ("head", "sudal head linear"),
            ("region", "sudal region 16 8 48 48"),
            ("align", "sudal align rotation"),
            ("recenter", "sudal recenter"),
            ("capture", "sudal capture --out frame.png"),
            ("info", "sudal info"),
            ("selftest", "sudal selftest"),
            ("logs", "sudal logs --board emulator"),
            ("run", "sudal run"),
            ("stop", "sudal stop --board emulator"),
        ],
    ),
    (
        "Fleet: many boards, locked and up to date",
        &[
            ("fleet", "sudal fleet list --broker mqtt://broker/hall"),
            ("backup", "sudal backup line3.sudalbak"),
            ("restore", "sudal restore line3.sudalbak"),
            ("re-enroll", "sudal re-enroll taught"),
            ("update", "sudal update mine.sudal --key board.key"),
            ("key", "sudal key new board.key"),
            ("lock", "sudal lock --key board.key"),
            ("sign", "sudal sign mine.sudal --key maker.key"),
            ("trust", "sudal trust maker.pub --key board.key"),
            ("recover", "sudal recover --yes"),
        ],
    ),
    (
        "Measuring: how good, and at what cost",
        &[
            ("eval", "sudal eval parts --way 5,20 --shot 1,5"),
            ("inspect", "sudal inspect surfaces --data mvtec/"),
            ("openset", "sudal openset parts"),
            ("sweep", "sudal sweep parts --out sweep"),
            ("explain", "sudal explain parts --out explained"),
            ("profile", "sudal profile parts"),
            ("bench", "sudal bench align parts"),
        ],
    ),
    (
        "Training: a model of your own",
        &[
            ("train", "sudal train --out mine.ckpt"),
            ("tune", "sudal tune --out study.jsonl"),
            ("export", "sudal export mine.ckpt"),
            ("verify", "sudal verify mine.onnx"),
            ("whiten", "sudal whiten mine.onnx --out white.onnx"),
            ("patches", "sudal patches white.onnx --out flaws.onnx"),
            ("convert", "sudal convert mine.onnx"),
            ("calibrate", "sudal calibrate mine.sudal"),
            ("pictures", "sudal pictures --out parts"),
        ],
    ),
];

/// Words that somebody may not know, each in a line.
const WORDS: [(&str, &str); 12] = [
    ("shot", "one picture from which a class is taught"),
    ("support", "the shots of the classes that are told apart"),
    ("query", "a picture that is asked about"),
    ("way", "how many classes are told apart"),
    (
        "embedding",
        "the up to 128 numbers that a model makes of a picture",
    ),
    ("prototype", "the mean of the embeddings of a class's shots"),
    (
        "head",
        "how embeddings become an answer: by prototype, nearest shot, memory or linear classifier",
    ),
    (
        "novelty",
        "how far a picture is from what its class was taught, beside what is usual",
    ),
    (
        "openset",
        "also what was never taught comes: it has to be rejected as unknown",
    ),
    (
        "inspect",
        "to tell good parts from flawed ones, of flaws that were never shown",
    ),
    (
        "patch",
        "a place of a picture as a model sees it; flaws are places unlike those of good parts",
    ),
    (
        "flash",
        "the memory that a board keeps without power; to write a model there",
    ),
];

/// What somebody may type who looks for a command.
const MEANT: [(&str, &str); 24] = [
    ("add", "enroll"),
    ("learn", "teach"),
    ("register", "enroll"),
    ("predict", "classify"),
    ("infer", "classify"),
    ("ask", "classify"),
    ("test", "check"),
    ("evaluate", "eval"),
    ("measure", "eval"),
    ("accuracy", "eval"),
    ("delete", "remove"),
    ("rm", "remove"),
    ("ls", "list"),
    ("classes", "list"),
    ("status", "info"),
    ("version", "info"),
    ("install", "doctor"),
    ("setup", "doctor"),
    ("ports", "boards"),
    ("devices", "boards"),
    ("upload", "flash"),
    ("anomaly", "good"),
    ("quantize", "convert"),
    ("web", "serve"),
];

/// The command line, its commands shown in groups.
pub(super) fn command(of: Command) -> Command {
    let command = missing_features::add(of);
    let (short, long) = (groups(&command, false), groups(&command, true));
    command
        .help_template(
            "{about-with-newline}\n{usage-heading} {usage}\n{after-help}\n\nOptions:\n{options}",
        )
        .after_help(short)
        .after_long_help(long)
}

/// The commands that there are, in groups: what they are for, and with `examples` one of each.
fn groups(command: &Command, examples: bool) -> StyledStr {
    let mut text = String::new();
    for (group, commands) in GROUPS {
        text.push_str(&format!("{group}\n"));
        for (name, example) in commands {
            let Some(found) = command.find_subcommand(name) else {
                continue;
            };
            let about = found
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            text.push_str(&format!("  {name:<12} {about}\n"));
            if examples {
                text.push_str(&format!("  {:<12}   {example}\n", ""));
            }
        }
        text.push('\n');
    }
    if examples {
        text.push_str("Words\n");
        for (word, meaning) in WORDS {
            text.push_str(&format!("  {word:<12} {meaning}\n"));
        }
        text.push_str("\n`sudal COMMAND --help` explains each command and its defaults.");
    } else {
        text.push_str(
            "`sudal COMMAND --help` explains each; `sudal --help` has an example of each, and the words.",
        );
    }
    text.into()
}

/// What there is to say about a word that is no command.
pub(super) fn hint(command: Command, error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let ContextValue::String(wrong) = error.get(ContextKind::InvalidSubcommand)? else {
        return None;
    };
    let command = missing_features::add(command);
    // Of a command with commands of its own, its own are meant.
    let mut before = std::env::args().take_while(|arg| arg != wrong);
    match before.find_map(|arg| command.find_subcommand(arg)) {
        Some(group) => Some(own_commands(group, wrong)),
        None => about_word(command, wrong),
    }
}

/// The commands that a command has.
fn own_commands(group: &Command, wrong: &str) -> String {
    let name = group.get_name();
    let own = group.get_subcommands().map(Command::get_name);
    format!(
        "`sudal {name}` has no command {wrong:?}: {}. `sudal {name} --help` explains them.",
        own.collect::<Vec<_>>().join(", ")
    )
}

fn about_word(command: Command, wrong: &str) -> Option<String> {
    let word = wrong.to_lowercase();
    if let Some((word, meaning)) = WORDS.iter().find(|(known, _)| *known == word) {
        return Some(format!(
            "{word} is no command. The word means: {meaning}. `sudal --help` lists the commands."
        ));
    }
    let names = command.get_subcommands().map(Command::get_name);
    let (known, meant) = (
        names.collect::<Vec<_>>(),
        MEANT.iter().find(|(k, _)| *k == word),
    );
    let meant = match meant {
        Some((_, meant)) => meant,
        None => most_similar(&word, known)?,
    };
    let about = command.find_subcommand(meant)?.get_about()?.to_string();
    Some(format!(
        "there is no command {wrong:?}. Did you mean `sudal {meant}`? {about}. `sudal --help` lists all."
    ))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_is_in_a_group_with_an_example_that_is_a_call() {
        let command = Cli::command();
        let listed: Vec<_> = GROUPS.iter().flat_map(|(_, commands)| *commands).collect();
        for found in command.get_subcommands() {
            let name = found.get_name();
            let times = listed.iter().filter(|(listed, _)| *listed == name).count();
            assert_eq!(times, 1, "{name}");
            let about = found.get_about().unwrap().to_string();
            assert!(about.chars().count() <= 66, "{name}: {about}");
        }
        for (name, example) in listed {
            if command.find_subcommand(name).is_none() {
                continue;
            }
            assert!(example.starts_with(&format!("sudal {name}")), "{example}");
            let words = example
                .split_whitespace()
                .map(|word| word.trim_matches('"'));
            let words: Vec<_> = match example.split_once('"') {
                // A quoted name is one word.
                Some((before, quoted)) => before
                    .split_whitespace()
                    .chain([quoted.trim_matches('"')])
                    .collect(),
                None => words.collect(),
            };
            let parsed = Cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn every_command_s_own_help_has_an_example() {
        let command = Cli::command();
        for found in command.get_subcommands() {
            let name = found.get_name();
            let own = found.get_after_help().map(ToString::to_string);
            let nested = found
                .get_subcommands()
                .all(|c| c.get_after_help().is_some());
            let has = own.is_some_and(|text| text.contains(&format!("sudal {name}")));
            let is_group = found.has_subcommands() && nested;
            assert!(has || is_group || name == "completions", "{name}");
        }
    }

    #[test]
    fn a_wrong_word_leads_to_a_command_or_is_explained() {
        for (word, says) in [
            ("learn", "sudal teach"),
            ("flahs", "sudal flash"),
            ("clasify", "sudal classify"),
            ("shot", "one picture"),
            ("novelty", "how far"),
        ] {
            let hint = about_word(Cli::command(), word).unwrap_or_default();
            assert!(hint.contains(says), "{word}: {hint}");
        }
        assert_eq!(about_word(Cli::command(), "xyzzy"), None);
        let command = Cli::command();
        let hint = own_commands(command.find_subcommand("key").unwrap(), "parts");
        assert!(
            hint.contains("`sudal key` has no command \"parts\": new."),
            "{hint}"
        );
        let known = Cli::command();
        for (word, meant) in MEANT {
            assert!(known.find_subcommand(word).is_none(), "{word} is a command");
            assert!(!meant.is_empty());
        }
    }
}
