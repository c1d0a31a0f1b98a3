//! Walks the whole journal along its chain and says what does not fit.
//!
//! What this can prove: that nobody who did not compute the chain anew has changed, taken out, put in or exchanged a
//! chained fact. Who computes it anew, or cuts the end off everywhere, leaves a whole chain with another head: that is
//! only seen by whoever noted the head elsewhere, which is why it is printed and logged. `noted` is such a note.

use std::path::Path;

use rusqlite::{Connection, Row};

use super::audit::{Hash, Head, content, head, is_chained, is_since_later, link};
use super::error::StoreError;
use crate::base::Stamp;
use crate::incident::HouseFact;

/// Faults that are told one by one; more are only counted.
const TOLD: usize = 100;

/// What became of the chain.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Verdict {
    /// Chained facts that are there and as they were written.
    pub whole: u64,
    /// Chained facts that retention took away.
    pub gone: u64,
    /// When the first fact that is there happened.
    pub from: Option<Stamp>,
    /// When the last one happened.
    pub to: Option<Stamp>,
    /// The end of the chain.
    pub head: Head,
    /// The line at which the chain came to the digest that was asked about.
    pub noted_at: Option<i64>,
    /// What does not fit, in the order of the journal; at most a hundred.
    pub faults: Vec<Fault>,
    /// How many do not fit.
    pub fault_count: u64,
}

/// One thing that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The fact in this line is not what was written.
    Changed(i64),
    /// The fact of this line is not there any more.
    Missing(i64),
    /// A fact that was never written stands in this line.
    Inserted(i64),
    /// This line's fact is as it was written, but the lines before it are not those it was written behind.
    Broken {
        /// The line before, as it is now.
        after: i64,
        /// The line.
        at: i64,
    },
    /// The chain was noted to end here, and ends elsewhere.
    Cut {
        /// Where the chain should end.
        noted: i64,
        /// Where it ends.
        found: i64,
    },
    /// More lines are marked as taken away by retention than retention said it took.
    Gone {
        /// What retention said.
        said: u64,
        /// What is marked.
        found: u64,
    },
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Fault::Changed(seq) => write!(f, "line {seq} was changed"),
            Fault::Missing(seq) => write!(f, "line {seq} is missing"),
            Fault::Inserted(seq) => write!(f, "line {seq} was inserted"),
            Fault::Broken { after, at } => {
                write!(f, "line {at} does not follow line {after}: lines between them are missing or were exchanged")
            }
            Fault::Cut { noted, found } => {
                write!(f, "the chain ends at line {found} and should end at line {noted}: the end was cut off")
            }
            Fault::Gone { said, found } => {
                write!(f, "{found} lines are marked as taken away by retention, which says that it took {said}")
            }
        }
    }
}

/// What one number of the journal holds: a fact, its line in the chain, or both.
struct Line<'a> {
    seq: i64,
    fact: Option<(&'a str, i64, &'a str)>,
    link: Option<(Hash, Hash, bool)>,
}

/// Reads everything. `noted`: a head that was noted elsewhere, in hexadecimal.
pub(super) fn verify(db: &Connection, path: &Path, noted: Option<&str>) -> Result<Verdict, StoreError> {
    walk(db, noted).map_err(|error| StoreError::of(path, "read", &error))
}

fn walk(db: &Connection, noted: Option<&str>) -> rusqlite::Result<Verdict> {
    // One view of the file, while the daemon may be writing it.
    let view = db.unchecked_transaction()?;
    let sql = "SELECT f.seq, f.incident, f.at, f.body, a.content, a.digest, a.gone
                 FROM facts f LEFT JOIN audit a ON a.seq = f.seq
               UNION ALL
               SELECT a.seq, NULL, NULL, NULL, a.content, a.digest, a.gone
                 FROM audit a WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.seq = a.seq)
               ORDER BY 1";
    let mut lines = view.prepare(sql)?;
    let mut rows = lines.query([])?;
    let mut walk = Walk { verdict: Verdict::default(), said_gone: 0, ends_chained: false, noted };
    while let Some(row) = rows.next()? {
        walk.step(&line(row)?);
    }
    Ok(walk.end(head(&view)?))
}

struct Walk<'a> {
    verdict: Verdict,
    said_gone: u64,
    /// From here on the ends of calls are chained; an older program did not do so.
    ends_chained: bool,
    noted: Option<&'a str>,
}

impl Walk<'_> {
    fn step(&mut self, line: &Line<'_>) {
        let Line { seq, fact, link: chained } = line;
        let Some((content_then, digest, gone)) = chained else {
            // What nobody can read is nothing that we wrote.
            let old = |incident, body| !self.ends_chained && is_since_later(incident, body);
            if fact.is_some_and(|(incident, _, body)| is_chained(incident, body) != Some(false) && !old(incident, body))
            {
                self.fault(Fault::Inserted(*seq));
            }
            return;
        };
        let is_end = |(incident, _, body): (&str, i64, &str)| is_since_later(incident, body);
        self.ends_chained = self.ends_chained || fact.is_some_and(is_end);
        let before = self.verdict.head;
        self.verdict.head = Head { seq: *seq, digest: *digest };
        if self.noted.is_some_and(|noted| noted.eq_ignore_ascii_case(&self.verdict.head.to_string())) {
            self.verdict.noted_at = Some(*seq);
        }
        match fact {
            Some((incident, at, body)) if !gone && content(*seq, incident, *at, body) == *content_then => {
                self.whole(*at, body);
            }
            Some(_) => return self.fault(Fault::Changed(*seq)),
            None if *gone => self.verdict.gone += 1,
            None => return self.fault(Fault::Missing(*seq)),
        }
        if link(&before.digest, content_then) != *digest {
            self.fault(Fault::Broken { after: before.seq, at: *seq });
        }
    }

    fn whole(&mut self, at: i64, body: &str) {
        let at = Some(Stamp::from_unix_micros(at));
        self.verdict.whole += 1;
        self.verdict.from = self.verdict.from.or(at);
        self.verdict.to = at;
        if body.contains("\"forgotten\"")
            && let Ok(HouseFact::Forgotten { chained, .. }) = serde_json::from_str(body)
        {
            self.said_gone += u64::from(chained);
        }
    }

    fn end(mut self, noted: Head) -> Verdict {
        let (said, found) = (self.said_gone, self.verdict.gone);
        if found > said {
            self.fault(Fault::Gone { said, found });
        }
        if noted != self.verdict.head {
            self.fault(Fault::Cut { noted: noted.seq, found: self.verdict.head.seq });
        }
        self.verdict
    }

    fn fault(&mut self, fault: Fault) {
        self.verdict.fault_count += 1;
        if self.verdict.faults.len() < TOLD {
            self.verdict.faults.push(fault);
        }
    }
}

fn line<'a>(row: &'a Row<'_>) -> rusqlite::Result<Line<'a>> {
    let incident = row.get_ref(1)?.as_str_or_null()?;
    let fact = match incident {
        Some(incident) => Some((incident, row.get(2)?, row.get_ref(3)?.as_str()?)),
        None => None,
    };
    let content: Option<Vec<u8>> = row.get(4)?;
    let link = match content {
        Some(content) => Some((hash(&content), hash(&row.get::<_, Vec<u8>>(5)?), row.get(6)?)),
        None => None,
    };
    Ok(Line { seq: row.get(0)?, fact, link })
}

/// A hash of another length was never ours; no hash of ours is all ones.
fn hash(bytes: &[u8]) -> Hash {
    Hash::try_from(bytes).unwrap_or([0xff; 32])
}
