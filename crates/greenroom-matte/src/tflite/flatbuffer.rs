//! A flatbuffer, read in place. Every offset of the file is checked before it is followed; a
//! wrong one is an error that names the place. Values are read byte by byte, so nothing here
//! depends on alignment.

/// Something in the file points outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Where reading was tried.
    pub at_bytes: usize,
    /// What was to be read.
    pub what: &'static str,
}

type Read<T> = Result<T, Broken>;

/// The whole file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a>(&'a [u8]);

/// A table: fields by number, each of which may be absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    file: File<'a>,
    at: usize,
    vtable: usize,
    vtable_len: usize,
}

/// A vector of `count` elements from `start` on, known to lie inside the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vector<'a> {
    file: File<'a>,
    start: usize,
    count: usize,
}

impl<'a> File<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn bytes<const N: usize>(self, at: usize, what: &'static str) -> Read<[u8; N]> {
        let end = at.checked_add(N).ok_or(Broken { at_bytes: at, what })?;
        let bytes = self.0.get(at..end).ok_or(Broken { at_bytes: at, what })?;
        Ok(bytes.try_into().expect("the slice was cut to N bytes"))
    }

    fn u16(self, at: usize, what: &'static str) -> Read<u16> {
        Ok(u16::from_le_bytes(self.bytes(at, what)?))
    }

    fn u32(self, at: usize, what: &'static str) -> Read<u32> {
        Ok(u32::from_le_bytes(self.bytes(at, what)?))
    }

    /// The place that the offset at `at` points to; offsets only point forward.
    fn follow(self, at: usize, what: &'static str) -> Read<usize> {
        let offset = self.u32(at, what)? as usize;
        at.checked_add(offset).filter(|&to| to < self.0.len()).ok_or(Broken { at_bytes: at, what })
    }

    /// The table that the file begins with.
    pub fn root(self) -> Read<Table<'a>> {
        self.table(self.follow(0, "the root table")?)
    }

    fn table(self, at: usize) -> Read<Table<'a>> {
        const WHAT: &str = "a table";
        let broken = Broken { at_bytes: at, what: WHAT };
        let back = i64::from(i32::from_le_bytes(self.bytes(at, WHAT)?));
        let vtable = usize::try_from(at as i64 - back).map_err(|_| broken)?;
        let vtable_len = usize::from(self.u16(vtable, WHAT)?);
        let fits = vtable.checked_add(vtable_len).is_some_and(|end| end <= self.0.len());
        if vtable_len < 4 || !fits {
            return Err(broken);
        }
        Ok(Table { file: self, at, vtable, vtable_len })
    }
}

impl<'a> Table<'a> {
    /// Where field number `field` lies, or `None` if it is absent.
    fn place(self, field: usize, what: &'static str) -> Read<Option<usize>> {
        let entry = 4 + 2 * field;
        if entry + 2 > self.vtable_len {
            return Ok(None);
        }
        let offset = usize::from(self.file.u16(self.vtable + entry, what)?);
        Ok((offset != 0).then_some(self.at + offset))
    }

    /// A byte, or `default` if the field is absent.
    pub fn u8_or(self, field: usize, default: u8, what: &'static str) -> Read<u8> {
        match self.place(field, what)? {
            Some(at) => Ok(self.file.bytes::<1>(at, what)?[0]),
            None => Ok(default),
        }
    }

    /// A 32-bit number, or `default` if the field is absent.
    pub fn i32_or(self, field: usize, default: i32, what: &'static str) -> Read<i32> {
        match self.place(field, what)? {
            Some(at) => Ok(i32::from_le_bytes(self.file.bytes(at, what)?)),
            None => Ok(default),
        }
    }

    /// An unsigned 32-bit number, 0 if the field is absent.
    pub fn u32(self, field: usize, what: &'static str) -> Read<u32> {
        match self.place(field, what)? {
            Some(at) => self.file.u32(at, what),
            None => Ok(0),
        }
    }

    /// A table, or `None` if the field is absent.
    pub fn table(self, field: usize, what: &'static str) -> Read<Option<Table<'a>>> {
        let Some(at) = self.place(field, what)? else { return Ok(None) };
        self.file.table(self.file.follow(at, what)?).map(Some)
    }

    /// A vector of elements of `element_bytes` each; an absent field is an empty vector.
    pub fn vector(
        self,
        field: usize,
        element_bytes: usize,
        what: &'static str,
    ) -> Read<Vector<'a>> {
        let Some(at) = self.place(field, what)? else {
            return Ok(Vector { file: self.file, start: 0, count: 0 });
        };
        let at = self.file.follow(at, what)?;
        let count = self.file.u32(at, what)? as usize;
        let start = at + 4;
        let end = count.checked_mul(element_bytes).and_then(|len| start.checked_add(len));
        match end {
            Some(end) if end <= self.file.0.len() => Ok(Vector { file: self.file, start, count }),
            _ => Err(Broken { at_bytes: at, what }),
        }
    }
}

impl<'a> Vector<'a> {
    /// Number of elements.
    pub fn len(self) -> usize {
        self.count
    }

    /// The elements of a vector of bytes (`element_bytes` = 1).
    pub fn as_bytes(self) -> &'a [u8] {
        &self.file.0[self.start..][..self.count]
    }

    /// The elements of a vector of 32-bit numbers (`element_bytes` = 4).
    pub fn iter_i32(self) -> impl Iterator<Item = i32> {
        let bytes = &self.file.0[self.start..][..4 * self.count];
        bytes.as_chunks::<4>().0.iter().map(|&number| i32::from_le_bytes(number))
    }

    /// The elements of a vector of tables (`element_bytes` = 4).
    pub fn iter_tables(self, what: &'static str) -> impl Iterator<Item = Read<Table<'a>>> {
        (0..self.count)
            .map(move |index| self.file.table(self.file.follow(self.start + 4 * index, what)?))
    }
}
