use super::channel::Channel;
use super::samples::Samples;

pub(super) fn convert(channels: &[Channel; 3], samples: Samples<'_>, out: [&mut [f32]; 3]) {
    for (channel, out) in channels.iter().zip(out) {
        convert_channel(channel, samples, out);
    }
}

fn convert_channel(channel: &Channel, samples: Samples<'_>, out: &mut [f32]) {
    let Samples { y, u, v } = samples;
    for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
        let value = channel.y * f32::from(y)
            + channel.u * f32::from(u)
            + channel.v * f32::from(v)
            + channel.constant;
        *out = value.clamp(0.0, 1.0) * channel.scale + channel.offset;
    }
}
