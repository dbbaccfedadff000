//! What a component wants and offers, looked at before it is instantiated.

use std::fmt;
use std::path::Path;

use wasmtime::component::Component;

use crate::error::{Error, Result};

/// The package that all imports and exports belong to.
const PACKAGE: &str = "datain:replication/";
/// Interfaces that this host provides.
const PROVIDED: [&str; 5] = ["types", "transport", "system", "log", "credentials"];
/// Versions of them that it can serve: all of 0.1.
const VERSION: &str = "0.1.";

/// Which end of the pipeline a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It reads changes.
    Source,
    /// It applies changes.
    Sink,
}

impl Role {
    /// The plugin's name in files and messages: `source`, `sink`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
        }
    }

    /// The endpoint that it may connect to: `source`, `target`.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "target",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names of everything that a component imports, sorted.
pub fn component_imports(engine: &super::Engine, component: &Component) -> Vec<String> {
    let mut names: Vec<_> = component
        .component_type()
        .imports(engine.wasmtime())
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names
}

pub(super) fn check(
    engine: &wasmtime::Engine,
    component: &Component,
    role: Role,
    path: &Path,
) -> Result<()> {
    let shape = component.component_type();
    let unknown: Vec<_> = shape
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| !provided(name))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::config(
            "plugin.import-unknown",
            format!(
                "the {role} component {} imports what this host does not provide",
                path.display()
            ),
        )
        .detail(unknown.join(", "))
        .hint(format!(
            "a plugin may import {PACKAGE}{{{}}} at version {VERSION}x and nothing else",
            PROVIDED.join(",")
        )));
    }
    let wanted = role.name();
    let exported = shape.exports(engine).any(|(name, _)| matches(name, wanted));
    if !exported {
        return Err(Error::config(
            "plugin.export-missing",
            format!(
                "the component {} does not export {PACKAGE}{wanted}@{VERSION}x",
                path.display()
            ),
        )
        .hint(format!(
            "[plugins] {wanted} must name a component of the world {wanted}-plugin"
        )));
    }
    Ok(())
}

fn provided(name: &str) -> bool {
    PROVIDED.iter().any(|interface| matches(name, interface))
}

fn matches(name: &str, interface: &str) -> bool {
    name.strip_prefix(PACKAGE)
        .and_then(|rest| rest.strip_prefix(interface))
        .and_then(|rest| rest.strip_prefix('@'))
        .is_some_and(|version| version.starts_with(VERSION))
}
