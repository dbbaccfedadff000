//! What a component wants and offers, looked at before it is instantiated.

use std::fmt;
use std::path::Path;

use wasmtime::component::Component;

use crate::error::{Error, Result};

/// The package that all imports and exports belong to.
const PACKAGE: &str = "datain:replication/";
/// Interfaces that this host provides to a plugin that reaches a server or a file.
const PROVIDED: [&str; 5] = ["types", "transport", "system", "log", "credentials"];
/// The same to a sink.
const PROVIDED_TO_SINK: [&str; 6] = [
    "types",
    "transport",
    "system",
    "log",
    "credentials",
    "output-file",
];
/// The same to one that reaches nothing.
const PROVIDED_TO_TRANSFORM: [&str; 3] = ["types", "system", "log"];
/// Versions of them that it can serve: all of 0.1.
const VERSION: &str = "0.1.";
/// The export of a sink that only hands changes on.
pub(crate) const CHANGE_SINK: &str = "change-sink";

/// Which end of the pipeline a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It reads changes.
    Source,
    /// It applies changes.
    Sink,
    /// It changes rows between the two, on the source's thread.
    Transform,
}

impl Role {
    /// The plugin's name in files and messages: `source`, `sink`, `transform`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Transform => "transform",
        }
    }

    /// The endpoint that it may connect to: `source`, `target`; a transform has none, and its name leads nowhere.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "target",
            Self::Transform => "none",
        }
    }

    /// Where the configuration names it.
    fn key(self) -> &'static str {
        match self {
            Self::Source => "[plugins] source",
            Self::Sink => "[plugins] sink",
            Self::Transform => "[[transform]] path",
        }
    }

    fn provided(self) -> &'static [&'static str] {
        match self {
            Self::Source => &PROVIDED,
            Self::Sink => &PROVIDED_TO_SINK,
            Self::Transform => &PROVIDED_TO_TRANSFORM,
        }
    }

    /// What a component of this role exports: the first of these that it has is used.
    fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["source"],
            Self::Sink => &["sink", CHANGE_SINK],
            Self::Transform => &["transform"],
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

/// Whether the component can be a plugin of this role, by what it imports and exports; the answer is the interface that it exports.
pub(super) fn check(
    engine: &wasmtime::Engine,
    component: &Component,
    role: Role,
    path: &Path,
) -> Result<&'static str> {
    let provided = role.provided();
    let shape = component.component_type();
    let unknown: Vec<_> = shape
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| !provided.iter().any(|interface| matches(name, interface)))
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
            "a {role} may import {PACKAGE}{{{}}} at version {VERSION}x and nothing else; docs/writing-a-plugin.md says how a component comes to import only these",
            provided.join(",")
        )));
    }
    let exported = |wanted: &str| shape.exports(engine).any(|(name, _)| matches(name, wanted));
    let mut wanted = role.exports().iter();
    wanted
        .find(|wanted| exported(wanted))
        .copied()
        .ok_or_else(|| {
            let worlds: Vec<_> = role
                .exports()
                .iter()
                .map(|name| format!("{name}-plugin"))
                .collect();
            let (key, worlds) = (role.key(), worlds.join(" or "));
            Error::config(
                "plugin.export-missing",
                format!(
                    "the component {} does not export {PACKAGE}{}@{VERSION}x",
                    path.display(),
                    role.exports().join(" or ")
                ),
            )
            .hint(format!("{key} must name a component of the world {worlds}"))
        })
}

fn matches(name: &str, interface: &str) -> bool {
    name.strip_prefix(PACKAGE)
        .and_then(|rest| rest.strip_prefix(interface))
        .and_then(|rest| rest.strip_prefix('@'))
        .is_some_and(|version| version.starts_with(VERSION))
}
