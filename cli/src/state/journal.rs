//! A ledger on disk: a compacted file, one entry a line, and journal segments that hold every write since.
//!
//! A segment is named after the first serial it may hold. Segments are never rewritten: together they are the log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenantry_cluster::failpoint;
use tenantry_engine::address::{Address, VendorAccount};
use tenantry_engine::ledger::{Entry, FORMAT_VERSION, GuardUse, Header, Ledger};
use tenantry_engine::store::{Batch, LogEvent, StoreError, Write};

use super::io;

/// One line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    serial: u64,
    event: LogEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    /// What the header's guard log gains, where that is all that changes in it: written whole at every guarded step, a
    /// journal would grow with the square of its steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uses: Vec<GuardUse>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    put: BTreeMap<Address, Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    erase: Vec<Address>,
}

/// One line as the log shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// The ledger's serial after it.
    pub serial: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: LogEvent,
}

#[derive(Deserialize)]
struct Compacted {
    header: Header,
    entries: BTreeMap<Address, Entry>,
}

pub(super) struct Read {
    pub ledger: Ledger,
    /// The segment to append to, and how much of it is whole.
    tail: Option<(PathBuf, u64)>,
}

fn damaged(place: &Path, because: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        place: place.display().to_string(),
        because: format!(
            "{because}; restore it from a backup, or move the directory away: a new ledger creates nothing that is there"
        ),
    }
}

fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io("read", dir))? {
        let path = entry.map_err(io("read", dir))?.path();
        let serial = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".ndjson")?.parse().ok());
        if let Some(serial) = serial {
            out.push((serial, path));
        }
    }
    out.sort();
    Ok(out)
}

/// So many bytes of a file are read at once: ledgers and journals are never in memory as text.
const READ_AT_ONCE: usize = 128 << 10;

/// Takes the whole lines of a segment that are later than `from`, one at a time, and gives how long its whole lines are;
/// a torn last one was never durable. Lines that a compacted ledger holds already are not even read as JSON: most runs
/// follow a compaction.
fn lines(
    path: &Path,
    from: u64,
    mut take: impl FnMut(Line) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut file = BufReader::with_capacity(READ_AT_ONCE, File::open(path).map_err(io("read", path))?);
    let mut whole = 0u64;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        file.read_until(b'\n', &mut piece).map_err(io("read", path))?;
        if piece.last() != Some(&b'\n') {
            return Ok(whole);
        }
        if serial(&piece).is_none_or(|serial| serial > from) {
            let line = serde_json::from_slice(&piece)
                .map_err(|error| damaged(path, format!("byte {whole}: {error}")))?;
            take(line)?;
        }
        whole += piece.len() as u64;
    }
}

/// The serial that a line begins with, as [`Line`] is written; `None` where it has to be read as JSON.
fn serial(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(br#"{"serial":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok().filter(|_| digits[end] == b',')
}

/// The compacted ledger.
fn compacted(path: &Path) -> Result<Option<Ledger>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read", path)(error)),
    };
    let reader = BufReader::with_capacity(READ_AT_ONCE, file);
    if let Some((header, entries)) = by_lines(reader).map_err(io("read", path))? {
        return of_format(path, header, entries).map(Some);
    }
    // Not as it was written, or damaged: read as any JSON, which tells where.
    let bytes = std::fs::read(path).map_err(io("read", path))?;
    let whole: Compacted = serde_json::from_slice(&bytes).map_err(|error| damaged(path, error))?;
    of_format(path, whole.header, whole.entries.into_iter().collect()).map(Some)
}

fn of_format(path: &Path, header: Header, entries: Vec<(Address, Entry)>) -> Result<Ledger, StoreError> {
    if header.format_version > FORMAT_VERSION {
        return Err(StoreError::Damaged {
            place: path.display().to_string(),
            because: format!("written by a later tenantry (format {}); use that one", header.format_version),
        });
    }
    Ok(Ledger::read(header, entries))
}

/// A ledger's header, and its entries as they stand in the file.
type Lines = (Header, Vec<(Address, Entry)>);

/// Reads what [`Writer::compact`] writes, line by line; `None` where it is something else.
fn by_lines(mut file: impl BufRead) -> std::io::Result<Option<Lines>> {
    let mut line = Vec::new();
    let mut header = None;
    let mut entries = Vec::new();
    let mut place = 0usize;
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        place += 1;
        match (place, text) {
            (1, b"{") | (3, b"\"entries\":{") => {}
            (2, text) => {
                header = text
                    .strip_prefix(b"\"header\":")
                    .and_then(|text| text.strip_suffix(b","))
                    .and_then(|text| serde_json::from_slice(text).ok());
            }
            (4.., b"}") => {
                let mut rest = Vec::new();
                file.read_to_end(&mut rest)?;
                return Ok(header.filter(|_| rest == b"}\n").map(|header| (header, entries)));
            }
            (4.., text) => {
                let Some(entry) = entry(text.strip_suffix(b",").unwrap_or(text)) else { return Ok(None) };
                entries.push(entry);
            }
            _ => return Ok(None),
        }
        if place == 2 && header.is_none() {
            return Ok(None);
        }
    }
}

/// `"address":{entry}`.
fn entry(line: &[u8]) -> Option<(Address, Entry)> {
    let mut address = serde_json::Deserializer::from_slice(line).into_iter();
    let key: Address = address.next()?.ok()?;
    let rest = line.get(address.byte_offset()..)?.strip_prefix(b":")?;
    Some((key, serde_json::from_slice(rest).ok()?))
}

/// The ledger in this directory, if there is one.
pub(super) fn read(dir: &Path) -> Result<Option<Read>, StoreError> {
    if !dir.is_dir() {
        return Ok(None);
    }
    let mut ledger = compacted(&dir.join("ledger.json"))?;
    let segments = segments(dir)?;
    let from = ledger.as_ref().map_or(0, |ledger| ledger.header.serial);
    let mut tail = None;
    for (n, (_, path)) in segments.iter().enumerate() {
        if segments.get(n + 1).is_some_and(|(next, _)| *next <= from + 1) {
            continue;
        }
        let whole = lines(path, from, |line| apply(&mut ledger, line, path))?;
        tail = Some((path.clone(), whole));
    }
    Ok(ledger.map(|ledger| Read { ledger, tail }))
}

fn apply(ledger: &mut Option<Ledger>, line: Line, path: &Path) -> Result<(), StoreError> {
    let Some(ledger) = ledger else {
        let header = line.header.ok_or_else(|| damaged(path, "the first line has no header"))?;
        *ledger = Some(Ledger::read(header, line.put.into_iter().collect()));
        return Ok(());
    };
    if line.serial <= ledger.header.serial {
        return Ok(());
    }
    if line.serial != ledger.header.serial + 1 {
        return Err(damaged(path, format!("serial {} follows {}", line.serial, ledger.header.serial)));
    }
    if let Some(header) = line.header {
        ledger.header = header;
    }
    ledger.header.guard_log.extend(line.uses);
    for address in line.erase {
        ledger.entries.remove(&address);
    }
    ledger.entries.extend(line.put);
    ledger.header.serial = line.serial;
    Ok(())
}

/// Appends to a ledger's journal.
pub(super) struct Writer {
    dir: PathBuf,
    serial: u64,
    file: Option<File>,
    tail: Option<(PathBuf, u64)>,
    /// The header as stored, apart from its serial.
    header: Header,
    /// Nothing is stored yet: the first line carries the whole header.
    new: bool,
}

/// What a guard log gains from one header to the next, where nothing else in them differs but the serial.
fn gained(before: &Header, after: &Header) -> Option<Vec<GuardUse>> {
    let Header {
        format_version,
        lineage,
        serial: _,
        vendor_account,
        confirmed,
        guard_log,
        used_approvals,
        last_census,
        refused_rows,
        console,
    } = after;
    let same = *format_version == before.format_version
        && *lineage == before.lineage
        && *vendor_account == before.vendor_account
        && *confirmed == before.confirmed
        && *used_approvals == before.used_approvals
        && *last_census == before.last_census
        && *refused_rows == before.refused_rows
        && *console == before.console;
    let gained = guard_log.strip_prefix(before.guard_log.as_slice())?;
    same.then(|| gained.to_vec())
}

/// Opens a ledger for writing; makes a new one in memory where there is none.
pub(super) fn open(
    dir: &Path,
    account: &VendorAccount,
    lineage: impl FnOnce() -> String,
) -> Result<(Ledger, Writer), StoreError> {
    let (ledger, tail, new) = if let Some(read) = read(dir)? {
        if read.ledger.header.vendor_account != *account {
            return Err(damaged(
                dir,
                format!("this ledger belongs to {}, not to {account}", read.ledger.header.vendor_account),
            ));
        }
        (read.ledger, read.tail, false)
    } else {
        (Ledger::new(account.clone(), lineage()), None, true)
    };
    let (serial, header) = (ledger.header.serial, ledger.header.clone());
    Ok((ledger, Writer { dir: dir.to_owned(), serial, file: None, tail, header, new }))
}

impl Writer {
    /// Appends a line for each batch and syncs once.
    pub(super) fn commit(&mut self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        if expected != self.serial {
            return Err(StoreError::Conflict {
                account: self.dir.display().to_string(),
                expected,
                found: self.serial,
            });
        }
        let begins = self.serial + 1;
        let mut serial = self.serial;
        // A header is large where a day's uses of guards are many, and most batches have none.
        let (mut stored, mut new): (Option<Header>, bool) = (None, self.new);
        let mut bytes = Vec::new();
        for (writes, event) in batches {
            serial += 1;
            let mut line = Line {
                serial,
                event,
                header: None,
                uses: Vec::new(),
                put: BTreeMap::new(),
                erase: Vec::new(),
            };
            for write in writes {
                match write {
                    Write::Header(header) => {
                        match gained(stored.as_ref().unwrap_or(&self.header), &header).filter(|_| !new) {
                            Some(uses) => line.uses = uses,
                            None => line.header = Some(Header { serial, ..(*header).clone() }),
                        }
                        stored = Some(*header);
                    }
                    Write::Put(address, entry) => {
                        line.put.insert(address, *entry);
                    }
                    Write::Erase(address) => line.erase.push(address),
                }
            }
            if std::mem::take(&mut new) && line.header.is_none() {
                let header = stored.as_ref().unwrap_or(&self.header);
                line.header = Some(Header { serial, ..header.clone() });
            }
            serde_json::to_writer(&mut bytes, &line).expect("a journal line is JSON");
            bytes.push(b'\n');
        }
        failpoint::pass("before");
        let path = self.path(begins);
        let file = self.file(&path)?;
        file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(io("write", &path))?;
        failpoint::pass("after");
        self.serial = serial;
        if let Some(header) = stored {
            self.header = header;
        }
        self.new = false;
        Ok(serial)
    }

    fn path(&self, serial: u64) -> PathBuf {
        self.tail
            .as_ref()
            .map_or_else(|| self.dir.join(format!("journal-{serial:010}.ndjson")), |(path, _)| path.clone())
    }

    fn file(&mut self, path: &Path) -> Result<&mut File, StoreError> {
        if self.file.is_none() {
            let mut file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .map_err(io("open", path))?;
            // What is torn at the end was never durable.
            let whole = self.tail.as_ref().map_or(0, |(_, whole)| *whole);
            file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io("write", path))?;
            File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(io("write", &self.dir))?;
            self.tail = Some((path.to_owned(), whole));
            self.file = Some(file);
        }
        Ok(self.file.as_mut().expect("opened above"))
    }

    pub(super) fn compact(&mut self, ledger: &Ledger) -> Result<(), StoreError> {
        if ledger.header.serial != self.serial {
            return Err(StoreError::Conflict {
                account: self.dir.display().to_string(),
                expected: ledger.header.serial,
                found: self.serial,
            });
        }
        if self.serial == 0 {
            return Ok(());
        }
        super::write_whole(&self.dir.join("ledger.json"), |out| {
            out.write_all(b"{\n\"header\":")?;
            serde_json::to_writer(&mut *out, &ledger.header)?;
            out.write_all(b",\n\"entries\":{")?;
            for (n, (address, entry)) in ledger.entries.iter().enumerate() {
                out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *out, address)?;
                out.write_all(b":")?;
                serde_json::to_writer(&mut *out, entry)?;
            }
            out.write_all(b"\n}\n}\n")
        })?;
        // The next write begins a new segment; the old ones stay as the log.
        self.file = None;
        self.tail = None;
        Ok(())
    }
}

/// Every event, oldest first.
pub(super) fn log(dir: &Path) -> Result<Vec<Logged>, StoreError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for (_, path) in segments(dir)? {
        lines(&path, 0, |line| {
            out.push(Logged { serial: line.serial, event: line.event });
            Ok(())
        })?;
    }
    Ok(out)
}

/// Replaces past lines: see [`super::StateDir::scrub`]. A segment is written anew whole, or not at all.
pub(super) fn scrub(
    dir: &Path,
    clean: &dyn Fn(&Address, &mut Entry),
    words: &dyn Fn(&mut LogEvent),
) -> Result<usize, StoreError> {
    let mut changed = 0;
    for (_, path) in segments(dir)? {
        let before = changed;
        let mut bytes = Vec::new();
        lines(&path, 0, |mut line| {
            let (put, event) = (line.put.clone(), line.event.clone());
            for (address, entry) in &mut line.put {
                clean(address, entry);
            }
            words(&mut line.event);
            changed += usize::from(put != line.put || event != line.event);
            serde_json::to_writer(&mut bytes, &line).expect("a journal line is JSON");
            bytes.push(b'\n');
            Ok(())
        })?;
        if changed > before {
            super::write_atomically(&path, &bytes)?;
        }
    }
    Ok(changed)
}
