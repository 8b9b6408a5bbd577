//! Which tables a frame brings and which it names.

use super::refusal::{Refusal, damaged};

/// Sets of tables: bit n is number n.
///
/// libjpeg-turbo keeps the tables of the frames before and would use those where this one lacks
/// its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tables {
    pub quantisers: u16,
    pub huffman_dc: u16,
    pub huffman_ac: u16,
}

impl Tables {
    /// Those of a DQT segment: class and number, 64 numbers of one or two bytes.
    pub fn add_quantisers(&mut self, mut body: &[u8]) -> Result<(), Refusal> {
        while let Some((&head, rest)) = body.split_first() {
            let len_bytes = if head >> 4 == 0 { 64 } else { 128 };
            body = rest.get(len_bytes..).ok_or_else(|| damaged("a table is cut short"))?;
            self.quantisers |= bit(head & 0xf);
        }
        Ok(())
    }

    /// Those of a DHT segment: class and number, the count of codes of each of 16 lengths, and
    /// what each code means.
    pub fn add_huffman(&mut self, mut body: &[u8]) -> Result<(), Refusal> {
        while let Some((&head, rest)) = body.split_first() {
            let codes = rest.get(..16).map(|counts| counts.iter().map(|&n| usize::from(n)).sum());
            let rest = codes.and_then(|codes: usize| rest.get(16 + codes..));
            body = rest.ok_or_else(|| damaged("a table is cut short"))?;
            let class = if head >> 4 == 0 { &mut self.huffman_dc } else { &mut self.huffman_ac };
            *class |= bit(head & 0xf);
        }
        Ok(())
    }

    /// Whether all Huffman tables that are `named` are here; else the standard ones, numbers 0 and
    /// 1 of each class, are meant.
    pub fn hold(self, named: Self) -> Result<bool, Refusal> {
        const STANDARD: u16 = 0b11;
        if named.quantisers & !self.quantisers != 0 {
            return Err(damaged("it has not all quantisation tables"));
        }
        let missing = named.huffman_dc & !self.huffman_dc | named.huffman_ac & !self.huffman_ac;
        if missing & !STANDARD != 0 {
            return Err(damaged("it has not all Huffman tables"));
        }
        Ok(missing == 0)
    }
}

/// The bit of table `number`; libjpeg-turbo refuses numbers above 3.
pub(super) fn bit(number: u8) -> u16 {
    1 << number.min(15)
}
