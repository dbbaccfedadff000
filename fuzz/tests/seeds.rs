//! Every seed, and every input that was a finding, goes through its target without libFuzzer: `cargo test --manifest-path fuzz/Cargo.toml`.

use std::fs;
use std::path::Path;

use datain_fuzz::TARGETS;

#[test]
fn every_seed_holds() {
    for (target, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(target);
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("a target has seeds") {
            let path = entry.expect("an entry").path();
            println!("{}", path.display());
            run(&fs::read(&path).expect("a seed"));
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
        // Nothing at all is an input too.
        run(&[]);
    }
}
