//! docs/writing-a-plugin.md is to be followed word for word: each file in it is the example's own, which is built and tested.

use std::path::Path;

/// The files that the guide spells out, with their text: a line with a name in backticks and a colon, then a fenced block.
fn files(guide: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in guide.match_indices("`:\n\n```") {
        let name = guide[..at].rsplit('`').next().expect("a name");
        let block = &guide[at + "`:\n\n```".len()..];
        let begin = block.find('\n').expect("a line") + 1;
        let end = block.find("\n```").expect("the block's end") + 1;
        found.push((name, &block[begin..end]));
    }
    found
}

#[test]
fn the_guide_shows_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = std::fs::read_to_string(root.join("docs/writing-a-plugin.md")).expect("the guide");
    let shown = files(&guide);
    let names: Vec<&str> = shown.iter().map(|(name, _)| *name).collect();
    let expected = [
        "Cargo.toml",
        ".cargo/config.toml",
        "src/lib.rs",
        "src/rows.rs",
        "package.json",
        "build.js",
    ];
    assert_eq!(names, expected);
    for (name, text) in shown {
        let folder = match name {
            "package.json" | "build.js" => "mask-column-js",
            _ => "mask-column",
        };
        let file = root.join("examples").join(folder).join(name);
        let own = std::fs::read_to_string(&file).expect("the example's file");
        assert_eq!(own, text, "{} and the guide differ", file.display());
    }
}
