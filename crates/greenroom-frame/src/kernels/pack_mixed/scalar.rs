use super::{Mix, Order};

pub(super) fn pack_mixed(
    packed: &mut [u8],
    y: &[u8],
    [u, v]: [&[u8]; 2],
    [of_y, of_u, of_v]: [Mix; 3],
    order: Order,
) {
    let groups = packed.as_chunks_mut::<4>().0.iter_mut().zip(y.chunks(2));
    for ((group, y), (&u, &v)) in groups.zip(u.iter().zip(v)) {
        let luma = |sample: u8| of_y.of(sample, [u, v]);
        let (first, second) = (luma(y[0]), luma(y[y.len() - 1]));
        // Chroma's second weight is 0.
        let (u, v) = (of_u.of(u, [v, 128]), of_v.of(v, [u, 128]));
        *group = match order {
            Order::Yuyv => [first, u, second, v],
            Order::Uyvy => [u, first, v, second],
        };
    }
}
