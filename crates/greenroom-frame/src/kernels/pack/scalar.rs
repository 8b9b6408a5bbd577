/// Writes groups of four from two Y, one U and one V each; `order` says how.
#[inline(always)]
fn pack_422(
    packed: &mut [u8],
    y: &[u8],
    u: &[u8],
    v: &[u8],
    order: impl Fn(u8, u8, u8, u8) -> [u8; 4],
) {
    let (pairs, last_y) = y.as_chunks::<2>();
    let (groups, _) = packed.as_chunks_mut::<4>();
    let samples = pairs.iter().zip(u.iter().zip(v));
    for (group, (&[y0, y1], (&u, &v))) in groups.iter_mut().zip(samples) {
        *group = order(y0, u, y1, v);
    }
    if let (&[y], Some(group)) = (last_y, groups.get_mut(pairs.len())) {
        *group = order(y, u[pairs.len()], y, v[pairs.len()]);
    }
}

/// Takes groups of four apart; `order` gives `Y0 U Y1 V`.
#[inline(always)]
fn unpack_422(
    packed: &[u8],
    y: &mut [u8],
    u: &mut [u8],
    v: &mut [u8],
    order: impl Fn([u8; 4]) -> [u8; 4],
) {
    let (pairs, last_y) = y.as_chunks_mut::<2>();
    let (groups, _) = packed.as_chunks::<4>();
    let whole = pairs.len();
    for (pair, &group) in pairs.iter_mut().zip(groups) {
        let [y0, _, y1, _] = order(group);
        *pair = [y0, y1];
    }
    // A loop a plane: the compiler vectorises each, but not all three in one.
    for (u, &group) in u.iter_mut().zip(groups) {
        *u = order(group)[1];
    }
    for (v, &group) in v.iter_mut().zip(groups) {
        *v = order(group)[3];
    }
    if let ([y], Some(&group)) = (last_y, groups.get(whole)) {
        *y = order(group)[0];
    }
}

#[inline(always)]
pub(super) fn pack_yuyv(packed: &mut [u8], y: &[u8], u: &[u8], v: &[u8]) {
    pack_422(packed, y, u, v, |y0, u, y1, v| [y0, u, y1, v]);
}

#[inline(always)]
pub(super) fn pack_uyvy(packed: &mut [u8], y: &[u8], u: &[u8], v: &[u8]) {
    pack_422(packed, y, u, v, |y0, u, y1, v| [u, y0, v, y1]);
}

#[inline(always)]
pub(super) fn unpack_yuyv(packed: &[u8], y: &mut [u8], u: &mut [u8], v: &mut [u8]) {
    unpack_422(packed, y, u, v, |group| group);
}

#[inline(always)]
pub(super) fn unpack_uyvy(packed: &[u8], y: &mut [u8], u: &mut [u8], v: &mut [u8]) {
    unpack_422(packed, y, u, v, |[u, y0, v, y1]| [y0, u, y1, v]);
}

#[inline(always)]
pub(super) fn pack_pairs(packed: &mut [u8], u: &[u8], v: &[u8]) {
    for (pair, (&u, &v)) in packed.as_chunks_mut::<2>().0.iter_mut().zip(u.iter().zip(v)) {
        *pair = [u, v];
    }
}

#[inline(always)]
pub(super) fn unpack_pairs(packed: &[u8], u: &mut [u8], v: &mut [u8]) {
    for (&[first, second], (u, v)) in packed.as_chunks::<2>().0.iter().zip(u.iter_mut().zip(v)) {
        (*u, *v) = (first, second);
    }
}

#[inline(always)]
pub(super) fn average_rows(out: &mut [u8], above: &[u8], below: &[u8]) {
    for (out, (&above, &below)) in out.iter_mut().zip(above.iter().zip(below)) {
        *out = (u16::from(above) + u16::from(below)).div_ceil(2) as u8;
    }
}
