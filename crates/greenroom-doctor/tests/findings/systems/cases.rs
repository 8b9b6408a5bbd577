//! All cases.

use greenroom_doctor::FindingId;

use super::{Case, case, greenroom, healthy, module, node, programs, webcam};

pub fn all() -> Vec<Case> {
    let mut cases = vec![case(
        FindingId::Sandboxed,
        "doctor in a container",
        healthy().file("/.dockerenv", ""),
        healthy(),
    )];
    cases.extend(module::cases());
    cases.extend(node::cases());
    cases.extend(programs::cases());
    cases.extend(webcam::cases());
    cases.extend(greenroom::cases());
    cases
}
