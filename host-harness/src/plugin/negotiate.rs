//! The version of the row block that a source and a sink agree on: the highest that the one writes and the other reads, and the transforms between them know.

use std::sync::Arc;

use super::{Plugin, SinkInstance, SourceInstance, TransformInstance};
use crate::error::{Error, Result};
use crate::transport::Waker;

/// Asks all plugins, and notes the version in all, for their configurations.
///
/// # Errors
/// `row-block.version` when there is no common one; a trap in `describe`.
pub(crate) fn row_block_version(
    source: &Arc<Plugin>,
    transforms: &[Arc<Plugin>],
    sink: &Arc<Plugin>,
) -> Result<()> {
    let waker = || Ok::<_, Error>(Arc::new(Waker::new()?));
    let writes = SourceInstance::new(source, waker()?)?.describe()?;
    let reads = SinkInstance::new(sink, waker()?)?.describe()?;
    tracing::debug!(
        source = %writes.name, source_version = %writes.version,
        sink = %reads.name, sink_version = %reads.version, "plugins described"
    );
    let mut written = writes.row_block_versions.clone();
    for transform in transforms {
        let knows = TransformInstance::new(transform, waker()?)?.describe()?;
        tracing::debug!(name = %knows.name, version = %knows.version, "transform described");
        written.retain(|version| knows.row_block_versions.contains(version));
        if written.is_empty() {
            return Err(Error::config(
                "row-block.version",
                "a transform does not know the version of the row block that the source writes",
            )
            .detail(format!(
                "{} {} knows {:?}, {} {} writes {:?}",
                knows.name,
                knows.version,
                knows.row_block_versions,
                writes.name,
                writes.version,
                writes.row_block_versions
            ))
            .hint("docs/compatibility.md says which versions go together"));
        }
    }
    let Some(version) = highest_common(&written, &reads.row_block_versions) else {
        return Err(Error::config(
            "row-block.version",
            "the two plugins know no common version of the row block",
        )
        .detail(format!(
            "{} {} writes {:?}, {} {} reads {:?}",
            writes.name,
            writes.version,
            writes.row_block_versions,
            reads.name,
            reads.version,
            reads.row_block_versions
        ))
        .hint("use source and sink plugins of the same release"));
    };
    for plugin in [source, sink].into_iter().chain(transforms) {
        // A plugin that serves a second pipeline has agreed already.
        let _ = plugin.row_block_version.set(version);
    }
    Ok(())
}

/// The same for a source whose rows the host itself reads, in the version `reads`.
///
/// # Errors
/// `row-block.version`; a trap in `describe`.
pub(crate) fn host_reads(source: &Arc<Plugin>, reads: u8) -> Result<()> {
    let writes = SourceInstance::new(source, Arc::new(Waker::new()?))?.describe()?;
    if !writes.row_block_versions.contains(&reads) {
        return Err(Error::config(
            "row-block.version",
            "the source plugin does not write the version of the row block that this host reads",
        )
        .detail(format!(
            "{} {} writes {:?}, the host reads {reads}",
            writes.name, writes.version, writes.row_block_versions
        ))
        .hint("use a source plugin of the same release"));
    }
    // A plugin that was asked before has agreed already.
    let _ = source.row_block_version.set(reads);
    Ok(())
}

fn highest_common(writes: &[u8], reads: &[u8]) -> Option<u8> {
    writes.iter().filter(|v| reads.contains(v)).max().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_that_both_know() {
        assert_eq!(highest_common(&[1, 2, 3], &[2, 1]), Some(2));
        assert_eq!(highest_common(&[3], &[1, 2]), None);
        assert_eq!(highest_common(&[], &[1]), None);
    }
}
