use super::graph::{Graph, MapShape, Operator, TensorId};
use super::operator_kind::OperatorKind;
use crate::MatteError;

/// A feature map: its tensor and its shape, which has been checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapTensor {
    pub id: TensorId,
    pub shape: MapShape,
}

/// A map's shape as a tensor has it.
pub(crate) fn four(shape: MapShape) -> [usize; 4] {
    [1, shape.height, shape.width, shape.channels]
}

/// Takes the operators in the file's order, but for those that widen constants.
pub(crate) struct Walk<'g, K> {
    pub graph: &'g Graph<'g, K>,
    next: usize,
}

impl<'g, K: OperatorKind> Walk<'g, K> {
    /// A walk from the first operator on.
    pub fn new(graph: &'g Graph<'g, K>) -> Self {
        Self { graph, next: 0 }
    }

    /// The next operator, which is of `kind` and whose output has the shape `output`.
    fn operator(&mut self, kind: K, output: &[usize]) -> Result<&'g Operator<K>, MatteError> {
        self.skip_constants();
        let index = self.next;
        let Some(operator) = self.graph.operators.get(index) else {
            return Err(self.graph.other_network(format!("it has {index} operators only")));
        };
        if operator.kind != kind {
            let have = operator.kind;
            let reason = format!("operator {index} is {have:?} instead of {kind:?}");
            return Err(self.graph.other_network(reason));
        }
        self.expect_shape(operator.output, output)?;
        self.next += 1;
        Ok(operator)
    }

    fn skip_constants(&mut self) {
        let rest = self.graph.operators[self.next..].iter();
        self.next += rest.take_while(|operator| operator.kind.is_dequantize()).count();
    }

    /// As [`operator`](Self::operator); its input number `position` is `input`.
    pub fn operator_on(
        &mut self,
        kind: K,
        (position, input): (usize, TensorId),
        output: &[usize],
    ) -> Result<&'g Operator<K>, MatteError> {
        let operator = self.operator(kind, output)?;
        if operator.inputs[position] == input {
            return Ok(operator);
        }
        let reason = format!("the {kind:?} of tensor {} is not of {input}", operator.output);
        Err(self.graph.other_network(reason))
    }

    /// The operator of `kind`, Add or Mul, on `a` and `b`; its output.
    pub fn binary(&mut self, kind: K, a: MapTensor, b: TensorId) -> Result<MapTensor, MatteError> {
        let operator = self.operator(kind, &four(a.shape))?;
        let inputs = [operator.inputs[0], operator.inputs[1]];
        if inputs == [a.id, b] || inputs == [b, a.id] {
            return Ok(MapTensor { id: operator.output, ..a });
        }
        let reason = format!("the {kind:?} of tensor {} is of others", operator.output);
        Err(self.graph.other_network(reason))
    }

    /// That `tensor` has the shape `want`.
    pub fn expect_shape(&self, tensor: TensorId, want: &[usize]) -> Result<(), MatteError> {
        let have = &self.graph.tensors[tensor].shape;
        if have == want {
            return Ok(());
        }
        let reason = format!("tensor {tensor} has the shape {have:?} instead of {want:?}");
        Err(self.graph.other_network(reason))
    }

    /// That every operator has been taken, and that the network's outputs are `outputs`.
    pub fn finish(&mut self, outputs: &[TensorId]) -> Result<(), MatteError> {
        self.skip_constants();
        let count = self.graph.operators.len();
        if self.graph.outputs == outputs && self.next == count {
            return Ok(());
        }
        let reason = format!("it goes on behind operator {} of {count}", self.next);
        Err(self.graph.other_network(reason))
    }
}
