//! A case: something is wrong, and something is done.

use super::fault::Fault;
use super::operation::Operation;

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    pub fault: Fault,
    pub operation: Operation,
}

/// How a case went: what is wrong, and a few words on what happened.
#[derive(Debug, Default)]
pub struct Verdict {
    pub faults: Vec<String>,
    pub note: String,
}

impl Case {
    pub fn of_each(fault: &Fault, operations: &[Operation]) -> Vec<Self> {
        let case = |operation: &Operation| Self { fault: fault.clone(), operation: *operation };
        operations.iter().map(case).collect()
    }

    pub fn name(&self) -> String {
        format!("{}: {}", self.fault.name, self.operation.name())
    }
}
