//! What the plugins compute, without their servers: the events of a binary log become row blocks, as in the source, and those become the net effect of groups and SQL, as in the
//! sink. The same code is compiled natively and as a WebAssembly module without imports, so that the two can be compared (`cargo xtask bench source`).
//!
//! The log must be one of `cargo xtask bench`: rows of the table `item`.

use std::collections::hash_map::DefaultHasher;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use datain_apply::mapping::{Collations, Mapping};
use datain_apply::net::{Limits, Net};
use datain_apply::statements::{Bounds, Check};
use datain_apply::target_table::TargetTable;
use datain_binlog::ChecksumAlgorithm;
use datain_capture::assembler::Assembler;
use datain_capture::checkpoint::State;
use datain_capture::position::Position;
use datain_contract::types::{Batch, Change, Error, Table};

/// Rows of a group.
const GROUP: u32 = 10_000;

/// A batch, as of the source plugin.
const BATCH: usize = 1 << 20;

/// What came of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worked {
    /// Rows.
    pub rows: u64,
    /// Bytes of row blocks.
    pub block_bytes: u64,
    /// Bytes of SQL, and of files for LOAD DATA; none when only the source's part was done.
    pub sql_bytes: u64,
}

/// The changes of a group.
struct Group {
    net: Net<BuildHasherDefault<DefaultHasher>>,
    table: Option<(u32, Rc<Mapping>)>,
    rows: u32,
}

impl Group {
    fn add(&mut self, batch: &Batch, worked: &mut Worked) -> Result<(), Error> {
        for table in &batch.tables {
            self.table = Some((table.id, Rc::new(mapping(table)?)));
        }
        for transaction in &batch.transactions {
            for change in &transaction.changes {
                let (Change::Rows(set), Some((id, mapping))) = (change, &self.table) else {
                    continue;
                };
                if set.table == *id {
                    self.rows += self.net.take(set, &batch.rows, mapping, 0, false)?;
                }
            }
            if self.rows >= GROUP {
                self.write(worked)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, worked: &mut Worked) -> Result<(), Error> {
        let limits = Limits {
            bounds: Bounds {
                bytes: 256 << 10,
                rows: 1000,
                hints: true,
            },
            values: datain_apply::net::Values::Rows,
            loads: true,
        };
        self.rows = 0;
        for table in std::mem::take(&mut self.net).tables() {
            table.write(limits, |statement| {
                worked.sql_bytes += statement.sql.len() as u64;
                if let Check::Load(file) = &statement.check {
                    worked.sql_bytes += file.len() as u64;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The table `item` on the target.
fn mapping(table: &Table) -> Result<Mapping, Error> {
    let row = |cells: &[Option<&str>]| -> Vec<Option<String>> {
        cells.iter().map(|cell| cell.map(str::to_owned)).collect()
    };
    let number = |name, kind| {
        let (precision, scale) = if kind == "decimal" {
            ("12", "2")
        } else {
            ("19", "0")
        };
        row(&[
            Some(name),
            Some(kind),
            Some(kind),
            None,
            None,
            Some(""),
            None,
            Some(precision),
            Some(scale),
            Some("NO"),
            Some("1"),
            None,
        ])
    };
    let note = row(&[
        Some("note"),
        Some("varchar"),
        Some("varchar(100)"),
        Some("utf8mb4"),
        Some("400"),
        Some(""),
        None,
        None,
        None,
        Some("NO"),
        Some("1"),
        Some("utf8mb4_0900_ai_ci"),
    ]);
    let columns = [
        number("id", "bigint"),
        number("customer", "int"),
        number("amount", "decimal"),
        note,
    ];
    let head = row(&[Some("InnoDB"), Some("0"), Some("1")]);
    let keys = [row(&[Some("PRIMARY"), Some("id"), Some(""), None])];
    let target =
        TargetTable::from_answers(&table.schema, &table.name, Some(&head), &columns, &keys)
            .unwrap_or_else(|| unreachable!("there is a head"));
    let collations = Collations::from_answer(&[row(&[
        Some("255"),
        Some("utf8mb4"),
        Some("utf8mb4_0900_ai_ci"),
    ])]);
    Mapping::new(table, target, &collations)
}

/// Works a binary log file off; with `writes` up to its SQL, else up to row blocks.
///
/// # Errors
/// What cannot be read or applied.
pub fn work(log: &[u8], writes: bool) -> Result<Worked, Error> {
    let filter = datain_server_facts::filter(&["bench.item".to_owned()], &[], false)?;
    let state = State {
        server_uuid: String::new(),
        position: Position::default(),
        gtids: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: datain_capture::temporary::TemporaryTables::default(),
        file_began: None,
    };
    let mut assembler = Assembler::new(state, 0, ChecksumAlgorithm::Crc32, filter, 64 << 20);
    assembler.set_batch_bytes(BATCH);
    assembler.begin_file("log");
    let mut group = Group {
        net: Net::default(),
        table: None,
        rows: 0,
    };
    let mut worked = Worked::default();
    let mut rest = log.get(4..).unwrap_or_default();
    while let Some(length) = rest.get(9..13) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let Some(event) = rest.get(..length) else {
            break;
        };
        assembler.event(event)?;
        rest = &rest[length..];
        if assembler.has_full_batch() {
            take(&mut assembler, &mut group, writes, &mut worked)?;
        }
    }
    take(&mut assembler, &mut group, writes, &mut worked)?;
    group.write(&mut worked)?;
    Ok(worked)
}

fn take(
    assembler: &mut Assembler,
    group: &mut Group,
    writes: bool,
    worked: &mut Worked,
) -> Result<(), Error> {
    while let Some(batch) = assembler.take_batch() {
        worked.block_bytes += batch.rows.len() as u64;
        for transaction in &batch.transactions {
            for change in &transaction.changes {
                if let Change::Rows(set) = change {
                    worked.rows += u64::from(set.count);
                }
            }
        }
        if writes {
            group.add(&batch, worked)?;
        }
    }
    Ok(())
}

/// What a host of the module calls.
#[cfg(target_family = "wasm")]
mod exports {
    use std::cell::RefCell;

    use super::{Worked, work};

    thread_local! {
        static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static WORKED: RefCell<Worked> = const { RefCell::new(Worked { rows: 0, block_bytes: 0, sql_bytes: 0 }) };
    }

    /// Room for a log of so many bytes.
    #[unsafe(no_mangle)]
    pub extern "C" fn room(length: usize) -> *mut u8 {
        LOG.with_borrow_mut(|log| {
            log.resize(length, 0);
            log.as_mut_ptr()
        })
    }

    /// Works the log off; the number of rows, or -1.
    #[unsafe(no_mangle)]
    pub extern "C" fn run(writes: u32) -> i64 {
        let worked = LOG.with_borrow(|log| work(log, writes != 0));
        match worked {
            Ok(worked) => {
                WORKED.set(worked);
                i64::try_from(worked.rows).unwrap_or(-1)
            }
            Err(_) => -1,
        }
    }

    /// Bytes of SQL that the newest run has written.
    #[unsafe(no_mangle)]
    pub extern "C" fn sql_bytes() -> i64 {
        WORKED.with_borrow(|worked| i64::try_from(worked.sql_bytes).unwrap_or(-1))
    }
}
