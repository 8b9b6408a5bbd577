//! The smallest network of the family as a TFLite file: what a fuzzer starts from, since the real
//! ones are 250 KB and not ours.

/// What a made network is like.
#[derive(Debug, Clone, Copy)]
pub struct Fixture {
    /// Rows and columns of its input; a multiple of 4.
    pub side: usize,
    /// Channels of every map; a multiple of 8.
    pub channels: usize,
    /// Bottlenecks behind the first, all with the same weights. Each adds what it got.
    pub repeats: usize,
}

/// A field of a flatbuffer's table.
enum Field {
    Byte(u8),
    Int(usize),
    Ints(Vec<usize>),
    Bytes(Vec<u8>),
    Table(Table),
    Tables(Vec<Table>),
}

/// Fields by number.
struct Table(Vec<(usize, Field)>);

/// The operators' numbers in TFLite's schema, and what makes the file's list of them.
#[derive(Clone, Copy, PartialEq)]
enum Code {
    Add = 0,
    Conv = 3,
    Depthwise = 4,
    Dequantize = 6,
    Logistic = 14,
    Mul = 18,
    Relu = 19,
    Double = 23,
    TransposedConv = 32,
    Mean = 40,
    HardSwish = 117,
}

const CODES: [Code; 11] = [
    Code::Add,
    Code::Conv,
    Code::Depthwise,
    Code::Dequantize,
    Code::Logistic,
    Code::Mul,
    Code::Relu,
    Code::Double,
    Code::TransposedConv,
    Code::Mean,
    Code::HardSwish,
];

/// A TFLite file of the family: a stem, a bottleneck that halves the map, others that keep it (the
/// last one with a gate), a head and one decoder. Weights are small numbers.
pub fn tiny_model(fixture: Fixture) -> Vec<u8> {
    let Fixture { side, channels, repeats } = fixture;
    let mut net = Net::default();
    let picture = net.map(side, 3);
    let mut net = net.with_weights(channels);
    let stem = net.conv(picture, &[channels, 3, 3, 3], [side / 2, channels], 2);
    let stem = net.unary(Code::HardSwish, stem);
    let mut x = net.bottleneck(stem, 2, false);
    for _ in 0..repeats {
        let y = net.bottleneck(x, 1, false);
        x = net.binary(Code::Add, x, y);
    }
    let y = net.bottleneck(x, 1, true);
    x = net.binary(Code::Add, x, y);
    let factors = net.gate(x, false);
    let y = net.dense(x);
    x = net.binary(Code::Mul, y, factors);

    let doubled = net.map(side / 2, channels);
    let sizes = net.none;
    net.operator(Code::Double, &[x, sizes], doubled);
    let u = net.dense(doubled);
    let sum = net.binary(Code::Add, stem, u);
    let factors = net.gate(sum, true);
    let gated = net.binary(Code::Mul, stem, factors);
    let merged = net.binary(Code::Add, gated, u);
    let v = net.dense(merged);
    let w = net.depthwise(v, 1);
    x = net.binary(Code::Add, v, w);
    let (weights, bias) = (net.constant(&[1, 2, 2, channels]), net.constant(&[1]));
    let output = net.map(side, 1);
    net.operator(Code::TransposedConv, &[x, weights, bias], output);
    let output = net.unary(Code::Logistic, output);
    net.file(picture, output)
}

#[derive(Default)]
struct Net {
    /// Shape and buffer.
    tensors: Vec<(Vec<usize>, usize)>,
    buffers: Vec<Vec<u8>>,
    operators: Vec<Table>,
    /// A constant without data, for inputs that nobody reads.
    none: usize,
    /// Weights and bias of every 1x1 convolution, of every depthwise one.
    dense: [usize; 2],
    depthwise: [usize; 2],
}

impl Net {
    fn map(&mut self, side: usize, channels: usize) -> usize {
        self.tensors.push((vec![1, side, side, channels], 0));
        self.tensors.len() - 1
    }

    /// The shared weights; buffer 0 is the empty one of maps.
    fn with_weights(mut self, channels: usize) -> Self {
        self.buffers.push(Vec::new());
        self.none = self.constant(&[]);
        // Half floats, widened by an operator.
        let half = self.constant(&[channels, 1, 1, channels]);
        self.buffers[self.tensors[half].1] = [0, 0x2c].repeat(channels * channels);
        let wide = self.map(1, 1);
        self.tensors[wide].0 = self.tensors[half].0.clone();
        self.operator(Code::Dequantize, &[half], wide);
        self.dense = [wide, self.constant(&[channels])];
        self.depthwise = [self.constant(&[1, 3, 3, channels]), self.dense[1]];
        self
    }

    fn constant(&mut self, shape: &[usize]) -> usize {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|index| (index % 7) as f32 / 16.0 - 0.125);
        self.buffers.push(values.flat_map(f32::to_le_bytes).collect());
        self.tensors.push((shape.to_vec(), self.buffers.len() - 1));
        self.tensors.len() - 1
    }

    fn operator(&mut self, code: Code, inputs: &[usize], output: usize) {
        let place = CODES.iter().position(|known| *known == code).expect("all are listed");
        let mut fields = vec![
            (0, Field::Int(place)),
            (1, Field::Ints(inputs.to_vec())),
            (2, Field::Ints(vec![output])),
        ];
        match code {
            Code::Double => fields.push((4, Field::Table(Table(vec![(3, Field::Byte(1))])))),
            Code::TransposedConv => {
                let options = [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0];
                fields.push((5, Field::Bytes(options.to_vec())));
            }
            _ => {}
        }
        self.operators.push(Table(fields));
    }

    /// An operator of which the strides are told.
    fn strided(&mut self, code: Code, inputs: &[usize], output: usize, stride: usize) {
        self.operator(code, inputs, output);
        let options = Table(vec![(1, Field::Int(stride)), (2, Field::Int(stride))]);
        let last = self.operators.last_mut().expect("it was just put there");
        last.0.push((4, Field::Table(options)));
    }

    fn conv(&mut self, x: usize, weights: &[usize], map: [usize; 2], stride: usize) -> usize {
        let (weights, bias) = (self.constant(weights), self.constant(&[map[1]]));
        let y = self.map(map[0], map[1]);
        self.strided(Code::Conv, &[x, weights, bias], y, stride);
        y
    }

    fn shape(&self, x: usize) -> [usize; 2] {
        let [_, side, _, channels] = self.tensors[x].0[..] else { panic!("{x} is no map") };
        [side, channels]
    }

    fn dense(&mut self, x: usize) -> usize {
        let [side, channels] = self.shape(x);
        let ([weights, bias], y) = (self.dense, self.map(side, channels));
        self.strided(Code::Conv, &[x, weights, bias], y, 1);
        y
    }

    fn depthwise(&mut self, x: usize, stride: usize) -> usize {
        let [side, channels] = self.shape(x);
        let ([weights, bias], y) = (self.depthwise, self.map(side / stride, channels));
        self.strided(Code::Depthwise, &[x, weights, bias], y, stride);
        y
    }

    fn unary(&mut self, code: Code, x: usize) -> usize {
        let [side, channels] = self.shape(x);
        let y = self.map(side, channels);
        self.operator(code, &[x], y);
        y
    }

    fn binary(&mut self, code: Code, a: usize, b: usize) -> usize {
        let [side, channels] = self.shape(a);
        let y = self.map(side, channels);
        self.operator(code, &[a, b], y);
        y
    }

    fn gate(&mut self, x: usize, squeezes: bool) -> usize {
        let ([_, channels], none) = (self.shape(x), self.none);
        let means = self.map(1, channels);
        self.operator(Code::Mean, &[x, none], means);
        let mut y = self.dense(means);
        if squeezes {
            let squeezed = self.unary(Code::Relu, y);
            y = self.dense(squeezed);
        }
        self.unary(Code::Logistic, y)
    }

    fn bottleneck(&mut self, x: usize, stride: usize, gated: bool) -> usize {
        let y = self.dense(x);
        let y = self.unary(Code::Relu, y);
        let y = self.depthwise(y, stride);
        let mut y = self.unary(Code::HardSwish, y);
        if gated {
            let factors = self.gate(y, true);
            y = self.binary(Code::Mul, y, factors);
        }
        self.dense(y)
    }

    fn file(self, picture: usize, output: usize) -> Vec<u8> {
        let half = self.tensors.iter().position(|(_, buffer)| {
            *buffer != 0 && self.buffers[*buffer].starts_with(&[0, 0x2c, 0, 0x2c])
        });
        let tensors = self.tensors.into_iter().enumerate().map(|(id, (shape, buffer))| {
            let element = u8::from(Some(id) == half);
            Table(vec![(0, Field::Ints(shape)), (1, Field::Byte(element)), (2, Field::Int(buffer))])
        });
        let codes = CODES.iter().map(|&code| {
            let name = b"Convolution2DTransposeBias".to_vec();
            let name = (code == Code::TransposedConv).then_some((1, Field::Bytes(name)));
            let number = [(0, Field::Byte(code as u8)), (3, Field::Int(code as usize))];
            Table(number.into_iter().chain(name).collect())
        });
        let subgraph = Table(vec![
            (0, Field::Tables(tensors.collect())),
            (1, Field::Ints(vec![picture])),
            (2, Field::Ints(vec![output])),
            (3, Field::Tables(self.operators)),
        ]);
        let buffers = self.buffers.into_iter().map(|data| Table(vec![(0, Field::Bytes(data))]));
        let root = Table(vec![
            (0, Field::Int(3)),
            (1, Field::Tables(codes.collect())),
            (2, Field::Tables(vec![subgraph])),
            (4, Field::Tables(buffers.collect())),
        ]);
        let mut file = [&[0; 4], &b"TFL3"[..]].concat();
        let place = write_table(&mut file, &root);
        set(&mut file, 0, place);
        file
    }
}

/// Puts an offset (or any number) of 32 bits at `at`.
fn set(file: &mut [u8], at: usize, value: usize) {
    file[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
}

/// Appends `table`, its list of fields before it and what they point to behind: its place.
fn write_table(file: &mut Vec<u8>, table: &Table) -> usize {
    let count = table.0.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
    let list = file.len();
    // An even number of halves, so that all stays aligned.
    let list_bytes = (4 + 2 * count).next_multiple_of(4);
    let table_bytes = 4 + 4 * table.0.len();
    file.resize(list + list_bytes + table_bytes, 0);
    let place = list + list_bytes;
    file[list..list + 2].copy_from_slice(&((4 + 2 * count) as u16).to_le_bytes());
    file[list + 2..list + 4].copy_from_slice(&(table_bytes as u16).to_le_bytes());
    set(file, place, list_bytes);
    for (index, (number, field)) in table.0.iter().enumerate() {
        let offset = 4 + 4 * index;
        let entry = list + 4 + 2 * number;
        file[entry..entry + 2].copy_from_slice(&(offset as u16).to_le_bytes());
        let at = place + offset;
        match field {
            Field::Byte(value) => file[at] = *value,
            Field::Int(value) => set(file, at, *value),
            _ => {
                let target = write_target(file, field);
                set(file, at, target - at);
            }
        }
    }
    place
}

/// Appends what a field points to: its place.
fn write_target(file: &mut Vec<u8>, field: &Field) -> usize {
    let place = file.len();
    match field {
        Field::Byte(_) | Field::Int(_) => {}
        Field::Table(table) => return write_table(file, table),
        Field::Ints(values) => {
            file.resize(place + 4 + 4 * values.len(), 0);
            set(file, place, values.len());
            for (index, value) in values.iter().enumerate() {
                set(file, place + 4 + 4 * index, *value);
            }
        }
        Field::Bytes(bytes) => {
            file.resize(place + 4, 0);
            set(file, place, bytes.len());
            file.extend_from_slice(bytes);
            file.resize(file.len().next_multiple_of(4), 0);
        }
        Field::Tables(tables) => {
            file.resize(place + 4 + 4 * tables.len(), 0);
            set(file, place, tables.len());
            for (index, table) in tables.iter().enumerate() {
                let at = place + 4 + 4 * index;
                let target = write_table(file, table);
                set(file, at, target - at);
            }
        }
    }
    place
}
