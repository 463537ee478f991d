//! Catches notes that no longer say what the house is, and files that do not say what they are for.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Names of the crates in a manifest's table of dependencies.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = read(manifest);
    let table = text.split("\n[dependencies]\n").nth(1).expect("dependencies").split("\n[").next().unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with("hexflow")).map(str::to_owned).collect()
}

#[test]
fn every_dependency_has_its_reason() {
    let notes = read("ARCHITECTURE.md");
    let table: String = notes.split("## Dependencies").nth(1).expect("a section").to_owned();
    for manifest in ["Cargo.toml", "operators/Cargo.toml", "dataflows/Cargo.toml"] {
        for name in dependencies(manifest) {
            assert!(table.contains(&name), "ARCHITECTURE.md does not say why {manifest} depends on {name}");
        }
    }
}

#[test]
fn what_the_notes_name_is_there() {
    for notes in ["README.md", "ARCHITECTURE.md"] {
        let text = read(notes);
        for name in text.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs") && name.contains('/')) {
            let there = root().join(name).exists() || root().join("src").join(name).exists();
            assert!(there, "{notes} names {name}, which is not there");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut files = Vec::new();
    for folder in ["src", "operators", "dataflows", "tests", "benches"] {
        rust_files(&root().join(folder), &mut files);
    }
    for file in files {
        assert!(read(&file).starts_with("//! "), "{} does not open with what it is for", file.display());
    }
}
