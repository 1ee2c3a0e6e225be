//! Fingerprints: what a step is, independent of time, origin and wording.

use crate::plan::{Fingerprint, Performer, Step};
use crate::value::{canonical, sha256};

/// Gives each step its fingerprint.
pub(super) fn stamp(steps: &mut [Step]) {
    for step in steps {
        step.fingerprint = of(step);
    }
}

/// Covers address, action, row, canonical change, performer and consequences; nothing that time moves.
pub(super) fn of(step: &Step) -> Fingerprint {
    let mut parts: Vec<Vec<u8>> = vec![
        step.address.to_string().into_bytes(),
        step.action.name().as_bytes().to_vec(),
        format!("{:?}", step.row).into_bytes(),
        match &step.performer {
            Performer::Console => b"console".to_vec(),
            Performer::Person(task) => format!("{:?}", task.party).into_bytes(),
        },
    ];
    let mut changes: Vec<_> = step.changes.iter().collect();
    changes.sort_by(|a, b| a.field.cmp(&b.field));
    for change in changes {
        parts.push(change.field.as_str().as_bytes().to_vec());
        for side in [&change.old, &change.new] {
            parts.push(side.as_ref().map_or_else(|| b"-".to_vec(), canonical));
        }
    }
    let mut codes: Vec<&str> = step.causes.iter().map(|cause| cause.code.as_str()).collect();
    codes.sort_unstable();
    parts.extend(codes.into_iter().map(|code| code.as_bytes().to_vec()));
    Fingerprint::from_digest(&sha256(parts.iter().map(Vec::as_slice)))
}
